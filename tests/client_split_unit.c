/* SPDX-License-Identifier: Apache-2.0
 * Tests of client/split, client/labels and client/get: an opened split, and the single answers that
 * are asked for through it and waited for. */
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

enum { N = 3, LABELS = N * N_DIGITS };

static tnm_client *client;
static tnm_split *split;

/* What the servers say; the last path that was asked for, and the body. */
static const char *description; /* NULL: a good one */
static const char *kind;
static char asked[512], posted[2048];

static int describe(const struct request_ask *ask, struct answer *answer, struct error *why)
{
    (void)why;
    snprintf(asked, sizeof asked, "%s", ask->path);
    snprintf(posted, sizeof posted, "%s", ask->post ? ask->post : "");
    if (description)
        fake_text(answer, description);
    else
        fake_description(answer, "train", kind, N);
    return 0;
}

static int open_client(void **state)
{
    (void)state;
    description = NULL;
    kind = "source";
    split = NULL;
    client = fake_open(describe);
    return 0;
}

static int open_split(void **state)
{
    open_client(state);
    return tnm_split_open(client, "train", &split);
}

static int close_all(void **state)
{
    (void)state;
    tnm_close(client);
    tnm_split_close(split);
    return 0;
}

/* ---- Opening ---- */

static void an_opened_split_says_what_it_is(void **state)
{
    (void)state;
    tnm_geometry geometry;
    assert_string_equal(asked, "/v1/splits/train");
    assert_string_equal(tnm_split_name(split), "train");
    assert_string_equal(tnm_split_revision(split), fake_revision);
    assert_int_equal(tnm_split_n_samples(split), N);
    assert_int_equal(tnm_split_n_pairs(split), 2);
    assert_int_equal(tnm_split_n_events(split), 100);
    assert_int_equal(tnm_split_is_source(split), 1);
    assert_string_equal(tnm_split_text(split, "licence"), "CC");
    assert_null(tnm_split_text(split, "samples"));
    assert_int_equal(tnm_split_json(split)[0], '{');
    tnm_split_geometry(split, &geometry);
    assert_int_equal(geometry.width, 34);
    assert_int_equal(geometry.height, 34);
    assert_int_equal(geometry.n_labels, 10);
}

static void a_split_keeps_its_client(void **state)
{
    (void)state;
    tnm_batch *batch = NULL;
    tnm_close(client);
    client = NULL;
    description = "no batch";
    assert_int_equal(tnm_samples(split, (const uint64_t[]){1}, 1, &batch), -EBADMSG);
    assert_null(batch);
}

static void a_revision_is_asked_for_and_has_to_come(void **state)
{
    (void)state;
    char name[64], path[128];
    snprintf(name, sizeof name, "train@%.12s", fake_revision);
    snprintf(path, sizeof path, "/v1/splits/%s", name);
    assert_int_equal(tnm_split_open(client, name, &split), 0);
    assert_string_equal(asked, path);
    tnm_split_close(split);
    split = NULL;
    static const char *const others[] = {"train@001122334456", "trai", "training"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        assert_int_equal(tnm_split_open(client, others[i], &split), -EPROTO);
        assert_non_null(strstr(tnm_last_error(), "the server describes train@0011"));
    }
    assert_null(split);
}

