/* SPDX-License-Identifier: Apache-2.0
 * Tests of common/mixer: mixes against their definition, at every level of instructions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/mixer.h"
#include "tests/levels.h"

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
    if (k == 2 && parts[0].n_events && parts[1].n_events) {
        assert_int_equal(mixer_mix(mixer, parts, k, &published, out.bytes, &n, &why), 0);
        struct event_span sample = {.bytes = out.bytes, .n_events = n};
        uint32_t t_end = event_unpack(parts[1].bytes).t_us;
        uint32_t t_first = event_unpack(parts[0].bytes).t_us;
        uint32_t t_last =
            event_unpack(parts[1].bytes + (parts[1].n_events - 1) * EVENT_BYTES).t_us - t_end;
        if (t_first < t_last) { /* else nothing says where the first digit begins */
            assert_int_equal(mixer_mix_again(mixer, sample, rule, again.bytes, &n, &why), 0);
            check_is_defined(&want, again.bytes, n);
        }
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
        if (mixer_mix_again(mixer, parts[0], &rule, out.bytes, &n, &why) == 0)
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mixes_are_what_their_definition_says),
        cmocka_unit_test(mixing_noise_stays_inside_its_buffers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
