/* SPDX-License-Identifier: Apache-2.0
 * How a catalog comes to be: files opened or taken over, and linked to their sources. */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/samples/catalog.h"

struct attempt {
    const char *folder;
    const struct catalog *old; /* or NULL */
    struct catalog *fresh;
};

static uint64_t count_pairs(const struct split *split)
{
    const uint8_t *labels = split_labels(split);
    uint64_t n_pairs = 0;
    for (uint64_t i = 0; i < split_n_samples(split); i++) {
        unsigned digits = 0;
        for (unsigned d = 0; d < N_DIGITS; d++)
            digits += labels[i * N_DIGITS + d];
        n_pairs += digits > 1;
    }
    return n_pairs;
}

/* Takes over the reference. */
static void set_holding(struct entry *entry, struct holding *holding)
{
    holding_unref(entry->holding);
    entry->holding = holding;
    if (!holding)
        return;
    const struct split *split = holding->split;
    entry->split = split;
    entry->revision = split_revision(split);
    bool published = strcmp(split_meta(split, "order"), "published") == 0;
    entry->order = published ? MIX_PUBLISHED : MIX_TIME;
    entry->is_source = strcmp(split_meta(split, "kind"), SPLIT_KIND_SOURCE) == 0;
    entry->n_pairs = count_pairs(split);
    error_set(&entry->no_pairs, 0, "it is not a source split");
    entry->has_pairs =
        entry->is_source && pairs_init(&entry->pairs, split_labels(split), split_n_samples(split),
                                       &entry->no_pairs) == 0;
}

static struct found *found_of(const struct catalog *catalog, const char *name)
{
    for (size_t i = 0; catalog && i < catalog->n_found; i++)
        if (strcmp(catalog->found[i].name, name) == 0)
            return &catalog->found[i];
    return NULL;
}

static struct entry *old_entry(const struct attempt *attempt, const char *name)
{
    return attempt->old ? catalog_find(attempt->old, name, strlen(name)) : NULL;
}

/* Want of memory or descriptors may pass without the file changing: it is to be tried again. */
static bool may_pass(int r)
{
    return r == -ENOMEM || r == -EMFILE || r == -ENFILE;
}

/* Note why the file of that name is not served, and serve on what was served under it, if that is
 * something else. */
static void pass_over(const struct attempt *attempt, struct entry *entry, int r,
                      const struct error *why)
{
    struct found *found = found_of(attempt->fresh, entry->name);
    const struct found *before = found_of(attempt->old, entry->name);
    found->fault = *why;
    found->is_news = !before || strcmp(before->fault.text, why->text) != 0;
    if (may_pass(r))
        found->file = (struct stat){0};
    const struct entry *old = old_entry(attempt, entry->name);
    set_holding(entry, old && old->holding != entry->holding ? holding_ref(old->holding) : NULL);
}

static int open_holding(const struct attempt *attempt, const struct found *found,
                        struct holding **ret, struct error *why)
{
    const struct entry *old = old_entry(attempt, found->name);
    if (old && holding_is_of(old->holding, &found->file)) {
        *ret = holding_ref(old->holding);
        return 0;
    }
    if (attempt->fresh->n_entries == CATALOG_MAX_SPLITS)
        return error_set(why, -E2BIG, "%s/%s%s: there are %d splits already, the limit",
                         attempt->folder, found->name, SPLIT_SUFFIX, CATALOG_MAX_SPLITS);
    char *path;
    if (asprintf(&path, "%s/%s%s", attempt->folder, found->name, SPLIT_SUFFIX) < 0)
        return error_set(why, -ENOMEM, "%s: no memory for its path", found->name);
    int r = holding_open(path, ret, why);
    free(path);
    return r;
}

