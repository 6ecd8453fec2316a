/* SPDX-License-Identifier: Apache-2.0
 * Single samples: stored, mixed now, fresh. */
#include "server/about.h"
#include "server/handlers.h"
#include "server/problem.h"
#include "server/samples/cost.h"

/* `recipe` is NULL where it is not known yet. */
static bool weigh(struct request *request, const struct recipe *recipe, bool mixed)
{
    const struct cost cost = {
        .n = 1,
        .mixed = mixed,
        .text = format_rows[request->format].text,
        .head = request->method == METHOD_HEAD,
        .pixels = request->format == FORMAT_PNG ? encode_png_pixels(&request->form) : 0,
    };
    request->cost_us = cost_us(request->entry, &request->form, &cost);
    if (entry_is_cold(request->entry) && !(recipe && recipe_is_there(recipe)))
        request->cost_us += cost_cold_us(1);
    return true;
}

static int encode(struct request *request, struct reply *reply, const struct recipe *recipe,
                  struct error *why)
{
    const struct format_row *format = &format_rows[request->format];
    if (format->sample)
        return format->sample(request->entry, &request->form, recipe, reply, why);
    struct about about;
    about_request(request, &about);
    const struct batch batch = {
        .entry = request->entry,
        .kind = BATCH_SINGLE,
        .single = recipe,
        .n = 1,
        .about = about.rows,
        .n_about = about.n,
    };
    return format->batch(&batch, &request->form, reply, why);
}

static void answer(struct request *request, struct reply *reply, int r, const struct recipe *recipe,
                   struct error *why)
{
    if (r == 0)
        r = encode(request, reply, recipe, why);
    if (r < 0)
        problem_error(request, reply, r, why);
}

bool check_sample(struct request *request, struct reply *reply)
{
    struct recipe recipe;
    struct error why;
    int r = recipe_sample(request->entry, &request->form, request->variables[VARIABLE_I], &recipe,
                          &why);
    if (r < 0)
        problem_error(request, reply, r, &why);
    return r == 0 && weigh(request, &recipe, recipe.kind == RECIPE_MIX && recipe.k > 1);
}

void handle_sample(struct request *request, struct reply *reply)
{
    struct recipe recipe;
    struct error why;
    int r = recipe_sample(request->entry, &request->form, request->variables[VARIABLE_I], &recipe,
                          &why);
    answer(request, reply, r, &recipe, &why);
}

bool check_mix(struct request *request, struct reply *reply)
{
    struct recipe recipe;
    struct error why;
    int r = recipe_mix(request->entry, &request->form, request->numbers.items, request->numbers.n,
                       &recipe, &why);
    if (r < 0)
        problem_error(request, reply, r, &why);
    return r == 0 && weigh(request, &recipe, true);
}

void handle_mix(struct request *request, struct reply *reply)
{
    struct recipe recipe;
    struct error why;
    int r = recipe_mix(request->entry, &request->form, request->numbers.items, request->numbers.n,
                       &recipe, &why);
    answer(request, reply, r, &recipe, &why);
}

bool check_pair(struct request *request, struct reply *reply)
{
    if (!request->entry->has_pairs)
        problem(request, reply, PROBLEM_BAD_PARAMETER, "%s has no fresh pairs: %s",
                request->entry->name, request->entry->no_pairs.text);
    return request->entry->has_pairs && weigh(request, NULL, true);
}

void handle_pair(struct request *request, struct reply *reply)
{
    struct recipe recipe;
    struct error why;
    recipe_pair(request->entry, &request->form, request->variables[VARIABLE_SEED],
                request->variables[VARIABLE_INDEX], &recipe);
    answer(request, reply, 0, &recipe, &why);
}
