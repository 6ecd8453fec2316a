/* SPDX-License-Identifier: Apache-2.0
 * Tests of server/about: what a batch says of the request that made it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "server/about.h"
#include "tests/asking.h"

static struct asked_service asked;

static int open_asked(void **state)
{
    (void)state;
    asked_service_init(&asked);
    asked_service_open(&asked);
    return 0;
}

static int close_asked(void **state)
{
    (void)state;
    asked_service_close(&asked);
    return 0;
}

/* All of it but the revision, as "key=value;...". */
static void text_of(const char *target, char *ret, size_t size)
{
    struct asking asking;
    struct about about;
    size_t used = 0;
    asking_begin(&asking, &asked, METHOD_GET, target);
    assert_int_equal(asking_check(&asking), 0);
    about_request(&asking.request, &about);
    assert_in_range(about.n, 3, ABOUT_ROWS);
    for (size_t i = 0; i < about.n; i++) {
        if (strcmp(about.rows[i].key, "revision") == 0)
            assert_string_equal(about.rows[i].value, asking.request.entry->revision);
        else
            used += (size_t)snprintf(ret + used, size - used, "%s=%s;", about.rows[i].key,
                                     about.rows[i].value);
    }
    assert_true(used < size);
    asking_end(&asking);
}

static void check(const char *target, const char *want)
{
    char text[1024];
    text_of(target, text, sizeof text);
    assert_string_equal(text, want);
}

static void a_batch_says_its_path_and_all_that_shaped_it(void **state)
{
    (void)state;
    check("/v1/splits/timed/batch.safetensors?indices=1,0",
          "split=timed;request=/v1/splits/timed/batch;order=time;as=events;");
    check("/v1/splits/published/batch.safetensors?indices=1,0",
          "split=published;request=/v1/splits/published/batch;order=published;as=events;");
    check("/v1/splits/timed/batch.json?indices=1&timestep=7&order=published",
          "split=timed;request=/v1/splits/timed/batch;order=published;timestep=7;as=events;");
    check("/v1/splits/timed/epochs/4294967295/2/batches/0.safetensors?size=5&world=2&rank=1",
          "split=timed;request=/v1/splits/timed/epochs/4294967295/2/batches/0;"
          "order_seed=4294967295;epoch=2;k=0;order=time;as=events;size=5;rank=1;world=2;"
          "last=short;");
    check("/v1/pairs/source/18446744073709551615/batches/3.safetensors?size=2&as=frames&bins=4",
          "split=source;request=/v1/pairs/source/18446744073709551615/batches/3;"
          "seed=18446744073709551615;k=3;order=time;timestep=1000;as=frames;bins=4;binning=round;"
          "overlap=or;axes=TCHW;size=2;rank=0;world=1;");
}

static void a_single_sample_says_what_it_is_made_of(void **state)
{
    (void)state;
    check("/v1/splits/published/samples/03.safetensors?timestep=7",
          "split=published;request=/v1/splits/published/samples/3;i=3;order=published;timestep=7;"
          "as=events;");
    check("/v1/mix/source/8,00,19,4.safetensors",
          "split=source;request=/v1/mix/source/8,0,19,4;recordings=8,0,19,4;order=time;as=events;");
    check("/v1/pairs/source/18446744073709551615/5.safetensors",
          "split=source;request=/v1/pairs/source/18446744073709551615/5;"
          "seed=18446744073709551615;index=5;order=time;as=events;");
}

