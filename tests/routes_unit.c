/* SPDX-License-Identifier: Apache-2.0
 * Tests of server/routes: what holds for every row of the table, and the way through it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/arguments.h"
#include "server/pattern.h"
#include "server/route.h"
#include "tests/answers.h"
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

enum { TARGET_SIZE = 256 };

/* What stands in a path for each variable. */
static const char *const variable_values[N_VARIABLES] = {
    [VARIABLE_SPLIT] = "timed",
    [VARIABLE_SOURCE] = "source",
    [VARIABLE_I] = "3",
    [VARIABLE_K] = "0",
    [VARIABLE_ORDER_SEED] = "1",
    [VARIABLE_EPOCH] = "2",
    [VARIABLE_SEED] = "7",
    [VARIABLE_INDEX] = "9",
    [VARIABLE_RECORDINGS] = "0,5",
    [VARIABLE_FILE] = "app",
    [VARIABLE_SHARD] = "2nmnist-timed-000000",
};

/* The route's path with values in it, then `more`. */
static void target_of(const struct route *route, const char *more, char ret[TARGET_SIZE])
{
    const char *at = route->pattern;
    char *to = ret;
    while (*at) {
        if (*at != '{') {
            *to++ = *at++;
            continue;
        }
        const char *close = strchr(at, '}');
        enum variable variable = variable_find(at + 1, (size_t)(close - at - 1));
        assert_int_not_equal(variable, N_VARIABLES);
        to += sprintf(to, "%s", variable_values[variable]);
        at = close + 1;
    }
    snprintf(to, TARGET_SIZE - (size_t)(to - ret), "%s", more);
}

/* What a route needs beside its path. */
static const char *query_of(const struct route *route, enum request_method method)
{
    if (route->params & PARAM_BIT(PARAM_SPLIT))
        return "?split=timed";
    bool wants = method != METHOD_POST && (route->params & PARAM_BIT(PARAM_INDICES));
    return wants ? "?indices=1,0" : "";
}

static void begin(struct asking *asking, const struct route *route, enum request_method method,
                  const char *extension)
{
    char more[64], target[TARGET_SIZE];
    snprintf(more, sizeof more, "%s%s", extension, query_of(route, method));
    target_of(route, more, target);
    asking_begin(asking, &asked, method, target);
    if (method == METHOD_POST) {
        asking->request.body = "{\"indices\": [1, 0]}";
        asking->request.body_size = strlen(asking->request.body);
    }
}

static void every_row_matches_its_own_pattern_and_answers(void **state)
{
    (void)state;
    for (unsigned i = 0; i < n_routes; i++) {
        struct asking asking;
        begin(&asking, &routes[i], METHOD_GET, "");
        if (asking_answer(&asking) != 200)
            fail_msg("%s: %u", asking.request.url, asking.reply.status);
        assert_ptr_equal(asking.request.route, &routes[i]);
        assert_true(asking.reply.n_bytes > 0);
        assert_true(strlen(routes[i].help) > 0);
        assert_true(asking.reply.n_headers <= REPLY_MAX_HEADERS);
        asking_end(&asking);
    }
}

static void every_row_takes_its_methods_alone(void **state)
{
    (void)state;
    static const enum request_method methods[] = {METHOD_GET, METHOD_HEAD, METHOD_POST,
                                                  METHOD_OTHER};
    for (unsigned i = 0; i < n_routes; i++)
        for (size_t m = 0; m < sizeof methods / sizeof *methods; m++) {
            enum request_method as = methods[m] == METHOD_HEAD ? METHOD_GET : methods[m];
            bool posts = routes[i].methods & METHOD_BIT(METHOD_POST);
            struct asking asking;
            begin(&asking, &routes[i], methods[m], "");
            unsigned status = asking_answer(&asking);
            if (routes[i].methods & METHOD_BIT(as)) {
                assert_int_equal(status, 200);
                assert_null(answer_header(&asking.reply, "Allow"));
            } else {
                const char *allow = posts ? "GET, HEAD, POST" : "GET, HEAD";
                assert_int_equal(status, 405);
                assert_string_equal(answer_header(&asking.reply, "Allow"), allow);
                asking_is_problem(&asking, "method-not-allowed", allow);
            }
            asking_end(&asking);
        }
}

