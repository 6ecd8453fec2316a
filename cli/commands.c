/* SPDX-License-Identifier: Apache-2.0
 * The commands of `twonmnist` that get something and write it. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/event.h"
#include "cli/npy.h"
#include "cli/output.h"
#include "cli/word.h"

int command_open_split(const struct options *options, tnm_client *client, tnm_split **ret,
                       struct fault *why)
{
    int r = tnm_split_open(client, options->operands[0], ret);
    if (r < 0)
        return fault_of_library(why, r);
    r = tnm_split_set_form(*ret, options->order, (uint32_t)options->timestep_us);
    if (r < 0) {
        fault_of_library(why, r);
        tnm_split_close(*ret);
    }
    return r;
}

static void print_labels(FILE *out, const uint8_t *labels, uint32_t n_labels, const char *between)
{
    bool any = false;
    for (unsigned d = 0; d < n_labels; d++)
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

static int write_text(FILE *out, const tnm_batch *sample, struct fault *why)
{
    (void)why;
    fputs("# labels ", out);
    print_labels(out, tnm_batch_labels(sample), tnm_batch_n_labels(sample), ", ");
    fprintf(out, "; %" PRIu64 " events: t (us), x, y, p\n", tnm_batch_n_events(sample));
    for (uint64_t i = 0; i < tnm_batch_n_events(sample); i++) {
        struct event event = event_at(sample, i);
        fprintf(out, "%u %u %u %u\n", event.t_us, event.x, event.y, event.p);
    }
    return 0;
}

static int write_json(FILE *out, const tnm_batch *sample, struct fault *why)
{
    (void)why;
    fputs("{\"labels\": [", out);
    print_labels(out, tnm_batch_labels(sample), tnm_batch_n_labels(sample), ", ");
    fputs("], \"sources\": [", out);
    print_sources(out, tnm_batch_sources(sample), ", ");
    fputs("], \"txyp\": [", out);
    for (uint64_t i = 0; i < tnm_batch_n_events(sample); i++) {
        struct event event = event_at(sample, i);
        fprintf(out, "%s[%u, %u, %u, %u]", i ? ",\n" : "\n", event.t_us, event.x, event.y, event.p);
    }
    fputs("]}\n", out);
    return 0;
}

static int write_bin(FILE *out, const tnm_batch *sample, struct fault *why)
{
    (void)why;
    fwrite(tnm_batch_events(sample), TNM_EVENT_BYTES, tnm_batch_n_events(sample), out);
    return 0;
}

static int write_npy(FILE *out, const tnm_batch *sample, struct fault *why)
{
    static const uint32_t at[] = {0, 1, 2, 6}, width[] = {1, 1, 4, 1}; /* as the daemon's */
    tnm_decoder *decoder;
    int r = tnm_decoder_structured(7, at, width, &decoder);
    if (r < 0)
        return fault_of_library(why, r);
    size_t size = tnm_decoder_size(decoder, 1, tnm_batch_n_events(sample));
    void *items = malloc(size + !size);
    if (!items)
        r = fault_set(why, -ENOMEM, "no memory for %zu bytes", size);
    else if ((r = tnm_decode(decoder, sample, items, size)) < 0)
        fault_of_library(why, r);
    tnm_decoder_free(decoder);
    if (r == 0) {
        npy_write_header(out, "[('x', '|u1'), ('y', '|u1'), ('t', '<u4'), ('p', '|u1')]",
                         tnm_batch_n_events(sample), 0);
        fwrite(items, 1, size, out);
    }
    free(items);
    return r;
}

/* Write the only sample of the batch, and free it. */
static int write_sample(const struct options *options, tnm_batch *sample, struct fault *why)
{
    static int (*const writers[N_OUTPUT_FORMATS])(FILE * out, const tnm_batch *sample,
                                                  struct fault *why) = {
        [OUTPUT_TEXT] = write_text,
        [OUTPUT_JSON] = write_json,
        [OUTPUT_BIN] = write_bin,
        [OUTPUT_NPY] = write_npy,
    };
    struct output output;
    bool binary = options->format == OUTPUT_BIN || options->format == OUTPUT_NPY;
    int r = output_open(options->output, binary, &output, why);
    if (r == 0) {
        r = writers[options->format](output.file, sample, why);
        r = output_close(&output, r, why);
    }
    tnm_batch_free(sample);
    return r;
}

int command_get(const struct options *options, tnm_client *client, struct fault *why)
{
    uint64_t index;
    tnm_split *split;
    tnm_batch *sample;
    int r = word_number("INDEX", options->operands[1], UINT64_MAX, &index, why);
    if (r == 0)
        r = command_open_split(options, client, &split, why);
    if (r < 0)
        return r;
    r = tnm_samples(split, &index, 1, &sample);
    r = r < 0 ? fault_of_library(why, r) : write_sample(options, sample, why);
    tnm_split_close(split);
    return r;
}

int command_pair(const struct options *options, tnm_client *client, struct fault *why)
{
    uint64_t seed, index;
    tnm_split *split;
    tnm_batch *sample;
    int r = word_number("SEED", options->operands[1], UINT64_MAX, &seed, why);
    if (r == 0)
        r = word_number("INDEX", options->operands[2], UINT64_MAX, &index, why);
    if (r == 0)
        r = command_open_split(options, client, &split, why);
    if (r < 0)
        return r;
    r = tnm_pair(split, seed, index, &sample);
    r = r < 0 ? fault_of_library(why, r) : write_sample(options, sample, why);
    tnm_split_close(split);
    return r;
}

