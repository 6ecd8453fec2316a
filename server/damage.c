/* SPDX-License-Identifier: Apache-2.0
 * Names in the log what was found damaged. */
#include "server/damage.h"

#include <inttypes.h>

#include "server/log.h"

static void tell(const struct entry *entry)
{
    struct holding *holding = entry->holding;
    uint64_t sample = atomic_load(&holding->bad_sample);
    if (sample == HOLDING_NO_SAMPLE || atomic_exchange(&holding->told, true))
        return;
    log_error("split %s@%.*s is damaged, and not served any more: sample %" PRIu64
              " is not what its checksum says; twonmnist-generate verify names all such",
              entry->name, WIRE_REVISION_MIN, entry->revision, sample);
}

void damage_tell(const struct entry *entry)
{
    tell(entry);
    if (entry->source)
        tell(entry->source);
}
