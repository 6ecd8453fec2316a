/* SPDX-License-Identifier: Apache-2.0
 * The body of a POST: {"indices": [3, 1, 2]}. */
#include "server/body.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "common/json_memory.h"

static int read_indices(const json_t *root, size_t most, struct numbers *ret, struct error *why)
{
    const json_t *array = json_object_get(root, "indices");
    if (!json_is_array(array) || json_object_size(root) != 1)
        return error_set(why, -EINVAL, "the body is not of the form {\"indices\": [3, 1, 2]}");
    size_t n = json_array_size(array);
    if (n > most)
        return error_set(why, -E2BIG, "indices lists %zu numbers; the limit is %zu", n, most);
    uint64_t *items = calloc(n ? n : 1, sizeof *items);
    if (!items)
        return error_set(why, -ENOMEM, "no memory for %zu numbers", n);
    for (size_t i = 0; i < n; i++) {
        const json_t *item = json_array_get(array, i);
        json_int_t value = json_integer_value(item);
        if (!json_is_integer(item) || value < 0 || value > INT32_MAX) {
            free(items);
            return error_set(why, -EINVAL, "indices[%zu] is not a whole number from 0 to %d", i,
                             INT32_MAX);
        }
        items[i] = (uint64_t)value;
    }
    *ret = (struct numbers){.items = items, .n = n};
    return 0;
}

int body_indices(const char *body, size_t size, size_t most, struct numbers *ret, struct error *why)
{
    json_error_t json_error;
    if (!body)
        return error_set(why, -EINVAL, "the body is empty");
    if (memchr(body, '\0', size)) /* jansson reads over one behind a number */
        return error_set(why, -EINVAL, "the body is not JSON: there is a NUL in it");
    json_memory_begin();
    json_t *root = json_loadb(body, size, JSON_REJECT_DUPLICATES, &json_error);
    if (json_memory_is_short()) {
        json_decref(root);
        return error_set(why, -ENOMEM, "no memory for the body");
    }
    if (!root)
        return error_set(why, -EINVAL, "the body is not JSON: line %d, column %d: %s",
                         json_error.line, json_error.column, json_error.text);
    int r = read_indices(root, most, ret, why);
    json_decref(root);
    return r;
}
