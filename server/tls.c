/* SPDX-License-Identifier: Apache-2.0
 * TLS 1.2 and 1.3: the certificate that is served, and the TLS side of a connection whose session
 * libmicrohttpd has made. The one door to GnuTLS. */
#include "server/tls.h"

#include <errno.h>
#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "common/wire.h"

enum {
    DRAIN_BYTES = 65536, /* of a request that came without it */
};

/* What was read at one time; lives until the last connection that began with it has ended. */
struct pair {
    atomic_uint n_users;
    gnutls_certificate_credentials_t credentials;
    bool asks_clients;
    time_t from, until;
    char name[TLS_WORDS_SIZE / 2];
};

struct tls {
    struct tls_files files;
    pthread_mutex_t lock;
    struct pair *pair;
};

struct tls_side {
    struct tls_calls calls;
    gnutls_session_t session;
    struct pair *pair;
    int fd;
    bool has_begun; /* something has come */
    bool finished_by_us, finished_by_it;
};

/* ---- files ---- */

static struct pair *pair_ref(struct pair *pair)
{
    atomic_fetch_add(&pair->n_users, 1);
    return pair;
}

static void pair_unref(struct pair *pair)
{
    if (!pair || atomic_fetch_sub(&pair->n_users, 1) > 1)
        return;
    if (pair->credentials)
        gnutls_certificate_free_credentials(pair->credentials);
    free(pair);
}

static int errno_of(int r)
{
    return r == GNUTLS_E_MEMORY_ERROR ? -ENOMEM : -EINVAL;
}

static int read_file(const char *setting, const char *path, gnutls_datum_t *ret, struct error *why)
{
    errno = 0;
    if (gnutls_load_file(path, ret) == GNUTLS_E_SUCCESS)
        return 0;
    int code = errno ? errno : EIO;
    return error_set(why, -code, "%s: %s: %s", setting, path, strerror(code));
}

struct chain {
    gnutls_x509_crt_t *items;
    unsigned n;
};

static void free_chain(struct chain *chain)
{
    for (unsigned i = 0; i < chain->n; i++)
        gnutls_x509_crt_deinit(chain->items[i]);
    gnutls_free(chain->items);
}

static int read_chain(const char *path, struct chain *ret, struct error *why)
{
    gnutls_datum_t bytes;
    struct chain chain = {0};
    int r = read_file("tls_certificate", path, &bytes, why);
    if (r < 0)
        return r;
    int code = gnutls_x509_crt_list_import2(&chain.items, &chain.n, &bytes, GNUTLS_X509_FMT_PEM,
                                            GNUTLS_X509_CRT_LIST_SORT);
    gnutls_free(bytes.data);
    if (code < 0)
        return error_set(why, errno_of(code), "tls_certificate: %s: no certificate in PEM: %s",
                         path, gnutls_strerror(code));
    *ret = chain;
    return 0;
}

static int read_key(const char *path, gnutls_x509_privkey_t *ret, struct error *why)
{
    gnutls_datum_t bytes;
    gnutls_x509_privkey_t key;
    int r = read_file("tls_key", path, &bytes, why);
    if (r < 0)
        return r;
    int code = gnutls_x509_privkey_init(&key);
    if (code == 0) {
        code = gnutls_x509_privkey_import2(key, &bytes, GNUTLS_X509_FMT_PEM, NULL, 0);
        if (code < 0)
            gnutls_x509_privkey_deinit(key);
    }
    gnutls_memset(bytes.data, 0, bytes.size);
    gnutls_free(bytes.data);
    if (code == GNUTLS_E_DECRYPTION_FAILED)
        return error_set(why, -EINVAL,
                         "tls_key: %s: the key needs a password, and nobody is there "
                         "to type it",
                         path);
    if (code < 0)
        return error_set(why, errno_of(code), "tls_key: %s: no private key in PEM: %s", path,
                         gnutls_strerror(code));
    *ret = key;
    return 0;
}

