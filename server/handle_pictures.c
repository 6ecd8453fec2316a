/* SPDX-License-Identifier: Apache-2.0
 * Contact sheets: a page of samples as one picture. */
#include <inttypes.h>

#include "common/picture.h"
#include "server/handlers.h"
#include "server/paging.h"
#include "server/pictured.h"
#include "server/problem.h"
#include "server/samples/cost.h"

bool check_sheet(struct request *request, struct reply *reply)
{
    const struct form *form = &request->form;
    uint64_t most = service_settings(request->service)->max_batch_size;
    uint64_t n = request_page_length(request), length = request->params[PARAM_LENGTH];
    if (length > PICTURE_SHEET_MAX) {
        problem_number(request, reply, PROBLEM_TOO_LARGE, "limit", PICTURE_SHEET_MAX,
                       "length is %" PRIu64 "; a contact sheet has %d samples at most", length,
                       PICTURE_SHEET_MAX);
        return false;
    }
    if (length > most) {
        problem_number(request, reply, PROBLEM_TOO_LARGE, "limit", most,
                       "length is %" PRIu64 "; max_batch_size is %" PRIu64, length, most);
        return false;
    }
    if (n == 0) {
        problem(request, reply, PROBLEM_NO_SUCH_SAMPLE,
                "offset is %" PRIu64 "; of samples that could be shown there are %" PRIu64,
                request->params[PARAM_OFFSET], request_n_samples(request));
        return false;
    }
    const struct cost cost = {
        .n = n,
        .mixed = form->has_order,
        .text = false,
        .head = request->method == METHOD_HEAD,
        .pixels = encode_png_sheet_pixels(form, n),
    };
    request->cost_us = cost_us(request->entry, form, &cost) + paging_order_us(request);
    return pictured_check_sheet(request, reply, n);
}

static int add_sheet(struct request *request, struct reply *reply, struct error *why)
{
    struct rows rows = paging_rows(request, request_page_length(request));
    uint64_t positions[PICTURE_SHEET_MAX];
    int r = paging_find(request, reply, &rows, why);
    if (r < 0)
        return r;
    for (uint64_t i = 0; i < rows.n; i++)
        positions[i] = rows_position(&rows, i);
    const struct batch batch = {
        .entry = request->entry,
        .kind = BATCH_STORED,
        .indices = positions,
        .n = rows.n,
    };
    return encode_png_sheet(&batch, &request->form, reply, why);
}

void handle_sheet(struct request *request, struct reply *reply)
{
    struct error why;
    int r = add_sheet(request, reply, &why);
    if (r < 0)
        problem_error(request, reply, r, &why);
}