static void check_format(const struct route *route, enum format format, bool has)
{
    const struct format_row *row = &format_rows[format];
    char extension[32];
    snprintf(extension, sizeof extension, ".%s", row->extension);
    /* What has the same type as another format is not told apart by it. */
    bool by_name = !has && format_negotiate(route_formats(route), row->media_type) < N_FORMATS;
    for (int negotiated = 0; negotiated < (by_name ? 1 : 2); negotiated++) {
        struct asking asking;
        begin(&asking, route, METHOD_GET, negotiated ? "" : extension);
        if (negotiated)
            asking.request.accept = row->media_type;
        unsigned status = asking_answer(&asking);
        const char *type = answer_header(&asking.reply, "Content-Type");
        const char *vary = answer_header(&asking.reply, "Vary");
        if (has) {
            assert_int_equal(status, 200);
            assert_string_equal(type, row->media_type);
            assert_int_equal(asking.request.format, format);
            bool by_type =
                vary && (strcmp(vary, "Accept") == 0 || strncmp(vary, "Accept,", 7) == 0);
            assert_int_equal(by_type, negotiated);
        } else {
            char list[FORMAT_LIST_SIZE];
            format_list(route_formats(route), list);
            assert_int_equal(status, 406);
            asking_is_problem(&asking, "not-acceptable", list);
        }
        asking_end(&asking);
    }
}

static void every_row_comes_in_its_formats_alone(void **state)
{
    (void)state;
    for (unsigned i = 0; i < n_routes; i++) {
        unsigned formats = route_formats(&routes[i]);
        assert_true(formats != 0 && formats != (1u << N_FORMATS) - 1);
        for (enum format format = 0; format < N_FORMATS; format++)
            check_format(&routes[i], format, formats & FORMAT_BIT(format));
    }
}

static void an_extension_that_is_no_format_is_refused(void **state)
{
    (void)state;
    static const char *const extensions[] = {".", ".tx", ".JSON", ".json.", ".jsonx"};
    for (unsigned i = 0; i < n_routes; i++)
        for (size_t e = 0; e < sizeof extensions / sizeof *extensions; e++) {
            struct asking asking;
            begin(&asking, &routes[i], METHOD_GET, extensions[e]);
            unsigned status = asking_answer(&asking);
            assert_true(status == 406 || status == 404 || status == 400);
            if (strcmp(extensions[e], ".json.") != 0)
                assert_int_equal(status, 406);
            asking_end(&asking);
        }
}

static void every_row_refuses_a_parameter_that_it_has_not(void **state)
{
    (void)state;
    for (unsigned i = 0; i < n_routes; i++)
        for (enum param param = 0; param <= N_PARAMS; param++) {
            const char *name = param < N_PARAMS ? param_rows[param].name : "colour";
            char more[64], target[TARGET_SIZE];
            if (param < N_PARAMS && (routes[i].params & PARAM_BIT(param)))
                continue;
            snprintf(more, sizeof more, "?%s=1", name);
            target_of(&routes[i], more, target);
            snprintf(more, sizeof more, "no parameter \"%s\"", name);
            asking_fails(&asked, target, 400, "bad-parameter", more);
        }
}

/* Pictures alone take it there. */
static bool is_pictured(const struct route *route, enum param param)
{
    uint64_t pictured = ARGUMENTS_PICTURE;
    if (route->serves == SERVES_DOCUMENT)
        pictured |= ARGUMENTS_FILTERS | PARAM_BIT(PARAM_ORDER);
    return pictured & PARAM_BIT(param);
}

/* Its densest format that takes the parameter, which is the quickest. */
static const char *extension_of(const struct route *route, enum param param)
{
    enum format format = is_pictured(route, param) ? FORMAT_PNG : N_FORMATS - 1;
    while (!(route_formats(route) & FORMAT_BIT(format)) ||
           (format == FORMAT_PNG && !is_pictured(route, param)))
        format--;
    return format_rows[format].extension;
}

/* What has to stand beside a parameter, so that it has a meaning. */
static const char *const beside[N_PARAMS] = {
    [PARAM_BINS] = "&as=frames",
    [PARAM_BINNING] = "&as=frames",
    [PARAM_OVERLAP] = "&as=frames",
    [PARAM_AXES] = "&as=frames",
    [PARAM_SLICE] = "&as=frames",
    [PARAM_VALUES] = "&as=frames",
    [PARAM_STRIDE] = "&as=frames&slice=window&start=0&end=9",
    [PARAM_INCOMPLETE] = "&as=frames&slice=window&start=0&end=9",
    [PARAM_START] = "&as=frames&slice=window&end=9",
    [PARAM_END] = "&as=frames&slice=window&start=0",
    [PARAM_BIN_OVERLAP] = "&as=frames&slice=time-bins",
    [PARAM_EVENTS] = "&as=frames&slice=event-count",
    [PARAM_FOLDS] = "&part=held",
    [PARAM_PART] = "&folds=2",
    [PARAM_FOLD] = "&folds=2&part=held",
    [PARAM_FOLD_SEED] = "&per_class=1",
};

