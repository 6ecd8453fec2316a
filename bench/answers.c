/* SPDX-License-Identifier: Apache-2.0
 * Ways for an answer of many parts to leave libmicrohttpd: a server set up as the daemon is, whose
 * answers are random pieces of a mapped file and nothing else. bench/answers.py compares the ways.
 *
 *   bench/answers FILE WAY      WAY: vectored, reader-BYTES, contiguous, pooled or worker,
 *                               and the words of the table below, joined by "+"
 *
 * GET /N answers with N pieces, GET /N/SEED always with the same ones, GET /spent with the answers
 * so far and the processor time in microseconds. One thread, beside the worker if there is one. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <malloc.h>
#include <microhttpd.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    MAX_PIECES = 1024,
    MIN_PIECE_BYTES = 20000,
    MAX_PIECE_BYTES = 40000,
    HEAD_BYTES = 64, /* what stands before the pieces, in memory of its own */
    POOL_BYTES = 16384,
    CHUNK_BYTES = 4096, /* fetched while the one before it is copied */
    LINE_BYTES = 64,
    RUNS_AT_A_TIME = 16, /* as server/http.c */
};

/* One request, and the pieces that answer it. */
struct batch {
    struct batch *next; /* in the worker's queue */
    struct MHD_Connection *connection;
    unsigned n_users;
    size_t n_parts, n_bytes;
    size_t part, part_offset; /* where the reader stands */
    char *buffer;
    char head[HEAD_BYTES];
    struct MHD_IoVec parts[];
};

/* A buffer that waits to be used again. */
struct spare {
    struct spare *next;
    size_t n_bytes;
};

/* What the command line asks for, word by word. */
static struct {
    bool vectored, contiguous, pooled, worker; /* or a reader, if block_bytes is set */
    bool ahead;                                /* copy with copy_ahead() */
    bool heap;                                 /* blocks from the heap, which is never trimmed */
} way;

static const struct {
    const char *name;
    bool *set;
} words[] = {
    {"vectored", &way.vectored}, {"contiguous", &way.contiguous}, {"pooled", &way.pooled},
    {"worker", &way.worker},     {"ahead", &way.ahead},           {"heap", &way.heap},
};

static const char *map;
static size_t map_bytes, block_bytes;
static uint64_t random_state = 88172645463325252U;
static unsigned long long n_answers;
static struct spare *spares;
static int filled_fd;
static char seen; /* its address stands for a request of which only the head was seen */

/* While a chunk is copied the next one comes: the processor's own prefetch ends with each page. */
static void copy_ahead(char *out, const char *from, size_t n_bytes, const char *then)
{
    for (size_t at = 0; at < n_bytes; at += CHUNK_BYTES) {
        size_t n = n_bytes - at < CHUNK_BYTES ? n_bytes - at : CHUNK_BYTES;
        const char *soon = at + CHUNK_BYTES < n_bytes ? from + at + CHUNK_BYTES : then;
        for (size_t i = 0; soon && i < CHUNK_BYTES; i += LINE_BYTES)
            __builtin_prefetch(soon + i, 0, 3);
        memcpy(out + at, from + at, n);
    }
}

/* Copy up to `most` bytes of the parts, from where the batch's reader stands. */
static size_t batch_read(struct batch *batch, char *out, size_t most)
{
    size_t at = 0;
    while (at < most && batch->part < batch->n_parts) {
        const struct MHD_IoVec *part = &batch->parts[batch->part];
        size_t left = part->iov_len - batch->part_offset;
        size_t n = left < most - at ? left : most - at;
        const char *then = batch->part + 1 < batch->n_parts ? part[1].iov_base : NULL;
        const char *from = (const char *)part->iov_base + batch->part_offset;
        if (way.ahead)
            copy_ahead(out + at, from, n, then);
        else
            memcpy(out + at, from, n);
        at += n;
        batch->part_offset += n;
        if (n == left) {
            batch->part++;
            batch->part_offset = 0;
        }
    }
    return at;
}

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static struct batch *batch_new(struct MHD_Connection *connection, size_t n, uint64_t *state)
{
    struct batch *batch = calloc(1, sizeof *batch + (n + 1) * sizeof *batch->parts);
    if (!batch)
        return NULL;
    batch->connection = connection;
    batch->n_users = 1;
    batch->n_parts = n + 1;
    batch->n_bytes = sizeof batch->head;
    batch->parts[0] = (struct MHD_IoVec){batch->head, sizeof batch->head};
    for (size_t i = 1; i <= n; i++) {
        size_t size =
            MIN_PIECE_BYTES + next_random(state) % (MAX_PIECE_BYTES - MIN_PIECE_BYTES + 1);
        size_t at = next_random(state) % (map_bytes - MAX_PIECE_BYTES - CHUNK_BYTES);
        batch->parts[i] = (struct MHD_IoVec){map + at, size};
        batch->n_bytes += size;
    }
    return batch;
}

static bool keeps_buffers(void)
{
    return way.pooled || way.worker;
}

