/* SPDX-License-Identifier: Apache-2.0
 * Tests of server/samples/encode_png, and of server/samples/image below it: the files as libpng
 * itself reads them, limits and memory. */
#include <errno.h>
#include <png.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/picture.h"
#include "server/samples/image.h"
#include "tests/answers.h"
#include "tests/encoding.h"

#define PICTURE(scale_, strip_, frames_)                             \
    .frames = {.geometry = {SENSOR_WIDTH, SENSOR_HEIGHT, N_DIGITS}}, \
    .filter = {.t1_us = FILTER_T1_NONE},                             \
    .picture = {.scale = scale_, .strip = strip_, .frames = frames_}

static const struct form forms[] = {
    {PICTURE(1, 1, 1)},
    {PICTURE(3, 1, 1), .timestep_us = 16},
    {PICTURE(2, 4, 1), .has_order = true, .order = MIX_TIME},
    {PICTURE(1, 1, 5), .has_order = true, .order = MIX_PUBLISHED},
};
enum { N_FORMS = sizeof forms / sizeof *forms, SHEET_N = 12 };

/* The pixels that libpng reads, [height][width][3] from malloc(). */
static uint8_t *read_png(const struct reply *reply, uint32_t *ret_width, uint32_t *ret_height)
{
    char *body = answer_body(reply);
    png_image image = {.version = PNG_IMAGE_VERSION};
    assert_true(png_image_begin_read_from_memory(&image, body, reply->n_bytes));
    assert_int_equal(image.format, PNG_FORMAT_RGB);
    uint8_t *pixels = malloc(PNG_IMAGE_SIZE(image));
    assert_non_null(pixels);
    assert_true(png_image_finish_read(&image, NULL, pixels, 0, NULL));
    assert_int_equal(image.warning_or_error, 0);
    *ret_width = image.width;
    *ret_height = image.height;
    free(body);
    return pixels;
}

/* What the rule draws of the sample; of an animation its first frame. */
static void check_pixels(const struct encoding *encoding)
{
    const struct form_picture *form = &encoding->form->picture;
    struct reply reply = encoding_answer(encoding);
    struct made made;
    uint32_t width, height;
    uint8_t *pixels = read_png(&reply, &width, &height);
    encoding_make(encoding->entry, encoding->form, encoding->i, &made);
    struct picture picture = {
        .width = SENSOR_WIDTH, .height = SENSOR_HEIGHT, .n_cells = form->strip * form->frames};
    const struct picture_grid grid = {0, form->strip, form->strip};
    picture.counts = calloc(1, picture_counts_size(&picture));
    picture_count(&picture, 0, picture.n_cells, made.events);
    picture_end(&picture);
    assert_int_equal(width, (form->strip * (SENSOR_WIDTH + 1) - 1) * form->scale);
    assert_int_equal(height, SENSOR_HEIGHT * form->scale);
    uint8_t *row = malloc((size_t)width * PICTURE_RGB);
    for (uint32_t y = 0; y < height; y++) {
        picture_draw_row(&picture, &grid, y / form->scale, form->scale, row);
        assert_memory_equal(pixels + (size_t)y * width * PICTURE_RGB, row, width * PICTURE_RGB);
    }
    free(row);
    free(picture.counts);
    free(pixels);
    answer_end(&reply);
}

static void for_each_sample(void (*check)(const struct encoding *encoding))
{
    const struct entry *entries[] = {small.timed, small.published};
    for (size_t e = 0; e < 2; e++)
        for (size_t f = 0; f < N_FORMS; f++)
            for (uint64_t i = 0; i < SMALL_SAMPLES; i++)
                check(&(struct encoding){
                    .sample = encode_png, .entry = entries[e], .form = &forms[f], .i = i});
}

static void a_sample_is_what_the_rule_draws(void **state)
{
    (void)state;
    for_each_sample(check_pixels);
}

static const uint64_t indices[SHEET_N] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 0};

static struct encoding sheet_of(const struct form *form, size_t n)
{
    return (struct encoding){.batch = encode_png_sheet,
                             .form = form,
                             .batched = {.entry = small.timed, .indices = indices, .n = n}};
}

