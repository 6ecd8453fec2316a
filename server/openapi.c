/* SPDX-License-Identifier: Apache-2.0
 * What the tables say, for programs. */
#include "server/openapi.h"

#include "config.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "common/json_memory.h"
#include "server/description.h"
#include "server/meaning.h"
#include "server/pictured.h"
#include "server/problem.h"
#include "server/route.h"

enum { NAME_SIZE = 192, REFERENCE_SIZE = NAME_SIZE + 40, TEXT_SIZE = 640 };

/* ---- what a route is, for the problems that it can have ---- */

enum trait {
    HAS_SPLIT = 1u << 0,   /* the path names one */
    HAS_SAMPLES = 1u << 1, /* and samples of it */
    HAS_BATCHES = 1u << 2, /* or a batch */
    TAKES_BODY = 1u << 3,
    IS_CLOSED = 1u << 4,  /* not open to everybody */
    HAS_CHOICE = 1u << 5, /* of formats that may not be there */
    HAS_LIMIT = 1u << 6,  /* on how much is asked for */
    HAS_RANGE = 1u << 7,  /* a part of it can be asked for */
    IS_COUNTED = 1u << 8, /* against the rates */
    HAS_FILES = 1u << 9,  /* of which one may not be there */
    HAS_SHARDS = 1u << 10,
    NEVER = 1u << 31,     /* whoever follows this document does not see it */
};

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

static bool has_variable(const struct route *route, enum variable variable)
{
    char name[NAME_SIZE];
    snprintf(name, sizeof name, "{%s}", variable_rows[variable].name);
    return strstr(route->pattern, name) != NULL;
}

