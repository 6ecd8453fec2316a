/* SPDX-License-Identifier: Apache-2.0
 * What server, client and Python have to agree on, once. Programs of different ages meet here: a
 * row may be added, and none changes its meaning. */
#pragma once

#include <stdint.h>

#include "common/safetensors.h"

/* clang-format off */

/* Kinds of errors, sent as application/problem+json. The last two columns are the client's: whether
 * it is to try again (client/retry.h), and which negative errno it reports in the end.
 *
 * kind, HTTP status, code, title, RETRY_…, errno */
#define WIRE_PROBLEMS(X) \
    X(BAD_REQUEST,       400, "bad-request",        "This is not a request of HTTP/1.1", NEVER, EINVAL) \
    X(BAD_PARAMETER,     400, "bad-parameter",      "A parameter is not valid", NEVER, EINVAL) \
    X(BAD_BODY,          400, "bad-body",           "The body is not what this path takes", NEVER, EINVAL) \
    X(TOKEN_MISSING,     401, "token-missing",      "This server wants a token", OTHER, EACCES) \
    X(TOKEN_WRONG,       401, "token-wrong",        "This token lets nobody in", OTHER, EACCES) \
    X(TOKEN_EXPIRED,     401, "token-expired",      "This token has expired", OTHER, EACCES) \
    X(NO_SUCH_PATH,      404, "no-such-path",       "There is nothing at this path", NEVER, ENOENT) \
    X(NO_SUCH_SPLIT,     404, "no-such-split",      "There is no such split", OTHER, ENOENT) \
    X(NO_SUCH_REVISION,  404, "no-such-revision",   "This revision of the split is not loaded", OTHER, ESTALE) \
    X(NO_SUCH_SAMPLE,    404, "no-such-sample",     "There is no such sample", NEVER, ENOENT) \
    X(NO_SUCH_BATCH,     404, "no-such-batch",      "The epoch has no such batch", NEVER, ENOENT) \
    X(NO_SUCH_SHARD,     404, "no-such-shard",      "There is no such shard", NEVER, ENOENT) \
    X(NO_SOURCE,         404, "no-source",          "The recordings behind this split are not loaded", OTHER, ENOENT) \
    X(METHOD,            405, "method-not-allowed", "This path does not take that method", NEVER, EINVAL) \
    X(NOT_ACCEPTABLE,    406, "not-acceptable",     "This path has no such format", NEVER, EINVAL) \
    X(TOO_LARGE,         413, "too-large",          "This is more than one request may ask for", NEVER, EINVAL) \
    X(URL_TOO_LONG,      414, "url-too-long",       "The URL is too long", NEVER, EINVAL) \
    X(RANGE,             416, "range-not-satisfiable", "The range lies outside the file", NEVER, EINVAL) \
    X(RATE,              429, "rate-limited",       "This address has asked for too much", AGAIN, EHOSTUNREACH) \
    X(HEADERS_TOO_LARGE, 431, "headers-too-large",  "The head of the request is too large", NEVER, EINVAL) \
    X(SPLIT_DAMAGED,     500, "split-damaged",      "The split's file was damaged while it was served", OTHER, EBADMSG) \
    X(INTERNAL,          500, "internal",           "The server made a mistake", AGAIN, EHOSTUNREACH) \
    X(NO_MEMORY,         500, "no-memory",          "There is no memory for the answer", AGAIN, EHOSTUNREACH) \
    X(NOT_IMPLEMENTED,   501, "not-implemented",    "This part of HTTP/1.1 is not taken", OTHER, EPROTO) \
    X(BUSY,              503, "busy",               "The server has more to do than it takes on", AGAIN, EHOSTUNREACH) \
    X(STOPPING,          503, "stopping",           "The server is stopping", AGAIN, EHOSTUNREACH)

/* The tensors of a split file and of a batch, in the order in which they lie there; each has a row
 * for each sample (offsets: one more; events: one for each event), and columns where not 0. Only types that every reader
 * of safetensors knows: checksums are 0 to 2^32 - 1, and indices past 2^63 - 1 are in two's
 * complement.
 *
 * tensor, name, dtype, columns */
#define WIRE_SPLIT_TENSORS(X) \
    X(OFFSETS,   "offsets",   I64, 0) \
    X(CHECKSUMS, "checksums", I64, 0) \
    X(SOURCES,   "sources",   I32, 2) \
    X(LABELS,    "labels",    U8,  N_DIGITS) \
    X(EVENTS,    "events",    U8,  EVENT_BYTES)

#define WIRE_BATCH_TENSORS(X) \
    X(OFFSETS,   "offsets",   I64, 0) \
    X(INDICES,   "indices",   I64, 0) \
    X(CHECKSUMS, "checksums", I64, 0) \
    X(SOURCES,   "sources",   I32, 2) \
    X(LABELS,    "labels",    U8,  N_DIGITS) \
    X(EVENTS,    "events",    U8,  EVENT_BYTES)
