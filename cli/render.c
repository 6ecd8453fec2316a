/* SPDX-License-Identifier: Apache-2.0
 * `twonmnist render`: a picture, as the server draws it, into a file. */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/output.h"
#include "cli/word.h"

#define TYPE   "image/png"
#define ENDING ".png"

/* What the words name, without its ending. */
static int write_sample(FILE *out, const struct options *options, struct fault *why)
{
    const char *split = options->operands[0], *index = options->operands[1];
    const char *const named[] = {index, options->pair, options->mix};
    unsigned n_named = 0;
    uint64_t *numbers, unused;
    size_t n;
    for (size_t i = 0; i < sizeof named / sizeof *named; i++)
        n_named += named[i] != NULL;
    if (n_named > 1)
        return fault_set(why, -EINVAL, "INDEX, --pair and --mix each say which; one of them goes");
    int r = 0;
    if (index) {
        r = word_number("INDEX", index, 0, UINT64_MAX, &unused, why);
        fprintf(out, "/v1/splits/%s/samples/%s", split, index);
    } else if (options->pair) {
        r = word_numbers("--pair", options->pair, &numbers, &n, why);
        if (r < 0)
            return r;
        if (n != 2)
            r = fault_set(why, -EINVAL, "--pair takes SEED,INDEX");
        else
            fprintf(out, "/v1/pairs/%s/%" PRIu64 "/%" PRIu64, split, numbers[0], numbers[1]);
        free(numbers);
    } else if (options->mix) {
        fprintf(out, "/v1/mix/%s/%s", split, options->mix);
    } else {
        fprintf(out, "/v1/splits/%s/samples", split);
    }
    return r;
}

/* The path of a URL of one of the servers, or a path itself; NULL: it is the name of a split. */
static const char *path_of(const struct options *options)
{
    const char *word = options->operands[0];
    for (size_t i = 0; i < options->n_servers; i++) {
        size_t n = strlen(options->servers[i]);
        if (strncmp(word, options->servers[i], n) == 0 && word[n] == '/')
            return word + n;
    }
    return *word == '/' ? word : NULL;
}

/* What a URL names; returns its query. */
static const char *write_named(FILE *out, const char *path)
{
    size_t n = strcspn(path, "?"), ending = strlen(ENDING);
    bool ends = n >= ending && memcmp(path + n - ending, ENDING, ending) == 0;
    fwrite(path, 1, ends ? n - ending : n, out);
    return path[n] ? path + n + 1 : "";
}

static int write_name(FILE *out, const struct options *options, const char **ret_query,
                      struct fault *why)
{
    const char *path = path_of(options);
    *ret_query = "";
    if (!path && strchr(options->operands[0], '/'))
        return fault_set(why, -EINVAL, "\"%.256s\" is of no --server that is given",
                         options->operands[0]);
    if (!path)
        return write_sample(out, options, why);
    if (options->n_operands > 1 || options->pair || options->mix)
        return fault_set(why, -EINVAL, "a URL says which; nothing else goes beside it");
    *ret_query = write_named(out, path);
    return 0;
}

static void write_query(FILE *out, const struct options *options, const char *given)
{
    static const char *const orders[] = {
        [TNM_ORDER_TIME] = "order=time", [TNM_ORDER_PUBLISHED] = "order=published"};
    char timestep[32] = "";
    if (options->timestep_us)
        snprintf(timestep, sizeof timestep, "timestep=%" PRIu64, options->timestep_us);
    const char *const parts[] = {given, orders[options->order], timestep, options->view,
                                 options->query};
    const char *before = "?";
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (parts[i] && *parts[i]) {
            fprintf(out, "%s%s", before, parts[i]);
            before = "&";
        }
}

static int find_path(const struct options *options, char **ret, struct fault *why)
{
    char *path = NULL;
    size_t size;
    const char *query;
    FILE *out = open_memstream(&path, &size);
    if (!out)
        return fault_set(why, -ENOMEM, "no memory for a path");
    int r = write_name(out, options, &query, why);
    if (r == 0) {
        fputs(ENDING, out);
        write_query(out, options, query);
    }
    bool failed = fclose(out) != 0;
    if (r == 0 && failed)
        r = fault_set(why, -ENOMEM, "no memory for a path");
    if (r < 0)
        free(path);
    else
        *ret = path;
    return r;
}

static int write_picture(const struct options *options, const char *bytes, size_t size,
                         struct fault *why)
{
    struct output output;
    int r = output_open(options->output, true, &output, why);
    if (r < 0)
        return r;
    fwrite(bytes, 1, size, output.file);
    return output_close(&output, 0, why);
}

int command_render(const struct options *options, tnm_client *client, struct fault *why)
{
    char *path = NULL, *bytes;
    size_t size;
    int r = find_path(options, &path, why);
    if (r < 0)
        return r;
    r = tnm_get(client, path, TYPE, &bytes, &size);
    free(path);
    if (r < 0)
        return fault_of_library(why, r);
    r = write_picture(options, bytes, size, why);
    tnm_free(bytes);
    return r;
}
