/* SPDX-License-Identifier: Apache-2.0
 * What a batch says of itself. */
#include "server/about.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "server/arguments.h"
#include "server/route.h"

static void add(struct about *about, const char *key, const char *value)
{
    assert(about->n < ABOUT_ROWS);
    about->rows[about->n++] = (struct meta){key, value};
}

static const char *add_number(struct about *about, const char *key, uint64_t value)
{
    char *text = about->texts[about->n];
    snprintf(text, ABOUT_TEXT, "%" PRIu64, value);
    add(about, key, text);
    return text;
}

/* The path, written in one way whether or not revision and format stand in it; and its numbers. */
static void add_path(const struct request *request, struct about *about)
{
    size_t n = 0;
    add(about, "request", about->path);
    for (const char *at = request->route->pattern; *at; at++) {
        if (*at != '{') {
            about->path[n++] = *at;
            continue;
        }
        size_t length = strcspn(at + 1, "}");
        enum variable variable = variable_find(at + 1, length);
        const char *value = request->entry->name;
        if (variable_rows[variable].kind == VARIABLE_NUMBER)
            value = add_number(about, variable_rows[variable].name, request->variables[variable]);
        n += (size_t)snprintf(about->path + n, sizeof about->path - n, "%s", value);
        at += 1 + length;
    }
    about->path[n] = '\0';
}

/* Whether the parameter has any part in the bytes. The indices are a tensor of the batch. */
static bool shapes(const struct request *request, enum param param)
{
    bool as_frames = request->form.as == FORM_FRAMES;
    if (param == PARAM_TIMESTEP)
        return as_frames || request->form.timestep_us;
    if (ARGUMENTS_FRAMES & PARAM_BIT(param))
        return as_frames;
    return param_rows[param].kind != PARAM_NUMBERS;
}

static uint64_t value_of(const struct request *request, enum param param)
{
    bool stored = param == PARAM_ORDER && !request->form.has_order;
    return stored ? request->entry->order : request->params[param];
}

static void add_params(const struct request *request, struct about *about)
{
    for (enum param param = 0; param < N_PARAMS; param++) {
        const struct param_row *row = &param_rows[param];
        if (!(request->route->params & PARAM_BIT(param)) || !shapes(request, param))
            continue;
        if (row->kind == PARAM_CHOICE)
            add(about, row->name, row->choices[value_of(request, param)]);
        else
            add_number(about, row->name, request->params[param]);
    }
}

void about_request(const struct request *request, struct about *ret)
{
    ret->n = 0;
    add(ret, "split", request->entry->name);
    add(ret, "revision", request->entry->revision);
    add_path(request, ret);
    add_params(request, ret);
}
