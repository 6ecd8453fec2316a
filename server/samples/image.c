/* SPDX-License-Identifier: Apache-2.0
 * Pictures as PNG files, animated where they have several frames. The one door to libpng.
 *
 * libpng writes a frame as a file of its own. The first is what everyone shows; of the others only
 * the data are taken, into the chunks that APNG has for them
 * (https://wiki.mozilla.org/APNG_Specification). */
#include "server/samples/image.h"

#include <endian.h>
#include <errno.h>
#include <png.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum {
    LEVEL = 6,
    WINDOW_BITS = 15,
    MEMORY_LEVEL = 8,
    RGB = 3,
    PIECE_BYTES = 1 << 15,      /* of data in a chunk */
    FIRST_BYTES = 1 << 13,      /* of room for a file */
    LIBRARY_BYTES = 400 * 1024, /* zlib's state and windows, libpng's own, a piece */
    SIGNATURE_BYTES = 8,
    CHUNK_BYTES = 12, /* beside its data: length, name, sum */
    NAME_AT = 4,
    DATA_AT = 8,
};

/* A file that grows; what it holds is claimed first. */
struct file {
    struct reply *reply;
    uint8_t *bytes;
    size_t n, size;
    int r; /* why it could not */
    struct error *why;
};

static int grow(struct file *file, size_t n)
{
    size_t size = file->size ? file->size : FIRST_BYTES;
    while (size - file->n < n)
        size *= 2;
    if (size == file->size)
        return 0;
    int r = reply_claim(file->reply, size - file->size, file->why);
    if (r < 0)
        return r;
    uint8_t *bytes = realloc(file->bytes, size);
    if (!bytes)
        return error_set(file->why, -ENOMEM, "no memory for a picture of %zu bytes", size);
    file->bytes = bytes;
    file->size = size;
    return 0;
}

static void on_bytes(png_structp png, png_bytep bytes, size_t n)
{
    struct file *file = png_get_io_ptr(png);
    file->r = grow(file, n);
    if (file->r < 0)
        png_error(png, file->why->text);
    memcpy(file->bytes + file->n, bytes, n);
    file->n += n;
}

static void on_flush(png_structp png)
{
    (void)png;
}

/* Nothing but memory can have been missing, unless the file says what was. */
static void on_error(png_structp png, png_const_charp text)
{
    (void)text;
    png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp text)
{
    (void)png;
    (void)text;
}

static png_voidp on_alloc(png_structp png, png_alloc_size_t size)
{
    (void)png;
    return malloc(size);
}

static void on_free(png_structp png, png_voidp bytes)
{
    (void)png;
    free(bytes);
}

