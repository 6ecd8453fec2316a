/* SPDX-License-Identifier: Apache-2.0
 * The access log: its buffer, and the thread that writes it. */
#include "server/access_log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "server/log.h"
#include "server/metrics.h"

enum {
    BUFFER_BYTES = 1 << 20, /* of each of two: one is filled while the other is written */
    MODE = 0640,
    POLL_MS = 200,
    END_S = 1,
    COMPLAINT_S = 60,
};

enum target { TARGET_OFF, TARGET_STDERR, TARGET_JOURNAL, TARGET_FILE };

static const char *const targets[] = {"off", "stderr", "journal"};
static const char *const formats[] = {[ACCESS_JSON] = "json", [ACCESS_COMMON] = "common"};

struct buffer {
    char *bytes;
    size_t size;
    uint64_t n_lines;
};

static struct access_log {
    enum target target;
    enum access_format format;
    const char *path; /* the settings' */
    pthread_t thread;

    pthread_mutex_t lock;
    pthread_cond_t changed; /* what stands below */
    struct buffer filled;
    bool reopen, ending;

    /* The thread's own. */
    struct buffer written;
    int fd;
    bool cut; /* the last line was written in part */
} access_log = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER, .fd = -1};

/* ---- settings ---- */

static unsigned find(const char *const *names, unsigned n, const char *name)
{
    unsigned i = 0;
    while (i < n && strcmp(names[i], name) != 0)
        i++;
    return i;
}

static int read_settings(const struct settings *settings, enum target *ret_target,
                         enum access_format *ret_format, struct error *why)
{
    unsigned n_formats = sizeof formats / sizeof *formats;
    unsigned format = find(formats, n_formats, settings->access_log_format);
    if (format == n_formats)
        return error_set(why, -EINVAL, "access_log_format: \"%s\" is neither json nor common",
                         settings->access_log_format);
    unsigned target = find(targets, TARGET_FILE, settings->access_log);
    if (target == TARGET_FILE && !strchr(settings->access_log, '/'))
        return error_set(why, -EINVAL,
                         "access_log: \"%s\" is none of off, stderr, journal, and no path with a /",
                         settings->access_log);
    *ret_target = (enum target)target;
    *ret_format = (enum access_format)format;
    return 0;
}

int access_log_check(const struct settings *settings, struct error *why)
{
    enum target target;
    enum access_format format;
    return read_settings(settings, &target, &format, why);
}

/* ---- the thread ---- */

/* How many is for the metrics to tell: it is said that there are some, once in a while. */
static void complain(uint64_t n_lines, const char *why)
{
    static _Atomic time_t complained_s;
    tally_add(METRICS_ACCESS_DROPPED, n_lines);
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    time_t before_s = atomic_load(&complained_s);
    if ((before_s == 0 || now.tv_sec - before_s >= COMPLAINT_S) &&
        atomic_compare_exchange_strong(&complained_s, &before_s, now.tv_sec))
        log_warning("access log: lines are dropped: %s", why);
}

static bool is_ending(void)
{
    pthread_mutex_lock(&access_log.lock);
    bool ending = access_log.ending;
    pthread_mutex_unlock(&access_log.lock);
    return ending;
}

/* A pipe or a terminal that nobody reads does not hold up the end. */
static int wait_for_room(void)
{
    struct pollfd pollfd = {.fd = access_log.fd, .events = POLLOUT};
    while (poll(&pollfd, 1, POLL_MS) == 0)
        if (is_ending())
            return -ETIMEDOUT;
    return 0;
}

static int write_all(const char *bytes, size_t size, size_t *ret_done)
{
    int r = 0;
    *ret_done = 0;
    while (r == 0 && *ret_done < size) {
        ssize_t n = write(access_log.fd, bytes + *ret_done, size - *ret_done);
        if (n >= 0)
            *ret_done += (size_t)n;
        else if (errno == EAGAIN)
            r = wait_for_room();
        else if (errno != EINTR)
            r = -errno;
    }
    return r;
}

static uint64_t count_lines(const char *bytes, size_t size)
{
    uint64_t n = 0;
    for (const char *at = bytes; (at = memchr(at, '\n', size - (size_t)(at - bytes))); at++)
        n++;
    return n;
}

static void write_lines(const struct buffer *buffer)
{
    size_t done;
    if (access_log.cut && write_all("\n", 1, &done) == 0)
        access_log.cut = false;
    int r = write_all(buffer->bytes, buffer->size, &done);
    uint64_t n = count_lines(buffer->bytes, done);
    tally_add(METRICS_ACCESS_LINES, n);
    if (r == 0)
        return;
    access_log.cut |= done > 0 && buffer->bytes[done - 1] != '\n';
    complain(buffer->n_lines - n, strerror(-r));
}

