/* SPDX-License-Identifier: Apache-2.0
 * Is it all of N-MNIST, or all of the published 2NMNIST? By how many samples show what. */
#include "generator/whole.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/digits.h"
#include "generator/synthetic.h"

/* Of the published plan. */
static const struct {
    uint64_t n_samples, n_pairs;
} published[N_PARTS] = {[PART_TRAIN] = {41270, 18730}, [PART_TEST] = {6886, 3114}};

static void add(struct whole_count *count, const uint8_t *digits, unsigned n)
{
    count->n_samples++;
    count->n_pairs += n == 2;
    for (unsigned i = 0; i < n; i++)
        count->n_of_digit[digits[i]]++;
}

struct whole_count whole_count_listing(const struct listing *listing, enum part part)
{
    struct whole_count count = {0};
    for (size_t i = 0; i < listing->parts[part].n; i++) {
        const struct listing_file *file = &listing->parts[part].files[i];
        add(&count, file->digits, file->pair ? 2 : 1);
    }
    return count;
}

struct whole_count whole_count_split(const struct split *split)
{
    struct whole_count count = {0};
    uint64_t n = split_n_samples(split);
    for (uint64_t i = 0; i < n; i++) {
        uint8_t digits[N_DIGITS];
        add(&count, digits, digits_of(split_labels(split) + i * N_DIGITS, digits));
    }
    return count;
}

/* The numbers that are not as they should be, one behind the other. */
struct differences {
    char text[512];
    size_t length;
};

static void compare(struct differences *differences, uint64_t found, uint64_t wanted,
                    const char *what, int digit)
{
    if (found == wanted)
        return;
    char number[16] = "";
    if (digit >= 0)
        snprintf(number, sizeof number, " %d", digit);
    int n = snprintf(differences->text + differences->length,
                     sizeof differences->text - differences->length,
                     "%s%s%s: %" PRIu64 ", not %" PRIu64, differences->length ? "; " : "", what,
                     number, found, wanted);
    differences->length += (size_t)n;
    if (differences->length >= sizeof differences->text)
        differences->length = sizeof differences->text - 1;
}

int whole_check(const struct whole_count *count, enum folder_kind kind, enum part part,
                struct error *why)
{
    struct differences differences = {.text = ""};
    bool test = part == PART_TEST;
    if (kind == FOLDER_SOURCE) {
        uint64_t n = test ? SYNTHETIC_TEST_COUNT : SYNTHETIC_TRAIN_COUNT, of_digit[N_DIGITS];
        synthetic_class_counts(test, n, of_digit); /* MNIST's own, for MNIST's size */
        compare(&differences, count->n_samples, n, "recordings", -1);
        for (int digit = 0; digit < N_DIGITS; digit++)
            compare(&differences, count->n_of_digit[digit], of_digit[digit], "digit", digit);
    } else {
        compare(&differences, count->n_samples, published[part].n_samples, "samples", -1);
        compare(&differences, count->n_pairs, published[part].n_pairs, "pairs", -1);
    }
    if (!differences.length)
        return 0;
    return error_set(why, -ENODATA, "%s is not all of %s: %s", part_folders[part],
                     kind == FOLDER_SOURCE ? "N-MNIST" : "2NMNIST", differences.text);
}