static void set_up(png_structp png, png_infop info, const struct image *image)
{
    png_set_filter(png, PNG_FILTER_TYPE_BASE, PNG_FILTER_NONE);
    png_set_compression_level(png, LEVEL);
    png_set_compression_window_bits(png, WINDOW_BITS);
    png_set_compression_mem_level(png, MEMORY_LEVEL);
    png_set_compression_strategy(png, Z_DEFAULT_STRATEGY);
    png_set_compression_buffer_size(png, PIECE_BYTES);
    png_set_IHDR(png, info, image->width, image->n_rows * image->repeats, 8, PNG_COLOR_TYPE_RGB,
                 PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
}

static uint8_t *put_u32(uint8_t *at, uint32_t value)
{
    value = htobe32(value);
    return mempcpy(at, &value, sizeof value);
}

static uint8_t *put_u16(uint8_t *at, uint16_t value)
{
    value = htobe16(value);
    return mempcpy(at, &value, sizeof value);
}

static void write_chunk(png_structp png, const char *name, const uint8_t *data, size_t n)
{
    png_write_chunk(png, (png_const_bytep)name, data, n);
}

/* It moves, for ever. */
static void write_animation(png_structp png, const struct image *image)
{
    uint8_t data[8];
    put_u32(put_u32(data, image->n_frames), 0);
    write_chunk(png, "acTL", data, sizeof data);
}

/* A frame that replaces all of the one before. */
static void write_frame_head(png_structp png, const struct image *image, uint32_t sequence)
{
    enum { MS_IN_S = 1000 };
    uint8_t data[26] = {0}, *at = put_u32(data, sequence);
    at = put_u32(put_u32(at, image->width), image->n_rows * image->repeats);
    at += 2 * sizeof(uint32_t); /* it begins in the corner */
    put_u16(put_u16(at, image->frame_ms), MS_IN_S);
    write_chunk(png, "fcTL", data, sizeof data);
}

/* The data of a frame's own file, numbered. Returns the next number. */
static uint32_t write_frame_data(png_structp png, const struct file *frame, uint32_t sequence)
{
    uint8_t *at = frame->bytes + SIGNATURE_BYTES, *end = frame->bytes + frame->n;
    while (at < end) {
        uint32_t n;
        memcpy(&n, at, sizeof n);
        n = be32toh(n);
        if (memcmp(at + NAME_AT, "IDAT", 4) == 0) {
            put_u32(at + NAME_AT, sequence++); /* in place of the name, where the data follow */
            write_chunk(png, "fdAT", at + NAME_AT, n + sizeof(uint32_t));
        }
        at += n + CHUNK_BYTES;
    }
    return sequence;
}

/* Everything that libpng may leave by a jump is here, where nothing is lost by it. */
struct writer {
    png_structp png;
    png_infop info;
    const struct image *image;
    uint8_t *row;
};

static void write_rows(const struct writer *writer, uint32_t frame)
{
    const struct image *image = writer->image;
    for (uint32_t row = 0; row < image->n_rows; row++) {
        image->draw(image->user, frame, row, writer->row);
        for (uint32_t i = 0; i < image->repeats; i++)
            png_write_row(writer->png, writer->row);
    }
}

static int begin(struct writer *writer, struct file *file)
{
    file->n = 0;
    writer->png = png_create_write_struct_2(PNG_LIBPNG_VER_STRING, NULL, on_error, on_warning, NULL,
                                            on_alloc, on_free);
    writer->info = writer->png ? png_create_info_struct(writer->png) : NULL;
    if (writer->info) {
        png_set_write_fn(writer->png, file, on_bytes, on_flush);
        return 0;
    }
    png_destroy_write_struct(&writer->png, NULL);
    return error_set(file->why, -ENOMEM, "no memory for a picture");
}

static int end(struct writer *writer, const struct file *file, bool done)
{
    png_destroy_write_struct(&writer->png, &writer->info);
    if (done || file->r < 0)
        return file->r;
    return error_set(file->why, -ENOMEM, "no memory to compress a picture");
}

/* A frame as a file of its own. */
static int write_alone(const struct image *image, uint8_t *row, uint32_t frame, struct file *file)
{
    struct writer writer = {.image = image, .row = row};
    int r = begin(&writer, file);
    if (r < 0)
        return r;
    volatile bool done = false;
    if (!setjmp(png_jmpbuf(writer.png))) {
        set_up(writer.png, writer.info, image);
        png_write_info(writer.png, writer.info);
        write_rows(&writer, frame);
        png_write_end(writer.png, NULL);
        done = true;
    }
    return end(&writer, file, done);
}

/* The whole file, with the frames behind the first from files of their own. */
static int write_all(const struct image *image, uint8_t *row, struct file *frame, struct file *file)
{
    struct writer writer = {.image = image, .row = row};
    int r = begin(&writer, file);
    if (r < 0)
        return r;
    volatile bool done = false;
    volatile uint32_t sequence = 0, i = 1;
    if (!setjmp(png_jmpbuf(writer.png))) {
        set_up(writer.png, writer.info, image);
        png_write_info(writer.png, writer.info);
        write_animation(writer.png, image);
        write_frame_head(writer.png, image, sequence++);
        write_rows(&writer, 0);
        for (; i < image->n_frames; i++) {
            file->r = write_alone(image, row, i, frame);
            if (file->r < 0)
                png_error(writer.png, "a frame");
            write_frame_head(writer.png, image, sequence++);
            sequence = write_frame_data(writer.png, frame, sequence);
        }
        png_write_end(writer.png, NULL);
        done = true;
    }
    return end(&writer, file, done);
}

static uint64_t row_bytes(const struct image *image)
{
    return (uint64_t)image->width * RGB;
}

uint64_t image_room(const struct image *image)
{
    unsigned n_writers = image->n_frames > 1 ? 2 : 1;
    return row_bytes(image) + n_writers * (LIBRARY_BYTES + row_bytes(image));
}

static int write_file(const struct image *image, uint8_t *row, struct file *file)
{
    if (image->n_frames == 1)
        return write_alone(image, row, 0, file);
    struct file frame = {.reply = file->reply, .why = file->why};
    int r = write_all(image, row, &frame, file);
    free(frame.bytes);
    return r;
}

int image_add(const struct image *image, struct reply *reply, struct error *why)
{
    void *row;
    struct file file = {.reply = reply, .why = why};
    int r = reply_claim(reply, image_room(image) - row_bytes(image), why);
    if (r == 0)
        r = reply_alloc(reply, row_bytes(image), &row, why);
    if (r == 0)
        r = write_file(image, row, &file);
    if (r == 0)
        return reply_own(reply, file.bytes, file.n, why);
    free(file.bytes);
    return r;
}

void image_makers(char ret[IMAGE_MAKERS_SIZE])
{
    snprintf(ret, IMAGE_MAKERS_SIZE, "%s-%s", png_get_libpng_ver(NULL), zlibVersion());
}