/* The journal takes one line at a time. */
static void send_lines(struct buffer *buffer)
{
    char *end, *line = buffer->bytes;
    for (uint64_t i = 0; i < buffer->n_lines; i++, line = end + 1) {
        end = memchr(line, '\n', buffer->size - (size_t)(line - buffer->bytes));
        *end = '\0';
        bool taken = log_access(line);
        tally_add(METRICS_ACCESS_LINES, taken);
        if (!taken)
            complain(1, "the journal does not take them");
    }
}

/* O_NONBLOCK: nothing waits for the reader of a pipe. */
static int open_file(void)
{
    int fd = open(access_log.path,
                  O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, MODE);
    return fd < 0 ? -errno : fd;
}

static void reopen(void)
{
    if (access_log.target != TARGET_FILE)
        return;
    int fd = open_file();
    if (fd < 0) {
        log_error("access log: %s: %s; the file from before is written on", access_log.path,
                  strerror(-fd));
        return;
    }
    close(access_log.fd);
    access_log.fd = fd;
    access_log.cut = false;
}

/* Take what was left, and leave the empty buffer for it. False: nothing more comes. */
static bool take(bool *ret_reopen)
{
    struct access_log *log = &access_log;
    pthread_mutex_lock(&log->lock);
    while (log->filled.n_lines == 0 && !log->reopen && !log->ending)
        pthread_cond_wait(&log->changed, &log->lock);
    const struct buffer filled = log->filled;
    log->filled = (struct buffer){.bytes = log->written.bytes};
    log->written = filled;
    *ret_reopen = log->reopen;
    log->reopen = false;
    bool ends = log->ending && filled.n_lines == 0;
    pthread_mutex_unlock(&log->lock);
    return !ends;
}

static void *write_log(void *user)
{
    (void)user;
    bool asked;
    while (take(&asked)) {
        if (asked)
            reopen();
        if (access_log.target == TARGET_JOURNAL)
            send_lines(&access_log.written);
        else
            write_lines(&access_log.written);
    }
    return NULL;
}

/* ---- for all ---- */

static void free_all(void)
{
    free(access_log.filled.bytes);
    free(access_log.written.bytes);
    access_log.filled = access_log.written = (struct buffer){0};
    if (access_log.fd > STDERR_FILENO)
        close(access_log.fd);
    access_log.fd = -1;
    access_log.target = TARGET_OFF;
    access_log.reopen = access_log.ending = access_log.cut = false;
}

static int start(struct error *why)
{
    access_log.filled.bytes = malloc(BUFFER_BYTES);
    access_log.written.bytes = malloc(BUFFER_BYTES);
    if (!access_log.filled.bytes || !access_log.written.bytes)
        return error_set(why, -ENOMEM, "no memory for the access log");
    access_log.fd = access_log.target == TARGET_FILE ? open_file() : STDERR_FILENO;
    if (access_log.fd < 0)
        return error_set(why, access_log.fd, "access_log: %s: %s", access_log.path,
                         strerror(-access_log.fd));
    int r = -pthread_create(&access_log.thread, NULL, write_log, NULL);
    return r < 0 ? error_set(why, r, "cannot start a thread: %s", strerror(-r)) : 0;
}

int access_log_open(const struct settings *settings, struct error *why)
{
    int r = read_settings(settings, &access_log.target, &access_log.format, why);
    if (r < 0 || access_log.target == TARGET_OFF)
        return r;
    access_log.path = settings->access_log;
    r = start(why);
    if (r < 0)
        free_all();
    return r;
}

bool access_log_is_open(void)
{
    return access_log.target != TARGET_OFF;
}

void access_log_add(const struct access *access)
{
    char line[ACCESS_LINE_SIZE];
    size_t size = access_line(access_log.format, access, line);
    pthread_mutex_lock(&access_log.lock);
    struct buffer *buffer = &access_log.filled;
    bool fits = size <= BUFFER_BYTES - buffer->size;
    if (fits) {
        memcpy(buffer->bytes + buffer->size, line, size);
        buffer->size += size;
        buffer->n_lines++;
        pthread_cond_signal(&access_log.changed);
    }
    pthread_mutex_unlock(&access_log.lock);
    if (!fits)
        complain(1, "they come faster than they can be written");
}

void access_log_reopen(void)
{
    pthread_mutex_lock(&access_log.lock);
    access_log.reopen = true;
    pthread_cond_signal(&access_log.changed);
    pthread_mutex_unlock(&access_log.lock);
}

/* Where the thread does not end, what it writes and from where is left to it. */
void access_log_close(void)
{
    if (!access_log_is_open())
        return;
    struct timespec until;
    pthread_mutex_lock(&access_log.lock);
    access_log.ending = true;
    pthread_cond_signal(&access_log.changed);
    pthread_mutex_unlock(&access_log.lock);
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += END_S;
    if (pthread_clockjoin_np(access_log.thread, NULL, CLOCK_MONOTONIC, &until) == 0)
        free_all();
}