static int add_client_ca(struct pair *pair, const char *path, struct error *why)
{
    gnutls_datum_t bytes;
    int r = read_file("tls_client_ca", path, &bytes, why);
    if (r < 0)
        return r;
    int n = gnutls_certificate_set_x509_trust_mem(pair->credentials, &bytes, GNUTLS_X509_FMT_PEM);
    gnutls_free(bytes.data);
    if (n <= 0)
        return error_set(why, errno_of(n), "tls_client_ca: %s: no certificate in PEM%s%s", path,
                         n ? ": " : "", n ? gnutls_strerror(n) : "");
    pair->asks_clients = true;
    return 0;
}

static void describe(struct pair *pair, gnutls_x509_crt_t certificate)
{
    size_t size = sizeof pair->name;
    if (gnutls_x509_crt_get_dn(certificate, pair->name, &size) < 0)
        pair->name[0] = '\0';
    pair->from = gnutls_x509_crt_get_activation_time(certificate);
    pair->until = gnutls_x509_crt_get_expiration_time(certificate);
}

static int fill(struct pair *pair, const struct tls_files *files, struct error *why)
{
    struct chain chain = {0};
    gnutls_x509_privkey_t key = NULL;
    if (gnutls_certificate_allocate_credentials(&pair->credentials) < 0)
        return error_set(why, -ENOMEM, "no memory for a certificate");
    int r = read_chain(files->certificate, &chain, why);
    if (r < 0)
        return r;
    r = read_key(files->key, &key, why);
    if (r == 0) {
        int code =
            gnutls_certificate_set_x509_key(pair->credentials, chain.items, (int)chain.n, key);
        gnutls_x509_privkey_deinit(key);
        if (code == GNUTLS_E_CERTIFICATE_KEY_MISMATCH)
            r = error_set(why, -EINVAL,
                          "tls_key: %s is not the key of the certificate in %s, which is "
                          "tls_certificate",
                          files->key, files->certificate);
        else if (code < 0)
            r = error_set(why, errno_of(code), "tls_certificate: %s with %s, which is tls_key: %s",
                          files->certificate, files->key, gnutls_strerror(code));
        describe(pair, chain.items[0]);
    }
    free_chain(&chain);
    return r < 0 || !*files->client_ca ? r : add_client_ca(pair, files->client_ca, why);
}

static int read_pair(const struct tls_files *files, struct pair **ret, struct error *why)
{
    struct pair *pair = calloc(1, sizeof *pair);
    if (!pair)
        return error_set(why, -ENOMEM, "no memory for a certificate");
    atomic_init(&pair->n_users, 1);
    int r = fill(pair, files, why);
    if (r < 0)
        pair_unref(pair);
    else
        *ret = pair;
    return r;
}

static int check_files(const struct tls_files *files, struct error *why)
{
    if (*files->certificate && !*files->key)
        return error_set(why, -EINVAL, "tls_certificate: its tls_key is missing");
    if (*files->key && !*files->certificate)
        return error_set(why, -EINVAL, "tls_key: its tls_certificate is missing");
    if (*files->client_ca && !*files->certificate)
        return error_set(why, -EINVAL,
                         "tls_client_ca: only over TLS do clients show certificates, and "
                         "tls_certificate is missing");
    return 0;
}

int tls_open(const struct tls_files *files, struct tls **ret, struct error *why)
{
    struct pair *pair = NULL;
    int r = check_files(files, why);
    if (r == 0 && *files->certificate)
        r = read_pair(files, &pair, why);
    if (r < 0)
        return r;
    struct tls *tls = NULL;
    if (pair) {
        tls = calloc(1, sizeof *tls);
        if (!tls) {
            pair_unref(pair);
            return error_set(why, -ENOMEM, "no memory for a certificate");
        }
        tls->files = *files;
        tls->pair = pair;
        pthread_mutex_init(&tls->lock, NULL);
    }
    *ret = tls;
    return 0;
}

void tls_close(struct tls *tls)
{
    if (!tls)
        return;
    pthread_mutex_destroy(&tls->lock);
    pair_unref(tls->pair);
    free(tls);
}