static void check_takes(const struct route *route, enum param param)
{
    const struct param_row *row = &param_rows[param];
    char more[128], value[32], target[TARGET_SIZE];
    struct asking asking;
    if (row->kind == PARAM_CHOICE)
        snprintf(value, sizeof value, "%s", row->choices[row->standard]);
    else if (row->kind == PARAM_NAME)
        strcpy(value, "timed");
    else
        snprintf(value, sizeof value, "%ju", (uintmax_t)row->standard);
    bool indexed = param != PARAM_INDICES && (route->params & PARAM_BIT(PARAM_INDICES));
    bool named = param != PARAM_SPLIT && (route->params & PARAM_BIT(PARAM_SPLIT));
    snprintf(more, sizeof more, ".%s?%s=%s%s%s%s", extension_of(route, param), row->name, value,
             beside[param] ? beside[param] : "", indexed ? "&indices=1,0" : "",
             named ? "&split=timed" : "");
    target_of(route, more, target);
    /* One of the samples has no events, of which no bins are made. */
    asking_begin(&asking, &asked, row->kind == PARAM_REAL ? METHOD_HEAD : METHOD_GET, target);
    assert_int_equal(asking_answer(&asking), 200);
    assert_true(request_gave(&asking.request, param));
    asking_end(&asking);
}

static void every_row_takes_the_parameters_that_it_has(void **state)
{
    (void)state;
    for (unsigned i = 0; i < n_routes; i++)
        for (enum param param = 0; param < N_PARAMS; param++)
            if (routes[i].params & PARAM_BIT(param))
                check_takes(&routes[i], param);
}

static void a_path_that_is_none_is_not_found(void **state)
{
    (void)state;
    static const char *const paths[] = {
        "",
        "*",
        "/v1",
        "/v1/",
        "/v1/split",
        "/healthz/",
        "/v1/splits/",
        "//v1/splits",
        "/v1/splits/timed/",
        "/v2/splits",
        "/v1/splits/timed/samples/",
        "/v1/splits/timed/samples/1/2",
        "/v1/splits/../../etc/passwd",
        "healthz",
        "/v1/pairs/source/1",
        "/.json/",
    };
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        asking_fails(&asked, paths[i], 404, "no-such-path", "/v1/splits");
}

static void a_url_past_the_limit_is_refused_with_the_limit(void **state)
{
    (void)state;
    size_t limit = asked.settings.max_url_bytes;
    char *target = malloc(limit + 2);
    assert_non_null(target);
    memset(target, 'x', limit + 1);
    target[0] = '/';
    target[limit + 1] = '\0';
    struct asking asking;
    asking_get(&asking, &asked, target, 414);
    asking_is_problem(&asking, "url-too-long", "max_url_bytes is 8192");
    char *body = answer_body(&asking.reply);
    assert_non_null(strstr(body, "\"limit\": 8192"));
    free(body);
    asking_end(&asking);
    target[limit] = '\0';
    asking_fails(&asked, target, 404, "no-such-path", "");
    free(target);
}

/* What is not there: the target, its status. */
static const struct {
    const char *target;
    unsigned status;
} missing[] = {
    {"/v1/splits/timed/samples/13.bin", 404},
    {"/v1/splits/timed/samples/18446744073709551615.json", 404},
    {"/v1/sources/source/samples/20.npy", 404},
    {"/v1/splits/orphan/samples/0.bin?order=published", 404},
    {"/v1/splits/timed/batch.safetensors?indices=0,13", 404},
    {"/v1/splits/timed/batch.safetensors", 400},
    {"/v1/splits/timed/epochs/0/0/batches/1.safetensors", 404},
    {"/v1/splits/timed/epochs/0/0/batches/0.safetensors?last=drop", 404},
    {"/v1/splits/timed/epochs/0/0/batches/0.safetensors?rank=1", 400},
    {"/v1/splits/timed/epochs/0/0/batches/0.safetensors?size=1025", 413},
    {"/v1/splits/timed/samples?length=1025", 413},
    {"/v1/mix/source/0,20.bin", 404},
    {"/v1/mix/source/0,1.bin", 400},
    {"/v1/mix/source/0.bin", 400},
    {"/v1/mix/source/0,2,4.bin?order=published", 400},
    {"/v1/pairs/source/0/batches/18446744073709551615.safetensors", 400},
    {"/v1/splits/timed/samples/0.txt", 406},
    {"/v1/splits/timed/samples/0.bin?colour=red", 400},
    {"/v1/splits/nope", 404},
};

