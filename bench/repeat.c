/* SPDX-License-Identifier: Apache-2.0
 * Writes a split as many times over as it takes to be as large as wanted: repeat SPLIT BYTES
 * TARGET. Nothing in it is sparse, for no reader to be spared anything. */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "common/number.h"
#include "common/safetensors.h"
#include "common/split.h"
#include "common/split_writer.h"

static int write_samples(const struct split *split, uint64_t n_samples, struct split_writer *writer,
                         struct error *why)
{
    int r = 0;
    for (uint64_t i = 0; r == 0 && i < n_samples; i++) {
        struct sample sample = split_sample(split, i % split_n_samples(split));
        r = split_writer_add(writer, sample.events, sample.labels, sample.sources, why);
    }
    return r;
}

static int finish(const struct split *split, struct split_writer *writer, struct error *why)
{
    static const char *const keys[] = {"split",   "kind",     "sensor",   "time_unit",
                                       "plan",    "order",    "origin",   "source_sha256",
                                       "licence", "citation", "generator"};
    struct meta meta[sizeof keys / sizeof *keys];
    size_t n = 0;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (*split_meta(split, keys[i]))
            meta[n++] = (struct meta){keys[i], split_meta(split, keys[i])};
    return split_writer_finish(writer, meta, n, why);
}

static int repeat(const char *from, const char *size, const char *to, struct error *why)
{
    struct split *split;
    struct split_writer *writer;
    uint64_t n_bytes;
    int r = number_parse("BYTES", size, strlen(size), 1, INT64_MAX, &n_bytes, why);
    if (r == 0)
        r = split_open(from, &split, why);
    if (r < 0)
        return r;
    uint64_t each = split_size(split) / split_n_samples(split), n_samples = n_bytes / each + 1;
    r = split_writer_create(to, n_samples, &writer, why);
    if (r == 0) {
        r = write_samples(split, n_samples, writer, why);
        if (r == 0)
            r = finish(split, writer, why);
        else
            split_writer_abort(writer);
    }
    split_close(split);
    return r;
}

int main(int argc, char **argv)
{
    struct error why = {"repeat SPLIT BYTES TARGET"};
    if (argc == 4 && repeat(argv[1], argv[2], argv[3], &why) == 0)
        return 0;
    fprintf(stderr, "%s\n", why.text);
    return 1;
}
