/* SPDX-License-Identifier: Apache-2.0
 * Requests that a test answers itself, in place of client/request.c. */
#include "tests/fake_requests.h"

#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/crc32c.h"
#include "common/event.h"

struct fake fake;

const char fake_revision[] = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

/* ---- client/request.h ---- */

struct requests {
    struct loop *loop;
};

struct request {
    struct request_ask ask; /* its texts are ours */
    struct loop_timer *timer;
};

int requests_new(struct loop *loop, const tnm_options *options, struct servers *servers,
                 struct requests **ret)
{
    (void)options;
    (void)servers;
    struct requests *all = calloc(1, sizeof *all);
    if (!all)
        return -ENOMEM;
    all->loop = loop;
    *ret = all;
    return 0;
}

void requests_free(struct requests *all)
{
    free(all);
}

void requests_counts(const struct requests *all, uint64_t *ret_answers, uint64_t *ret_bytes,
                     uint64_t *ret_retries)
{
    (void)all;
    *ret_answers = 11;
    *ret_bytes = 22;
    *ret_retries = 33;
}

/* All is made in the loop's thread. */
bool requests_are_well(const struct requests *all)
{
    (void)all;
    return false;
}

int requests_line(struct requests *all, struct line **ret)
{
    (void)all;
    (void)ret;
    return -ENOMEM;
}

uint64_t requests_now_ms(void)
{
    return 0;
}

void requests_count_answer(struct requests *all)
{
    (void)all;
}

int request_check(const struct request_ask *ask, struct answer *answer, struct error *why)
{
    return ask->check(ask->user, answer, why);
}

static void free_request(struct request *request)
{
    loop_timer_free(request->timer);
    free((char *)request->ask.what);
    free((char *)request->ask.path);
    free((char *)request->ask.post);
    free(request);
}

/* Repr-Digest, as a server gives it. */
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

static const struct request_ask *asked; /* what is being answered */

static void end(void *user)
{
    struct request *request = user;
    const struct request_ask *ask = &request->ask;
    struct answer answer = {.status = 200};
    struct error why = {.text = ""};
    asked = ask;
    int r = fake.reply(ask, &answer, &why);
    if (!answer.headers[HEADER_DIGEST][0])
        sign(&answer);
    if (r == 0)
        r = ask->check(ask->user, &answer, &why);
    ask->done(ask->user, r, r < 0 ? NULL : FAKE_SERVER, &why);
    body_clear(&answer.body);
    free_request(request);
}

int request_start(struct requests *all, const struct request_ask *ask, struct request **ret)
{
    if (fake.no_memory)
        return -ENOMEM;
    struct request *request = calloc(1, sizeof *request);
    if (!request)
        return -ENOMEM;
    request->ask = *ask;
    request->ask.what = strdup(ask->what);
    request->ask.path = strdup(ask->path);
    request->ask.post = ask->post ? strdup(ask->post) : NULL;
    if (loop_timer_new(all->loop, end, request, &request->timer) < 0)
        abort();
    loop_timer_start(request->timer, fake.delay_ms);
    fake.started++;
    *ret = request;
    if (fake.on_start)
        fake.on_start();
    return 0;
}

void request_cancel(struct request *request)
{
    if (!request)
        return;
    fake.cancelled++;
    free_request(request);
}

bool request_text(const struct request *request, struct error *ret)
{
    snprintf(ret->text, sizeof ret->text, "waiting for %s, for %s", FAKE_SERVER, request->ask.what);
    return true;
}

/* ---- Answers ---- */

tnm_client *fake_open(fake_reply *reply)
{
    const char *const urls[] = {FAKE_SERVER};
    tnm_client *client;
    fake = (struct fake){.reply = reply};
    assert_int_equal(tnm_open(urls, 1, NULL, &client), 0);
    return client;
}

void fake_bytes(struct answer *answer, const void *bytes, size_t size)
{
    if (body_add(&answer->body, bytes, size) < 0)
        abort();
}

void fake_text(struct answer *answer, const char *text)
{
    fake_bytes(answer, text, strlen(text));
}

void fake_description(struct answer *answer, const char *name, const char *kind, unsigned n_samples)
{
    char text[1024];
    snprintf(text, sizeof text,
             "{\"name\": \"%s\", \"revision\": \"%s\", \"version\": \"2\", \"kind\": \"%s\", "
             "\"samples\": %u, "
             "\"pairs\": 2, \"events\": 100, \"labels\": [1, 2, 1, 1, 0, 0, 0, 0, 0, 0], "
             "\"sensor\": {\"width\": 34, \"height\": 34, \"polarities\": 2}, \"licence\": \"CC\"}",
             name, fake_revision, kind, n_samples);
    fake_text(answer, text);
}

