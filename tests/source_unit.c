/* SPDX-License-Identifier: Apache-2.0
 * Tests of generator/source and its two kinds: folders and archives, and the simulation. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "generator/metadata.h"
#include "generator/source.h"
#include "generator/source_search.h"
#include "generator/synthetic.h"
#include "tests/scarce.h"
#include "tests/scratch.h"
#include "tests/zips.h"

enum { N_FILES = 4, LIMIT_AND_ONE = SOURCE_MAX_BYTES + 1 };

/* N-MNIST's recordings in the order of their names, and published samples in that of their
 * numbers; what is in each file is its name. */
static const char *const recordings[] = {"Train/0/00002.bin", "Train/0/00010.bin",
                                         "Train/7/00001.bin", "Test/3/00001.bin"};
static const char *const samples[] = {"Train/0_5.bin", "Train/1_3-4.bin", "Train/2_9-0.bin",
                                      "Test/0_1-2.bin"};

static void write_files(const char *folder, const char *const *names)
{
    for (int i = 0; i < N_FILES; i++) {
        char name[256];
        snprintf(name, sizeof name, "%s/%s", folder, names[i]);
        scratch_write(name, names[i], strlen(names[i]));
    }
}

/* An archive of the names that begin with `begin`, the last one first, in the folder `above`. */
static void write_zip(const char *path, const char *begin, const char *above,
                      const char *const *names, const char *mark)
{
    struct zip_member members[N_FILES + 1];
    char paths[N_FILES][256];
    size_t n = 0;
    for (int i = N_FILES; i-- > 0;)
        if (strncmp(names[i], begin, strlen(begin)) == 0) {
            snprintf(paths[n], sizeof paths[n], "%s%s", above, names[i]);
            members[n] = (struct zip_member){paths[n], names[i], strlen(names[i]), NULL};
            n++;
        }
    if (mark)
        members[n++] = (struct zip_member){mark, "", 0, NULL};
    zip_write(scratch_path(path), members, n, "deflate");
}

static struct source *source_at(const char *name)
{
    struct source *source;
    struct error why = {""};
    scratch_make_folder("spool");
    if (source_open_files(scratch_path(name), scratch_path("spool"), &source, &why) < 0)
        fail_msg("%s", why.text);
    return source;
}

static void expect_files(struct source *source, enum part part, const char *const *names, size_t n)
{
    struct buffer buffer = {0};
    assert_int_equal(source_count(source, part), n);
    for (size_t i = n; i-- > 0;) {
        const struct listing_file *file = source_file(source, part, i);
        assert_string_equal(file->name, names[i]);
        assert_int_equal(source_read(source, NULL, part, file, &buffer, NULL), 0);
        assert_int_equal(buffer.size, strlen(names[i]));
        assert_memory_equal(buffer.bytes, names[i], buffer.size);
    }
    buffer_free(&buffer);
}

static void expect_all(const char *name, const char *const *names, const char *origin)
{
    struct source *source = source_at(name);
    assert_string_equal(source_origin(source), origin);
    assert_int_equal(source_content(source),
                     names == samples ? CONTENT_SAMPLES : CONTENT_RECORDINGS);
    expect_files(source, PART_TRAIN, names, 3);
    expect_files(source, PART_TEST, names + 3, 1);
    assert_string_equal(scratch_list("spool"), "");
    source_close(source);
}

static void recordings_are_read_from_folders(void **state)
{
    (void)state;
    write_files("a", recordings);
    scratch_write("a/Train/0/.hidden.bin", "", 0);
    scratch_write("a/Train/0/deeper/00003.bin", "", 0);
    scratch_write("a/Train/readme.txt", "", 0);
    expect_all("a", recordings, ORIGIN_RECORDED);
}

static void recordings_are_read_from_archives(void **state)
{
    (void)state;
    scratch_make_folder("a");
    write_zip("a/Train.zip", "Train", "", recordings, NULL);
    write_zip("a/Test.zip", "Test", "nested/", recordings, NULL);
    expect_all("a", recordings, ORIGIN_RECORDED);
    write_zip("both.zip", "T", "", recordings, NULL);
    expect_all("both.zip", recordings, ORIGIN_RECORDED);
}

