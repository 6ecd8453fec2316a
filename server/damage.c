/* SPDX-License-Identifier: Apache-2.0
 * Names in the log what was found damaged. */
#include "server/damage.h"

#include <inttypes.h>

#include "server/log.h"

static void tell(const struct entry *entry, const struct error *why)
{
    struct holding *holding = entry->holding;
    uint64_t sample = atomic_load(&holding->bad_sample);
    struct error words;
    if (!entry_is_damaged(entry) || atomic_exchange(&holding->told, true))
        return;
    if (sample != HOLDING_NO_SAMPLE)
        error_set(&words, 0,
                  "sample %" PRIu64
                  " is not what its checksum says; twonmnist-generate verify names all such",
                  sample);
    else if (why)
        words = *why;
    else
        error_set(&words, 0, "its file was cut short or written to");
    log_about(LOG_LEVEL_ERROR,
              (.message = MESSAGE_DAMAGED, .split = entry->name, .revision = entry->revision),
              "split %s@%.*s is damaged, and not served any more: %s", entry->name,
              WIRE_REVISION_MIN, entry->revision, words.text);
}

void damage_tell(const struct entry *entry, const struct error *why)
{
    tell(entry, why);
    if (entry->source)
        tell(entry->source, NULL);
}
