/* SPDX-License-Identifier: Apache-2.0
 * All splits that are served: looked up, watched over, dropped when unused. */
#include "server/samples/catalog.h"

#include <stdlib.h>
#include <string.h>

struct catalog *catalog_ref(struct catalog *catalog)
{
    atomic_fetch_add(&catalog->n_users, 1);
    return catalog;
}

void catalog_unref(struct catalog *catalog)
{
    if (!catalog || atomic_fetch_sub(&catalog->n_users, 1) != 1)
        return;
    for (size_t i = 0; i < catalog->n_entries; i++) {
        struct entry *entry = catalog->entries[i];
        holding_unref(entry->holding);
        for (enum entry_text text = 0; text < ENTRY_N_TEXTS; text++)
            kept_free(&entry->texts[text]);
        free(entry);
    }
    for (enum catalog_document i = 0; i < CATALOG_N_DOCUMENTS; i++)
        latest_free(&catalog->documents[i]);
    free(catalog->found);
    free(catalog);
}

struct entry *catalog_find(const struct catalog *catalog, const char *name, size_t n)
{
    for (size_t i = 0; i < catalog->n_entries; i++) {
        struct entry *entry = catalog->entries[i];
        if (strlen(entry->name) == n && memcmp(entry->name, name, n) == 0)
            return entry;
    }
    return NULL;
}

bool catalog_check(const struct catalog *catalog)
{
    bool sound = true;
    for (size_t i = 0; i < catalog->n_entries; i++)
        sound &= holding_check(catalog->entries[i]->holding);
    return sound;
}

bool catalog_is_stale(const struct catalog *catalog, const char *folder)
{
    struct found *now;
    size_t n;
    if (found_list(folder, &now, &n, NULL) < 0)
        return false;
    bool stale = n != catalog->n_found;
    for (size_t i = 0; !stale && i < n; i++)
        stale = !found_is_same(&catalog->found[i], &now[i]);
    free(now);
    return stale;
}

bool entry_is_damaged(const struct entry *entry)
{
    return entry->holding->damaged;
}

bool entry_is_cold(const struct entry *entry)
{
    return holding_is_cold(entry->holding) ||
           (entry->source && holding_is_cold(entry->source->holding));
}

int entry_vouch(const struct entry *entry, uint64_t i, struct error *why)
{
    int r = holding_vouch(entry->holding, i, why);
    return r < 0 ? error_prefix(why, r, "split %s", entry->name) : 0;
}

static void check_files(const struct entry *entry, void (*check)(struct holding *holding))
{
    check(entry->holding);
    if (entry->source)
        check(entry->source->holding);
}

static void check(struct holding *holding)
{
    holding_check(holding);
}

void entry_check(const struct entry *entry)
{
    check_files(entry, check);
}

void entry_glance(const struct entry *entry)
{
    check_files(entry, holding_glance);
}
