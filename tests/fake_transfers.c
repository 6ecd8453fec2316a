/* SPDX-License-Identifier: Apache-2.0
 * Transfers that a script answers, in place of client/transfer.c. */
#include "tests/fake_transfers.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct script script;

struct transfers {
    struct loop *loop;
    unsigned n_active;
};

struct transfer {
    struct transfers *all;
    struct loop_timer *timer;
    transfer_done *done;
    void *user;
    unsigned server;
    bool is_probe; /* of /readyz: neither in the script nor in its log */
};

bool transfer_has_begun(const struct transfer *transfer)
{
    (void)transfer;
    return true;
}

uint64_t transfer_received(const struct transfer *transfer)
{
    (void)transfer;
    return 0;
}

int transfers_new(struct loop *loop, const tnm_options *options, struct transfers **ret)
{
    (void)options;
    struct transfers *all = calloc(1, sizeof *all);
    if (!all)
        return -ENOMEM;
    all->loop = loop;
    *ret = all;
    return 0;
}

void transfers_free(struct transfers *all)
{
    if (all && all->n_active)
        abort();
    free(all);
}

uint64_t transfers_bytes(const struct transfers *all)
{
    (void)all;
    return SCRIPT_BYTES;
}

/* Nothing is tried in the caller's thread: the script's servers are two. */
int line_new(struct transfers *all, struct line **ret)
{
    (void)all;
    (void)ret;
    return -ENOMEM;
}

void line_free(struct line *line)
{
    if (line)
        abort();
}

int line_get(struct line *line, const struct transfer_ask *ask, int (*tick)(void *user), void *user,
             struct answer *ret, struct error *why)
{
    (void)line, (void)ask, (void)tick, (void)user, (void)ret, (void)why;
    abort();
}

int transfer_check_url(const char *url, struct error *why)
{
    (void)url;
    (void)why;
    return 0;
}

static const struct script_step *step_of(const struct transfer *transfer)
{
    return &script.steps[transfer->server][script.at[transfer->server]];
}

static const struct script_step *next_step(unsigned server)
{
    const struct script_step *steps = script.steps[server];
    unsigned at = script.at[server];
    if (at + 1 < SCRIPT_STEPS && (steps[at + 1].status || steps[at + 1].r))
        script.at[server]++;
    return &steps[at];
}

bool transfer_is_connected(const struct transfer *transfer)
{
    return step_of(transfer)->is_connected;
}

static void free_transfer(struct transfer *transfer)
{
    transfer->all->n_active--;
    loop_timer_free(transfer->timer);
    free(transfer);
}

static void end(void *user)
{
    struct transfer *transfer = user;
    static const struct script_step ready = {.status = 200};
    const struct script_step *step = transfer->is_probe ? &ready : next_step(transfer->server);
    struct answer answer = {.status = step->status};
    struct error why = {.text = "the network is down"};
    if (step->body && body_add(&answer.body, step->body, strlen(step->body)) < 0)
        abort();
    snprintf(answer.headers[HEADER_CONTENT_TYPE], HEADER_MAX, "%s", step->type ? step->type : "");
    snprintf(answer.headers[HEADER_RETRY_AFTER], HEADER_MAX, "%s",
             step->retry_after ? step->retry_after : "");
    transfer->done(transfer->user, step->r, &answer, &why);
    body_clear(&answer.body);
    free_transfer(transfer);
}

int transfer_start(struct transfers *all, const struct transfer_ask *ask, transfer_done *done,
                   void *user, struct transfer **ret)
{
    struct transfer *transfer = calloc(1, sizeof *transfer);
    if (!transfer || loop_timer_new(all->loop, end, transfer, &transfer->timer) < 0)
        abort();
    transfer->all = all;
    all->n_active++;
    transfer->done = done;
    transfer->user = user;
    transfer->server = (unsigned)(ask->url[strlen("http://")] - 'a');
    const char *path = ask->url + strlen("http://a");
    transfer->is_probe = strcmp(path, "/readyz") == 0;
    if (transfer->server >= SCRIPT_SERVERS || (!transfer->is_probe && strcmp(path, "/path") != 0))
        abort();
    script.probes += transfer->is_probe;
    size_t used = strlen(script.log);
    if (used < SCRIPT_LOG && !transfer->is_probe)
        script.log[used] = ask->url[strlen("http://")];
    if (!(transfer->is_probe ? script.probes_are_silent : step_of(transfer)->is_silent))
        loop_timer_start(transfer->timer, transfer->is_probe ? 0 : step_of(transfer)->after_ms);
    *ret = transfer;
    return 0;
}

void transfer_cancel(struct transfer *transfer)
{
    if (!transfer)
        return;
    script.cancelled += !transfer->is_probe;
    free_transfer(transfer);
}
