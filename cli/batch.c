/* SPDX-License-Identifier: Apache-2.0
 * `twonmnist batch` and `labels`: many samples. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/format.h"
#include "cli/npy.h"
#include "cli/output.h"
#include "cli/sample.h"
#include "cli/word.h"

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
        sample_print_labels(out, tnm_batch_labels(batch) + i * n_labels, n_labels, ",");
        fprintf(out, "\t%" PRIu64 "\t", offsets[i + 1] - offsets[i]);
        sample_print_sources(out, tnm_batch_sources(batch) + 2 * i, ",");
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
    tnm_view *view;
    int r = command_open_view(options, split, &view, why);
    if (r < 0)
        return r;
    if (options->indices) {
        uint64_t *indices;
        size_t n;
        r = word_numbers("--indices", options->indices, &indices, &n, why);
        if (r < 0)
            return r;
        r = tnm_samples(split, indices, n, ret);
        free(indices);
    } else if (view) {
        r = tnm_view_batch(view, (uint32_t)options->seed, (uint32_t)options->epoch, options->k,
                           options->size, (uint32_t)options->rank, (uint32_t)options->world,
                           options->last, ret);
        tnm_view_close(view);
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
    if (options->indices && (options->of_epoch || options->of_view))
        return fault_set(why, -EINVAL, "--indices says which samples; %s has no meaning beside it",
                         options->of_epoch ? options->of_epoch : options->of_view);
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

/* Samples of a split, all of them where `positions` is NULL. */
struct rows {
    const uint8_t *labels; /* of the whole split */
    const uint64_t *positions;
    uint64_t n;
    uint32_t n_labels;
};

static uint64_t position_of(const struct rows *rows, uint64_t i)
{
    return rows->positions ? rows->positions[i] : i;
}

static void write_labels_text(FILE *out, const struct rows *rows)
{
    for (uint64_t i = 0; i < rows->n; i++) {
        uint64_t at = position_of(rows, i);
        fprintf(out, "%" PRIu64 " ", at);
        sample_print_labels(out, rows->labels + at * rows->n_labels, rows->n_labels, ",");
        fputc('\n', out);
    }
}

static void write_labels_npy(FILE *out, const struct rows *rows)
{
    npy_write_header(out, "'|u1'", rows->n, rows->n_labels);
    for (uint64_t i = 0; i < rows->n; i++)
        fwrite(rows->labels + position_of(rows, i) * rows->n_labels, rows->n_labels, 1, out);
}

static int write_labels(const struct options *options, const struct rows *rows, struct fault *why)
{
    struct output output;
    bool binary = options->format == OUTPUT_NPY;
    int r = output_open(options->output, binary, &output, why);
    if (r < 0)
        return r;
    (binary ? write_labels_npy : write_labels_text)(output.file, rows);
    return output_close(&output, 0, why);
}

/* The labels of a view, or (NULL) of all samples. */
static int get_labels(const struct options *options, tnm_split *split, const tnm_view *view,
                      struct fault *why)
{
    uint64_t n = tnm_split_n_samples(split);
    tnm_geometry geometry;
    tnm_split_geometry(split, &geometry);
    uint8_t *labels = reallocarray(NULL, n, geometry.n_labels);
    const struct rows rows = {.labels = labels,
                              .positions = view ? tnm_view_positions(view) : NULL,
                              .n = view ? tnm_view_n_samples(view) : n,
                              .n_labels = geometry.n_labels};
    int r;
    if (!labels)
        r = fault_set(why, -ENOMEM, "no memory for %" PRIu64 " labels", n);
    else if ((r = tnm_split_labels(split, labels, n * geometry.n_labels)) < 0)
        fault_of_library(why, r);
    else
        r = write_labels(options, &rows, why);
    free(labels);
    return r;
}

int command_labels(const struct options *options, tnm_client *client, struct fault *why)
{
    tnm_split *split;
    tnm_view *view = NULL;
    int r = command_open_split(options, client, &split, why);
    if (r < 0)
        return r;
    r = command_open_view(options, split, &view, why);
    if (r == 0)
        r = get_labels(options, split, view, why);
    tnm_view_close(view);
    tnm_split_close(split);
    return r;
}