static void one_part_is_enough(void **state)
{
    (void)state;
    write_files("a", recordings);
    static const char *const names[] = {"a/Test", "b"};
    scratch_make_folder("b");
    write_zip("b/Test.zip", "Test", "", recordings, NULL);
    for (size_t i = 0; i < 2; i++) {
        struct source *source = source_at(names[i]);
        assert_int_equal(source_count(source, PART_TRAIN), 0);
        expect_files(source, PART_TEST, recordings + 3, 1);
        source_close(source);
    }
}

static void published_samples_are_found_wherever_the_archive_was_unpacked(void **state)
{
    (void)state;
    static const char *const places[] = {"a", "b/data", "c/2nmnist/data", "d/2nmnist"};
    static const char *const names[] = {"a", "b", "c", "d"};
    for (size_t i = 0; i < 4; i++) {
        write_files(places[i], samples);
        expect_all(names[i], samples, ORIGIN_PUBLISHED);
    }
    scratch_make_folder("e");
    write_zip("e/2nmnist.zip", "T", "2nmnist/data/", samples, NULL);
    expect_all("e", samples, ORIGIN_PUBLISHED);
    expect_all("e/2nmnist.zip", samples, ORIGIN_PUBLISHED);
}

static void samples_that_were_simulated_say_so(void **state)
{
    (void)state;
    write_files("a", samples);
    scratch_write("a/" SOURCE_SYNTHETIC_MARK, "", 0);
    expect_all("a", samples, ORIGIN_SYNTHETIC);
    write_zip("a.zip", "T", "data/", samples, "data/" SOURCE_SYNTHETIC_MARK);
    expect_all("a.zip", samples, ORIGIN_SYNTHETIC);
}

static void expect_refused(const char *name, int code, const char *words)
{
    struct error why = {""};
    struct source *source = NULL;
    scratch_make_folder("spool");
    assert_int_equal(source_open_files(scratch_path(name), scratch_path("spool"), &source, &why),
                     code);
    if (!strstr(why.text, words))
        fail_msg("\"%s\" does not say \"%s\"", why.text, words);
    assert_null(source);
    assert_string_equal(scratch_list("spool"), "");
}

static void place_without_data_is_named(void **state)
{
    (void)state;
    expect_refused("nothing", -ENOENT, scratch_path("nothing"));
    scratch_make_folder("empty");
    expect_refused("empty", -EBADMSG, "no data here");
    scratch_make_folder("half/Train");
    expect_refused("half", -EBADMSG, "there is nothing in Train");
    write_files("one", recordings);
    scratch_make_folder("one/Test");
    assert_int_equal(unlink(scratch_path("one/Test/3/00001.bin")), 0);
    expect_refused("one", -EBADMSG, "there is nothing in Test");
    write_zip("none.zip", "-", "", recordings, "readme.txt");
    expect_refused("none.zip", -EBADMSG, "no recordings");
    scratch_write("text", "no archive", 10);
    expect_refused("text", -EBADMSG, "text: no zip archive");
}

static void names_that_say_nothing_are_refused(void **state)
{
    (void)state;
    scratch_write("a/Train/x/00001.bin", "", 0);
    expect_refused("a", -EBADMSG, "Train/x/00001.bin");
    write_files("b", samples);
    assert_int_equal(unlink(scratch_path("b/Train/1_3-4.bin")), 0);
    expect_refused("b", -EBADMSG, "sample 1 is missing");
    write_files("c", recordings);
    scratch_write("c/Train/0_1.bin", "", 0);
    expect_refused("c", -EBADMSG, "side by side");
    const struct zip_member twice[] = {{"Train/1/1.bin", "a", 1, NULL},
                                       {"Train/1/1.bin", "b", 1, NULL}};
    zip_write(scratch_path("twice.zip"), twice, 2, "store");
    expect_refused("twice.zip", -EBADMSG, "it comes twice");
}

