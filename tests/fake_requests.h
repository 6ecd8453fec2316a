/* SPDX-License-Identifier: Apache-2.0
 * Requests that a test answers itself, in place of client/request.c; the rest of the library is the
 * real one, with its loop's thread. A program links this and tests/libclient.la. */
#pragma once

#include "client/client.h"
#include "common/event.h"
#include "common/wire.h"

/* What a server answers to `ask`: 0 and an answer, or a negative errno and why. In the loop's
 * thread. */
typedef int fake_reply(const struct request_ask *ask, struct answer *answer, struct error *why);

/* All that a test may set. It is asked while nothing is under way. */
extern struct fake {
    fake_reply *reply;
    void (*on_start)(void);      /* in the loop's thread, as each request starts; or NULL */
    unsigned delay_ms;           /* until the answer */
    bool no_memory;              /* requests do not start */
    unsigned started, cancelled; /* requests, so far */
} fake;

/* An answer for ever: for what has to be cancelled. */
enum { FAKE_NEVER_MS = 60000 };

/* The name of the server that answers all. */
#define FAKE_SERVER "http://fake"

/* A client of it, with `fake` as it is when nothing was set. */
tnm_client *fake_open(fake_reply *reply);

/* Answer with text, or with bytes. */
void fake_text(struct answer *answer, const char *text);
void fake_bytes(struct answer *answer, const void *bytes, size_t size);

/* A description of split `name`: 3 samples and 2 pairs, labels 0 and 1, 1 and 2, 3. */
extern const char fake_revision[WIRE_REVISION_MAX + 1];
void fake_description(struct answer *answer, const char *name, const char *kind,
                      unsigned n_samples);

/* A batch of these samples, with sample i having i % 3 events. */
void fake_batch(struct answer *answer, const uint64_t *indices, unsigned n);

/* The same as places: sample i has 1 + i % 3 frames, and frame t of it place (i + t) % 2312. */
enum { FAKE_FRAMES = 3 };
void fake_places(struct answer *answer, const uint64_t *indices, unsigned n);

/* A mix of two events, as `path` asks for it. */
void fake_mix(struct answer *answer, const char *path, const int32_t sources[2],
              const uint8_t labels[N_DIGITS]);
