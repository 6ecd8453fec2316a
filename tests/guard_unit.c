/* SPDX-License-Identifier: Apache-2.0
 * Tests of server/samples/guard: maps of files that are cut short. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/samples/guard.h"

enum { PAGES = 64 };

static size_t page;

struct map {
    int fd;
    size_t size;
    volatile uint8_t *bytes;
    atomic_bool damaged;
};

/* A map whose last page is not a whole one. */
static void map_open(struct map *map)
{
    map->size = PAGES * page - 100;
    map->fd = memfd_create("guard", MFD_CLOEXEC);
    assert_int_equal(ftruncate(map->fd, (off_t)map->size), 0);
    assert_int_equal(pwrite(map->fd, "a", 1, 0), 1);
    map->bytes = mmap(NULL, map->size, PROT_READ, MAP_SHARED, map->fd, 0);
    assert_true(map->bytes != MAP_FAILED);
    atomic_init(&map->damaged, false);
    assert_int_equal(guard_watch((const void *)map->bytes, map->size, &map->damaged), 0);
}

static void map_close(struct map *map)
{
    guard_forget((const void *)map->bytes);
    munmap((void *)map->bytes, map->size);
    close(map->fd);
}

static void map_cut(struct map *map, size_t n_pages)
{
    assert_int_equal(ftruncate(map->fd, (off_t)(n_pages * page)), 0);
}

static unsigned count_maps(void)
{
    FILE *file = fopen("/proc/self/maps", "r");
    assert_non_null(file);
    unsigned n = 0;
    for (int c = getc(file); c != EOF; c = getc(file))
        n += c == '\n';
    fclose(file);
    return n;
}

/* In each test: cmocka has its own handler around them. */
static void install(void)
{
    page = (size_t)sysconf(_SC_PAGESIZE);
    assert_int_equal(guard_install(), 0);
}

static void guard_puts_zeros_where_the_file_was_and_marks_the_map(void **state)
{
    (void)state;
    install();
    struct map map, other;
    map_open(&map);
    map_open(&other);
    map_cut(&map, 1);
    assert_int_equal(map.bytes[0], 'a');
    assert_false(map.damaged);
    assert_int_equal(map.bytes[map.size - 1], 0);
    assert_true(map.damaged);
    assert_int_equal(map.bytes[page], 0);
    assert_int_equal(map.bytes[0], 'a');
    assert_false(other.damaged);
    map_close(&map);
    map_close(&other);
}

static void guard_needs_one_mapping_for_all_that_is_lost(void **state)
{
    (void)state;
    install();
    struct map map;
    map_open(&map);
    map_cut(&map, 1);
    unsigned before = count_maps();
    for (size_t i = 1; i < PAGES; i++)
        assert_int_equal(map.bytes[i * page], 0);
    assert_in_range(count_maps(), before, before + 2);
    map_close(&map);
}

static void guard_takes_no_notice_of_a_signal_that_somebody_sent(void **state)
{
    (void)state;
    install();
    struct map map;
    map_open(&map);
    assert_int_equal(raise(SIGBUS), 0);
    assert_int_equal(kill(getpid(), SIGBUS), 0);
    assert_false(map.damaged);
    map_cut(&map, 0);
    assert_int_equal(map.bytes[0], 0);
    assert_true(map.damaged);
    map_close(&map);
}

static void guard_watches_over_as_many_maps_as_there_are(void **state)
{
    (void)state;
    install();
    enum { MAPS = 700 };
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur < MAPS + 50)
        skip();
    static struct map maps[MAPS];
    for (int i = 0; i < MAPS; i++)
        map_open(&maps[i]);
    for (int i = 0; i < MAPS; i++) {
        map_cut(&maps[i], 1);
        assert_int_equal(maps[i].bytes[page], 0);
        assert_true(maps[i].damaged);
    }
    for (int i = 0; i < MAPS; i++)
        map_close(&maps[i]);
}

static int end_of(void (*run)(void))
{
    pid_t child = fork();
    if (child == 0) {
        setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
        alarm(60);
        run();
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) ? WTERMSIG(status) : -WEXITSTATUS(status);
}

static void read_a_forgotten_map(void)
{
    struct map map;
    map_open(&map);
    map_cut(&map, 0);
    guard_forget((const void *)map.bytes);
    (void)map.bytes[0];
}

static void read_a_watched_map(void)
{
    struct map map;
    map_open(&map);
    map_cut(&map, 0);
    (void)map.bytes[0];
}

static void guard_leaves_all_other_faults_what_they_are(void **state)
{
    (void)state;
    install();
    assert_int_equal(end_of(read_a_watched_map), 0);
    assert_int_equal(end_of(read_a_forgotten_map), SIGBUS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(guard_puts_zeros_where_the_file_was_and_marks_the_map),
        cmocka_unit_test(guard_needs_one_mapping_for_all_that_is_lost),
        cmocka_unit_test(guard_takes_no_notice_of_a_signal_that_somebody_sent),
        cmocka_unit_test(guard_watches_over_as_many_maps_as_there_are),
        cmocka_unit_test(guard_leaves_all_other_faults_what_they_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
