/* SPDX-License-Identifier: Apache-2.0
 * Tests of server/listen: sockets of our own, and those that are passed in. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/listen.h"
#include "server/passed.h"

enum { N_LOOPS = 3 };

static struct settings settings;
static char folder[] = "/tmp/listen_unit.XXXXXX";

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder); /* empty: every test left it so */
}

static int init(void **state)
{
    (void)state;
    return settings_init(&settings);
}

static int release(void **state)
{
    (void)state;
    settings_free(&settings);
    return 0;
}

static void listen_to(const char *address)
{
    assert_int_equal(settings_set(&settings, SETTING_OPTION, "listen", address, NULL), 0);
}

/* An address of a Unix socket in the folder of the tests; ret + 5 is its path. */
static const char *unix_address(const char *name)
{
    static char text[100];
    snprintf(text, sizeof text, "unix:%s/%s", folder, name);
    return text;
}

static struct listeners open_all(void)
{
    struct listeners listeners;
    struct error why = {""};
    if (listeners_open(&settings, N_LOOPS, &listeners, &why) < 0)
        fail_msg("%s", why.text);
    return listeners;
}

static void refuse(int code, const char *words)
{
    struct listeners listeners;
    struct error why = {""};
    assert_int_equal(listeners_open(&settings, N_LOOPS, &listeners, &why), code);
    if (!strstr(why.text, words))
        fail_msg("\"%s\" does not say \"%s\"", why.text, words);
}

static int port_of(int fd)
{
    struct sockaddr_in in = {0};
    socklen_t size = sizeof in;
    assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &size), 0);
    return ntohs(in.sin_port);
}

static bool flag(int fd, int option)
{
    int value = 0;
    socklen_t size = sizeof value;
    assert_int_equal(getsockopt(fd, SOL_SOCKET, option, &value, &size), 0);
    return value;
}

static void listen_opens_a_socket_of_one_free_port_for_each_loop(void **state)
{
    (void)state;
    listen_to("127.0.0.1:0");
    struct listeners listeners = open_all();
    assert_int_equal(listeners.n, 1);
    int port = port_of(listeners.items[0].fds[0]);
    char name[32];
    snprintf(name, sizeof name, "127.0.0.1:%d", port);
    assert_string_equal(listeners.items[0].name, name);
    assert_true(port > 0);
    for (unsigned i = 0; i < N_LOOPS; i++) {
        int fd = listeners.items[0].fds[i];
        assert_int_equal(port_of(fd), port);
        assert_true(flag(fd, SO_ACCEPTCONN) && flag(fd, SO_REUSEADDR) && flag(fd, SO_REUSEPORT));
        assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
        assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
        for (unsigned j = 0; j < i; j++)
            assert_int_not_equal(fd, listeners.items[0].fds[j]);
    }
    listeners_close(&listeners);
    assert_int_equal(listeners.n, 0);
}

static void listen_only_to(const char *address)
{
    settings_free(&settings);
    assert_int_equal(settings_init(&settings), 0);
    listen_to(address);
}

static void listen_refuses_a_port_that_another_has_until_it_is_free(void **state)
{
    (void)state;
    listen_to("127.0.0.1:0");
    struct listeners first = open_all();
    char address[LISTEN_NAME_SIZE], any[LISTEN_NAME_SIZE];
    snprintf(address, sizeof address, "%s", first.items[0].name);
    snprintf(any, sizeof any, "0.0.0.0%s", strchr(address, ':'));
    listen_only_to(any);
    settings.allow_anonymous = true;
    refuse(-EADDRINUSE, any);
    listen_only_to(address);
    refuse(-EADDRINUSE, address);
    listeners_close(&first);
    struct listeners again = open_all();
    listeners_close(&again);
}

static void listen_opens_several_addresses_or_none(void **state)
{
    (void)state;
    listen_to("127.0.0.1:0");
    listen_to("127.0.0.1:0");
    struct listeners listeners = open_all();
    assert_int_equal(listeners.n, 2);
    listeners_close(&listeners);
    int before = dup(0);
    close(before);
    listen_to("192.0.2.1:0"); /* other machines reach it */
    refuse(-EACCES, "allow_anonymous = yes");
    int after = dup(0);
    close(after);
    assert_int_equal(after, before); /* nothing was left open */
}

