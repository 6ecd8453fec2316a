/* SPDX-License-Identifier: Apache-2.0
 * Tests of server/samples/catalog: what is served, taken over, passed over, and noticed. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/samples/catalog.h"
#include "server/samples/guard.h"
#include "tests/split_files.h"

static const char *file_of(const char *name, char ret[SPLIT_PATH])
{
    char file[64];
    snprintf(file, sizeof file, "%s.safetensors", name);
    return in_folder(file, ret);
}

static void put_source(const char *name, uint8_t seed)
{
    char path[SPLIT_PATH];
    put_split(file_of(name, path), &SOURCE_SPLIT, seed, -1);
}

/* A split that says it was mixed from the split `source`. */
static void put_mixed(const char *name, const char *source, uint8_t seed, int32_t second)
{
    char path[SPLIT_PATH], sha256[SHA256_HEX + 1];
    struct meta_changes changes = MIXED_SPLIT;
    revision_of(file_of(source, path), sha256);
    changes.source_sha256 = sha256;
    put_split(file_of(name, path), &changes, seed, second);
}

static void put_nonsense(const char *name)
{
    char path[SPLIT_PATH];
    put_file(file_of(name, path), "nonsense nonsense", 17);
}

static struct catalog *open_catalog(const struct catalog *old)
{
    struct catalog *catalog;
    struct error why;
    if (catalog_open(folder_path(), old, &catalog, &why) < 0)
        fail_msg("%s", why.text);
    return catalog;
}

static struct entry *entry_of(const struct catalog *catalog, const char *name)
{
    return catalog_find(catalog, name, strlen(name));
}

static const struct found *found_of(const struct catalog *catalog, const char *name)
{
    for (size_t i = 0; i < catalog->n_found; i++)
        if (strcmp(catalog->found[i].name, name) == 0)
            return &catalog->found[i];
    return NULL;
}

static void catalog_serves_splits_by_name_with_their_sources(void **state)
{
    (void)state;
    char path[SPLIT_PATH], sha256[SHA256_HEX + 1];
    put_source("nmnist", 1);
    put_mixed("b", "nmnist", 2, 5);
    put_mixed("a", "b", 3, 5); /* its source is none */
    struct catalog *catalog = open_catalog(NULL);
    assert_int_equal(catalog->n_entries, 3);
    assert_string_equal(catalog->entries[0]->name, "a");
    assert_string_equal(catalog->entries[2]->name, "nmnist");
    const struct entry *source = entry_of(catalog, "nmnist"), *b = entry_of(catalog, "b");
    revision_of(file_of("nmnist", path), sha256);
    assert_string_equal(source->revision, sha256);
    assert_true(source->is_source);
    assert_true(source->has_pairs);
    assert_false(b->is_source);
    assert_ptr_equal(b->source, source);
    assert_null(entry_of(catalog, "a")->source);
    assert_null(catalog_find(catalog, "nmnis", 5));
    assert_true(catalog_check(catalog));
    assert_false(catalog_is_stale(catalog, folder_path()));
    catalog_unref(catalog);
}

static void catalog_takes_over_what_is_unchanged_and_links_it_anew(void **state)
{
    (void)state;
    put_source("nmnist", 1);
    put_mixed("train", "nmnist", 2, 5);
    struct catalog *old = open_catalog(NULL);
    put_source("nmnist", 7);
    assert_true(catalog_is_stale(old, folder_path()));
    struct catalog *fresh = open_catalog(old);
    assert_ptr_equal(entry_of(fresh, "train")->holding, entry_of(old, "train")->holding);
    assert_ptr_not_equal(entry_of(fresh, "nmnist")->holding, entry_of(old, "nmnist")->holding);
    assert_non_null(entry_of(old, "train")->source);
    assert_null(entry_of(fresh, "train")->source);
    catalog_unref(old);
    assert_int_equal(split_sample(entry_of(fresh, "train")->split, 5).events.n_events, 6);
    catalog_unref(fresh);
}

