/* SPDX-License-Identifier: Apache-2.0
 * Fuzz target: the daemon's small parsers, each alone: Accept, Range, numbers and lists of a query,
 * the body of a POST. The first byte says which. */
#include <errno.h>
#include <string.h>

#include "common/number.h"
#include "server/body.h"
#include "server/format.h"
#include "server/param.h"
#include "server/range.h"
#include "tests/fuzz/fuzz.h"

enum { LIST_MAX = 16 };

static void read_accept(struct input *input)
{
    unsigned formats = input_u8(input) % FORMAT_BIT(N_FORMATS);
    char *accept = input_text(input);
    enum format format = format_negotiate(formats, accept);
    FUZZ_CHECK(format == N_FORMATS || (format < N_FORMATS && (formats & FORMAT_BIT(format))));
    enum format named = format_by_extension(accept, strlen(accept));
    FUZZ_CHECK(named == N_FORMATS || strcmp(format_rows[named].extension, accept) == 0);
    free(accept);
}

static void read_range(struct input *input)
{
    uint64_t size = 1 + (uint64_t)input_u32(input), first = 0, last = 0;
    char *header = input_text(input);
    if (range_parse(header, size, &first, &last) == RANGE_PART)
        FUZZ_CHECK(first <= last && last < size);
    free(header);
}

static void read_numbers(struct input *input)
{
    struct numbers numbers = {0};
    struct error why;
    uint64_t max = input_u32(input);
    size_t n;
    uint8_t *text = input_bytes(input, input->left, &n);
    int r = number_parse_list("indices", (const char *)text, n, LIST_MAX, max, &numbers, &why);
    FUZZ_CHECK(r == 0 || r == -EINVAL || r == -ERANGE || r == -E2BIG);
    FUZZ_CHECK(numbers.n <= LIST_MAX && (r == 0) == (numbers.n > 0));
    for (size_t i = 0; i < numbers.n; i++)
        FUZZ_CHECK(numbers.items[i] <= max);
    free(numbers.items);
    free(text);
}

static void check_value(enum param param, const char *text)
{
    const struct param_row *row = &param_rows[param];
    uint64_t value = 0;
    struct error why;
    int r = param_value(param, text, &value, &why);
    FUZZ_CHECK(r == 0 || r == -EINVAL || r == -ERANGE);
    if (r < 0)
        return;
    if (row->kind == PARAM_CHOICE)
        FUZZ_CHECK(value < PARAM_MAX_CHOICES && strcmp(row->choices[value], text) == 0);
    else if (row->kind == PARAM_REAL)
        FUZZ_CHECK(param_real(value) >= 0 && param_real(value) < 1);
    else
        FUZZ_CHECK(value >= row->min && value <= row->max && strtoull(text, NULL, 10) == value);
}

static void read_value(struct input *input)
{
    char *text = input_text(input);
    for (enum param param = 0; param < N_PARAMS; param++)
        check_value(param, text);
    enum param named = param_find(text);
    FUZZ_CHECK(named == N_PARAMS || strcmp(param_rows[named].name, text) == 0);
    enum variable variable = variable_find(text, strlen(text));
    FUZZ_CHECK(variable == N_VARIABLES || strcmp(variable_rows[variable].name, text) == 0);
    free(text);
}

static void read_body(struct input *input)
{
    struct numbers numbers = {0};
    struct error why;
    size_t n;
    uint8_t *body = input_bytes(input, input->left, &n);
    int r = body_indices(n ? (const char *)body : NULL, n, LIST_MAX, &numbers, &why);
    FUZZ_CHECK(r == 0 || r == -EINVAL || r == -E2BIG);
    FUZZ_CHECK(numbers.n <= LIST_MAX);
    for (size_t i = 0; i < numbers.n; i++)
        FUZZ_CHECK(numbers.items[i] <= INT32_MAX);
    free(numbers.items);
    free(body);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static void (*const readers[])(struct input * input) = {read_accept, read_range, read_numbers,
                                                            read_value, read_body};
    struct input input = {bytes, size};
    unsigned which = input_u8(&input) % (sizeof readers / sizeof *readers);
    readers[which](&input);
    return 0;
}