static void spool_folder_that_cannot_be_written_is_named(void **state)
{
    (void)state;
    write_zip("a.zip", "T", "", recordings, NULL);
    struct error why = {""};
    struct source *source;
    assert_int_equal(
        source_open_files(scratch_path("a.zip"), scratch_path("nothing"), &source, &why), -ENOENT);
    assert_non_null(strstr(why.text, scratch_path("nothing")));
}

static void file_that_went_or_grew_too_long_is_named(void **state)
{
    (void)state;
    write_files("a", recordings);
    struct source *source = source_at("a");
    struct buffer buffer = {0};
    struct error why = {""};
    assert_int_equal(unlink(scratch_path("a/Train/0/00002.bin")), 0);
    assert_int_equal(
        source_read(source, NULL, PART_TRAIN, source_file(source, PART_TRAIN, 0), &buffer, &why),
        -ENOENT);
    assert_memory_equal(why.text, "Train/0/00002.bin: ", 19);
    assert_int_equal(truncate(scratch_path("a/Train/0/00010.bin"), LIMIT_AND_ONE), 0);
    assert_int_equal(
        source_read(source, NULL, PART_TRAIN, source_file(source, PART_TRAIN, 1), &buffer, &why),
        -EFBIG);
    assert_memory_equal(why.text, "Train/0/00010.bin: 16777217 bytes", 33);
    assert_int_equal(truncate(scratch_path("a/Train/0/00010.bin"), SOURCE_MAX_BYTES), 0);
    assert_int_equal(
        source_read(source, NULL, PART_TRAIN, source_file(source, PART_TRAIN, 1), &buffer, &why),
        0);
    assert_int_equal(buffer.size, SOURCE_MAX_BYTES);
    buffer_free(&buffer);
    source_close(source);
}

static void file_too_long_in_an_archive_is_named(void **state)
{
    (void)state;
    void *zeros = calloc(1, LIMIT_AND_ONE);
    assert_non_null(zeros);
    const struct zip_member member = {"Train/1/1.bin", zeros, LIMIT_AND_ONE, NULL};
    zip_write(scratch_path("a.zip"), &member, 1, "deflate");
    free(zeros);
    expect_refused("a.zip", -EFBIG, "Train/1/1.bin: ");
}

static void names_in_lower_case_are_found(void **state)
{
    (void)state;
    static const char *const lower[] = {"train/0/00002.bin", "train/0/00010.bin",
                                        "train/7/00001.bin", "test/3/00001.bin"};
    write_files("a", lower);
    expect_all("a", lower, ORIGIN_RECORDED);
    scratch_make_folder("b"); /* as Tonic keeps them */
    write_zip("b/train.zip", "Train", "", recordings, NULL);
    write_zip("b/test.zip", "Test", "", recordings, NULL);
    expect_all("b", recordings, ORIGIN_RECORDED);
    scratch_make_folder("c");
    write_zip("c/train.zip", "train", "", lower, NULL);
    write_zip("c/Test.zip", "test", "", lower, NULL);
    expect_all("c", lower, ORIGIN_RECORDED);
    struct source *source = source_at("a/train");
    expect_files(source, PART_TRAIN, lower, 3);
    assert_int_equal(source_count(source, PART_TEST), 0);
    source_close(source);
}

static void two_spellings_side_by_side_are_refused_and_both_named(void **state)
{
    (void)state;
    char both[600];
    scratch_make_folder("a");
    write_zip("a/Train.zip", "Train", "", recordings, NULL);
    write_zip("a/train.zip", "Train", "", recordings, NULL);
    snprintf(both, sizeof both, "%s and %s", scratch_path("a/Train.zip"),
             scratch_path("a/train.zip"));
    expect_refused("a", -EEXIST, both);
    write_files("b", recordings);
    scratch_make_folder("b/test");
    snprintf(both, sizeof both, "%s and %s", scratch_path("b/Test"), scratch_path("b/test"));
    expect_refused("b", -EEXIST, both);

    assert_int_equal(unlink(scratch_path("a/train.zip")), 0); /* one file under both names */
    assert_int_equal(symlink("Train.zip", scratch_path("a/train.zip")), 0);
    struct source *source = source_at("a");
    expect_files(source, PART_TRAIN, recordings, 3);
    source_close(source);
}

