/* SPDX-License-Identifier: Apache-2.0
 * Tests of common/event_codec: any bytes, in every form, at every level of instructions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/event_codec.h"
#include "common/key.h"
#include "tests/levels.h"

static void check_forms(struct event_span events)
{
    size_t n = events.n_events;
    struct buffer t = buffer_new(n * sizeof(uint32_t)), x = buffer_new(n), y = buffer_new(n);
    struct buffer p = buffer_new(n), fields = buffer_new(n * EVENT_STRUCTURED_BYTES);
    event_columns(events, (uint32_t *)t.bytes, x.bytes, y.bytes, p.bytes);
    event_structured(events, fields.bytes);
    for (size_t i = 0; i < n; i++) {
        struct event want = event_unpack(events.bytes + i * EVENT_BYTES);
        uint8_t want_fields[] = {want.x,
                                 want.y,
                                 (uint8_t)want.t_us,
                                 (uint8_t)(want.t_us >> 8),
                                 (uint8_t)(want.t_us >> 16),
                                 0,
                                 want.p};
        assert_int_equal(((uint32_t *)t.bytes)[i], want.t_us);
        assert_int_equal(x.bytes[i], want.x);
        assert_int_equal(y.bytes[i], want.y);
        assert_int_equal(p.bytes[i], want.p);
        assert_memory_equal(fields.bytes + i * EVENT_STRUCTURED_BYTES, want_fields,
                            sizeof want_fields);
    }
    buffer_check_and_free(t);
    buffer_check_and_free(x);
    buffer_check_and_free(y);
    buffer_check_and_free(p);
    buffer_check_and_free(fields);
}

static void check_unpacking(void)
{
    for (size_t n = 0; n < 100; n++) {
        struct event_span noise = recording_noise(n);
        check_forms(noise);
        recording_free(noise);
    }
}

static void unpacks_any_bytes_into_every_form(void **state)
{
    (void)state;
    for_each_level(check_unpacking);
}

static void check_keys_of(struct event_span events)
{
    size_t n = events.n_events;
    struct buffer forward = buffer_new(n * sizeof(uint64_t)), back = buffer_new(forward.size);
    struct buffer packed = buffer_new(n * EVENT_BYTES);
    const uint64_t *keys = (uint64_t *)forward.bytes, *reversed = (uint64_t *)back.bytes;
    event_keys(events, 17, (uint64_t *)forward.bytes);
    event_keys_reversed(events, 23, (uint64_t *)back.bytes);
    event_pack_keys(keys, n, packed.bytes);
    assert_memory_equal(packed.bytes, events.bytes, n * EVENT_BYTES);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(keys[i], key_unpack(events.bytes + i * EVENT_BYTES, (uint32_t)(17 + i)));
        uint64_t mirror = keys[n - 1 - i];
        assert_int_equal(key_place(reversed[i]), key_place(mirror));
        assert_int_equal(key_seq(reversed[i]), 23 + i);
        assert_int_equal(key_time(reversed[i]),
                         (key_time(keys[n - 1]) - key_time(mirror)) & EVENT_T_MAX);
    }
    buffer_check_and_free(forward);
    buffer_check_and_free(back);
    buffer_check_and_free(packed);
}

static void check_keys(void)
{
    for (size_t n = 0; n < 100; n++) {
        struct event_span noise = recording_noise(n);
        check_keys_of(noise);
        recording_free(noise);
    }
}

static void turns_any_bytes_into_keys_and_back(void **state)
{
    (void)state;
    for_each_level(check_keys);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unpacks_any_bytes_into_every_form),
        cmocka_unit_test(turns_any_bytes_into_keys_and_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
