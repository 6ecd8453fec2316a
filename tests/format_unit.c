/* SPDX-License-Identifier: Apache-2.0
 * Tests of server/format. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "server/format.h"

#define JSON        FORMAT_BIT(FORMAT_JSON)
#define BIN         FORMAT_BIT(FORMAT_BIN)
#define NPY         FORMAT_BIT(FORMAT_NPY)
#define SAFETENSORS FORMAT_BIT(FORMAT_SAFETENSORS)
#define PNG         FORMAT_BIT(FORMAT_PNG)
#define PAGE                                                                    \
    (FORMAT_BIT(FORMAT_HTML) | FORMAT_BIT(FORMAT_CSS) | FORMAT_BIT(FORMAT_JS) | \
     FORMAT_BIT(FORMAT_SVG))
#define EVERY ((1u << N_FORMATS) - 1)
#define ALL   (EVERY & ~PAGE)

/* Without its parameters, which the weight of a range does not look at. */
static bool same_type(enum format a, enum format b)
{
    const char *one = format_rows[a].media_type, *other = format_rows[b].media_type;
    size_t n = strcspn(one, ";");
    return n == strcspn(other, ";") && strncmp(one, other, n) == 0;
}

static void every_format_is_told_apart_and_has_an_encoder(void **state)
{
    (void)state;
    for (enum format format = 0; format < N_FORMATS; format++) {
        const struct format_row *row = &format_rows[format];
        size_t n = strlen(row->extension);
        bool is_archive = format == FORMAT_TAR; /* of samples in others */
        assert_true(row->sample || row->batch || row->text || is_archive);
        assert_non_null(strchr(row->media_type, '/'));
        assert_int_equal(format_by_extension(row->extension, n), format);
        assert_int_not_equal(format_by_extension(row->extension, n - 1), format);
        assert_int_equal(format_negotiate(FORMAT_BIT(format), row->media_type), format);
        assert_true(same_type(format_negotiate(EVERY, row->media_type), format));
    }
}

