/* SPDX-License-Identifier: Apache-2.0
 * `twonmnist get`, `pair`, `mix`: one sample, written in each format. */
#include "cli/sample.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/event.h"
#include "cli/format.h"
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

int command_open_view(const struct options *options, tnm_split *split, tnm_view **ret,
                      struct fault *why)
{
    int r = 0;
    if (options->of_view)
        r = tnm_view_open(split, options->view, ret);
    else
        *ret = NULL;
    return r < 0 ? fault_of_library(why, r) : 0;
}

void sample_print_labels(FILE *out, const uint8_t *labels, uint32_t n_labels, const char *between)
{
    bool any = false;
    for (unsigned d = 0; d < n_labels; d++)
        if (labels[d]) {
            fprintf(out, "%s%u", any ? between : "", d);
            any = true;
        }
}

void sample_print_sources(FILE *out, const int32_t sources[2], const char *between)
{
    fprintf(out, "%" PRId32, sources[0]);
    if (sources[1] >= 0)
        fprintf(out, "%s%" PRId32, between, sources[1]);
}

static int write_text(FILE *out, const tnm_batch *sample, struct fault *why)
{
    (void)why;
    fputs("# labels ", out);
    sample_print_labels(out, tnm_batch_labels(sample), tnm_batch_n_labels(sample), ", ");
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
    sample_print_labels(out, tnm_batch_labels(sample), tnm_batch_n_labels(sample), ", ");
    fputs("], \"sources\": [", out);
    sample_print_sources(out, tnm_batch_sources(sample), ", ");
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
    int r = output_open(options->output, format_rows[options->format].is_binary, &output, why);
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
    int r = word_number("INDEX", options->operands[1], 0, UINT64_MAX, &index, why);
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
    int r = word_number("SEED", options->operands[1], 0, UINT64_MAX, &seed, why);
    if (r == 0)
        r = word_number("INDEX", options->operands[2], 0, UINT64_MAX, &index, why);
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
