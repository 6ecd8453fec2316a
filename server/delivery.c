/* SPDX-License-Identifier: Apache-2.0
 * How an answer leaves. */
#include "server/delivery.h"

#include <microhttpd.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "common/wire.h"
#include "server/samples/budget.h"

enum {
    /* A vector stands in the memory that a connection's headers stand in. How much of that is free
     * cannot be known, but the answer's own head, which takes more bytes, has just left it. */
    VECTOR_MAX_PARTS = 8,
    /* What is copied at a time of an answer of more parts. Not a power of two: on a link of large
     * segments each such block would end in a tiny packet (bench/README.md). */
    BLOCK_BYTES = 120 * 1024,
    CHUNK_BYTES = 4096, /* of it, while the next are on their way from memory */
    LINE_BYTES = 64,
    HEAD_BYTES = 2560, /* of an answer that goes past libmicrohttpd: all headers, each full */
    MOST_IN_VAIN = 8,  /* what was read is gone again each time: better slow than never */
};

/* Copy `size` bytes; `then` is what will be read next, or NULL. The parts of a batch lie anywhere
 * in the map, where the processor does not look ahead by itself. */
static void copy_ahead(char *out, const char *from, size_t size, const char *then)
{
    for (size_t at = 0; at < size; at += CHUNK_BYTES) {
        size_t n = size - at < CHUNK_BYTES ? size - at : CHUNK_BYTES;
        const char *soon = at + CHUNK_BYTES < size ? from + at + CHUNK_BYTES : then;
        for (size_t i = 0; soon && i < CHUNK_BYTES; i += LINE_BYTES)
            __builtin_prefetch(soon + i);
        memcpy(out + at, from + at, n);
    }
}

/* Copy of a part what can be copied now; `then` is the next one. */
static size_t copy_piece(const struct delivery *delivery, char *out, const char *from, size_t size,
                         const char *then)
{
    if (delivery->is_paced && delivery->in_vain < MOST_IN_VAIN)
        return pace_copy(delivery->reply, from, out, size);
    copy_ahead(out, from, size, then);
    return size;
}

static size_t copy_parts(struct delivery *delivery, char *bytes, size_t size)
{
    const struct reply *reply = delivery->reply;
    struct pace_place *place = &delivery->place;
    size_t n = 0;
    while (n < size && place->part < reply->n_parts) {
        const struct iovec *part = &reply->parts[place->part];
        size_t left = part->iov_len - place->skipped, piece = size - n < left ? size - n : left;
        const char *then = place->part + 1 < reply->n_parts ? part[1].iov_base : NULL;
        size_t copied = copy_piece(delivery, bytes + n,
                                   (const char *)part->iov_base + place->skipped, piece, then);
        n += copied;
        place->skipped += copied;
        if (copied == left)
            *place = (struct pace_place){.part = place->part + 1};
        if (copied < piece)
            break;
    }
    delivery->read += n;
    return n;
}

/* Nothing may be done with the delivery behind this: it is another thread's. */
static ssize_t wait_for_disk(struct delivery *delivery)
{
    bool again = delivery->waited_at == delivery->read;
    delivery->in_vain = again ? delivery->in_vain + 1 : 0;
    delivery->waited_at = delivery->read;
    return delivery->wait(delivery->user) ? 0 : MHD_CONTENT_READER_END_WITH_ERROR;
}

/* Copy the next bytes of the answer's parts. libmicrohttpd asks for them in their order; for none
 * once more when the connection is not suspended any more. */
static ssize_t read_parts(void *user, uint64_t at, char *bytes, size_t size)
{
    struct delivery *delivery = user;
    if (at != delivery->read)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    if (delivery->is_paced && at >= delivery->awaited)
        return wait_for_disk(delivery);
    size_t n = copy_parts(delivery, bytes, size);
    if (n == 0 && delivery->is_paced)
        return wait_for_disk(delivery);
    /* What was copied may have been no longer there. */
    return reply_is_damaged(delivery->reply) ? MHD_CONTENT_READER_END_WITH_ERROR : (ssize_t)n;
}

/* A body that is never asked for: the answer to a HEAD, or a 304. */
static ssize_t read_nothing(void *user, uint64_t at, char *bytes, size_t size)
{
    (void)user;
    (void)at;
    (void)bytes;
    (void)size;
    return MHD_CONTENT_READER_END_WITH_ERROR;
}

static void release(void *user)
{
    struct delivery *delivery = user;
    delivery->release(delivery->user);
}