static void an_extension_is_compared_whole(void **state)
{
    (void)state;
    static const char *const others[] = {"", "JSON", "jsonx", "json ", "tx", "bi", "safetensor"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_int_equal(format_by_extension(others[i], strlen(others[i])), N_FORMATS);
    assert_int_equal(format_by_extension("json.bin", 4), FORMAT_JSON);
}

static void samples_and_batches_come_where_there_is_an_encoder(void **state)
{
    (void)state;
    assert_int_equal(format_of_samples(), JSON | BIN | NPY | SAFETENSORS | PNG);
    assert_int_equal(format_of_batches(), JSON | SAFETENSORS | PNG);
}

static void a_list_names_the_extensions(void **state)
{
    (void)state;
    char list[FORMAT_LIST_SIZE];
    format_list(0, list);
    assert_string_equal(list, "");
    format_list(BIN, list);
    assert_string_equal(list, "bin");
    format_list(EVERY, list);
    assert_string_equal(
        list,
        "html, json, bin, npy, safetensors, png, csv, jsonl, jsonld, txt, prom, tar, css, js, svg");
}

static void check_choice(unsigned formats, const char *accept, enum format best)
{
    enum format got = format_negotiate(formats, accept);
    if (got != best)
        fail_msg("\"%s\" gives format %d, not %d", accept ? accept : "(none)", (int)got, (int)best);
}

static void without_a_wish_the_first_format_comes(void **state)
{
    (void)state;
    check_choice(ALL, NULL, FORMAT_JSON);
    check_choice(BIN | NPY, NULL, FORMAT_BIN);
    check_choice(0, NULL, N_FORMATS);
    check_choice(ALL, "*/*", FORMAT_JSON);
    check_choice(NPY | SAFETENSORS, "*/*", FORMAT_NPY);
    check_choice(ALL, "application/*", FORMAT_JSON);
}

static void the_heaviest_format_wins_and_the_first_of_equals(void **state)
{
    (void)state;
    static const struct {
        const char *accept;
        enum format best;
    } cases[] = {
        {"application/json;q=0.1, application/x-npy", FORMAT_NPY},
        {"application/x-npy, application/json", FORMAT_JSON},
        {"application/json;q=0.5, application/x-npy;q=0.6", FORMAT_NPY},
        {"application/json;q=0.55, application/x-npy;q=0.551", FORMAT_NPY},
        {"application/json;q=0.999, application/x-npy;q=1.000", FORMAT_NPY},
        {"application/json;q=0.9999, application/x-npy;q=1", FORMAT_NPY},
        {"application/x-npy;q=0.5, */*;q=0.1", FORMAT_NPY},
        {"*/*;q=0.1, application/x-npy;q=0.5", FORMAT_NPY},
        {"application/*;q=0.2, application/octet-stream;q=0.3", FORMAT_BIN},
        {"image/webp, application/octet-stream", FORMAT_BIN},
        {"text/html, image/webp, image/*;q=0.8", FORMAT_PNG},
        {",, application/octet-stream ,,", FORMAT_BIN},
        {" application/octet-stream", FORMAT_BIN},
        {"application/octet-stream,application/x-npy;q=0.9", FORMAT_BIN},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_choice(ALL, cases[i].accept, cases[i].best);
}

static void the_most_exact_range_says_the_weight(void **state)
{
    (void)state;
    check_choice(ALL, "*/*, application/json;q=0", FORMAT_BIN);
    check_choice(ALL, "application/json;q=0, */*", FORMAT_BIN);
    check_choice(ALL, "application/*;q=0, text/*;q=0, image/*;q=0, */*", N_FORMATS);
    check_choice(JSON | BIN | NPY, "application/*;q=0, application/x-npy;q=0.001, */*", FORMAT_NPY);
    check_choice(JSON | BIN, "*/*;q=0.9, application/*;q=0.1, application/octet-stream;q=0.2",
                 FORMAT_BIN);
}

static void weights_are_read_in_any_case_and_behind_blanks(void **state)
{
    (void)state;
    static const char *const light[] = {
        "application/json;q=0.5, application/x-npy",
        "application/json;Q=0.5, application/x-npy",
        "application/json; q=0.5, application/x-npy",
        "application/json;  q=0.5, application/x-npy",
        "application/json;\tq=0.5, application/x-npy",
        "application/json \t;\t Q=0.5, application/x-npy",
        "application/json;charset=utf-8;q=0.5, application/x-npy",
        "application/json; charset=utf-8 ; q=0.5, application/x-npy",
        "APPLICATION/JSON;q=0.5, Application/X-NPY",
        "application/json;q=0., application/x-npy",
        "application/json;q=0 , application/x-npy",
        "application/json;q=0, application/x-npy",
        "application/json;q=0.5;level=1, application/x-npy",
    };
    for (size_t i = 0; i < sizeof light / sizeof *light; i++)
        check_choice(ALL, light[i], FORMAT_NPY);
    check_choice(ALL, "application/json;quality=0.5, application/x-npy", FORMAT_JSON);
    check_choice(ALL, "application/json;xq=0.5, application/x-npy", FORMAT_JSON);
    check_choice(ALL, "application/json;q=, application/x-npy", FORMAT_JSON);
    check_choice(ALL, "application/json;, application/x-npy", FORMAT_JSON);
    check_choice(ALL, "application/json;", FORMAT_JSON);
}

static void what_nobody_accepts_has_no_format(void **state)
{
    (void)state;
    static const char *const accepts[] = {
        "image/webp",
        "text/html",
        "audio/*",
        "application/json;q=0",
        "application/json;Q=0.000",
        "*/*;q=0",
        "application",
        "application/jsonx",
        "application/jso",
        "*",
        "application/",
        "json",
        "*/json",
    };
    for (size_t i = 0; i < sizeof accepts / sizeof *accepts; i++)
        check_choice(ALL, accepts[i], N_FORMATS);
    check_choice(BIN | NPY, "application/json", N_FORMATS);
    check_choice(0, "*/*", N_FORMATS);
}

static void a_form_comes_where_its_shape_can_be_told(void **state)
{
    (void)state;
    const unsigned all = format_of_samples();
    const struct form events = {.as = FORM_EVENTS}, sparse = {.as = FORM_SPARSE},
                      frames = {.as = FORM_FRAMES}, bits = {.as = FORM_BITS},
                      voxel = {.as = FORM_FRAMES, .is_voxel = true};
    assert_int_equal(format_of_form(&events) & all, all);
    assert_int_equal(format_of_form(&frames) & all, all & ~PNG);
    assert_int_equal(format_of_form(&sparse),
                     FORMAT_BIT(FORMAT_JSON) | FORMAT_BIT(FORMAT_SAFETENSORS));
    assert_int_equal(format_of_form(&bits) & all, all & ~(JSON | PNG));
    assert_int_equal(format_of_form(&voxel), format_of_form(&bits));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_format_is_told_apart_and_has_an_encoder),
        cmocka_unit_test(an_extension_is_compared_whole),
        cmocka_unit_test(samples_and_batches_come_where_there_is_an_encoder),
        cmocka_unit_test(a_list_names_the_extensions),
        cmocka_unit_test(without_a_wish_the_first_format_comes),
        cmocka_unit_test(the_heaviest_format_wins_and_the_first_of_equals),
        cmocka_unit_test(the_most_exact_range_says_the_weight),
        cmocka_unit_test(weights_are_read_in_any_case_and_behind_blanks),
        cmocka_unit_test(a_form_comes_where_its_shape_can_be_told),
        cmocka_unit_test(what_nobody_accepts_has_no_format),
    };
    return cmocka_run_group_tests_name("format", tests, NULL, NULL);
}