static void a_form_says_what_shaped_it_and_nothing_else(void **state)
{
    (void)state;
    static const struct {
        const char *asked, *said;
    } forms[] = {
        {"as=sparse", "timestep=1000;as=sparse;bins=300;binning=round;overlap=or;"},
        {"as=bits&bins=9", "timestep=1000;as=bits;bins=9;binning=round;"},
        {"as=frames&slice=timestep&values=u8&t0=0&polarity=keep&stabilize=no&t1=8388608",
         "timestep=1000;as=frames;bins=300;binning=round;overlap=or;axes=TCHW;"},
        {"as=frames&values=u16",
         "timestep=1000;as=frames;bins=300;binning=round;overlap=or;axes=TCHW;values=u16;"},
        {"as=sparse&slice=window&timestep=500",
         "timestep=500;as=sparse;slice=window;stride=500;incomplete=no;"},
        {"as=sparse&slice=window&stride=7&incomplete=yes&start=0&end=100",
         "timestep=1000;as=sparse;slice=window;stride=7;incomplete=yes;start=0;end=100;"},
        {"as=frames&slice=time-bins&bin_overlap=0.50",
         "as=frames;bins=300;axes=TCHW;slice=time-bins;bin_overlap=0.5;"},
        {"as=bits&slice=event-count&events=5",
         "as=bits;slice=event-count;stride=5;incomplete=no;events=5;"},
        {"as=bits&slice=event-count&events=5&stride=2",
         "as=bits;slice=event-count;stride=2;incomplete=no;events=5;"},
        {"as=sparse&slice=number&bins=4", "as=sparse;bins=4;slice=number;"},
        {"as=sparse&slice=duration", "timestep=1000;as=sparse;slice=duration;"},
        {"as=frames&slice=voxel&bins=4", "as=frames;bins=4;slice=voxel;"},
        {"stabilize=yes&t0=5&t1=900&denoise=10&polarity=merge",
         "as=events;stabilize=yes;t0=5;t1=900;denoise=10;polarity=merge;"},
    };
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        char target[256], want[512];
        snprintf(target, sizeof target, "/v1/splits/timed/batch.safetensors?indices=1&%s",
                 forms[i].asked);
        snprintf(want, sizeof want, "split=timed;request=/v1/splits/timed/batch;order=time;%s",
                 forms[i].said);
        check(target, want);
    }
}

static void the_longest_form_has_room(void **state)
{
    (void)state;
    char text[1024];
    text_of("/v1/splits/timed/epochs/1/2/batches/0.safetensors?size=3&as=frames&slice=window"
            "&values=u16&axes=CHWT&start=1&end=8388608&stride=8388607&timestep=1000000"
            "&incomplete=yes&stabilize=yes&t0=8388606&t1=8388607&denoise=8388607&polarity=merge",
            text, sizeof text);
    assert_non_null(strstr(text, "end=8388608;values=u16;stabilize=yes;t0=8388606;"));
}

static void what_is_the_same_batch_says_the_same(void **state)
{
    (void)state;
    static const char *const same[] = {
        "/v1/splits/timed/epochs/1/2/batches/0",
        "/v1/splits/timed/epochs/1/2/batches/0.json",
        "/v1/splits/timed/epochs/01/002/batches/0.safetensors",
        "/v1/splits/timed/epochs/1/2/batches/0.safetensors?size=64&rank=0&world=1&last=short",
        "/v1/splits/timed/epochs/1/2/batches/0.safetensors?as=events&order=time",
    };
    char first[1024], text[1024];
    text_of(same[0], first, sizeof first);
    for (size_t i = 1; i < sizeof same / sizeof *same; i++) {
        text_of(same[i], text, sizeof text);
        assert_string_equal(text, first);
    }
    text_of("/v1/splits/timed/epochs/1/2/batches/0.safetensors?last=pad", text, sizeof text);
    assert_string_not_equal(text, first);
}

static void a_revision_in_the_path_makes_no_other_batch(void **state)
{
    (void)state;
    char target[256], first[1024];
    struct catalog *catalog = service_catalog(asked.service);
    snprintf(target, sizeof target, "/v1/splits/timed@%s/batch.safetensors?indices=1",
             catalog_find(catalog, "timed", 5)->revision);
    text_of("/v1/splits/timed/batch.safetensors?indices=1", first, sizeof first);
    check(target, first);
    catalog_unref(catalog);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_batch_says_its_path_and_all_that_shaped_it),
        cmocka_unit_test(a_single_sample_says_what_it_is_made_of),
        cmocka_unit_test(a_form_says_what_shaped_it_and_nothing_else),
        cmocka_unit_test(the_longest_form_has_room),
        cmocka_unit_test(what_is_the_same_batch_says_the_same),
        cmocka_unit_test(a_revision_in_the_path_makes_no_other_batch),
    };
    return cmocka_run_group_tests_name("about", tests, open_asked, close_asked);
}
