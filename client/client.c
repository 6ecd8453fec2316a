/* SPDX-License-Identifier: Apache-2.0
 * What all parts of one client share: its thread, its servers, and waiting. */
#include "client/client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "client/failure.h"
#include "config.h"

enum { PROGRESS_EVERY_MS = 100, MESSAGE_EVERY_MS = 10000 };

const char *tnm_version(void)
{
    return PACKAGE_VERSION;
}

void tnm_free(void *text)
{
    free(text);
}

/* ---- Opening and closing ---- */

static void init_waiting(tnm_client *client)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&client->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&client->lock, NULL);
    pthread_mutex_init(&client->line_lock, NULL);
}

static void free_requests(void *user)
{
    tnm_client *client = user;
    requests_free(client->requests);
}

static void free_client(tnm_client *client)
{
    line_free(client->line);
    if (client->loop)
        loop_call(client->loop, free_requests, client);
    loop_free(client->loop);
    servers_free(client->servers);
    tnm_options_free(client->options);
    pthread_cond_destroy(&client->changed);
    pthread_mutex_destroy(&client->lock);
    pthread_mutex_destroy(&client->line_lock);
    free(client);
}

static void make_requests(void *user)
{
    tnm_client *client = user;
    requests_new(client->loop, client->options, client->servers, &client->requests);
}

static int open_parts(tnm_client *client, const char *const *urls, size_t n_urls,
                      const tnm_options *options, struct error *why)
{
    if (options_copy(options, &client->options) < 0)
        return error_set(why, -ENOMEM, "no memory for options");
    int r = servers_new(urls, n_urls, &client->servers, why);
    if (r == 0)
        r = loop_new(&client->loop, why);
    if (r < 0)
        return r;
    loop_call(client->loop, make_requests, client);
    return client->requests ? 0 : error_set(why, -ENOMEM, "no memory for requests");
}

int tnm_open(const char *const *urls, size_t n_urls, const tnm_options *options, tnm_client **ret)
{
    struct error why;
    tnm_client *client = calloc(1, sizeof *client);
    if (!client)
        return failure_set(-ENOMEM, "no memory for a client");
    client->n_refs = 1;
    client->pid = getpid();
    init_waiting(client);
    int r = open_parts(client, urls, n_urls, options, &why);
    if (r < 0) {
        free_client(client);
        return failure_keep(r, &why);
    }
    *ret = client;
    return 0;
}

bool client_is_ours(const tnm_client *client)
{
    return client->pid == getpid();
}

int client_check(const tnm_client *client)
{
    if (!client)
        return failure_set(-EINVAL, "there is no client");
    if (!client_is_ours(client))
        return failure_set(-ECHILD,
                           "this client was opened by process %ld, before the fork: open one in "
                           "the child",
                           (long)client->pid);
    return 0;
}

tnm_client *client_ref(tnm_client *client)
{
    pthread_mutex_lock(&client->lock);
    client->n_refs++;
    pthread_mutex_unlock(&client->lock);
    return client;
}

void client_unref(tnm_client *client)
{
    pthread_mutex_lock(&client->lock);
    bool last = --client->n_refs == 0;
    pthread_mutex_unlock(&client->lock);
    if (last)
        free_client(client);
}

void tnm_close(tnm_client *client)
{
    if (client && client_is_ours(client))
        client_unref(client);
}

/* ---- Waiting ---- */

void tnm_cancel(tnm_client *client)
{
    if (!client || !client_is_ours(client))
        return;
    pthread_mutex_lock(&client->lock);
    client->n_cancels++;
    pthread_cond_broadcast(&client->changed);
    pthread_mutex_unlock(&client->lock);
}

int tnm_counts(tnm_client *client, uint64_t *ret_answers, uint64_t *ret_bytes,
               uint64_t *ret_retries)
{
    int r = client_check(client);
    if (r == 0)
        requests_counts(client->requests, ret_answers, ret_bytes, ret_retries);
    return r;
}

int tnm_set_progress(tnm_client *client, tnm_progress *progress, void *user)
{
    int r = client_check(client);
    if (r < 0)
        return r;
    pthread_mutex_lock(&client->lock);
    client->progress = progress;
    client->progress_user = user;
    pthread_mutex_unlock(&client->lock);
    return 0;
}

