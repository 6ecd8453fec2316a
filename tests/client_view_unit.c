/* SPDX-License-Identifier: Apache-2.0
 * Tests of client/view: which samples a view has, what of it is asked for, and that answers and
 * cursors of another one are refused. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "client/split.h"
#include "common/npy.h"
#include "common/order.h"
#include "tests/fake_requests.h"

enum { N = 3, SEED = 5, EPOCH = 2, DEPTH = 2 };

static tnm_client *client;
static tnm_split *split;
static char asked[512];
static unsigned n_labels_asked, n_statistics;
static bool swapped; /* the batch has its samples in another order */

static int reply(const struct request_ask *ask, struct answer *answer, struct error *why)
{
    /* As the description counts them. */
    static const uint8_t labels[N][N_DIGITS] = {{1, 1}, {0, 1, 1}, {0, 0, 0, 1}};
    char header[NPY_HEADER_MAX], text[64];
    uint32_t order[2];
    (void)why;
    snprintf(asked, sizeof asked, "%s", ask->path);
    if (strstr(ask->path, "/labels.npy")) {
        n_labels_asked++;
        fake_bytes(answer, header, npy_header(header, "'|u1'", (const uint64_t[]){N, N_DIGITS}, 2));
        fake_bytes(answer, labels, sizeof labels);
    } else if (strstr(ask->path, "/statistics")) {
        snprintf(text, sizeof text, "{\"samples\": %u}\n", n_statistics);
        fake_text(answer, text);
    } else if (strstr(ask->path, "/epochs/")) {
        order_epoch(SEED, EPOCH, 2, order);
        const uint64_t indices[] = {order[swapped], order[!swapped]};
        fake_batch(answer, indices, 2);
    } else {
        fake_description(answer, "train", "source", N);
    }
    return 0;
}

static int setup(void **state)
{
    (void)state;
    n_labels_asked = 0;
    swapped = false;
    client = fake_open(reply);
    return tnm_split_open(client, "train", &split);
}

static int teardown(void **state)
{
    (void)state;
    tnm_split_close(split);
    tnm_close(client);
    return 0;
}

static tnm_view *open_view(const char *words)
{
    tnm_view *view = NULL;
    if (tnm_view_open(split, words, &view) < 0)
        fail_msg("%s: %s", words, tnm_last_error());
    return view;
}

static void a_view_has_the_samples_of_its_words(void **state)
{
    (void)state;
    static const struct {
        const char *words, *said;
        uint64_t n, positions[N];
    } rows[] = {
        {"", "", 3, {0, 1, 2}},
        {"kind=single", "kind=single", 1, {2}},
        {"any=3,0", "any=0,3", 2, {0, 2}},
        {"part=held&folds=2", "folds=2&fold=0&part=held&fold_seed=0", 3, {0, 1, 2}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        tnm_view *view = open_view(rows[i].words);
        assert_string_equal(tnm_view_words(view), rows[i].said);
        assert_int_equal(tnm_view_n_samples(view), rows[i].n);
        assert_memory_equal(tnm_view_positions(view), rows[i].positions,
                            rows[i].n * sizeof(uint64_t));
        tnm_view_close(view);
    }
    tnm_view *whole = open_view(NULL);
    /* hashlib.sha256(numpy.arange(3).astype("<u8")) */
    assert_string_equal(tnm_view_sha256(whole),
                        "ab25350e3e65efebe24584461683ecda68725576e825e550038b90e7b1479946");
    tnm_view_close(whole);
    tnm_view_close(NULL);
    assert_int_equal(n_labels_asked, 1); /* for all of them */
}

static void what_is_no_view_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *words, *why;
    } rows[] = {
        {"kind=both", "kind is \"both\"; it is one of single, pair"},
        {"fold=1", "fold goes with folds, which says how many there are"},
        {"none=10", "none names label 10; there are 0 to 9"},
        {"folds=1001&part=held", "folds is 1001; it goes from 2 to 1000"},
        {"kind=single&any=0", "the view kind=single&any=0 of train is empty: any=0 leaves no "
                              "sample"},
    };
    tnm_view *view = NULL;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_int_equal(tnm_view_open(split, rows[i].words, &view), -EINVAL);
        assert_string_equal(tnm_last_error(), rows[i].why);
        assert_null(view);
    }
    assert_int_equal(tnm_view_open(NULL, "", &view), -EINVAL);
    tnm_batch *batch;
    assert_int_equal(tnm_view_batch(NULL, 0, 0, 0, 2, 0, 1, TNM_LAST_SHORT, &batch), -EINVAL);
    assert_string_equal(tnm_last_error(), "there is no view");
}

static void a_batch_is_asked_for_by_the_words_and_held_to_the_order(void **state)
{
    (void)state;
    tnm_view *view = open_view("kind=pair");
    tnm_batch *batch;
    uint32_t order[2];
    char path[512];
    order_epoch(SEED, EPOCH, 2, order);
    assert_int_equal(tnm_view_n_batches(view, 4, TNM_LAST_SHORT), 1);
    assert_int_equal(tnm_view_n_batches(view, 4, TNM_LAST_DROP), 0);
    assert_int_equal(tnm_view_n_batches(view, 0, TNM_LAST_DROP), 0);
    assert_int_equal(tnm_view_batch(view, SEED, EPOCH, 0, 4, 0, 1, TNM_LAST_SHORT, &batch), 0);
    snprintf(path, sizeof path,
             "/v1/splits/train@%s/epochs/5/2/batches/0.safetensors?size=4&rank=0&world=1&last=short"
             "&kind=pair",
             fake_revision);
    assert_string_equal(asked, path);
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(tnm_batch_indices(batch)[i], order[i]);
    tnm_batch_free(batch);
    assert_int_equal(tnm_view_batch(view, SEED, EPOCH, 1, 4, 0, 1, TNM_LAST_SHORT, &batch),
                     -ENOENT);
    assert_string_equal(tnm_last_error(), "there is no batch 1; the epoch has 1");
    swapped = true;
    assert_int_equal(tnm_view_batch(view, SEED, EPOCH, 0, 4, 0, 1, TNM_LAST_SHORT, &batch),
                     -EBADMSG);
    tnm_view_close(view);
}

