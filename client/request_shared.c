/* SPDX-License-Identifier: Apache-2.0
 * What all requests of a client share: what is known of its servers, and who waits for them. */
#include "client/request_state.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

#include "client/problem.h"
#include "client/retry.h"

uint32_t requests_random(void)
{
    uint32_t value = 0;
    if (getrandom(&value, sizeof value, GRND_NONBLOCK) != sizeof value)
        value = (uint32_t)time(NULL);
    return value;
}

void requests_wake_all(struct requests *all)
{
    for (struct request *other = all->waiting; other; other = other->next)
        loop_timer_start(other->timer, 0);
}

void requests_note_health(struct requests *all)
{
    atomic_store(&all->are_well, servers_count(all->servers) == 1 && !all->servers->list[0].srv &&
                                     all->servers->list[0].failures == 0 &&
                                     names_are_known(all->names));
}

bool requests_note_failure(struct requests *all, size_t s, struct server_failure failure)
{
    failure.last_number = all->n_sent;
    failure.now_ms = loop_now_ms(all->loop);
    failure.random = requests_random();
    bool counted = server_failed(&all->servers->list[s], all->options, &failure);
    requests_note_health(all);
    names_look(all->names, true);
    return counted;
}

/* The server that was silent answers again, whatever: the next request tries it. */
static void on_probed(void *user, size_t s, uint64_t number, int r, const struct answer *answer,
                      const struct error *why)
{
    struct requests *all = user;
    struct server *server = &all->servers->list[s];
    struct problem problem;
    const char *reason = why->text;
    enum retry_verdict verdict = RETRY_AGAIN;
    server->is_probed = false;
    if (r == 0) {
        problem_read(answer, &problem);
        verdict = retry_judge(answer->status, problem.code, &r);
        reason = problem.text;
    }
    if (verdict == RETRY_AGAIN) {
        struct server_failure failure = {
            .number = number, .is_silent = answer->status == 0, .error = r, .reason = reason};
        retry_after_ms(answer->headers[HEADER_RETRY_AFTER], time(NULL), &failure.at_least_ms);
        requests_note_failure(all, s, failure);
    } else {
        server->is_silent = false;
    }
    requests_wake_all(all);
}

static uint64_t last_number(void *user)
{
    const struct requests *all = user;
    return all->n_sent;
}

/* Servers have come or gone. */
static void on_names(void *user)
{
    struct requests *all = user;
    requests_note_health(all);
    requests_wake_all(all);
}

int requests_new(struct loop *loop, const tnm_options *options, struct servers *servers,
                 struct requests **ret)
{
    struct requests *all = calloc(1, sizeof *all);
    if (!all)
        return -ENOMEM;
    all->loop = loop;
    all->options = options;
    all->servers = servers;
    all->last = &all->waiting;
    servers->seed = requests_random();
    if (transfers_new(loop, options, &all->transfers) < 0 ||
        probes_new(all->transfers, options, servers, on_probed, all, &all->probes) < 0 ||
        names_new(loop, servers, options->proxy, last_number, on_names, all, &all->names) < 0) {
        requests_free(all);
        return -ENOMEM;
    }
    requests_note_health(all);
    *ret = all;
    return 0;
}

void requests_free(struct requests *all)
{
    if (!all)
        return;
    assert(!all->waiting);
    names_free(all->names);
    probes_free(all->probes);
    transfers_free(all->transfers);
    free(all);
}

bool requests_are_well(const struct requests *all)
{
    return atomic_load(&all->are_well);
}

int requests_line(struct requests *all, struct line **ret)
{
    return line_new(all->transfers, ret);
}

uint64_t requests_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void requests_count_answer(struct requests *all)
{
    atomic_fetch_add(&all->answers, 1);
}

void requests_counts(const struct requests *all, uint64_t *ret_answers, uint64_t *ret_bytes,
                     uint64_t *ret_retries)
{
    *ret_answers = atomic_load(&all->answers);
    *ret_bytes = transfers_bytes(all->transfers);
    *ret_retries = atomic_load(&all->retries);
}