static char *buffer_take(size_t n_bytes)
{
    for (struct spare **link = &spares; *link; link = &(*link)->next) {
        struct spare *spare = *link;
        if (spare->n_bytes < n_bytes)
            continue;
        *link = spare->next;
        return (char *)(spare + 1);
    }
    size_t most = keeps_buffers() ? HEAD_BYTES + MAX_PIECES / 4 * (size_t)MAX_PIECE_BYTES : n_bytes;
    most = most > n_bytes ? most : n_bytes;
    struct spare *spare = malloc(sizeof *spare + most);
    if (!spare)
        return NULL;
    spare->n_bytes = most;
    return (char *)(spare + 1);
}

static void buffer_release(char *buffer)
{
    struct spare *spare = (struct spare *)(void *)buffer - 1;
    if (!buffer)
        return;
    if (!keeps_buffers()) {
        free(spare);
        return;
    }
    spare->next = spares;
    spares = spare;
}

static void batch_unref(void *user)
{
    struct batch *batch = user;
    if (--batch->n_users > 0)
        return;
    buffer_release(batch->buffer);
    free(batch);
}

static ssize_t read_block(void *user, uint64_t at, char *out, size_t most)
{
    (void)at;
    return (ssize_t)batch_read(user, out, most);
}

static struct MHD_Response *answer_vectored(struct batch *batch)
{
    return MHD_create_response_from_iovec(batch->parts, (unsigned)batch->n_parts, batch_unref,
                                          batch);
}

static struct MHD_Response *answer_reader(struct batch *batch)
{
    return MHD_create_response_from_callback(batch->n_bytes, block_bytes, read_block, batch,
                                             batch_unref);
}

static struct MHD_Response *answer_buffer(struct batch *batch)
{
    if (!batch->buffer && (batch->buffer = buffer_take(batch->n_bytes)))
        batch_read(batch, batch->buffer, batch->n_bytes);
    return batch->buffer ? MHD_create_response_from_buffer_with_free_callback_cls(
                               batch->n_bytes, batch->buffer, batch_unref, batch)
                         : NULL;
}

static struct MHD_Response *make_response(struct batch *batch)
{
    if (way.vectored)
        return answer_vectored(batch);
    return block_bytes ? answer_reader(batch) : answer_buffer(batch);
}

static enum MHD_Result answer(struct batch *batch)
{
    static const char *const headers[][2] = {
        {"Content-Type", "application/octet-stream"},
        {"Cache-Control", "public, max-age=31536000, immutable"},
        {"ETag", "\"0123456789abcdef0123456789abcdef\""},
    };
    struct MHD_Response *response = make_response(batch);
    if (!response)
        return MHD_NO;
    batch->n_users++;
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
        MHD_add_response_header(response, headers[i][0], headers[i][1]);
    enum MHD_Result queued = MHD_queue_response(batch->connection, MHD_HTTP_OK, response);
    MHD_destroy_response(response);
    return queued;
}

/* The worker: fills buffers in the order in which they were asked for, and gives them back through
 * the event's descriptor. */
static struct queue {
    pthread_mutex_t lock;
    pthread_cond_t more;
    struct batch *first, **last;
} asked = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, NULL, &asked.first},
  filled = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, NULL, &filled.first};

static void queue_push(struct queue *queue, struct batch *batch)
{
    pthread_mutex_lock(&queue->lock);
    batch->next = NULL;
    *queue->last = batch;
    queue->last = &batch->next;
    pthread_cond_signal(&queue->more);
    pthread_mutex_unlock(&queue->lock);
}

/* The first, or NULL if there is none and nobody may wait. */
static struct batch *queue_pop(struct queue *queue, bool wait)
{
    pthread_mutex_lock(&queue->lock);
    while (wait && !queue->first)
        pthread_cond_wait(&queue->more, &queue->lock);
    struct batch *batch = queue->first;
    if (batch && !(queue->first = batch->next))
        queue->last = &queue->first;
    pthread_mutex_unlock(&queue->lock);
    return batch;
}

static void *work(void *unused)
{
    for (;;) {
        struct batch *batch = queue_pop(&asked, true);
        batch_read(batch, batch->buffer, batch->n_bytes);
        queue_push(&filled, batch);
        eventfd_write(filled_fd, 1);
    }
    return unused;
}

static enum MHD_Result submit(struct batch *batch)
{
    batch->buffer = buffer_take(batch->n_bytes);
    if (!batch->buffer)
        return MHD_NO;
    MHD_suspend_connection(batch->connection);
    queue_push(&asked, batch);
    return MHD_YES;
}

static void resume_filled(void)
{
    eventfd_t n;
    eventfd_read(filled_fd, &n);
    for (struct batch *batch; (batch = queue_pop(&filled, false));)
        MHD_resume_connection(batch->connection);
}

