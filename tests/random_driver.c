/* SPDX-License-Identifier: Apache-2.0
 * Lets a test ask common/'s random numbers: a request a line on standard input, an answer a line.
 *
 *   u32 N KEY...          N numbers of RandomState([KEY...]), or of RandomState(KEY) for `seed`
 *   seed N KEY
 *   bounded N MAX SEED    N numbers in 0..MAX
 *   permutation N SEED
 *   philox SEED INDEX
 *   share N SIZE LAST K RANK WORLD */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mt19937.h"
#include "common/order.h"
#include "common/philox.h"

enum { MAX_WORDS = 700 };

static void print(uint64_t value)
{
    printf("%" PRIu64 " ", value);
}

static void print_u32(struct mt19937 *mt, uint64_t n)
{
    for (uint64_t i = 0; i < n; i++)
        print(mt19937_u32(mt));
}

static void seed(const uint64_t *words, size_t n_words)
{
    struct mt19937 mt;
    (void)n_words;
    mt19937_init_genrand(&mt, (uint32_t)words[1]);
    print_u32(&mt, words[0]);
}

static void u32(const uint64_t *words, size_t n_words)
{
    uint32_t key[MAX_WORDS];
    struct mt19937 mt;
    for (size_t i = 1; i < n_words; i++)
        key[i - 1] = (uint32_t)words[i];
    mt19937_init_by_array(&mt, key, n_words - 1);
    print_u32(&mt, words[0]);
}

static void bounded(const uint64_t *words, size_t n_words)
{
    struct mt19937 mt;
    (void)n_words;
    mt19937_init_genrand(&mt, (uint32_t)words[2]);
    for (uint64_t i = 0; i < words[0]; i++)
        print(mt19937_bounded(&mt, words[1]));
}

static void permutation(const uint64_t *words, size_t n_words)
{
    struct mt19937 mt;
    uint32_t n = (uint32_t)words[0], *items = calloc(n + 1u, sizeof *items);
    (void)n_words;
    if (!items)
        abort();
    mt19937_init_genrand(&mt, (uint32_t)words[1]);
    mt19937_permutation(&mt, n, items);
    for (uint32_t i = 0; i < n; i++)
        print(items[i]);
    free(items);
}

static void philox(const uint64_t *words, size_t n_words)
{
    uint64_t random[4];
    (void)n_words;
    philox4x64(words[0], words[1], random);
    for (int i = 0; i < 4; i++)
        print(random[i]);
}

static void share(const uint64_t *words, size_t n_words)
{
    (void)n_words;
    struct order_share part = order_share(words[0], words[1], (enum order_last)words[2], words[3],
                                          (uint32_t)words[4], (uint32_t)words[5]);
    print(order_n_batches(words[0], words[1], (enum order_last)words[2]));
    for (uint64_t i = 0; i < part.count; i++)
        print((part.first + i * part.step) % words[0]);
}

static const struct {
    const char *name;
    size_t min_words;
    void (*answer)(const uint64_t *words, size_t n_words);
} requests[] = {
    {"seed", 2, seed},       {"u32", 2, u32},
    {"bounded", 3, bounded}, {"permutation", 2, permutation},
    {"philox", 2, philox},   {"share", 6, share},
};

int main(void)
{
    char *line = NULL;
    size_t size = 0;
    while (getline(&line, &size, stdin) > 0) {
        char *rest = line, *name = strsep(&rest, " \n"), *word;
        uint64_t words[MAX_WORDS];
        size_t n_words = 0;
        while (n_words < MAX_WORDS && (word = strsep(&rest, " \n")))
            if (*word)
                words[n_words++] = strtoull(word, NULL, 10);
        for (size_t i = 0; i < sizeof requests / sizeof *requests; i++)
            if (strcmp(requests[i].name, name) == 0 && n_words >= requests[i].min_words)
                requests[i].answer(words, n_words);
        putchar('\n');
    }
    free(line);
    return 0;
}
