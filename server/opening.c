/* SPDX-License-Identifier: Apache-2.0
 * Opens the service in a way that a signal can end: it reads header and index of every split, which
 * a disk that is slow or far away can make long. */
#include "server/opening.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

struct opening {
    const struct settings *settings;
    int done_fd, signal_fd;
    struct service *service;
    struct error why;
    int result;
};

static void *open_service(void *user)
{
    struct opening *opening = user;
    opening->result = service_open(opening->settings, &opening->service, &opening->why);
    eventfd_write(opening->done_fd, 1);
    return NULL;
}

/* The signal that came before the opening was done, or 0. */
static int wait_for_end(const struct opening *opening)
{
    struct pollfd fds[] = {{.fd = opening->done_fd, .events = POLLIN},
                           {.fd = opening->signal_fd, .events = POLLIN}};
    struct signalfd_siginfo signal;
    for (;;) {
        poll(fds, sizeof fds / sizeof *fds, -1);
        if (fds[1].revents && read(opening->signal_fd, &signal, sizeof signal) > 0)
            return (int)signal.ssi_signo;
        if (fds[0].revents)
            return 0;
    }
}

static void free_all(struct opening *opening)
{
    if (opening->done_fd >= 0)
        close(opening->done_fd);
    if (opening->signal_fd >= 0)
        close(opening->signal_fd);
    free(opening);
}

static int run(struct opening *opening, int *ret_signal)
{
    pthread_t thread;
    int r = -pthread_create(&thread, NULL, open_service, opening);
    if (r < 0)
        return error_set(&opening->why, r, "cannot start a thread: %s", strerror(-r));
    int signal = wait_for_end(opening);
    if (signal) {
        pthread_detach(thread);
        *ret_signal = signal;
        return -ECANCELED;
    }
    pthread_join(thread, NULL);
    return opening->result;
}

int opening_run(const struct settings *settings, const sigset_t *signals, struct service **ret,
                int *ret_signal, struct error *why)
{
    struct opening *opening = calloc(1, sizeof *opening);
    if (!opening)
        return error_set(why, -ENOMEM, "no memory for the service");
    opening->settings = settings;
    opening->done_fd = eventfd(0, EFD_CLOEXEC);
    opening->signal_fd = signalfd(-1, signals, SFD_CLOEXEC | SFD_NONBLOCK);
    int r = -errno;
    if (opening->done_fd < 0 || opening->signal_fd < 0)
        error_set(&opening->why, r, "cannot wait for signals: %s", strerror(-r));
    else
        r = run(opening, ret_signal);
    if (r == -ECANCELED)
        return r; /* the thread has what would be freed */
    if (r == 0)
        *ret = opening->service;
    else if (why)
        *why = opening->why;
    free_all(opening);
    return r;
}
