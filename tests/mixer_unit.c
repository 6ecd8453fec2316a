/* SPDX-License-Identifier: Apache-2.0
 * Tests of common/mixer: mixes against their definition, at every level of instructions. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/mixer.h"
#include "tests/levels.h"
#include "tests/scarce.h"

enum { ROUNDS = 400 };

/* The mix by its definition: all events in the order in which they count, sorted by insertion,
 * compared each with each. */
struct definition {
    struct event events[MIX_MAX_DIGITS * RECORDING_MAX];
    bool second[MIX_MAX_DIGITS * RECORDING_MAX]; /* of a published pair */
    size_t n;
};

static void define_part(struct definition *mix, struct event_span part, bool reversed)
{
    for (size_t i = 0; i < part.n_events; i++) {
        size_t from = reversed ? part.n_events - 1 - i : i;
        struct event event = event_unpack(part.bytes + from * EVENT_BYTES);
        if (reversed)
            event.t_us =
                event_unpack(part.bytes + (part.n_events - 1) * EVENT_BYTES).t_us - event.t_us;
        mix->second[mix->n] = reversed;
        mix->events[mix->n++] = event;
    }
}

static void define_order(struct definition *mix)
{
    for (size_t i = 1; i < mix->n; i++) {
        struct event event = mix->events[i];
        size_t j = i;
        for (; j > 0 && mix->events[j - 1].t_us > event.t_us; j--)
            mix->events[j] = mix->events[j - 1];
        mix->events[j] = event;
    }
}

static void define_times(struct definition *mix, uint32_t timestep_us)
{
    for (size_t i = 0; i < mix->n && timestep_us; i++) {
        uint32_t step = mix->events[i].t_us / timestep_us, rest = mix->events[i].t_us % timestep_us;
        step += 2 * rest > timestep_us || (2 * rest == timestep_us && step % 2);
        mix->events[i].t_us = step * timestep_us;
    }
}

static void define_union(struct definition *mix)
{
    size_t n = 0;
    for (size_t i = 0; i < mix->n; i++) {
        struct event event = mix->events[i];
        size_t j = 0;
        while (j < n && !(mix->events[j].t_us == event.t_us && mix->events[j].x == event.x &&
                          mix->events[j].y == event.y && mix->events[j].p == event.p))
            j++;
        if (j == n)
            mix->events[n++] = event;
    }
    mix->n = n;
}

static void define_mix(struct definition *mix, const struct event_span *parts, unsigned k,
                       const struct mix_rule *rule)
{
    mix->n = 0;
    bool published = rule->order == MIX_PUBLISHED;
    if (published && k == 2)
        define_part(mix, parts[1], true);
    for (unsigned i = 0; i < (published ? 1 : k); i++)
        define_part(mix, parts[i], i % 2 == 1);
    if (!published)
        define_order(mix);
    define_times(mix, rule->timestep_us);
    if (rule->timestep_us || (!published && k > 1))
        define_union(mix);
}

static void check_is_defined(const struct definition *want, const uint8_t *bytes, size_t n)
{
    assert_int_equal(n, want->n);
    for (size_t i = 0; i < n; i++) {
        uint8_t packed[EVENT_BYTES];
        event_pack(want->events[i], packed);
        assert_memory_equal(bytes + i * EVENT_BYTES, packed, EVENT_BYTES);
    }
}

/* That nothing in a published sample tells where the first digit begins, and that it matters. */
static void check_is_undecided(const struct event_span *parts, const struct mix_rule *rule, int r)
{
    assert_int_equal(r, -ENODATA);
    assert_int_equal(rule->order, MIX_TIME);
    if (parts[0].n_events == 0 || parts[1].n_events == 0)
        return;
    uint32_t t_first = event_unpack(parts[0].bytes).t_us;
    uint32_t t_end = event_unpack(parts[1].bytes).t_us;
    uint32_t t_last =
        event_unpack(parts[1].bytes + (parts[1].n_events - 1) * EVENT_BYTES).t_us - t_end;
    assert_true(t_first >= t_last);
}

