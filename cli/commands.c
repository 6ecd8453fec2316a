/* SPDX-License-Identifier: Apache-2.0
 * The commands of `twonmnist` that get something and write it. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/output.h"
#include "common/event.h"
#include "common/npy.h"

int cli_failed(int r, struct error *why)
{
    return error_set(why, r, "%s", tnm_last_error());
}

int cli_number(const char *what, const char *text, uint64_t max, uint64_t *ret, struct error *why)
{
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end)
        return error_set(why, -EINVAL, "%s is \"%s\"; it takes a whole number", what, text);
    if (errno == ERANGE || value > max)
        return error_set(why, -EINVAL, "%s is %s; it goes from 0 to %" PRIu64, what, text, max);
    *ret = value;
    return 0;
}

int cli_numbers(const char *what, const char *text, uint64_t **ret, size_t *ret_n,
                struct error *why)
{
    char *copy = strdup(text), *rest = copy, *word;
    uint64_t *numbers = calloc(strlen(text) + 1, sizeof *numbers);
    size_t n = 0;
    int r = copy && numbers ? 0 : error_set(why, -ENOMEM, "no memory for %s", what);
    while (r == 0 && (word = strsep(&rest, ",")))
        r = cli_number(what, word, UINT64_MAX, &numbers[n++], why);
    free(copy);
    if (r < 0) {
        free(numbers);
        return r;
    }
    *ret = numbers;
    *ret_n = n;
    return 0;
}

int cli_open_split(const struct cli_options *options, tnm_client *client, tnm_split **ret,
                   struct error *why)
{
    int r = tnm_split_open(client, options->operands[0], ret);
    if (r < 0)
        return cli_failed(r, why);
    r = tnm_split_set_form(*ret, (int)options->order, options->timestep_us);
    if (r < 0) {
        cli_failed(r, why);
        tnm_split_close(*ret);
    }
    return r;
}

static void print_labels(FILE *out, const uint8_t labels[TNM_DIGITS], const char *between)
{
    bool any = false;
    for (unsigned d = 0; d < TNM_DIGITS; d++)
        if (labels[d]) {
            fprintf(out, "%s%u", any ? between : "", d);
            any = true;
        }
}

static void print_sources(FILE *out, const int32_t sources[2], const char *between)
{
    fprintf(out, "%" PRId32, sources[0]);
    if (sources[1] >= 0)
        fprintf(out, "%s%" PRId32, between, sources[1]);
}

static void write_text(FILE *out, const tnm_batch *sample)
{
    fputs("# labels ", out);
    print_labels(out, tnm_batch_labels(sample), ", ");
    fprintf(out, "; %" PRIu64 " events: t (us), x, y, p\n", tnm_batch_n_events(sample));
    for (uint64_t i = 0; i < tnm_batch_n_events(sample); i++) {
        struct event event = event_unpack(tnm_batch_events(sample) + i * EVENT_BYTES);
        fprintf(out, "%u %u %u %u\n", event.t_us, event.x, event.y, event.p);
    }
}

static void write_json(FILE *out, const tnm_batch *sample)
{
    fputs("{\"labels\": [", out);
    print_labels(out, tnm_batch_labels(sample), ", ");
    fputs("], \"sources\": [", out);
    print_sources(out, tnm_batch_sources(sample), ", ");
    fputs("], \"txyp\": [", out);
    for (uint64_t i = 0; i < tnm_batch_n_events(sample); i++) {
        struct event event = event_unpack(tnm_batch_events(sample) + i * EVENT_BYTES);
        fprintf(out, "%s[%u, %u, %u, %u]", i ? ",\n" : "\n", event.t_us, event.x, event.y, event.p);
    }
    fputs("]}\n", out);
}

static void write_bin(FILE *out, const tnm_batch *sample)
{
    fwrite(tnm_batch_events(sample), TNM_EVENT_BYTES, tnm_batch_n_events(sample), out);
}

static void write_npy(FILE *out, const tnm_batch *sample)
{
    char header[NPY_HEADER_MAX];
    uint64_t n_events = tnm_batch_n_events(sample);
    fwrite(header, 1, npy_header(header, npy_event_descr, &n_events, 1), out);
    for (uint64_t i = 0; i < n_events; i++) {
        uint8_t event[NPY_EVENT_BYTES];
        npy_events(tnm_batch_events(sample) + i * EVENT_BYTES, 1, event);
        fwrite(event, 1, sizeof event, out);
    }
}

/* Write the only sample of the batch, and free it. */
static int write_sample(const struct cli_options *options, tnm_batch *sample, struct error *why)
{
    static void (*const writers[CLI_N_FORMATS])(FILE * out, const tnm_batch *sample) = {
        [CLI_TEXT] = write_text,
        [CLI_JSON] = write_json,
        [CLI_BIN] = write_bin,
        [CLI_NPY] = write_npy,
    };
    struct cli_output output;
    bool binary = options->format == CLI_BIN || options->format == CLI_NPY;
    int r = cli_output_open(options->output, binary, &output, why);
    if (r == 0) {
        writers[options->format](output.file, sample);
        r = cli_output_close(&output, 0, why);
    }
    tnm_batch_free(sample);
    return r;
}

int cli_get(const struct cli_options *options, tnm_client *client, struct error *why)
{
    uint64_t index;
    tnm_split *split;
    tnm_batch *sample;
    int r = cli_number("INDEX", options->operands[1], UINT64_MAX, &index, why);
    if (r == 0)
        r = cli_open_split(options, client, &split, why);
    if (r < 0)
        return r;
    r = tnm_samples(split, &index, 1, &sample);
    r = r < 0 ? cli_failed(r, why) : write_sample(options, sample, why);
    tnm_split_close(split);
    return r;
}

