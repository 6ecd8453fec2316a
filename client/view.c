/* SPDX-License-Identifier: Apache-2.0
 * A view that is open: which samples of a split it has. */
#include "client/view.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/digest.h"
#include "client/failure.h"
#include "common/order.h"
#include "common/wire.h"

int view_usable(const tnm_view *view)
{
    return view ? split_check(view->split) : failure_set(-EINVAL, "there is no view");
}

tnm_view *view_ref(tnm_view *view)
{
    pthread_mutex_lock(&view->split->client->lock);
    view->n_refs++;
    pthread_mutex_unlock(&view->split->client->lock);
    return view;
}

static void free_view(tnm_view *view)
{
    split_unref(view->split);
    free(view->places);
    free(view->positions);
    free(view);
}

void view_unref(tnm_view *view)
{
    if (!view)
        return;
    tnm_client *client = view->split->client;
    pthread_mutex_lock(&client->lock);
    bool last = --view->n_refs == 0;
    pthread_mutex_unlock(&client->lock);
    if (last)
        free_view(view);
}

void tnm_view_close(tnm_view *view)
{
    if (view && client_is_ours(view->split->client))
        view_unref(view);
}

/* ---- Opening ---- */

/* The split's labels, asked for once. */
static int get_labels(tnm_split *split, const uint8_t **ret)
{
    size_t size = split->n_samples * split->geometry.n_labels;
    pthread_mutex_lock(&split->client->lock);
    const uint8_t *known = split->labels;
    pthread_mutex_unlock(&split->client->lock);
    if (known) {
        *ret = known;
        return 0;
    }
    uint8_t *labels = malloc(size ? size : 1);
    if (!labels)
        return failure_set(-ENOMEM, "no memory for %zu labels", size);
    int r = tnm_split_labels(split, labels, size);
    if (r < 0) {
        free(labels);
        return r;
    }
    pthread_mutex_lock(&split->client->lock);
    uint8_t *spare = split->labels ? labels : NULL; /* another thread was first */
    if (!spare)
        split->labels = labels;
    *ret = split->labels;
    pthread_mutex_unlock(&split->client->lock);
    free(spare);
    return 0;
}

static int find_places(tnm_view *view, const uint8_t *labels)
{
    struct error why;
    const tnm_split *split = view->split;
    const struct view_of of = {.name = split->name,
                               .labels = labels,
                               .n = (uint32_t)split->n_samples,
                               .n_labels = split->geometry.n_labels};
    uint32_t n;
    int r = view_positions(&view->rule, &of, &view->places, &n, &why);
    if (r < 0)
        return failure_keep(r, &why);
    view->n = n;
    view->positions = calloc(n, sizeof *view->positions);
    if (!view->positions || view_sha256(view->places, n, view->sha256) < 0)
        return failure_set(-ENOMEM, "no memory for a view of %" PRIu32 " samples", n);
    for (uint32_t i = 0; i < n; i++)
        view->positions[i] = view->places[i];
    return 0;
}

int tnm_view_open(tnm_split *split, const char *words, tnm_view **ret)
{
    struct view_rule rule;
    struct error why;
    const uint8_t *labels = NULL;
    int r = split_check(split);
    if (r < 0)
        return r;
    if (view_parse(words ? words : "", &rule, &why) < 0 ||
        view_check_labels(&rule, split->geometry.n_labels, &why) < 0)
        return failure_keep(-EINVAL, &why);
    r = get_labels(split, &labels);
    if (r < 0)
        return r;
    tnm_view *view = calloc(1, sizeof *view);
    if (!view)
        return failure_set(-ENOMEM, "no memory for a view");
    view->n_refs = 1;
    view->split = split_ref(split);
    view->rule = rule;
    view_text(&rule, view->words);
    r = find_places(view, labels);
    if (r < 0)
        free_view(view);
    else
        *ret = view;
    return r;
}

/* ---- What it says ---- */

const char *tnm_view_words(const tnm_view *view)
{
    return view->words;
}

const char *tnm_view_sha256(const tnm_view *view)
{
    return view->sha256;
}

uint64_t tnm_view_n_samples(const tnm_view *view)
{
    return view->n;
}

const uint64_t *tnm_view_positions(const tnm_view *view)
{
    return view->positions;
}

uint64_t tnm_view_n_batches(const tnm_view *view, uint64_t size, int last)
{
    return size ? order_n_batches(view->n, size, last == TNM_LAST_DROP ? ORDER_DROP : ORDER_SHORT)
                : 0;
}

struct statistics {
    const tnm_view *view;
    char *text;
};

static int check_statistics(void *user, struct answer *answer, struct error *why)
{
    struct statistics *statistics = user;
    struct document *document;
    uint64_t n;
    int r = digest_check(answer, why);
    if (r == 0)
        r = document_parse(answer->body.bytes, answer->body.size, &document, why);
    if (r < 0)
        return r;
    bool fits = document_number(document, "samples", &n) && n == statistics->view->n;
    document_free(document);
    if (!fits)
        return error_set(why, -EBADMSG, "the statistics are not of %" PRIu64 " samples",
                         statistics->view->n);
    free(statistics->text);
    statistics->text = strndup((const char *)answer->body.bytes, answer->body.size);
    return statistics->text ? 0 : error_set(why, -ENOMEM, "no memory for an answer");
}

int tnm_view_json(tnm_view *view, char **ret)
{
    struct statistics statistics = {.view = view};
    char what[160], *path;
    int r = view_usable(view);
    if (r < 0)
        return r;
    const tnm_split *split = view->split;
    snprintf(what, sizeof what, "statistics of a view of %s", split->name);
    if (asprintf(&path, "/v1/splits/%s@%s/statistics%s%s", split->name, split->revision,
                 *view->words ? "?" : "", view->words) < 0)
        return failure_set(-ENOMEM, "no memory for a request");
    const struct request_ask ask = {.what = what,
                                    .revision = split->revision,
                                    .path = path,
                                    .type = WIRE_JSON_TYPE,
                                    .max_bytes = DOCUMENT_MAX_BYTES,
                                    .check = check_statistics,
                                    .user = &statistics};
    r = client_request(split->client, &ask, NULL);
    free(path);
    if (r == 0)
        *ret = statistics.text;
    else
        free(statistics.text);
    return r;
}
