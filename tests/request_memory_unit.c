/* SPDX-License-Identifier: Apache-2.0
 * Tests of server/ without memory: whole requests of every kind, in which each allocation fails
 * once, alone or with all behind it. Each gives its answer or says that there is no memory, and
 * keeps nothing. JSON is made of the same memory. */
#include <errno.h>
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/json_memory.h"
#include "server/samples/scratch.h"
#include "tests/answers.h"
#include "tests/asking.h"
#include "tests/scarce.h"

enum { MOST = 500 };

static struct asked_service asked;

static int open_folder(void **state)
{
    (void)state;
    json_memory_watch();
    asked_service_init(&asked);
    asked_service_open(&asked); /* which asked_service_close() wants */
    return 0;
}

static int close_folder(void **state)
{
    (void)state;
    asked_service_close(&asked);
    return 0;
}

struct wanted {
    const char *target, *body; /* a body is sent by POST */
};

/* As if the daemon had just started, so that nothing is kept from a request before. */
static void begin(const struct wanted *wanted, struct service *service, struct asking *ret)
{
    struct asked_service fresh = asked;
    fresh.service = service;
    asking_begin(ret, &fresh, wanted->body ? METHOD_POST : METHOD_GET, wanted->target);
    ret->request.body = wanted->body;
    ret->request.body_size = wanted->body ? strlen(wanted->body) : 0;
}

static struct service *open_service(void)
{
    struct service *service = NULL;
    struct error why = {""};
    if (service_open(&asked.settings, &service, &why) < 0)
        fail_msg("%s", why.text);
    return service;
}

static void expect_whole(struct asking *asking, const char *body, size_t size)
{
    char *got = answer_body(&asking->reply);
    assert_int_equal(asking->reply.n_bytes, size);
    assert_memory_equal(got, body, size);
    free(got);
}

/* A reply for which there was no memory at all has a status and nothing else. */
static void expect_refusal(struct asking *asking)
{
    assert_int_equal(asking->reply.status, 500);
    if (asking->reply.n_bytes > 0)
        asking_is_problem(asking, "no-memory", "");
}

/* The answer where nothing fails, from malloc(). */
static char *whole(const struct wanted *wanted, size_t *ret_size)
{
    struct asking asking;
    struct service *service = open_service();
    begin(wanted, service, &asking);
    unsigned status = asking_answer(&asking);
    char *body = answer_body(&asking.reply);
    if (status != 200)
        fail_msg("%s: %u, %s", wanted->target, status, body);
    *ret_size = asking.reply.n_bytes;
    asking_end(&asking);
    service_close(service);
    return body;
}

/* Whether one of its allocations was there to fail, and has. */
static bool answer_after(const struct wanted *wanted, unsigned n, bool lasting, const char *body,
                         size_t size)
{
    struct asking asking;
    struct service *service = open_service();
    begin(wanted, service, &asking);
    scarce_begin(n, lasting);
    unsigned status = asking_answer(&asking);
    bool failed = scarce_end();
    if (status == 200)
        expect_whole(&asking, body, size);
    else
        expect_refusal(&asking);
    asking_end(&asking);
    begin(wanted, service, &asking); /* and all is well when there is memory again */
    assert_int_equal(asking_answer(&asking), 200);
    expect_whole(&asking, body, size);
    asking_end(&asking);
    service_close(service);
    scratch_free();
    return failed;
}

static size_t in_use(void)
{
    return mallinfo2().uordblks;
}

/* How many allocations it has. */
static unsigned check(const struct wanted *wanted, bool lasting)
{
    size_t size, used = 0;
    char *body = whole(wanted, &size);
    unsigned n = 0;
    scratch_free();
    while (answer_after(wanted, n, lasting, body, size)) {
        if (n == 0)
            used = in_use(); /* from now on the C library has what it keeps for itself */
        else if (in_use() > used)
            fail_msg("%s: %zu bytes are lost after allocation %u has failed", wanted->target,
                     in_use() - used, n);
        if (n++ == MOST)
            fail_msg("%s: more than %d allocations", wanted->target, MOST);
    }
    free(body);
    return n;
}

static const struct wanted samples[] = {
    {"/v1/splits/timed/samples/0.bin?timestep=7", NULL},
    {"/v1/splits/timed/samples/0.npy", NULL},
    {"/v1/splits/timed/samples/0.json", NULL},
    {"/v1/splits/timed/samples/0.safetensors", NULL},
    {"/v1/splits/timed/samples/0.npy?as=frames&bins=5", NULL},
    {"/v1/splits/timed/samples/0.json?as=frames&bins=2", NULL},
    {"/v1/sources/source/samples/3.npy", NULL},
    {"/v1/mix/source/0,5.bin", NULL},
    {"/v1/mix/source/0,5,9.json", NULL},
    {"/v1/pairs/source/7/9.bin", NULL},
    {"/v1/pairs/source/7/9.safetensors", NULL},
};

