/* SPDX-License-Identifier: Apache-2.0
 * The client at the other end of one connection: where it is in its request, how quickly it takes
 * its answer, whether it is still there. Belongs to its server's thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "server/admission.h"
#include "server/settings.h"

struct MHD_Connection;
struct http;
struct tls_side;
struct exchange;

enum peer_phase {
    PEER_GREETING,  /* TLS is being set up */
    PEER_IDLE,      /* between requests; the first line of one may be on its way */
    PEER_ASKING,    /* head or body of a request are on their way */
    PEER_WAITING,   /* for its answer to be made, or for the next of it to be read */
    PEER_RECEIVING, /* its answer */
};

struct peer {
    struct peer *next, **link; /* in its server's list */
    struct http *http;
    int fd;
    uint64_t address;
    struct admission *admission; /* that let it in */
    bool is_admin;               /* came in at admin_listen */
    char name[GUEST_NAME_SIZE];  /* its address, for people */
    struct MHD_Connection *connection;
    struct tls_side *tls;      /* NULL without TLS */
    bool is_stalled;           /* its handshake waits for the socket, and libmicrohttpd for us */
    struct exchange *exchange; /* the request under way, or NULL */
    enum peer_phase phase;
    uint64_t since_ms; /* of the phase */
    bool chunked;      /* the body that it sends */
    uint64_t heard_ms; /* when a piece of the body came last */
    uint64_t left_ms;  /* when it was seen to be gone, and nothing came since; 0: not */
    /* how much of an answer it had taken, and when that was noted; 0: not yet */
    uint64_t taken, taken_ms;
};

void peer_list(struct peer *peer, struct peer **list);
void peer_unlist(struct peer *peer);

void peer_enter(struct peer *peer, enum peer_phase phase);

/* What it was being sent has to be read from the disk first; and is there. That time is not its
 * own. */
void peer_pause(struct peer *peer);
void peer_go_on(struct peer *peer);

/* Whether the connection has been where it is for too long. `rested_ms` is when its server last had
 * nothing to do. */
bool peer_is_late(struct peer *peer, const struct settings *settings, uint64_t rested_ms,
                  bool stopping);

/* Whether it came, or had an answer, so lately that a request may be on its way. */
bool peer_is_expected(const struct peer *peer);

/* Whether the client has closed its side in the middle of a request or behind the last one, and
 * whatever it had sent before that was read. Asked for every second or so. */
bool peer_has_left(struct peer *peer);

/* Whether the client has closed its side, or is not reached any more. Any thread. */
bool peer_is_gone(const struct peer *peer);

/* Whether the client is not reached any more; it may have closed its side. Any thread. */
bool peer_is_lost(const struct peer *peer);

/* Let nothing more come; what was sent still goes. The server closes the connection when it sees
 * that. */
void peer_hang_up(const struct peer *peer);

/* The same, and forget what the client has not taken yet. */
void peer_cut_off(const struct peer *peer);

uint64_t peer_now_ms(void);
