/* SPDX-License-Identifier: Apache-2.0
 * Lets a test drive libtwonmnist to its edges, over the public calls alone:
 *
 *   client_driver COMMAND [OPTION=VALUE]... URL...
 *
 * A line for each step: what, "ok" or the error's name, and words. */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/twonmnist.h"

enum { DEPTH = 8, SIZE = 8, N_FORKS = 20, HANG_S = 60 };

static const uint64_t some[] = {2, 0, 1};

struct opened {
    tnm_client *client;
    tnm_split *split;
    tnm_stream *stream;
};

/* Say how a step went, and give back whether it went well. */
static int tell(const char *what, int r)
{
    if (r < 0)
        printf("%s %s %s\n", what, strerrorname_np(-r), tnm_last_error());
    else
        printf("%s ok\n", what);
    fflush(stdout);
    return r;
}

static int tell_batch(const char *what, int r, tnm_batch *batch)
{
    if (r < 0)
        return tell(what, r);
    printf("%s ok %s", what, tnm_batch_server(batch));
    for (uint64_t i = 0; i < tnm_batch_n_samples(batch); i++)
        printf(" %" PRIu64 ":%08" PRIx64, tnm_batch_indices(batch)[i],
               tnm_batch_checksums(batch)[i]);
    printf("\n");
    fflush(stdout);
    tnm_batch_free(batch);
    return r;
}

static int get(tnm_split *split, const char *what)
{
    tnm_batch *batch = NULL;
    int r = tnm_samples(split, some, sizeof some / sizeof *some, &batch);
    return tell_batch(what, r, batch);
}

static int next(tnm_stream *stream, const char *what)
{
    tnm_batch *batch = NULL;
    int r = tnm_stream_next(stream, &batch);
    return r == 0 ? tell("end", r) : tell_batch(what, r, batch);
}

static int open_stream(struct opened *opened)
{
    int r = tell("split", tnm_split_open(opened->client, "train", &opened->split));
    if (r < 0)
        return r;
    return tell("stream", tnm_epoch_open(opened->split, 5, 2, SIZE, 0, 1, TNM_LAST_SHORT, DEPTH,
                                         &opened->stream));
}

static void get_command(struct opened *opened)
{
    if (tell("split", tnm_split_open(opened->client, "train", &opened->split)) == 0)
        get(opened->split, "samples");
}

static void catalog_command(struct opened *opened)
{
    char *text = NULL;
    tell("catalog", tnm_catalog_json(opened->client, &text));
    tnm_free(text);
}

/* Each batch of an epoch, and the library's own counts. */
static void epoch_command(struct opened *opened)
{
    tnm_batch *batch = NULL;
    uint64_t answers, bytes, retries;
    int r = open_stream(opened);
    while (r >= 0 && (r = tnm_stream_next(opened->stream, &batch)) == 1)
        tell_batch("batch", r, batch);
    tell("end", r);
    tnm_counts(opened->client, &answers, &bytes, &retries);
    printf("counts %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", answers, bytes, retries);
}

static void on_message(void *user, const char *text)
{
    (void)user;
    fprintf(stderr, "%s\n", text);
}

/* A batch for each line that comes in, whether or not the one before failed. */
static void step_command(struct opened *opened)
{
    char line[8];
    tnm_set_message(opened->client, on_message, NULL);
    if (open_stream(opened) < 0)
        return;
    while (fgets(line, sizeof line, stdin))
        if (next(opened->stream, "batch") == 0)
            return;
}

/* Everything is closed with batches under way. */
static void close_command(struct opened *opened)
{
    if (open_stream(opened) < 0)
        return;
    next(opened->stream, "next");
    tnm_close(opened->client); /* first: streams and splits keep it alive */
    opened->client = NULL;
}

static void drain(tnm_stream *stream)
{
    tnm_batch *batch = NULL;
    int r;
    while ((r = tnm_stream_next(stream, &batch)) == 1)
        tell_batch("batch", r, batch);
    tell("end", r);
}

