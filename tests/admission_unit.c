/* SPDX-License-Identifier: Apache-2.0
 * Tests of server/admission, over sockets of this machine. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/admission.h"

static struct sockaddr_storage place;
static socklen_t place_size;

/* A listening socket that does not wait; on 127.0.0.1, or with an abstract name. */
static int listen_at(int family)
{
    place = (struct sockaddr_storage){.ss_family = (sa_family_t)family};
    place_size = family == AF_UNIX ? sizeof(sa_family_t) : sizeof(struct sockaddr_in);
    if (family == AF_INET)
        ((struct sockaddr_in *)&place)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&place, place_size), 0);
    assert_int_equal(listen(fd, 8), 0);
    place_size = sizeof place;
    assert_int_equal(getsockname(fd, (struct sockaddr *)&place, &place_size), 0);
    return fd;
}

/* A client whose address is 127.0.0.`last`, where it has one. */
static int knock(uint8_t last)
{
    int fd = socket(place.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in from = {.sin_family = AF_INET};
    from.sin_addr.s_addr = htonl(INADDR_LOOPBACK - 1 + last);
    if (place.ss_family == AF_INET)
        assert_int_equal(bind(fd, (struct sockaddr *)&from, sizeof from), 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&place, place_size), 0);
    return fd;
}

static struct admission *new_admission(unsigned most, unsigned most_per_address)
{
    struct admission *admission;
    assert_int_equal(admission_new(most, most_per_address, &admission, NULL), 0);
    return admission;
}

static uint64_t let_in(struct admission *admission, int door)
{
    struct guest guest;
    assert_int_equal(admission_accept(admission, door, &guest), 0);
    assert_true(fcntl(guest.fd, F_GETFL) & O_NONBLOCK);
    assert_true(fcntl(guest.fd, F_GETFD) & FD_CLOEXEC);
    close(guest.fd);
    return guest.address;
}

static int refusal(struct admission *admission, int door)
{
    struct guest guest;
    return admission_accept(admission, door, &guest);
}

static void nobody_is_let_in_past_the_limit_until_one_leaves(void **state)
{
    (void)state;
    int door = listen_at(AF_INET), clients[] = {knock(1), knock(2), knock(3)};
    struct admission *admission = new_admission(2, 0);
    uint64_t first = let_in(admission, door), second = let_in(admission, door);
    assert_int_equal(refusal(admission, door), -EUSERS);
    assert_int_equal(admission_count(admission), 2);
    admission_leave(admission, first);
    assert_int_equal(admission_count(admission), 1);
    uint64_t third = let_in(admission, door);
    admission_leave(admission, second);
    assert_int_equal(refusal(admission, door), -EAGAIN);
    admission_leave(admission, third);
    admission_free(admission);
    for (size_t i = 0; i < sizeof clients / sizeof *clients; i++)
        close(clients[i]);
    close(door);
}

static void an_address_with_its_share_is_refused_and_no_other(void **state)
{
    (void)state;
    int door = listen_at(AF_INET), clients[] = {knock(1), knock(1), knock(1), knock(2), knock(1)};
    struct admission *admission = new_admission(10, 2);
    uint64_t first = let_in(admission, door);
    assert_int_equal(let_in(admission, door), first);
    assert_int_equal(refusal(admission, door), -ECONNREFUSED);
    char byte;
    assert_int_equal(read(clients[2], &byte, 1), 0); /* it was closed at once */
    uint64_t other = let_in(admission, door);
    assert_true(other != first);
    admission_leave(admission, first);
    assert_int_equal(let_in(admission, door), first);
    admission_leave(admission, first);
    admission_leave(admission, first);
    admission_leave(admission, other);
    admission_free(admission);
    for (size_t i = 0; i < sizeof clients / sizeof *clients; i++)
        close(clients[i]);
    close(door);
}

static void a_refused_client_takes_no_place(void **state)
{
    (void)state;
    int door = listen_at(AF_INET), clients[] = {knock(1), knock(1), knock(2)};
    struct admission *admission = new_admission(2, 1);
    uint64_t first = let_in(admission, door);
    assert_int_equal(refusal(admission, door), -ECONNREFUSED);
    uint64_t second = let_in(admission, door);
    admission_leave(admission, first);
    admission_leave(admission, second);
    admission_free(admission);
    for (size_t i = 0; i < sizeof clients / sizeof *clients; i++)
        close(clients[i]);
    close(door);
}

static void clients_of_a_unix_socket_are_told_apart_by_their_user(void **state)
{
    (void)state;
    int door = listen_at(AF_UNIX), clients[] = {knock(1), knock(1)};
    struct admission *admission = new_admission(2, 0);
    uint64_t first = let_in(admission, door);
    assert_int_equal(let_in(admission, door), first);
    assert_int_equal((uint32_t)first, getuid());
    admission_leave(admission, first);
    admission_leave(admission, first);
    admission_free(admission);
    close(clients[0]);
    close(clients[1]);
    close(door);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_is_let_in_past_the_limit_until_one_leaves),
        cmocka_unit_test(an_address_with_its_share_is_refused_and_no_other),
        cmocka_unit_test(a_refused_client_takes_no_place),
        cmocka_unit_test(clients_of_a_unix_socket_are_told_apart_by_their_user),
    };
    return cmocka_run_group_tests_name("admission", tests, NULL, NULL);
}