static enum MHD_Result say_spent(struct MHD_Connection *connection)
{
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    char text[64];
    int n = snprintf(text, sizeof text, "%llu %lld\n", n_answers,
                     (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000LL +
                         used.ru_utime.tv_usec + used.ru_stime.tv_usec);
    struct MHD_Response *response =
        MHD_create_response_from_buffer((size_t)n, text, MHD_RESPMEM_MUST_COPY);
    enum MHD_Result queued = MHD_queue_response(connection, MHD_HTTP_OK, response);
    MHD_destroy_response(response);
    return queued;
}

static enum MHD_Result on_request(void *user, struct MHD_Connection *connection, const char *path,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_size, void **con_cls)
{
    (void)user, (void)method, (void)version, (void)upload, (void)upload_size;
    if (!*con_cls) {
        *con_cls = &seen;
        return MHD_YES;
    }
    if (*con_cls != &seen) /* back from the worker */
        return answer(*con_cls);
    if (strcmp(path, "/spent") == 0)
        return say_spent(connection);
    char *end;
    size_t n = strtoul(path + 1, &end, 10);
    uint64_t seed = *end == '/' ? strtoull(end + 1, NULL, 10) * 0x9E3779B97F4A7C15U : 0;
    if (n == 0 || n > MAX_PIECES)
        return MHD_NO;
    struct batch *batch = batch_new(connection, n, seed ? &seed : &random_state);
    if (!batch)
        return MHD_NO;
    *con_cls = batch;
    return way.worker ? submit(batch) : answer(batch);
}

static void on_completed(void *user, struct MHD_Connection *connection, void **con_cls,
                         enum MHD_RequestTerminationCode code)
{
    (void)user, (void)connection;
    struct batch *batch = *con_cls == &seen ? NULL : *con_cls;
    if (!batch)
        return;
    n_answers += code == MHD_REQUEST_TERMINATED_COMPLETED_OK;
    batch_unref(batch);
}

static bool understand(const char *word)
{
    if (sscanf(word, "reader-%zu", &block_bytes) == 1)
        return block_bytes > 0;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(word, words[i].name) == 0)
            return *words[i].set = true;
    return false;
}

static bool understand_all(char *text)
{
    bool understood = true;
    for (char *word = strtok(text, "+"); word; word = strtok(NULL, "+"))
        understood = understand(word) && understood;
    if (way.heap) {
        mallopt(M_MMAP_THRESHOLD, 1 << 30);
        mallopt(M_TRIM_THRESHOLD, 1 << 30);
    }
    int n = way.vectored + way.contiguous + way.pooled + way.worker + (block_bytes > 0);
    return understood && n == 1;
}

static bool map_file(const char *path)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0 || st.st_size < 2 * MAX_PIECE_BYTES)
        return false;
    map_bytes = (size_t)st.st_size;
    map = mmap(NULL, map_bytes, PROT_READ, MAP_SHARED | MAP_POPULATE, fd, 0);
    close(fd);
    return map != MAP_FAILED;
}

/* A listening socket on a free port of this machine alone. */
static int listen_anywhere(struct sockaddr_in *ret_address)
{
    socklen_t size = sizeof *ret_address;
    *ret_address =
        (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (void *)ret_address, size) < 0 || listen(fd, SOMAXCONN) < 0 ||
        getsockname(fd, (void *)ret_address, &size) < 0)
        return -1;
    return fd;
}

static void serve(struct MHD_Daemon *daemon)
{
    struct pollfd ready[] = {
        {.fd = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd, .events = POLLIN},
        {.fd = filled_fd, .events = POLLIN}};
    for (;;) {
        MHD_UNSIGNED_LONG_LONG timeout_ms = 0;
        int wait_ms = 0;
        for (int i = 0; i < RUNS_AT_A_TIME && wait_ms == 0; i++) {
            MHD_run_wait(daemon, 0);
            bool limited = MHD_get_timeout(daemon, &timeout_ms) == MHD_YES;
            wait_ms = limited ? (int)(timeout_ms < 1000 ? timeout_ms : 1000) : -1;
        }
        poll(ready, 2, wait_ms);
        if (ready[1].revents)
            resume_filled();
    }
}

int main(int argc, char **argv)
{
    bool understood = argc == 3 && map_file(argv[1]) && understand_all(argv[2]);
    pthread_t worker;
    struct sockaddr_in address;
    int fd = listen_anywhere(&address);
    filled_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (!understood || fd < 0 || filled_fd < 0 ||
        (way.worker && pthread_create(&worker, NULL, work, NULL) != 0)) {
        fputs("usage: bench/answers FILE WAY[+VARIANT...], see bench/answers.c\n", stderr);
        return EXIT_FAILURE;
    }
    struct MHD_Daemon *daemon = MHD_start_daemon(
        MHD_USE_EPOLL | MHD_USE_TURBO | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, on_request, NULL,
        MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)POOL_BYTES, MHD_OPTION_CONNECTION_TIMEOUT, 60U,
        MHD_OPTION_END);
    if (!daemon)
        return EXIT_FAILURE;
    printf("http://127.0.0.1:%d\n", ntohs(address.sin_port));
    fflush(stdout);
    serve(daemon);
}