/* One tensor of the header, and where the next one begins. */
static unsigned tensor(char *header, size_t size, const char *name, const char *type,
                       const char *shape, unsigned at, unsigned bytes)
{
    size_t used = strlen(header);
    snprintf(header + used, size - used,
             ",\"%s\":{\"dtype\":\"%s\",\"shape\":[%s],\"data_offsets\":[%u,%u]}", name, type,
             shape, at, at + bytes);
    return at + bytes;
}

/* The text between `from` and one of `ends` as a row of the metadata. */
static const char *add_said(char *header, size_t size, const char *key, const char *from,
                            const char *ends)
{
    size_t used = strlen(header), length = strcspn(from, ends);
    snprintf(header + used, size - used, ",\"%s\":\"%.*s\"", key, (int)length, from);
    return from + length;
}

/* What a batch says of the request that it answers. */
static void add_request(char *header, size_t size)
{
    char request[256] = "", key[16];
    const char *path = asked ? asked->path : "/v1/splits/train/batch.safetensors?", *at;
    size_t name = strcspn(path, "@."), revision = strcspn(path + name, "/.");
    size_t rest = strcspn(path + name + revision, ".?");
    snprintf(request, sizeof request, "%.*s%.*s", (int)name, path,
             path[name] == '@' ? (int)rest : 0, path + name + revision);
    add_said(header, size, "request", request, "");
    if ((at = strstr(request, "/epochs/"))) {
        at = add_said(header, size, "order_seed", at + strlen("/epochs/"), "/");
        add_said(header, size, "epoch", at + 1, "/");
    }
    if (strncmp(request, "/v1/pairs/", 10) == 0)
        add_said(header, size, "seed", request + 10 + strcspn(request + 10, "/") + 1, "/");
    if (strncmp(request, "/v1/mix/", 8) == 0)
        add_said(header, size, "recordings", strrchr(request, '/') + 1, "");
    if ((at = strstr(request, "/batches/")))
        add_said(header, size, "k", at + strlen("/batches/"), "");
    for (at = path + strcspn(path, "?"); *at;) {
        size_t length = strcspn(++at, "=&");
        snprintf(key, sizeof key, "%.*s", (int)length, at);
        at += length;
        if (*at == '=' && strcmp(key, "indices") != 0)
            at = add_said(header, size, key, at + 1, "&");
        else
            at += strcspn(at, "&");
    }
}

enum { HEADER_SIZE = 1528 };

static void begin_header(char *header, size_t size)
{
    snprintf(header, size, "{\"__metadata__\":{\"revision\":\"%s\"", fake_revision);
    add_request(header, size);
    strcat(header, "}");
}

static void end_header(struct answer *answer, char *header)
{
    size_t used = strlen(header);
    const uint64_t length = HEADER_SIZE;
    memset(header + used, ' ', HEADER_SIZE - used);
    header[used] = '}';
    fake_bytes(answer, &length, sizeof length);
    fake_bytes(answer, header, HEADER_SIZE);
}

static void add_header(struct answer *answer, unsigned n, unsigned n_events)
{
    char header[HEADER_SIZE + 1], rows[16], more[16], pairs[16], labels[16], events[16];
    begin_header(header, sizeof header);
    snprintf(rows, sizeof rows, "%u", n);
    snprintf(more, sizeof more, "%u", n + 1);
    snprintf(pairs, sizeof pairs, "%u,2", n);
    snprintf(labels, sizeof labels, "%u,10", n);
    snprintf(events, sizeof events, "%u,5", n_events);
    unsigned at = tensor(header, sizeof header, "offsets", "I64", more, 0, 8 * (n + 1));
    at = tensor(header, sizeof header, "indices", "I64", rows, at, 8 * n);
    at = tensor(header, sizeof header, "checksums", "I64", rows, at, 8 * n);
    at = tensor(header, sizeof header, "sources", "I32", pairs, at, 8 * n);
    at = tensor(header, sizeof header, "labels", "U8", labels, at, 10 * n);
    tensor(header, sizeof header, "events", "U8", events, at, 5 * n_events);
    end_header(answer, header);
}

void fake_batch(struct answer *answer, const uint64_t *indices, unsigned n)
{
    static const uint8_t one[N_DIGITS] = {0, 1}, two[N_DIGITS] = {0, 1, 1},
                         events[2 * EVENT_BYTES] = {33, 7, 0x80, 1, 2};
    bool are_pairs = asked && strncmp(asked->path, "/v1/pairs/", 10) == 0;
    uint64_t offset = 0;
    for (unsigned i = 0; i < n; i++)
        offset += indices[i] % 3;
    add_header(answer, n, (unsigned)offset);
    offset = 0;
    fake_bytes(answer, &offset, sizeof offset);
    for (unsigned i = 0; i < n; i++) {
        offset += indices[i] % 3;
        fake_bytes(answer, &offset, sizeof offset);
    }
    fake_bytes(answer, indices, n * sizeof *indices);
    for (unsigned i = 0; i < n; i++) {
        int64_t crc = crc32c(0, events, indices[i] % 3 * EVENT_BYTES);
        fake_bytes(answer, &crc, sizeof crc);
    }
    for (unsigned i = 0; i < n; i++)
        fake_bytes(answer, (const int32_t[]){(int32_t)i % 2, are_pairs ? (int32_t)(i + 1) % 2 : -1},
                   8);
    for (unsigned i = 0; i < n; i++)
        fake_bytes(answer, are_pairs ? two : one, N_DIGITS);
    for (unsigned i = 0; i < n; i++)
        fake_bytes(answer, events, indices[i] % 3 * EVENT_BYTES);
    sign(answer);
}