static void catalog_passes_over_what_it_cannot_serve_and_says_it_once(void **state)
{
    (void)state;
    put_source("nmnist", 1);
    put_nonsense("other");
    struct catalog *old = open_catalog(NULL);
    assert_int_equal(old->n_entries, 1);
    assert_int_equal(old->n_found, 2);
    assert_non_null(strstr(found_of(old, "other")->fault.text, "other.safetensors: a header of"));
    assert_true(found_of(old, "other")->is_news);
    assert_string_equal(found_of(old, "nmnist")->fault.text, "");
    assert_false(catalog_is_stale(old, folder_path()));

    put_source("more", 2);
    struct catalog *fresh = open_catalog(old);
    assert_int_equal(fresh->n_entries, 2);
    assert_false(found_of(fresh, "other")->is_news);
    catalog_unref(old);
    catalog_unref(fresh);
}

static void catalog_serves_on_what_was_served_under_a_name(void **state)
{
    (void)state;
    put_source("nmnist", 1);
    put_mixed("train", "nmnist", 2, 5);
    struct catalog *old = open_catalog(NULL);
    put_nonsense("train");
    struct catalog *fresh = open_catalog(old);
    const struct entry *train = entry_of(fresh, "train");
    assert_ptr_equal(train->holding, entry_of(old, "train")->holding);
    assert_ptr_equal(train->source, entry_of(fresh, "nmnist"));
    assert_true(found_of(fresh, "train")->is_news);
    catalog_unref(old);
    assert_false(catalog_is_stale(fresh, folder_path()));
    assert_true(catalog_check(fresh));

    char path[SPLIT_PATH];
    assert_int_equal(unlink(file_of("train", path)), 0);
    assert_true(catalog_is_stale(fresh, folder_path()));
    struct catalog *last = open_catalog(fresh);
    assert_null(entry_of(last, "train"));
    catalog_unref(fresh);
    catalog_unref(last);
}

static void catalog_passes_over_sources_past_the_end(void **state)
{
    (void)state;
    put_source("nmnist", 1);
    put_mixed("train", "nmnist", 2, SPLIT_SAMPLES - 1);
    struct catalog *old = open_catalog(NULL);
    assert_non_null(entry_of(old, "train")->source);
    put_mixed("train", "nmnist", 3, SPLIT_SAMPLES);
    put_mixed("test", "nmnist", 3, SPLIT_SAMPLES);
    struct catalog *fresh = open_catalog(old);
    assert_non_null(
        strstr(found_of(fresh, "test")->fault.text, "names recording 6; split nmnist has 6"));
    assert_null(entry_of(fresh, "test"));
    assert_ptr_equal(entry_of(fresh, "train")->holding, entry_of(old, "train")->holding);
    assert_ptr_equal(entry_of(fresh, "train")->source, entry_of(fresh, "nmnist"));
    assert_false(catalog_is_stale(fresh, folder_path()));
    catalog_unref(old);
    catalog_unref(fresh);
}

static void catalog_opens_only_if_there_is_something_to_serve(void **state)
{
    (void)state;
    struct catalog *catalog = NULL;
    struct error why;
    assert_int_equal(catalog_open(folder_path(), NULL, &catalog, &why), -ENODATA);
    assert_non_null(strstr(why.text, "there is no split"));
    put_nonsense("one");
    assert_int_equal(catalog_open(folder_path(), NULL, &catalog, &why), -ENODATA);
    assert_non_null(strstr(why.text, "one.safetensors: a header of"));
    assert_int_equal(catalog_open("/nonexistent", NULL, &catalog, &why), -ENOENT);
    assert_null(catalog);
}

static void write_over(const char *path)
{
    int fd = open(path, O_WRONLY);
    assert_int_equal(pwrite(fd, "\1", 1, 4200), 1);
    close(fd);
}

static void cut(const char *path)
{
    assert_int_equal(truncate(path, 4096), 0);
}

static bool within_a_minute(time_t start)
{
    return time(NULL) - start < 60;
}

