/* SPDX-License-Identifier: Apache-2.0
 * The formats of answers: by a path's extension, or by what the client accepts. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/wire.h"
#include "server/samples/encode.h"
#include "server/samples/image.h"

/* clang-format off */
/*    name         extension         media type            text   a sample            a batch             by */
#define FORMATS(X) \
    X(HTML,        WIRE_HTML,        WIRE_HTML_TYPE,        true,  NULL,               NULL,               NULL) \
    X(JSON,        WIRE_JSON,        WIRE_JSON_TYPE,        true,  encode_json_sample, encode_json_batch,  NULL) \
    X(BIN,         WIRE_BIN,         WIRE_BIN_TYPE,         false, encode_bin,         NULL,               NULL) \
    X(NPY,         WIRE_NPY,         WIRE_NPY_TYPE,         false, encode_npy,         NULL,               NULL) \
    X(SAFETENSORS, WIRE_SAFETENSORS, WIRE_SAFETENSORS_TYPE, false, NULL,               encode_safetensors, NULL) \
    X(PNG,         WIRE_PNG,         WIRE_PNG_TYPE,         false, encode_png,         encode_png_sheet,   image_makers) \
    X(CSV,         WIRE_CSV,         WIRE_CSV_TYPE,         true,  NULL,               NULL,               NULL) \
    X(JSONL,       WIRE_JSONL,       WIRE_JSONL_TYPE,       true,  NULL,               NULL,               NULL) \
    X(JSONLD,      WIRE_JSONLD,      WIRE_JSONLD_TYPE,      true,  NULL,               NULL,               NULL) \
    X(TXT,         WIRE_TXT,         WIRE_TXT_TYPE,         true,  NULL,               NULL,               NULL) \
    X(METRICS,     WIRE_METRICS,     WIRE_METRICS_TYPE,     true,  NULL,               NULL,               NULL) \
    X(TAR,         WIRE_TAR,         WIRE_TAR_TYPE,         false, NULL,               NULL,               NULL) \
    X(CSS,         WIRE_CSS,         WIRE_CSS_TYPE,         true,  NULL,               NULL,               NULL) \
    X(JS,          WIRE_JS,          WIRE_JS_TYPE,          true,  NULL,               NULL,               NULL) \
    X(SVG,         WIRE_SVG,         WIRE_SVG_TYPE,         true,  NULL,               NULL,               NULL)
/* clang-format on */

enum format {
#define FORMAT_NAME(name, ...) FORMAT_##name,
    FORMATS(FORMAT_NAME)
#undef FORMAT_NAME
        N_FORMATS
};

#define FORMAT_BIT(format) (1u << (format))

struct format_row {
    const char *extension;
    const char *media_type;
    bool text;
    encode_sample *sample; /* NULL: a single sample comes as a batch of one */
    encode_batch *batch;   /* NULL: no batch does */
    image_maker *makers;   /* of whose hand the bytes are, too; NULL: of the data alone */
};

extern const struct format_row format_rows[N_FORMATS];

/* The format of the `n` characters at `extension`, or N_FORMATS. */
enum format format_by_extension(const char *extension, size_t n);

/* Whether a value of Accept-Encoding, or NULL, names gzip and does not refuse it. */
bool format_takes_gzip(const char *accept_encoding);

/* The one of `formats` (bits) that an Accept header likes best, the first of equals; N_FORMATS
 * where it takes none. No header takes anything. Source: RFC 9110, 12.5.1. */
enum format format_negotiate(unsigned formats, const char *accept);

/* The formats (bits) in which samples come, or batches. */
unsigned format_of_samples(void);
unsigned format_of_batches(void);

/* Those in which samples of this form come. */
unsigned format_of_form(const struct form *form);

/* Their extensions, as text for a person: "json, bin". */
enum { FORMAT_LIST_SIZE = 128 };
void format_list(unsigned formats, char ret[FORMAT_LIST_SIZE]);
