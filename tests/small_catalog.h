/* SPDX-License-Identifier: Apache-2.0
 * For tests of server/: a folder of four small splits, and the catalog of it.
 *
 * The recordings are made up: two of each digit, short, with many events at one time and at one
 * place, so that order and repeats matter; one of them is empty. */
#pragma once

#include "common/mixer.h"
#include "server/samples/catalog.h"

enum {
    SMALL_FOLDER_SIZE = 256,
    SMALL_RECORDINGS = 20, /* digit i / 2 */
    SMALL_EMPTY = 1,       /* the recording without an event */
    SMALL_SAMPLES = 13,
    SMALL_MOST_EVENTS = 1000, /* of a recording or a sample: none has more */
};

/* Samples of a kind, by their place. */
enum {
    SAMPLE_PAIR = 0,
    SAMPLE_SINGLE = 2,
    SAMPLE_EMPTY = 5,
    SAMPLE_SECOND_EMPTY = 9,
    SAMPLE_UNLABELLED = 12
};

/* What each sample of the splits is made of; b is -1 where it is one recording. */
struct small_row {
    int32_t a, b;
};
extern const struct small_row small_rows[SMALL_SAMPLES];

/* Make the folder with its splits: `source`; `timed`, `published` of it, in either order; and
 * `orphan`, as timed, but of a source that is not there. */
void small_folder_make(char ret[SMALL_FOLDER_SIZE]);
void small_folder_remove(const char *folder);

struct small_catalog {
    char folder[SMALL_FOLDER_SIZE];
    struct catalog *catalog;
    struct entry *source, *timed, *published, *orphan;
};
void small_catalog_open(struct small_catalog *ret);
void small_catalog_close(struct small_catalog *opened);

/* One for all tests of a group, between these. */
extern struct small_catalog small;
int small_setup(void **state);
int small_teardown(void **state);

/* Mix the recordings of row i as sample i of a split is mixed, with another rule.
 * Returns the number of events written to ret. */
size_t small_mix(size_t i, struct mix_rule rule, uint8_t ret[SMALL_MOST_EVENTS * EVENT_BYTES]);