static void check_mix_of(struct mixer *mixer, const struct event_span *parts, unsigned k,
                         const struct mix_rule *rule)
{
    static struct definition want;
    struct error why;
    size_t n = 0, n_all = 0;
    for (unsigned i = 0; i < k; i++)
        n_all += parts[i].n_events;
    struct buffer out = buffer_new(n_all * EVENT_BYTES), again = buffer_new(out.size);
    define_mix(&want, parts, k, rule);
    assert_int_equal(mixer_mix(mixer, parts, k, rule, out.bytes, &n, &why), 0);
    check_is_defined(&want, out.bytes, n);

    const struct mix_rule published = {.order = MIX_PUBLISHED};
    if (k == 2) {
        assert_int_equal(mixer_mix(mixer, parts, k, &published, out.bytes, &n, &why), 0);
        struct event_span sample = {.bytes = out.bytes, .n_events = n};
        assert_int_equal(
            mixer_mix_again(mixer, sample, parts[1].n_events, rule, again.bytes, &n, &why), 0);
        check_is_defined(&want, again.bytes, n);
        int r = mixer_mix_again(mixer, sample, MIX_NOT_KNOWN, rule, again.bytes, &n, &why);
        if (r == 0)
            check_is_defined(&want, again.bytes, n);
        else
            check_is_undecided(parts, rule, r);
    }
    buffer_check_and_free(out);
    buffer_check_and_free(again);
}

static void check_mixes(void)
{
    static const uint32_t timesteps[] = {0, 0, 0, 1, 2, 7, 16, 333, 1000};
    struct mixer *mixer;
    assert_int_equal(mixer_new(&mixer), 0);
    for (int round = 0; round < ROUNDS; round++) {
        struct event_span parts[MIX_MAX_DIGITS];
        unsigned k = random_below(10) ? 2 : 1 + random_below(MIX_MAX_DIGITS);
        for (unsigned i = 0; i < k; i++)
            parts[i] = recording_any();
        struct mix_rule rule = {
            .order = k <= 2 && random_below(2) ? MIX_PUBLISHED : MIX_TIME,
            .timestep_us = timesteps[random_below(9)],
        };
        check_mix_of(mixer, parts, k, &rule);
        for (unsigned i = 0; i < k; i++)
            recording_free(parts[i]);
    }
    mixer_free(mixer);
}

static void mixes_are_what_their_definition_says(void **state)
{
    (void)state;
    for_each_level(check_mixes);
}

static void check_noise_mixes(void)
{
    struct mixer *mixer;
    struct error why;
    assert_int_equal(mixer_new(&mixer), 0);
    for (int round = 0; round < ROUNDS; round++) {
        struct event_span a = recording_noise(random_below(100)),
                          b = recording_noise(a.n_events / 2);
        struct event_span parts[] = {a, b};
        struct buffer out = buffer_new((a.n_events + b.n_events) * EVENT_BYTES);
        struct mix_rule rule = {.order = random_below(2) ? MIX_TIME : MIX_PUBLISHED,
                                .timestep_us = random_below(2) * 1000};
        size_t n = 0;
        if (mixer_mix(mixer, parts, 2, &rule, out.bytes, &n, &why) == 0)
            assert_in_range(n, 0, a.n_events + b.n_events);
        size_t n_second = random_below(2) ? MIX_NOT_KNOWN : random_below(200);
        if (mixer_mix_again(mixer, parts[0], n_second, &rule, out.bytes, &n, &why) == 0)
            assert_in_range(n, 0, a.n_events);
        buffer_check_and_free(out);
        recording_free(a);
        recording_free(b);
    }
    mixer_free(mixer);
}

static void mixing_noise_stays_inside_its_buffers(void **state)
{
    (void)state;
    for_each_level(check_noise_mixes);
}

/* One event at each time. */
static struct event_span recording_at(const uint32_t *times_us, size_t n, uint8_t *bytes)
{
    for (size_t i = 0; i < n; i++)
        event_pack((struct event){.t_us = times_us[i], .x = (uint8_t)i}, bytes + i * EVENT_BYTES);
    return (struct event_span){.bytes = bytes, .n_events = n};
}

