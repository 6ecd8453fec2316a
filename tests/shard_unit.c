/* SPDX-License-Identifier: Apache-2.0
 * Tests of common/ustar and common/shard: what stands around samples in a tar archive. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/shard.h"

static const char revision[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

static const struct shard_rule mixed = {.split = "train", .revision = revision, .ending = "bin"},
                               source = {.split = "nmnist-train",
                                         .revision = revision,
                                         .ending = "frames.npy",
                                         .has_class = true};

static unsigned long octal(const uint8_t *at)
{
    return strtoul((const char *)at, NULL, 8);
}

/* The header's own sum, with blanks for itself. */
static void check_sum(const uint8_t *header)
{
    unsigned long sum = 0;
    for (unsigned i = 0; i < USTAR_BLOCK; i++)
        sum += i >= 148 && i < 156 ? ' ' : header[i];
    assert_int_equal(octal(header + 148), sum);
    assert_memory_equal(header + 154, "\0 ", 2);
}

static void header_says_name_and_size_and_nothing_of_this_machine(void **state)
{
    (void)state;
    uint8_t header[USTAR_BLOCK];
    memset(header, '#', sizeof header);
    assert_int_equal(ustar_header("a/b.bin", 0123456, header), 0);
    assert_string_equal((char *)header, "a/b.bin");
    static const struct {
        unsigned at;
        const char *text;
    } fields[] = {
        {100, "0000444"}, {108, "0000000"},     {116, "0000000"}, {124, "00000123456"},
        {257, "ustar"},   {265, "root"},        {297, "root"},    {329, "0000000"},
        {337, "0000000"}, {136, "00000000000"}, {345, ""},
    };
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        assert_string_equal((char *)header + fields[i].at, fields[i].text);
    assert_int_equal(header[156], '0');
    assert_memory_equal(header + 263, "00", 2);
    check_sum(header);
}

static void what_no_header_can_say_is_refused(void **state)
{
    (void)state;
    uint8_t header[USTAR_BLOCK];
    char name[USTAR_NAME_MAX + 2] = "";
    memset(name, 'n', USTAR_NAME_MAX);
    assert_int_equal(ustar_header(name, USTAR_SIZE_MAX, header), 0);
    assert_memory_equal(header, name, USTAR_NAME_MAX);
    assert_string_equal((char *)header + 124, "77777777777");
    check_sum(header);
    assert_int_equal(ustar_header(name, USTAR_SIZE_MAX + 1, header), -EFBIG);
    name[USTAR_NAME_MAX] = 'n';
    assert_int_equal(ustar_header(name, 0, header), -ENAMETOOLONG);
    assert_int_equal(shard_before(&mixed, 0, USTAR_SIZE_MAX + 1, header), -EFBIG);
}

static void members_end_at_blocks(void **state)
{
    (void)state;
    assert_int_equal(ustar_padding(0), 0);
    assert_int_equal(ustar_padding(1), 511);
    assert_int_equal(ustar_padding(511), 1);
    assert_int_equal(ustar_padding(512), 0);
    assert_int_equal(ustar_padding(USTAR_SIZE_MAX), 1);
}

static void check_member(const uint8_t *at, const char *name, const char *text)
{
    static const uint8_t zeros[USTAR_BLOCK];
    size_t n = strlen(text);
    assert_string_equal((char *)at, name);
    assert_int_equal(octal(at + 124), n);
    check_sum(at);
    assert_memory_equal(at + USTAR_BLOCK, text, n);
    assert_memory_equal(at + USTAR_BLOCK + n, zeros, ustar_padding(n));
}