static void listen_serves_other_machines_only_when_that_is_allowed(void **state)
{
    (void)state;
    struct error why = {""};
    listen_to("0.0.0.0:0");
    assert_int_equal(listeners_check(&settings, &why), -EACCES);
    assert_non_null(strstr(why.text, "0.0.0.0:0"));
    refuse(-EACCES, "0.0.0.0:0");
    settings.allow_anonymous = true;
    assert_int_equal(listeners_check(&settings, &why), 0);
    struct listeners listeners = open_all();
    listeners_close(&listeners);
}

static bool answers(const char *path)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    memcpy(un.sun_path, path, strlen(path));
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    bool yes = connect(fd, (struct sockaddr *)&un, sizeof un) == 0;
    close(fd);
    return yes;
}

static void leave_dead_socket(const char *path)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    memcpy(un.sun_path, path, strlen(path));
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&un, sizeof un), 0);
    close(fd);
}

static void listen_makes_a_unix_socket_and_removes_it(void **state)
{
    (void)state;
    const char *path = unix_address("a") + 5;
    listen_to(unix_address("a"));
    struct listeners listeners = open_all();
    assert_true(answers(path));
    refuse(-EADDRINUSE, "somebody listens there");
    assert_true(answers(path));
    listeners_unlink(&listeners);
    assert_int_equal(access(path, F_OK), -1);
    listeners_close(&listeners);
}

static void listen_replaces_a_unix_socket_that_nobody_answers_on(void **state)
{
    (void)state;
    const char *path = unix_address("b") + 5;
    leave_dead_socket(path);
    listen_to(unix_address("b"));
    struct listeners listeners = open_all();
    assert_true(answers(path));
    listeners_close(&listeners);
}

static int make_file(const char *path)
{
    return mknod(path, S_IFREG | 0600, 0);
}

static int make_link(const char *path)
{
    return symlink("nothing", path);
}

static int make_directory(const char *path)
{
    return mkdir(path, 0700);
}

static int make_pipe(const char *path)
{
    return mkfifo(path, 0600);
}

static void listen_leaves_whatever_is_no_socket_alone(void **state)
{
    (void)state;
    static const struct {
        int (*make)(const char *path);
        const char *words;
    } kinds[] = {
        {make_file, "it is a regular file"},
        {make_link, "it is a symbolic link"},
        {make_directory, "it is a folder"},
        {make_pipe, "it is a pipe"},
    };
    const char *path = unix_address("c") + 5;
    listen_to(unix_address("c"));
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        struct stat before, after;
        assert_int_equal(kinds[i].make(path), 0);
        assert_int_equal(lstat(path, &before), 0);
        refuse(-EADDRINUSE, kinds[i].words);
        refuse(-EADDRINUSE, path);
        assert_int_equal(lstat(path, &after), 0);
        assert_int_equal(before.st_ino, after.st_ino);
        assert_int_equal(remove(path), 0);
    }
}

static void listen_leaves_a_file_that_took_the_place_of_its_socket(void **state)
{
    (void)state;
    const char *path = unix_address("d") + 5;
    listen_to(unix_address("d"));
    struct listeners first = open_all();
    assert_int_equal(unlink(path), 0);
    struct listeners second = open_all();
    listeners_close(&first);
    assert_true(answers(path));
    listeners_close(&second);
    assert_int_equal(access(path, F_OK), -1);
}

static void listen_says_which_folder_of_a_unix_socket_is_not_there(void **state)
{
    (void)state;
    listen_to(unix_address("none/socket"));
    refuse(-ENOENT, "none/socket: its folder: No such file");
}

/* Two processes that open the same address at the same moment, as often as PAIRS. */
enum { PAIRS = 200 };

