/* SPDX-License-Identifier: Apache-2.0
 * Fuzz target: a request, through the real routes into the real encoders. The answer is whole: a
 * status of the manual, JSON that is valid, lengths that add up, the same length for HEAD, and no
 * byte of the budget kept.
 *
 * The input is a request in lines, as it would come over the wire but with plain line feeds: method
 * and URL, some headers, an empty line, a body. '~' and '^' stand for the revisions of the source
 * and of the split mixed from it, which no mutation finds. */
#include <ctype.h>
#include <endian.h>
#include <jansson.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>

#include "common/crc32c.h"
#include "common/safetensors.h"
#include "server/problem.h"
#include "server/routes.h"
#include "server/samples/budget.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/served.h"

enum { URL_MAX = 1024, N_HEADERS = 10 };

/* ---- From text to a request, as libmicrohttpd would ---- */

static const char *revision_of(const char *name)
{
    struct catalog *catalog = service_catalog(served());
    struct entry *entry = catalog_find(catalog, name, strlen(name));
    FUZZ_CHECK(entry);
    catalog_unref(catalog);
    return entry->revision;
}

/* Put the revisions in; the caller frees what is returned. */
static char *fill_in(const char *text)
{
    char *filled = fuzz_alloc(strlen(text) * SERVED_REVISION + 1), *to = filled;
    for (; *text; text++) {
        if (*text != '~' && *text != '^') {
            *to++ = *text;
            continue;
        }
        memcpy(to, revision_of(*text == '~' ? "nmnist-train" : "train"), SERVED_REVISION);
        to += SERVED_REVISION;
    }
    *to = '\0';
    return filled;
}

static void decode_percent(char *text)
{
    char *to = text;
    while (*text) {
        if (*text == '%' && isxdigit((unsigned char)text[1]) && isxdigit((unsigned char)text[2])) {
            const char digits[] = {text[1], text[2], '\0'};
            *to++ = (char)strtoul(digits, NULL, 16);
            text += 3;
        } else {
            *to++ = *text++;
        }
    }
    *to = '\0';
}

static void read_query(char *query, struct request *request)
{
    char *argument;
    while ((argument = strsep(&query, "&"))) {
        char *value = strchr(argument, '=');
        if (value)
            *value++ = '\0';
        unsigned i = request->n_query++;
        if (i >= REQUEST_MAX_QUERY)
            continue;
        decode_percent(argument);
        if (value)
            decode_percent(value);
        request->query[i].name = argument;
        request->query[i].value = value ? value : "";
    }
}

static enum request_method method_of(const char *name)
{
    return strcmp(name, "GET") == 0       ? METHOD_GET
           : strcmp(name, "HEAD") == 0    ? METHOD_HEAD
           : strcmp(name, "POST") == 0    ? METHOD_POST
           : strcmp(name, "OPTIONS") == 0 ? METHOD_OPTIONS
                                          : METHOD_OTHER;
}

/* The texts that a request points into. */
struct texts {
    char *url, *path, *headers[N_HEADERS], *body;
};

static void read_line(struct input *input, struct texts *texts, struct request *request)
{
    char *line = input_line(input), *url = strchr(line, ' ');
    if (url)
        *url++ = '\0';
    request->method = method_of(line);
    texts->url = fill_in(url ? url : "");
    texts->path = strdup(texts->url);
    free(line);
    request->url = texts->url;
    request->path = texts->path;
    char *query = strchr(texts->path, '?');
    if (query) {
        *query++ = '\0';
        read_query(query, request);
    }
    decode_percent(texts->path);
}

static void read_headers(struct input *input, struct texts *texts, struct request *request)
{
    const struct {
        const char *name;
        const char **value;
    } known[N_HEADERS] = {
        {"Accept: ", &request->accept},
        {"If-None-Match: ", &request->if_none_match},
        {"Range: ", &request->range},
        {"If-Range: ", &request->if_range},
        {"Host: ", &request->host},
        {"X-Forwarded-Host: ", &request->forwarded_host},
        {"X-Forwarded-Proto: ", &request->forwarded_proto},
        {"X-Forwarded-Prefix: ", &request->forwarded_prefix},
        {"Origin: ", &request->origin},
        {"Access-Control-Request-Method: ", &request->asked_method},
    };
    for (;;) {
        char *line = input_line(input);
        if (!*line) {
            free(line);
            return;
        }
        for (unsigned i = 0; i < N_HEADERS; i++) {
            size_t n = strlen(known[i].name);
            if (texts->headers[i] || strncasecmp(line, known[i].name, n) != 0)
                continue;
            *known[i].value = texts->headers[i] = fill_in(line + n);
        }
        free(line);
    }
}

