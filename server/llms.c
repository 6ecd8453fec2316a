/* SPDX-License-Identifier: Apache-2.0
 * What this server is and where to begin. */
#include "server/llms.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "server/route.h"

static void print_splits(const struct llms *llms, FILE *out)
{
    fputs("\n## Splits\n\n", out);
    for (size_t i = 0; i < llms->catalog->n_entries; i++) {
        const struct entry *entry = llms->catalog->entries[i];
        fprintf(out, "- [%s](%s/v1/splits/%s.json): %" PRIu64 " %s, %" PRIu64 " events\n",
                entry->name, llms->url, entry->name, split_n_samples(entry->split),
                entry->is_source ? "recordings" : "samples", split_n_events(entry->split));
    }
}

static void print_paths(FILE *out)
{
    fputs("\n## Paths\n\n", out);
    for (unsigned i = 0; i < n_routes; i++) {
        if (routes[i].serves == SERVES_METRICS)
            continue;
        unsigned formats = route_formats(&routes[i]);
        const char *before = "";
        fprintf(out, "- `%s`: %s (", routes[i].pattern, routes[i].help);
        for (enum format format = 0; format < N_FORMATS; format++)
            if (formats & FORMAT_BIT(format)) {
                fprintf(out, "%s.%s", before, format_rows[format].extension);
                before = ", ";
            }
        fputs(")\n", out);
    }
}

/* One that is mixed, if there is one. */
static const struct entry *example(const struct catalog *catalog)
{
    for (size_t i = 0; i < catalog->n_entries; i++)
        if (!catalog->entries[i]->is_source)
            return catalog->entries[i];
    return catalog->entries[0];
}

static void print_examples(const struct llms *llms, FILE *out)
{
    const char *name = example(llms->catalog)->name;
    fprintf(out,
            "\n## Examples\n\n"
            "    curl -s '%s/v1/splits/%s/samples.csv' -o samples.csv\n"
            "    curl -s '%s/v1/splits/%s/samples/3.npy' -o sample.npy\n"
            "    curl -s '%s/v1/splits/%s/epochs/1/0/batches/0.safetensors?size=64&as=frames' -o "
            "batch.safetensors\n",
            llms->url, name, llms->url, name, llms->url, name);
}

static void print(const struct llms *llms, FILE *out)
{
    fprintf(out,
            "# twonmnist\n\n"
            "> 2NMNIST over HTTP: event-camera recordings of handwritten digits (N-MNIST), alone "
            "and superimposed in pairs, as samples, training batches and freshly mixed pairs. The "
            "same URL gives the same bytes, on every machine.\n\n"
            "The ending of a path chooses the format; without one, `Accept` does. An event is five "
            "bytes: x, y, then a bit of polarity and 23 bits of time in us. What is wrong is told "
            "as `application/problem+json`.\n\n"
            "- [openapi.json](%s/openapi.json): every path and parameter, with ranges\n"
            "- [croissant.json](%s/croissant.json): the dataset, its licence, citations and "
            "tables\n",
            llms->url, llms->url);
    print_splits(llms, out);
    print_paths(out);
    print_examples(llms, out);
}

int llms_write(const void *llms, char **ret, size_t *ret_size, struct error *why)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (out)
        print(llms, out);
    if (!out || ferror(out) || fclose(out) != 0) {
        free(text);
        return error_set(why, -ENOMEM, "no memory for a document");
    }
    *ret = text;
    *ret_size = size;
    return 0;
}
