/* SPDX-License-Identifier: Apache-2.0
 * `twonmnist info`: the splits of a server as a table, or all about one. */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <string.h>

#include "cli/chart.h"
#include "cli/clean.h"
#include "cli/commands.h"
#include "cli/format.h"
#include "cli/output.h"
#include "cli/style.h"

enum { NAME_WIDTH = 14, REVISION_SHOWN = 12, MAX_VALUES = 64 };

static const char *text_of(const json_t *row, const char *key)
{
    const char *text = json_string_value(json_object_get(row, key));
    return text ? text : "";
}

static int64_t number_of(const json_t *row, const char *key)
{
    return json_integer_value(json_object_get(row, key));
}

/* A space, and the number in a column of that width. */
static void print_number(FILE *out, int width, int64_t number)
{
    char text[STYLE_NUMBER_SIZE];
    fprintf(out, " %*s", width, style_number(number, text));
}

static void print_row(FILE *out, const json_t *row)
{
    clean_write(out, text_of(row, "name"), NAME_WIDTH + 1, CLEAN_ALL);
    clean_write(out, text_of(row, "kind"), 7, CLEAN_ALL);
    print_number(out, 8, number_of(row, "samples"));
    print_number(out, 7, number_of(row, "pairs"));
    print_number(out, 12, number_of(row, "events"));
    fputs("  ", out);
    clean_write(out, text_of(row, "origin"), 10, CLEAN_ALL);
    clean_write(out, text_of(row, "revision"), 0, REVISION_SHOWN);
    fputc('\n', out);
}

static void print_list(FILE *out, const json_t *root, const struct style *style)
{
    char head[128];
    const json_t *splits = json_object_get(root, "splits");
    fprintf(out, "%zu split%s, served by twonmnistd ", json_array_size(splits),
            json_array_size(splits) == 1 ? "" : "s");
    clean_write(out, text_of(root, "version"), 0, CLEAN_ALL);
    fputs("\n\n", out);
    snprintf(head, sizeof head, "%-*s%-7s%9s%8s%13s  %-10s%s", NAME_WIDTH + 1, "split", "kind",
             "samples", "pairs", "events", "origin", "revision");
    style_write(out, style, "1", head);
    fputc('\n', out);
    size_t i;
    json_t *row;
    json_array_foreach(splits, i, row) print_row(out, row);
}

/* Begin the line of a value; its text stands in the next column. */
static void print_name(FILE *out, const struct style *style, const char *name)
{
    char text[NAME_WIDTH + 1];
    snprintf(text, sizeof text, "%-*s", NAME_WIDTH, name);
    style_write(out, style, "2", text);
}

static void print_texts(FILE *out, const json_t *root, const struct style *style)
{
    static const char *const keys[] = {"revision",  "source_sha256", "order",   "plan",
                                       "generator", "licence",       "citation"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const char *text = text_of(root, keys[i]);
        if (!*text)
            continue;
        print_name(out, style, keys[i]);
        clean_write_wrapped(out, text, NAME_WIDTH, style->columns > 40 ? style->columns : 40);
        fputc('\n', out);
    }
}

/* "train: 2nmnist, recorded, made of nmnist-train; 14.2 MB". */
static void print_title(FILE *out, const json_t *root, const struct style *style)
{
    char size[STYLE_NUMBER_SIZE];
    fputs(style->has_colours ? "\033[1m" : "", out);
    clean_write(out, text_of(root, "name"), 0, CLEAN_ALL);
    fputs(style->has_colours ? "\033[0m: " : ": ", out);
    clean_write(out, text_of(root, "kind"), 0, CLEAN_ALL);
    fputs(", ", out);
    clean_write(out, text_of(root, "origin"), 0, CLEAN_ALL);
    if (*text_of(root, "source")) {
        fputs(", made of ", out);
        clean_write(out, text_of(root, "source"), 0, CLEAN_ALL);
    }
    fprintf(out, "; %s\n\n", style_bytes(number_of(root, "bytes"), size));
}

static void print_samples(FILE *out, const json_t *root, const struct style *style)
{
    char text[STYLE_NUMBER_SIZE];
    print_name(out, style, "samples");
    fprintf(out, "%s", style_number(number_of(root, "samples"), text));
    if (number_of(root, "pairs")) {
        fprintf(out, ": %s of two digits, ", style_number(number_of(root, "pairs"), text));
        fprintf(out, "%s of one", style_number(number_of(root, "singles"), text));
    }
    fputc('\n', out);
}

static void print_events(FILE *out, const json_t *root, const struct style *style)
{
    char text[STYLE_NUMBER_SIZE];
    const json_t *counts = json_object_get(root, "event_counts");
    print_name(out, style, "events");
    fprintf(out, "%s: ", style_number(number_of(root, "events"), text));
    fprintf(out, "%s to ", style_number(number_of(counts, "min"), text));
    fprintf(out, "%s in a sample, mean %.0f\n", style_number(number_of(counts, "max"), text),
            json_number_value(json_object_get(counts, "mean")));
}

