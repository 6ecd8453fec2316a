/* SPDX-License-Identifier: Apache-2.0
 * From the text of a URL to checked values. */
#include "server/arguments.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "server/meaning.h"
#include "server/problem.h"

/* -E2BIG is about a limit, all else about the parameter. */
static bool number_problem(struct request *request, struct reply *reply, int r, uint64_t limit,
                           const struct error *why)
{
    if (r == -E2BIG)
        problem_number(request, reply, PROBLEM_TOO_LARGE, "limit", limit, "%s", why->text);
    else if (r == -ENOMEM)
        problem_error(request, reply, r, why);
    else if (r < 0)
        problem(request, reply, PROBLEM_BAD_PARAMETER, "%s", why->text);
    return r < 0;
}

static bool read_numbers(struct request *request, struct reply *reply, const char *name,
                         const char *text, size_t n)
{
    struct error why;
    size_t most = service_settings(request->service)->max_batch_size;
    int r = number_parse_list(name, text, n, most, INT32_MAX, &request->numbers, &why);
    return !number_problem(request, reply, r, most, &why);
}

static bool read_param(struct request *request, struct reply *reply, uint64_t allowed,
                       const char *name, const char *value)
{
    enum param param = param_find(name);
    struct error why;
    if (param == N_PARAMS || !(allowed & PARAM_BIT(param))) {
        problem(request, reply, PROBLEM_BAD_PARAMETER, "this path takes no parameter \"%.40s\"",
                name);
        return false;
    }
    if (request->given & PARAM_BIT(param)) {
        problem(request, reply, PROBLEM_BAD_PARAMETER, "%s is given twice", name);
        return false;
    }
    request->given |= PARAM_BIT(param);
    if (param_rows[param].kind == PARAM_NUMBERS)
        return read_numbers(request, reply, name, value, strlen(value));
    if (param_rows[param].kind == PARAM_NAME) {
        request->split = value;
        return true;
    }
    int r = ARGUMENTS_VIEW & PARAM_BIT(param)
                ? view_set(&request->rule, arguments_view_word(param), value, strlen(value), &why)
                : param_value(param, value, &request->params[param], &why);
    return !number_problem(request, reply, r, 0, &why);
}

static bool read_params(struct request *request, struct reply *reply, uint64_t allowed)
{
    for (enum param param = 0; param < N_PARAMS; param++)
        request->params[param] = param_rows[param].standard;
    if (request->n_query > REQUEST_MAX_QUERY) {
        problem(request, reply, PROBLEM_BAD_PARAMETER, "more than %d parameters",
                REQUEST_MAX_QUERY);
        return false;
    }
    for (unsigned i = 0; i < request->n_query; i++)
        if (!read_param(request, reply, allowed, request->query[i].name, request->query[i].value))
            return false;
    struct error why;
    if (meaning_check(request->params, request->given, &why) < 0) {
        problem(request, reply, PROBLEM_BAD_PARAMETER, "%s", why.text);
        return false;
    }
    if (request->method == METHOD_POST && request_gave(request, PARAM_INDICES)) {
        problem(request, reply, PROBLEM_BAD_PARAMETER, "indices stand in the URL and in the body");
        return false;
    }
    return true;
}

static bool is_revision(const char *text, size_t n)
{
    return n >= WIRE_REVISION_MIN && n <= WIRE_REVISION_MAX &&
           strspn(text, WIRE_REVISION_DIGITS) >= n;
}

