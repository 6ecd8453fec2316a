/* SPDX-License-Identifier: Apache-2.0
 * One sample as an answer: packed events, structured events or frames. */
#include <endian.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/crc32c.h"
#include "common/npy.h"
#include "server/problem.h"
#include "server/samples/base64.h"
#include "server/samples/budget.h"
#include "server/samples/encode.h"

struct frames_rule encode_frames_rule(const struct request *request)
{
    return (struct frames_rule){
        .timestep_us = (uint32_t)request->params[PARAM_TIMESTEP],
        .bins = (uint32_t)request->params[PARAM_BINS],
        .binning = (enum frames_binning)request->params[PARAM_BINNING],
        .overlap = (enum frames_overlap)request->params[PARAM_OVERLAP],
        .axes = (enum frames_axes)request->params[PARAM_AXES],
    };
}

bool encode_claim(const struct request *request, struct reply *reply, uint64_t size)
{
    uint64_t limit = service_settings(request->service)->max_answer_bytes;
    if (size > limit) {
        problem_number(reply, request, PROBLEM_TOO_LARGE, "limit", limit,
                       "the answer may take %" PRIu64 " bytes; max_answer_bytes is %" PRIu64, size,
                       limit);
        return false;
    }
    if (!budget_claim(size)) {
        problem(reply, request, PROBLEM_BUSY,
                "the answers being made take all of max_pending_bytes");
        return false;
    }
    reply->n_claimed += size;
    return true;
}

void *encode_alloc(const struct request *request, struct reply *reply, uint64_t size)
{
    if (!encode_claim(request, reply, size))
        return NULL;
    void *bytes = malloc(size ? size : 1);
    if (!bytes)
        problem(reply, request, PROBLEM_NO_MEMORY, "no memory for %" PRIu64 " bytes", size);
    else if (reply_own(reply, bytes, 0) < 0) {
        bytes = NULL;
        problem(reply, request, PROBLEM_NO_MEMORY, "no memory for the answer");
    }
    return bytes;
}

/* The sample's events, from the map or mixed into memory of the reply. */
static bool events_of(const struct request *request, struct reply *reply,
                      const struct recipe *recipe, struct event_span *ret)
{
    *ret = recipe->parts[0];
    if (recipe->kind == RECIPE_STORED)
        return true;
    uint8_t *bytes = encode_alloc(request, reply, recipe_max_events(recipe) * EVENT_BYTES);
    if (!bytes)
        return false;
    struct error why;
    *ret = (struct event_span){.bytes = bytes};
    if (recipe_make(recipe, bytes, &ret->n_events, &why) < 0) {
        problem(reply, request, PROBLEM_BAD_PARAMETER, "%s", why.text);
        return false;
    }
    return true;
}

static void add_body(const struct request *request, struct reply *reply, const void *bytes,
                     size_t size)
{
    if (reply_borrow(reply, bytes, size) < 0)
        problem(reply, request, PROBLEM_NO_MEMORY, "no memory for the answer");
}

static void add_npy(const struct request *request, struct reply *reply, const char *descr,
                    const uint64_t *dims, unsigned n_dims, const void *bytes, size_t size)
{
    char *header = encode_alloc(request, reply, NPY_HEADER_MAX);
    if (!header)
        return;
    add_body(request, reply, header, npy_header(header, descr, dims, n_dims));
    add_body(request, reply, bytes, size);
}

static void encode_frames(const struct request *request, struct reply *reply,
                          struct event_span events)
{
    struct frames_rule rule = encode_frames_rule(request);
    uint8_t *frames = encode_alloc(request, reply, frames_size(&rule));
    if (!frames)
        return;
    frames_fill(&rule, events, frames);
    uint64_t shape[FRAMES_DIMS];
    frames_shape(&rule, shape);
    if (request->format == FORMAT_NPY)
        add_npy(request, reply, "'|u1'", shape, FRAMES_DIMS, frames, frames_size(&rule));
    else
        add_body(request, reply, frames, frames_size(&rule));
}

static void encode_structured(const struct request *request, struct reply *reply,
                              struct event_span events)
{
    size_t size = events.n_events * NPY_EVENT_BYTES;
    uint8_t *structured = encode_alloc(request, reply, size);
    if (!structured)
        return;
    npy_events(events.bytes, events.n_events, structured);
    uint64_t n_events = events.n_events;
    add_npy(request, reply, npy_event_descr, &n_events, 1, structured, size);
}

static void encode_packed(const struct request *request, struct reply *reply,
                          const struct recipe *recipe, struct event_span events)
{
    size_t size = events.n_events * EVENT_BYTES;
    uint32_t crc = recipe->kind == RECIPE_STORED ? recipe->checksum : crc32c(0, events.bytes, size);
    uint32_t big_endian = htobe32(crc);
    char digest[BASE64_SIZE(sizeof big_endian)];
    base64(&big_endian, sizeof big_endian, digest);
    reply_set_header(reply, "Repr-Digest", "crc32c=:%s:", digest);
    add_body(request, reply, events.bytes, size);
}

static void set_headers(const struct request *request, struct reply *reply,
                        const struct recipe *recipe)
{
    char list[REPLY_HEADER_VALUE];
    size_t used = 0;
    for (unsigned d = 0; d < N_DIGITS; d++)
        if (recipe->labels[d])
            used += (size_t)snprintf(list + used, sizeof list - used, "%s%u", used ? ", " : "", d);
    reply_set_header(reply, "Twonmnist-Labels", "%s", list);
    used = 0;
    for (unsigned i = 0; i < recipe->n_sources; i++)
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%" PRId32, used ? ", " : "",
                                 recipe->sources[i]);
    reply_set_header(reply, "Twonmnist-Sources", "%s", list);
    reply_set_header(reply, "Twonmnist-Revision", "%s", request->entry->revision);
}

void encode_sample(const struct request *request, struct reply *reply, const struct recipe *recipe)
{
    if (request->format == FORMAT_JSON) {
        encode_json_sample(request, reply, recipe);
        return;
    }
    struct event_span events;
    if (!events_of(request, reply, recipe, &events))
        return;
    set_headers(request, reply, recipe);
    if (request->params[PARAM_AS] == AS_FRAMES)
        encode_frames(request, reply, events);
    else if (request->format == FORMAT_NPY)
        encode_structured(request, reply, events);
    else
        encode_packed(request, reply, recipe, events);
}
