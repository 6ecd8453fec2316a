/* SPDX-License-Identifier: Apache-2.0
 * Shards: a split as tar archives of so many samples each. */
#include "common/shard.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/digits.h"

void shard_name(const char *split, uint64_t shard, char ret[SHARD_NAME_SIZE])
{
    snprintf(ret, SHARD_NAME_SIZE, "2nmnist-%s-%06" PRIu64, split, shard);
}

uint64_t shard_count(uint64_t n_samples, uint64_t per_shard)
{
    return (n_samples + per_shard - 1) / per_shard;
}

struct shard_range shard_range(uint64_t shard, uint64_t n_samples, uint64_t per_shard)
{
    uint64_t first = shard * per_shard, left = n_samples - first;
    return (struct shard_range){.first = first, .n = left < per_shard ? left : per_shard};
}

static int put_header(const struct shard_rule *rule, uint64_t index, const char *ending,
                      uint64_t size, uint8_t *out)
{
    char name[USTAR_NAME_MAX + 1];
    int n = snprintf(name, sizeof name, "%s-%08" PRIu64 ".%s", rule->split, index, ending);
    assert(n > 0 && n <= USTAR_NAME_MAX);
    (void)n;
    return ustar_header(name, size, out);
}

int shard_before(const struct shard_rule *rule, uint64_t index, uint64_t size,
                 uint8_t ret[SHARD_BEFORE])
{
    int r = put_header(rule, index, rule->ending, size, ret);
    return r < 0 ? r : SHARD_BEFORE;
}

/* A member of a few bytes, padded. */
static uint8_t *put_member(const struct shard_rule *rule, uint64_t index, const char *ending,
                           const char *text, size_t size, uint8_t *out)
{
    put_header(rule, index, ending, size, out);
    out += USTAR_BLOCK;
    memcpy(out, text, size);
    memset(out + size, 0, ustar_padding(size));
    return out + size + ustar_padding(size);
}

static size_t put_json(const struct shard_rule *rule, uint64_t index,
                       const uint8_t labels[N_DIGITS], const int32_t sources[2],
                       char ret[SHARD_JSON_MAX])
{
    char digits[DIGITS_TEXT_SIZE], recordings[32] = "";
    digits_text(labels, ",", digits);
    for (unsigned i = 0; i < 2 && sources[i] >= 0; i++)
        snprintf(recordings + strlen(recordings), sizeof recordings - strlen(recordings),
                 "%s%" PRId32, i ? "," : "", sources[i]);
    int n = snprintf(ret, SHARD_JSON_MAX,
                     "{\"split\":\"%s\",\"revision\":\"%s\",\"index\":%" PRIu64
                     ",\"labels\":[%s],\"sources\":[%s]}\n",
                     rule->split, rule->revision, index, digits, recordings);
    assert(n > 0 && n < SHARD_JSON_MAX);
    return (size_t)n;
}

size_t shard_after(const struct shard_rule *rule, uint64_t index, uint64_t size,
                   const uint8_t labels[N_DIGITS], const int32_t sources[2],
                   uint8_t ret[SHARD_AFTER_MAX])
{
    char json[SHARD_JSON_MAX];
    int digit = digits_only(labels);
    size_t n_json = put_json(rule, index, labels, sources, json);
    uint8_t *at = ret + ustar_padding(size);
    memset(ret, 0, ustar_padding(size));
    if (rule->has_class && digit >= 0) {
        const char text = (char)('0' + digit);
        at = put_member(rule, index, "cls", &text, 1, at);
    }
    return (size_t)(put_member(rule, index, "json", json, n_json, at) - ret);
}