/* The longest of the samples, so that there is one. */
static unsigned longest_of(const uint64_t *indices, unsigned n)
{
    unsigned longest = 0;
    for (unsigned i = 0; i < n; i++)
        longest = 1 + indices[i] % 3 > longest ? (unsigned)(1 + indices[i] % 3) : longest;
    return longest;
}

void fake_places(struct answer *answer, const uint64_t *indices, unsigned n)
{
    static const uint8_t one[N_DIGITS] = {0, 1};
    unsigned longest = longest_of(indices, n), n_places = 0;
    char header[HEADER_SIZE + 1], rows[16], pairs[16], counts[32], places[16], labels[16];
    for (unsigned i = 0; i < n; i++)
        n_places += (unsigned)(1 + indices[i] % 3);
    snprintf(rows, sizeof rows, "%u", n);
    snprintf(pairs, sizeof pairs, "%u,2", n);
    snprintf(counts, sizeof counts, "%u,%u", n, longest);
    snprintf(places, sizeof places, "%u", n_places);
    snprintf(labels, sizeof labels, "%u,10", n);
    begin_header(header, sizeof header);
    unsigned at = tensor(header, sizeof header, "indices", "I64", rows, 0, 8 * n);
    at = tensor(header, sizeof header, "checksums", "I64", rows, at, 8 * n);
    at = tensor(header, sizeof header, "sources", "I32", pairs, at, 8 * n);
    at = tensor(header, sizeof header, "counts", "I32", counts, at, 4 * n * longest);
    at = tensor(header, sizeof header, "n_frames", "I32", rows, at, 4 * n);
    at = tensor(header, sizeof header, "places", "I16", places, at, 2 * n_places);
    tensor(header, sizeof header, "labels", "U8", labels, at, 10 * n);
    end_header(answer, header);
    fake_bytes(answer, indices, n * sizeof *indices);
    int16_t own[FAKE_FRAMES];
    for (unsigned i = 0; i < n; i++) {
        for (unsigned t = 0; t < FAKE_FRAMES; t++)
            own[t] = (int16_t)((indices[i] + t) % 2312);
        int64_t crc = crc32c(0, own, (1 + indices[i] % 3) * sizeof *own);
        fake_bytes(answer, &crc, sizeof crc);
    }
    for (unsigned i = 0; i < n; i++)
        fake_bytes(answer, (const int32_t[]){(int32_t)i % 2, -1}, 8);
    for (unsigned i = 0; i < n; i++)
        for (unsigned t = 0; t < longest; t++)
            fake_bytes(answer, (const int32_t[]){t < 1 + indices[i] % 3}, 4);
    for (unsigned i = 0; i < n; i++)
        fake_bytes(answer, (const int32_t[]){(int32_t)(1 + indices[i] % 3)}, 4);
    for (unsigned i = 0; i < n; i++)
        for (unsigned t = 0; t < 1 + indices[i] % 3; t++)
            fake_bytes(answer, (const int16_t[]){(int16_t)((indices[i] + t) % 2312)}, 2);
    for (unsigned i = 0; i < n; i++)
        fake_bytes(answer, one, N_DIGITS);
    sign(answer);
}

void fake_mix(struct answer *answer, const char *path, const int32_t sources[2],
              const uint8_t labels[N_DIGITS])
{
    static const uint8_t events[2 * EVENT_BYTES] = {33, 7, 0x80, 1, 2};
    static const uint64_t offsets[2] = {0, 2}, index = 0;
    const struct request_ask mix = {.path = path}, *before = asked;
    const int64_t crc = crc32c(0, events, sizeof events);
    asked = &mix;
    add_header(answer, 1, 2);
    asked = before;
    fake_bytes(answer, offsets, sizeof offsets);
    fake_bytes(answer, &index, sizeof index);
    fake_bytes(answer, &crc, sizeof crc);
    fake_bytes(answer, sources, 2 * sizeof *sources);
    fake_bytes(answer, labels, N_DIGITS);
    fake_bytes(answer, events, sizeof events);
    sign(answer);
}
