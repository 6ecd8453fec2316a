/* SPDX-License-Identifier: Apache-2.0
 * Tests of generator/metadata: what the header says of a split, and how its words are read. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/split.h"
#include "generator/metadata.h"

static const char *value_of(const struct meta *strings, size_t n, const char *key)
{
    const char *value = NULL;
    for (size_t i = 0; i < n; i++)
        if (strcmp(strings[i].key, key) == 0) {
            assert_null(value); /* no key comes twice */
            value = strings[i].value;
        }
    return value;
}

static void source_split_says_what_it_is(void **state)
{
    (void)state;
    const struct metadata metadata = {
        .part = PART_TEST,
        .kind = SPLIT_KIND_SOURCE,
        .origin = ORIGIN_RECORDED,
        .source_sha256 = "0123",
    };
    struct meta strings[METADATA_MAX];
    size_t n = metadata_strings(&metadata, strings);
    assert_in_range(n, 1, METADATA_MAX);
    assert_string_equal(value_of(strings, n, "split"), "test");
    assert_string_equal(value_of(strings, n, "kind"), "source");
    assert_string_equal(value_of(strings, n, "origin"), "recorded");
    assert_string_equal(value_of(strings, n, "sensor"), "34x34x2");
    assert_string_equal(value_of(strings, n, "time_unit"), "us");
    assert_string_equal(value_of(strings, n, "source_sha256"), "0123");
    assert_null(value_of(strings, n, "plan"));
    assert_null(value_of(strings, n, "order"));
}

static void mixed_split_says_how_it_was_mixed(void **state)
{
    (void)state;
    const struct metadata metadata = {
        .part = PART_TRAIN,
        .kind = SPLIT_KIND_2NMNIST,
        .origin = ORIGIN_PUBLISHED,
        .plan = "published",
        .order = "time",
    };
    struct meta strings[METADATA_MAX];
    size_t n = metadata_strings(&metadata, strings);
    assert_string_equal(value_of(strings, n, "split"), "train");
    assert_string_equal(value_of(strings, n, "plan"), "published");
    assert_string_equal(value_of(strings, n, "order"), "time");
    assert_null(value_of(strings, n, "source_sha256"));
}