int tnm_set_message(tnm_client *client, tnm_message *message, void *user)
{
    int r = client_check(client);
    if (r < 0)
        return r;
    pthread_mutex_lock(&client->lock);
    client->message = message;
    client->message_user = user;
    pthread_mutex_unlock(&client->lock);
    return 0;
}

static uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static struct timespec at_ms(uint64_t ms)
{
    return (struct timespec){.tv_sec = (time_t)(ms / 1000),
                             .tv_nsec = (long)(ms % 1000) * 1000000L};
}

struct wait {
    tnm_client *client;
    const struct client_waited *waited;
    uint64_t tell_at_ms;    /* the progress */
    uint64_t message_at_ms; /* what is waited for, if it is anything */
    bool has_text;
    struct error text;
};

static void ask_text(void *user)
{
    struct wait *wait = user;
    const struct request *request = wait->waited->request(wait->waited->user);
    wait->has_text = request && request_text(request, &wait->text);
}

static int tell_progress(tnm_client *client, tnm_progress *progress, void *user)
{
    uint64_t answers, bytes, retries;
    requests_counts(client->requests, &answers, &bytes, &retries);
    return progress && progress(user, answers, bytes, retries) != 0
               ? failure_set(-ECANCELED, "cancelled by the progress callback")
               : 0;
}

/* Both callbacks, as they are due; without the lock. */
static int tell(struct wait *wait, tnm_progress *progress, void *progress_user,
                tnm_message *message, void *message_user)
{
    tnm_client *client = wait->client;
    if (message && now_ms() >= wait->message_at_ms) {
        loop_call(client->loop, ask_text, wait);
        if (wait->has_text) {
            wait->message_at_ms = now_ms() + MESSAGE_EVERY_MS;
            message(message_user, wait->text.text);
        }
    }
    return tell_progress(client, progress, progress_user);
}

/* Wait for a change, or until it is time to tell something. */
static int wait_and_tell(struct wait *wait)
{
    tnm_client *client = wait->client;
    const struct timespec at = at_ms(wait->tell_at_ms);
    if (pthread_cond_timedwait(&client->changed, &client->lock, &at) != ETIMEDOUT)
        return 0;
    tnm_progress *progress = client->progress;
    tnm_message *message = client->message;
    void *progress_user = client->progress_user, *message_user = client->message_user;
    pthread_mutex_unlock(&client->lock);
    int r = tell(wait, progress, progress_user, message, message_user);
    pthread_mutex_lock(&client->lock);
    wait->tell_at_ms = now_ms() + PROGRESS_EVERY_MS;
    return r;
}

uint64_t client_cancels(tnm_client *client)
{
    pthread_mutex_lock(&client->lock);
    uint64_t n_cancels = client->n_cancels;
    pthread_mutex_unlock(&client->lock);
    return n_cancels;
}

int client_wait(tnm_client *client, const struct client_waited *waited)
{
    uint64_t now = now_ms();
    struct wait wait = {.client = client,
                        .waited = waited,
                        .tell_at_ms = now + PROGRESS_EVERY_MS,
                        .message_at_ms = now + REQUEST_TEXT_AFTER_MS};
    int r = 0;
    while (r == 0 && !waited->ready(waited->user)) {
        if (client->n_cancels != waited->n_cancels)
            r = failure_set(-ECANCELED, "cancelled");
        else if (client->progress || client->message)
            r = wait_and_tell(&wait);
        else
            pthread_cond_wait(&client->changed, &client->lock);
    }
    return r;
}

int client_tick(tnm_client *client, uint64_t n_cancels)
{
    pthread_mutex_lock(&client->lock);
    bool is_cancelled = client->n_cancels != n_cancels;
    tnm_progress *progress = client->progress;
    void *user = client->progress_user;
    pthread_mutex_unlock(&client->lock);
    return is_cancelled ? failure_set(-ECANCELED, "cancelled")
                        : tell_progress(client, progress, user);
}

void client_say(tnm_client *client, const struct error *text)
{
    pthread_mutex_lock(&client->lock);
    tnm_message *message = client->message;
    void *user = client->message_user;
    pthread_mutex_unlock(&client->lock);
    if (message)
        message(user, text->text);
}
