/* SPDX-License-Identifier: Apache-2.0
 * TLS 1.2 and 1.3: the certificate that is served, and the TLS side of a connection whose session
 * libmicrohttpd has made. The one door to GnuTLS.
 *
 * libmicrohttpd asks a session that waits for its handshake again and again. So a handshake that
 * stalls is told to the connection's server, which takes the connection away from libmicrohttpd
 * until its socket is ready. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/uio.h>

#include "common/error.h"

/* What GnuTLS calls the versions and ciphers that are spoken. */
#define TLS_PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:%SERVER_PRECEDENCE"

enum { TLS_WORDS_SIZE = 256 };

struct tls_files {
    const char *certificate, *key, *client_ca; /* PEM; "" where there is none */
};

/* A certificate and what belongs to it, which tls_reload() replaces. */
struct tls;

/* Read the files; their names outlive *ret, which is NULL where there is no certificate.
 * Errors: -EINVAL a file without the others that it needs, or that holds something else (why says
 * which), or a key that does not belong to the certificate; those of reading; -ENOMEM. */
int tls_open(const struct tls_files *files, struct tls **ret, struct error *why);
void tls_close(struct tls *tls);

/* Read the files again, for connections that begin from now on. Where that fails, what was read
 * before stays. Any thread. Errors: tls_open(). */
int tls_reload(struct tls *tls, struct error *why);

/* Whose the certificate is, and until when. False: it does not count now. Any thread. */
bool tls_describe(struct tls *tls, char ret[TLS_WORDS_SIZE]);

/* For MHD_OPTION_HTTPS_CERT_CALLBACK2: libmicrohttpd wants a certificate, and has none to give. */
void *tls_no_certificate(void);

/* The TLS side of one connection; belongs to its server's thread. */
struct tls_side;

/* Give a session of GnuTLS the current certificate before its handshake. `stalls` is called
 * from within that when it cannot go on before the socket is ready; `is_through` at its end.
 * Errors: -ENOMEM. */
struct tls_calls {
    void (*stalls)(void *user, bool for_writing);
    void (*is_through)(void *user);
    void *user;
};
int tls_begin(struct tls *tls, void *session, int fd, const struct tls_calls *calls,
              struct tls_side **ret);

/* Send all of it past libmicrohttpd as far as the socket takes it at once, and say that it was the
 * last. */
void tls_send_last(struct tls_side *side, const struct iovec *parts, size_t n);

/* The session is gone. */
void tls_end(struct tls_side *side);
