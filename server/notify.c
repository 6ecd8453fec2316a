/* SPDX-License-Identifier: Apache-2.0
 * Tells the service manager how the daemon is (sd_notify(3)); does nothing where there is none. */
#include "server/notify.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "common/number.h"
#include "server/log.h"

enum { STATE_MAX_BYTES = 1024, STATUS_MAX_BYTES = 768, SEND_TIMEOUT_S = 1 };

/* Not connected: a manager that opens its socket anew is found again. */
static struct manager {
    int fd;
    struct sockaddr_un address;
    socklen_t size;
} manager = {.fd = -1};

/* What was said last, which every sign of life repeats with the connections of its moment. */
static struct status {
    pthread_mutex_t lock;
    char words[STATUS_MAX_BYTES];
} status = {.lock = PTHREAD_MUTEX_INITIALIZER};

static int find_manager(struct manager *ret)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un *address = &ret->address;
    if (!path || (path[0] != '/' && path[0] != '@') || strlen(path) >= sizeof address->sun_path)
        return -1;
    address->sun_family = AF_UNIX;
    memcpy(address->sun_path, path, strlen(path));
    if (path[0] == '@') /* an abstract name */
        address->sun_path[0] = '\0';
    ret->size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
    return 0;
}

void notify_open(void)
{
    notify_close();
    if (find_manager(&manager) < 0)
        return;
    manager.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (manager.fd < 0)
        return;
    /* A manager that does not read holds up a loop no longer. */
    const struct timeval timeout = {.tv_sec = SEND_TIMEOUT_S};
    setsockopt(manager.fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
}

void notify_close(void)
{
    if (manager.fd >= 0)
        close(manager.fd);
    manager = (struct manager){.fd = -1};
}

void notify(const char *state)
{
    if (manager.fd >= 0)
        sendto(manager.fd, state, strlen(state), MSG_NOSIGNAL,
               (const struct sockaddr *)&manager.address, manager.size);
}

void notify_status(const char *state, const char *format, ...)
{
    char words[STATUS_MAX_BYTES], clean[STATUS_MAX_BYTES], text[STATE_MAX_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(words, sizeof words, format, args);
    va_end(args);
    log_clean(words, clean, sizeof clean);
    snprintf(text, sizeof text, "%s\nSTATUS=%s", state, clean);
    pthread_mutex_lock(&status.lock);
    snprintf(status.words, sizeof status.words, "%s", clean);
    notify(text);
    pthread_mutex_unlock(&status.lock);
}

void notify_alive(unsigned n_connections)
{
    char text[STATE_MAX_BYTES];
    pthread_mutex_lock(&status.lock);
    snprintf(text, sizeof text, "WATCHDOG=1\nSTATUS=%s; connections: %u", status.words,
             n_connections);
    notify(text);
    pthread_mutex_unlock(&status.lock);
}

void notify_reloading(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    char text[64];
    snprintf(text, sizeof text, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
             (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000);
    notify(text);
}

static bool environment_number(const char *name, uint64_t *ret)
{
    const char *text = getenv(name);
    return text && number_parse(name, text, strlen(text), 0, UINT64_MAX, ret, NULL) == 0;
}

uint64_t notify_watchdog_ms(void)
{
    uint64_t usec, pid = (uint64_t)getpid();
    if (!environment_number("WATCHDOG_USEC", &usec))
        return 0;
    if (getenv("WATCHDOG_PID") &&
        (!environment_number("WATCHDOG_PID", &pid) || pid != (uint64_t)getpid()))
        return 0;
    return usec / 1000;
}
