/* SPDX-License-Identifier: Apache-2.0
 * Tests of client/srv: what answers of name servers become. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "client/srv.h"

enum { SRV = 33, A = 1, CNAME = 5, POINTER = 0xC0, QUESTION_AT = 12 };

/* ---- An answer, as a name server makes it ---- */

struct message {
    size_t n;
    uint8_t bytes[65535];
};

static void put16(struct message *message, unsigned value)
{
    message->bytes[message->n++] = (uint8_t)(value >> 8);
    message->bytes[message->n++] = (uint8_t)value;
}

/* "one.example", of labels with their lengths. */
static void put_name(struct message *message, const char *name)
{
    for (size_t n; *name; name += n + (name[n] == '.')) {
        n = strcspn(name, ".");
        message->bytes[message->n++] = (uint8_t)n;
        memcpy(message->bytes + message->n, name, n);
        message->n += n;
    }
    message->bytes[message->n++] = 0;
}

static void begin(struct message *message, unsigned n_answers)
{
    memset(message, 0, sizeof *message);
    put16(message, 7);      /* id */
    put16(message, 0x8180); /* an answer */
    put16(message, 1);
    put16(message, n_answers);
    put16(message, 0);
    put16(message, 0);
    put_name(message, "_http._tcp.example");
    put16(message, SRV);
    put16(message, 1);
}

/* Of the name that was asked for; *ret is where its length stands. */
static size_t begin_record(struct message *message, unsigned type)
{
    put16(message, POINTER << 8 | QUESTION_AT);
    put16(message, type);
    put16(message, 1);
    put16(message, 0);
    put16(message, 30);
    put16(message, 0);
    return message->n - 2;
}

static void end_record(struct message *message, size_t length_at)
{
    size_t length = message->n - length_at - 2;
    message->bytes[length_at] = (uint8_t)(length >> 8);
    message->bytes[length_at + 1] = (uint8_t)length;
}

static void put_srv(struct message *message, unsigned priority, unsigned port, const char *target)
{
    size_t length_at = begin_record(message, SRV);
    put16(message, priority);
    put16(message, 1);
    put16(message, port);
    put_name(message, target);
    end_record(message, length_at);
}

static struct message message;
static struct srv_records found;
static struct error why;

/* In memory of just its size. */
static int read_it(size_t size)
{
    uint8_t *bytes = malloc(size ? size : 1);
    assert_non_null(bytes);
    memcpy(bytes, message.bytes, size);
    why.text[0] = '\0';
    int r = srv_read(bytes, size, &found, &why);
    free(bytes);
    return r;
}

static void is_record(size_t i, unsigned priority, unsigned port, const char *target)
{
    assert_true(i < found.n);
    assert_int_equal(found.list[i].priority, priority);
    assert_int_equal(found.list[i].port, port);
    assert_string_equal(found.list[i].target, target);
}

/* ---- Tests ---- */

static void records_come_in_the_order_of_their_priorities(void **state)
{
    (void)state;
    begin(&message, 4);
    put_srv(&message, 10, 8643, "two.example");
    put_srv(&message, 0, 65535, "One.EXAMPLE");
    put_srv(&message, 65535, 1, "last");
    put_srv(&message, 10, 8642, "two.example");
    assert_int_equal(read_it(message.n), 0);
    assert_int_equal(found.n, 4);
    is_record(0, 0, 65535, "one.example");
    is_record(1, 10, 8643, "two.example");
    is_record(2, 10, 8642, "two.example");
    is_record(3, 65535, 1, "last");
}

static void what_is_there_twice_counts_once(void **state)
{
    (void)state;
    begin(&message, 2);
    put_srv(&message, 1, 80, "one.example");
    put_srv(&message, 2, 80, "ONE.example");
    assert_int_equal(read_it(message.n), 0);
    assert_int_equal(found.n, 1);
    begin(&message, 4); /* by the priority that is lower, whichever comes first */
    put_srv(&message, 2, 80, "one.example");
    put_srv(&message, 1, 80, "two.example");
    put_srv(&message, 3, 80, "three.example");
    put_srv(&message, 0, 80, "one.example");
    assert_int_equal(read_it(message.n), 0);
    assert_int_equal(found.n, 3);
    is_record(0, 0, 80, "one.example");
    is_record(1, 1, 80, "two.example");
    is_record(2, 3, 80, "three.example");
}

static void records_of_other_types_are_passed_over(void **state)
{
    (void)state;
    begin(&message, 2);
    size_t length_at = begin_record(&message, CNAME);
    put_name(&message, "elsewhere.example");
    end_record(&message, length_at);
    put_srv(&message, 0, 80, "one.example");
    assert_int_equal(read_it(message.n), 0);
    assert_int_equal(found.n, 1);
    is_record(0, 0, 80, "one.example");
}

static void no_records_are_an_error(void **state)
{
    (void)state;
    begin(&message, 0);
    assert_int_equal(read_it(message.n), -ENOENT);
    assert_string_equal(why.text, "there is no such SRV record");
    begin(&message, 1);
    size_t length_at = begin_record(&message, A);
    put16(&message, 0x7f00);
    put16(&message, 1);
    end_record(&message, length_at);
    assert_int_equal(read_it(message.n), -ENOENT);
}

