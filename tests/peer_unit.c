/* SPDX-License-Identifier: Apache-2.0
 * Tests of server/peer: who is late, who is gone, over socket pairs and times that are set back. */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/peer.h"

/* Times lie so far apart that a slow machine changes nothing. */
enum { IDLE_S = 1000, REQUEST_S = 500, SLACK_MS = 100000 };

static const struct settings settings = {
    .idle_timeout_s = IDLE_S, .request_timeout_s = REQUEST_S, .least_rate = 1000};

static struct peer peer_in(enum peer_phase phase, uint64_t ago_ms)
{
    struct peer peer = {.fd = -1};
    peer_enter(&peer, phase);
    peer.since_ms -= ago_ms;
    return peer;
}

static bool is_late(enum peer_phase phase, uint64_t ago_ms, bool stopping)
{
    struct peer peer = peer_in(phase, ago_ms);
    return peer_is_late(&peer, &settings, peer_now_ms(), stopping);
}

static void each_phase_has_its_time(void **state)
{
    (void)state;
    uint64_t request_ms = REQUEST_S * 1000, idle_ms = IDLE_S * 1000 + request_ms;
    assert_false(is_late(PEER_ASKING, request_ms - SLACK_MS, false));
    assert_true(is_late(PEER_ASKING, request_ms + SLACK_MS, false));
    assert_false(is_late(PEER_GREETING, request_ms - SLACK_MS, false));
    assert_true(is_late(PEER_GREETING, request_ms + SLACK_MS, false));
    assert_false(is_late(PEER_IDLE, idle_ms - SLACK_MS, false));
    assert_true(is_late(PEER_IDLE, idle_ms + SLACK_MS, false));
    assert_false(is_late(PEER_WAITING, 10 * idle_ms, false));
}

static void a_server_that_stops_waits_a_moment_for_a_request(void **state)
{
    (void)state;
    assert_true(is_late(PEER_ASKING, SLACK_MS, true));
    assert_false(is_late(PEER_ASKING, SLACK_MS, false));
    assert_false(is_late(PEER_WAITING, SLACK_MS, true));
}

static void who_has_just_come_is_expected_to_ask(void **state)
{
    (void)state;
    static const enum peer_phase phases[] = {PEER_GREETING, PEER_IDLE};
    for (size_t i = 0; i < sizeof phases / sizeof *phases; i++) {
        struct peer fresh = peer_in(phases[i], 0), old = peer_in(phases[i], SLACK_MS);
        assert_true(peer_is_expected(&fresh));
        assert_false(peer_is_expected(&old));
    }
    struct peer asking = peer_in(PEER_ASKING, 0);
    assert_false(peer_is_expected(&asking));
}

static void a_chunked_body_that_stands_still_is_late_unless_the_server_was_busy(void **state)
{
    (void)state;
    uint64_t now_ms = peer_now_ms();
    struct peer peer = peer_in(PEER_ASKING, SLACK_MS);
    peer.heard_ms -= SLACK_MS;
    assert_false(peer_is_late(&peer, &settings, now_ms - SLACK_MS, false));
    peer.chunked = true;
    assert_true(peer_is_late(&peer, &settings, now_ms - SLACK_MS, false));
    assert_false(peer_is_late(&peer, &settings, now_ms + SLACK_MS, false));
}

/* Both ends of a TCP connection on this machine; [0] is the server's. */
static void connect_pair(int ret[2])
{
    struct sockaddr_in place = {.sin_family = AF_INET};
    place.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof place;
    int door = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(door, (struct sockaddr *)&place, size), 0);
    assert_int_equal(listen(door, 1), 0);
    assert_int_equal(getsockname(door, (struct sockaddr *)&place, &size), 0);
    ret[1] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(ret[1], (struct sockaddr *)&place, size), 0);
    ret[0] = accept(door, NULL, NULL);
    assert_true(ret[0] >= 0);
    close(door);
}

static void who_takes_too_little_of_an_answer_is_late(void **state)
{
    (void)state;
    int ends[2];
    connect_pair(ends);
    struct peer peer = peer_in(PEER_RECEIVING, 0);
    peer.fd = ends[0];
    assert_false(peer_is_late(&peer, &settings, 0, false)); /* it is noted what it has taken */
    assert_false(peer_is_late(&peer, &settings, 0, false));
    peer.taken_ms -= REQUEST_S * 1000 + SLACK_MS;
    struct settings patient = settings;
    patient.least_rate = 0;
    assert_false(peer_is_late(&peer, &patient, 0, false));
    struct peer quick = peer;
    quick.taken -= UINT64_C(1000) * (REQUEST_S + SLACK_MS);
    assert_false(peer_is_late(&quick, &settings, 0, false));
    assert_true(peer_is_late(&peer, &settings, 0, false));
    close(ends[0]);
    close(ends[1]);
}

