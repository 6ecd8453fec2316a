/* SPDX-License-Identifier: Apache-2.0
 * A cache of views. */
#include "server/samples/views.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { N_CACHED = 256 };

struct views {
    pthread_mutex_t lock;
    size_t n_cached, n_bytes;
    struct view *cached[N_CACHED]; /* last used first */
};

int views_new(struct views **ret)
{
    struct views *views = calloc(1, sizeof *views);
    if (!views)
        return -ENOMEM;
    pthread_mutex_init(&views->lock, NULL);
    *ret = views;
    return 0;
}

void views_free(struct views *views)
{
    if (!views)
        return;
    for (size_t i = 0; i < views->n_cached; i++)
        views_return(views->cached[i]);
    pthread_mutex_destroy(&views->lock);
    free(views);
}

static size_t bytes_of(const struct view *view)
{
    return sizeof *view + view->n * sizeof view->positions[0];
}

/* Under the lock: put a view first, pushing the others back by one up to `place`. */
static void to_front(struct views *views, struct view *view, size_t place)
{
    memmove(views->cached + 1, views->cached, place * sizeof *views->cached);
    views->cached[0] = view;
}

/* Under the lock: the view with a reference for the caller, or NULL. */
static struct view *find(struct views *views, const char *revision, const struct view_rule *rule)
{
    for (size_t i = 0; i < views->n_cached; i++) {
        struct view *view = views->cached[i];
        if (view_equal(&view->rule, rule) && strcmp(view->revision, revision) == 0) {
            atomic_fetch_add(&view->n_users, 1);
            to_front(views, view, i);
            return view;
        }
    }
    return NULL;
}

struct view *views_find(struct views *views, const struct entry *entry,
                        const struct view_rule *rule)
{
    pthread_mutex_lock(&views->lock);
    struct view *view = find(views, entry->revision, rule);
    pthread_mutex_unlock(&views->lock);
    return view;
}

/* Under the lock: drop what was not used for longest, until `more` bytes fit. */
static void make_room(struct views *views, size_t more)
{
    while (views->n_cached == N_CACHED ||
           (views->n_cached > 0 && views->n_bytes + more > VIEWS_MAX_BYTES)) {
        struct view *last = views->cached[--views->n_cached];
        views->n_bytes -= bytes_of(last);
        views_return(last);
    }
}

/* Keep the view, unless another thread came first: then the caller gets that one. */
static struct view *keep(struct views *views, struct view *view)
{
    pthread_mutex_lock(&views->lock);
    struct view *first = find(views, view->revision, &view->rule);
    if (!first) {
        make_room(views, bytes_of(view));
        atomic_fetch_add(&view->n_users, 1);
        views->n_bytes += bytes_of(view);
        to_front(views, view, views->n_cached++);
    }
    pthread_mutex_unlock(&views->lock);
    if (!first)
        return view;
    views_return(view);
    return first;
}

static int make(const struct entry *entry, const struct view_rule *rule, struct view **ret,
                struct error *why)
{
    const struct view_of of = {.name = entry->name,
                               .labels = split_labels(entry->split),
                               .n = (uint32_t)split_n_samples(entry->split),
                               .n_labels = split_geometry(entry->split)->n_labels};
    uint32_t *positions, n;
    int r = view_positions(rule, &of, &positions, &n, why);
    if (r < 0)
        return r;
    struct view *view = malloc(sizeof *view + n * sizeof *positions);
    r = view ? view_sha256(positions, n, view->sha256) : -ENOMEM;
    if (r == 0) {
        atomic_init(&view->n_users, 1);
        memcpy(view->revision, entry->revision, sizeof view->revision);
        view->rule = *rule;
        view->n = n;
        memcpy(view->positions, positions, n * sizeof *positions);
        *ret = view;
    } else {
        free(view);
        error_set(why, r, "no memory for a view of %u samples", n);
    }
    free(positions);
    return r;
}

int views_borrow(struct views *views, const struct entry *entry, const struct view_rule *rule,
                 struct view **ret, struct error *why)
{
    struct view *view = views_find(views, entry, rule);
    if (!view) {
        int r = make(entry, rule, &view, why);
        if (r < 0)
            return r;
        view = keep(views, view);
    }
    *ret = view;
    return 0;
}

void views_return(struct view *view)
{
    if (view && atomic_fetch_sub(&view->n_users, 1) == 1)
        free(view);
}