static void what_can_be_no_server_is_none(void **state)
{
    (void)state;
    static const struct {
        unsigned port;
        const char *target;
    } cases[] = {{80, ""},          {0, "one.example"}, {80, "one/example"}, {80, "one@example"},
                 {80, "one\nmore"}, {80, "one:80"},     {80, "\xff\x01"},    {80, "one\\two"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        begin(&message, 1);
        put_srv(&message, 0, cases[i].port, cases[i].target);
        assert_int_equal(read_it(message.n), -ENOENT);
        assert_string_equal(why.text, "its SRV records say that there is no such service");
    }
}

static void so_many_are_kept(void **state)
{
    (void)state;
    begin(&message, SRV_MAX + 9);
    for (unsigned i = 0; i < SRV_MAX + 9; i++)
        put_srv(&message, 0, i + 1, "one.example");
    assert_int_equal(read_it(message.n), 0);
    assert_int_equal(found.n, SRV_MAX);
    is_record(SRV_MAX - 1, 0, SRV_MAX, "one.example");
    begin(&message, SRV_MAX + 9); /* those of the lowest priorities */
    for (unsigned i = 0; i < SRV_MAX + 9; i++)
        put_srv(&message, 1000 - i, i + 1, "one.example");
    assert_int_equal(read_it(message.n), 0);
    assert_int_equal(found.n, SRV_MAX);
    is_record(0, 1000 - (SRV_MAX + 8), SRV_MAX + 9, "one.example");
}

static void names_that_are_too_long_are_none(void **state)
{
    (void)state;
    char name[4 * 64];
    memset(name, 'a', sizeof name);
    for (size_t i = 63; i < sizeof name; i += 64)
        name[i] = '.';
    name[253] = '\0'; /* as much as a name can have */
    begin(&message, 1);
    put_srv(&message, 0, 80, name);
    assert_int_equal(read_it(message.n), 0);
    is_record(0, 0, 80, name);
    name[253] = 'a';
    name[255] = '\0';
    begin(&message, 1);
    put_srv(&message, 0, 80, name);
    assert_int_equal(read_it(message.n), -EBADMSG);
}

static void an_answer_that_ends_early_is_damaged(void **state)
{
    (void)state;
    begin(&message, 2);
    put_srv(&message, 0, 80, "one.example");
    put_srv(&message, 0, 80, "two.example");
    for (size_t size = 0; size < message.n; size++)
        if (read_it(size) != -EBADMSG)
            fail_msg("%zu bytes of %zu are taken", size, message.n);
    assert_int_equal(read_it(message.n), 0);
}

/* A record of the target that these bytes are. */
static int read_target(const void *bytes, size_t n)
{
    begin(&message, 1);
    size_t length_at = begin_record(&message, SRV);
    put16(&message, 0);
    put16(&message, 0);
    put16(&message, 80);
    memcpy(message.bytes + message.n, bytes, n);
    message.n += n;
    end_record(&message, length_at);
    return read_it(message.n);
}

static void hostile_targets_are_damage(void **state)
{
    (void)state;
    begin(&message, 1);
    size_t at = begin_record(&message, SRV) + 2 + 6;
    const uint8_t to_itself[] = {POINTER, (uint8_t)at};
    const uint8_t around[] = {1, 'a', POINTER, (uint8_t)at};
    const uint8_t beyond[] = {POINTER | 0x3f, 0xff};
    const uint8_t open[] = {60, 'a'};
    const uint8_t strange[] = {0x80, 'a', 0};
    const uint8_t more[] = {1, 'a', 0, 'b'};
    assert_int_equal(read_target(to_itself, sizeof to_itself), -EBADMSG);
    assert_int_equal(read_target(around, sizeof around), -EBADMSG);
    assert_int_equal(read_target(beyond, sizeof beyond), -EBADMSG);
    assert_int_equal(read_target(open, sizeof open), -EBADMSG);
    assert_int_equal(read_target(strange, sizeof strange), -EBADMSG);
    assert_int_equal(read_target(more, sizeof more), -EBADMSG);
    assert_int_equal(read_target("", 0), -EBADMSG);
    const uint8_t good[] = {1, 'a', POINTER, QUESTION_AT};
    assert_int_equal(read_target(good, sizeof good), 0);
    is_record(0, 0, 80, "a._http._tcp.example");
}

static void a_count_that_is_too_high_is_damage(void **state)
{
    (void)state;
    begin(&message, 65535);
    put_srv(&message, 0, 80, "one.example");
    assert_int_equal(read_it(message.n), -EBADMSG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_come_in_the_order_of_their_priorities),
        cmocka_unit_test(what_is_there_twice_counts_once),
        cmocka_unit_test(records_of_other_types_are_passed_over),
        cmocka_unit_test(no_records_are_an_error),
        cmocka_unit_test(what_can_be_no_server_is_none),
        cmocka_unit_test(so_many_are_kept),
        cmocka_unit_test(names_that_are_too_long_are_none),
        cmocka_unit_test(an_answer_that_ends_early_is_damaged),
        cmocka_unit_test(hostile_targets_are_damage),
        cmocka_unit_test(a_count_that_is_too_high_is_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