/* Child: wait for the start, open, tell how that went, keep it until the end. */
static void race(int start_fd, int result_fd, int end_fd)
{
    char byte;
    struct listeners listeners;
    if (read(start_fd, &byte, 1) != 0)
        _exit(1);
    int r = listeners_open(&settings, 1, &listeners, NULL);
    if (write(result_fd, &r, sizeof r) != sizeof r || read(end_fd, &byte, 1) != 0)
        _exit(1);
    if (r == 0)
        listeners_close(&listeners);
    _exit(0);
}

/* How many of the two can listen; the other finds the address taken. */
static unsigned count_winners(void)
{
    int start[2], result[2], end[2], r = 0;
    assert_int_equal(pipe(start) | pipe(result) | pipe(end), 0);
    for (unsigned i = 0; i < 2; i++) {
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
            close(start[1]);
            close(end[1]);
            race(start[0], result[1], end[0]);
        }
    }
    close(start[0]);
    close(end[0]);
    close(start[1]); /* now */
    unsigned n_winners = 0;
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(read(result[0], &r, sizeof r), sizeof r);
        assert_true(r == 0 || r == -EADDRINUSE);
        n_winners += r == 0;
    }
    close(end[1]);
    close(result[0]);
    close(result[1]);
    for (unsigned i = 0; i < 2; i++) {
        int status;
        assert_true(wait(&status) > 0);
        assert_int_equal(status, 0);
    }
    return n_winners;
}

static void listen_gives_a_port_to_one_of_two_that_ask_at_the_same_moment(void **state)
{
    (void)state;
    listen_to("127.0.0.1:0");
    struct listeners listeners = open_all();
    char address[LISTEN_NAME_SIZE];
    snprintf(address, sizeof address, "%s", listeners.items[0].name);
    listeners_close(&listeners);
    listen_only_to(address);
    for (unsigned i = 0; i < PAIRS; i++)
        assert_int_equal(count_winners(), 1);
}

static void listen_gives_a_dead_socket_to_one_of_two_that_find_it(void **state)
{
    (void)state;
    const char *path = unix_address("e") + 5;
    listen_to(unix_address("e"));
    for (unsigned i = 0; i < PAIRS; i++) {
        leave_dead_socket(path);
        assert_int_equal(count_winners(), 1);
        assert_int_equal(access(path, F_OK), -1);
    }
}

/* Descriptor 3 and those behind it, as a service manager passes them. */
static void pass(const char *count)
{
    char pid[16];
    snprintf(pid, sizeof pid, "%d", (int)getpid());
    setenv("LISTEN_PID", pid, 1);
    setenv("LISTEN_FDS", count, 1);
    setenv("LISTEN_FDNAMES", "a", 1);
}

static void pass_one(int fd)
{
    assert_int_equal(dup2(fd, PASSED_FIRST), PASSED_FIRST);
    if (fd != PASSED_FIRST)
        close(fd);
    pass("1");
}

static int bound_socket(int type, uint32_t host)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(host)};
    int fd = socket(AF_INET, type, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&in, sizeof in), 0);
    return fd;
}

static void listen_takes_a_passed_socket_for_all_loops(void **state)
{
    (void)state;
    int fd = bound_socket(SOCK_STREAM, INADDR_LOOPBACK);
    assert_int_equal(listen(fd, 1), 0);
    int port = port_of(fd);
    pass_one(fd);
    struct listeners listeners = open_all();
    assert_null(getenv("LISTEN_PID"));
    assert_null(getenv("LISTEN_FDS"));
    assert_null(getenv("LISTEN_FDNAMES"));
    assert_int_equal(listeners.n, 1);
    for (unsigned i = 0; i < N_LOOPS; i++) {
        assert_int_equal(port_of(listeners.items[0].fds[i]), port);
        assert_true(fcntl(listeners.items[0].fds[i], F_GETFD) & FD_CLOEXEC);
        assert_true(fcntl(listeners.items[0].fds[i], F_GETFL) & O_NONBLOCK);
    }
    assert_non_null(strstr(listeners.items[0].name, "descriptor 3"));
    listeners_close(&listeners);
}