/* The split named by "name" or "name@revision". */
static bool find_entry(struct request *request, struct reply *reply, const char *text, size_t n,
                       bool must_be_source)
{
    const char *at = memchr(text, '@', n);
    size_t n_name = at ? (size_t)(at - text) : n, n_revision = at ? n - n_name - 1 : 0;
    int shown = (int)(n_name < WIRE_NAME_MAX ? n_name : WIRE_NAME_MAX);
    struct entry *entry = catalog_find(request->catalog, text, n_name);
    if (!entry)
        problem(request, reply, PROBLEM_NO_SUCH_SPLIT, "there is no split \"%.*s\"", shown, text);
    else if (must_be_source && !entry->is_source)
        problem(request, reply, PROBLEM_NO_SUCH_SPLIT, "%s is not a source split", entry->name);
    else if (at && !is_revision(at + 1, n_revision))
        problem(request, reply, PROBLEM_BAD_PARAMETER,
                "a revision is %d to %d lower-case hexadecimal digits", WIRE_REVISION_MIN,
                WIRE_REVISION_MAX);
    else if (at && memcmp(at + 1, entry->revision, n_revision) != 0)
        problem(request, reply, PROBLEM_NO_SUCH_REVISION, "split %s is loaded at revision %s",
                entry->name, entry->revision);
    else if (entry_is_damaged(entry))
        problem(request, reply, PROBLEM_SPLIT_DAMAGED, "split %s is damaged", entry->name);
    else {
        request->entry = entry;
        request->form.frames.geometry = *split_geometry(entry->split);
        request->pinned = at != NULL;
        return true;
    }
    return false;
}

/* The split of a path that has no place for its name. */
static bool find_named(struct request *request, struct reply *reply, uint64_t allowed)
{
    if (!(allowed & PARAM_BIT(PARAM_SPLIT)))
        return true;
    if (request->split)
        return find_entry(request, reply, request->split, strlen(request->split), false);
    problem(request, reply, PROBLEM_BAD_PARAMETER, "split is missing");
    return false;
}

static bool read_variable(struct request *request, struct reply *reply, enum variable variable,
                          const char *at, size_t n)
{
    const struct variable_row *row = &variable_rows[variable];
    struct error why;
    int r = 0;
    switch (row->kind) {
    case VARIABLE_NAME:
        return find_entry(request, reply, at, n, variable == VARIABLE_SOURCE);
    case VARIABLE_NUMBERS:
        return read_numbers(request, reply, row->name, at, n);
    case VARIABLE_NUMBER:
        r = number_parse(row->name, at, n, 0, row->max, &request->variables[variable], &why);
        break;
    case VARIABLE_WORD: /* its route looks */
        break;
    }
    return !number_problem(request, reply, r, 0, &why);
}

static struct filter filter_of(const struct request *request)
{
    const uint64_t *params = request->params;
    return (struct filter){
        .stabilize = params[PARAM_STABILIZE],
        .t0_us = (uint32_t)params[PARAM_T0],
        .t1_us = (uint32_t)params[PARAM_T1],
        .denoise_us = request_gave(request, PARAM_DENOISE) ? (uint32_t)params[PARAM_DENOISE] : 0,
        .merge_polarity = params[PARAM_POLARITY],
    };
}

static struct slice_rule slice_of(const struct request *request)
{
    const uint64_t *params = request->params;
    bool strides = request_gave(request, PARAM_STRIDE);
    return (struct slice_rule){
        .slice = (enum slice)params[PARAM_SLICE],
        .timestep_us = (uint32_t)params[PARAM_TIMESTEP],
        .bins = (uint32_t)params[PARAM_BINS],
        .binning = (enum frames_binning)params[PARAM_BINNING],
        .stride_us = (uint32_t)params[strides ? PARAM_STRIDE : PARAM_TIMESTEP],
        .has_range = request_gave(request, PARAM_START),
        .start_us = (uint32_t)params[PARAM_START],
        .end_us = (uint32_t)params[PARAM_END],
        .n_events = (uint32_t)params[PARAM_EVENTS],
        .stride_events = (uint32_t)params[strides ? PARAM_STRIDE : PARAM_EVENTS],
        .incomplete = params[PARAM_INCOMPLETE],
        .bin_overlap = param_real(params[PARAM_BIN_OVERLAP]),
    };
}

