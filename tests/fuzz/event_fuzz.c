/* SPDX-License-Identifier: Apache-2.0
 * Fuzz target: a recording (N-MNIST's packed events). Any bytes are safe in every form, and all
 * levels of vector instructions make the same of them; only what event_check() accepts is mixed. */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "common/cpu.h"
#include "common/event_codec.h"
#include "common/frames.h"
#include "common/key.h"
#include "common/mixer.h"
#include "tests/fuzz/fuzz.h"

/* How the input wants it made; it stands in the input's first bytes. */
struct wish {
    unsigned max_descents;
    struct mix_rule mix;
    struct frames_rule frames;
};

enum { EVENTS_MAX = 4096, BINS_MAX = 8 };

static size_t make_columns(const struct wish *wish, struct event_span events, uint8_t *out)
{
    size_t n = events.n_events;
    (void)wish;
    event_columns(events, (uint32_t *)(void *)out, out + 4 * n, out + 5 * n, out + 6 * n);
    return 7 * n;
}

static size_t make_structured(const struct wish *wish, struct event_span events, uint8_t *out)
{
    (void)wish;
    event_structured(events, out);
    return events.n_events * EVENT_STRUCTURED_BYTES;
}

/* There and back. */
static size_t make_keys(const struct wish *wish, struct event_span events, uint8_t *out)
{
    size_t n = events.n_events;
    uint64_t *keys = (uint64_t *)(void *)out;
    uint8_t *packed = fuzz_alloc(n * EVENT_BYTES);
    event_keys(events, wish->max_descents, keys);
    event_pack_keys(keys, n, packed);
    FUZZ_CHECK(!n || memcmp(packed, events.bytes, n * EVENT_BYTES) == 0);
    free(packed);
    event_keys_reversed(events, wish->max_descents, keys + n);
    return 2 * n * sizeof *keys;
}

static size_t make_frames(const struct wish *wish, struct event_span events, uint8_t *out)
{
    frames_fill(&wish->frames, events, out);
    return frames_size(&wish->frames);
}

static struct mixer *mixer_here(void)
{
    static struct mixer *mixer;
    FUZZ_CHECK(mixer || mixer_new(&mixer) == 0);
    return mixer;
}

/* Alone, and with itself once and twice. */
static size_t make_mixes(const struct wish *wish, struct event_span events, uint8_t *out)
{
    const struct event_span parts[] = {events, events, events};
    size_t used = 0;
    for (unsigned k = 1; k <= 3; k++) {
        struct error why;
        size_t n = 0;
        int r = mixer_mix(mixer_here(), parts, k, &wish->mix, out + used, &n, &why);
        FUZZ_CHECK(r == 0 || r == -ERANGE || (r == -EINVAL && wish->mix.order == MIX_PUBLISHED));
        FUZZ_CHECK(n <= k * events.n_events);
        used += n * EVENT_BYTES;
    }
    return used;
}

/* As a sample in published order. */
static size_t make_again(const struct wish *wish, struct event_span events, uint8_t *out)
{
    struct error why;
    size_t n = 0;
    int r = mixer_mix_again(mixer_here(), events, events.n_events / 2, &wish->mix, out, &n, &why);
    FUZZ_CHECK(r == 0 || r == -ERANGE);
    FUZZ_CHECK(n <= events.n_events);
    return n * EVENT_BYTES;
}

typedef size_t form(const struct wish *wish, struct event_span events, uint8_t *out);

/* Every level makes the same as plain C. */
static void compare(form *make, const struct wish *wish, struct event_span events)
{
    size_t room = 6 * events.n_events * EVENT_BYTES + frames_size(&wish->frames), used = 0;
    uint8_t *wanted = fuzz_alloc(room);
    for (int level = CPU_PORTABLE; level < CPU_LEVELS; level++) {
        uint8_t *out = level == CPU_PORTABLE ? wanted : fuzz_alloc(room);
        cpu_limit((enum cpu_level)level);
        size_t n = make(wish, events, out);
        if (level == CPU_PORTABLE) {
            used = n;
            continue;
        }
        FUZZ_CHECK(n == used && memcmp(out, wanted, n) == 0);
        free(out);
    }
    free(wanted);
}

static struct wish read_wish(struct input *input)
{
    unsigned bits = input_u8(input);
    return (struct wish){
        .max_descents = bits & 1,
        .mix = {.order = bits & 2 ? MIX_PUBLISHED : MIX_TIME,
                .timestep_us = input_u32(input) % (MIX_TIMESTEP_MAX_US + 1)},
        .frames = {.geometry = GEOMETRY_NMNIST,
                   .timestep_us = 1 + input_u32(input) % FRAMES_TIMESTEP_MAX_US,
                   .bins = 1 + input_u8(input) % BINS_MAX,
                   .binning = bits & 4 ? FRAMES_FLOOR : FRAMES_ROUND,
                   .overlap = bits & 8 ? FRAMES_SUM : FRAMES_OR,
                   .axes = bits & 16 ? FRAMES_CHWT : FRAMES_TCHW,
                   .values = bits & 32 ? FRAMES_F32 : FRAMES_U8},
    };
}

/* What was accepted is accepted again, as it is. */
static void check_again(const struct wish *wish, uint8_t *bytes, size_t n)
{
    size_t size = n * EVENT_BYTES, n_again;
    uint8_t *copy = fuzz_alloc(size);
    memcpy(copy, bytes, size);
    FUZZ_CHECK(event_check(copy, size, wish->max_descents, &n_again, NULL) == 0);
    FUZZ_CHECK(n_again == n && memcmp(copy, bytes, size) == 0);
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static form *const forms[] = {make_columns, make_structured, make_keys, make_frames};
    struct input input = {bytes, size};
    const struct wish wish = read_wish(&input);
    size_t n_bytes, n;
    uint8_t *copy = input_bytes(&input, EVENTS_MAX * EVENT_BYTES, &n_bytes);
    struct error why;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        compare(forms[i], &wish, (struct event_span){copy, n_bytes / EVENT_BYTES});
    int r = event_check(copy, n_bytes, wish.max_descents, &n, &why);
    FUZZ_CHECK(r == 0 || r == -EBADMSG || r == -ERANGE);
    if (r == 0) {
        FUZZ_CHECK(n <= n_bytes / EVENT_BYTES);
        check_again(&wish, copy, n);
        compare(make_again, &wish, (struct event_span){copy, n});
        if (wish.max_descents == 0)
            compare(make_mixes, &wish, (struct event_span){copy, n});
    }
    free(copy);
    return 0;
}