static void what_is_not_there_is_never_said_to_be_unchanged(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof missing / sizeof *missing; i++)
        for (enum request_method method = METHOD_GET; method <= METHOD_HEAD; method++) {
            struct asking asking;
            asking_begin(&asking, &asked, method, missing[i].target);
            asking.request.if_none_match = "*";
            if (asking_check(&asking) != missing[i].status)
                fail_msg("%s: %u", missing[i].target, asking.reply.status);
            asking_end(&asking);
        }
}

static void what_a_client_has_is_said_to_be_unchanged_without_making_it(void **state)
{
    (void)state;
    for (unsigned i = 0; i < n_routes; i++) {
        struct asking asking;
        begin(&asking, &routes[i], METHOD_GET, "");
        asking.request.if_none_match = "*";
        unsigned status = asking_check(&asking);
        assert_int_equal(status, asking.request.entry || asking.request.tag ? 304 : 0);
        if (status == 304) {
            assert_int_equal(asking.reply.n_parts, 0);
            assert_int_equal(asking.reply.n_claimed, 0);
            assert_non_null(answer_header(&asking.reply, "ETag"));
            assert_non_null(answer_header(&asking.reply, "Cache-Control"));
            assert_null(answer_header(&asking.reply, "Content-Type"));
        }
        asking_end(&asking);
    }
}

/* Overwritten in place right after it was looked at, in the same tick of the clock. */
static void what_is_made_of_a_file_that_has_just_changed_is_not_answered(void **state)
{
    (void)state;
    static const char *const made[] = {
        "/v1/splits/timed/samples/0.bin?as=frames",
        "/v1/splits/timed/samples/0.npy",
        "/v1/splits/timed/samples/0.json",
        "/v1/pairs/source/0/0.bin",
        "/v1/pairs/source/0/batches/0.safetensors?size=2",
        "/v1/mix/source/0,2.bin",
    };
    for (size_t i = 0; i < sizeof made / sizeof *made; i++) {
        struct asked_service own;
        struct asking asking;
        char path[sizeof own.folder + 32];
        asked_service_init(&own);
        asked_service_open(&own);
        asking_get(&asking, &own, made[i], 200);
        snprintf(path, sizeof path, "%s/%s.safetensors", own.folder,
                 strstr(made[i], "source") ? "source" : "timed");
        FILE *file = fopen(path, "r+b");
        assert_non_null(file);
        assert_int_equal(fseek(file, -1, SEEK_END), 0);
        fputc(1, file);
        assert_int_equal(fclose(file), 0);
        asking_end(&asking);
        asking_fails(&own, made[i], 500, "split-damaged", "is damaged");
        asked_service_close(&own);
    }
}

static void what_a_client_has_has_the_length_of_all_of_it_whatever_range_it_asks_for(void **state)
{
    (void)state;
    static const char *const ranges[] = {NULL, "bytes=0-9", "bytes=-5", "bytes=99999999-"};
    uint64_t whole = 0;
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
        struct asking asking;
        asking_begin(&asking, &asked, METHOD_GET, "/v1/splits/timed.safetensors");
        asking.request.if_none_match = "*";
        asking.request.range = ranges[i];
        assert_int_equal(asking_check(&asking), 304);
        if (i == 0)
            whole = asking.reply.n_bytes;
        assert_true(whole > 0);
        assert_int_equal(asking.reply.n_bytes, whole);
        asking_end(&asking);
    }
}

static void check_weight(enum request_method method, const char *target, const char *body,
                         bool heavy)
{
    struct asking asking;
    asking_begin(&asking, &asked, method, target);
    asking.request.body = body;
    asking.request.body_size = body ? strlen(body) : 0;
    if (asking_check(&asking) != 0)
        fail_msg("%.100s: %u", target, asking.reply.status);
    if (routes_is_heavy(&asking.request) != heavy)
        fail_msg("%.100s: %ju us", target, (uintmax_t)asking.request.cost_us);
    asking_end(&asking);
}

