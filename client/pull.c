/* SPDX-License-Identifier: Apache-2.0
 * A split's file, copied whole into a folder: what is right of an earlier try is kept, what is
 * missing is asked for in parts, of all servers at once. It grows under a name of its own, which
 * holds the lock, and takes its place when all of it is right. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/failure.h"
#include "client/parts.h"
#include "client/place.h"
#include "client/split.h"
#include "common/file.h"
#include "common/split.h"

enum { READ_BYTES = 1 << 20, TICK_MS = 100, SHOWN = WIRE_REVISION_MIN };

struct pull {
    tnm_client *client;
    const char *name; /* without revision */
    bool verifies;
    struct place place;
    struct chunks chunks;
    struct parts *parts;
    uint8_t *buffer; /* READ_BYTES, or a chunk's */
    size_t room;
    struct sha256 *hash;
    uint64_t hashed_to; /* where in the file what was hashed ends */
    bool *is_there;     /* [chunks.n] */
    uint64_t n_cancels, ticked_ms;
    tnm_pulled told;
    tnm_pulled *ret;
    size_t ret_size;
};

/* What has been done so far, in as much of it as the caller knows. */
static void tell(struct pull *pull)
{
    size_t size = pull->ret_size;
    if (size > sizeof pull->told) {
        memset((char *)pull->ret + sizeof pull->told, 0, size - sizeof pull->told);
        size = sizeof pull->told;
    }
    if (size)
        memcpy(pull->ret, &pull->told, size);
}

/* Calls that wait for long tell their progress themselves, and ours are short. */
static int tick(struct pull *pull)
{
    uint64_t now = requests_now_ms();
    if (now - pull->ticked_ms < TICK_MS)
        return 0;
    pull->ticked_ms = now;
    return client_tick(pull->client, pull->n_cancels);
}

static int fail(const struct pull *pull, int code, const char *doing)
{
    return failure_set(code, "%s: cannot %s: %s", pull->place.part, doing, strerror(-code));
}

/* ---- Bytes of the part ---- */

static int make_room(struct pull *pull, uint64_t size)
{
    if (size <= pull->room)
        return 0;
    uint8_t *larger = realloc(pull->buffer, size);
    if (!larger)
        return failure_set(-ENOMEM, "no memory for %" PRIu64 " bytes of a file", size);
    pull->buffer = larger;
    pull->room = size;
    return 0;
}

/* 1: the chunk lies there, right, and is in the buffer. 0: it does not. */
static int read_chunk(struct pull *pull, const struct chunk *chunk)
{
    int r = make_room(pull, chunk->size);
    if (r < 0)
        return r;
    r = file_read_all_at(pull->place.fd, pull->buffer, chunk->size, chunk->begin);
    if (r == -ENODATA)
        return 0;
    if (r < 0)
        return fail(pull, r, "read");
    return chunk_check(chunk, pull->buffer, NULL) == 0;
}

static int write_chunk(struct pull *pull, const struct chunk *chunk, const uint8_t *bytes)
{
    for (uint64_t at = 0; at < chunk->size;) {
        ssize_t n =
            pwrite(pull->place.fd, bytes + at, chunk->size - at, (off_t)(chunk->begin + at));
        if (n < 0 && errno != EINTR)
            return fail(pull, -errno, "write");
        at += n > 0 ? (uint64_t)n : 0;
    }
    pull->told.fetched += chunk->size;
    tell(pull);
    return 0;
}

/* What a server sent that was no part of the file, to whom it may concern. */
static void complain(struct pull *pull)
{
    struct error complaint;
    if (parts_complaint(pull->parts, &complaint))
        client_say(pull->client, &complaint);
}

/* Wait for a chunk, and write it. Its bytes are the caller's. */
static int take_chunk(struct pull *pull, const struct chunk **ret, struct body *ret_body)
{
    int r = parts_wait(pull->parts, ret, ret_body);
    if (r < 0)
        return r;
    complain(pull);
    r = write_chunk(pull, *ret, ret_body->bytes);
    if (r == 0)
        r = tick(pull);
    if (r < 0)
        body_clear(ret_body);
    return r;
}

