/* SPDX-License-Identifier: Apache-2.0
 * The client at the other end of one connection. */
#include "server/peer.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <stddef.h>
#include <sys/socket.h>
#include <time.h>

enum {
    /* libmicrohttpd asks again and again for the rest of a line that fills its memory, and reads no
     * more. A piece of the body does not take as long to come when the server has nothing else. */
    STUCK_MS = 1000,
    STOPPING_MS = 1000, /* for the rest of a request, once the server stops */
    EXPECTED_MS = 1000,
    LEFT_MS = 500, /* less than the time between two looks, in which all that came is read */
};

uint64_t peer_now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void peer_list(struct peer *peer, struct peer **list)
{
    peer->next = *list;
    peer->link = list;
    if (peer->next)
        peer->next->link = &peer->next;
    *list = peer;
}

void peer_unlist(struct peer *peer)
{
    *peer->link = peer->next;
    if (peer->next)
        peer->next->link = peer->link;
}

void peer_enter(struct peer *peer, enum peer_phase phase)
{
    peer->phase = phase;
    peer->since_ms = peer->heard_ms = peer_now_ms();
    peer->chunked = false;
    peer->left_ms = 0;
    peer->taken_ms = 0;
}

void peer_pause(struct peer *peer)
{
    peer->phase = PEER_WAITING;
    peer->since_ms = peer_now_ms();
}

void peer_go_on(struct peer *peer)
{
    uint64_t now_ms = peer_now_ms();
    if (peer->taken_ms)
        peer->taken_ms += now_ms - peer->since_ms;
    peer->phase = PEER_RECEIVING;
    peer->since_ms = now_ms;
}

/* False: the socket does not tell. A Unix socket's buffer is small, and libmicrohttpd's time-out
 * sees a client that takes nothing out of it. */
static bool count_taken(const struct peer *peer, uint64_t *ret)
{
    struct tcp_info info;
    socklen_t size = sizeof info;
    if (getsockopt(peer->fd, IPPROTO_TCP, TCP_INFO, &info, &size) < 0 ||
        size < offsetof(struct tcp_info, tcpi_bytes_acked) + sizeof info.tcpi_bytes_acked)
        return false;
    *ret = info.tcpi_bytes_acked;
    return true;
}

/* Whether it took less of its answer than least_rate over each request_timeout_s. */
static bool is_slow(struct peer *peer, const struct settings *settings, uint64_t now_ms)
{
    uint64_t taken, grace_ms = settings->request_timeout_s * 1000;
    bool noted = peer->taken_ms != 0;
    if (!settings->least_rate || (noted && now_ms - peer->taken_ms < grace_ms) ||
        !count_taken(peer, &taken))
        return false;
    bool slow =
        noted && (taken - peer->taken) * 1000 / settings->least_rate < now_ms - peer->taken_ms;
    peer->taken = taken;
    peer->taken_ms = now_ms;
    return slow;
}

bool peer_is_late(struct peer *peer, const struct settings *settings, uint64_t rested_ms,
                  bool stopping)
{
    uint64_t now_ms = peer_now_ms(), request_ms = settings->request_timeout_s * 1000;
    uint64_t phase_ms = now_ms - peer->since_ms;
    uint64_t moved_ms = peer->heard_ms > rested_ms ? peer->heard_ms : rested_ms;
    switch (peer->phase) {
    case PEER_GREETING:
        return phase_ms > request_ms;
    case PEER_IDLE:
        return phase_ms > settings->idle_timeout_s * 1000 + request_ms;
    case PEER_ASKING:
        return phase_ms > (stopping && request_ms > STOPPING_MS ? STOPPING_MS : request_ms) ||
               (peer->chunked && now_ms > moved_ms + STUCK_MS);
    case PEER_WAITING:
        return false;
    case PEER_RECEIVING:
        return is_slow(peer, settings, now_ms);
    }
    return false;
}

bool peer_is_expected(const struct peer *peer)
{
    return (peer->phase == PEER_IDLE || peer->phase == PEER_GREETING) &&
           peer_now_ms() - peer->since_ms < EXPECTED_MS;
}

static bool is_seen(const struct peer *peer, short events)
{
    struct pollfd pollfd = {.fd = peer->fd, .events = events};
    return poll(&pollfd, 1, 0) > 0 && (pollfd.revents & (events | POLLHUP | POLLERR));
}

bool peer_is_gone(const struct peer *peer)
{
    return is_seen(peer, POLLRDHUP);
}

bool peer_is_lost(const struct peer *peer)
{
    return is_seen(peer, 0);
}

/* libmicrohttpd is told once, and not again, of bytes and of an end that came together. */
bool peer_has_left(struct peer *peer)
{
    bool can_leave = peer->phase == PEER_IDLE || peer->phase == PEER_ASKING;
    if (!can_leave || !peer_is_gone(peer)) {
        peer->left_ms = 0;
        return false;
    }
    uint64_t now_ms = peer_now_ms();
    if (!peer->left_ms || peer->heard_ms > peer->left_ms)
        peer->left_ms = now_ms;
    return now_ms - peer->left_ms >= LEFT_MS;
}

void peer_hang_up(const struct peer *peer)
{
    shutdown(peer->fd, SHUT_RDWR);
}

void peer_cut_off(const struct peer *peer)
{
    const struct linger none = {.l_onoff = 1, .l_linger = 0};
    setsockopt(peer->fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
    peer_hang_up(peer);
}