int command_mix(const struct options *options, tnm_client *client, struct fault *why)
{
    uint64_t *recordings;
    size_t n;
    tnm_split *split;
    tnm_batch *sample;
    int r = word_numbers("A,B", options->operands[1], &recordings, &n, why);
    if (r < 0)
        return r;
    r = command_open_split(options, client, &split, why);
    if (r == 0) {
        r = tnm_mix(split, recordings, n, &sample);
        r = r < 0 ? fault_of_library(why, r) : write_sample(options, sample, why);
        tnm_split_close(split);
    }
    free(recordings);
    return r;
}

static void write_batch_text(FILE *out, const tnm_batch *batch)
{
    const uint64_t *offsets = tnm_batch_offsets(batch);
    const uint32_t n_labels = tnm_batch_n_labels(batch);
    fprintf(out,
            "# %" PRIu64 " samples, %" PRIu64 " events, from %s\n# index  labels  events  "
            "sources  crc32c\n",
            tnm_batch_n_samples(batch), tnm_batch_n_events(batch), tnm_batch_server(batch));
    for (uint64_t i = 0; i < tnm_batch_n_samples(batch); i++) {
        fprintf(out, "%7" PRIu64 "  ", tnm_batch_indices(batch)[i]);
        print_labels(out, tnm_batch_labels(batch) + i * n_labels, n_labels, ",");
        fprintf(out, "\t%" PRIu64 "\t", offsets[i + 1] - offsets[i]);
        print_sources(out, tnm_batch_sources(batch) + 2 * i, ",");
        fprintf(out, "\t%08" PRIx64 "\n", tnm_batch_checksums(batch)[i]);
    }
}

static int write_batch(const struct options *options, const tnm_batch *batch, struct fault *why)
{
    struct output output;
    bool binary = options->format == OUTPUT_SAFETENSORS;
    int r = output_open(options->output, binary, &output, why);
    if (r < 0)
        return r;
    if (binary) {
        size_t size;
        const void *blob = tnm_batch_blob(batch, &size);
        fwrite(blob, 1, size, output.file);
    } else {
        write_batch_text(output.file, batch);
    }
    return output_close(&output, 0, why);
}

static int fetch_batch(const struct options *options, tnm_split *split, tnm_batch **ret,
                       struct fault *why)
{
    int r;
    if (options->indices) {
        uint64_t *indices;
        size_t n;
        r = word_numbers("--indices", options->indices, &indices, &n, why);
        if (r < 0)
            return r;
        r = tnm_samples(split, indices, n, ret);
        free(indices);
    } else {
        r = tnm_epoch_batch(split, (uint32_t)options->seed, (uint32_t)options->epoch, options->k,
                            options->size, (uint32_t)options->rank, (uint32_t)options->world,
                            options->last, ret);
    }
    return r < 0 ? fault_of_library(why, r) : 0;
}

int command_batch(const struct options *options, tnm_client *client, struct fault *why)
{
    tnm_split *split;
    tnm_batch *batch;
    if (options->indices && options->epoch_given)
        return fault_set(why, -EINVAL, "--indices goes without --seed, --epoch and --k");
    int r = command_open_split(options, client, &split, why);
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

static void write_labels_text(FILE *out, const uint8_t *labels, uint64_t n, uint32_t n_labels)
{
    for (uint64_t i = 0; i < n; i++) {
        fprintf(out, "%" PRIu64 " ", i);
        print_labels(out, labels + i * n_labels, n_labels, ",");
        fputc('\n', out);
    }
}

static void write_labels_npy(FILE *out, const uint8_t *labels, uint64_t n, uint32_t n_labels)
{
    npy_write_header(out, "'|u1'", n, n_labels);
    fwrite(labels, n_labels, n, out);
}

static int write_labels(const struct options *options, const uint8_t *labels, uint64_t n,
                        uint32_t n_labels, struct fault *why)
{
    struct output output;
    bool binary = options->format == OUTPUT_NPY;
    int r = output_open(options->output, binary, &output, why);
    if (r < 0)
        return r;
    (binary ? write_labels_npy : write_labels_text)(output.file, labels, n, n_labels);
    return output_close(&output, 0, why);
}

int command_labels(const struct options *options, tnm_client *client, struct fault *why)
{
    tnm_split *split;
    int r = command_open_split(options, client, &split, why);
    if (r < 0)
        return r;
    uint64_t n = tnm_split_n_samples(split);
    tnm_geometry geometry;
    tnm_split_geometry(split, &geometry);
    uint8_t *labels = reallocarray(NULL, n, geometry.n_labels);
    if (!labels)
        r = fault_set(why, -ENOMEM, "no memory for %" PRIu64 " labels", n);
    else if ((r = tnm_split_labels(split, labels, n * geometry.n_labels)) < 0)
        fault_of_library(why, r);
    else
        r = write_labels(options, labels, n, geometry.n_labels, why);
    free(labels);
    tnm_split_close(split);
    return r;
}