/* clang-format on */

/* One of these forms stands in a batch instead of offsets and events; where samples have different
 * numbers of frames, each one's is told. */
#define WIRE_FRAMES   "frames"   /* [n, …axes…], U8, U16, or F32 of a voxel grid */
#define WIRE_PLACES   "places"   /* I16, those that are set, one frame's behind the other */
#define WIRE_COUNTS   "counts"   /* I32 [n, T], of them in each frame */
#define WIRE_BITS     "bits"     /* U8 [n, ceil(T / 8), channels, height, width] */
#define WIRE_N_FRAMES "n_frames" /* I32 [n] */

enum wire_split_tensor {
#define WIRE_ROW(tensor, ...) WIRE_SPLIT_##tensor,
    WIRE_SPLIT_TENSORS(WIRE_ROW)
#undef WIRE_ROW
        WIRE_SPLIT_N
};

enum wire_batch_tensor {
#define WIRE_ROW(tensor, ...) WIRE_BATCH_##tensor,
    WIRE_BATCH_TENSORS(WIRE_ROW)
#undef WIRE_ROW
        WIRE_BATCH_N
};

struct wire_tensor {
    const char *name;
    enum tensor_dtype dtype;
    uint64_t columns;
};

extern const struct wire_tensor wire_split[WIRE_SPLIT_N], wire_batch[WIRE_BATCH_N];

/* The tensor with that many rows. */
struct tensor wire_tensor(const struct wire_tensor *row, uint64_t n_rows);

/* Headers of answers, beside those of HTTP itself. */
#define WIRE_LABELS         "Twonmnist-Labels"         /* "3, 8" */
#define WIRE_SOURCES        "Twonmnist-Sources"        /* "17, 4711" */
#define WIRE_REVISION       "Twonmnist-Revision"       /* of the split, WIRE_REVISION_MAX digits */
#define WIRE_INDICES_SHA256 "Twonmnist-Indices-SHA256" /* of a view's positions, u64 */
#define WIRE_DIGEST         "Repr-Digest" /* WIRE_CRC32C, base64 of the sum's four bytes, ":" */
#define WIRE_CRC32C         "crc32c=:"

/* Those that the pages of other sites may read, too. */
#define WIRE_EXPOSED                                                                   \
    "ETag, Repr-Digest, Retry-After, Accept-Ranges, Content-Range, Content-Encoding, " \
    "RateLimit, RateLimit-Policy, " WIRE_LABELS ", " WIRE_SOURCES ", " WIRE_REVISION   \
    ", " WIRE_INDICES_SHA256

/* Formats: the ending of a path, and the media type. */
#define WIRE_JSON             "json"
#define WIRE_JSON_TYPE        "application/json"
#define WIRE_BIN              "bin"
#define WIRE_BIN_TYPE         "application/octet-stream"
#define WIRE_NPY              "npy"
#define WIRE_NPY_TYPE         "application/x-npy"
#define WIRE_SAFETENSORS      "safetensors"
#define WIRE_SAFETENSORS_TYPE "application/x-safetensors"
#define WIRE_CSV              "csv"
#define WIRE_CSV_TYPE         "text/csv; charset=utf-8; header=present"
#define WIRE_JSONL            "jsonl"
#define WIRE_JSONL_TYPE       "application/jsonl"
#define WIRE_JSONLD           "jsonld"
#define WIRE_JSONLD_TYPE      "application/ld+json; profile=\"http://mlcommons.org/croissant/1.1\""
#define WIRE_TXT              "txt"
#define WIRE_TXT_TYPE         "text/plain; charset=utf-8"
#define WIRE_PNG              "png"
#define WIRE_PNG_TYPE         "image/png"
#define WIRE_METRICS          "prom"
#define WIRE_METRICS_TYPE     "text/plain; version=0.0.4; charset=utf-8"
#define WIRE_TAR              "tar"
#define WIRE_TAR_TYPE         "application/x-tar"
#define WIRE_HTML             "html"
#define WIRE_HTML_TYPE        "text/html; charset=utf-8"
#define WIRE_CSS              "css"
#define WIRE_CSS_TYPE         "text/css; charset=utf-8"
#define WIRE_JS               "js"
#define WIRE_JS_TYPE          "text/javascript; charset=utf-8"
#define WIRE_SVG              "svg"
#define WIRE_SVG_TYPE         "image/svg+xml"
#define WIRE_PROBLEM_TYPE     "application/problem+json"

enum {
    WIRE_PORT = 8642,       /* where nobody says another */
    WIRE_NAME_MAX = 63,     /* characters of a split's name */
    WIRE_REVISION_MIN = 12, /* hexadecimal digits, small ones, that name a revision */
    WIRE_REVISION_MAX = 64,
};
#define WIRE_REVISION_DIGITS "0123456789abcdef"
