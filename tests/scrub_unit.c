/* SPDX-License-Identifier: Apache-2.0
 * Tests of server/samples/scrub, and of what a holding vouches for before it is scrubbed. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/split_writer.h"
#include "server/samples/scrub.h"
#include "tests/split_files.h"

static char path[SPLIT_PATH];

static struct holding *open_holding(void)
{
    struct holding *holding;
    struct error why;
    if (holding_open(path, &holding, &why) < 0)
        fail_msg("%s", why.text);
    return holding;
}

/* Flip a bit of the byte so far behind the start of the events. */
static void flip(const char *file, uint64_t in_events)
{
    struct split *split;
    uint8_t byte;
    assert_int_equal(split_open(file, &split, NULL), 0);
    off_t at = (off_t)(split_events_start(split) + in_events);
    split_close(split);
    int fd = open(file, O_RDWR);
    assert_int_equal(pread(fd, &byte, 1, at), 1);
    byte ^= 8;
    assert_int_equal(pwrite(fd, &byte, 1, at), 1);
    close(fd);
}

static bool count(void *user, uint64_t done)
{
    unsigned *n = user;
    assert_int_equal(done, (uint64_t)*n << 20);
    ++*n;
    return true;
}

static int scrub(struct holding *holding, struct error *why)
{
    unsigned n = 0;
    return scrub_run(holding, count, &n, why);
}

static void sound_split_is_verified(void **state)
{
    (void)state;
    struct error why;
    put_split(in_folder("a", path), &SOURCE_SPLIT, 7, -1);
    struct holding *holding = open_holding();
    assert_false(holding->verified);
    assert_int_equal(scrub(holding, &why), 0);
    assert_true(holding->verified);
    assert_false(holding->damaged);
    assert_int_equal(holding->scrubbed_bytes,
                     split_size(holding->split) - split_data_start(holding->split));
    assert_true(holding->scrubbed_s > 0);
    holding_unref(holding);
}

/* KB of the split's map that this process need not wait for. */
static unsigned long mapped_kb(void)
{
    char line[512];
    unsigned long kb = 0;
    bool is_it = false;
    FILE *maps = fopen("/proc/self/smaps", "r");
    assert_non_null(maps);
    while (fgets(line, sizeof line, maps)) {
        if (strchr(line, '-') && strstr(line, path))
            is_it = true;
        if (is_it && sscanf(line, "Rss: %lu kB", &kb) == 1)
            break;
    }
    fclose(maps);
    assert_true(is_it);
    return kb;
}

static void sound_split_is_mapped_to_its_end(void **state)
{
    (void)state;
    struct error why;
    put_split(in_folder("a", path), &SOURCE_SPLIT, 7, -1);
    struct holding *holding = open_holding();
    assert_int_equal(mapped_kb(), 0);
    assert_int_equal(scrub(holding, &why), 0);
    assert_true(mapped_kb() * 1024 >= split_size(holding->split));
    holding_unref(holding);
}

static void the_digest_of_the_whole_file_is_known_from_then_on(void **state)
{
    (void)state;
    struct error why;
    char digest[SHA256_HEX + 1];
    put_split(in_folder("a", path), &SOURCE_SPLIT, 7, -1);
    struct holding *holding = open_holding();
    sha256_hex_of(split_bytes(holding->split), split_size(holding->split), digest);
    assert_string_equal(holding->file_sha256, "");
    for (unsigned times = 0; times < 2; times++) {
        assert_int_equal(scrub(holding, &why), 0);
        assert_string_equal(holding->file_sha256, digest);
    }
    holding_unref(holding);
}

static void every_byte_that_was_flipped_is_found_with_its_sample(void **state)
{
    (void)state;
    put_split(in_folder("a", path), &SOURCE_SPLIT, 7, -1);
    uint64_t at = 0;
    for (uint64_t i = 0; i < SPLIT_SAMPLES; i++) /* of i + 1 events each */
        for (uint64_t k = 0; k < (i + 1) * EVENT_BYTES; k++, at++) {
            char words[32];
            struct error why;
            put_split(path, &SOURCE_SPLIT, 7, -1);
            flip(path, at);
            struct holding *holding = open_holding();
            assert_int_equal(scrub(holding, &why), -EBADMSG);
            snprintf(words, sizeof words, "sample %u is damaged", (unsigned)i);
            assert_non_null(strstr(why.text, words));
            assert_int_equal(holding->bad_sample, i);
            assert_true(holding->damaged);
            assert_false(holding->verified);
            holding_unref(holding);
        }
    assert_int_equal(at, SPLIT_EVENTS * EVENT_BYTES);
}

static void split_is_held_against_its_own_sha256(void **state)
{
    (void)state;
    static char bytes[1 << 14];
    struct error why;
    put_split(in_folder("a", path), &SOURCE_SPLIT, 7, -1);
    FILE *file = fopen(path, "r");
    size_t size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    char *digit = memmem(bytes, size, "\"data_sha256\":\"", 15);
    assert_non_null(digit);
    digit[15] = digit[15] == '0' ? '1' : '0';
    put_file(path, bytes, size);
    struct holding *holding = open_holding();
    assert_int_equal(scrub(holding, &why), -EBADMSG);
    assert_non_null(strstr(why.text, "its data has SHA-256 "));
    assert_int_equal(holding->bad_sample, HOLDING_NO_SAMPLE);
    assert_true(holding->damaged);
    holding_unref(holding);
}

