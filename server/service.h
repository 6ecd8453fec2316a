/* SPDX-License-Identifier: Apache-2.0
 * What all requests share: settings, the current catalog, the cache of epoch orders. */
#pragma once

#include "server/samples/catalog.h"
#include "server/samples/orders.h"
#include "server/settings.h"

struct service;

/* Open the catalog of settings->data. `settings` outlives the service. Errors: catalog_open(). */
int service_open(const struct settings *settings, struct service **ret, struct error *why);
void service_close(struct service *service);

const struct settings *service_settings(const struct service *service);
struct orders *service_orders(struct service *service);

/* The current catalog, with a reference for the caller. Any thread. */
struct catalog *service_catalog(struct service *service);

/* Open the folder anew and put it in place of the current catalog, which lives on until its last
 * request ends. Where that fails, the current one stays. Errors: catalog_open(). */
int service_reload(struct service *service, struct error *why);

/* Have `call` called after each reload, in its thread. Before there is one. */
void service_on_reload(struct service *service, void (*call)(void *user), void *user);

/* Whether the folder holds other files than those that are served. A file that was changed in place
 * is not served any more from here on. */
bool service_is_stale(struct service *service);
