/* SPDX-License-Identifier: Apache-2.0
 * Each thread's own working memory, made at its first use and freed with the thread. */
#include "server/samples/scratch.h"

#include <pthread.h>
#include <stdlib.h>

static pthread_key_t mixer_key, slices_key;
static pthread_once_t keys_once = PTHREAD_ONCE_INIT;

static void free_mixer(void *mixer)
{
    mixer_free(mixer);
}

static void make_keys(void)
{
    pthread_key_create(&mixer_key, free_mixer);
    pthread_key_create(&slices_key, free);
}

struct mixer *scratch_mixer(void)
{
    pthread_once(&keys_once, make_keys);
    struct mixer *mixer = pthread_getspecific(mixer_key);
    if (!mixer && mixer_new(&mixer) == 0 && pthread_setspecific(mixer_key, mixer) != 0) {
        mixer_free(mixer);
        mixer = NULL;
    }
    return mixer;
}

struct slices *scratch_slices(void)
{
    pthread_once(&keys_once, make_keys);
    struct slices *slices = pthread_getspecific(slices_key);
    if (slices)
        return slices;
    slices = malloc(sizeof *slices);
    if (slices && pthread_setspecific(slices_key, slices) != 0) {
        free(slices);
        slices = NULL;
    }
    return slices;
}

void scratch_free(void)
{
    pthread_once(&keys_once, make_keys);
    mixer_free(pthread_getspecific(mixer_key));
    free(pthread_getspecific(slices_key));
    pthread_setspecific(mixer_key, NULL);
    pthread_setspecific(slices_key, NULL);
}
