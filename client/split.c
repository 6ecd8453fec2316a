/* SPDX-License-Identifier: Apache-2.0
 * An opened split: its description, pinned at a revision. */
#include "client/split.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/digest.h"
#include "client/failure.h"
#include "common/mixer.h"
#include "common/split.h"
#include "common/wire.h"

int split_check(const tnm_split *split)
{
    return split ? client_check(split->client) : failure_set(-EINVAL, "there is no split");
}

tnm_split *split_ref(tnm_split *split)
{
    pthread_mutex_lock(&split->client->lock);
    split->n_refs++;
    pthread_mutex_unlock(&split->client->lock);
    return split;
}

static void free_split(tnm_split *split)
{
    document_free(split->document);
    free(split->json);
    free(split->labels);
    client_unref(split->client);
    free(split);
}

void split_unref(tnm_split *split)
{
    pthread_mutex_lock(&split->client->lock);
    bool last = --split->n_refs == 0;
    pthread_mutex_unlock(&split->client->lock);
    if (last)
        free_split(split);
}

void tnm_split_close(tnm_split *split)
{
    if (split && client_is_ours(split->client))
        split_unref(split);
}

/* ---- Opening ---- */

/* Only letters that mean nothing else in a URL. */
int split_check_name(const char *name)
{
    size_t length = name ? strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                        "0123456789._-")
                         : 0;
    if (length < 1 || length > WIRE_NAME_MAX || name[0] == '.')
        return failure_set(-EINVAL, "\"%.80s\" is no name of a split", name ? name : "");
    if (!name[length])
        return 0;
    const char *revision = name + length + 1;
    size_t digits = strspn(revision, WIRE_REVISION_DIGITS);
    if (name[length] != '@' || digits < WIRE_REVISION_MIN || digits > WIRE_REVISION_MAX ||
        revision[digits])
        return failure_set(-EINVAL,
                           "\"%.160s\": a revision is @ and %d to %d small hexadecimal digits",
                           name, WIRE_REVISION_MIN, WIRE_REVISION_MAX);
    return 0;
}

static int copy_text(const struct document *document, const char *key, char *ret, size_t size,
                     struct error *why)
{
    const char *text = document_text(document, key);
    if (!text || strlen(text) >= size)
        return error_set(why, -EBADMSG, "the description has no valid \"%s\"", key);
    strcpy(ret, text);
    return 0;
}

static int read_numbers(tnm_split *split, struct error *why)
{
    const struct {
        const char *key;
        uint64_t *at, max;
    } wanted[] = {
        {"samples", &split->n_samples, INT32_MAX},
        {"pairs", &split->n_pairs, INT32_MAX},
        {"events", &split->n_events, UINT64_MAX / EVENT_BYTES},
    };
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        if (!document_number(split->document, wanted[i].key, wanted[i].at) ||
            *wanted[i].at > wanted[i].max)
            return error_set(why, -EBADMSG, "the description has no valid \"%s\"", wanted[i].key);
    return 0;
}

/* How many labels there are is how many are counted. */
static int read_geometry(tnm_split *split, struct error *why)
{
    const struct document *document = split->document;
    uint64_t width, height, polarities, n_labels = document_length(document, "labels");
    if (!document_number_in(document, "sensor", "width", &width) ||
        !document_number_in(document, "sensor", "height", &height) ||
        !document_number_in(document, "sensor", "polarities", &polarities) ||
        width > GEOMETRY_SIDE_MAX || height > GEOMETRY_SIDE_MAX || polarities != SENSOR_POLARITIES)
        return error_set(why, -EBADMSG, "the description has no valid \"sensor\"");
    if (n_labels > GEOMETRY_LABELS_MAX ||
        !document_numbers(document, "labels", n_labels, split->label_counts))
        return error_set(why, -EBADMSG, "the description has no valid \"labels\"");
    split->geometry = (struct geometry){(uint32_t)width, (uint32_t)height, (uint32_t)n_labels};
    if (!geometry_is_valid(&split->geometry))
        return error_set(why, -EBADMSG, "the description has a \"sensor\" or \"labels\" of none");
    return 0;
}

static int read_description(tnm_split *split, struct error *why)
{
    char kind[16];
    int r = document_parse(split->json, strlen(split->json), &split->document, why);
    if (r == 0)
        r = copy_text(split->document, "name", split->name, sizeof split->name, why);
    if (r == 0)
        r = copy_text(split->document, "revision", split->revision, sizeof split->revision, why);
    if (r == 0)
        r = copy_text(split->document, "kind", kind, sizeof kind, why);
    if (r == 0)
        r = read_numbers(split, why);
    if (r == 0)
        r = read_geometry(split, why);
    if (r < 0)
        return r;
    const char *version = document_text(split->document, "version");
    if (!version || strcmp(version, SPLIT_VERSION) != 0)
        return error_set(why, -EPROTO,
                         "has the split in version \"%.32s\"; this library reads \"%s\": make it "
                         "anew with \"" SPLIT_MAKE "\", and serve it with a daemon of this age",
                         version ? version : "1", SPLIT_VERSION);
    split->is_source = strcmp(kind, "source") == 0;
    if (strspn(split->revision, WIRE_REVISION_DIGITS) != WIRE_REVISION_MAX)
        return error_set(why, -EBADMSG, "the description's revision is no SHA-256");
    return 0;
}

