/* SPDX-License-Identifier: Apache-2.0
 * What is counted: each thread counts for itself, in cells that no other thread writes to, and
 * whoever asks adds them up.
 *
 * What is a level, such as how much waits, is two cells, of what came and of what went: a thread
 * may count the one and another thread the other. */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

enum tally {
    TALLY_NONE,
    TALLY_MIXES,           /* samples that were mixed now, of several recordings or anew */
    TALLY_MIXED_EVENTS,    /* their events */
    TALLY_FRAMES,          /* samples that were made into frames */
    TALLY_CHECKS,          /* samples that were held against their checksums */
    TALLY_FAULTS,          /* and those that failed */
    TALLY_CHECKSUM_BYTES,  /* read for the CRC-32C of bodies */
    TALLY_BUDGET_REFUSALS, /* what was asked for and not left, of the memory for answers */
    TALLY_ABOVE,           /* the first cell of the floor above; refusals go on there */
    TALLY_N_CELLS = 16384
};

/* A thread's own cells; its first use makes them, and they stay when the thread ends. */
struct tally_cells {
    struct tally_cells *next;
    _Atomic uint64_t cells[TALLY_N_CELLS];
};

extern _Thread_local struct tally_cells *tally_own;

/* Where there is no memory for them, they are cells that are shared, and lose counts. */
struct tally_cells *tally_make_own(void);

static inline void tally_add(unsigned cell, uint64_t n)
{
    struct tally_cells *own = tally_own ? tally_own : tally_make_own();
    /* Nobody else writes here: this is no more than an addition. */
    uint64_t before = atomic_load_explicit(&own->cells[cell], memory_order_relaxed);
    atomic_store_explicit(&own->cells[cell], before + n, memory_order_relaxed);
}

/* Over all threads, those that have ended too. */
uint64_t tally_sum(unsigned cell);

/* What came less what went. Counts that go on meanwhile do not make it less than 0. */
uint64_t tally_level(unsigned came, unsigned went);
