/* SPDX-License-Identifier: Apache-2.0
 * The problems of OpenAPI's document. */
#include "server/openapi_problems.h"

#include <stdio.h>
#include <string.h>

#include "common/wire.h"
#include "server/openapi_schemas.h"
#include "server/problem.h"

enum { TITLES_SIZE = 640 };

/* Without a row a problem is one of every path. */
static const unsigned problem_traits[] = {
    [PROBLEM_BAD_BODY] = TAKES_BODY,
    [PROBLEM_TOKEN_MISSING] = IS_CLOSED,
    [PROBLEM_TOKEN_WRONG] = IS_CLOSED,
    [PROBLEM_TOKEN_EXPIRED] = IS_CLOSED,
    [PROBLEM_NO_SUCH_PATH] = HAS_FILES,
    [PROBLEM_NO_SUCH_SPLIT] = HAS_SPLIT,
    [PROBLEM_NO_SUCH_REVISION] = HAS_SPLIT,
    [PROBLEM_NO_SUCH_SAMPLE] = HAS_SAMPLES,
    [PROBLEM_NO_SUCH_BATCH] = HAS_BATCHES,
    [PROBLEM_NO_SUCH_SHARD] = HAS_SHARDS,
    [PROBLEM_NO_SOURCE] = HAS_SAMPLES | HAS_BATCHES | HAS_SHARDS,
    [PROBLEM_METHOD] = NEVER,
    [PROBLEM_NOT_ACCEPTABLE] = HAS_CHOICE,
    [PROBLEM_TOO_LARGE] = HAS_LIMIT,
    [PROBLEM_RANGE] = HAS_RANGE,
    [PROBLEM_RATE] = IS_COUNTED,
    [PROBLEM_SPLIT_DAMAGED] = HAS_SPLIT,
};

static const struct {
    enum problem_kind kind;
    unsigned status;
    const char *code, *title;
} problems[] = {
#define PROBLEM_ROW(kind_, status_, code_, title_, ...) {PROBLEM_##kind_, status_, code_, title_},
    WIRE_PROBLEMS(PROBLEM_ROW)
#undef PROBLEM_ROW
};

enum { N_PROBLEMS = sizeof problems / sizeof *problems };

static bool can_have(enum problem_kind kind, unsigned traits)
{
    unsigned needed =
        kind < sizeof problem_traits / sizeof *problem_traits ? problem_traits[kind] : 0;
    return needed == 0 || (needed & traits);
}

unsigned openapi_traits(const struct route *route, enum format format)
{
    bool of_samples = route->serves == SERVES_SAMPLE || route->serves == SERVES_BATCH;
    const struct {
        bool is;
        enum trait trait;
    } traits[] = {
        {openapi_has_variable(route, VARIABLE_SPLIT) ||
             openapi_has_variable(route, VARIABLE_SOURCE) || route->params & PARAM_BIT(PARAM_SPLIT),
         HAS_SPLIT},
        {openapi_has_variable(route, VARIABLE_I) ||
             openapi_has_variable(route, VARIABLE_RECORDINGS) ||
             route->params & PARAM_BIT(PARAM_INDICES),
         HAS_SAMPLES},
        {openapi_has_variable(route, VARIABLE_K), HAS_BATCHES},
        {route->serves == SERVES_SHARDS, HAS_SHARDS},
        {route->methods & METHOD_BIT(METHOD_POST), TAKES_BODY},
        {route->serves != SERVES_HEALTH && route->serves != SERVES_PAGE, IS_CLOSED},
        {route->serves != SERVES_HEALTH, IS_COUNTED},
        {openapi_has_variable(route, VARIABLE_FILE), HAS_FILES},
        {of_samples || format == N_FORMATS, HAS_CHOICE},
        {of_samples || route->params & (PARAM_BIT(PARAM_LENGTH) | PARAM_BIT(PARAM_PER_SHARD)),
         HAS_LIMIT},
        {!of_samples && (format == FORMAT_SAFETENSORS || format == FORMAT_TAR), HAS_RANGE},
    };
    unsigned bits = 0;
    for (size_t i = 0; i < sizeof traits / sizeof *traits; i++)
        bits |= traits[i].is ? traits[i].trait : 0;
    return bits;
}

void openapi_add_problems(json_t *responses, unsigned traits)
{
    for (size_t i = 0; i < N_PROBLEMS; i++) {
        char status[8], name[OPENAPI_NAME_SIZE];
        if (!can_have(problems[i].kind, traits))
            continue;
        snprintf(status, sizeof status, "%u", problems[i].status);
        snprintf(name, sizeof name, "problem-%s", status);
        json_object_set_new(responses, status, openapi_reference("responses", name));
    }
}

/* ---- components ---- */

/* All problems of one status. */
static json_t *problem_object(unsigned status)
{
    char titles[TITLES_SIZE] = "";
    json_t *codes = json_array();
    for (size_t i = 0, used = 0; i < N_PROBLEMS && used < sizeof titles; i++)
        if (problems[i].status == status) {
            used += (size_t)snprintf(titles + used, sizeof titles - used, "%s%s", used ? "; " : "",
                                     problems[i].title);
            json_array_append_new(codes, json_string(problems[i].code));
        }
    json_t *schema =
        json_pack("{s:[o, {s:{s:{s:o}}}]}", "allOf", openapi_reference("schemas", "Problem"),
                  "properties", "code", "enum", codes);
    return json_pack("{s:s, s:{s:{s:o}}}", "description", titles, "content", WIRE_PROBLEM_TYPE,
                     "schema", schema);
}

void openapi_add_problem_responses(json_t *objects)
{
    char name[OPENAPI_NAME_SIZE];
    for (size_t i = 0; i < N_PROBLEMS; i++) {
        snprintf(name, sizeof name, "problem-%u", problems[i].status);
        if (!json_object_get(objects, name))
            json_object_set_new(objects, name, problem_object(problems[i].status));
    }
}

json_t *openapi_problem_schema(void)
{
    static const struct {
        const char *name, *type;
        bool is_optional;
    } members[] = {
        {"type", "string", false},   {"title", "string", false},    {"status", "integer", false},
        {"detail", "string", false}, {"instance", "string", false}, {"code", "string", false},
        {"limit", "integer", true},
    };
    json_t *properties = json_object(), *required = json_array();
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        json_object_set_new(properties, members[i].name,
                            json_pack("{s:s}", "type", members[i].type));
        if (!members[i].is_optional)
            json_array_append_new(required, json_string(members[i].name));
    }
    return json_pack("{s:s, s:s, s:o, s:o}", "type", "object", "description",
                     "What is wrong (RFC 9457)", "properties", properties, "required", required);
}
