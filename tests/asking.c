/* SPDX-License-Identifier: Apache-2.0
 * For tests of server/: requests without a connection, as server/http makes them. */
#include "tests/asking.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/samples/scratch.h"
#include "tests/answers.h"
#include "tests/small_catalog.h"

_Static_assert(sizeof((struct asked_service){0}.folder) == SMALL_FOLDER_SIZE, "one size");

void asked_service_init(struct asked_service *ret)
{
    struct error why;
    *ret = (struct asked_service){0};
    small_folder_make(ret->folder);
    assert_int_equal(settings_init(&ret->settings), 0);
    assert_int_equal(settings_set(&ret->settings, SETTING_OPTION, "data", ret->folder, &why), 0);
}

void asked_service_open(struct asked_service *asked)
{
    struct error why = {""};
    if (service_open(&asked->settings, &asked->service, &why) < 0)
        fail_msg("%s", why.text);
}

void asked_service_close(struct asked_service *asked)
{
    service_close(asked->service);
    settings_free(&asked->settings);
    small_folder_remove(asked->folder);
    scratch_free();
}

static void add_query(struct request *request, char *text)
{
    for (char *end; text; text = end) {
        end = strchr(text, '&');
        if (end)
            *end++ = '\0';
        char *value = strchr(text, '=');
        if (value)
            *value++ = '\0';
        unsigned i = request->n_query++;
        if (i < REQUEST_MAX_QUERY) {
            request->query[i].name = text;
            request->query[i].value = value ? value : "";
        }
    }
}

void asking_begin(struct asking *ret, struct asked_service *asked, enum request_method method,
                  const char *target)
{
    size_t n = strlen(target) + 1;
    *ret = (struct asking){.text = malloc(2 * n)};
    assert_non_null(ret->text);
    memcpy(ret->text, target, n);
    memcpy(ret->text + n, target, n);
    char *path = ret->text + n, *query = strchr(path, '?');
    if (query)
        *query++ = '\0';
    ret->request = (struct request){
        .service = asked->service,
        .catalog = service_catalog(asked->service),
        .caller = "test",
        .method = method,
        .url = ret->text,
        .path = path,
    };
    add_query(&ret->request, query);
    ret->reply.max_bytes = service_settings(asked->service)->max_answer_bytes;
    ret->reply.head_only = method == METHOD_HEAD;
}

unsigned asking_check(struct asking *asking)
{
    bool passed = routes_prepare(&asking->request, &asking->reply);
    assert_int_equal(passed, asking->reply.status == 0);
    return asking->reply.status;
}

unsigned asking_answer(struct asking *asking)
{
    if (asking_check(asking) == 0)
        routes_run(&asking->request, &asking->reply);
    return asking->reply.status;
}

void asking_end(struct asking *asking)
{
    answer_end(&asking->reply);
    free(asking->request.numbers.items);
    views_return(asking->request.view);
    catalog_unref(asking->request.catalog);
    free(asking->text);
}

void asking_get(struct asking *ret, struct asked_service *asked, const char *target,
                unsigned status)
{
    asking_begin(ret, asked, METHOD_GET, target);
    if (asking_answer(ret) != status) {
        char *body = answer_body(&ret->reply);
        fail_msg("GET %.200s: %u, %.300s", target, ret->reply.status, body);
    }
}

void asking_is_problem(const struct asking *asking, const char *code, const char *words)
{
    char *body = answer_body(&asking->reply);
    json_t *root = json_loadb(body, asking->reply.n_bytes, JSON_REJECT_DUPLICATES, NULL);
    const char *got = json_string_value(json_object_get(root, "code"));
    const char *detail = json_string_value(json_object_get(root, "detail"));
    if (!got || strcmp(got, code) != 0 || !detail || !strstr(detail, words))
        fail_msg("%.200s is not \"%s\" with \"%s\": %.400s", asking->request.url, code, words,
                 body);
    assert_int_equal(json_integer_value(json_object_get(root, "status")), asking->reply.status);
    assert_string_equal(answer_header(&asking->reply, "Content-Type"), "application/problem+json");
    json_decref(root);
    free(body);
}

void asking_fails(struct asked_service *asked, const char *target, unsigned status,
                  const char *code, const char *words)
{
    struct asking asking;
    asking_get(&asking, asked, target, status);
    asking_is_problem(&asking, code, words);
    asking_end(&asking);
}