static void catalog_notices_what_was_changed_in_place(void **state)
{
    (void)state;
    static void (*const changes[])(const char *) = {write_over, cut};
    char path[SPLIT_PATH];
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        put_source("nmnist", 1);
        put_mixed("train", "nmnist", 2, 5);
        time_t start = time(NULL);
        struct catalog *catalog = open_catalog(NULL);
        entry_check(entry_of(catalog, "train"));
        assert_false(entry_is_damaged(entry_of(catalog, "nmnist")));
        changes[i](file_of("nmnist", path));
        do                                            /* once in a tick of the clock */
            entry_glance(entry_of(catalog, "train")); /* looks at its source as well */
        while (!entry_is_damaged(entry_of(catalog, "nmnist")) && within_a_minute(start));
        assert_true(entry_is_damaged(entry_of(catalog, "nmnist")));
        assert_false(entry_is_damaged(entry_of(catalog, "train")));
        assert_false(catalog_check(catalog));
        assert_true(catalog_is_stale(catalog, folder_path()));
        catalog_unref(catalog);
    }
}

static void an_entry_that_is_checked_right_after_a_glance_is_looked_at_again(void **state)
{
    (void)state;
    char path[SPLIT_PATH];
    put_source("nmnist", 1);
    put_mixed("train", "nmnist", 2, 5);
    struct catalog *catalog = open_catalog(NULL);
    entry_glance(entry_of(catalog, "train"));
    write_over(file_of("nmnist", path));
    entry_check(entry_of(catalog, "train"));
    assert_true(entry_is_damaged(entry_of(catalog, "nmnist")));
    catalog_unref(catalog);
}

static void a_touched_file_is_opened_anew_and_heals(void **state)
{
    (void)state;
    char path[SPLIT_PATH];
    put_source("nmnist", 1);
    struct catalog *old = open_catalog(NULL);
    assert_int_equal(utimensat(AT_FDCWD, file_of("nmnist", path), NULL, 0), 0);
    assert_false(catalog_check(old));
    struct catalog *fresh = open_catalog(old);
    assert_true(catalog_check(fresh));
    assert_string_equal(entry_of(fresh, "nmnist")->revision, entry_of(old, "nmnist")->revision);
    catalog_unref(old);
    catalog_unref(fresh);
}

static void catalog_serves_no_more_splits_than_it_has_room_for(void **state)
{
    (void)state;
    char name[16];
    for (unsigned i = 0; i < CATALOG_MAX_SPLITS + 2; i++) {
        snprintf(name, sizeof name, "split-%02u", i);
        put_source(name, (uint8_t)i);
    }
    put_nonsense("a");
    struct catalog *catalog = open_catalog(NULL);
    assert_int_equal(catalog->n_entries, CATALOG_MAX_SPLITS);
    assert_int_equal(catalog->n_found, CATALOG_MAX_SPLITS + 3);
    assert_null(entry_of(catalog, "split-64"));
    assert_non_null(strstr(found_of(catalog, "split-65")->fault.text, "64 splits already"));
    catalog_unref(catalog);
}

#define IN_A_FOLDER(test) cmocka_unit_test_setup_teardown(test, folder_setup, folder_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_FOLDER(catalog_serves_splits_by_name_with_their_sources),
        IN_A_FOLDER(catalog_takes_over_what_is_unchanged_and_links_it_anew),
        IN_A_FOLDER(catalog_passes_over_what_it_cannot_serve_and_says_it_once),
        IN_A_FOLDER(catalog_serves_on_what_was_served_under_a_name),
        IN_A_FOLDER(catalog_passes_over_sources_past_the_end),
        IN_A_FOLDER(catalog_opens_only_if_there_is_something_to_serve),
        IN_A_FOLDER(catalog_notices_what_was_changed_in_place),
        IN_A_FOLDER(an_entry_that_is_checked_right_after_a_glance_is_looked_at_again),
        IN_A_FOLDER(a_touched_file_is_opened_anew_and_heals),
        IN_A_FOLDER(catalog_serves_no_more_splits_than_it_has_room_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