static struct MHD_Response *make_bodyless(struct delivery *delivery)
{
    const struct reply *reply = delivery->reply;
    bool known = !reply->unknown_length && (reply->n_bytes > 0 || reply->status != 304);
    struct MHD_Response *response = MHD_create_response_from_callback(
        known ? reply->n_bytes : MHD_SIZE_UNKNOWN, 1, read_nothing, delivery, release);
    /* A 304 may not say Content-Length: 0. The other way to tell an unknown length promises chunks,
     * for which clients wait, and libmicrohttpd sends the last of them behind the headers, where a
     * client takes it for the next answer: it ends with the connection. */
    if (response && !known)
        MHD_set_response_options(response, MHD_RF_HTTP_1_0_COMPATIBLE_STRICT, MHD_RO_END);
    return response;
}

static struct MHD_Response *make_response(struct delivery *delivery)
{
    const struct reply *reply = delivery->reply;
    _Static_assert(sizeof(struct MHD_IoVec) == sizeof(struct iovec), "one layout");
    if (reply->status == 304 || (reply->head_only && (reply->n_bytes > 0 || reply->unknown_length)))
        return make_bodyless(delivery);
    if (reply->n_parts == 0)
        return MHD_create_response_from_buffer_with_free_callback_cls(0, (void *)"", release,
                                                                      delivery);
    if (delivery->is_paced)
        return MHD_create_response_from_callback(reply->n_bytes, BLOCK_BYTES, read_parts, delivery,
                                                 release);
    if (reply->n_parts == 1)
        return MHD_create_response_from_buffer_with_free_callback_cls(
            reply->parts[0].iov_len, reply->parts[0].iov_base, release, delivery);
    if (reply->n_parts <= VECTOR_MAX_PARTS)
        return MHD_create_response_from_iovec((const struct MHD_IoVec *)reply->parts,
                                              (unsigned)reply->n_parts, release, delivery);
    return MHD_create_response_from_callback(reply->n_bytes, BLOCK_BYTES, read_parts, delivery,
                                             release);
}

/* What is there leaves as others do: copying it from the file costs half as much again. */
void delivery_plan(struct delivery *delivery, bool is_cold)
{
    if (!reply_is_long(delivery->reply))
        return;
    delivery->is_paced = is_cold || !pace_is_there(delivery->reply);
    delivery->waited_at = UINT64_MAX;
}

void delivery_await(struct delivery *delivery)
{
    pace_await(delivery->reply, delivery->place);
    delivery->awaited = delivery->read + PACE_WINDOW_BYTES;
}

bool delivery_claim(struct delivery *delivery)
{
    struct reply *reply = delivery->reply;
    if (reply->n_parts <= VECTOR_MAX_PARTS && !delivery->is_paced)
        return true;
    /* The block is not of the answer, and does not count against max_answer_bytes. */
    if (!budget_claim(reply->address, BLOCK_BYTES)) {
        delivery->is_paced = false; /* what is answered instead is there */
        return false;
    }
    reply->n_claimed += BLOCK_BYTES;
    return true;
}

bool delivery_send(struct delivery *delivery, struct MHD_Connection *connection, bool close)
{
    const struct reply *reply = delivery->reply;
    struct MHD_Response *response = make_response(delivery);
    if (!response) {
        release(delivery);
        return false;
    }
    bool added = true;
    for (unsigned i = 0; added && i < reply->n_headers; i++)
        added = MHD_add_response_header(response, reply->headers[i].name, reply->headers[i].value);
    if (added && reply->all_origins)
        added =
            MHD_add_response_header(response, MHD_HTTP_HEADER_ACCESS_CONTROL_ALLOW_ORIGIN, "*") &&
            MHD_add_response_header(response, "Access-Control-Expose-Headers", WIRE_EXPOSED);
    if (added && close)
        added = MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
    bool queued = added && MHD_queue_response(connection, reply->status, response);
    MHD_destroy_response(response);
    return queued;
}

/* The head of an answer as it goes over the wire. */
static size_t print_head(const struct reply *reply, char *out, size_t size)
{
    FILE *file = fmemopen(out, size, "w");
    if (!file)
        return 0;
    fprintf(file, "HTTP/1.1 %u %s\r\nConnection: close\r\nContent-Length: %ju\r\n", reply->status,
            MHD_get_reason_phrase_for(reply->status), (uintmax_t)reply->n_bytes);
    for (unsigned i = 0; i < reply->n_headers; i++)
        fprintf(file, "%s: %s\r\n", reply->headers[i].name, reply->headers[i].value);
    fputs("\r\n", file);
    long n = ftell(file);
    return fclose(file) == 0 && n > 0 ? (size_t)n : 0;
}

void delivery_bypass(const struct reply *reply, int fd, struct tls_side *tls)
{
    char head[HEAD_BYTES];
    struct iovec parts[] = {{head, print_head(reply, head, sizeof head)},
                            reply->n_parts ? reply->parts[0] : (struct iovec){0}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    if (parts[0].iov_len > 0 && tls)
        tls_send_last(tls, parts, 2);
    else if (parts[0].iov_len > 0)
        sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}