static void names_that_are_none_are_not_asked_for(void **state)
{
    (void)state;
    char longer[WIRE_NAME_MAX + 2], revision[128];
    memset(longer, 'a', sizeof longer);
    longer[sizeof longer - 1] = 0;
    snprintf(revision, sizeof revision, "train@%s0", fake_revision);
    const char *const wrong[] = {
        NULL,
        "",
        ".",
        "..",
        ".hidden",
        "a/b",
        "a b",
        "a?b",
        "a%b",
        "@",
        "a@",
        "a@123",
        "a@00112233445",
        "a@0011223344AA",
        "a@001122334455/x",
        "\xc3\xa4",
        longer,
        revision,
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(tnm_split_open(client, wrong[i], &split), -EINVAL);
    assert_int_equal(fake.started, 0);
    assert_null(split);
    longer[WIRE_NAME_MAX] = 0;
    assert_int_equal(tnm_split_open(client, longer, &split), -EPROTO); /* it is another's answer */
    assert_int_equal(fake.started, 1);
    assert_int_equal(tnm_split_open(NULL, "train", &split), -EINVAL);
}

/* A good description with one part replaced. */
static const char *changed(const char *from, const char *to)
{
    static char text[1024];
    struct answer answer = {.status = 200};
    fake_description(&answer, "train", "source", N);
    const char *bytes = (const char *)answer.body.bytes;
    const char *at = memmem(bytes, answer.body.size, from, strlen(from));
    assert_non_null(at);
    size_t tail = answer.body.size - (size_t)(at - bytes) - strlen(from);
    snprintf(text, sizeof text, "%.*s%s%.*s", (int)(at - bytes), bytes, to, (int)tail,
             at + strlen(from));
    body_clear(&answer.body);
    return text;
}

static void descriptions_that_lack_something_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to, *words;
    } cases[] = {
        {"{\"name\"", "[\"name\"", "no JSON"},
        {"\"name\"", "\"nome\"", "no valid \"name\""},
        {"\"revision\": \"00", "\"revision\": \"", "is no SHA-256"},
        {"\"revision\": \"0", "\"revision\": \"G", "is no SHA-256"},
        {"\"revision\": \"0", "\"revision\": \"00", "no valid \"revision\""},
        {"\"source\"", "7", "no valid \"kind\""},
        {"\"samples\": 3", "\"samples\": -3", "no valid \"samples\""},
        {"\"samples\": 3", "\"samples\": 2147483648", "no valid \"samples\""},
        {"\"pairs\": 2", "\"pairs\": 2.5", "no valid \"pairs\""},
        {"\"events\": 100", "\"events\": 4611686018427387904", "no valid \"events\""},
        {"\"labels\": [1,", "\"labels\": [null,", "no valid \"labels\""},
        {"\"labels\": [1, 2, 1, 1, 0, 0, 0, 0, 0, 0]", "\"labels\": []", "of none"},
        {"\"width\": 34", "\"width\": 257", "no valid \"sensor\""},
        {"\"height\": 34", "\"height\": 0", "of none"},
        {"\"polarities\": 2", "\"polarities\": 1", "no valid \"sensor\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        description = changed(cases[i].from, cases[i].to);
        assert_int_equal(tnm_split_open(client, "train", &split), -EBADMSG);
        if (!strstr(tnm_last_error(), cases[i].words))
            fail_msg("\"%s\" does not say \"%s\"", tnm_last_error(), cases[i].words);
        assert_null(split);
    }
}

static void
splits_of_another_version_are_refused_with_the_command_that_makes_them_anew(void **state)
{
    (void)state;
    static const char *const others[] = {"", "\"version\": \"1\",", "\"version\": \"3\","};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        description = changed("\"version\": \"2\",", others[i]);
        assert_int_equal(tnm_split_open(client, "train", &split), -EPROTO);
        assert_non_null(strstr(tnm_last_error(), i < 2 ? "version \"1\"" : "version \"3\""));
        assert_non_null(strstr(tnm_last_error(), "\"twonmnist-generate splits --from PATH --out"));
        assert_null(split);
    }
}

static void the_catalog_is_a_text_of_json(void **state)
{
    (void)state;
    char *text = NULL;
    description = "[1]";
    assert_int_equal(tnm_catalog_json(client, &text), -EBADMSG);
    assert_null(text);
    description = "{\"splits\": []}";
    assert_int_equal(tnm_catalog_json(client, &text), 0);
    assert_string_equal(asked, "/v1/splits");
    assert_string_equal(text, description);
    tnm_free(text);
}

/* ---- Labels ---- */

static uint8_t labels[LABELS];

static int answer_labels(const struct request_ask *ask, struct answer *answer, struct error *why)
{
    char header[NPY_HEADER_MAX];
    (void)why;
    snprintf(asked, sizeof asked, "%s", ask->path);
    size_t size = npy_header(header, "'|u1'", (const uint64_t[]){N, N_DIGITS}, 2);
    fake_bytes(answer, header, size);
    fake_bytes(answer, labels, sizeof labels);
    return 0;
}

/* As the description counts them: 0 and 1, 1 and 2, 3. */
static void set_labels(void)
{
    memset(labels, 0, sizeof labels);
    labels[0] = labels[1] = labels[N_DIGITS + 1] = labels[N_DIGITS + 2] = 1;
    labels[2 * N_DIGITS + 3] = 1;
    fake.reply = answer_labels;
}

static void labels_are_those_that_the_description_counts(void **state)
{
    (void)state;
    static const struct {
        size_t at;
        uint8_t value;
        const char *words;
    } wrong[] = {
        {0, 2, "sample 0: "},
        {2 * N_DIGITS + 3, 0, "sample 2: "},
        {4, 1, "are not those"},
        {0, 0, "are not those"},
    };
    uint8_t out[LABELS];
    char path[256];
    set_labels();
    assert_int_equal(tnm_split_labels(split, out, sizeof out), 0);
    assert_memory_equal(out, labels, sizeof labels);
    snprintf(path, sizeof path, "/v1/splits/train@%s/labels.npy", fake_revision);
    assert_string_equal(asked, path);
    memset(out, 7, sizeof out);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        set_labels();
        labels[wrong[i].at] = wrong[i].value;
        assert_int_equal(tnm_split_labels(split, out, sizeof out), -EBADMSG);
        assert_non_null(strstr(tnm_last_error(), wrong[i].words));
    }
    set_labels(); /* each digit as often as it should, but in no pairs */
    labels[0] = 0;
    labels[N_DIGITS] = 1;
    assert_int_equal(tnm_split_labels(split, out, sizeof out), -EBADMSG);
    assert_non_null(strstr(tnm_last_error(), "are not those"));
    assert_int_equal(out[0], 7);
}

