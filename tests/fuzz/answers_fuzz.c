/* SPDX-License-Identifier: Apache-2.0
 * Fuzz target: what a server's good answers can do to the client's library: descriptions, labels,
 * batches, mixes. The library is the real one but for the transport, which this file plays.
 *
 * The input is one answer behind the other: a line for Repr-Digest ('*' for the right one), two bytes
 * with the body's length, the body. */
#include <errno.h>
#include <string.h>

#include "client/client.h"
#include "client/split.h"
#include "common/crc32c.h"
#include "tests/fuzz/fuzz.h"

enum { MAX_TRIES = 3, MAX_LABELS = 4096, N_ASKED = 2, BATCH_SIZE = 4 };

static struct input answers;

/* ---- In place of client/client.c ---- */

static tnm_client client = {.lock = PTHREAD_MUTEX_INITIALIZER};

int client_check(const tnm_client *asked)
{
    FUZZ_CHECK(asked == &client);
    return 0;
}

bool client_is_ours(const tnm_client *asked)
{
    return asked == &client;
}

tnm_client *client_ref(tnm_client *asked)
{
    asked->n_refs++;
    return asked;
}

void client_unref(tnm_client *asked)
{
    FUZZ_CHECK(asked->n_refs-- > 0);
}

static void set_header(struct answer *answer, enum answer_header header)
{
    char *line = input_line(&answers);
    snprintf(answer->headers[header], HEADER_MAX, "%s", line);
    free(line);
}

static void set_body(struct answer *answer)
{
    size_t low = input_u8(&answers), size = low | (size_t)input_u8(&answers) << 8;
    uint8_t *bytes = input_bytes(&answers, size, &size);
    FUZZ_CHECK(body_add(&answer->body, bytes, size) == 0);
    free(bytes);
}

/* "crc32c=:" and four bytes in base64. */
static void sign(struct answer *answer)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint64_t bits = (uint64_t)crc32c(0, answer->body.bytes, answer->body.size) << 4;
    char coded[] = "AAAAAA";
    for (int i = 5; i >= 0; i--, bits >>= 6)
        coded[i] = letters[bits & 63];
    snprintf(answer->headers[HEADER_DIGEST], HEADER_MAX, "crc32c=:%s==:", coded);
}

int client_request(tnm_client *asked, const struct request_ask *ask, char **ret_server)
{
    int r = -EBADMSG;
    FUZZ_CHECK(asked == &client && ask->path[0] == '/');
    for (int try = 0; r == -EBADMSG && try < MAX_TRIES && answers.left > 0; try++) {
        struct answer answer = {.status = 200};
        struct error why = {""};
        set_header(&answer, HEADER_DIGEST);
        set_body(&answer);
        if (strcmp(answer.headers[HEADER_DIGEST], "*") == 0)
            sign(&answer);
        r = ask->check(ask->user, &answer, &why);
        FUZZ_CHECK(r == 0 || ((r == -EBADMSG || r == -ESTALE || r == -EPROTO) && why.text[0]));
        body_clear(&answer.body);
    }
    if (r == 0 && ret_server)
        *ret_server = strdup("a server");
    return r;
}

/* ---- What a program would do with them ---- */

static void look_at(tnm_batch *batch, uint64_t n_samples)
{
    tnm_decoder *decoder;
    FUZZ_CHECK(tnm_batch_n_samples(batch) == n_samples);
    FUZZ_CHECK(tnm_decoder_columns(&decoder) == 0);
    size_t size = tnm_decoder_size(decoder, n_samples, tnm_batch_n_events(batch));
    void *out = fuzz_alloc(size);
    FUZZ_CHECK(tnm_decode(decoder, batch, out, size) == 0);
    for (uint64_t i = 0; i < n_samples * N_DIGITS; i++)
        FUZZ_CHECK(tnm_batch_labels(batch)[i] <= 1);
    FUZZ_CHECK(tnm_batch_offsets(batch)[n_samples] == tnm_batch_n_events(batch));
    free(out);
    tnm_decoder_free(decoder);
    tnm_batch_free(batch);
}

static void ask_labels(tnm_split *split)
{
    uint64_t n = tnm_split_n_samples(split);
    uint8_t *labels = fuzz_alloc(n * N_DIGITS);
    if (tnm_split_labels(split, labels, n * N_DIGITS) == 0)
        for (uint64_t i = 0; i < n * N_DIGITS; i++)
            FUZZ_CHECK(labels[i] <= 1);
    free(labels);
}

static void ask_batches(tnm_split *split)
{
    static const uint64_t asked[N_ASKED] = {7, 3};
    tnm_batch *batch;
    if (tnm_samples(split, asked, N_ASKED, &batch) == 0)
        look_at(batch, N_ASKED);
    if (tnm_epoch_batch(split, 1, 2, 0, BATCH_SIZE, 0, 1, TNM_LAST_PAD, &batch) == 0)
        look_at(batch, BATCH_SIZE);
    if (!tnm_split_is_source(split))
        return;
    if (tnm_mix(split, asked, N_ASKED, &batch) == 0)
        look_at(batch, 1);
    if (tnm_pair(split, 1, 7, &batch) == 0)
        look_at(batch, 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    tnm_split *split;
    char *catalog;
    answers = (struct input){bytes, size};
    if (tnm_split_open(&client, "train", &split) == 0) {
        FUZZ_CHECK(strcmp(tnm_split_name(split), "train") == 0);
        FUZZ_CHECK(strlen(tnm_split_revision(split)) == WIRE_REVISION_MAX);
        if (tnm_split_n_samples(split) <= MAX_LABELS) {
            ask_labels(split);
            ask_batches(split);
        }
        tnm_split_text(split, "origin");
        tnm_split_close(split);
    }
    if (tnm_catalog_json(&client, &catalog) == 0)
        free(catalog);
    FUZZ_CHECK(client.n_refs == 0);
    return 0;
}