static struct request read_request(struct input input, struct texts *texts)
{
    struct request request = {
        .service = served(),
        .catalog = service_catalog(served()),
        .all_origins = true,
    };
    read_line(&input, texts, &request);
    read_headers(&input, texts, &request);
    size_t size;
    texts->body = (char *)input_bytes(&input, input.left, &size);
    if (size > 0 && request.method == METHOD_POST) {
        request.body = texts->body;
        request.body_size = size;
    }
    return request;
}

static void end_request(struct request *request, struct texts *texts)
{
    free(request->numbers.items);
    views_return(request->view);
    catalog_unref(request->catalog);
    for (unsigned i = 0; i < N_HEADERS; i++)
        free(texts->headers[i]);
    free(texts->url);
    free(texts->path);
    free(texts->body);
}

/* ---- Looking at the answer ---- */

static const char *header_of(const struct reply *reply, const char *name)
{
    for (unsigned i = 0; i < reply->n_headers; i++)
        if (strcmp(reply->headers[i].name, name) == 0)
            return reply->headers[i].value;
    return "";
}

static void check_headers(const struct reply *reply)
{
    FUZZ_CHECK(reply->n_headers <= REPLY_MAX_HEADERS);
    for (unsigned i = 0; i < reply->n_headers; i++)
        for (const char *c = reply->headers[i].value; *c; c++)
            FUZZ_CHECK((unsigned char)*c >= ' ' && *c != 0x7f);
    FUZZ_CHECK(header_of(reply, "Cache-Control")[0] || reply->status == 204);
    FUZZ_CHECK((reply->status == 304 || reply->status == 204) ==
               !header_of(reply, "Content-Type")[0]);
}

static void check_status(const struct reply *reply)
{
#define STATUS(kind, status, ...) status,
    static const unsigned known[] = {200, 204, 206, 304, WIRE_PROBLEMS(STATUS)};
#undef STATUS
    bool found = false;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        found = found || reply->status == known[i];
    FUZZ_CHECK(found);
    /* None of these is a client's doing. */
    FUZZ_CHECK(reply->status != 500 && reply->status != 503);
    bool is_problem = strcmp(header_of(reply, "Content-Type"), "application/problem+json") == 0;
    FUZZ_CHECK(is_problem == (reply->status >= 400));
}

/* All pieces behind each other, and a byte that is not there. */
static uint8_t *body_of(const struct reply *reply)
{
    uint64_t used = 0;
    uint8_t *body = fuzz_alloc(reply->n_bytes);
    for (size_t i = 0; i < reply->n_parts; i++) {
        FUZZ_CHECK(reply->parts[i].iov_len <= reply->n_bytes - used);
        memcpy(body + used, reply->parts[i].iov_base, reply->parts[i].iov_len);
        used += reply->parts[i].iov_len;
    }
    FUZZ_CHECK(used == reply->n_bytes);
    return body;
}

/* An index goes up to 2^64 - 1, which jansson holds as a real only. */
static void check_json(const uint8_t *body, size_t size, bool is_problem, unsigned status)
{
    json_error_t error;
    json_t *root = json_loadb((const char *)body, size,
                              JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, &error);
    FUZZ_CHECK(json_is_object(root));
    if (is_problem)
        FUZZ_CHECK((unsigned)json_number_value(json_object_get(root, "status")) == status);
    json_decref(root);
}

/* Lines of it. */
static void check_jsonl(const uint8_t *body, size_t size)
{
    for (const uint8_t *at = body, *end = body + size; at < end;) {
        const uint8_t *line = memchr(at, '\n', (size_t)(end - at));
        FUZZ_CHECK(line);
        check_json(at, (size_t)(line - at), false, 0);
        at = line + 1;
    }
}

/* As many places as are counted, each of a pixel. */
static void check_sparse(const uint8_t *data, const struct tensor *places,
                         const struct tensor *counts)
{
    uint64_t n = 0, n_pixels = SENSOR_POLARITIES * SENSOR_WIDTH * SENSOR_HEIGHT;
    for (uint64_t at = counts->begin; at < counts->end; at += sizeof(int32_t)) {
        int32_t count;
        memcpy(&count, data + at, sizeof count);
        FUZZ_CHECK(count >= 0);
        n += (uint64_t)count;
    }
    FUZZ_CHECK(n == places->dims[0]);
    for (uint64_t at = places->begin; at < places->end; at += sizeof(int16_t)) {
        int16_t place;
        memcpy(&place, data + at, sizeof place);
        FUZZ_CHECK(place >= 0 && (uint64_t)place < n_pixels);
    }
}