/* With one format, or (N_FORMATS) the one that is accepted. */
static unsigned traits_of(const struct route *route, enum format format)
{
    bool of_samples = route->serves == SERVES_SAMPLE || route->serves == SERVES_BATCH;
    const struct {
        bool is;
        enum trait trait;
    } traits[] = {
        {has_variable(route, VARIABLE_SPLIT) || has_variable(route, VARIABLE_SOURCE) ||
             route->params & PARAM_BIT(PARAM_SPLIT),
         HAS_SPLIT},
        {has_variable(route, VARIABLE_I) || has_variable(route, VARIABLE_RECORDINGS) ||
             route->params & PARAM_BIT(PARAM_INDICES),
         HAS_SAMPLES},
        {has_variable(route, VARIABLE_K), HAS_BATCHES},
        {route->serves == SERVES_SHARDS, HAS_SHARDS},
        {route->methods & METHOD_BIT(METHOD_POST), TAKES_BODY},
        {route->serves != SERVES_HEALTH && route->serves != SERVES_PAGE, IS_CLOSED},
        {route->serves != SERVES_HEALTH, IS_COUNTED},
        {has_variable(route, VARIABLE_FILE), HAS_FILES},
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

/* ---- pieces ---- */

static json_t *reference(const char *section, const char *name)
{
    char text[REFERENCE_SIZE];
    snprintf(text, sizeof text, "#/components/%s/%s", section, name);
    return json_pack("{s:s}", "$ref", text);
}

static json_t *integer_schema(uint64_t min, uint64_t max)
{
    if (max > INT64_MAX) /* past what every reader of JSON takes for a number */
        return json_pack("{s:s, s:s, s:o}", "type", "integer", "format", "uint64", "minimum",
                         description_integer(min));
    return json_pack("{s:s, s:o, s:o}", "type", "integer", "minimum", description_integer(min),
                     "maximum", description_integer(max));
}

static json_t *list_schema(uint64_t min, uint64_t max, int least, uint64_t most)
{
    return json_pack("{s:s, s:o, s:i, s:o}", "type", "array", "items", integer_schema(min, max),
                     "minItems", least, "maxItems", description_integer(most));
}

static json_t *choice_schema(const struct param_row *row)
{
    json_t *words = json_array();
    for (unsigned i = 0; row->choices[i]; i++)
        json_array_append_new(words, json_string(row->choices[i]));
    json_t *schema = json_pack("{s:s, s:o}", "type", "string", "enum", words);
    if (!row->without)
        json_object_set_new(schema, "default", json_string(row->choices[row->standard]));
    return schema;
}

/* Splits, or sources, that are there. */
static json_t *name_schema(const struct openapi *openapi, bool of_sources)
{
    json_t *names = json_array();
    for (size_t i = 0; i < openapi->catalog->n_entries; i++)
        if (!of_sources || openapi->catalog->entries[i]->is_source)
            json_array_append_new(names, json_string(openapi->catalog->entries[i]->name));
    char pattern[NAME_SIZE];
    snprintf(pattern, sizeof pattern, "^[^/@]{1,%d}(@[%s]{%d,%d})?$", WIRE_NAME_MAX,
             WIRE_REVISION_DIGITS, WIRE_REVISION_MIN, WIRE_REVISION_MAX);
    return json_pack("{s:s, s:s, s:o}", "type", "string", "pattern", pattern, "examples", names);
}

static json_t *param_schema(const struct openapi *openapi, const struct param_row *row)
{
    json_t *schema = NULL;
    switch (row->kind) {
    case PARAM_CHOICE:
        return choice_schema(row);
    case PARAM_NUMBERS:
        return list_schema(row->min, row->max, 1, openapi->settings->max_batch_size);
    case PARAM_LABELS:
        return list_schema(row->min, row->max, 1, row->max + 1);
    case PARAM_NAME:
        return name_schema(openapi, false);
    case PARAM_REAL:
        return json_pack("{s:s, s:i, s:i, s:i}", "type", "number", "minimum", 0, "exclusiveMaximum",
                         1, "default", 0);
    case PARAM_NUMBER:
        schema = integer_schema(row->min, row->max);
        if (!row->without && row->standard >= row->min)
            json_object_set_new(schema, "default", description_integer(row->standard));
        break;
    }
    return schema;
}

static bool is_list(const struct param_row *row)
{
    return row->kind == PARAM_NUMBERS || row->kind == PARAM_LABELS;
}

static json_t *param_object(const struct openapi *openapi, const struct param_row *row)
{
    char help[TEXT_SIZE];
    snprintf(help, sizeof help, row->without ? "%s; without it: %s" : "%s", row->help,
             row->without);
    json_t *object = json_pack("{s:s, s:s, s:s, s:o}", "name", row->name, "in", "query",
                               "description", help, "schema", param_schema(openapi, row));
    if (is_list(row))
        json_object_set_new(object, "explode", json_false());
    return object;
}

static json_t *variable_schema(const struct openapi *openapi, enum variable variable)
{
    const struct variable_row *row = &variable_rows[variable];
    if (row->kind == VARIABLE_NAME)
        return name_schema(openapi, variable == VARIABLE_SOURCE);
    if (row->kind == VARIABLE_NUMBER)
        return integer_schema(0, row->max);
    if (row->kind == VARIABLE_NUMBERS)
        return list_schema(0, row->max, 2, MIX_MAX_DIGITS);
    return json_pack("{s:s}", "type", "string");
}

static json_t *variable_object(const struct openapi *openapi, enum variable variable)
{
    const struct variable_row *row = &variable_rows[variable];
    return json_pack("{s:s, s:s, s:b, s:s, s:o}", "name", row->name, "in", "path", "required", 1,
                     "description", row->help, "schema", variable_schema(openapi, variable));
}

/* "text/csv" of "text/csv; charset=utf-8". */
static void media_type(enum format format, char ret[NAME_SIZE])
{
    const char *type = format_rows[format].media_type;
    snprintf(ret, NAME_SIZE, "%.*s", (int)strcspn(type, ";"), type);
}

static json_t *format_schema(enum format format)
{
    if (format == FORMAT_JSON || format == FORMAT_JSONLD)
        return json_pack("{s:s}", "type", "object");
    if (format_rows[format].text)
        return json_pack("{s:s}", "type", "string");
    return json_pack("{s:s, s:s}", "type", "string", "format", "binary");
}

/* ---- an operation ---- */

struct operation {
    const struct openapi *openapi;
    const struct route *route;
    enum format format; /* N_FORMATS: the one that is accepted */
    bool is_post;
};

/* Its path; or a name made of it, in which only letters, digits and _ stand. */
static void path_of(const struct operation *operation, char ret[NAME_SIZE])
{
    bool has_extension = operation->format < N_FORMATS;
    snprintf(ret, NAME_SIZE, "%s%s%s", operation->route->pattern, has_extension ? "." : "",
             has_extension ? format_rows[operation->format].extension : "");
}

static void id_of(const struct operation *operation, char ret[NAME_SIZE])
{
    char path[NAME_SIZE];
    path_of(operation, path);
    size_t n = (size_t)snprintf(ret, NAME_SIZE, "%s", operation->is_post ? "post" : "get");
    for (const char *at = path; *at && n + 2 < NAME_SIZE; at++) {
        if (isalnum((unsigned char)*at))
            ret[n++] = *at;
        else if (*at != '}' && ret[n - 1] != '_')
            ret[n++] = '_';
    }
    ret[n] = '\0';
}

/* Pictures have parameters of their own, and are of events alone. */
static bool has_meaning(const struct operation *operation, enum param param)
{
    uint64_t standard[N_PARAMS];
    for (enum param i = 0; i < N_PARAMS; i++)
        standard[i] = param_rows[i].standard;
    if (operation->format == FORMAT_PNG)
        return meaning_has(standard, param);
    return operation->format == N_FORMATS ||
           !(pictured_params(operation->route) & PARAM_BIT(param));
}

static json_t *operation_parameters(const struct operation *operation)
{
    json_t *list = json_array();
    char name[NAME_SIZE];
    for (enum variable variable = 0; variable < N_VARIABLES; variable++)
        if (has_variable(operation->route, variable)) {
            snprintf(name, sizeof name, "path-%s", variable_rows[variable].name);
            json_array_append_new(list, reference("parameters", name));
        }
    for (enum param param = 0; param < N_PARAMS; param++)
        if (operation->route->params & PARAM_BIT(param) && has_meaning(operation, param) &&
            !(operation->is_post && param_rows[param].kind == PARAM_NUMBERS)) {
            snprintf(name, sizeof name, "query-%s", param_rows[param].name);
            json_array_append_new(list, reference("parameters", name));
        }
    return list;
}

static json_t *answer_object(const struct operation *operation, bool has_split)
{
    unsigned formats = operation->format < N_FORMATS ? FORMAT_BIT(operation->format)
                                                     : route_formats(operation->route);
    json_t *content = json_object(), *headers = json_object();
    for (enum format format = 0; format < N_FORMATS; format++)
        if (formats & FORMAT_BIT(format)) {
            char type[NAME_SIZE];
            media_type(format, type);
            json_object_set_new(content, type, json_pack("{s:o}", "schema", format_schema(format)));
        }
    json_object_set_new(headers, WIRE_DIGEST, reference("headers", WIRE_DIGEST));
    if (has_split && !operation->is_post)
        json_object_set_new(headers, "ETag", reference("headers", "ETag"));
    return json_pack("{s:s, s:o, s:o}", "description", operation->route->help, "headers", headers,
                     "content", content);
}

static json_t *operation_responses(const struct operation *operation)
{
    unsigned traits = traits_of(operation->route, operation->format);
    json_t *responses = json_object();
    json_object_set_new(responses, "200", answer_object(operation, traits & HAS_SPLIT));
    if (traits & HAS_RANGE)
        json_object_set_new(responses, "206", answer_object(operation, true));
    if (traits & HAS_SPLIT && !operation->is_post)
        json_object_set_new(responses, "304", reference("responses", "unchanged"));
    for (size_t i = 0; i < N_PROBLEMS; i++) {
        char status[8], name[NAME_SIZE];
        if (!can_have(problems[i].kind, traits))
            continue;
        snprintf(status, sizeof status, "%u", problems[i].status);
        snprintf(name, sizeof name, "problem-%s", status);
        json_object_set_new(responses, status, reference("responses", name));
    }
    return responses;
}

static json_t *body_object(const struct openapi *openapi)
{
    const struct param_row *row = &param_rows[PARAM_INDICES];
    json_t *schema =
        json_pack("{s:s, s:[s], s:{s:o}}", "type", "object", "required", row->name, "properties",
                  row->name, list_schema(row->min, row->max, 0, openapi->settings->max_batch_size));
    return json_pack("{s:b, s:{s:{s:o}}}", "required", 1, "content", WIRE_JSON_TYPE, "schema",
                     schema);
}

static const char *tag_of(const struct route *route)
{
    static const char *const tags[] = {
        [SERVES_HEALTH] = "health",      [SERVES_PAGE] = "page",      [SERVES_METRICS] = "metrics",
        [SERVES_DOCUMENT] = "documents", [SERVES_SAMPLE] = "samples", [SERVES_BATCH] = "batches",
        [SERVES_SHARDS] = "shards",
    };
    return tags[route->serves];
}

static json_t *operation_object(const struct operation *operation)
{
    char id[NAME_SIZE];
    id_of(operation, id);
    json_t *object =
        json_pack("{s:s, s:s, s:[s], s:o, s:o}", "operationId", id, "summary",
                  operation->route->help, "tags", tag_of(operation->route), "parameters",
                  operation_parameters(operation), "responses", operation_responses(operation));
    if (operation->is_post)
        json_object_set_new(object, "requestBody", body_object(operation->openapi));
    if (operation->route->serves == SERVES_HEALTH || operation->route->serves == SERVES_PAGE)
        json_object_set_new(object, "security", json_array());
    if (operation->route->serves == SERVES_METRICS)
        json_object_set_new(object, "security", json_pack("[{s:[]}]", "bearer"));
    return object;
}

static void add_path(json_t *paths, const struct openapi *openapi, const struct route *route,
                     enum format format)
{
    struct operation operation = {.openapi = openapi, .route = route, .format = format};
    char path[NAME_SIZE];
    path_of(&operation, path);
    json_t *item = json_object();
    json_object_set_new(item, "get", operation_object(&operation));
    operation.is_post = true;
    if (route->methods & METHOD_BIT(METHOD_POST))
        json_object_set_new(item, "post", operation_object(&operation));
    json_object_set_new(paths, path, item);
}

/* Each with every ending, and without one. */
static json_t *path_objects(const struct openapi *openapi)
{
    json_t *paths = json_object();
    for (unsigned i = 0; i < n_routes; i++) {
        unsigned formats = route_formats(&routes[i]);
        bool has_endings = routes[i].pattern[strlen(routes[i].pattern) - 1] != '/';
        add_path(paths, openapi, &routes[i], N_FORMATS);
        for (enum format format = 0; has_endings && format < N_FORMATS; format++)
            if (formats & FORMAT_BIT(format))
                add_path(paths, openapi, &routes[i], format);
    }
    return paths;
}

/* ---- the components ---- */

static json_t *parameter_objects(const struct openapi *openapi)
{
    json_t *objects = json_object();
    char name[NAME_SIZE];
    for (enum variable variable = 0; variable < N_VARIABLES; variable++) {
        snprintf(name, sizeof name, "path-%s", variable_rows[variable].name);
        json_object_set_new(objects, name, variable_object(openapi, variable));
    }
    for (enum param param = 0; param < N_PARAMS; param++) {
        snprintf(name, sizeof name, "query-%s", param_rows[param].name);
        json_object_set_new(objects, name, param_object(openapi, &param_rows[param]));
    }
    return objects;
}

/* All problems of one status. */
static json_t *problem_object(unsigned status)
{
    char titles[TEXT_SIZE] = "";
    json_t *codes = json_array();
    for (size_t i = 0, used = 0; i < N_PROBLEMS && used < sizeof titles; i++)
        if (problems[i].status == status) {
            used += (size_t)snprintf(titles + used, sizeof titles - used, "%s%s", used ? "; " : "",
                                     problems[i].title);
            json_array_append_new(codes, json_string(problems[i].code));
        }
    json_t *schema = json_pack("{s:[o, {s:{s:{s:o}}}]}", "allOf", reference("schemas", "Problem"),
                               "properties", "code", "enum", codes);
    return json_pack("{s:s, s:{s:{s:o}}}", "description", titles, "content", WIRE_PROBLEM_TYPE,
                     "schema", schema);
}

static json_t *response_objects(void)
{
    json_t *objects = json_object();
    char name[NAME_SIZE];
    for (size_t i = 0; i < N_PROBLEMS; i++) {
        snprintf(name, sizeof name, "problem-%u", problems[i].status);
        if (!json_object_get(objects, name))
            json_object_set_new(objects, name, problem_object(problems[i].status));
    }
    json_object_set_new(objects, "unchanged",
                        json_pack("{s:s}", "description", "What If-None-Match names is the same"));
    return objects;
}

static json_t *problem_schema(void)
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

static json_t *header_object(const char *help)
{
    return json_pack("{s:s, s:{s:s}}", "description", help, "schema", "type", "string");
}

static json_t *component_objects(const struct openapi *openapi)
{
    return json_pack("{s:o, s:o, s:{s:o}, s:{s:o, s:o}, s:{s:{s:s, s:s}}}", "parameters",
                     parameter_objects(openapi), "responses", response_objects(), "schemas",
                     "Problem", problem_schema(), "headers", WIRE_DIGEST,
                     header_object("CRC-32C of the body (RFC 9530)"), "ETag",
                     header_object("tells revision, format and coding"), "securitySchemes",
                     "bearer", "type", "http", "scheme", "bearer");
}

static void add_limit(const char *name, uint64_t value, void *user)
{
    json_object_set_new(user, name, description_integer(value));
}

static json_t *document(const struct openapi *openapi)
{
    json_t *limits = json_object();
    settings_limits(openapi->settings, add_limit, limits);
    json_t *security = *openapi->settings->token_file ? json_pack("[{s:[]}]", "bearer")
                                                      : json_pack("[{}, {s:[]}]", "bearer");
    json_t *root = json_pack(
        "{s:s, s:{s:s, s:s, s:s, s:{s:s, s:s}}, s:o, s:o, s:o, s:o}", "openapi", "3.1.0", "info",
        "title", "twonmnistd", "version", PACKAGE_VERSION, "description",
        "2NMNIST and N-MNIST: samples, batches and freshly mixed pairs of event-camera recordings. "
        "All is read only; HEAD goes wherever GET does; the ending of a path, or Accept, chooses "
        "the format.",
        "license", "name", "Apache License 2.0", "identifier", "Apache-2.0", "security", security,
        "x-limits", limits, "paths", path_objects(openapi), "components",
        component_objects(openapi));
    char guide[TEXT_SIZE];
    snprintf(guide, sizeof guide, "%s/llms.txt", openapi->base);
    json_object_set_new(root, "externalDocs",
                        json_pack("{s:s, s:s}", "description", "where to begin", "url", guide));
    if (*openapi->base)
        json_object_set_new(root, "servers", json_pack("[{s:s}]", "url", openapi->base));
    return root;
}

int openapi_write(const void *openapi, char **ret, size_t *ret_size, struct error *why)
{
    json_memory_begin();
    return description_write(document(openapi), ret, ret_size, why);
}
