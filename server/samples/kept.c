/* SPDX-License-Identifier: Apache-2.0
 * Texts that are made once. */
#include "server/samples/kept.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <zlib.h>

#include "common/crc32c.h"

enum { GZIP_LEVEL = 6, GZIP_WINDOW = 15 + 16, GZIP_MEMORY = 8 };

/* They are few, and are made seldom. */
static pthread_mutex_t making = PTHREAD_MUTEX_INITIALIZER;

static void set(struct kept *kept, enum kept_coding coding, char *bytes, size_t size)
{
    kept->codings[coding].bytes = bytes;
    kept->codings[coding].size = size;
    kept->codings[coding].crc = crc32c(0, bytes, size);
}

/* As gzip without a name and a time, so that the same text gives the same bytes. */
static int compress_text(char *text, size_t size, char **ret, size_t *ret_size, struct error *why)
{
    z_stream stream = {.next_in = (Bytef *)text, .avail_in = (uInt)size};
    if (size > UINT32_MAX / 2 || deflateInit2(&stream, GZIP_LEVEL, Z_DEFLATED, GZIP_WINDOW,
                                              GZIP_MEMORY, Z_DEFAULT_STRATEGY) != Z_OK)
        return error_set(why, -ENOMEM, "no memory to compress a text of %zu bytes", size);
    size_t most = deflateBound(&stream, size);
    char *packed = malloc(most);
    stream.next_out = (Bytef *)packed;
    stream.avail_out = (uInt)most;
    bool done = packed && deflate(&stream, Z_FINISH) == Z_STREAM_END;
    size_t packed_size = stream.total_out;
    deflateEnd(&stream);
    if (!done) {
        free(packed);
        return error_set(why, -ENOMEM, "no memory to compress a text of %zu bytes", size);
    }
    char *shrunk = realloc(packed, packed_size);
    *ret = shrunk ? shrunk : packed;
    *ret_size = packed_size;
    return 0;
}

static int make_codings(struct kept *kept, kept_maker *make, const void *user, struct error *why)
{
    char *text, *packed = NULL;
    size_t size, packed_size = 0;
    int r = make(user, &text, &size, why);
    if (r < 0)
        return r;
    r = compress_text(text, size, &packed, &packed_size, why);
    if (r < 0) {
        free(text);
        return r;
    }
    set(kept, KEPT_PLAIN, text, size);
    set(kept, KEPT_GZIP, packed, packed_size);
    atomic_store(&kept->is_made, true);
    return 0;
}

bool kept_is_made(const struct kept *kept)
{
    return atomic_load(&kept->is_made);
}

int kept_make(struct kept *kept, kept_maker *make, const void *user, struct error *why)
{
    if (kept_is_made(kept))
        return 0;
    pthread_mutex_lock(&making);
    int r = kept_is_made(kept) ? 0 : make_codings(kept, make, user, why);
    pthread_mutex_unlock(&making);
    return r;
}

int kept_add(const struct kept *kept, enum kept_coding coding, struct reply *reply,
             struct error *why)
{
    return reply_borrow_known(reply, kept->codings[coding].bytes, kept->codings[coding].size,
                              kept->codings[coding].crc, why);
}

void kept_free(struct kept *kept)
{
    for (unsigned coding = 0; coding < KEPT_CODINGS; coding++)
        free(kept->codings[coding].bytes);
}