static const struct wanted batches[] = {
    {"/v1/splits/timed/batch.safetensors?indices=0,2,4,6,8,10,1,3,5", NULL},
    {"/v1/splits/timed/batch.safetensors", "{\"indices\": [0, 2, 4, 6, 8, 10, 1, 3, 5]}"},
    {"/v1/splits/timed/batch.json?indices=0,3&timestep=7", NULL},
    {"/v1/splits/timed/batch.safetensors?indices=0,3&as=frames&bins=4", NULL},
    {"/v1/splits/published/batch.safetensors?indices=0,3&order=time", NULL},
    {"/v1/splits/timed/epochs/1/2/batches/0.safetensors?size=9", NULL},
    {"/v1/splits/timed/epochs/1/2/batches/1.json?size=9&last=pad", NULL},
    {"/v1/splits/timed/epochs/1/2/batches/0.safetensors?size=9&kind=pair&per_class=1", NULL},
    {"/v1/pairs/source/7/batches/0.safetensors?size=9", NULL},
    {"/v1/pairs/source/7/batches/0.json?size=2&as=frames&bins=2", NULL},
};

static const struct wanted documents[] = {
    {"/healthz", NULL},
    {"/v1/splits", NULL},
    {"/v1/splits/timed", NULL},
    {"/v1/splits/timed/labels.json", NULL},
    {"/v1/splits/timed/samples?offset=2&length=5", NULL},
    {"/v1/sources/source/samples", NULL},
    {"/v1/splits/timed/samples?sort=-duration&length=3", NULL},
    {"/v1/splits/timed/samples.csv", NULL},
    {"/v1/splits/timed/samples.jsonl?kind=pair&seed=3", NULL},
    {"/llms.txt", NULL},
    {"/v1/splits/timed/labels.json?kind=pair", NULL},
    {"/v1/splits/timed/labels.npy?kind=pair", NULL},
    {"/v1/splits/timed/statistics", NULL},
    {"/v1/splits/timed/statistics?folds=2&part=held", NULL},
    {"/v1/splits/timed/indices.json?kind=pair", NULL},
    {"/v1/splits/timed/indices.npy", NULL},
};

static void check_all(const struct wanted *wanted, size_t n)
{
    for (size_t i = 0; i < n; i++)
        for (int lasting = 0; lasting < 2; lasting++)
            if (check(&wanted[i], lasting) == 0)
                fail_msg("%s: no allocation", wanted[i].target);
}

static void a_sample_is_whole_or_refused_whichever_allocation_fails(void **state)
{
    (void)state;
    check_all(samples, sizeof samples / sizeof *samples);
}

static void a_batch_is_whole_or_refused_whichever_allocation_fails(void **state)
{
    (void)state;
    check_all(batches, sizeof batches / sizeof *batches);
}

static void a_document_is_whole_or_refused_whichever_allocation_fails(void **state)
{
    (void)state;
    check_all(documents, sizeof documents / sizeof *documents);
}

static void what_lies_in_the_files_needs_no_memory(void **state)
{
    (void)state;
    static const char *const targets[] = {"/v1/splits/timed.safetensors",
                                          "/v1/splits/timed/labels.npy"};
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
        const struct wanted wanted = {targets[i], NULL};
        assert_in_range(check(&wanted, true), 0, 4); /* the list of parts, a head */
    }
}

static void a_reload_without_memory_loses_no_split(void **state)
{
    (void)state;
    struct service *service = open_service();
    unsigned n = 0;
    for (bool failed = true; failed; n++) {
        struct error why = {""};
        struct catalog *before = service_catalog(service);
        scarce_begin(n, false);
        int r = service_reload(service, &why);
        failed = scarce_end();
        struct catalog *after = service_catalog(service);
        assert_true(r == 0 || (r == -ENOMEM && before == after));
        assert_int_equal(after->n_entries, before->n_entries);
        catalog_unref(before);
        catalog_unref(after);
    }
    assert_true(n > 4);
    service_close(service);
}

/* Freed memory that a thread keeps for itself would look as if it were in use. */
static void keep_nothing(char **argv)
{
    static const char name[] = "GLIBC_TUNABLES";
    if (getenv(name))
        return;
    setenv(name, "glibc.malloc.tcache_count=0", 1);
    execv("/proc/self/exe", argv);
}

int main(int argc, char **argv)
{
    (void)argc;
    keep_nothing(argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sample_is_whole_or_refused_whichever_allocation_fails),
        cmocka_unit_test(a_batch_is_whole_or_refused_whichever_allocation_fails),
        cmocka_unit_test(a_document_is_whole_or_refused_whichever_allocation_fails),
        cmocka_unit_test(what_lies_in_the_files_needs_no_memory),
        cmocka_unit_test(a_reload_without_memory_loses_no_split),
    };
    return cmocka_run_group_tests_name("request_memory", tests, open_folder, close_folder);
}
