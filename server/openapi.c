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
#include "server/openapi_problems.h"
#include "server/openapi_schemas.h"
#include "server/pictured.h"

enum { GUIDE_SIZE = 640 };

/* ---- an operation ---- */

struct operation {
    const struct openapi *openapi;
    const struct route *route;
    enum format format; /* N_FORMATS: the one that is accepted */
    bool is_post;
};

/* Its path; or a name made of it, in which only letters, digits and _ stand. */
static void path_of(const struct operation *operation, char ret[OPENAPI_NAME_SIZE])
{
    bool has_extension = operation->format < N_FORMATS;
    snprintf(ret, OPENAPI_NAME_SIZE, "%s%s%s", operation->route->pattern, has_extension ? "." : "",
             has_extension ? format_rows[operation->format].extension : "");
}

static void id_of(const struct operation *operation, char ret[OPENAPI_NAME_SIZE])
{
    char path[OPENAPI_NAME_SIZE];
    path_of(operation, path);
    size_t n = (size_t)snprintf(ret, OPENAPI_NAME_SIZE, "%s", operation->is_post ? "post" : "get");
    for (const char *at = path; *at && n + 2 < OPENAPI_NAME_SIZE; at++) {
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
    char name[OPENAPI_NAME_SIZE];
    for (enum variable variable = 0; variable < N_VARIABLES; variable++)
        if (openapi_has_variable(operation->route, variable)) {
            snprintf(name, sizeof name, "path-%s", variable_rows[variable].name);
            json_array_append_new(list, openapi_reference("parameters", name));
        }
    for (enum param param = 0; param < N_PARAMS; param++)
        if (operation->route->params & PARAM_BIT(param) && has_meaning(operation, param) &&
            !(operation->is_post && param_rows[param].kind == PARAM_NUMBERS)) {
            snprintf(name, sizeof name, "query-%s", param_rows[param].name);
            json_array_append_new(list, openapi_reference("parameters", name));
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
            char type[OPENAPI_NAME_SIZE];
            openapi_media_type(format, type);
            json_object_set_new(content, type,
                                json_pack("{s:o}", "schema", openapi_format_schema(format)));
        }
    json_object_set_new(headers, WIRE_DIGEST, openapi_reference("headers", WIRE_DIGEST));
    if (has_split && !operation->is_post)
        json_object_set_new(headers, "ETag", openapi_reference("headers", "ETag"));
    return json_pack("{s:s, s:o, s:o}", "description", operation->route->help, "headers", headers,
                     "content", content);
}

static json_t *operation_responses(const struct operation *operation)
{
    unsigned traits = openapi_traits(operation->route, operation->format);
    json_t *responses = json_object();
    json_object_set_new(responses, "200", answer_object(operation, traits & HAS_SPLIT));
    if (traits & HAS_RANGE)
        json_object_set_new(responses, "206", answer_object(operation, true));
    if (traits & HAS_SPLIT && !operation->is_post)
        json_object_set_new(responses, "304", openapi_reference("responses", "unchanged"));
    openapi_add_problems(responses, traits);
    return responses;
}

static json_t *body_object(const struct openapi *openapi)
{
    const struct param_row *row = &param_rows[PARAM_INDICES];
    json_t *schema = json_pack(
        "{s:s, s:[s], s:{s:o}}", "type", "object", "required", row->name, "properties", row->name,
        openapi_list_schema(row->min, row->max, 0, openapi->settings->max_batch_size));
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
    char id[OPENAPI_NAME_SIZE];
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
    char path[OPENAPI_NAME_SIZE];
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
    char name[OPENAPI_NAME_SIZE];
    for (enum variable variable = 0; variable < N_VARIABLES; variable++) {
        snprintf(name, sizeof name, "path-%s", variable_rows[variable].name);
        json_object_set_new(objects, name, openapi_variable(openapi->catalog, variable));
    }
    for (enum param param = 0; param < N_PARAMS; param++) {
        snprintf(name, sizeof name, "query-%s", param_rows[param].name);
        json_object_set_new(objects, name,
                            openapi_param(openapi->catalog, openapi->settings, &param_rows[param]));
    }
    return objects;
}

static json_t *response_objects(void)
{
    json_t *objects = json_object();
    openapi_add_problem_responses(objects);
    json_object_set_new(objects, "unchanged",
                        json_pack("{s:s}", "description", "What If-None-Match names is the same"));
    return objects;
}

static json_t *header_object(const char *help)
{
    return json_pack("{s:s, s:{s:s}}", "description", help, "schema", "type", "string");
}

static json_t *component_objects(const struct openapi *openapi)
{
    return json_pack("{s:o, s:o, s:{s:o}, s:{s:o, s:o}, s:{s:{s:s, s:s}}}", "parameters",
                     parameter_objects(openapi), "responses", response_objects(), "schemas",
                     "Problem", openapi_problem_schema(), "headers", WIRE_DIGEST,
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
    char guide[GUIDE_SIZE];
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
