/* SPDX-License-Identifier: Apache-2.0
 * Each thread's own mixer, made at its first use and freed with the thread. */
#include "server/samples/scratch.h"

#include <pthread.h>

static pthread_key_t key;
static pthread_once_t key_once = PTHREAD_ONCE_INIT;

static void free_mixer(void *mixer)
{
    mixer_free(mixer);
}

static void make_key(void)
{
    pthread_key_create(&key, free_mixer);
}

struct mixer *scratch_mixer(void)
{
    pthread_once(&key_once, make_key);
    struct mixer *mixer = pthread_getspecific(key);
    if (!mixer && mixer_new(&mixer) == 0 && pthread_setspecific(key, mixer) != 0) {
        mixer_free(mixer);
        mixer = NULL;
    }
    return mixer;
}

void scratch_free(void)
{
    pthread_once(&key_once, make_key);
    mixer_free(pthread_getspecific(key));
    pthread_setspecific(key, NULL);
}
