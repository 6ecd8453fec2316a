/* SPDX-License-Identifier: Apache-2.0
 * Tests of server/samples/encode_shard: tar archives whose members are what single samples are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/answers.h"
#include "tests/encoding.h"

enum { N = 6 };

static const uint64_t indices[N] = {3, 0, SAMPLE_PAIR, SAMPLE_SINGLE, 1, 8};

static int encode(const struct batch *batch, const struct form *form, enum shard_member member,
                  struct reply *reply, struct error *why)
{
    const struct shard_rule rule = {
        .split = batch->entry->name,
        .revision = batch->entry->revision,
        .ending = "x.y",
        .has_class = batch->entry->is_source,
    };
    return encode_shard(batch, form, &rule, member, reply, why);
}

static int encode_of_bin(const struct batch *batch, const struct form *form, struct reply *reply,
                         struct error *why)
{
    return encode(batch, form, SHARD_BIN, reply, why);
}

static int encode_of_npy(const struct batch *batch, const struct form *form, struct reply *reply,
                         struct error *why)
{
    return encode(batch, form, SHARD_NPY, reply, why);
}

static encode_batch *const members[] = {encode_of_bin, encode_of_npy};

static void for_each_form(const struct form *forms, size_t n_forms,
                          void (*check)(const struct encoding *encoding))
{
    const struct entry *entries[] = {small.timed, small.published};
    static const size_t sizes[] = {1, 2, N};
    for (size_t e = 0; e < 2; e++)
        for (size_t f = 0; f < n_forms; f++)
            for (size_t m = 0; m < 2 && forms[f].as != FORM_SPARSE; m++)
                for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
                    if (e == 0 || forms == encoding_forms)
                        check(&(struct encoding){.batch = members[m],
                                                 .form = &forms[f],
                                                 .batched = {.entry = entries[e],
                                                             .kind = BATCH_STORED,
                                                             .indices = indices,
                                                             .n = sizes[s]}});
}

/* The member at `at`, which moves on behind it. */
static const char *next(const char **at, const char *name, size_t *ret_size)
{
    assert_string_equal(*at, name);
    const char *data = *at + USTAR_BLOCK;
    *ret_size = strtoul(*at + 124, NULL, 8);
    *at = data + *ret_size + ustar_padding(*ret_size);
    return data;
}

static void check_sample(const struct encoding *shard, size_t i, const char **at)
{
    encode_sample *sample = shard->batch == encode_of_bin ? encode_bin : encode_npy;
    const struct entry *entry = shard->batched.entry;
    struct reply alone = encoding_answer(
        &(struct encoding){.sample = sample, .entry = entry, .form = shard->form, .i = indices[i]});
    char *body = answer_body(&alone), name[USTAR_NAME_MAX + 1], about[64];
    size_t size;
    snprintf(name, sizeof name, "%s-%08u.x.y", entry->name, (unsigned)indices[i]);
    const char *data = next(at, name, &size);
    assert_int_equal(size, alone.n_bytes);
    assert_memory_equal(data, body, size);
    snprintf(name, sizeof name, "%s-%08u.json", entry->name, (unsigned)indices[i]);
    data = next(at, name, &size);
    snprintf(about, sizeof about, "\"index\":%u,\"labels\":[", (unsigned)indices[i]);
    assert_non_null(memmem(data, size, about, strlen(about)));
    free(body);
    answer_end(&alone);
}

static void check_members(const struct encoding *encoding)
{
    static const char end[USTAR_END];
    struct reply reply = encoding_answer(encoding);
    char *body = answer_body(&reply);
    const char *at = body;
    uint64_t n_bytes = reply.n_bytes;
    answer_end(&reply);
    for (size_t i = 0; i < encoding->batched.n; i++)
        check_sample(encoding, i, &at);
    assert_int_equal(at - body + USTAR_END, n_bytes);
    assert_memory_equal(at, end, sizeof end);
    free(body);
}

static void members_are_what_single_samples_are(void **state)
{
    (void)state;
    for_each_form(encoding_forms, ENCODING_N_FORMS, check_members);
    for_each_form(encoding_cuts, ENCODING_N_CUTS, check_members);
}

static void head_tells_what_get_does(void **state)
{
    (void)state;
    for_each_form(encoding_forms, ENCODING_N_FORMS, encoding_check_head);
}

static void limits_hold(void **state)
{
    (void)state;
    for_each_form(encoding_forms, ENCODING_N_FORMS, encoding_check_limits);
}

static void stored_samples_are_not_copied_and_their_digest_costs_no_reading(void **state)
{
    (void)state;
    const struct batch batch = {
        .entry = small.timed, .kind = BATCH_STORED, .indices = indices, .n = N};
    const struct form *form = &encoding_forms[0];
    struct reply got = answer_new(), head = answer_new();
    assert_int_equal(form->as, FORM_EVENTS);
    assert_int_equal(encode(&batch, form, SHARD_BIN, &got, NULL), 0);
    const uint8_t *map = split_bytes(small.timed->split);
    size_t n_borrowed = 0;
    for (size_t i = 0; i < got.n_parts; i++)
        n_borrowed += (uint8_t *)got.parts[i].iov_base >= map &&
                      (uint8_t *)got.parts[i].iov_base < map + split_size(small.timed->split);
    assert_int_equal(n_borrowed, N);
    head.head_only = true;
    assert_int_equal(encode(&batch, form, SHARD_BIN, &head, NULL), 0);
    assert_false(head.unknown_crc || head.unknown_length);
    assert_int_equal(head.n_bytes, got.n_bytes);
    assert_int_equal(head.crc, got.crc);
    reply_reset(&got);
    answer_end(&head);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_are_what_single_samples_are),
        cmocka_unit_test(head_tells_what_get_does),
        cmocka_unit_test(limits_hold),
        cmocka_unit_test(stored_samples_are_not_copied_and_their_digest_costs_no_reading),
    };
    return cmocka_run_group_tests_name("encode_shard", tests, small_setup, small_teardown);
}
