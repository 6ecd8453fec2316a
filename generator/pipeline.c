/* SPDX-License-Identifier: Apache-2.0
 * Makes samples on several threads and takes them in order on the caller's: what comes out does not
 * depend on the number of threads. */
#include "generator/pipeline.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "generator/interrupt.h"
#include "generator/progress.h"

enum {
    SLOTS_PER_THREAD = 32,
    WAKE_EVERY = 8, /* slots are handed back in lots, so that threads don't wake for each */
};

struct pipeline_slot {
    struct work_item item;
    struct error why;
    int result;
    bool made;
};

struct line {
    const struct pipeline *pipeline;
    struct pipeline_slot *slots;
    uint64_t n_slots;

    pthread_mutex_t lock; /* over all below, and `made` of the slots */
    pthread_cond_t made, room;
    uint64_t next, taken; /* items */
    bool stop;
};

static struct pipeline_slot *slot_of(struct line *line, uint64_t i)
{
    return &line->slots[i % line->n_slots];
}

static bool claim(struct line *line, uint64_t *ret)
{
    pthread_mutex_lock(&line->lock);
    while (!line->stop && line->next < line->pipeline->n_items &&
           line->next - line->taken == line->n_slots)
        pthread_cond_wait(&line->room, &line->lock);
    bool more = !line->stop && line->next < line->pipeline->n_items;
    if (more)
        *ret = line->next++;
    pthread_mutex_unlock(&line->lock);
    return more;
}

static void hand_over(struct line *line, uint64_t i)
{
    pthread_mutex_lock(&line->lock);
    slot_of(line, i)->made = true;
    if (i == line->taken)
        pthread_cond_signal(&line->made);
    pthread_mutex_unlock(&line->lock);
}

static void *work(void *argument)
{
    struct line *line = argument;
    const struct pipeline *pipeline = line->pipeline;
    void *worker = NULL;
    int ready = pipeline->worker_new ? pipeline->worker_new(pipeline->user, &worker) : 0;
    uint64_t i;
    while (claim(line, &i)) {
        struct pipeline_slot *slot = slot_of(line, i);
        slot->item.fault.text[0] = '\0';
        slot->result =
            ready < 0
                ? error_set(&slot->why, ready, "cannot start a thread's work: %s", strerror(-ready))
                : pipeline->make(pipeline->user, worker, i, &slot->item, &slot->why);
        hand_over(line, i);
    }
    if (worker && pipeline->worker_free)
        pipeline->worker_free(pipeline->user, worker);
    return NULL;
}

static struct pipeline_slot *await(struct line *line, uint64_t i)
{
    struct pipeline_slot *slot = slot_of(line, i);
    pthread_mutex_lock(&line->lock);
    while (!slot->made)
        pthread_cond_wait(&line->made, &line->lock);
    pthread_mutex_unlock(&line->lock);
    return slot;
}

static void give_back(struct line *line, struct pipeline_slot *slot)
{
    pthread_mutex_lock(&line->lock);
    slot->made = false;
    if (++line->taken % WAKE_EVERY == 0)
        pthread_cond_broadcast(&line->room);
    pthread_mutex_unlock(&line->lock);
}

static int take_all(struct line *line, struct error *why)
{
    const struct pipeline *pipeline = line->pipeline;
    struct progress progress;
    progress_start(&progress, pipeline->label, "samples", pipeline->n_items);
    int r = 0;
    for (uint64_t i = 0; r == 0 && i < pipeline->n_items; i++) {
        struct pipeline_slot *slot = await(line, i);
        r = slot->result;
        if (r < 0 && why)
            *why = slot->why;
        if (r == 0)
            r = pipeline->take(pipeline->user, i, &slot->item, why);
        give_back(line, slot);
        if (r == 0)
            r = interrupt_check(why);
        progress_show(&progress, i + 1);
    }
    progress_end(&progress);
    return r;
}

static unsigned start(struct line *line, pthread_t *threads)
{
    unsigned n = 0;
    while (n < line->pipeline->n_threads && pthread_create(&threads[n], NULL, work, line) == 0)
        n++;
    return n;
}

static void stop(struct line *line, const pthread_t *threads, unsigned n_threads)
{
    pthread_mutex_lock(&line->lock);
    line->stop = true;
    pthread_cond_broadcast(&line->room);
    pthread_mutex_unlock(&line->lock);
    for (unsigned i = 0; i < n_threads; i++)
        pthread_join(threads[i], NULL);
}

int pipeline_run(const struct pipeline *pipeline, struct error *why)
{
    struct line line = {
        .pipeline = pipeline,
        .n_slots = (uint64_t)pipeline->n_threads * SLOTS_PER_THREAD,
        .lock = PTHREAD_MUTEX_INITIALIZER,
        .made = PTHREAD_COND_INITIALIZER,
        .room = PTHREAD_COND_INITIALIZER,
    };
    line.slots = calloc(line.n_slots, sizeof *line.slots);
    pthread_t *threads = calloc(pipeline->n_threads, sizeof *threads);
    int r;
    if (!line.slots || !threads) {
        r = error_set(why, -ENOMEM, "no memory for %u threads", pipeline->n_threads);
    } else {
        unsigned n_threads = start(&line, threads);
        r = n_threads > 0 ? take_all(&line, why) : error_set(why, -EAGAIN, "cannot start a thread");
        stop(&line, threads, n_threads);
    }
    for (uint64_t i = 0; line.slots && i < line.n_slots; i++) {
        buffer_free(&line.slots[i].item.raw);
        buffer_free(&line.slots[i].item.events);
    }
    free(line.slots);
    free(threads);
    return r;
}