/* The chunk in the buffer: as it lies there, or from a server. */
static int need_chunk(struct pull *pull, const struct chunk *chunk)
{
    const struct chunk *arrived;
    struct body body;
    int r = read_chunk(pull, chunk);
    if (r != 0) {
        pull->told.found += r > 0 ? chunk->size : 0;
        return r;
    }
    parts_ask(pull->parts, chunk);
    r = take_chunk(pull, &arrived, &body);
    if (r < 0)
        return r;
    memcpy(pull->buffer, body.bytes, chunk->size); /* for which read_chunk() made room */
    body_clear(&body);
    return 0;
}

/* ---- The SHA-256 of all behind the header, as far as it is there ---- */

static int hash_to(struct pull *pull, uint64_t end)
{
    while (pull->hashed_to < end) {
        uint64_t left = end - pull->hashed_to;
        size_t size = left < READ_BYTES ? (size_t)left : READ_BYTES;
        int r = make_room(pull, READ_BYTES);
        if (r == 0)
            r = tick(pull);
        if (r < 0)
            return r;
        r = file_read_all_at(pull->place.fd, pull->buffer, size, pull->hashed_to);
        if (r < 0)
            return fail(pull, r, "read");
        sha256_add(pull->hash, pull->buffer, size);
        pull->hashed_to += size;
    }
    return 0;
}

/* Chunk i has come, and its bytes are at hand. */
static void hash_chunk(struct pull *pull, size_t i, const uint8_t *bytes)
{
    const struct chunk *chunk = &pull->chunks.events[i];
    pull->is_there[i] = true;
    if (pull->hashed_to != chunk->begin)
        return;
    sha256_add(pull->hash, bytes, chunk->size);
    pull->hashed_to += chunk->size;
}

/* Hash what lies there, so that not all is left for the end. */
static int hash_what_is_there(struct pull *pull, size_t *next)
{
    while (*next < pull->chunks.n && pull->is_there[*next]) {
        const struct chunk *chunk = &pull->chunks.events[*next];
        int r = hash_to(pull, chunk->begin + chunk->size);
        if (r < 0)
            return r;
        ++*next;
    }
    return 0;
}

/* ---- The file ---- */

/* Index and chunks are held in memory, and as long as a server says. */
static uint64_t most_bytes(const struct pull *pull)
{
    return pull->client->options->max_answer_mb * 1000000;
}

static int check_chunk_sizes(const struct pull *pull)
{
    uint64_t most = most_bytes(pull);
    for (size_t i = 0; i < pull->chunks.n; i++) {
        const struct chunk *chunk = &pull->chunks.events[i];
        if (chunk->size > CHUNK_MAX && chunk->size - CHUNK_MAX > most)
            return failure_set(-EMSGSIZE,
                               "%s: a sample that ends at byte %" PRIu64
                               " of its file has more bytes than the %" PRIu64
                               " that option max_answer_mb allows",
                               pull->name, chunk->begin + chunk->size, most);
    }
    return 0;
}

static int check_index_size(const struct pull *pull)
{
    uint64_t most = most_bytes(pull);
    return pull->chunks.index.size <= most
               ? 0
               : failure_set(-EMSGSIZE,
                             "%s: its index has %" PRIu64
                             " bytes; option max_answer_mb allows %" PRIu64,
                             pull->name, pull->chunks.index.size, most);
}

static int fetch_head(struct pull *pull)
{
    struct error why;
    int r = need_chunk(pull, &pull->chunks.header);
    if (r < 0)
        return r;
    r = chunks_read_header(&pull->chunks, pull->buffer, &why);
    if (r < 0)
        return failure_keep(r, &why);
    r = need_chunk(pull, &pull->chunks.index);
    if (r < 0)
        return r;
    r = chunks_read_index(&pull->chunks, pull->buffer, &why);
    if (r < 0)
        return failure_keep(r, &why);
    r = check_chunk_sizes(pull);
    if (r < 0)
        return r;
    if (sha256_new(&pull->hash) < 0)
        return failure_set(-ENOMEM, "no memory for a hash");
    sha256_add(pull->hash, pull->buffer, pull->chunks.index.size);
    pull->hashed_to = pull->chunks.index.begin + pull->chunks.index.size;
    pull->is_there = calloc(pull->chunks.n + 1, sizeof *pull->is_there);
    return pull->is_there ? 0 : failure_set(-ENOMEM, "no memory for chunks");
}

