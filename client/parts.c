/* SPDX-License-Identifier: Apache-2.0
 * Chunks of one file that servers have: each of some slots has one that is under way or has
 * arrived. A slot is the loop's while its request is under way, and the caller's when that has
 * ended. */
#include "client/parts.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "client/failure.h"
#include "common/wire.h"

enum {
    SLOTS_MAX = 16, /* which bounds the memory */
    SLOTS_MORE = 2, /* than connections: these have to do while we write */
};

struct slot {
    struct parts *all;
    const struct chunk *chunk; /* NULL while it is free */
    struct request *request;   /* loop thread */
    uint64_t turn;             /* chunks are asked for in turn */
    bool is_done;              /* under the client's lock */
    struct body body;
    int r;
    struct error why;
};

struct parts {
    tnm_client *client;
    char *what, *path;
    const char *revision;
    uint64_t n_cancels;
    uint64_t turn;
    unsigned n_slots;
    struct slot slots[SLOTS_MAX];
    const char *bad_server; /* under the client's lock, like the next two; or NULL */
    struct error complaint;
    bool is_complaining;
};

/* ---- In the loop's thread ---- */

static void complain(struct parts *all, const char *server, const struct error *why)
{
    pthread_mutex_lock(&all->client->lock);
    if (server != all->bad_server) { /* which its client keeps */
        all->bad_server = server;
        all->complaint = *why;
        error_prefix(&all->complaint, 0, "%.160s", server);
        all->is_complaining = true;
    }
    pthread_mutex_unlock(&all->client->lock);
}

static int check(void *user, struct answer *answer, struct error *why)
{
    struct slot *slot = user;
    int r = chunk_check(slot->chunk, answer->body.bytes, why);
    if (r < 0)
        complain(slot->all, answer->server, why);
    else
        body_take(&answer->body, &slot->body);
    return r;
}

static void end(struct slot *slot, int r, const struct error *why)
{
    tnm_client *client = slot->all->client;
    pthread_mutex_lock(&client->lock);
    slot->request = NULL;
    slot->r = r;
    slot->why = *why;
    slot->is_done = true;
    pthread_cond_broadcast(&client->changed);
    pthread_mutex_unlock(&client->lock);
}

static void on_done(void *user, int r, const char *server, const struct error *why)
{
    (void)server;
    end(user, r, why);
}

static void start(void *user)
{
    struct slot *slot = user;
    const struct parts *all = slot->all;
    const struct request_ask ask = {.what = all->what,
                                    .path = all->path,
                                    .type = WIRE_SAFETENSORS_TYPE,
                                    .part_begin = slot->chunk->begin,
                                    .part_size = slot->chunk->size,
                                    .revision = all->revision,
                                    .patience_ms = all->client->options->patience_s * 1000,
                                    .check = check,
                                    .done = on_done,
                                    .user = slot};
    if (request_start(all->client->requests, &ask, &slot->request) < 0)
        end(slot, -ENOMEM, &(struct error){.text = "no memory for a request"});
}

static void stop_all(void *user)
{
    struct parts *all = user;
    for (unsigned i = 0; i < all->n_slots; i++)
        request_cancel(all->slots[i].request);
}

/* ---- In the caller's ---- */

int parts_new(tnm_client *client, const char *what, const char *path, const char *revision,
              uint64_t n_cancels, struct parts **ret)
{
    struct parts *all = calloc(1, sizeof *all);
    uint64_t n = client->options->connections + SLOTS_MORE;
    if (all) {
        all->client = client;
        all->revision = revision;
        all->n_cancels = n_cancels;
        all->what = strdup(what);
        all->path = strdup(path);
        all->n_slots = n < SLOTS_MAX ? (unsigned)n : SLOTS_MAX;
    }
    if (!all || !all->what || !all->path) {
        parts_free(all);
        return failure_set(-ENOMEM, "no memory for parts of a file");
    }
    for (unsigned i = 0; i < all->n_slots; i++)
        all->slots[i].all = all;
    *ret = all;
    return 0;
}

void parts_free(struct parts *all)
{
    if (!all)
        return;
    if (all->turn > 0)
        loop_call(all->client->loop, stop_all, all);
    for (unsigned i = 0; i < all->n_slots; i++)
        body_clear(&all->slots[i].body);
    free(all->what);
    free(all->path);
    free(all);
}

static struct slot *free_slot(const struct parts *all)
{
    for (unsigned i = 0; i < all->n_slots; i++)
        if (!all->slots[i].chunk)
            return (struct slot *)&all->slots[i];
    return NULL;
}

bool parts_have_room(const struct parts *all)
{
    return free_slot(all) != NULL;
}

void parts_ask(struct parts *all, const struct chunk *chunk)
{
    struct slot *slot = free_slot(all);
    assert(slot);
    slot->chunk = chunk;
    slot->is_done = false;
    slot->turn = ++all->turn;
    loop_call(all->client->loop, start, slot);
}

static struct slot *done_slot(const struct parts *all)
{
    for (unsigned i = 0; i < all->n_slots; i++)
        if (all->slots[i].chunk && all->slots[i].is_done)
            return (struct slot *)&all->slots[i];
    return NULL;
}

static bool is_ready(const void *user)
{
    return done_slot(user) != NULL;
}

/* What has been waited for longest. */
static const struct request *request_of(const void *user)
{
    const struct parts *all = user;
    const struct slot *oldest = NULL;
    for (unsigned i = 0; i < all->n_slots; i++)
        if (all->slots[i].request && (!oldest || all->slots[i].turn < oldest->turn))
            oldest = &all->slots[i];
    return oldest ? oldest->request : NULL;
}

int parts_wait(struct parts *all, const struct chunk **ret, struct body *ret_body)
{
    tnm_client *client = all->client;
    pthread_mutex_lock(&client->lock);
    const struct client_waited what = {is_ready, request_of, all, all->n_cancels};
    int r = client_wait(client, &what);
    struct slot *slot = r == 0 ? done_slot(all) : NULL;
    pthread_mutex_unlock(&client->lock);
    if (!slot)
        return r;
    if (slot->r < 0)
        return failure_keep(slot->r, &slot->why);
    *ret = slot->chunk;
    body_take(&slot->body, ret_body);
    slot->chunk = NULL;
    return 0;
}

bool parts_complaint(struct parts *all, struct error *ret)
{
    pthread_mutex_lock(&all->client->lock);
    bool is_complaining = all->is_complaining;
    if (is_complaining)
        *ret = all->complaint;
    all->is_complaining = false;
    pthread_mutex_unlock(&all->client->lock);
    return is_complaining;
}
