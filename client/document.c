/* SPDX-License-Identifier: Apache-2.0
 * A JSON object that a server sent. The library's one door to jansson. */
#include "client/document.h"

#include <errno.h>
#include <jansson.h>

/* A parsed document is its root. */
static json_t *root(const struct document *document)
{
    return (json_t *)document;
}

int document_parse(const void *text, size_t size, struct document **ret, struct error *why)
{
    json_error_t error;
    json_t *parsed = json_loadb(text ? text : "", size, JSON_REJECT_DUPLICATES, &error);
    if (!parsed)
        return error_set(why, -EBADMSG, "the answer is no JSON: line %d: %.128s", error.line,
                         error.text);
    if (!json_is_object(parsed)) {
        json_decref(parsed);
        return error_set(why, -EBADMSG, "the answer is no JSON object");
    }
    *ret = (struct document *)parsed;
    return 0;
}

void document_free(struct document *document)
{
    json_decref(root(document));
}

const char *document_text(const struct document *document, const char *key)
{
    return json_string_value(json_object_get(root(document), key));
}

static bool read_number(const json_t *value, uint64_t *ret)
{
    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return false;
    *ret = (uint64_t)json_integer_value(value);
    return true;
}

bool document_number(const struct document *document, const char *key, uint64_t *ret)
{
    return read_number(json_object_get(root(document), key), ret);
}

bool document_number_in(const struct document *document, const char *object, const char *key,
                        uint64_t *ret)
{
    return read_number(json_object_get(json_object_get(root(document), object), key), ret);
}

size_t document_length(const struct document *document, const char *key)
{
    return json_array_size(json_object_get(root(document), key));
}

bool document_numbers(const struct document *document, const char *key, size_t n, uint64_t *ret)
{
    const json_t *array = json_object_get(root(document), key);
    if (json_array_size(array) != n)
        return false;
    for (size_t i = 0; i < n; i++)
        if (!read_number(json_array_get(array, i), &ret[i]))
            return false;
    return true;
}
