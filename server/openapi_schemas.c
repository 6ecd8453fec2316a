/* SPDX-License-Identifier: Apache-2.0
 * What a parameter, a variable of a path and a body are, in OpenAPI's words. */
#include "server/openapi_schemas.h"

#include <stdio.h>
#include <string.h>

#include "common/wire.h"

enum { REFERENCE_SIZE = OPENAPI_NAME_SIZE + 40, HELP_SIZE = 640 };

bool openapi_has_variable(const struct route *route, enum variable variable)
{
    char name[OPENAPI_NAME_SIZE];
    snprintf(name, sizeof name, "{%s}", variable_rows[variable].name);
    return strstr(route->pattern, name) != NULL;
}

json_t *openapi_reference(const char *section, const char *name)
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

json_t *openapi_list_schema(uint64_t min, uint64_t max, int least, uint64_t most)
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
static json_t *name_schema(const struct catalog *catalog, bool of_sources)
{
    json_t *names = json_array();
    for (size_t i = 0; i < catalog->n_entries; i++)
        if (!of_sources || catalog->entries[i]->is_source)
            json_array_append_new(names, json_string(catalog->entries[i]->name));
    char pattern[OPENAPI_NAME_SIZE];
    snprintf(pattern, sizeof pattern, "^[^/@]{1,%d}(@[%s]{%d,%d})?$", WIRE_NAME_MAX,
             WIRE_REVISION_DIGITS, WIRE_REVISION_MIN, WIRE_REVISION_MAX);
    return json_pack("{s:s, s:s, s:o}", "type", "string", "pattern", pattern, "examples", names);
}

static json_t *param_schema(const struct catalog *catalog, const struct settings *settings,
                            const struct param_row *row)
{
    json_t *schema = NULL;
    switch (row->kind) {
    case PARAM_CHOICE:
        return choice_schema(row);
    case PARAM_NUMBERS:
        return openapi_list_schema(row->min, row->max, 1, settings->max_batch_size);
    case PARAM_LABELS:
        return openapi_list_schema(row->min, row->max, 1, row->max + 1);
    case PARAM_NAME:
        return name_schema(catalog, false);
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

json_t *openapi_param(const struct catalog *catalog, const struct settings *settings,
                      const struct param_row *row)
{
    char help[HELP_SIZE];
    snprintf(help, sizeof help, row->without ? "%s; without it: %s" : "%s", row->help,
             row->without);
    json_t *object = json_pack("{s:s, s:s, s:s, s:o}", "name", row->name, "in", "query",
                               "description", help, "schema", param_schema(catalog, settings, row));
    if (is_list(row))
        json_object_set_new(object, "explode", json_false());
    return object;
}

static json_t *variable_schema(const struct catalog *catalog, enum variable variable)
{
    const struct variable_row *row = &variable_rows[variable];
    if (row->kind == VARIABLE_NAME)
        return name_schema(catalog, variable == VARIABLE_SOURCE);
    if (row->kind == VARIABLE_NUMBER)
        return integer_schema(0, row->max);
    if (row->kind == VARIABLE_NUMBERS)
        return openapi_list_schema(0, row->max, 2, MIX_MAX_DIGITS);
    return json_pack("{s:s}", "type", "string");
}

json_t *openapi_variable(const struct catalog *catalog, enum variable variable)
{
    const struct variable_row *row = &variable_rows[variable];
    return json_pack("{s:s, s:s, s:b, s:s, s:o}", "name", row->name, "in", "path", "required", 1,
                     "description", row->help, "schema", variable_schema(catalog, variable));
}

void openapi_media_type(enum format format, char ret[OPENAPI_NAME_SIZE])
{
    const char *type = format_rows[format].media_type;
    snprintf(ret, OPENAPI_NAME_SIZE, "%.*s", (int)strcspn(type, ";"), type);
}

json_t *openapi_format_schema(enum format format)
{
    if (format == FORMAT_JSON || format == FORMAT_JSONLD)
        return json_pack("{s:s}", "type", "object");
    if (format_rows[format].text)
        return json_pack("{s:s}", "type", "string");
    return json_pack("{s:s, s:s}", "type", "string", "format", "binary");
}