static void labels_need_room_and_an_array(void **state)
{
    (void)state;
    uint8_t out[LABELS];
    unsigned before = fake.started;
    assert_int_equal(tnm_split_labels(split, out, LABELS - 1), -ENOBUFS);
    assert_string_equal(tnm_last_error(), "the labels have 30 bytes; the buffer has 29");
    assert_int_equal(tnm_split_labels(NULL, out, LABELS), -EINVAL);
    assert_int_equal(fake.started, before);
    assert_int_equal(tnm_split_labels(split, out, LABELS), -EBADMSG); /* a description */
    assert_string_equal(tnm_last_error(), "the answer is no array of 3 x 10 labels");
}

/* ---- Single batches ---- */

static uint64_t wanted[64];
static unsigned n_wanted;

static int answer_batch(const struct request_ask *ask, struct answer *answer, struct error *why)
{
    (void)why;
    snprintf(asked, sizeof asked, "%s", ask->path);
    fake_batch(answer, wanted, n_wanted);
    return 0;
}

static void samples_come_in_the_order_that_was_asked_for(void **state)
{
    (void)state;
    tnm_batch *batch = NULL;
    fake.reply = answer_batch;
    wanted[0] = 2, wanted[1] = 0, wanted[2] = 2;
    n_wanted = 3;
    assert_int_equal(tnm_samples(split, wanted, n_wanted, &batch), 0);
    assert_memory_equal(tnm_batch_indices(batch), wanted, 3 * sizeof *wanted);
    assert_string_equal(tnm_batch_server(batch), FAKE_SERVER);
    assert_int_equal(tnm_batch_number(batch), 0);
    tnm_batch_free(batch);
}

static void an_epoch_s_batch_is_a_share_of_its_order(void **state)
{
    (void)state;
    tnm_batch *batch = NULL;
    uint32_t order[N];
    order_epoch(5, 1, N, order);
    fake.reply = answer_batch;
    wanted[0] = order[2], wanted[1] = order[0]; /* padded from the beginning */
    n_wanted = 2;
    assert_int_equal(tnm_epoch_batch(split, 5, 1, 1, 2, 0, 1, TNM_LAST_PAD, &batch), 0);
    assert_int_equal(tnm_batch_number(batch), 1);
    assert_memory_equal(tnm_batch_indices(batch), wanted, 2 * sizeof *wanted);
    tnm_batch_free(batch);
}

static void pairs_are_asked_for_by_their_number(void **state)
{
    (void)state;
    tnm_batch *batch = NULL;
    char path[256];
    fake.reply = answer_batch;
    wanted[0] = UINT64_MAX - 1;
    n_wanted = 1;
    assert_int_equal(tnm_pair(split, 3, UINT64_MAX - 1, &batch), 0);
    snprintf(path, sizeof path,
             "/v1/pairs/train@%s/3/batches/18446744073709551614.safetensors?size=1&rank=0&world=1",
             fake_revision);
    assert_string_equal(asked, path);
    assert_int_equal(tnm_batch_number(batch), UINT64_MAX - 1);
    tnm_batch_free(batch);
}

static void a_mix_of_one_is_that_sample(void **state)
{
    (void)state;
    tnm_batch *batch = NULL;
    fake.reply = answer_batch;
    wanted[0] = 1;
    n_wanted = 1;
    assert_int_equal(tnm_mix(split, wanted, 1, &batch), 0);
    assert_non_null(strstr(asked, "/batch.safetensors?indices=1"));
    tnm_batch_free(batch);
}

static void the_form_goes_with_what_is_asked_for(void **state)
{
    (void)state;
    tnm_batch *batch = NULL;
    fake.reply = answer_batch;
    wanted[0] = 1;
    n_wanted = 1;
    assert_int_equal(tnm_split_set_form(split, TNM_ORDER_TIME, 1000000), 0);
    assert_int_equal(tnm_split_set_form(split, 3, 0), -EINVAL);
    assert_int_equal(tnm_split_set_form(split, -1, 0), -EINVAL);
    assert_int_equal(tnm_split_set_form(split, 0, 1000001), -EINVAL);
    assert_int_equal(tnm_split_set_form(NULL, 0, 0), -EINVAL);
    assert_int_equal(tnm_samples(split, wanted, 1, &batch), 0);
    assert_non_null(strstr(asked, "?indices=1&order=time&timestep=1000000"));
    tnm_batch_free(batch);
}