int tls_reload(struct tls *tls, struct error *why)
{
    struct pair *pair;
    int r = read_pair(&tls->files, &pair, why);
    if (r < 0)
        return r;
    pthread_mutex_lock(&tls->lock);
    struct pair *old = tls->pair;
    tls->pair = pair;
    pthread_mutex_unlock(&tls->lock);
    pair_unref(old);
    return 0;
}

static struct pair *current_pair(struct tls *tls)
{
    pthread_mutex_lock(&tls->lock);
    struct pair *pair = pair_ref(tls->pair);
    pthread_mutex_unlock(&tls->lock);
    return pair;
}

bool tls_describe(struct tls *tls, char ret[TLS_WORDS_SIZE])
{
    struct pair *pair = current_pair(tls);
    time_t now = time(NULL);
    bool counts = now >= pair->from && now < pair->until;
    time_t edge = now < pair->from ? pair->from : pair->until;
    struct tm date;
    char words[32];
    strftime(words, sizeof words, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&edge, &date));
    snprintf(ret, TLS_WORDS_SIZE, "%s, %s %s", pair->name,
             now < pair->from ? "not before"
             : counts         ? "until"
                              : "expired since",
             words);
    pair_unref(pair);
    return counts;
}

/* ---- connections ---- */

static bool is_through(const struct tls_side *side)
{
    return side->finished_by_us && side->finished_by_it;
}

/* Read what has come and will not be looked at: a connection that is closed with it is reset, and
 * what was said last is lost. */
static void drain(const struct tls_side *side)
{
    char waste[4096];
    for (size_t drained = 0; drained < DRAIN_BYTES;) {
        ssize_t got = recv(side->fd, waste, sizeof waste, MSG_DONTWAIT);
        if (got <= 0)
            return;
        drained += (size_t)got;
    }
}

/* Whoever asks without TLS is told so. */
static void answer_plainly(const struct tls_side *side)
{
    static const char body[] =
        "{\"type\": \"urn:twonmnist:problem:bad-request\", \"title\": \"This is "
        "not a request of HTTP/1.1\", \"status\": 400, \"detail\": \"this port "
        "speaks TLS: its URLs begin with https\", \"code\": \"bad-request\"}";
    char answer[sizeof body + 256];
    int n = snprintf(answer, sizeof answer,
                     "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Type: %s\r\n"
                     "Content-Length: %zu\r\n\r\n%s",
                     WIRE_PROBLEM_TYPE, sizeof body - 1, body);
    drain(side);
    send(side->fd, answer, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL);
    shutdown(side->fd, SHUT_WR);
}

static ssize_t pull(gnutls_transport_ptr_t user, void *bytes, size_t size)
{
    struct tls_side *side = user;
    ssize_t n = recv(side->fd, bytes, size, 0);
    int code = errno;
    if (n > 0 && !side->has_begun) {
        const uint8_t *first = bytes; /* TLS begins with 22 */
        side->has_begun = true;
        if (*first >= 'A' && *first <= 'Z')
            answer_plainly(side);
    } else if (n < 0 && code == EAGAIN && !is_through(side)) {
        side->calls.stalls(side->calls.user, false);
    }
    errno = code;
    return n;
}

static ssize_t push(gnutls_transport_ptr_t user, const giovec_t *parts, int n_parts)
{
    struct tls_side *side = user;
    struct msghdr message = {.msg_iov = (struct iovec *)parts, .msg_iovlen = (size_t)n_parts};
    ssize_t n = sendmsg(side->fd, &message, MSG_NOSIGNAL);
    int code = errno;
    if (n < 0 && code == EAGAIN && !is_through(side))
        side->calls.stalls(side->calls.user, true);
    errno = code;
    return n;
}

static int on_finished(gnutls_session_t session, unsigned type, unsigned when, unsigned incoming,
                       const gnutls_datum_t *message)
{
    (void)type;
    (void)when;
    (void)message;
    struct tls_side *side = gnutls_transport_get_ptr(session);
    *(incoming ? &side->finished_by_it : &side->finished_by_us) = true;
    if (is_through(side))
        side->calls.is_through(side->calls.user);
    return 0;
}

