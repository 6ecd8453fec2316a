/* SPDX-License-Identifier: Apache-2.0
 * Texts that are made once. */
#include "server/samples/kept.h"

#include <errno.h>
#include <stdlib.h>
#include <zlib.h>

#include "common/crc32c.h"

enum { GZIP_LEVEL = 6, GZIP_WINDOW = 15 + 16, GZIP_MEMORY = 8 };

static struct kept_text text_of(char *bytes, size_t size)
{
    return (struct kept_text){.bytes = bytes, .size = size, .crc = crc32c(0, bytes, size)};
}

int kept_text_make(kept_maker *make, const void *user, struct kept_text *ret, struct error *why)
{
    char *bytes;
    size_t size;
    int r = make(user, &bytes, &size, why);
    if (r == 0)
        *ret = text_of(bytes, size);
    return r;
}

/* Without a name and a time. */
int kept_text_compress(const struct kept_text *text, struct kept_text *ret, struct error *why)
{
    size_t size = text->size;
    z_stream stream = {.next_in = (Bytef *)text->bytes, .avail_in = (uInt)size};
    if (size > UINT32_MAX / 2 || deflateInit2(&stream, GZIP_LEVEL, Z_DEFLATED, GZIP_WINDOW,
                                              GZIP_MEMORY, Z_DEFAULT_STRATEGY) != Z_OK)
        return error_set(why, -ENOMEM, "no memory to compress a text of %zu bytes", size);
    size_t most = deflateBound(&stream, size);
    char *packed = malloc(most);
    stream.next_out = (Bytef *)packed;
    stream.avail_out = (uInt)most;
    bool done = packed && deflate(&stream, Z_FINISH) == Z_STREAM_END;
    char *shrunk = done ? realloc(packed, stream.total_out) : NULL;
    deflateEnd(&stream);
    if (!shrunk) {
        free(packed);
        return error_set(why, -ENOMEM, "no memory to compress a text of %zu bytes", size);
    }
    *ret = text_of(shrunk, stream.total_out);
    return 0;
}

static int make_codings(struct kept *kept, kept_maker *make, const void *user, struct error *why)
{
    struct kept_text plain = {.bytes = NULL};
    int r = kept_text_make(make, user, &plain, why);
    if (r < 0)
        return r;
    r = kept_text_compress(&plain, &kept->codings[KEPT_GZIP], why);
    if (r < 0) {
        free(plain.bytes);
        return r;
    }
    sha256_hex_of(plain.bytes, plain.size, kept->sha256);
    kept->codings[KEPT_PLAIN] = plain;
    atomic_store(&kept->is_made, true);
    return 0;
}

void kept_init(struct kept *kept)
{
    *kept = (struct kept){.is_made = false};
    pthread_mutex_init(&kept->making, NULL);
}

void kept_free(struct kept *kept)
{
    for (unsigned coding = 0; coding < KEPT_CODINGS; coding++)
        free(kept->codings[coding].bytes);
    pthread_mutex_destroy(&kept->making);
}

bool kept_is_made(const struct kept *kept)
{
    return atomic_load(&kept->is_made);
}

int kept_make(struct kept *kept, kept_maker *make, const void *user, struct error *why)
{
    if (kept_is_made(kept))
        return 0;
    pthread_mutex_lock(&kept->making);
    int r = kept_is_made(kept) ? 0 : make_codings(kept, make, user, why);
    pthread_mutex_unlock(&kept->making);
    return r;
}

int kept_add(const struct kept *kept, enum kept_coding coding, struct reply *reply,
             struct error *why)
{
    return reply_borrow_known(reply, kept->codings[coding].bytes, kept->codings[coding].size,
                              kept->codings[coding].crc, why);
}