static void a_sheet_has_a_place_for_each_sample(void **state)
{
    (void)state;
    for (size_t n = 1; n <= SHEET_N; n++) {
        const struct encoding encoding = sheet_of(&forms[1], n);
        struct reply reply = encoding_answer(&encoding);
        uint32_t width, height, columns = n < 10 ? (uint32_t)n : 10;
        uint8_t *pixels = read_png(&reply, &width, &height);
        assert_int_equal(width, (columns * (SENSOR_WIDTH + 1) - 1) * 3);
        assert_int_equal(height, (n > 10 ? 2 * SENSOR_HEIGHT + 1 : SENSOR_HEIGHT) * 3);
        assert_int_equal((uint64_t)width * height, encode_png_sheet_pixels(&forms[1], n));
        free(pixels);
        answer_end(&reply);
    }
}

static void pixels_are_those_of_all_frames(void **state)
{
    (void)state;
    assert_int_equal(encode_png_pixels(&forms[0]), 34 * 34);
    assert_int_equal(encode_png_pixels(&forms[1]), 9 * 34 * 34);
    assert_int_equal(encode_png_pixels(&forms[2]), 4 * 34 * (4 * 34 + 3));
    assert_int_equal(encode_png_pixels(&forms[3]), 5 * 34 * 34);
}

static void a_head_tells_what_a_picture_does(void **state)
{
    (void)state;
    for_each_sample(encoding_check_head);
    const struct encoding sheet = sheet_of(&forms[0], SHEET_N);
    encoding_check_head(&sheet);
}

static void a_picture_is_refused_past_any_limit(void **state)
{
    (void)state;
    for_each_sample(encoding_check_limits);
    const struct encoding sheet = sheet_of(&forms[0], SHEET_N);
    encoding_check_limits(&sheet);
}

static void noise(const void *user, uint32_t frame, uint32_t row, uint8_t *rgb)
{
    const struct image *image = *(const struct image *const *)user;
    uint32_t state = frame * 7919 + row * 104729 + 1;
    for (uint32_t i = 0; i < image->width * PICTURE_RGB; i++) {
        state = state * 1664525 + 1013904223;
        rgb[i] = (uint8_t)(state >> 24);
    }
}

/* What does not compress is larger than what a file begins with, and has data in many pieces. */
static void a_picture_grows_as_far_as_it_has_to(void **state)
{
    (void)state;
    const struct image *self;
    const struct image image = {.width = 301,
                                .n_rows = 203,
                                .repeats = 1,
                                .n_frames = 3,
                                .frame_ms = 40,
                                .draw = noise,
                                .user = &self};
    struct reply reply = answer_new();
    struct error why = {""};
    uint32_t width, height;
    self = &image;
    if (image_add(&image, &reply, &why) < 0)
        fail_msg("%s", why.text);
    uint8_t *pixels = read_png(&reply, &width, &height), row[301 * PICTURE_RGB];
    for (uint32_t y = 0; y < height; y++) {
        noise(&self, 0, y, row);
        assert_memory_equal(pixels + (size_t)y * sizeof row, row, sizeof row);
    }
    assert_true(reply.n_bytes > 3 * 301 * 203 * PICTURE_RGB);
    assert_true(reply.n_claimed > reply.n_bytes);
    free(pixels);
    uint64_t n_claimed = reply.n_claimed;
    answer_end(&reply);
    reply.max_bytes = n_claimed / 2;
    assert_int_equal(image_add(&image, &reply, &why), -E2BIG);
    assert_non_null(strstr(why.text, "max_answer_bytes"));
    answer_end(&reply);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sample_is_what_the_rule_draws),
        cmocka_unit_test(a_sheet_has_a_place_for_each_sample),
        cmocka_unit_test(pixels_are_those_of_all_frames),
        cmocka_unit_test(a_head_tells_what_a_picture_does),
        cmocka_unit_test(a_picture_is_refused_past_any_limit),
        cmocka_unit_test(a_picture_grows_as_far_as_it_has_to),
    };
    return cmocka_run_group_tests(tests, small_setup, small_teardown);
}
