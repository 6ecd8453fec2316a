/* SPDX-License-Identifier: Apache-2.0
 * What a parameter, a variable of a path and a body are, in OpenAPI's words. */
#pragma once

#include <stdbool.h>

#include "server/description.h"
#include "server/route.h"
#include "server/samples/catalog.h"
#include "server/settings.h"

enum { OPENAPI_NAME_SIZE = 192 }; /* of paths, and of names made of them */

bool openapi_has_variable(const struct route *route, enum variable variable);

/* {"$ref": "#/components/SECTION/NAME"} */
json_t *openapi_reference(const char *section, const char *name);

/* `least` to `most` numbers from min to max. */
json_t *openapi_list_schema(uint64_t min, uint64_t max, int least, uint64_t most);

json_t *openapi_param(const struct catalog *catalog, const struct settings *settings,
                      const struct param_row *row);
json_t *openapi_variable(const struct catalog *catalog, enum variable variable);

/* "text/csv" of "text/csv; charset=utf-8". */
void openapi_media_type(enum format format, char ret[OPENAPI_NAME_SIZE]);
json_t *openapi_format_schema(enum format format);
