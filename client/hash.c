/* SPDX-License-Identifier: Apache-2.0
 * Numbers that stand for texts. */
#include "client/hash.h"

/* FNV-1a. */
uint64_t hash_text(uint64_t before, const char *text)
{
    for (; *text; text++)
        before = (before ^ (unsigned char)*text) * 0x100000001b3;
    return before;
}

/* The last steps of MurmurHash3. */
uint64_t hash_mix(uint64_t bits)
{
    bits = (bits ^ bits >> 33) * 0xff51afd7ed558ccd;
    bits = (bits ^ bits >> 33) * 0xc4ceb9fe1a85ec53;
    return bits ^ bits >> 33;
}