static void what_keeps_others_waiting_is_heavy(void **state)
{
    (void)state;
    static const char *const heavy[] = {
        "/v1/splits/timed/samples/0.bin?as=frames&bins=4096",
        "/v1/splits/timed/samples/0.npy?as=frames&bins=4096",
        "/v1/splits/timed/samples/0.json?as=frames",
        "/v1/splits/timed/batch.safetensors?indices=0,1,2&as=frames&bins=4096",
        "/v1/splits/timed/batch.json?indices=0,1&as=frames",
        "/v1/splits/timed/epochs/0/0/batches/0.safetensors?as=frames",
        "/v1/pairs/source/0/batches/0.safetensors?size=1024",
        "/v1/pairs/source/0/batches/0.safetensors?size=6&as=frames&bins=4096",
        "/v1/mix/source/0,2.bin?as=frames&bins=4096",
    };
    for (size_t i = 0; i < sizeof heavy / sizeof *heavy; i++) {
        check_weight(METHOD_GET, heavy[i], NULL, true);
        check_weight(METHOD_HEAD, heavy[i], NULL, false);
    }
}

static void what_is_answered_from_the_map_is_light(void **state)
{
    (void)state;
    static const char *const light[] = {
        "/healthz",
        "/v1/splits",
        "/v1/splits/timed",
        "/v1/splits/timed.safetensors",
        "/v1/splits/timed/labels.npy",
        "/v1/splits/timed/samples",
        "/v1/splits/published/samples",
        "/v1/splits/timed/samples/0.bin",
        "/v1/splits/timed/samples/0.npy",
        "/v1/splits/timed/samples/0.json",
        "/v1/splits/timed/epochs/0/0/batches/0.safetensors?size=1024",
        "/v1/pairs/source/0/0.bin",
        "/v1/mix/source/0,2.bin",
    };
    for (size_t i = 0; i < sizeof light / sizeof *light; i++) {
        check_weight(METHOD_GET, light[i], NULL, false);
        check_weight(METHOD_HEAD, light[i], NULL, false);
    }
    char target[4096] = "/v1/splits/timed/batch.safetensors?indices=0";
    for (unsigned i = 1; i < 1024; i++)
        strcat(target, ",0");
    check_weight(METHOD_GET, target, NULL, false);
    strcat(target, "&timestep=1000");
    check_weight(METHOD_GET, target, NULL, true);
}

static void a_long_body_is_heavy_and_a_short_one_is_not(void **state)
{
    (void)state;
    enum { LONG = 100000 };
    char *body = malloc(LONG + 1);
    assert_non_null(body);
    memset(body, ' ', LONG);
    body[LONG] = '\0';
    check_weight(METHOD_POST, "/v1/splits/timed/batch.safetensors", body, true);
    check_weight(METHOD_POST, "/v1/splits/timed/batch.safetensors", "{\"indices\": [0]}", false);
    free(body);
}

static void check_posted(const char *body, unsigned status, const char *code, const char *words)
{
    struct asking asking;
    asking_begin(&asking, &asked, METHOD_POST, "/v1/splits/timed/batch.safetensors");
    asking.request.body = body;
    asking.request.body_size = body ? strlen(body) : 0;
    assert_int_equal(asking_answer(&asking), status);
    if (code)
        asking_is_problem(&asking, code, words);
    asking_end(&asking);
}

static void a_body_is_judged_by_the_handler(void **state)
{
    (void)state;
    check_posted("{\"indices\": [0, 12]}", 200, NULL, NULL);
    check_posted("{\"indices\": []}", 200, NULL, NULL);
    check_posted(NULL, 400, "bad-body", "the body is empty");
    check_posted("[]", 400, "bad-body", "of the form");
    check_posted("{\"indices\": [13]}", 404, "no-such-sample", "no sample 13");
    char body[4096] = "{\"indices\": [0";
    for (unsigned i = 0; i < 1024; i++)
        strcat(body, ",0");
    strcat(body, "]}");
    check_posted(body, 413, "too-large", "lists 1025 numbers; the limit is 1024");
}