static void who_has_closed_is_gone(void **state)
{
    (void)state;
    int ends[2];
    connect_pair(ends);
    struct peer peer = {.fd = ends[0]};
    assert_false(peer_is_gone(&peer));
    close(ends[1]);
    assert_true(peer_is_gone(&peer));
    close(ends[0]);
}

static bool has_left_for_long(struct peer *peer)
{
    bool at_once = peer_has_left(peer);
    assert_false(at_once); /* what came before may not be read yet */
    if (peer->left_ms == 0)
        return false;
    peer->left_ms -= SLACK_MS;
    peer->heard_ms -= 2 * SLACK_MS;
    return peer_has_left(peer);
}

static void who_leaves_in_the_middle_has_left_when_it_is_seen_again(void **state)
{
    (void)state;
    static const enum peer_phase can[] = {PEER_IDLE, PEER_ASKING},
                                 cannot[] = {PEER_GREETING, PEER_WAITING, PEER_RECEIVING};
    int ends[2];
    connect_pair(ends);
    struct peer peer = {.fd = ends[0]};
    peer_enter(&peer, PEER_ASKING);
    assert_false(has_left_for_long(&peer));
    assert_int_equal(shutdown(ends[1], SHUT_WR), 0);
    for (size_t i = 0; i < sizeof can / sizeof *can; i++) {
        peer_enter(&peer, can[i]);
        assert_true(has_left_for_long(&peer));
    }
    for (size_t i = 0; i < sizeof cannot / sizeof *cannot; i++) {
        peer_enter(&peer, cannot[i]);
        assert_false(has_left_for_long(&peer));
    }
    close(ends[0]);
    close(ends[1]);
}

static void of_whom_something_came_has_not_left_yet(void **state)
{
    (void)state;
    int ends[2];
    connect_pair(ends);
    close(ends[1]);
    struct peer peer = {.fd = ends[0]};
    peer_enter(&peer, PEER_ASKING);
    assert_false(peer_has_left(&peer));
    peer.left_ms -= SLACK_MS;
    peer.heard_ms = peer.left_ms + SLACK_MS / 2;
    assert_false(peer_has_left(&peer));
    peer.left_ms -= SLACK_MS;
    peer.heard_ms = 0;
    assert_true(peer_has_left(&peer));
    close(ends[0]);
}

static void who_is_cut_off_gets_a_reset_and_nothing_more(void **state)
{
    (void)state;
    int ends[2];
    connect_pair(ends);
    struct peer peer = {.fd = ends[0]};
    peer_cut_off(&peer);
    char byte;
    assert_true(read(ends[1], &byte, 1) <= 0);
    close(ends[0]);
    close(ends[1]);
}

static void a_list_loses_whom_it_is_told_to(void **state)
{
    (void)state;
    struct peer peers[3] = {0}, *list = NULL;
    for (size_t i = 0; i < 3; i++)
        peer_list(&peers[i], &list);
    assert_ptr_equal(list, &peers[2]);
    peer_unlist(&peers[1]);
    assert_ptr_equal(list->next, &peers[0]);
    peer_unlist(&peers[2]);
    assert_ptr_equal(list, &peers[0]);
    peer_unlist(&peers[0]);
    assert_null(list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_phase_has_its_time),
        cmocka_unit_test(a_server_that_stops_waits_a_moment_for_a_request),
        cmocka_unit_test(who_has_just_come_is_expected_to_ask),
        cmocka_unit_test(a_chunked_body_that_stands_still_is_late_unless_the_server_was_busy),
        cmocka_unit_test(who_takes_too_little_of_an_answer_is_late),
        cmocka_unit_test(who_has_closed_is_gone),
        cmocka_unit_test(who_leaves_in_the_middle_has_left_when_it_is_seen_again),
        cmocka_unit_test(of_whom_something_came_has_not_left_yet),
        cmocka_unit_test(who_is_cut_off_gets_a_reset_and_nothing_more),
        cmocka_unit_test(a_list_loses_whom_it_is_told_to),
    };
    return cmocka_run_group_tests_name("peer", tests, NULL, NULL);
}