static void listen_asks_of_a_passed_socket_what_it_asks_of_its_own(void **state)
{
    (void)state;
    int fd = bound_socket(SOCK_STREAM, INADDR_ANY);
    assert_int_equal(listen(fd, 1), 0);
    pass_one(fd);
    refuse(-EACCES, "descriptor 3");
}

static void listen_refuses_passed_descriptors_that_are_no_listening_sockets(void **state)
{
    (void)state;
    int ends[2];
    pass_one(bound_socket(SOCK_STREAM, INADDR_LOOPBACK));
    refuse(-EINVAL, "descriptor 3, which LISTEN_FDS passes: a socket that does not listen");
    pass_one(bound_socket(SOCK_DGRAM, INADDR_LOOPBACK));
    refuse(-EINVAL, "descriptor 3, which LISTEN_FDS passes: a datagram socket");
    pass_one(socket(AF_UNIX, SOCK_SEQPACKET, 0));
    refuse(-EINVAL, "a sequenced-packet socket");
    assert_int_equal(pipe(ends), 0);
    pass_one(ends[0]);
    refuse(-ENOTSOCK, "descriptor 3, which LISTEN_FDS passes: it is no socket");
    if (ends[1] != PASSED_FIRST)
        close(ends[1]);
    close(PASSED_FIRST);
    pass("1");
    refuse(-EBADF, "descriptor 3, which LISTEN_FDS passes: Bad file descriptor");
}

static void listen_refuses_all_where_one_of_two_passed_is_not_there(void **state)
{
    (void)state;
    int fd = bound_socket(SOCK_STREAM, INADDR_LOOPBACK);
    assert_int_equal(listen(fd, 1), 0);
    pass_one(fd);
    close(PASSED_FIRST + 1);
    pass("2");
    refuse(-EBADF, "descriptor 4");
}

static void listen_refuses_a_count_that_is_none(void **state)
{
    (void)state;
    const char *const counts[] = {"many", "-1", "", "1x", "17", "99999999999999999999"};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        pass(counts[i]);
        refuse(-EINVAL, "is not a number from 0 to 16");
        assert_null(getenv("LISTEN_FDS"));
    }
}

static void listen_opens_its_own_where_others_or_none_are_meant(void **state)
{
    (void)state;
    listen_to("127.0.0.1:0");
    pass("1");
    setenv("LISTEN_PID", "1", 1);
    struct listeners listeners = open_all();
    assert_null(strstr(listeners.items[0].name, "descriptor"));
    assert_null(getenv("LISTEN_FDS"));
    listeners_close(&listeners);
    pass("0");
    listeners = open_all();
    assert_null(strstr(listeners.items[0].name, "descriptor"));
    listeners_close(&listeners);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, init, release)
    const struct CMUnitTest tests[] = {
        TEST(listen_opens_a_socket_of_one_free_port_for_each_loop),
        TEST(listen_refuses_a_port_that_another_has_until_it_is_free),
        TEST(listen_opens_several_addresses_or_none),
        TEST(listen_serves_other_machines_only_when_that_is_allowed),
        TEST(listen_makes_a_unix_socket_and_removes_it),
        TEST(listen_replaces_a_unix_socket_that_nobody_answers_on),
        TEST(listen_leaves_whatever_is_no_socket_alone),
        TEST(listen_leaves_a_file_that_took_the_place_of_its_socket),
        TEST(listen_says_which_folder_of_a_unix_socket_is_not_there),
        TEST(listen_gives_a_port_to_one_of_two_that_ask_at_the_same_moment),
        TEST(listen_gives_a_dead_socket_to_one_of_two_that_find_it),
        TEST(listen_takes_a_passed_socket_for_all_loops),
        TEST(listen_asks_of_a_passed_socket_what_it_asks_of_its_own),
        TEST(listen_refuses_passed_descriptors_that_are_no_listening_sockets),
        TEST(listen_refuses_all_where_one_of_two_passed_is_not_there),
        TEST(listen_refuses_a_count_that_is_none),
        TEST(listen_opens_its_own_where_others_or_none_are_meant),
    };
    return cmocka_run_group_tests_name("listen", tests, make_folder, remove_folder);
}