/* Samples that lie across the pieces in which a file is read, and empty ones. */
static void put_large_split(void)
{
    enum { N = 9, MOST = 100000 };
    static uint8_t events[MOST * EVENT_BYTES];
    static const size_t n_events[N] = {0, MOST, 1, MOST, 0, 70000, MOST, 99999, 0};
    const struct meta meta[] = {
        {"kind", SPLIT_KIND_SOURCE}, {"sensor", SENSOR_NMNIST}, {"time_unit", SPLIT_TIME_UNIT}};
    struct split_writer *writer;
    for (size_t k = 0; k < sizeof events; k++)
        events[k] = (uint8_t)(k * 7 % 251);
    assert_int_equal(split_writer_create(in_folder("a", path), N, &writer, NULL), 0);
    for (size_t i = 0; i < N; i++)
        assert_int_equal(split_writer_add(writer, (struct event_span){events, n_events[i]},
                                          (const uint8_t[N_DIGITS]){1}, (const int32_t[]){0, -1},
                                          NULL),
                         0);
    assert_int_equal(split_writer_finish(writer, meta, 3, NULL), 0);
}

static void samples_may_lie_across_pieces(void **state)
{
    (void)state;
    struct error why;
    put_large_split();
    struct holding *holding = open_holding();
    unsigned n_pieces = 0;
    assert_int_equal(scrub_run(holding, count, &n_pieces, &why), 0);
    assert_int_equal(n_pieces, 3);
    holding_unref(holding);
    flip(path, (3 * 100000 + 70001 - 1) * EVENT_BYTES); /* the last event of sample 6 */
    holding = open_holding();
    assert_int_equal(scrub(holding, &why), -EBADMSG);
    assert_int_equal(holding->bad_sample, 6);
    holding_unref(holding);
}

static bool say_no(void *user, uint64_t done)
{
    (void)user;
    return done < 2 << 20;
}

static void scrub_that_is_stopped_says_nothing_of_the_split(void **state)
{
    (void)state;
    struct error why;
    put_large_split();
    struct holding *holding = open_holding();
    assert_int_equal(scrub_run(holding, say_no, NULL, &why), -ECANCELED);
    assert_false(holding->verified);
    assert_false(holding->damaged);
    assert_int_equal(holding->scrubbed_bytes, 2 << 20);
    assert_int_equal(holding->scrubbed_s, 0);
    holding_unref(holding);
}

static bool cut_short(void *user, uint64_t done)
{
    (void)user;
    if (done == 1 << 20)
        assert_int_equal(truncate(path, (1 << 20) + 5000), 0);
    return true;
}

static bool write_over(void *user, uint64_t done)
{
    (void)user;
    if (done == 1 << 20)
        flip(path, 2000000);
    return true;
}

static bool touch(void *user, uint64_t done)
{
    (void)user;
    if (done == 1 << 20)
        assert_int_equal(utimensat(AT_FDCWD, path, NULL, 0), 0);
    return true;
}

static void file_that_changes_meanwhile_is_damaged_and_no_sample_blamed(void **state)
{
    (void)state;
    static scrub_go_on *const changes[] = {cut_short, write_over, touch};
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        struct error why;
        put_large_split();
        struct holding *holding = open_holding();
        assert_int_equal(scrub_run(holding, changes[i], NULL, &why), -EBADMSG);
        assert_non_null(strstr(why.text, "written to or cut short"));
        assert_true(holding->damaged);
        assert_false(holding->verified);
        assert_int_equal(holding->bad_sample, HOLDING_NO_SAMPLE);
        holding_unref(holding);
    }
}

static void holding_vouches_for_samples_until_all_are_verified(void **state)
{
    (void)state;
    struct error why;
    put_split(in_folder("a", path), &SOURCE_SPLIT, 7, -1);
    flip(path, 12); /* sample 1 has bytes 5 to 14 */
    struct holding *holding = open_holding();
    assert_int_equal(holding_vouch(holding, 0, &why), 0);
    assert_int_equal(holding_vouch(holding, 2, &why), 0);
    assert_false(holding->damaged);
    assert_int_equal(holding_vouch(holding, 1, &why), -EBADMSG);
    assert_non_null(strstr(why.text, "sample 1 is damaged: its CRC-32C is "));
    assert_true(holding->damaged);
    assert_int_equal(holding->bad_sample, 1);
    holding->verified = true; /* it is not: but then nothing is read */
    assert_int_equal(holding_vouch(holding, 1, &why), 0);
    holding_unref(holding);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sound_split_is_verified),
        cmocka_unit_test(sound_split_is_mapped_to_its_end),
        cmocka_unit_test(the_digest_of_the_whole_file_is_known_from_then_on),
        cmocka_unit_test(every_byte_that_was_flipped_is_found_with_its_sample),
        cmocka_unit_test(split_is_held_against_its_own_sha256),
        cmocka_unit_test(samples_may_lie_across_pieces),
        cmocka_unit_test(scrub_that_is_stopped_says_nothing_of_the_split),
        cmocka_unit_test(file_that_changes_meanwhile_is_damaged_and_no_sample_blamed),
        cmocka_unit_test(holding_vouches_for_samples_until_all_are_verified),
    };
    return cmocka_run_group_tests_name("scrub", tests, folder_setup, folder_teardown);
}
