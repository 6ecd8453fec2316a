/* SPDX-License-Identifier: Apache-2.0
 * `twonmnist info`: the splits of a server as a table, or all about one. */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#include "cli/clean.h"
#include "cli/commands.h"
#include "cli/output.h"

enum { NAME_WIDTH = 14, BAR_WIDTH = 40, REVISION_SHOWN = 12 };

static const char *text_of(const json_t *row, const char *key)
{
    const char *text = json_string_value(json_object_get(row, key));
    return text ? text : "";
}

static json_int_t number_of(const json_t *row, const char *key)
{
    return json_integer_value(json_object_get(row, key));
}

static void print_list(FILE *out, const json_t *root)
{
    fprintf(out, "%-16s %-8s %9s %9s %9s %13s  %-12s  %s\n", "split", "kind", "samples", "pairs",
            "singles", "events", "revision", "origin");
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(root, "splits"), i, row)
    {
        clean_write(out, text_of(row, "name"), 17, CLEAN_ALL);
        clean_write(out, text_of(row, "kind"), 8, CLEAN_ALL);
        fprintf(out,
                " %9" JSON_INTEGER_FORMAT " %9" JSON_INTEGER_FORMAT " %9" JSON_INTEGER_FORMAT
                " %13" JSON_INTEGER_FORMAT "  ",
                number_of(row, "samples"), number_of(row, "pairs"), number_of(row, "singles"),
                number_of(row, "events"));
        clean_write(out, text_of(row, "revision"), REVISION_SHOWN + 2, REVISION_SHOWN);
        clean_write(out, text_of(row, "origin"), 0, CLEAN_ALL);
        fputc('\n', out);
    }
}

static int bar_length(json_int_t n, json_int_t most)
{
    return n > 0 ? (int)((double)n / (double)most * BAR_WIDTH) : 0;
}

static void print_label_counts(FILE *out, const json_t *counts)
{
    json_int_t most = 1;
    size_t digit;
    json_t *count;
    json_array_foreach(counts, digit, count) most =
        json_integer_value(count) > most ? json_integer_value(count) : most;
    json_array_foreach(counts, digit, count)
    {
        json_int_t n = json_integer_value(count);
        fprintf(out, "%*s%zu %7" JSON_INTEGER_FORMAT " ", NAME_WIDTH - 1, digit ? "" : "labels ",
                digit, n);
        for (int i = 0; i < bar_length(n, most); i++)
            fputc('#', out);
        fputc('\n', out);
    }
}

static void print_split(FILE *out, const json_t *root)
{
    static const char *const strings[] = {"name",     "kind",     "revision",      "origin",
                                          "order",    "plan",     "source_sha256", "licence",
                                          "citation", "generator"};
    static const char *const numbers[] = {"samples", "pairs", "singles", "events", "bytes"};
    for (size_t i = 0; i < sizeof strings / sizeof *strings; i++)
        if (*text_of(root, strings[i])) {
            fprintf(out, "%-*s", NAME_WIDTH, strings[i]);
            clean_write(out, text_of(root, strings[i]), 0, CLEAN_ALL);
            fputc('\n', out);
        }
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        fprintf(out, "%-*s%" JSON_INTEGER_FORMAT "\n", NAME_WIDTH, numbers[i],
                number_of(root, numbers[i]));
    const json_t *counts = json_object_get(root, "event_counts");
    fprintf(out, "%-*s%" JSON_INTEGER_FORMAT " to %" JSON_INTEGER_FORMAT ", mean %.0f\n",
            NAME_WIDTH, "each", number_of(counts, "min"), number_of(counts, "max"),
            json_number_value(json_object_get(counts, "mean")));
    print_label_counts(out, json_object_get(root, "labels"));
}

static int write_document(const struct options *options, const char *text,
                          void (*print)(FILE *out, const json_t *root), struct fault *why)
{
    json_t *root = json_loads(text, 0, NULL);
    if (!root)
        return fault_set(why, -EPROTO, "the server's description is not JSON");
    struct output output;
    int r = output_open(options->output, false, &output, why);
    if (r == 0) {
        if (options->format == OUTPUT_JSON) {
            clean_write_json(output.file, text);
            fputc('\n', output.file);
        } else {
            print(output.file, root);
        }
        r = output_close(&output, 0, why);
    }
    json_decref(root);
    return r;
}

int command_info(const struct options *options, tnm_client *client, struct fault *why)
{
    tnm_split *split;
    char *text;
    int r;
    if (options->n_operands == 0) {
        r = tnm_catalog_json(client, &text);
        if (r < 0)
            return fault_of_library(why, r);
        r = write_document(options, text, print_list, why);
        tnm_free(text);
        return r;
    }
    r = command_open_split(options, client, &split, why);
    if (r < 0)
        return r;
    r = write_document(options, tnm_split_json(split), print_split, why);
    tnm_split_close(split);
    return r;
}
