/* SPDX-License-Identifier: Apache-2.0
 * Tests of server/service: the catalog that is current, and its replacement. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/asking.h"

static struct asked_service asked;

static int open_asked(void **state)
{
    (void)state;
    asked_service_init(&asked);
    asked_service_open(&asked);
    return 0;
}

static int close_asked(void **state)
{
    (void)state;
    asked_service_close(&asked);
    return 0;
}

/* Rename a file of the folder. */
static void move(const char *from, const char *to)
{
    char old_path[512], new_path[512];
    snprintf(old_path, sizeof old_path, "%s/%s", asked.folder, from);
    snprintf(new_path, sizeof new_path, "%s/%s", asked.folder, to);
    assert_int_equal(rename(old_path, new_path), 0);
}

static bool has(const struct catalog *catalog, const char *name)
{
    return catalog_find(catalog, name, strlen(name)) != NULL;
}

static void a_service_has_its_settings_orders_and_splits(void **state)
{
    (void)state;
    assert_ptr_equal(service_settings(asked.service), &asked.settings);
    assert_non_null(service_orders(asked.service));
    struct catalog *catalog = service_catalog(asked.service);
    assert_int_equal(catalog->n_entries, 4);
    assert_true(has(catalog, "timed"));
    catalog_unref(catalog);
}

static void a_folder_that_cannot_be_served_is_refused(void **state)
{
    (void)state;
    struct settings settings;
    assert_int_equal(settings_init(&settings), 0);
    assert_int_equal(settings_set(&settings, SETTING_OPTION, "data", "/nonexistent/folder", NULL),
                     0);
    struct service *service = NULL;
    struct error why;
    assert_int_equal(service_open(&settings, &service, &why), -ENOENT);
    assert_non_null(strstr(why.text, "/nonexistent/folder"));
    assert_null(service);
    service_close(NULL);
    settings_free(&settings);
}

static void a_reload_takes_the_catalogs_place_and_spares_who_holds_it(void **state)
{
    (void)state;
    struct error why;
    struct catalog *before = service_catalog(asked.service);
    assert_false(service_is_stale(asked.service));
    move("timed.safetensors", "later.safetensors");
    assert_true(service_is_stale(asked.service));
    assert_int_equal(service_reload(asked.service, &why), 0);
    assert_false(service_is_stale(asked.service));
    struct catalog *after = service_catalog(asked.service);
    assert_ptr_not_equal(before, after);
    assert_true(has(before, "timed") && !has(before, "later"));
    assert_true(has(after, "later") && !has(after, "timed"));
    const struct entry *entry = catalog_find(before, "timed", 5);
    assert_int_equal(split_n_samples(entry->split), 13);
    catalog_unref(before);
    catalog_unref(after);
    move("later.safetensors", "timed.safetensors");
    assert_int_equal(service_reload(asked.service, &why), 0);
}

static void a_file_that_is_no_split_is_passed_over(void **state)
{
    (void)state;
    struct error why;
    char path[512];
    snprintf(path, sizeof path, "%s/broken.safetensors", asked.folder);
    FILE *broken = fopen(path, "w");
    assert_non_null(broken);
    assert_true(fputs("no split", broken) >= 0);
    assert_int_equal(fclose(broken), 0);
    assert_int_equal(service_reload(asked.service, &why), 0);
    struct catalog *catalog = service_catalog(asked.service);
    assert_int_equal(catalog->n_entries, 4);
    assert_false(has(catalog, "broken"));
    catalog_unref(catalog);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(service_reload(asked.service, &why), 0);
}

static void a_reload_that_fails_leaves_what_was_there(void **state)
{
    (void)state;
    struct error why;
    struct catalog *before = service_catalog(asked.service);
    char away[512];
    snprintf(away, sizeof away, "%s-away", asked.folder);
    assert_int_equal(rename(asked.folder, away), 0);
    assert_int_equal(service_reload(asked.service, &why), -ENOENT);
    assert_non_null(strstr(why.text, asked.folder));
    assert_int_equal(rename(away, asked.folder), 0);
    struct catalog *after = service_catalog(asked.service);
    assert_ptr_equal(before, after);
    catalog_unref(before);
    catalog_unref(after);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_service_has_its_settings_orders_and_splits),
        cmocka_unit_test(a_folder_that_cannot_be_served_is_refused),
        cmocka_unit_test(a_reload_takes_the_catalogs_place_and_spares_who_holds_it),
        cmocka_unit_test(a_file_that_is_no_split_is_passed_over),
        cmocka_unit_test(a_reload_that_fails_leaves_what_was_there),
    };
    return cmocka_run_group_tests_name("service", tests, open_asked, close_asked);
}