static void check_safetensors(const uint8_t *body, size_t size)
{
    struct safetensors *header;
    struct error why;
    FUZZ_CHECK(safetensors_parse(body, size, &header, &why) == 0);
    const struct tensor *labels = safetensors_find(header, "labels");
    FUZZ_CHECK(labels && labels->n_dims == 2);
    const struct tensor *places = safetensors_find(header, "places");
    if (places)
        check_sparse(body + safetensors_data_start(header), places,
                     safetensors_find(header, "counts"));
    safetensors_free(header);
}

/* Chunks behind each other, each with its sum, up to the last. */
static void check_png(const uint8_t *body, size_t size)
{
    enum { SIGNATURE = 8, FRAME = 12 };
    uint32_t n = 0, sum;
    FUZZ_CHECK(size > SIGNATURE && memcmp(body, "\x89PNG\r\n\x1a\n", SIGNATURE) == 0);
    const uint8_t *at = body + SIGNATURE, *end = body + size, *last = at;
    for (; at < end; at += n + FRAME) {
        last = at;
        FUZZ_CHECK(end - at >= FRAME);
        memcpy(&n, at, sizeof n);
        n = be32toh(n);
        FUZZ_CHECK(n <= (size_t)(end - at) - FRAME);
        memcpy(&sum, at + 8 + n, sizeof sum);
        FUZZ_CHECK(crc32(0, at + 4, n + 4) == be32toh(sum));
    }
    FUZZ_CHECK(memcmp(last + 4, "IEND", 4) == 0);
}

static void check_body(const struct reply *reply)
{
    const char *type = header_of(reply, "Content-Type");
    uint8_t *body = body_of(reply);
    size_t size = reply->n_bytes;
    FUZZ_CHECK(reply->unknown_crc || reply->crc == crc32c(0, body, size));
    if (strcmp(type, WIRE_JSONL_TYPE) == 0)
        check_jsonl(body, size);
    else if (strstr(type, "json"))
        check_json(body, size, strstr(type, "problem"), reply->status);
    else if (strcmp(type, "application/x-safetensors") == 0 && reply->status == 200)
        check_safetensors(body, size);
    else if (strcmp(type, WIRE_PNG_TYPE) == 0)
        check_png(body, size);
    else if (strcmp(type, "application/x-npy") == 0)
        FUZZ_CHECK(size > 8 && memcmp(body, "\x93NUMPY", 6) == 0);
    free(body);
}

static struct reply ask(struct request *request, bool head_only)
{
    struct reply reply = {.max_bytes = service_settings(request->service)->max_answer_bytes,
                          .head_only = head_only};
    if (routes_prepare(request, &reply)) {
        routes_is_heavy(request);
        routes_run(request, &reply);
    }
    return reply;
}

static void check_same(const struct reply *head, const struct reply *whole)
{
    FUZZ_CHECK(head->status == whole->status || head->unknown_length);
    FUZZ_CHECK(head->n_bytes == whole->n_bytes || head->unknown_length);
    for (unsigned i = 0; i < head->n_headers && head->status == whole->status; i++)
        FUZZ_CHECK(strcmp(head->headers[i].value, header_of(whole, head->headers[i].name)) == 0);
}

/* The same URL again, for its length alone. Ranges are not for HEAD. */
static void check_head(struct input input, const struct reply *whole)
{
    struct texts texts = {0};
    struct request request = read_request(input, &texts);
    request.method = METHOD_HEAD;
    struct reply head = ask(&request, true);
    if (!request.range)
        check_same(&head, whole);
    reply_reset(&head);
    end_request(&request, &texts);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct input input = {bytes, size};
    struct texts texts = {0};
    if (size > URL_MAX * 4)
        return 0;
    struct request request = read_request(input, &texts);
    struct reply reply = ask(&request, request.method == METHOD_HEAD);
    check_status(&reply);
    check_headers(&reply);
    /* A 304 has the length of what the client has, and nothing of it. */
    if (request.method != METHOD_HEAD && (reply.status != 304 || reply.n_parts > 0))
        check_body(&reply);
    if (request.method == METHOD_GET)
        check_head(input, &reply);
    reply_reset(&reply);
    end_request(&request, &texts);
    FUZZ_CHECK(budget_used() == 0);
    return 0;
}
