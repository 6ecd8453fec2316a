/* SPDX-License-Identifier: Apache-2.0
 * Tests of common/lines. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/lines.h"

struct taken {
    char text[256];
    unsigned n;
    unsigned refuse; /* this one, from 1 */
};

static int take(void *user, char *line, struct error *why)
{
    struct taken *taken = user;
    if (++taken->n == taken->refuse)
        return error_set(why, -ERANGE, "enough");
    strcat(strcat(taken->text, line), "|");
    return 0;
}

static int read_text(const char *bytes, size_t size, struct taken *taken, struct error *why)
{
    char folder[] = "/tmp/twonmnist-lines-XXXXXX", path[64];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/file", folder);
    FILE *file = fopen(path, "w");
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
    int r = lines_read(path, take, taken, why);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0);
    return r;
}

static void each_line_is_handed_over(void **state)
{
    (void)state;
    static const struct {
        const char *text, *want;
    } rows[] = {{"", ""}, {"a", "a|"}, {"a\n", "a\n|"}, {"a\n\nb c", "a\n|\n|b c|"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct taken taken = {.n = 0};
        struct error why;
        assert_int_equal(read_text(rows[i].text, strlen(rows[i].text), &taken, &why), 0);
        assert_string_equal(taken.text, rows[i].want);
    }
}

static void a_refused_line_is_the_last_and_is_told_by_its_number(void **state)
{
    (void)state;
    struct taken taken = {.refuse = 2};
    struct error why;
    assert_int_equal(read_text("a\nb\nc\n", 6, &taken, &why), -ERANGE);
    assert_string_equal(taken.text, "a\n|");
    assert_non_null(strstr(why.text, "/file: line 2: enough"));
}

static void a_nul_byte_is_refused(void **state)
{
    (void)state;
    struct taken taken = {.n = 0};
    struct error why;
    assert_int_equal(read_text("a\nb\0c\n", 6, &taken, &why), -EINVAL);
    assert_int_equal(taken.n, 1);
    assert_non_null(strstr(why.text, "/file: line 2: there is a NUL byte"));
}

static void a_file_that_cannot_be_read_is_told_by_its_name(void **state)
{
    (void)state;
    struct taken taken = {.n = 0};
    struct error why;
    assert_int_equal(lines_read("/nowhere/file", take, &taken, &why), -ENOENT);
    assert_non_null(strstr(why.text, "/nowhere/file: "));
    assert_int_equal(lines_read("/", take, &taken, &why), -EISDIR);
    assert_int_equal(taken.n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_line_is_handed_over),
        cmocka_unit_test(a_refused_line_is_the_last_and_is_told_by_its_number),
        cmocka_unit_test(a_nul_byte_is_refused),
        cmocka_unit_test(a_file_that_cannot_be_read_is_told_by_its_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