static void sample_stands_between_its_header_and_what_is_known_of_it(void **state)
{
    (void)state;
    uint8_t before[SHARD_BEFORE], after[SHARD_AFTER_MAX];
    const uint8_t labels[N_DIGITS] = {[3] = 1, [8] = 1}, digit[N_DIGITS] = {[7] = 1};
    assert_int_equal(shard_before(&mixed, 12, 1000, before), SHARD_BEFORE);
    assert_string_equal((char *)before, "train-00000012.bin");
    assert_int_equal(octal(before + 124), 1000);
    size_t n = shard_after(&mixed, 12, 1000, labels, (int32_t[]){17, 4711}, after);
    assert_int_equal(n, 24 + 2 * USTAR_BLOCK);
    check_member(after + 24, "train-00000012.json",
                 "{\"split\":\"train\",\"revision\":\"0123456789abcdef0123456789abcdef0123456789ab"
                 "cdef0123456789abcdef\",\"index\":12,\"labels\":[3,8],\"sources\":[17,4711]}\n");

    assert_int_equal(shard_before(&source, 5, 512, before), SHARD_BEFORE);
    assert_string_equal((char *)before, "nmnist-train-00000005.frames.npy");
    n = shard_after(&source, 5, 512, digit, (int32_t[]){9, -1}, after);
    assert_int_equal(n, 4 * USTAR_BLOCK);
    check_member(after, "nmnist-train-00000005.cls", "7");
    check_member(after + 2 * USTAR_BLOCK, "nmnist-train-00000005.json",
                 "{\"split\":\"nmnist-train\",\"revision\":\"0123456789abcdef0123456789abcdef012345"
                 "6789abcdef0123456789abcdef\",\"index\":5,\"labels\":[7],\"sources\":[9]}\n");
}

static void longest_names_and_numbers_have_room(void **state)
{
    (void)state;
    char name[64] = "";
    memset(name, 'n', 63);
    uint8_t before[SHARD_BEFORE], after[SHARD_AFTER_MAX], labels[N_DIGITS];
    memset(labels, 1, sizeof labels);
    struct shard_rule rule = {
        .split = name, .revision = revision, .ending = "frames.npy", .has_class = true};
    assert_int_equal(shard_before(&rule, INT32_MAX, 1, before), SHARD_BEFORE);
    size_t n = shard_after(&rule, INT32_MAX, 1, labels, (int32_t[]){INT32_MAX, INT32_MAX}, after);
    assert_int_equal(n, 511 + 2 * USTAR_BLOCK); /* no class: there is more than one digit */
    n = shard_after(&rule, INT32_MAX, 1, (uint8_t[N_DIGITS]){1}, (int32_t[]){-1, -1}, after);
    assert_int_equal(n, 511 + 4 * USTAR_BLOCK);
    assert_non_null(strstr((char *)after + 511 + 3 * USTAR_BLOCK, ",\"sources\":[]}"));
    char shard[SHARD_NAME_SIZE];
    shard_name(name, INT32_MAX, shard);
    assert_int_equal(strlen(shard), strlen("2nmnist--") + 63 + 10);
    shard_name("train", 7, shard);
    assert_string_equal(shard, "2nmnist-train-000007");
}

static void shards_hold_all_samples_once(void **state)
{
    (void)state;
    static const struct {
        uint64_t n, per, shards, last;
    } rows[] = {{1, 1000, 1, 1},
                {1000, 1000, 1, 1000},
                {1001, 1000, 2, 1},
                {7, 1, 7, 1},
                {INT32_MAX, INT32_MAX, 1, INT32_MAX}};
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        uint64_t at = 0;
        assert_int_equal(shard_count(rows[r].n, rows[r].per), rows[r].shards);
        for (uint64_t i = 0; i < rows[r].shards; i++) {
            struct shard_range range = shard_range(i, rows[r].n, rows[r].per);
            assert_int_equal(range.first, at);
            assert_int_equal(range.n, i + 1 < rows[r].shards ? rows[r].per : rows[r].last);
            at += range.n;
        }
        assert_int_equal(at, rows[r].n);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(header_says_name_and_size_and_nothing_of_this_machine),
        cmocka_unit_test(what_no_header_can_say_is_refused),
        cmocka_unit_test(members_end_at_blocks),
        cmocka_unit_test(sample_stands_between_its_header_and_what_is_known_of_it),
        cmocka_unit_test(longest_names_and_numbers_have_room),
        cmocka_unit_test(shards_hold_all_samples_once),
    };
    return cmocka_run_group_tests_name("shard", tests, NULL, NULL);
}