static void tell_stats(tnm_stream *stream)
{
    tnm_stats stats;
    if (tell("stats", tnm_stream_stats(stream, &stats, sizeof stats)) == 0)
        printf("%" PRIu64 " batches %" PRIu64 " samples %" PRIu64 " bytes %" PRIu64
               " requests %" PRIu64 " retries %" PRIu64 " hedges %" PRIu64 " failures\n",
               stats.batches, stats.samples, stats.bytes, stats.requests, stats.retries,
               stats.hedges, stats.failures);
}

static void costs_command(struct opened *opened)
{
    if (open_stream(opened) < 0)
        return;
    drain(opened->stream);
    tell_stats(opened->stream);
}

/* All samples as stored; then every third, shuffled by seed 5 and epoch 2; and what the latter
 * cost. */
static void part_command(struct opened *opened)
{
    enum { LARGE = 100 }; /* more than a URL lists */
    uint64_t n, *thirds;
    if (tell("split", tnm_split_open(opened->client, "train", &opened->split)) < 0 ||
        tell("stream", tnm_part_open(opened->split, NULL, 0, TNM_AS_GIVEN, 0, 0, SIZE, 0, 1,
                                     TNM_LAST_SHORT, DEPTH, &opened->stream)) < 0)
        return;
    drain(opened->stream);
    tnm_stream_close(opened->stream);
    opened->stream = NULL;
    n = tnm_split_n_samples(opened->split) / 3;
    thirds = calloc(n, sizeof *thirds);
    for (uint64_t i = 0; thirds && i < n; i++)
        thirds[i] = 3 * i;
    int r = tell("stream", tnm_part_open(opened->split, thirds, n, TNM_SHUFFLED, 5, 2, LARGE, 0, 1,
                                         TNM_LAST_SHORT, DEPTH, &opened->stream));
    free(thirds);
    if (r < 0)
        return;
    drain(opened->stream);
    tell_stats(opened->stream);
}

static uint64_t peak_bytes(void)
{
    unsigned long kilobytes = 0;
    char line[128];
    FILE *status = fopen("/proc/self/status", "r"); /* getrusage() has the parent's peak too */
    while (status && fgets(line, sizeof line, status))
        sscanf(line, "VmHWM: %lu", &kilobytes);
    if (status)
        fclose(status);
    return kilobytes * UINT64_C(1024);
}

/* An epoch of frames, of which the caller has one while it asks for the next, as a loop of Python's
 * does: bytes of one batch, and by how many the process has grown at most. */
static void memory_command(struct opened *opened)
{
    tnm_geometry geometry;
    tnm_decoder *decoder = NULL;
    tnm_batch *batch = NULL, *before = NULL;
    size_t size = 0, largest = 0;
    uint64_t began = peak_bytes();
    if (open_stream(opened) < 0)
        return;
    tnm_split_geometry(opened->split, &geometry);
    int r = tnm_decoder_frames(&geometry, 1000, 300, TNM_BIN_ROUND, TNM_OVERLAP_OR, TNM_TBCHW,
                               TNM_F32, &decoder);
    if (r == 0)
        r = tnm_stream_set_decoder(opened->stream, decoder);
    while (r >= 0 && (r = tnm_stream_next(opened->stream, &batch)) == 1) {
        tnm_batch_free(before);
        before = batch;
        tnm_batch_decoded(batch, &size);
        largest = size > largest ? size : largest;
    }
    tell("end", r);
    printf("memory %zu %" PRIu64 "\n", largest, peak_bytes() - began);
    tnm_batch_free(before);
    tnm_stream_close(opened->stream);
    opened->stream = NULL;
    tnm_decoder_free(decoder);
}

/* ---- Progress, and cancelling from another thread ---- */

struct watch {
    sem_t waits; /* a call waits */
    struct opened *opened;
    int stream; /* cancel the stream, not the client */
    uint64_t calls, answers, bytes;
    int shrank, stop_at;
};

static int on_progress(void *user, uint64_t answers, uint64_t bytes, uint64_t retries)
{
    struct watch *watch = user;
    (void)retries;
    watch->shrank |= answers < watch->answers || bytes < watch->bytes;
    watch->answers = answers;
    watch->bytes = bytes;
    sem_post(&watch->waits);
    return ++watch->calls == (uint64_t)watch->stop_at;
}