static int take_text(struct answer *answer, char **ret, struct error *why)
{
    int r = digest_check(answer, why);
    if (r < 0)
        return r;
    char *text =
        strndup(answer->body.size ? (const char *)answer->body.bytes : "", answer->body.size);
    if (!text)
        return error_set(why, -ENOMEM, "no memory for an answer");
    *ret = text;
    return 0;
}

static int check_description(void *user, struct answer *answer, struct error *why)
{
    tnm_split *split = user;
    free(split->json);
    document_free(split->document);
    split->json = NULL;
    split->document = NULL;
    int r = take_text(answer, &split->json, why);
    return r < 0 ? r : read_description(split, why);
}

static int ask_description(tnm_split *split, const char *name)
{
    char what[160], path[192];
    snprintf(what, sizeof what, "split %s", name);
    snprintf(path, sizeof path, "/v1/splits/%s", name);
    const struct request_ask ask = {.what = what,
                                    .path = path,
                                    .type = WIRE_JSON_TYPE,
                                    .max_bytes = DOCUMENT_MAX_BYTES,
                                    .leaves_connection = true,
                                    .check = check_description,
                                    .user = split};
    int r = client_request(split->client, &ask, NULL);
    if (r < 0)
        return r;
    size_t length = strcspn(name, "@");
    if (strncmp(split->name, name, length) != 0 || split->name[length] ||
        (name[length] && strncmp(split->revision, name + length + 1, strlen(name + length + 1))))
        return failure_set(-EPROTO, "split %s: the server describes %s@%s", name, split->name,
                           split->revision);
    return 0;
}

int tnm_split_open(tnm_client *client, const char *name, tnm_split **ret)
{
    int r = client_check(client);
    if (r == 0)
        r = split_check_name(name);
    if (r < 0)
        return r;
    tnm_split *split = calloc(1, sizeof *split);
    if (!split)
        return failure_set(-ENOMEM, "no memory for a split");
    split->n_refs = 1;
    split->form.filters = rule_none;
    split->client = client_ref(client);
    r = ask_description(split, name);
    if (r < 0) {
        free_split(split);
        return r;
    }
    *ret = split;
    return 0;
}

/* ---- The catalog ---- */

static int check_catalog(void *user, struct answer *answer, struct error *why)
{
    char **text = user;
    struct document *document;
    int r = document_parse(answer->body.bytes, answer->body.size, &document, why);
    if (r < 0)
        return r;
    document_free(document);
    return take_text(answer, text, why);
}

int tnm_catalog_json(tnm_client *client, char **ret)
{
    char *text = NULL;
    const struct request_ask ask = {.what = "the list of splits",
                                    .path = "/v1/splits",
                                    .type = WIRE_JSON_TYPE,
                                    .max_bytes = DOCUMENT_MAX_BYTES,
                                    .check = check_catalog,
                                    .user = &text};
    int r = client_check(client);
    if (r == 0)
        r = client_request(client, &ask, NULL);
    if (r == 0)
        *ret = text;
    else
        free(text);
    return r;
}

/* ---- What it says ---- */

const char *tnm_split_name(const tnm_split *split)
{
    return split->name;
}

const char *tnm_split_revision(const tnm_split *split)
{
    return split->revision;
}

const char *tnm_split_json(const tnm_split *split)
{
    return split->json;
}

uint64_t tnm_split_n_samples(const tnm_split *split)
{
    return split->n_samples;
}

uint64_t tnm_split_n_events(const tnm_split *split)
{
    return split->n_events;
}

uint64_t tnm_split_n_pairs(const tnm_split *split)
{
    return split->n_pairs;
}

void tnm_split_geometry(const tnm_split *split, tnm_geometry *ret)
{
    const struct geometry *geometry = &split->geometry;
    *ret = (tnm_geometry){geometry->width, geometry->height, geometry->n_labels};
}

int tnm_split_is_source(const tnm_split *split)
{
    return split->is_source;
}

const char *tnm_split_text(const tnm_split *split, const char *key)
{
    return document_text(split->document, key);
}

int tnm_split_set_form(tnm_split *split, int order, uint32_t timestep_us)
{
    int r = split_check(split);
    if (r < 0)
        return r;
    if (order < TNM_ORDER_STORED || order > TNM_ORDER_PUBLISHED)
        return failure_set(-EINVAL, "order %d; it has to be 0 to %d", order, TNM_ORDER_PUBLISHED);
    if (timestep_us > MIX_TIMESTEP_MAX_US)
        return failure_set(-EINVAL, "a timestep of %u us; %d at most", timestep_us,
                           MIX_TIMESTEP_MAX_US);
    pthread_mutex_lock(&split->client->lock);
    split->form.order = order;
    split->form.timestep_us = timestep_us;
    pthread_mutex_unlock(&split->client->lock);
    return 0;
}

int tnm_split_set_filters(tnm_split *split, const tnm_rule *rule)
{
    struct rule filters = rule_none;
    struct error why;
    int r = split_check(split);
    if (r < 0)
        return r;
    r = rule ? rule_check_filters(rule, &filters, &why) : 0;
    if (r < 0)
        return failure_keep(r, &why);
    pthread_mutex_lock(&split->client->lock);
    split->form.filters = filters;
    pthread_mutex_unlock(&split->client->lock);
    return 0;
}

struct form split_form(tnm_split *split)
{
    pthread_mutex_lock(&split->client->lock);
    struct form form = split->form;
    pthread_mutex_unlock(&split->client->lock);
    return form;
}