/* Ask for the next chunks that are not there, while there is room. */
static int ask_more(struct pull *pull, size_t *asked, size_t *n_under_way)
{
    while (*asked < pull->chunks.n && parts_have_room(pull->parts)) {
        const struct chunk *chunk = &pull->chunks.events[*asked];
        int r = read_chunk(pull, chunk);
        if (r < 0)
            return r;
        if (r == 0) {
            parts_ask(pull->parts, chunk);
            ++*n_under_way;
        } else {
            hash_chunk(pull, *asked, pull->buffer);
            pull->told.found += chunk->size;
            tell(pull);
            r = tick(pull);
            if (r < 0)
                return r;
        }
        ++*asked;
    }
    return 0;
}

static int fetch_events(struct pull *pull)
{
    size_t asked = 0, hashed = 0, n_under_way = 0;
    int r = ask_more(pull, &asked, &n_under_way);
    while (r == 0 && n_under_way > 0) {
        const struct chunk *chunk;
        struct body body;
        r = take_chunk(pull, &chunk, &body);
        if (r < 0)
            return r;
        n_under_way--;
        hash_chunk(pull, (size_t)(chunk - pull->chunks.events), body.bytes);
        body_clear(&body);
        r = ask_more(pull, &asked, &n_under_way);
        if (r == 0)
            r = hash_what_is_there(pull, &hashed);
    }
    return r == 0 ? hash_what_is_there(pull, &hashed) : r;
}

/* All bytes are there: the file as a whole, and as whoever serves it will see it. */
static int check_whole(struct pull *pull)
{
    char sha256[SHA256_HEX + 1];
    struct split *split;
    struct error why;
    sha256_hex(pull->hash, sha256);
    int r = 0;
    if (strcmp(sha256, pull->chunks.data_sha256) != 0)
        r = error_set(&why, -EBADMSG,
                      "%s@%.*s: its pieces are right, but the whole has SHA-256 %s, not %s as it "
                      "says itself: thrown away",
                      pull->name, SHOWN, pull->chunks.revision, sha256, pull->chunks.data_sha256);
    if (r == 0 && ftruncate(pull->place.fd, (off_t)pull->chunks.size) < 0)
        return fail(pull, -errno, "truncate");
    if (r == 0)
        r = split_open(pull->place.part, &split, &why);
    if (r == 0)
        split_close(split);
    else if (r == -EBADMSG || r == -ENOTSUP)
        unlink(pull->place.part);
    return r < 0 ? failure_keep(r, &why) : 0;
}

/* Better now than after an hour. Not every file system can promise; then it will show. */
static int reserve(struct pull *pull)
{
    struct stat about;
    if (fallocate(pull->place.fd, FALLOC_FL_KEEP_SIZE, 0, (off_t)pull->chunks.size) == 0 ||
        (errno != ENOSPC && errno != EDQUOT && errno != EFBIG))
        return 0;
    int r = -errno;
    if (fstat(pull->place.fd, &about) == 0) {
        if (about.st_size == 0)
            unlink(pull->place.part);
        else if (ftruncate(pull->place.fd, about.st_size) < 0) /* what it did get */
            return fail(pull, -errno, "truncate");
    }
    return failure_set(r, "%s: no room for the %" PRIu64 " bytes of %s: %s", pull->place.folder,
                       pull->chunks.size, pull->name, strerror(-r));
}

static int fetch(struct pull *pull)
{
    char what[WIRE_NAME_MAX + 32], path[WIRE_NAME_MAX + WIRE_REVISION_MAX + 64];
    const char *revision = pull->chunks.revision;
    snprintf(what, sizeof what, "the file of %s", pull->name);
    snprintf(path, sizeof path, "/v1/splits/%s@%s" SPLIT_SUFFIX, pull->name, revision);
    int r = check_index_size(pull);
    if (r == 0)
        r = reserve(pull);
    if (r == 0)
        r = parts_new(pull->client, what, path, revision, pull->n_cancels, &pull->parts);
    if (r == 0)
        r = fetch_head(pull);
    if (r == 0)
        r = fetch_events(pull);
    return r;
}

/* ---- What is there ---- */

