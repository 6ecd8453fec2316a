/* SPDX-License-Identifier: Apache-2.0
 * What making samples costs. The rates are those of bench/core.c and bench/run.sh, rounded down:
 * they need no more than to tell a microsecond from a millisecond. */
#include "server/samples/cost.h"

#include "server/samples/tensor.h"

enum {
    STORED_PER_US = 16,         /* samples that are looked up and answered from the map */
    EVENTS_MIXED_PER_US = 500,  /* recordings that are not in a cache */
    EVENTS_FRAMED_PER_US = 500, /* into frames that are zero */
    EVENTS_CUT_PER_US = 200,    /* in order of time, and put into any form but those */
    EVENTS_GRIDDED_PER_US = 50, /* into a voxel grid */
    EVENTS_FILTERED_PER_US = 200,
    EVENTS_CLEANED_PER_US = 30, /* stabilized, or denoised: one behind the other */
    BYTES_PER_US = 3000,        /* of memory written, and read again for a checksum */
    RECORDED_US = 320000,       /* that a recording lasts */
    TEXT_PER_US = 1000,         /* bytes of JSON */
    EVENT_TEXT_BYTES = 12,
    FRAME_TEXT_BYTES = 2,
    SHUFFLED_PER_US = 60,
    VIEWED_PER_US = 10,
    COUNTED_PER_US = 200, /* events, into pictures */
    COLD_US = 200,        /* until a disk has answered */
    COLD_SAMPLE_US = 20,  /* and each sample that is asked for with others */
    PIXELS_PER_US = 40,   /* drawn and compressed */
    PICTURE_US = 200,     /* of the compressor itself */
};

static uint64_t mean_events(const struct entry *entry, bool mixed)
{
    return (1 + mixed) * split_n_events(entry->split) / split_n_samples(entry->split);
}

static uint64_t filter_us(const struct form *form, uint64_t n_events)
{
    uint64_t cleaned =
        (form->filter.stabilize ? n_events : 0) + (form->filter.denoise_us ? n_events : 0);
    return n_events / EVENTS_FILTERED_PER_US + cleaned / EVENTS_CLEANED_PER_US;
}

/* Frames that an event is in. */
static uint64_t n_shared(const struct slice_rule *rule)
{
    if (rule->slice == SLICE_WINDOW)
        return 1 + rule->timestep_us / rule->stride_us;
    if (rule->slice == SLICE_EVENT_COUNT)
        return 1 + rule->n_events / rule->stride_events;
    return rule->slice == SLICE_TIME_BINS && rule->bin_overlap > 0 ? 2 : 1;
}

static uint32_t n_frames(const struct form *form, uint64_t n_events)
{
    uint32_t n;
    if (cut_is_fixed(form, &n))
        return n;
    uint64_t most = slices_most(&form->slice, n_events, RECORDED_US);
    return most < FRAMES_BINS_MAX ? (uint32_t)most : FRAMES_BINS_MAX;
}

struct made {
    uint64_t cut, gridded; /* events, each as often as it is looked at */
    uint64_t values, bytes;
};

/* Of one sample in a form of frames. */
static struct made make_frames(const struct form *form, uint64_t n_events)
{
    uint32_t t = n_frames(form, n_events);
    if (form_is_plain_frames(form)) {
        uint64_t size = frames_size(&form->frames);
        return (struct made){.values = size, .bytes = size};
    }
    if (form->is_voxel)
        return (struct made){
            .gridded = n_events,
            .bytes = 3 * tensor_size(tensor_row_of(form, true), form, t),
        };
    uint64_t shared = n_shared(&form->slice);
    uint64_t placed = n_events * (shared < t ? shared : t);
    struct made made = {.cut = n_events + placed};
    if (form->as == FORM_SPARSE) {
        made.values = t + placed;
        made.bytes = t * sizeof(int32_t) + placed * sizeof(int16_t);
    } else {
        made.bytes = tensor_size(tensor_row_of(form, true), form, t);
        made.values = made.bytes;
    }
    return made;
}

uint64_t cost_text_us(uint64_t n_bytes)
{
    return n_bytes / TEXT_PER_US;
}

uint64_t cost_us(const struct entry *entry, const struct form *form, const struct cost *cost)
{
    uint64_t each = mean_events(entry, cost->mixed), all = cost->n * each;
    uint64_t us = cost->n / STORED_PER_US;
    if (cost->head)
        return us;
    if (cost->mixed || form->has_order || form->timestep_us)
        us += all / EVENTS_MIXED_PER_US;
    if (form->is_filtered)
        us += filter_us(form, all);
    if (cost->pixels)
        return us + all / COUNTED_PER_US + cost->pixels / PIXELS_PER_US + PICTURE_US;
    if (form->as != FORM_EVENTS) {
        const struct made one = make_frames(form, each);
        us += all / EVENTS_FRAMED_PER_US + cost->n * one.cut / EVENTS_CUT_PER_US +
              cost->n * one.gridded / EVENTS_GRIDDED_PER_US + cost->n * one.bytes / BYTES_PER_US;
        return cost->text ? us + cost_text_us(cost->n * one.values * FRAME_TEXT_BYTES) : us;
    }
    return cost->text ? us + cost_text_us(all * EVENT_TEXT_BYTES) : us;
}

uint64_t cost_order_us(uint64_t n)
{
    return n / SHUFFLED_PER_US;
}

uint64_t cost_cold_us(uint64_t n)
{
    return COLD_US + n * COLD_SAMPLE_US;
}

uint64_t cost_view_us(uint64_t n)
{
    return n / VIEWED_PER_US;
}
