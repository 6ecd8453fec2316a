/* SPDX-License-Identifier: Apache-2.0
 * The digits that a sample shows, as multi-hot labels and as a list of them. */
#include "common/digits.h"

#include <errno.h>
#include <string.h>

unsigned digits_of(const uint8_t labels[N_DIGITS], uint8_t ret[N_DIGITS])
{
    unsigned n = 0;
    for (uint8_t digit = 0; digit < N_DIGITS; digit++)
        if (labels[digit])
            ret[n++] = digit;
    return n;
}

int digits_only(const uint8_t labels[N_DIGITS])
{
    uint8_t digits[N_DIGITS];
    return digits_of(labels, digits) == 1 ? digits[0] : -1;
}

int digits_check(const uint8_t *labels, uint32_t n_labels, struct error *why)
{
    unsigned n = 0;
    for (uint32_t digit = 0; digit < n_labels; digit++) {
        if (labels[digit] > 1)
            return error_set(why, -EBADMSG, "label %u for digit %u is neither 0 nor 1",
                             labels[digit], digit);
        n += labels[digit];
    }
    return n ? 0 : error_set(why, -EBADMSG, "there is no label");
}

void digits_text(const uint8_t labels[N_DIGITS], const char *between, char ret[DIGITS_TEXT_SIZE])
{
    uint8_t digits[N_DIGITS];
    unsigned n = digits_of(labels, digits);
    char *at = ret;
    for (unsigned i = 0; i < n; i++) {
        at = i ? stpcpy(at, between) : at;
        *at++ = (char)('0' + digits[i]);
    }
    *at = '\0';
}