static void mix_that_is_not_defined_is_refused(void **state)
{
    (void)state;
    static const struct {
        unsigned k;
        struct mix_rule rule;
        const char *words;
    } rows[] = {
        {0, {MIX_TIME, 0}, "a mix of 0 recordings"},
        {MIX_MAX_DIGITS + 1, {MIX_TIME, 0}, "a mix of 11 recordings"},
        {3, {MIX_PUBLISHED, 0}, "two digits, not 3"},
        {2, {MIX_TIME, MIX_TIMESTEP_MAX_US + 1}, "a timestep of 1000001 us"},
    };
    struct event_span parts[MIX_MAX_DIGITS + 1] = {{0}};
    struct mixer *mixer;
    assert_int_equal(mixer_new(&mixer), 0);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct error why = {""};
        uint8_t out[1];
        size_t n = 77;
        assert_int_equal(mixer_mix(mixer, parts, rows[i].k, &rows[i].rule, out, &n, &why), -EINVAL);
        assert_non_null(strstr(why.text, rows[i].words));
        assert_int_equal(n, 77);
        if (rows[i].k == 2)
            assert_int_equal(
                mixer_mix_again(mixer, parts[0], MIX_NOT_KNOWN, &rows[i].rule, out, &n, &why),
                -EINVAL);
    }
    mixer_free(mixer);
    mixer_free(NULL);
}

static void check_late_events(void)
{
    static const uint32_t late_us[] = {5, EVENT_T_MAX - 8, EVENT_T_MAX - 7, EVENT_T_MAX};
    static const uint32_t early_us[] = {0, 4};
    uint8_t bytes[2][4 * EVENT_BYTES], out[6 * EVENT_BYTES];
    struct event_span late = recording_at(late_us, 4, bytes[0]);
    struct event_span early = recording_at(early_us, 2, bytes[1]);
    struct mixer *mixer;
    assert_int_equal(mixer_new(&mixer), 0);
    for (enum mix_order order = MIX_TIME; order <= MIX_PUBLISHED; order++) {
        const struct mix_rule rule = {.order = order, .timestep_us = 16};
        struct error why = {""};
        size_t n = 77;
        assert_int_equal(
            mixer_mix(mixer, (struct event_span[]){late, early}, 2, &rule, out, &n, &why), -ERANGE);
        assert_non_null(strstr(why.text, "time 8388600 us rounded to 16 us"));
        assert_int_equal(n, 77);
        /* Reversed, the late ones are early. */
        assert_int_equal(
            mixer_mix(mixer, (struct event_span[]){early, late}, 2, &rule, out, &n, &why), -ERANGE);
        const struct mix_rule exact = {.order = order, .timestep_us = 1};
        assert_int_equal(
            mixer_mix(mixer, (struct event_span[]){late, early}, 2, &exact, out, &n, &why), 0);
        assert_int_equal(n, 6);
    }
    mixer_free(mixer);
}

static void time_that_rounds_past_the_limit_is_refused(void **state)
{
    (void)state;
    for_each_level(check_late_events);
}

static void mix_of_too_many_events_is_refused(void **state)
{
    (void)state;
    const struct event_span half = {.bytes = NULL, .n_events = 1 << 22};
    const struct mix_rule rule = {.order = MIX_TIME};
    struct error why = {""};
    struct mixer *mixer;
    uint8_t out[1];
    size_t n = 77;
    assert_int_equal(mixer_new(&mixer), 0);
    assert_int_equal(mixer_mix(mixer, (struct event_span[]){half, half}, 2, &rule, out, &n, &why),
                     -EFBIG);
    assert_non_null(strstr(why.text, "8388608 events: the limit is 8388607"));
    const struct event_span whole = {.bytes = NULL, .n_events = 1 << 23};
    assert_int_equal(mixer_mix_again(mixer, whole, MIX_NOT_KNOWN, &rule, out, &n, &why), -EFBIG);
    assert_int_equal(n, 77);
    mixer_free(mixer);
}