static void *cancel_when_waiting(void *arg)
{
    struct watch *watch = arg;
    while (sem_wait(&watch->waits) != 0)
        ;
    if (watch->stream)
        tnm_stream_cancel(watch->opened->stream);
    else
        tnm_cancel(watch->opened->client);
    return NULL;
}

static void watch_for(struct opened *opened, struct watch *watch)
{
    *watch = (struct watch){.opened = opened};
    sem_init(&watch->waits, 0, 0);
    tnm_set_progress(opened->client, on_progress, watch);
}

static void cancel_command(struct opened *opened)
{
    struct watch watch;
    pthread_t canceller;
    watch_for(opened, &watch);
    pthread_create(&canceller, NULL, cancel_when_waiting, &watch);
    tell("split", tnm_split_open(opened->client, "train", &opened->split));
    pthread_join(canceller, NULL);
    sem_destroy(&watch.waits);
}

static void cancel_stream_command(struct opened *opened)
{
    struct watch watch;
    pthread_t canceller;
    char cursor[TNM_CURSOR_SIZE];
    if (open_stream(opened) < 0)
        return;
    watch_for(opened, &watch);
    watch.stream = 1;
    pthread_create(&canceller, NULL, cancel_when_waiting, &watch);
    next(opened->stream, "next");
    pthread_join(canceller, NULL);
    next(opened->stream, "again");
    tell("tell", tnm_stream_tell(opened->stream, cursor, sizeof cursor));
    tell("seek", tnm_stream_seek(opened->stream, cursor));
    next(opened->stream, "next");
    sem_destroy(&watch.waits);
}

static void progress_command(struct opened *opened)
{
    struct watch watch;
    watch_for(opened, &watch);
    watch.stop_at = 3;
    tell("split", tnm_split_open(opened->client, "train", &opened->split));
    printf("progress %" PRIu64 " shrank %d\n", watch.calls, watch.shrank);
    sem_destroy(&watch.waits);
}

/* ---- What the parent opened, in a forked child ---- */

static atomic_bool stop_locking;

/* Takes the client's lock as often as it can, so that forks find it held. */
static void *lock_often(void *arg)
{
    while (!atomic_load(&stop_locking))
        tnm_split_set_form(arg, TNM_ORDER_STORED, 0);
    return NULL;
}

static int n_wrong;

static void expect_child(const char *what, int r)
{
    if (r == -ECHILD && strstr(tnm_last_error(), "fork"))
        return;
    printf("%s gave %d in the child: %s\n", what, r, tnm_last_error());
    n_wrong++;
}

static void use_in_child(struct opened *opened)
{
    tnm_client *client = opened->client;
    tnm_split *split = opened->split, *other;
    tnm_stream *stream = opened->stream, *another;
    tnm_batch *batch;
    char *text, buffer[64];
    uint8_t labels[10];
    uint64_t count;
    expect_child("counts", tnm_counts(client, &count, &count, &count));
    expect_child("set_progress", tnm_set_progress(client, NULL, NULL));
    expect_child("catalog", tnm_catalog_json(client, &text));
    expect_child("get", tnm_get(client, "/v1/splits", "application/json", &text, &(size_t){0}));
    expect_child("split_open", tnm_split_open(client, "train", &other));
    expect_child("labels", tnm_split_labels(split, labels, sizeof labels));
    expect_child("set_form", tnm_split_set_form(split, TNM_ORDER_TIME, 0));
    expect_child("samples", tnm_samples(split, some, 1, &batch));
    expect_child("epoch_batch", tnm_epoch_batch(split, 5, 2, 0, 8, 0, 1, 0, &batch));
    expect_child("pair", tnm_pair(split, 1, 2, &batch));
    expect_child("pair_batch", tnm_pair_batch(split, 1, 0, 8, 0, 1, &batch));
    expect_child("mix", tnm_mix(split, some, 2, &batch));
    expect_child("epoch_open", tnm_epoch_open(split, 5, 2, 8, 0, 1, 0, 4, &another));
    expect_child("pairs_open", tnm_pairs_open(split, 5, 0, 8, 0, 1, 4, &another));
    expect_child("next", tnm_stream_next(stream, &batch));
    expect_child("seek", tnm_stream_seek(stream, "x"));
    expect_child("stride", tnm_stream_stride(stream, 1, 2));
    expect_child("set_epoch", tnm_stream_set_epoch(stream, 3));
    expect_child("set_decoder", tnm_stream_set_decoder(stream, NULL));
    expect_child("lend", tnm_stream_lend(stream, buffer, sizeof buffer));
    tnm_cancel(client);
    tnm_stream_cancel(stream);
    tnm_stream_close(stream);
    tnm_split_close(split);
    tnm_close(client);
}