int cli_pair(const struct cli_options *options, tnm_client *client, struct error *why)
{
    uint64_t seed, index;
    tnm_split *split;
    tnm_batch *sample;
    int r = cli_number("SEED", options->operands[1], UINT64_MAX, &seed, why);
    if (r == 0)
        r = cli_number("INDEX", options->operands[2], UINT64_MAX, &index, why);
    if (r == 0)
        r = cli_open_split(options, client, &split, why);
    if (r < 0)
        return r;
    r = tnm_pair(split, seed, index, &sample);
    r = r < 0 ? cli_failed(r, why) : write_sample(options, sample, why);
    tnm_split_close(split);
    return r;
}

int cli_mix(const struct cli_options *options, tnm_client *client, struct error *why)
{
    uint64_t *recordings;
    size_t n;
    tnm_split *split;
    tnm_batch *sample;
    int r = cli_numbers("A,B", options->operands[1], &recordings, &n, why);
    if (r < 0)
        return r;
    r = cli_open_split(options, client, &split, why);
    if (r == 0) {
        r = tnm_mix(split, recordings, n, &sample);
        r = r < 0 ? cli_failed(r, why) : write_sample(options, sample, why);
        tnm_split_close(split);
    }
    free(recordings);
    return r;
}

static void write_batch_text(FILE *out, const tnm_batch *batch)
{
    const uint64_t *offsets = tnm_batch_offsets(batch);
    fprintf(out,
            "# %" PRIu64 " samples, %" PRIu64 " events, from %s\n# index  labels  events  "
            "sources  crc32c\n",
            tnm_batch_n_samples(batch), tnm_batch_n_events(batch), tnm_batch_server(batch));
    for (uint64_t i = 0; i < tnm_batch_n_samples(batch); i++) {
        fprintf(out, "%7" PRIu64 "  ", tnm_batch_indices(batch)[i]);
        print_labels(out, tnm_batch_labels(batch) + i * TNM_DIGITS, ",");
        fprintf(out, "\t%" PRIu64 "\t", offsets[i + 1] - offsets[i]);
        print_sources(out, tnm_batch_sources(batch) + 2 * i, ",");
        fprintf(out, "\t%08" PRIx32 "\n", tnm_batch_checksums(batch)[i]);
    }
}

static int write_batch(const struct cli_options *options, const tnm_batch *batch, struct error *why)
{
    struct cli_output output;
    bool binary = options->format == CLI_SAFETENSORS;
    int r = cli_output_open(options->output, binary, &output, why);
    if (r < 0)
        return r;
    if (binary) {
        size_t size;
        const void *blob = tnm_batch_blob(batch, &size);
        fwrite(blob, 1, size, output.file);
    } else {
        write_batch_text(output.file, batch);
    }
    return cli_output_close(&output, 0, why);
}

static int fetch_batch(const struct cli_options *options, tnm_split *split, tnm_batch **ret,
                       struct error *why)
{
    int r;
    if (options->indices) {
        uint64_t *indices;
        size_t n;
        r = cli_numbers("--indices", options->indices, &indices, &n, why);
        if (r < 0)
            return r;
        r = tnm_samples(split, indices, n, ret);
        free(indices);
    } else {
        r = tnm_epoch_batch(split, (uint32_t)options->seed, (uint32_t)options->epoch, options->k,
                            options->size, (uint32_t)options->rank, (uint32_t)options->world,
                            (int)options->last, ret);
    }
    return r < 0 ? cli_failed(r, why) : 0;
}

int cli_batch(const struct cli_options *options, tnm_client *client, struct error *why)
{
    tnm_split *split;
    tnm_batch *batch;
    if (options->indices && options->epoch_given)
        return error_set(why, -EINVAL, "--indices goes without --seed, --epoch and --k");
    int r = cli_open_split(options, client, &split, why);
    if (r < 0)
        return r;
    r = fetch_batch(options, split, &batch, why);
    if (r == 0) {
        r = write_batch(options, batch, why);
        tnm_batch_free(batch);
    }
    tnm_split_close(split);
    return r;
}

static void write_labels_text(FILE *out, const uint8_t *labels, uint64_t n)
{
    for (uint64_t i = 0; i < n; i++) {
        fprintf(out, "%" PRIu64 " ", i);
        print_labels(out, labels + i * TNM_DIGITS, ",");
        fputc('\n', out);
    }
}

static void write_labels_npy(FILE *out, const uint8_t *labels, uint64_t n)
{
    char header[NPY_HEADER_MAX];
    const uint64_t dims[] = {n, TNM_DIGITS};
    fwrite(header, 1, npy_header(header, "'|u1'", dims, 2), out);
    fwrite(labels, TNM_DIGITS, n, out);
}

static int write_labels(const struct cli_options *options, const uint8_t *labels, uint64_t n,
                        struct error *why)
{
    struct cli_output output;
    bool binary = options->format == CLI_NPY;
    int r = cli_output_open(options->output, binary, &output, why);
    if (r < 0)
        return r;
    (binary ? write_labels_npy : write_labels_text)(output.file, labels, n);
    return cli_output_close(&output, 0, why);
}

int cli_labels(const struct cli_options *options, tnm_client *client, struct error *why)
{
    tnm_split *split;
    int r = cli_open_split(options, client, &split, why);
    if (r < 0)
        return r;
    uint64_t n = tnm_split_n_samples(split);
    uint8_t *labels = reallocarray(NULL, n, TNM_DIGITS);
    if (!labels)
        r = error_set(why, -ENOMEM, "no memory for %" PRIu64 " labels", n);
    else if ((r = tnm_split_labels(split, labels, n * TNM_DIGITS)) < 0)
        cli_failed(r, why);
    else
        r = write_labels(options, labels, n, why);
    free(labels);
    tnm_split_close(split);
    return r;
}
