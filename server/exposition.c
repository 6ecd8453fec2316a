/* SPDX-License-Identifier: Apache-2.0
 * Prometheus' text format. */
#include "server/exposition.h"

#include <inttypes.h>
#include <string.h>

enum { NS_IN_S = 1000000000 };

void exposition_begin(FILE *out, enum metric metric)
{
    const struct metric_row *row = &metric_rows[metric];
    fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", row->name, row->help, row->name,
            metric_type_names[row->type]);
}

/* What ends a value early is escaped. */
static size_t escape(const char *value, char *out, size_t size)
{
    size_t used = 0;
    for (; *value && used + 2 < size; value++) {
        if (*value == '"' || *value == '\\' || *value == '\n')
            out[used++] = '\\';
        out[used++] = (char)(*value == '\n' ? 'n' : *value);
    }
    out[used] = '\0';
    return used;
}

void exposition_labels(enum metric metric, const char *const *values,
                       char ret[EXPOSITION_LABELS_SIZE])
{
    size_t used = 0, most = EXPOSITION_LABELS_SIZE - 1;
    ret[0] = '\0';
    for (const char *name = metric_rows[metric].labels; *name; values++) {
        size_t n = strcspn(name, ",");
        if (used + n + sizeof ",=\"\"" >= most)
            return;
        used += (size_t)sprintf(ret + used, "%s%.*s=\"", used ? "," : "", (int)n, name);
        used += escape(*values, ret + used, most - used);
        ret[used++] = '"';
        ret[used] = '\0';
        name += n + strspn(name + n, ", ");
    }
}

static void begin_line(FILE *out, enum metric metric, const char *suffix, const char *labels)
{
    fprintf(out, *labels ? "%s%s{%s} " : "%s%s%s ", metric_rows[metric].name, suffix, labels);
}

static void print_seconds(FILE *out, uint64_t value, uint64_t parts)
{
    int digits = 0;
    for (uint64_t n = parts; n > 1; n /= 10)
        digits++;
    fprintf(out, "%" PRIu64 ".%0*" PRIu64, value / parts, digits, value % parts);
}

void exposition_value(FILE *out, enum metric metric, const char *labels, uint64_t value)
{
    begin_line(out, metric, "", labels);
    fprintf(out, "%" PRIu64 "\n", value);
}

void exposition_seconds(FILE *out, enum metric metric, const char *labels, uint64_t value,
                        uint64_t parts)
{
    begin_line(out, metric, "", labels);
    print_seconds(out, value, parts);
    fputs("\n", out);
}

/* Each bucket holds what is in those below it, too. */
static uint64_t print_buckets(FILE *out, enum metric metric, const char *labels,
                              const struct metrics_histogram *histogram, unsigned cell)
{
    uint64_t n = 0;
    for (unsigned i = 0; i <= histogram->n_limits; i++) {
        n += tally_sum(cell + i);
        fprintf(out, "%s_bucket{%s%sle=\"", metric_rows[metric].name, labels, *labels ? "," : "");
        if (i == histogram->n_limits)
            fputs("+Inf", out);
        else
            fprintf(out, "%.9g", (double)histogram->limits[i] / (histogram->is_ns ? NS_IN_S : 1));
        fprintf(out, "\"} %" PRIu64 "\n", n);
    }
    return n;
}

void exposition_histogram(FILE *out, enum metric metric, const char *labels,
                          const struct metrics_histogram *histogram, unsigned cell)
{
    uint64_t n = print_buckets(out, metric, labels, histogram, cell);
    uint64_t sum = tally_sum(cell + histogram->n_limits + 1);
    begin_line(out, metric, "_sum", labels);
    if (histogram->is_ns)
        print_seconds(out, sum, NS_IN_S);
    else
        fprintf(out, "%" PRIu64, sum);
    fputs("\n", out);
    begin_line(out, metric, "_count", labels);
    fprintf(out, "%" PRIu64 "\n", n);
}