/* GnuTLS tells the client nothing by itself of a certificate that is not taken. */
static int verify_client(gnutls_session_t session)
{
    static const struct {
        unsigned status;
        gnutls_alert_description_t alert;
    } alerts[] = {
        {GNUTLS_CERT_EXPIRED, GNUTLS_A_CERTIFICATE_EXPIRED},
        {GNUTLS_CERT_NOT_ACTIVATED, GNUTLS_A_CERTIFICATE_EXPIRED},
        {GNUTLS_CERT_SIGNER_NOT_FOUND, GNUTLS_A_UNKNOWN_CA},
    };
    gnutls_typed_vdata_st purpose = {.type = GNUTLS_DT_KEY_PURPOSE_OID,
                                     .data = (unsigned char *)GNUTLS_KP_TLS_WWW_CLIENT};
    unsigned status = 0;
    int r = gnutls_certificate_verify_peers(session, &purpose, 1, &status);
    if (r == 0 && status == 0)
        return 0;
    gnutls_alert_description_t alert = GNUTLS_A_BAD_CERTIFICATE;
    for (size_t i = 0; r == 0 && i < sizeof alerts / sizeof *alerts; i++)
        if (status & alerts[i].status)
            alert = alerts[i].alert;
    if (r == GNUTLS_E_NO_CERTIFICATE_FOUND)
        alert = GNUTLS_A_CERTIFICATE_REQUIRED;
    gnutls_alert_send(session, GNUTLS_AL_FATAL, alert);
    drain(gnutls_transport_get_ptr(session));
    return GNUTLS_E_CERTIFICATE_ERROR;
}

int tls_begin(struct tls *tls, void *session, int fd, const struct tls_calls *calls,
              struct tls_side **ret)
{
    struct tls_side *side = calloc(1, sizeof *side);
    if (!side)
        return -ENOMEM;
    *side =
        (struct tls_side){.calls = *calls, .session = session, .pair = current_pair(tls), .fd = fd};
    if (gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, side->pair->credentials) < 0) {
        tls_end(side);
        return -ENOMEM;
    }
    gnutls_transport_set_ptr(session, side);
    gnutls_transport_set_pull_function(session, pull);
    gnutls_transport_set_vec_push_function(session, push);
    gnutls_handshake_set_hook_function(session, GNUTLS_HANDSHAKE_FINISHED, GNUTLS_HOOK_POST,
                                       on_finished);
    if (side->pair->asks_clients) {
        gnutls_certificate_server_set_request(session, GNUTLS_CERT_REQUEST);
        gnutls_session_set_verify_function(session, verify_client);
    }
    *ret = side;
    return 0;
}

void tls_send_last(struct tls_side *side, const struct iovec *parts, size_t n)
{
    for (size_t i = 0; i < n && is_through(side); i++) {
        const char *at = parts[i].iov_base, *end = at + parts[i].iov_len;
        while (at < end) {
            ssize_t sent = gnutls_record_send(side->session, at, (size_t)(end - at));
            if (sent <= 0)
                return;
            at += sent;
        }
    }
    gnutls_bye(side->session, GNUTLS_SHUT_WR);
}

void tls_end(struct tls_side *side)
{
    if (!side)
        return;
    pair_unref(side->pair);
    free(side);
}

static int give_none(gnutls_session_t session, const struct gnutls_cert_retr_st *info,
                     gnutls_pcert_st **certs, unsigned *n_certs, gnutls_ocsp_data_st **ocsp,
                     unsigned *n_ocsp, gnutls_privkey_t *key, unsigned *flags)
{
    (void)session;
    (void)info;
    (void)certs;
    (void)n_certs;
    (void)ocsp;
    (void)n_ocsp;
    (void)key;
    (void)flags;
    return -1;
}

void *tls_no_certificate(void)
{
    return (void *)(uintptr_t)give_none;
}