/* The recordings are under CC-BY-SA, which their mixes inherit; what is simulated is ours. */
static void every_split_names_its_licence_and_whom_to_cite(void **state)
{
    (void)state;
    static const struct {
        const char *origin, *kind, *licence, *cited;
    } rows[] = {
        {ORIGIN_RECORDED, SPLIT_KIND_SOURCE, "CC-BY-SA-4.0", "10.3389/fnins.2015.00437"},
        {ORIGIN_RECORDED, SPLIT_KIND_2NMNIST, "CC-BY-SA-4.0", "10.1109/IJCNN54540.2023.10191787"},
        {ORIGIN_RECORDED, SPLIT_KIND_2NMNIST, "CC-BY-SA-4.0", "10.3389/fnins.2015.00437"},
        {ORIGIN_PUBLISHED, SPLIT_KIND_2NMNIST, "CC-BY-SA-4.0", "10.1109/IJCNN54540.2023.10191787"},
        {ORIGIN_SYNTHETIC, SPLIT_KIND_SOURCE, "Apache-2.0", "simulated"},
        {ORIGIN_SYNTHETIC, SPLIT_KIND_2NMNIST, "Apache-2.0", "simulated"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct metadata metadata = {.kind = rows[i].kind, .origin = rows[i].origin};
        struct meta strings[METADATA_MAX];
        size_t n = metadata_strings(&metadata, strings);
        assert_string_equal(value_of(strings, n, "licence"), rows[i].licence);
        assert_non_null(strstr(value_of(strings, n, "citation"), rows[i].cited));
    }
}

static void every_split_names_where_its_data_lies(void **state)
{
    (void)state;
    static const struct {
        const char *origin, *kind, *doi;
    } rows[] = {
        {ORIGIN_RECORDED, SPLIT_KIND_SOURCE, "10.17632/468j46mzdv.1"},
        {ORIGIN_RECORDED, SPLIT_KIND_2NMNIST, "10.17632/468j46mzdv.1"},
        {ORIGIN_PUBLISHED, SPLIT_KIND_2NMNIST, "10.5281/zenodo.7847750"},
        {ORIGIN_SYNTHETIC, SPLIT_KIND_SOURCE, NULL},
        {ORIGIN_SYNTHETIC, SPLIT_KIND_2NMNIST, NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct metadata metadata = {.kind = rows[i].kind, .origin = rows[i].origin};
        struct meta strings[METADATA_MAX];
        const char *doi = value_of(strings, metadata_strings(&metadata, strings), "doi");
        if (rows[i].doi)
            assert_string_equal(doi, rows[i].doi);
        else
            assert_null(doi);
    }
}

static void origin_that_is_not_known_has_no_licence(void **state)
{
    (void)state;
    const struct metadata metadata = {.kind = SPLIT_KIND_SOURCE, .origin = "elsewhere"};
    struct meta strings[METADATA_MAX];
    size_t n = metadata_strings(&metadata, strings);
    assert_string_equal(value_of(strings, n, "origin"), "elsewhere");
    assert_null(value_of(strings, n, "licence"));
    assert_null(value_of(strings, n, "citation"));
}

static void plan_is_written_and_read(void **state)
{
    (void)state;
    static const struct {
        uint32_t seed;
        const char *text;
    } rows[] = {
        {PLAN_PUBLISHED_SEED, "published"}, {0, "0"}, {43, "43"}, {UINT32_MAX, "4294967295"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[METADATA_PLAN_SIZE];
        uint32_t seed = 7;
        metadata_plan(rows[i].seed, text);
        assert_string_equal(text, rows[i].text);
        assert_int_equal(metadata_parse_plan(text, &seed, NULL), 0);
        assert_int_equal(seed, rows[i].seed);
    }
    uint32_t seed = 7;
    assert_int_equal(metadata_parse_plan("42", &seed, NULL), 0);
    assert_int_equal(seed, PLAN_PUBLISHED_SEED);
}

static void plan_that_is_none_is_shown(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "Published", "published ", "-1", "4294967296", "1.5"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct error why = {""};
        uint32_t seed = 7;
        assert_int_equal(metadata_parse_plan(bad[i], &seed, &why), -EINVAL);
        assert_non_null(strstr(why.text, bad[i]));
        assert_int_equal(seed, 7);
    }
}

static void order_is_written_and_read(void **state)
{
    (void)state;
    assert_string_equal(metadata_order(MIX_TIME), "time");
    assert_string_equal(metadata_order(MIX_PUBLISHED), "published");
    for (enum mix_order order = MIX_TIME; order <= MIX_PUBLISHED; order++) {
        enum mix_order read = MIX_PUBLISHED - order;
        assert_int_equal(metadata_parse_order(metadata_order(order), &read, NULL), 0);
        assert_int_equal(read, order);
    }
}

static void order_that_is_none_is_shown(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "Time", "times", "random"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct error why = {""};
        enum mix_order order = MIX_PUBLISHED;
        assert_int_equal(metadata_parse_order(bad[i], &order, &why), -EINVAL);
        assert_non_null(strstr(why.text, bad[i]));
        assert_int_equal(order, MIX_PUBLISHED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(source_split_says_what_it_is),
        cmocka_unit_test(mixed_split_says_how_it_was_mixed),
        cmocka_unit_test(every_split_names_its_licence_and_whom_to_cite),
        cmocka_unit_test(every_split_names_where_its_data_lies),
        cmocka_unit_test(origin_that_is_not_known_has_no_licence),
        cmocka_unit_test(plan_is_written_and_read),
        cmocka_unit_test(plan_that_is_none_is_shown),
        cmocka_unit_test(order_is_written_and_read),
        cmocka_unit_test(order_that_is_none_is_shown),
    };
    return cmocka_run_group_tests_name("metadata", tests, NULL, NULL);
}