static void child(struct opened *opened, tnm_batch *batch, const char *const *urls, size_t n_urls)
{
    alarm(HANG_S);
    use_in_child(opened);
    tnm_batch_free(batch);
    struct opened own = {0};
    if (tnm_open(urls, n_urls, NULL, &own.client) < 0 ||
        tnm_split_open(own.client, "train", &own.split) < 0 ||
        tnm_samples(own.split, some, 3, &batch) < 0) {
        printf("a new client in the child: %s\n", tnm_last_error());
        n_wrong++;
    } else {
        tnm_batch_free(batch);
    }
    tnm_split_close(own.split);
    tnm_close(own.client);
    fflush(stdout);
    _exit(n_wrong > 0);
}

static void fork_command(struct opened *opened, const char *const *urls, size_t n_urls)
{
    pthread_t locker;
    tnm_batch *batch = NULL;
    int status, n_well = 0;
    if (open_stream(opened) < 0 || tell("first", tnm_stream_next(opened->stream, &batch)) < 0)
        return;
    pthread_create(&locker, NULL, lock_often, opened->split);
    for (int i = 0; i < N_FORKS; i++) {
        pid_t pid = fork();
        if (pid == 0)
            child(opened, batch, urls, n_urls);
        if (pid > 0 && waitpid(pid, &status, 0) == pid && status == 0)
            n_well++;
    }
    atomic_store(&stop_locking, true);
    pthread_join(locker, NULL);
    tnm_batch_free(batch);
    printf("children %d of %d\n", n_well, N_FORKS);
    next(opened->stream, "next");
}

/* ---- The command line ---- */

static const struct {
    const char *name;
    void (*run)(struct opened *opened);
} commands[] = {
    {"get", get_command},           {"epoch", epoch_command},
    {"close", close_command},       {"cancel", cancel_command},
    {"progress", progress_command}, {"cancel-stream", cancel_stream_command},
    {"step", step_command},         {"memory", memory_command},
    {"part", part_command},         {"costs", costs_command},
    {"catalog", catalog_command},
};

static void run(const char *name, struct opened *opened, const char *const *urls, size_t n_urls)
{
    if (strcmp(name, "fork") == 0)
        fork_command(opened, urls, n_urls);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (strcmp(commands[i].name, name) == 0)
            commands[i].run(opened);
}

/* "name=value"; anything else is the first URL. */
static int set_option(tnm_options *options, const char *word)
{
    char name[64];
    size_t length = strcspn(word, "=:/");
    if (word[length] != '=' || length >= sizeof name)
        return 0;
    memcpy(name, word, length);
    name[length] = 0;
    return tell("option", tnm_options_set(options, name, word + length + 1)) < 0 ? -1 : 1;
}

int main(int argc, char **argv)
{
    struct opened opened = {0};
    tnm_options *options;
    int at = 2, set = 0;
    if (argc < 3 || tnm_options_new(&options) < 0)
        return 2;
    while (at < argc && (set = set_option(options, argv[at])) > 0)
        at++;
    const char *const *urls = (const char *const *)argv + at;
    if (set == 0 && tell("open", tnm_open(urls, (size_t)(argc - at), options, &opened.client)) == 0)
        run(argv[1], &opened, urls, (size_t)(argc - at));
    tnm_options_free(options);
    tnm_stream_close(opened.stream);
    tnm_split_close(opened.split);
    tnm_close(opened.client);
    return 0;
}
