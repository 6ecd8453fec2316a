/* SPDX-License-Identifier: Apache-2.0
 * Tests of server/address: the forms of an address, and who reaches it. */
#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include <cmocka.h>

#include "server/address.h"

static void address_reads_and_prints_each_form(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int family;
    } forms[] = {
        {"127.0.0.1:8642", AF_INET}, {"0.0.0.0:0", AF_INET},         {"1.2.3.4:65535", AF_INET},
        {"[::1]:1", AF_INET6},       {"[2001:db8::1]:80", AF_INET6}, {"unix:/run/a b:c", AF_UNIX},
        {"unix:relative", AF_UNIX},
    };
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        struct address address;
        char text[ADDRESS_TEXT_SIZE];
        assert_int_equal(address_check(forms[i].text, NULL), 0);
        assert_int_equal(address_parse(forms[i].text, &address, NULL), 0);
        assert_int_equal(address.storage.ss_family, forms[i].family);
        address_print(&address, text, sizeof text);
        assert_string_equal(text, forms[i].text);
    }
}

static void address_finds_a_host_by_its_name(void **state)
{
    (void)state;
    struct address address;
    assert_int_equal(address_parse("localhost:8642", &address, NULL), 0);
    assert_true(address_is_local(&address));
}

static void refuse(const char *text, const char *words)
{
    struct error why = {""};
    struct address address;
    assert_int_equal(address_check(text, &why), -EINVAL);
    if (!strstr(why.text, words))
        fail_msg("\"%s\" does not say \"%s\"", why.text, words);
    assert_int_equal(address_parse(text, &address, NULL), -EINVAL);
}

static void address_refuses_ports_that_are_none(void **state)
{
    (void)state;
    const char *const texts[] = {"a:65536", "a:99999", "a:4294967296", "a:18446744073709551617",
                                 "a:-1",    "a:",      "a:http",       "a:8642 ",
                                 "a: 1",    "[::1]:x", "a:0x10"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        refuse(texts[i], "is not a number from 0 to 65535");
}

static void address_refuses_what_has_no_host_or_no_port(void **state)
{
    (void)state;
    const char *const texts[] = {"", "8642", ":8642", "host", ":"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        refuse(texts[i], "is neither ADDR:PORT nor unix:PATH");
    refuse("[]:1", "the host has 0 bytes");
    char lengthy[300];
    memset(lengthy, 'a', sizeof lengthy);
    memcpy(lengthy + 200, ":1", 3);
    refuse(lengthy, "the host has 200 bytes");
}

static void address_refuses_colons_outside_brackets(void **state)
{
    (void)state;
    const char *const texts[] = {"::1:8642", "::1", "[::1", "[::1]", "2001:db8::1:80"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        refuse(texts[i], "stands in brackets");
}

static void address_refuses_paths_that_do_not_fit(void **state)
{
    (void)state;
    enum { MOST = sizeof((struct sockaddr_un *)0)->sun_path - 1 };
    char text[5 + MOST + 2] = "unix:";
    memset(text + 5, 'a', MOST);
    struct address address;
    assert_int_equal(address_parse(text, &address, NULL), 0);
    assert_int_equal(strlen(address_unix_path(&address)), MOST);
    text[5 + MOST] = 'a';
    refuse(text, "bytes, not 1 to");
    refuse("unix:", "the path has 0 bytes");
}

static void address_refuses_a_host_that_nobody_knows(void **state)
{
    (void)state;
    struct address address;
    struct error why = {""};
    assert_int_equal(address_check("no.such.host.invalid:1", NULL), 0);
    assert_int_equal(address_parse("no.such.host.invalid:1", &address, &why), -EINVAL);
    assert_non_null(strstr(why.text, "no.such.host.invalid:1"));
}

static void address_tells_who_reaches_it(void **state)
{
    (void)state;
    const char *const local[] = {"127.0.0.1:1", "127.255.0.9:1", "[::1]:1", "[::ffff:127.0.0.1]:1",
                                 "unix:/run/a"};
    const char *const others[] = {"0.0.0.0:1", "128.0.0.1:1",         "10.0.0.1:1",
                                  "[::]:1",    "[::ffff:10.0.0.1]:1", "[fe80::1]:1"};
    struct address address;
    for (size_t i = 0; i < sizeof local / sizeof *local; i++) {
        assert_int_equal(address_parse(local[i], &address, NULL), 0);
        assert_true(address_is_local(&address));
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        assert_int_equal(address_parse(others[i], &address, NULL), 0);
        assert_false(address_is_local(&address));
    }
    address = (struct address){.storage.ss_family = AF_APPLETALK};
    assert_false(address_is_local(&address));
}

static void address_has_a_path_only_where_it_is_of_a_unix_socket(void **state)
{
    (void)state;
    struct address address;
    assert_int_equal(address_parse("unix:/run/a", &address, NULL), 0);
    assert_string_equal(address_unix_path(&address), "/run/a");
    assert_int_equal(address_parse("127.0.0.1:1", &address, NULL), 0);
    assert_null(address_unix_path(&address));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(address_reads_and_prints_each_form),
        cmocka_unit_test(address_finds_a_host_by_its_name),
        cmocka_unit_test(address_refuses_ports_that_are_none),
        cmocka_unit_test(address_refuses_what_has_no_host_or_no_port),
        cmocka_unit_test(address_refuses_colons_outside_brackets),
        cmocka_unit_test(address_refuses_paths_that_do_not_fit),
        cmocka_unit_test(address_refuses_a_host_that_nobody_knows),
        cmocka_unit_test(address_tells_who_reaches_it),
        cmocka_unit_test(address_has_a_path_only_where_it_is_of_a_unix_socket),
    };
    return cmocka_run_group_tests_name("address", tests, NULL, NULL);
}
