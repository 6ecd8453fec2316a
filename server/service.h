/* SPDX-License-Identifier: Apache-2.0
 * What all requests share: settings, the current catalog, the caches of epoch orders
 * and of views. */
#pragma once

#include "server/rates.h"
#include "server/samples/catalog.h"
#include "server/samples/orders.h"
#include "server/samples/views.h"
#include "server/settings.h"
#include "server/tls.h"
#include "server/tokens.h"

struct service;

/* Open the tokens, the certificate and the catalog of settings->data. `settings` outlives the
 * service. Errors: tokens_open(), tls_open(), catalog_open(). */
int service_open(const struct settings *settings, struct service **ret, struct error *why);
void service_close(struct service *service);

const struct settings *service_settings(const struct service *service);
struct orders *service_orders(struct service *service);
struct views *service_views(struct service *service);
struct rates *service_rates(struct service *service);
struct tokens *service_tokens(struct service *service); /* NULL: nobody is asked for one */
struct tls *service_tls(struct service *service);       /* NULL: nobody speaks it */

/* Whether the files of tokens and of the certificate can be used; nothing else is opened. Errors:
 * tokens_open(), tls_open(). */
int service_check_files(const struct settings *settings, struct error *why);

/* Read the tokens, or the certificate, again; what there is not is not read. Where that fails, what
 * was read before stays. Errors: tokens_reload(), tls_reload(). */
int service_reload_tokens(struct service *service, struct error *why);
int service_reload_tls(struct service *service, struct error *why);

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
