/* SPDX-License-Identifier: Apache-2.0
 * One request that its caller waits for. Where the only server is well it is made in the caller's
 * own thread; whatever becomes of that but a good answer goes to the loop's thread, as the first
 * try of a request. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client/client.h"
#include "client/failure.h"

/* ---- In the caller's thread ---- */

struct ticking {
    tnm_client *client;
    uint64_t n_cancels;
};

static int tick(void *user)
{
    const struct ticking *ticking = user;
    return client_tick(ticking->client, ticking->n_cancels);
}

static int get(tnm_client *client, const struct request_ask *ask, uint64_t n_cancels,
               struct request_tried *ret)
{
    const struct server *server = &client->servers->list[0];
    struct ticking ticking = {client, n_cancels};
    char *url;
    int r = client->line ? 0 : requests_line(client->requests, &client->line);
    if (r < 0 || asprintf(&url, "%s%s", server->base, ask->path) < 0)
        return error_set(&ret->why, -ENOMEM, "no memory for a transfer");
    const struct transfer_ask to = {
        .url = url, .unix_socket = server->socket, .max_bytes = ask->max_bytes};
    r = line_get(client->line, &to, tick, &ticking, &ret->answer, &ret->why);
    free(url);
    return r;
}

/* Try it, if that may be done here. 1: it was answered well; 0: it was not tried; or what was
 * wrong: that is -ECANCELED, kept as the last error, or in *ret. */
static int try_here(tnm_client *client, const struct request_ask *ask, uint64_t n_cancels,
                    struct request_tried *ret)
{
    if (ask->post || ask->leaves_connection || !requests_are_well(client->requests) ||
        pthread_mutex_trylock(&client->line_lock) != 0)
        return 0;
    ret->sent_ms = requests_now_ms();
    ret->r = get(client, ask, n_cancels, ret);
    pthread_mutex_unlock(&client->line_lock);
    if (ret->r < 0)
        return ret->r;
    int r = request_check(ask, &ret->answer, &ret->why);
    if (r == 0)
        requests_count_answer(client->requests);
    return r < 0 ? r : 1;
}

/* ---- In the loop's thread ---- */

struct waited {
    tnm_client *client;
    struct request_ask ask;          /* ours, told to finish() */
    const struct request_ask *asked; /* the caller's */
    struct request *request;
    bool done; /* under the lock */
    int r;
    char *server;
    struct error why;
};

static bool is_done(const void *user)
{
    return ((const struct waited *)user)->done;
}

static const struct request *request_of(const void *user)
{
    return ((const struct waited *)user)->request;
}

static int check(void *user, struct answer *answer, struct error *why)
{
    const struct waited *waited = user;
    return waited->asked->check(waited->asked->user, answer, why);
}

static void end(struct waited *waited, int r, const char *server, const struct error *why)
{
    pthread_mutex_lock(&waited->client->lock);
    waited->request = NULL;
    waited->r = r;
    waited->server = server ? strdup(server) : NULL;
    waited->why = *why;
    waited->done = true;
    pthread_cond_broadcast(&waited->client->changed);
    pthread_mutex_unlock(&waited->client->lock);
}

static void on_done(void *user, int r, const char *server, const struct error *why)
{
    end(user, r, server, why);
}

static void start_waited(void *user)
{
    struct waited *waited = user;
    if (request_start(waited->client->requests, &waited->ask, &waited->request) < 0)
        end(waited, -ENOMEM, NULL, &(struct error){.text = "no memory for a request"});
}

static void stop_waited(void *user)
{
    struct waited *waited = user;
    request_cancel(waited->request);
    waited->request = NULL;
}

static int wait_for(tnm_client *client, struct waited *waited, uint64_t n_cancels)
{
    loop_call(client->loop, start_waited, waited);
    pthread_mutex_lock(&client->lock);
    const struct client_waited what = {is_done, request_of, waited, n_cancels};
    int r = client_wait(client, &what);
    pthread_mutex_unlock(&client->lock);
    if (r == 0)
        return waited->r < 0 ? failure_keep(waited->r, &waited->why) : 0;
    loop_call(client->loop, stop_waited, waited);
    return r;
}

int client_request(tnm_client *client, const struct request_ask *ask, char **ret_server)
{
    struct request_tried tried = {0};
    struct waited waited = {.client = client, .ask = *ask, .asked = ask};
    waited.ask.check = check;
    waited.ask.done = on_done;
    waited.ask.user = &waited;
    waited.ask.patience_ms = client->options->call_patience_s * 1000;
    uint64_t n_cancels = client_cancels(client);
    int r = try_here(client, ask, n_cancels, &tried);
    if (r == 1) {
        waited.server = strdup(client->servers->list[0].name);
        r = 0;
    } else if (r != -ECANCELED) {
        waited.ask.tried = r < 0 ? &tried : NULL;
        r = wait_for(client, &waited, n_cancels);
    }
    body_clear(&tried.answer.body);
    if (r == 0 && !waited.server)
        r = failure_set(-ENOMEM, "no memory for a name");
    if (r < 0 || !ret_server)
        free(waited.server);
    else
        *ret_server = waited.server;
    return r;
}