static void an_answer_made_while_its_split_was_damaged_is_not_given(void **state)
{
    (void)state;
    static const char *const targets[] = {"/v1/splits/timed/samples/0.bin",
                                          "/v1/splits/timed/samples/0.bin?order=published",
                                          "/v1/splits/timed/batch.safetensors?indices=0"};
    struct catalog *catalog = service_catalog(asked.service);
    struct entry *timed = catalog_find(catalog, "timed", 5),
                 *source = catalog_find(catalog, "source", 6);
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++)
        for (unsigned e = 0; e < 2; e++) {
            struct asking asking;
            asking_begin(&asking, &asked, METHOD_GET, targets[i]);
            assert_int_equal(asking_check(&asking), 0);
            atomic_store(e ? &source->holding->damaged : &timed->holding->damaged, true);
            routes_run(&asking.request, &asking.reply);
            atomic_store(&timed->holding->damaged, false);
            atomic_store(&source->holding->damaged, false);
            assert_int_equal(asking.reply.status, 500);
            asking_is_problem(&asking, "split-damaged", "timed is damaged");
            asking_end(&asking);
        }
    catalog_unref(catalog);
}

static void every_error_of_making_has_its_status(void **state)
{
    (void)state;
    asking_fails(&asked, "/v1/splits/orphan/batch.safetensors?indices=0&order=published", 404,
                 "no-source", "source split of orphan");
    asking_fails(&asked, "/v1/splits/orphan/batch.json?indices=0&order=published", 404, "no-source",
                 "source split of orphan");
    struct asking asking;
    asking_begin(&asking, &asked, METHOD_GET, "/v1/splits/timed/samples/0.bin?as=frames&bins=4096");
    asking.reply.max_bytes = 9469951;
    assert_int_equal(asking_answer(&asking), 413);
    asking_is_problem(&asking, "too-large", "9469952 bytes; max_answer_bytes is 9469951");
    asking_end(&asking);
}

static void the_page_asks_for_a_token_itself(void **state)
{
    (void)state;
    static const char *const page[] = {"/", "/.json", "/viewer/app.js", "/viewer/none"};
    static const char *const others[] = {"",           "/healthz",       "/viewer", "/viewer/",
                                         "/v1/splits", "/viewer/a/b.js", "/metrics"};
    for (size_t i = 0; i < sizeof page / sizeof *page; i++)
        assert_true(routes_is_page(page[i]) && !routes_is_open(page[i]));
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_false(routes_is_page(others[i]));
}

static void health_alone_is_open(void **state)
{
    (void)state;
    static const char *const open[] = {"/healthz", "/readyz", "/healthz.json", "/readyz.x"};
    static const char *const closed[] = {
        "",          "/",          "/healthz/",          "//healthz",
        "/healthzz", "/health",    "/healthz.x/v1",      "healthz",
        "/HEALTHZ",  "/v1/splits", "/v1/splits/healthz", "/.healthz",
        "/metrics"};
    for (size_t i = 0; i < sizeof open / sizeof *open; i++)
        assert_true(routes_is_open(open[i]));
    for (size_t i = 0; i < sizeof closed / sizeof *closed; i++)
        assert_false(routes_is_open(closed[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(health_alone_is_open),
        cmocka_unit_test(the_page_asks_for_a_token_itself),
        cmocka_unit_test(every_row_matches_its_own_pattern_and_answers),
        cmocka_unit_test(every_row_takes_its_methods_alone),
        cmocka_unit_test(every_row_comes_in_its_formats_alone),
        cmocka_unit_test(an_extension_that_is_no_format_is_refused),
        cmocka_unit_test(every_row_refuses_a_parameter_that_it_has_not),
        cmocka_unit_test(every_row_takes_the_parameters_that_it_has),
        cmocka_unit_test(a_path_that_is_none_is_not_found),
        cmocka_unit_test(a_url_past_the_limit_is_refused_with_the_limit),
        cmocka_unit_test(what_is_not_there_is_never_said_to_be_unchanged),
        cmocka_unit_test(what_a_client_has_is_said_to_be_unchanged_without_making_it),
        cmocka_unit_test(what_is_made_of_a_file_that_has_just_changed_is_not_answered),
        cmocka_unit_test(what_a_client_has_has_the_length_of_all_of_it_whatever_range_it_asks_for),
        cmocka_unit_test(what_keeps_others_waiting_is_heavy),
        cmocka_unit_test(what_is_answered_from_the_map_is_light),
        cmocka_unit_test(a_long_body_is_heavy_and_a_short_one_is_not),
        cmocka_unit_test(a_body_is_judged_by_the_handler),
        cmocka_unit_test(an_answer_made_while_its_split_was_damaged_is_not_given),
        cmocka_unit_test(every_error_of_making_has_its_status),
    };
    return cmocka_run_group_tests_name("routes", tests, open_asked, close_asked);
}