static void source_of_too_many_files_or_bytes_is_refused(void **state)
{
    (void)state;
    write_files("a", recordings);
    write_zip("a.zip", "T", "", recordings, NULL);
    scratch_make_folder("spool");
    static const struct {
        uint64_t n_files, n_bytes;
        int code;
        const char *words;
    } rows[] = {
        {SEARCH_MAX_FILES - N_FILES, 0, 0, ""},
        {SEARCH_MAX_FILES - N_FILES + 1, 0, -EFBIG, "the limit of 1000000 files"},
        {0, SEARCH_MAX_BYTES - 4 * 17 + 1, 0, ""},
        {0, SEARCH_MAX_BYTES - 4 * 17 + 2, -EFBIG, "the limit of 16000000000 bytes"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (int folder = 0; folder < (rows[i].n_files ? 2 : 1); folder++) {
            struct search search = {.spool_folder = scratch_path("spool"),
                                    .n_files = rows[i].n_files,
                                    .n_bytes = rows[i].n_bytes};
            struct error why = {""};
            assert_int_equal(search_run(&search, scratch_path(folder ? "a" : "a.zip"), &why),
                             rows[i].code);
            assert_non_null(strstr(why.text, rows[i].words));
            search_free(&search);
        }
}

static void simulation_has_as_many_recordings_as_it_is_asked_for(void **state)
{
    (void)state;
    const uint64_t counts[N_PARTS] = {[PART_TRAIN] = 123, [PART_TEST] = 17};
    struct source *source;
    assert_int_equal(source_open_synthetic(counts, 5, &source, NULL), 0);
    assert_string_equal(source_origin(source), ORIGIN_SYNTHETIC);
    assert_int_equal(source_content(source), CONTENT_RECORDINGS);
    for (enum part part = 0; part < N_PARTS; part++) {
        uint64_t shown[N_DIGITS] = {0}, wanted[N_DIGITS];
        assert_int_equal(source_count(source, part), counts[part]);
        for (size_t i = 0; i < counts[part]; i++) {
            const struct listing_file *file = source_file(source, part, i);
            assert_int_equal(file->number, i + 1);
            shown[file->digits[0]]++;
        }
        synthetic_class_counts(part == PART_TEST, counts[part], wanted);
        assert_memory_equal(shown, wanted, sizeof wanted);
    }
    source_close(source);
}

static void simulated_recording_is_that_of_its_seed_part_number_and_digit(void **state)
{
    (void)state;
    static uint8_t wanted[SYNTHETIC_MAX_EVENTS * EVENT_BYTES];
    const uint64_t counts[N_PARTS] = {20, 20};
    struct source *source;
    struct synthesizer *synthesizer;
    struct buffer buffer = {0};
    void *worker;
    assert_int_equal(source_open_synthetic(counts, UINT64_MAX, &source, NULL), 0);
    assert_int_equal(source_worker_new(source, &worker), 0);
    assert_int_equal(synthesizer_new(&synthesizer), 0);
    for (enum part part = 0; part < N_PARTS; part++) {
        const struct listing_file *file = source_file(source, part, 19);
        size_t n = synthesizer_record(synthesizer, UINT64_MAX, part == PART_TEST, 20,
                                      file->digits[0], wanted);
        assert_int_equal(source_read(source, worker, part, file, &buffer, NULL), 0);
        assert_int_equal(buffer.size, n * EVENT_BYTES);
        assert_memory_equal(buffer.bytes, wanted, buffer.size);
    }
    buffer_free(&buffer);
    synthesizer_free(synthesizer);
    source_worker_free(source, worker);
    source_close(source);
}

/* A kind that counts how often its state was closed, once, whatever happens. */
static void count_close(void *user)
{
    ++*(int *)user;
}

static const struct source_kind counting = {.origin = "counted", .close = count_close};

static void source_owns_its_state_from_the_start(void **state)
{
    (void)state;
    struct listing good = {0}, bad = {0};
    struct listing_file *file;
    struct source *source = NULL;
    struct error why = {""};
    int n_closed = 0;
    void *worker = &n_closed;
    assert_int_equal(listing_add(&good, "Train/1/1.bin", &file, NULL), 0);
    assert_int_equal(source_new(&counting, &n_closed, &good, &source, NULL), 0);
    assert_int_equal(source_worker_new(source, &worker), 0);
    assert_null(worker); /* this kind needs none */
    source_worker_free(source, worker);
    assert_int_equal(n_closed, 0);
    source_close(source);
    assert_int_equal(n_closed, 1);
    source_close(NULL);

    source = NULL;
    assert_int_equal(listing_add(&bad, "Train/1_1.bin", &file, NULL), 0);
    assert_int_equal(source_new(&counting, &n_closed, &bad, &source, &why), -EBADMSG);
    assert_int_equal(n_closed, 2);
    assert_null(source);
}

static int open_scarcely(void *user, struct error *why)
{
    struct source *source;
    int r = source_open_files(scratch_path(user), scratch_folder(), &source, why);
    if (r < 0)
        return r;
    struct buffer buffer = {0};
    r = source_read(source, NULL, PART_TRAIN, source_file(source, PART_TRAIN, 0), &buffer, why);
    buffer_free(&buffer);
    source_close(source);
    return r;
}

static int simulate_scarcely(void *user, struct error *why)
{
    const uint64_t counts[N_PARTS] = {3, 2};
    struct source *source;
    void *worker;
    (void)user;
    int r = source_open_synthetic(counts, 1, &source, why);
    if (r < 0)
        return r;
    struct buffer buffer = {0};
    r = source_worker_new(source, &worker);
    if (r == 0)
        r = source_read(source, worker, PART_TEST, source_file(source, PART_TEST, 0), &buffer, why);
    source_worker_free(source, worker);
    buffer_free(&buffer);
    source_close(source);
    return r;
}

static void source_without_memory_says_so(void **state)
{
    (void)state;
    write_files("a", recordings);
    scratch_make_folder("b");
    write_zip("b/Train.zip", "Train", "", recordings, NULL);
    write_zip("d.zip", "T", "", samples, NULL);
    static char *const names[] = {"a", "a/Train", "b", "d.zip"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_true(scarce_try(open_scarcely, names[i]) > 5);
    assert_true(scarce_try(simulate_scarcely, NULL) > 5);
}

int main(void)
{
#define UNIT(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)
    const struct CMUnitTest tests[] = {
        UNIT(recordings_are_read_from_folders),
        UNIT(recordings_are_read_from_archives),
        UNIT(one_part_is_enough),
        UNIT(published_samples_are_found_wherever_the_archive_was_unpacked),
        UNIT(samples_that_were_simulated_say_so),
        UNIT(place_without_data_is_named),
        UNIT(names_that_say_nothing_are_refused),
        UNIT(spool_folder_that_cannot_be_written_is_named),
        UNIT(file_that_went_or_grew_too_long_is_named),
        UNIT(file_too_long_in_an_archive_is_named),
        UNIT(names_in_lower_case_are_found),
        UNIT(two_spellings_side_by_side_are_refused_and_both_named),
        UNIT(source_of_too_many_files_or_bytes_is_refused),
        cmocka_unit_test(simulation_has_as_many_recordings_as_it_is_asked_for),
        cmocka_unit_test(simulated_recording_is_that_of_its_seed_part_number_and_digit),
        cmocka_unit_test(source_owns_its_state_from_the_start),
        UNIT(source_without_memory_says_so),
    };
    return cmocka_run_group_tests_name("source", tests, NULL, NULL);
}