static int hash_split(struct pull *pull, const struct split *split)
{
    struct error why;
    char sha256[SHA256_HEX + 1];
    struct sha256 *hash;
    int r = make_room(pull, READ_BYTES);
    if (r == 0 && sha256_new(&hash) < 0)
        r = failure_set(-ENOMEM, "no memory for a hash");
    if (r < 0)
        return r;
    for (uint64_t at = split_data_start(split); r == 0 && at < split_size(split);) {
        uint64_t left = split_size(split) - at;
        size_t size = left < READ_BYTES ? (size_t)left : READ_BYTES;
        r = tick(pull);
        if (r == 0 && split_read(split, at, pull->buffer, size, &why) < 0)
            break; /* as damaged as another hash */
        sha256_add(hash, pull->buffer, size);
        at += size;
    }
    sha256_hex(hash, sha256);
    sha256_free(hash);
    return r < 0 ? r : strcmp(sha256, split_meta(split, "data_sha256")) == 0;
}

/* 1: the file in its place is of this revision (its first digits, or all of them), and right. */
static int is_there(struct pull *pull, const char *revision)
{
    struct split *split;
    if (split_open(pull->place.path, &split, NULL) < 0)
        return 0; /* whatever it is */
    int r = strncmp(split_revision(split), revision, strlen(revision)) == 0;
    if (r == 1 && pull->verifies)
        r = hash_split(pull, split);
    if (r == 1) {
        pull->told.size = pull->told.found = split_size(split);
        strcpy(pull->told.revision, split_revision(split));
        tell(pull);
    }
    split_close(split);
    return r;
}

/* ---- One after the other ---- */

static int describe(struct pull *pull, const char *name)
{
    tnm_split *split;
    struct error why;
    uint64_t size = 0;
    int r = tnm_split_open(pull->client, name, &split);
    if (r < 0)
        return r;
    document_number(split->document, "bytes", &size);
    r = chunks_begin(split->n_samples, split->n_events, size, split->revision, &pull->chunks, &why);
    if (r < 0) {
        error_prefix(&why, r, "%.160s", name);
        failure_keep(r, &why);
    }
    strcpy(pull->told.revision, split->revision);
    tnm_split_close(split);
    return r;
}

/* 0: what was in its place is right by now; 1: it has been copied. */
static int pull_described(struct pull *pull)
{
    const char *revision = pull->chunks.revision;
    int r = place_take(&pull->place, pull->client, revision, pull->n_cancels);
    if (r < 0)
        return r;
    r = is_there(pull, revision);
    if (r < 0)
        return r;
    if (r == 1) { /* another pull was quicker */
        unlink(pull->place.part);
        return 0;
    }
    place_drop_others(&pull->place);
    pull->told.size = pull->chunks.size;
    tell(pull);
    r = fetch(pull);
    if (r == 0)
        r = check_whole(pull);
    if (r == 0)
        r = place_commit(&pull->place);
    return r < 0 ? r : 1;
}

static int run(struct pull *pull, const char *name)
{
    const char *at = strchr(name, '@');
    int r = at ? is_there(pull, at + 1) : 0;
    if (r != 0)
        return r < 0 ? r : 0;
    r = describe(pull, name);
    if (r == 0 && (r = is_there(pull, pull->chunks.revision)) != 0)
        return r < 0 ? r : 0;
    return r < 0 ? r : pull_described(pull);
}

int tnm_pull(tnm_client *client, const char *name, const char *folder, unsigned flags,
             tnm_pulled *ret, size_t size)
{
    int r = client_check(client);
    if (r == 0)
        r = split_check_name(name);
    if (r == 0 && (!folder || !folder[0]))
        r = failure_set(-EINVAL, "there is no folder to pull into");
    if (r == 0 && (flags & ~(unsigned)TNM_PULL_VERIFY))
        r = failure_set(-EINVAL, "flags %u; there is %d alone", flags, TNM_PULL_VERIFY);
    if (r < 0)
        return r;
    char bare[WIRE_NAME_MAX + 1];
    snprintf(bare, sizeof bare, "%.*s", (int)strcspn(name, "@"), name);
    struct pull pull = {.client = client,
                        .name = bare,
                        .verifies = flags & TNM_PULL_VERIFY,
                        .n_cancels = client_cancels(client),
                        .ret = ret,
                        .ret_size = ret ? size : 0};
    tell(&pull);
    r = place_find(folder, bare, &pull.place);
    if (r == 0)
        r = run(&pull, name);
    parts_free(pull.parts);
    chunks_clear(&pull.chunks);
    sha256_free(pull.hash);
    free(pull.is_there);
    free(pull.buffer);
    place_free(&pull.place);
    return r;
}