static void print_numbers(FILE *out, const json_t *root, const struct style *style)
{
    const json_t *sensor = json_object_get(root, "sensor");
    print_samples(out, root, style);
    print_name(out, style, "sensor");
    fprintf(out, "%" PRId64 " x %" PRId64 " pixels, %" PRId64 " polarities; times in ",
            number_of(sensor, "width"), number_of(sensor, "height"),
            number_of(sensor, "polarities"));
    clean_write(out, text_of(root, "time_unit"), 0, CLEAN_ALL);
    fputc('\n', out);
    print_events(out, root, style);
}

/* The numbers of an array; returns how many there are, or 0 if there are too many. */
static size_t values_of(const json_t *array, int64_t ret[MAX_VALUES])
{
    size_t n = json_array_size(array);
    if (n > MAX_VALUES)
        return 0;
    for (size_t i = 0; i < n; i++)
        ret[i] = json_integer_value(json_array_get(array, i));
    return n;
}

static void print_event_counts(FILE *out, const json_t *root, const struct style *style)
{
    int64_t bins[MAX_VALUES];
    const json_t *counts = json_object_get(root, "event_counts");
    char width[STYLE_NUMBER_SIZE];
    size_t n = values_of(json_object_get(counts, "bins"), bins);
    if (n == 0)
        return;
    print_name(out, style, "");
    chart_line(out, style, bins, n);
    fprintf(out, " samples by steps of %s events\n",
            style_number(number_of(counts, "bin_width"), width));
}

static void print_labels(FILE *out, const json_t *root, const struct style *style)
{
    int64_t counts[MAX_VALUES], most = 1;
    size_t n = values_of(json_object_get(root, "labels"), counts);
    for (size_t i = 0; i < n; i++)
        most = counts[i] > most ? counts[i] : most;
    fputs(n ? "\n" : "", out);
    for (size_t i = 0; i < n; i++) {
        print_name(out, style, i ? "" : "labels");
        fprintf(out, "%zu", i);
        print_number(out, 8, counts[i]);
        fputs("  ", out);
        chart_bar(out, style, counts[i], most);
        fputc('\n', out);
    }
}

/* How often each two digits meet. */
static void print_meetings(FILE *out, const json_t *root, const struct style *style)
{
    const json_t *table = json_object_get(root, "cooccurrence");
    int64_t row[MAX_VALUES];
    size_t n = json_array_size(table);
    if (number_of(root, "pairs") <= 0 || n < 2 || n > 10)
        return;
    fputc('\n', out);
    for (size_t i = 1; i < n; i++) {
        size_t filled = values_of(json_array_get(table, i), row);
        print_name(out, style, i > 1 ? "" : "together");
        fprintf(out, "%zu   ", i);
        for (size_t j = 0; j < i && j < filled; j++)
            print_number(out, 5, row[j]);
        fputc('\n', out);
    }
    print_name(out, style, "");
    fputs("    ", out);
    for (size_t j = 0; j + 1 < n; j++)
        fprintf(out, "%6zu", j);
    fputc('\n', out);
}

static void print_split(FILE *out, const json_t *root, const struct style *style)
{
    print_title(out, root, style);
    print_numbers(out, root, style);
    print_event_counts(out, root, style);
    print_texts(out, root, style);
    print_labels(out, root, style);
    print_meetings(out, root, style);
}

/* "train: view kind=pair". */
static void print_view(FILE *out, const json_t *root, const struct style *style)
{
    fputs(style->has_colours ? "\033[1m" : "", out);
    clean_write(out, text_of(root, "split"), 0, CLEAN_ALL);
    fputs(style->has_colours ? "\033[0m: view " : ": view ", out);
    clean_write(out, text_of(root, "view"), 0, CLEAN_ALL);
    fputs("\n\n", out);
    print_samples(out, root, style);
    print_events(out, root, style);
    print_event_counts(out, root, style);
    print_labels(out, root, style);
    print_meetings(out, root, style);
}

static int write_document(const struct options *options, const char *text,
                          void (*print)(FILE *out, const json_t *root, const struct style *style),
                          struct fault *why)
{
    json_t *root = json_loads(text, 0, NULL);
    if (!root)
        return fault_set(why, -EPROTO, "the server's description is not JSON");
    struct output output;
    int r = output_open(options->output, false, &output, why);
    if (r == 0) {
        struct style style = style_of(output.file);
        if (options->format == OUTPUT_JSON) {
            clean_write_json(output.file, text);
            fputs(text[strlen(text) - 1] == '\n' ? "" : "\n", output.file);
        } else {
            print(output.file, root, &style);
        }
        r = output_close(&output, 0, why);
    }
    json_decref(root);
    return r;
}

static int write_split(const struct options *options, tnm_split *split, struct fault *why)
{
    tnm_view *view;
    char *text;
    int r = command_open_view(options, split, &view, why);
    if (r < 0)
        return r;
    if (!view)
        return write_document(options, tnm_split_json(split), print_split, why);
    r = tnm_view_json(view, &text);
    tnm_view_close(view);
    if (r < 0)
        return fault_of_library(why, r);
    r = write_document(options, text, print_view, why);
    tnm_free(text);
    return r;
}

int command_info(const struct options *options, tnm_client *client, struct fault *why)
{
    tnm_split *split;
    char *text;
    int r;
    if (options->n_operands == 0 && options->of_view)
        return fault_set(why, -EINVAL, "%s says which samples of a split; SPLIT is missing",
                         options->of_view);
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
    r = write_split(options, split, why);
    tnm_split_close(split);
    return r;
}
