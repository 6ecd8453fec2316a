/* SPDX-License-Identifier: Apache-2.0
 * Tests of server/notify: what a service manager hears, and what it is asked. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/notify.h"

static char path[64];

static int open_manager(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(path, sizeof path, "notify_unit.%d", (int)getpid());
    unlink(path);
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    memcpy(address.sun_path, path, strlen(path));
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    /* notify() takes absolute paths alone, as sd_notify() does */
    char *folder = get_current_dir_name(), *absolute;
    assert_true(asprintf(&absolute, "%s/%s", folder, path) > 0);
    setenv("NOTIFY_SOCKET", absolute, 1);
    free(folder);
    free(absolute);
    return fd;
}

static void close_manager(int fd)
{
    notify_close();
    close(fd);
    unlink(path);
    unsetenv("NOTIFY_SOCKET");
}

static const char *hear(int fd)
{
    static char text[2048];
    ssize_t n = recv(fd, text, sizeof text - 1, MSG_DONTWAIT);
    text[n > 0 ? n : 0] = '\0';
    return text;
}

static void notify_is_heard_at_a_path(void **state)
{
    (void)state;
    int fd = open_manager();
    notify_open();
    notify("READY=1");
    assert_string_equal(hear(fd), "READY=1");
    close_manager(fd);
}

static void notify_is_heard_at_an_abstract_name(void **state)
{
    (void)state;
    char name[32];
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int n = snprintf(name, sizeof name, "@notify_unit.%d", (int)getpid());
    memcpy(address.sun_path + 1, name + 1, (size_t)n - 1);
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)n);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
    setenv("NOTIFY_SOCKET", name, 1);
    notify_open();
    notify("STOPPING=1");
    assert_string_equal(hear(fd), "STOPPING=1");
    notify_close();
    close(fd);
    unsetenv("NOTIFY_SOCKET");
}

static void notify_needs_no_descriptor_once_it_is_open(void **state)
{
    (void)state;
    int fd = open_manager();
    notify_open();
    struct rlimit before, none;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    none = before;
    none.rlim_cur = 0;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    notify("WATCHDOG=1");
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_string_equal(hear(fd), "WATCHDOG=1");
    close_manager(fd);
}

static void notify_finds_a_manager_that_opened_its_socket_anew(void **state)
{
    (void)state;
    int fd = open_manager();
    notify_open();
    close(fd);
    notify("lost");
    fd = open_manager();
    notify("READY=1");
    assert_string_equal(hear(fd), "READY=1");
    close_manager(fd);
}

static void notify_status_is_one_line_whatever_stands_in_it(void **state)
{
    (void)state;
    int fd = open_manager();
    notify_open();
    notify_status("READY=1", "%s", "a\nSTOPPING=1\x1b");
    assert_string_equal(hear(fd), "READY=1\nSTATUS=a\\x0aSTOPPING=1\\x1b");
    char lengthy[2000];
    memset(lengthy, 'a', sizeof lengthy - 1);
    lengthy[sizeof lengthy - 1] = '\0';
    notify_status("READY=1", "%s", lengthy);
    assert_in_range(strlen(hear(fd)), 500, 1024);
    close_manager(fd);
}

static void notify_alive_repeats_the_last_status_with_the_connections(void **state)
{
    (void)state;
    int fd = open_manager();
    notify_open();
    notify_status("READY=1", "serving %u splits", 4u);
    hear(fd);
    notify_alive(17);
    assert_string_equal(hear(fd), "WATCHDOG=1\nSTATUS=serving 4 splits; connections: 17");
    notify_status("READY=1", "serving %u splits", 5u);
    hear(fd);
    notify_alive(0);
    assert_string_equal(hear(fd), "WATCHDOG=1\nSTATUS=serving 5 splits; connections: 0");
    close_manager(fd);
}

static void notify_reloading_says_when(void **state)
{
    (void)state;
    int fd = open_manager();
    struct timespec before;
    clock_gettime(CLOCK_MONOTONIC, &before);
    notify_open();
    notify_reloading();
    uint64_t usec = 0;
    assert_int_equal(sscanf(hear(fd), "RELOADING=1\nMONOTONIC_USEC=%" SCNu64, &usec), 1);
    assert_true(usec >= (uint64_t)before.tv_sec * 1000000);
    close_manager(fd);
}

static void notify_is_silent_where_nobody_listens(void **state)
{
    (void)state;
    char lengthy[200] = "/";
    memset(lengthy + 1, 'a', sizeof lengthy - 2);
    const char *const places[] = {"", "relative", lengthy, "/nowhere/at/all"};
    int unused = dup(0);
    close(unused);
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        setenv("NOTIFY_SOCKET", places[i], 1);
        notify_open();
        notify("READY=1");
        notify_close();
    }
    unsetenv("NOTIFY_SOCKET");
    notify_open();
    notify("READY=1");
    int now = dup(0);
    assert_int_equal(now, unused); /* nothing was left open */
    close(now);
}

static void notify_watchdog_reads_the_environment_of_this_process_alone(void **state)
{
    (void)state;
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
    assert_int_equal(notify_watchdog_ms(), 0);
    setenv("WATCHDOG_USEC", "30000000", 1);
    assert_int_equal(notify_watchdog_ms(), 30000);
    setenv("WATCHDOG_PID", "1", 1);
    assert_int_equal(notify_watchdog_ms(), 0);
    char pid[16];
    snprintf(pid, sizeof pid, "%d", (int)getpid());
    setenv("WATCHDOG_PID", pid, 1);
    assert_int_equal(notify_watchdog_ms(), 30000);
    setenv("WATCHDOG_USEC", "nonsense", 1);
    assert_int_equal(notify_watchdog_ms(), 0);
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(notify_is_heard_at_a_path),
        cmocka_unit_test(notify_is_heard_at_an_abstract_name),
        cmocka_unit_test(notify_needs_no_descriptor_once_it_is_open),
        cmocka_unit_test(notify_finds_a_manager_that_opened_its_socket_anew),
        cmocka_unit_test(notify_status_is_one_line_whatever_stands_in_it),
        cmocka_unit_test(notify_alive_repeats_the_last_status_with_the_connections),
        cmocka_unit_test(notify_reloading_says_when),
        cmocka_unit_test(notify_is_silent_where_nobody_listens),
        cmocka_unit_test(notify_watchdog_reads_the_environment_of_this_process_alone),
    };
    return cmocka_run_group_tests_name("notify", tests, NULL, NULL);
}