/* A mixer that had no memory once mixes again when there is some. */
static int mix_scarcely(void *user, struct error *why)
{
    static const uint32_t times_us[] = {1, 2, 3};
    uint8_t bytes[3 * EVENT_BYTES], out[6 * EVENT_BYTES];
    struct event_span part = recording_at(times_us, 3, bytes);
    const struct mix_rule rule = {.order = MIX_TIME};
    struct mixer *mixer;
    size_t n = 77;
    (void)user;
    int r = mixer_new(&mixer);
    if (r < 0)
        return r;
    r = mixer_mix(mixer, (struct event_span[]){part, part}, 2, &rule, out, &n, why);
    if (r < 0) {
        assert_int_equal(n, 77);
        assert_int_equal(
            mixer_mix(mixer, (struct event_span[]){part, part}, 2, &rule, out, &n, why), 0);
    }
    assert_int_equal(n, 6);
    mixer_free(mixer);
    return r;
}

static void mixer_without_memory_says_so(void **state)
{
    (void)state;
    assert_true(scarce_try(mix_scarcely, NULL) > 0);
}

static struct event_span pack(const struct event *events, size_t n, uint8_t *bytes)
{
    for (size_t i = 0; i < n; i++)
        event_pack(events[i], bytes + i * EVENT_BYTES);
    return (struct event_span){bytes, n};
}

static void a_sample_whose_time_never_goes_back_is_mixed_again_by_its_lengths(void **state)
{
    (void)state;
    uint8_t a[2 * EVENT_BYTES], b[EVENT_BYTES], sample[3 * EVENT_BYTES], want[3 * EVENT_BYTES],
        got[3 * EVENT_BYTES];
    const struct event first[] = {{.t_us = 0, .x = 1}, {.t_us = 3, .x = 2}};
    const struct event second[] = {{.t_us = 5, .x = 3}};
    const struct event_span parts[] = {pack(first, 2, a), pack(second, 1, b)};
    const struct mix_rule published = {.order = MIX_PUBLISHED}, by_time = {.order = MIX_TIME};
    struct mixer *mixer;
    struct error why = {""};
    size_t n_sample, n_want, n_got = 77;
    assert_int_equal(mixer_new(&mixer), 0);
    assert_int_equal(mixer_mix(mixer, parts, 2, &published, sample, &n_sample, &why), 0);
    assert_int_equal(mixer_mix(mixer, parts, 2, &by_time, want, &n_want, &why), 0);
    const struct event_span again = {sample, n_sample};
    assert_int_equal(mixer_mix_again(mixer, again, MIX_NOT_KNOWN, &by_time, got, &n_got, &why),
                     -ENODATA);
    assert_non_null(strstr(why.text, "where the first digit begins"));
    assert_int_equal(mixer_mix_again(mixer, again, n_sample + 1, &by_time, got, &n_got, &why),
                     -ENODATA);
    assert_int_equal(n_got, 77);
    assert_int_equal(mixer_mix_again(mixer, again, 1, &by_time, got, &n_got, &why), 0);
    assert_int_equal(n_got, n_want);
    assert_memory_equal(got, want, n_want * EVENT_BYTES);
    assert_int_equal(event_unpack(got).x, 1); /* the first digit's event comes first */
    mixer_free(mixer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mixes_are_what_their_definition_says),
        cmocka_unit_test(mixing_noise_stays_inside_its_buffers),
        cmocka_unit_test(mix_that_is_not_defined_is_refused),
        cmocka_unit_test(time_that_rounds_past_the_limit_is_refused),
        cmocka_unit_test(mix_of_too_many_events_is_refused),
        cmocka_unit_test(mixer_without_memory_says_so),
        cmocka_unit_test(a_sample_whose_time_never_goes_back_is_mixed_again_by_its_lengths),
    };
    return cmocka_run_group_tests_name("mixer", tests, NULL, NULL);
}