static void what_cannot_be_is_not_asked_for(void **state)
{
    (void)state;
    static const uint64_t past[] = {0, N}, many[N_DIGITS + 1] = {0};
    const unsigned before = fake.started;
    tnm_batch *batch = NULL;
    assert_int_equal(tnm_samples(split, past, 2, &batch), -ENOENT);
    assert_string_equal(tnm_last_error(), "there is no sample 3; split train has 3");
    assert_int_equal(tnm_epoch_batch(split, 1, 0, 2, 2, 0, 1, TNM_LAST_SHORT, &batch), -ENOENT);
    assert_int_equal(tnm_epoch_batch(split, 1, 0, 1, 2, 0, 1, TNM_LAST_DROP, &batch), -ENOENT);
    assert_int_equal(tnm_epoch_batch(split, 1, 0, 0, 0, 0, 1, TNM_LAST_SHORT, &batch), -EINVAL);
    assert_int_equal(tnm_epoch_batch(split, 1, 0, 0, 2, 1, 1, TNM_LAST_SHORT, &batch), -EINVAL);
    assert_int_equal(tnm_epoch_batch(split, 1, 0, 0, 2, 0, 1, 9, &batch), -EINVAL);
    assert_int_equal(tnm_pair(split, 1, UINT64_MAX, &batch), -EINVAL);
    assert_int_equal(tnm_pair_batch(split, 1, UINT64_MAX / 2, 2, 0, 1, &batch), -EINVAL);
    assert_non_null(strstr(tnm_last_error(), "past 2^64"));
    assert_int_equal(tnm_pair_batch(split, 1, 0, 0, 0, 1, &batch), -EINVAL);
    assert_int_equal(tnm_mix(split, past, 0, &batch), -EINVAL);
    assert_int_equal(tnm_mix(split, many, N_DIGITS + 1, &batch), -EINVAL);
    assert_int_equal(tnm_mix(split, past, 2, &batch), -ENOENT);
    assert_int_equal(tnm_samples(NULL, past, 1, &batch), -EINVAL);
    assert_string_equal(tnm_last_error(), "there is no split");
    assert_int_equal(fake.started, before);
    assert_null(batch);
}

static void pairs_and_mixes_are_of_source_splits(void **state)
{
    (void)state;
    tnm_batch *batch = NULL;
    kind = "mixed";
    assert_int_equal(tnm_split_open(client, "train", &split), 0);
    assert_int_equal(tnm_split_is_source(split), 0);
    assert_int_equal(tnm_pair(split, 1, 0, &batch), -EINVAL);
    assert_int_equal(tnm_mix(split, (const uint64_t[]){0, 1}, 2, &batch), -EINVAL);
    assert_string_equal(tnm_last_error(), "train is no source split");
    assert_null(batch);
}

static void batches_of_an_epoch_are_counted(void **state)
{
    (void)state;
    assert_int_equal(tnm_epoch_n_batches(split, 0, TNM_LAST_SHORT), 0);
    assert_int_equal(tnm_epoch_n_batches(split, 2, TNM_LAST_SHORT), 2);
    assert_int_equal(tnm_epoch_n_batches(split, 2, TNM_LAST_PAD), 2);
    assert_int_equal(tnm_epoch_n_batches(split, 2, TNM_LAST_DROP), 1);
    assert_int_equal(tnm_epoch_n_batches(split, 4, TNM_LAST_DROP), 0);
}

int main(void)
{
#define CLIENT(name) cmocka_unit_test_setup_teardown(name, open_client, close_all)
#define SPLIT(name)  cmocka_unit_test_setup_teardown(name, open_split, close_all)
    const struct CMUnitTest tests[] = {
        SPLIT(an_opened_split_says_what_it_is),
        SPLIT(a_split_keeps_its_client),
        CLIENT(a_revision_is_asked_for_and_has_to_come),
        CLIENT(names_that_are_none_are_not_asked_for),
        CLIENT(descriptions_that_lack_something_are_refused),
        CLIENT(splits_of_another_version_are_refused_with_the_command_that_makes_them_anew),
        CLIENT(the_catalog_is_a_text_of_json),
        SPLIT(labels_are_those_that_the_description_counts),
        SPLIT(labels_need_room_and_an_array),
        SPLIT(samples_come_in_the_order_that_was_asked_for),
        SPLIT(an_epoch_s_batch_is_a_share_of_its_order),
        SPLIT(pairs_are_asked_for_by_their_number),
        SPLIT(a_mix_of_one_is_that_sample),
        SPLIT(the_form_goes_with_what_is_asked_for),
        SPLIT(what_cannot_be_is_not_asked_for),
        CLIENT(pairs_and_mixes_are_of_source_splits),
        SPLIT(batches_of_an_epoch_are_counted),
    };
    return cmocka_run_group_tests_name("client_split", tests, NULL, NULL);
}
