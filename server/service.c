/* SPDX-License-Identifier: Apache-2.0
 * What all requests share: settings, the current catalog, the caches of epoch orders
 * and of views. */
#include "server/service.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "server/description.h"
#include "server/metrics.h"
#include "server/samples/budget.h"

struct service {
    const struct settings *settings;
    struct rates *rates;
    struct tokens *tokens;
    struct tls *tls;
    struct orders *orders;
    struct views *views;
    pthread_mutex_t lock;
    struct catalog *catalog;
    void (*on_reload)(void *user);
    void *user;
};

static int open_files(const struct settings *settings, struct service *service, struct error *why)
{
    const struct tls_files files = {.certificate = settings->tls_certificate,
                                    .key = settings->tls_key,
                                    .client_ca = settings->tls_client_ca};
    int r = tls_open(&files, &service->tls, why);
    if (r == 0 && *settings->token_file)
        r = tokens_open(settings->token_file, &service->tokens, why);
    return r;
}

static int open_counts(const struct settings *settings, struct service *service, struct error *why)
{
    const uint64_t per_second[N_RATES] = {
        [RATE_REQUESTS] = settings->requests_per_second_per_address,
        [RATE_BYTES] = settings->bytes_per_second_per_address,
    };
    budget_set(settings->max_pending_bytes, settings->max_pending_bytes_per_address);
    int r = orders_new(&service->orders);
    if (r == 0)
        r = views_new(&service->views);
    return r < 0 ? error_set(why, r, "no memory for the orders")
                 : rates_new(per_second, &service->rates, why);
}

static int new_service(const struct settings *settings, struct service **ret, struct error *why)
{
    struct service *service = calloc(1, sizeof *service);
    if (!service)
        return error_set(why, -ENOMEM, "no memory for the service");
    service->settings = settings;
    pthread_mutex_init(&service->lock, NULL);
    int r = open_files(settings, service, why);
    if (r < 0)
        service_close(service);
    else
        *ret = service;
    return r;
}

int service_open(const struct settings *settings, struct service **ret, struct error *why)
{
    struct service *service;
    int r = new_service(settings, &service, why);
    if (r < 0)
        return r;
    r = open_counts(settings, service, why);
    if (r == 0)
        r = catalog_open(settings->data, NULL, &service->catalog, why);
    if (r < 0) {
        service_close(service);
        return r;
    }
    description_keep_all(service->catalog);
    metrics_note_opened();
    *ret = service;
    return 0;
}

int service_check_files(const struct settings *settings, struct error *why)
{
    struct service *service;
    int r = new_service(settings, &service, why);
    if (r == 0)
        service_close(service);
    return r;
}

void service_close(struct service *service)
{
    if (!service)
        return;
    catalog_unref(service->catalog);
    orders_free(service->orders);
    views_free(service->views);
    rates_free(service->rates);
    tokens_close(service->tokens);
    tls_close(service->tls);
    pthread_mutex_destroy(&service->lock);
    free(service);
}

const struct settings *service_settings(const struct service *service)
{
    return service->settings;
}

struct orders *service_orders(struct service *service)
{
    return service->orders;
}

struct views *service_views(struct service *service)
{
    return service->views;
}

struct rates *service_rates(struct service *service)
{
    return service->rates;
}

struct tokens *service_tokens(struct service *service)
{
    return service->tokens;
}

struct tls *service_tls(struct service *service)
{
    return service->tls;
}

int service_reload_tokens(struct service *service, struct error *why)
{
    return service->tokens ? tokens_reload(service->tokens, why) : 0;
}

int service_reload_tls(struct service *service, struct error *why)
{
    return service->tls ? tls_reload(service->tls, why) : 0;
}

struct catalog *service_catalog(struct service *service)
{
    pthread_mutex_lock(&service->lock);
    struct catalog *catalog = catalog_ref(service->catalog);
    pthread_mutex_unlock(&service->lock);
    return catalog;
}

int service_reload(struct service *service, struct error *why)
{
    struct catalog *fresh, *old = service_catalog(service);
    int r = catalog_open(service->settings->data, old, &fresh, why);
    catalog_check(old);
    catalog_unref(old);
    if (r < 0)
        return r;
    description_keep_all(fresh);
    pthread_mutex_lock(&service->lock);
    old = service->catalog;
    service->catalog = fresh;
    pthread_mutex_unlock(&service->lock);
    catalog_unref(old);
    metrics_note_opened();
    if (service->on_reload)
        service->on_reload(service->user);
    return 0;
}

void service_on_reload(struct service *service, void (*call)(void *user), void *user)
{
    service->on_reload = call;
    service->user = user;
}

bool service_is_stale(struct service *service)
{
    struct catalog *catalog = service_catalog(service);
    catalog_check(catalog);
    bool stale = catalog_is_stale(catalog, service->settings->data);
    catalog_unref(catalog);
    return stale;
}
