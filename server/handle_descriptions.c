/* SPDX-License-Identifier: Apache-2.0
 * What the server says of itself to programs: OpenAPI, Croissant, llms.txt. */
#include <string.h>

#include "server/croissant.h"
#include "server/document.h"
#include "server/handlers.h"
#include "server/llms.h"
#include "server/openapi.h"
#include "server/origin.h"

enum {
    OPENAPI_US = 6000, /* where it is not as last time: it may be as long as that */
    CROISSANT_US = 2000,
    LLMS_US = 400,
    TABLED_PER_US = 2, /* samples, for the tables, once */
    EVENTS_SCANNED_PER_US = 500,
};

bool check_openapi(struct request *request, struct reply *reply)
{
    (void)reply;
    document_offer_gzip(request);
    request->cost_us = OPENAPI_US;
    return true;
}

void handle_openapi(struct request *request, struct reply *reply)
{
    struct origin origin;
    origin_of(request, &origin);
    const struct openapi openapi = {request->catalog, service_settings(request->service),
                                    origin.base};
    const struct document_state state = {origin.base, strlen(origin.base) + 1};
    document_answer_latest(request, reply, &request->catalog->documents[CATALOG_OPENAPI], &state,
                           openapi_write, &openapi);
}

bool check_croissant(struct request *request, struct reply *reply)
{
    (void)reply;
    document_offer_gzip(request);
    request->cost_us = CROISSANT_US;
    for (size_t i = 0; i < request->catalog->n_entries; i++) {
        const struct entry *entry = request->catalog->entries[i];
        if (!kept_is_made(&entry->texts[ENTRY_CSV]))
            request->cost_us += split_n_samples(entry->split) / TABLED_PER_US +
                                split_n_events(entry->split) / EVENTS_SCANNED_PER_US;
    }
    return true;
}

/* What of it changes without the catalog. */
struct seen {
    char url[sizeof(struct origin)];
    bool is_damaged[CATALOG_MAX_SPLITS], is_verified[CATALOG_MAX_SPLITS];
};

void handle_croissant(struct request *request, struct reply *reply)
{
    struct origin origin;
    struct seen seen;
    memset(&seen, 0, sizeof seen);
    origin_of(request, &origin);
    memcpy(seen.url, origin.url, strlen(origin.url));
    for (size_t i = 0; i < request->catalog->n_entries; i++) {
        const struct entry *entry = request->catalog->entries[i];
        seen.is_damaged[i] = entry_is_damaged(entry);
        seen.is_verified[i] = atomic_load(&entry->holding->verified);
    }
    const struct croissant croissant = {request->catalog, origin.url, seen.is_verified};
    const struct document_state state = {&seen, sizeof seen};
    document_answer_latest(request, reply, &request->catalog->documents[CATALOG_CROISSANT], &state,
                           croissant_write, &croissant);
}

bool check_llms(struct request *request, struct reply *reply)
{
    (void)reply;
    document_offer_gzip(request);
    request->cost_us = LLMS_US;
    return true;
}

void handle_llms(struct request *request, struct reply *reply)
{
    struct origin origin;
    origin_of(request, &origin);
    const struct llms llms = {request->catalog, origin.url};
    const struct document_state state = {origin.url, strlen(origin.url) + 1};
    document_answer_latest(request, reply, &request->catalog->documents[CATALOG_LLMS], &state,
                           llms_write, &llms);
}