/* Of the parameters that change events or cut them none need be given: what they are without is
 * known. */
static void set_form(struct request *request)
{
    const uint64_t *params = request->params;
    bool as_events = params[PARAM_AS] == FORM_EVENTS;
    request->form = (struct form){
        .as = (enum form_as)params[PARAM_AS],
        .has_order = request_gave(request, PARAM_ORDER),
        .order = (enum mix_order)params[PARAM_ORDER],
        .timestep_us = request_gave(request, PARAM_TIMESTEP) && as_events
                           ? (uint32_t)params[PARAM_TIMESTEP]
                           : 0,
        .filter = filter_none,
        .frames = {.timestep_us = (uint32_t)params[PARAM_TIMESTEP],
                   .bins = (uint32_t)params[PARAM_BINS],
                   .binning = (enum frames_binning)params[PARAM_BINNING],
                   .overlap = (enum frames_overlap)params[PARAM_OVERLAP],
                   .axes = (enum frames_axes)params[PARAM_AXES],
                   .values = params[PARAM_VALUES] ? FRAMES_U16 : FRAMES_U8},
        .picture = {.scale = (uint32_t)params[PARAM_SCALE],
                    .strip = (uint32_t)params[PARAM_STRIP],
                    .frames = (uint32_t)params[PARAM_FRAMES]},
    };
    if (request->given & ARGUMENTS_FILTERS) {
        request->form.filter = filter_of(request);
        request->form.is_filtered = !filter_keeps_all(&request->form.filter);
    }
    if (!as_events) {
        request->form.slice = slice_of(request);
        request->form.is_voxel = params[PARAM_SLICE] == FORM_SLICE_VOXEL;
        if (request->form.is_voxel) /* which has as many frames */
            request->form.slice.slice = SLICE_TIME;
    }
}

/* With a limit that many frames pass before a sample is looked at, and an order that there has to
 * be. */
static bool check_form(struct request *request, struct reply *reply)
{
    const struct form *form = &request->form;
    struct error what;
    uint32_t n;
    if (form->as != FORM_EVENTS && slices_are_fixed(&form->slice, &n) && n > FRAMES_BINS_MAX) {
        problem_number(request, reply, PROBLEM_TOO_LARGE, "limit", FRAMES_BINS_MAX,
                       "from start to end are %" PRIu32 " windows; the limit is %d", n,
                       FRAMES_BINS_MAX);
        return false;
    }
    enum mix_order order = form->has_order  ? form->order
                           : request->entry ? request->entry->order
                                            : MIX_TIME;
    if (order != MIX_PUBLISHED || !form_needs_time(form, &what))
        return true;
    problem(request, reply, PROBLEM_BAD_PARAMETER,
            "%s need events in order of time; order=published is not%s", what.text,
            form->has_order ? "" : ", in which this split is stored: order=time goes");
    return false;
}

_Static_assert(PARAM_FOLD_SEED - PARAM_KIND == VIEW_FOLD_SEED, "a parameter is a word of a view");

/* Whether the words of the view go together, and with the split. */
static bool check_view(struct request *request, struct reply *reply)
{
    struct error why;
    if (!request->rule.given)
        return true;
    int r = view_check(&request->rule, &why);
    if (r == 0)
        r = view_check_labels(&request->rule, split_geometry(request->entry->split)->n_labels,
                              &why);
    return !number_problem(request, reply, r, 0, &why);
}

bool arguments_read(struct request *request, struct reply *reply, uint64_t allowed,
                    const struct match *match)
{
    if (!read_params(request, reply, allowed))
        return false;
    set_form(request);
    for (unsigned i = 0; i < match->n; i++)
        if (!read_variable(request, reply, match->captures[i].variable, match->captures[i].at,
                           match->captures[i].n))
            return false;
    return find_named(request, reply, allowed) && check_form(request, reply) &&
           check_view(request, reply);
}