static int add_entry(const struct attempt *attempt, const struct found *found, struct error *why)
{
    struct entry *entry = calloc(1, sizeof *entry);
    if (!entry)
        return error_set(why, -ENOMEM, "%s: no memory for split %s", attempt->folder, found->name);
    memcpy(entry->name, found->name, sizeof entry->name);
    for (enum entry_text text = 0; text < ENTRY_N_TEXTS; text++)
        kept_init(&entry->texts[text]);
    struct holding *holding;
    struct error fault;
    int r = open_holding(attempt, found, &holding, &fault);
    if (r == 0)
        set_holding(entry, holding);
    else
        pass_over(attempt, entry, r, &fault);
    struct catalog *fresh = attempt->fresh;
    if (entry->holding)
        fresh->entries[fresh->n_entries++] = entry;
    else
        free(entry);
    return 0;
}

static const struct entry *find_source(const struct catalog *catalog, const struct entry *entry)
{
    const char *sha256 = split_meta(entry->split, "source_sha256");
    for (size_t i = 0; i < catalog->n_entries; i++) {
        const struct entry *source = catalog->entries[i];
        if (source->holding && source->is_source && strcmp(source->revision, sha256) == 0)
            return source;
    }
    return NULL;
}

/* What a request would read out of bounds is found here, once. The first of a sample's sources
 * must be there, the second may be missing. */
static int check_sources(const struct entry *entry, struct error *why)
{
    const int32_t *sources = split_sources(entry->split);
    int64_t n = (int64_t)split_n_samples(entry->source->split);
    for (uint64_t i = 0; i < 2 * split_n_samples(entry->split); i++) {
        int32_t least = i % 2 ? -1 : 0;
        if (sources[i] < least || sources[i] >= n)
            return error_set(
                why, -EBADMSG, "split %s: sample %ju names recording %d; split %s has %jd",
                entry->name, (uintmax_t)(i / 2), sources[i], entry->source->name, (intmax_t)n);
    }
    return 0;
}

/* What was served before may take the place of what does not fit its source: it is linked next. */
static void link_source(const struct attempt *attempt, struct entry *entry)
{
    struct error why;
    int r;
    do {
        entry->source = NULL;
        if (!entry->holding || entry->is_source)
            return;
        entry->source = find_source(attempt->fresh, entry);
        r = entry->source ? check_sources(entry, &why) : 0;
        if (r < 0)
            pass_over(attempt, entry, r, &why);
    } while (r < 0);
}

static void link_sources(const struct attempt *attempt)
{
    for (size_t i = 0; i < attempt->fresh->n_entries; i++)
        link_source(attempt, attempt->fresh->entries[i]);
}

static void drop_empty(struct catalog *catalog)
{
    size_t n = 0;
    for (size_t i = 0; i < catalog->n_entries; i++) {
        if (catalog->entries[i]->holding)
            catalog->entries[n++] = catalog->entries[i];
        else
            free(catalog->entries[i]);
    }
    catalog->n_entries = n;
}

static int open_all(const struct attempt *attempt, struct error *why)
{
    struct catalog *fresh = attempt->fresh;
    int r = found_list(attempt->folder, &fresh->found, &fresh->n_found, why);
    for (size_t i = 0; r == 0 && i < fresh->n_found; i++)
        r = add_entry(attempt, &fresh->found[i], why);
    if (r < 0)
        return r;
    link_sources(attempt);
    drop_empty(fresh);
    catalog_check(fresh);
    if (fresh->n_found == 0)
        return error_set(why, -ENODATA, "%s: there is no split (*%s) in this folder",
                         attempt->folder, SPLIT_SUFFIX);
    if (fresh->n_entries == 0)
        return error_set(why, -ENODATA, "no split can be served; the first: %.900s",
                         fresh->found[0].fault.text);
    return 0;
}

int catalog_open(const char *folder, const struct catalog *old, struct catalog **ret,
                 struct error *why)
{
    struct catalog *fresh = calloc(1, sizeof *fresh);
    if (!fresh)
        return error_set(why, -ENOMEM, "%s: no memory for a catalog", folder);
    atomic_init(&fresh->n_users, 1);
    for (enum catalog_document i = 0; i < CATALOG_N_DOCUMENTS; i++)
        latest_init(&fresh->documents[i]);
    int r = open_all(&(struct attempt){folder, old, fresh}, why);
    if (r < 0) {
        catalog_unref(fresh);
        return r;
    }
    *ret = fresh;
    return 0;
}