static void a_stream_keeps_its_view(void **state)
{
    (void)state;
    tnm_view *view = open_view("kind=pair");
    tnm_stream *stream;
    tnm_batch *batch;
    assert_int_equal(
        tnm_view_epoch_open(view, SEED, EPOCH, 4, 0, 1, TNM_LAST_SHORT, DEPTH, &stream), 0);
    tnm_view_close(view);
    assert_int_equal(tnm_stream_n_batches(stream), 1);
    assert_int_equal(tnm_stream_next(stream, &batch), 1);
    assert_non_null(strstr(asked, "&kind=pair"));
    assert_int_equal(tnm_batch_n_samples(batch), 2);
    tnm_batch_free(batch);
    assert_int_equal(tnm_stream_next(stream, &batch), 0);
    tnm_stream_close(stream);
}

static tnm_stream *open_stream(const char *words)
{
    tnm_stream *stream = NULL;
    tnm_view *view = open_view(words);
    assert_int_equal(
        tnm_view_epoch_open(view, SEED, EPOCH, 1, 0, 1, TNM_LAST_SHORT, DEPTH, &stream), 0);
    tnm_view_close(view);
    return stream;
}

static void a_cursor_is_of_its_view_alone(void **state)
{
    (void)state;
    char cursor[TNM_CURSOR_SIZE];
    tnm_stream *own = open_stream("any=2,0"), *same = open_stream("any=0,2"),
               *other = open_stream("kind=pair"), *whole, *list;
    assert_int_equal(tnm_epoch_open(split, SEED, EPOCH, 1, 0, 1, TNM_LAST_SHORT, DEPTH, &whole), 0);
    assert_int_equal(tnm_part_open(split, (const uint64_t[]){0, 1}, 2, TNM_SHUFFLED, SEED, EPOCH, 1,
                                   0, 1, TNM_LAST_SHORT, DEPTH, &list),
                     0);
    assert_int_equal(tnm_stream_stride(own, 1, 1), 0);
    assert_int_equal(tnm_stream_tell(own, cursor, sizeof cursor), 0);
    assert_non_null(strstr(cursor, "tnm1:view:train@"));
    assert_non_null(strstr(cursor, ":any=0,2:"));
    assert_int_equal(tnm_stream_seek(same, cursor), 0);
    assert_int_equal(tnm_stream_position(same), 1);
    /* of the same samples, but that is not what it says */
    assert_int_equal(tnm_stream_seek(other, cursor), -EINVAL);
    assert_string_equal(tnm_last_error(), "the cursor is of view any=0,2 of train, the stream of "
                                          "view kind=pair of train");
    assert_int_equal(tnm_stream_seek(whole, cursor), -EINVAL);
    assert_string_equal(tnm_last_error(), "the cursor is of view any=0,2 of train, the stream of "
                                          "no view of train");
    /* a list says nothing else than its samples */
    assert_int_equal(tnm_stream_seek(list, cursor), 0);
    assert_int_equal(tnm_stream_tell(list, cursor, sizeof cursor), 0);
    assert_int_equal(tnm_stream_seek(other, cursor), 0);
    assert_int_equal(tnm_stream_tell(whole, cursor, sizeof cursor), 0);
    assert_int_equal(tnm_stream_seek(own, cursor), -EINVAL);
    tnm_stream *all[] = {own, same, other, whole, list};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        tnm_stream_close(all[i]);
}

static void statistics_are_of_the_view(void **state)
{
    (void)state;
    tnm_view *view = open_view("kind=pair"), *whole = open_view("");
    char *text = NULL, path[256];
    n_statistics = 2;
    assert_int_equal(tnm_view_json(view, &text), 0);
    assert_string_equal(text, "{\"samples\": 2}\n");
    tnm_free(text);
    snprintf(path, sizeof path, "/v1/splits/train@%s/statistics?kind=pair", fake_revision);
    assert_string_equal(asked, path);
    text = NULL;
    assert_int_equal(tnm_view_json(whole, &text), -EBADMSG);
    assert_string_equal(tnm_last_error(), "the statistics are not of 3 samples");
    assert_null(text);
    *strchr(path, '?') = '\0';
    assert_string_equal(asked, path);
    tnm_view_close(view);
    tnm_view_close(whole);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_view_has_the_samples_of_its_words),
        TEST(what_is_no_view_is_refused),
        TEST(a_batch_is_asked_for_by_the_words_and_held_to_the_order),
        TEST(a_stream_keeps_its_view),
        TEST(a_cursor_is_of_its_view_alone),
        TEST(statistics_are_of_the_view),
    };
    return cmocka_run_group_tests_name("client view", tests, NULL, NULL);
}
