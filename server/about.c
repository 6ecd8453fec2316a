/* SPDX-License-Identifier: Apache-2.0
 * What a batch says of itself. */
#include "server/about.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/fraction.h"
#include "server/arguments.h"
#include "server/meaning.h"
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

static void add_fraction(struct about *about, const char *key, double value)
{
    char *text = about->texts[about->n];
    fraction_text(value, text);
    add(about, key, text);
}

/* No mix has more of them than there is room for. */
static const char *add_list(const struct request *request, struct about *about, const char *key)
{
    size_t n = 0;
    about->list[0] = '\0';
    for (size_t i = 0; i < request->numbers.n && n < sizeof about->list; i++)
        n += (size_t)snprintf(about->list + n, sizeof about->list - n, "%s%" PRIu64, i ? "," : "",
                              request->numbers.items[i]);
    assert(n < sizeof about->list);
    add(about, key, about->list);
    return about->list;
}

/* What stands in the path for the variable; where it is a number, it is said by itself, too. */
static const char *add_variable(const struct request *request, enum variable variable,
                                struct about *about)
{
    const struct variable_row *row = &variable_rows[variable];
    switch (row->kind) {
    case VARIABLE_NUMBER:
        return add_number(about, row->name, request->variables[variable]);
    case VARIABLE_NUMBERS:
        return add_list(request, about, row->name);
    case VARIABLE_NAME:
    case VARIABLE_WORD:
        break;
    }
    return request->entry->name;
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
        const char *value = add_variable(request, variable_find(at + 1, length), about);
        n += (size_t)snprintf(about->path + n, sizeof about->path - n, "%s", value);
        at += 1 + length;
    }
    about->path[n] = '\0';
}

/* Whether the parameter has any part in the bytes. The indices are a tensor of the batch. */
static bool shapes(const struct request *request, enum param param)
{
    const struct form *form = &request->form;
    if (ARGUMENTS_VIEW & PARAM_BIT(param))
        return request->rule.given & VIEW_BIT(arguments_view_word(param));
    if (!meaning_has(request->params, param) || (ARGUMENTS_PICTURE & PARAM_BIT(param)))
        return false;
    switch (param) {
    case PARAM_TIMESTEP:
        return form->as != FORM_EVENTS || form->timestep_us;
    case PARAM_START:
    case PARAM_END:
        return form->slice.has_range;
    case PARAM_DENOISE:
        return form->filter.denoise_us;
    case PARAM_SLICE:
    case PARAM_VALUES:
    case PARAM_STABILIZE:
    case PARAM_T0:
    case PARAM_T1:
    case PARAM_POLARITY: /* they are younger than batches: nothing is said where nothing changed */
        return request->params[param] != param_rows[param].standard;
    default:
        return param_rows[param].kind != PARAM_NUMBERS;
    }
}

/* Also of a parameter that is not given, where that depends on others. */
static uint64_t value_of(const struct request *request, enum param param)
{
    const struct slice_rule *slice = &request->form.slice;
    if (param == PARAM_ORDER && !request->form.has_order)
        return request->entry->order;
    if (param == PARAM_STRIDE)
        return slice->slice == SLICE_EVENT_COUNT ? slice->stride_events : slice->stride_us;
    return request->params[param];
}

static void add_params(const struct request *request, struct about *about)
{
    char *words = about->view;
    for (enum param param = 0; param < N_PARAMS; param++) {
        const struct param_row *row = &param_rows[param];
        if (!(request->route->params & PARAM_BIT(param)) || !shapes(request, param))
            continue;
        if (ARGUMENTS_VIEW & PARAM_BIT(param)) {
            view_word_text(&request->rule, arguments_view_word(param), words);
            add(about, row->name, words);
            words += strlen(words) + 1;
            continue;
        }
        uint64_t value = value_of(request, param);
        if (row->kind == PARAM_CHOICE)
            add(about, row->name, row->choices[value]);
        else if (row->kind == PARAM_REAL)
            add_fraction(about, row->name, param_real(value));
        else
            add_number(about, row->name, value);
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
