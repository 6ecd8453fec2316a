/* SPDX-License-Identifier: Apache-2.0
 * What all fuzz targets share: taking an input apart, and a file in memory. */
#include "tests/fuzz/fuzz.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

void *fuzz_alloc(size_t size)
{
    void *block = malloc(size ? size : 1);
    FUZZ_CHECK(block);
    return block;
}

uint8_t input_u8(struct input *input)
{
    if (input->left == 0)
        return 0;
    input->left--;
    return *input->at++;
}

uint32_t input_u32(struct input *input)
{
    uint32_t value = 0;
    for (unsigned i = 0; i < 4; i++)
        value |= (uint32_t)input_u8(input) << 8 * i;
    return value;
}

uint8_t *input_bytes(struct input *input, size_t size, size_t *ret_size)
{
    if (size > input->left)
        size = input->left;
    uint8_t *block = fuzz_alloc(size);
    memcpy(block, input->at, size);
    input->at += size;
    input->left -= size;
    *ret_size = size;
    return block;
}

static char *take_text(struct input *input, size_t size)
{
    char *text = fuzz_alloc(size + 1);
    memcpy(text, input->at, size);
    text[size] = '\0';
    input->at += size;
    input->left -= size;
    return text;
}

char *input_line(struct input *input)
{
    const uint8_t *end = memchr(input->at, '\n', input->left);
    char *line = take_text(input, end ? (size_t)(end - input->at) : input->left);
    if (end)
        input_u8(input);
    return line;
}

char *input_text(struct input *input)
{
    return take_text(input, input->left);
}

const char *fuzz_file(const void *bytes, size_t size)
{
    static int fd = -1;
    static char path[64];
    if (fd >= 0)
        close(fd);
    fd = memfd_create("fuzz", MFD_CLOEXEC);
    FUZZ_CHECK(fd >= 0);
    FUZZ_CHECK(write(fd, bytes, size) == (ssize_t)size);
    /* As one of long ago: split_open() waits for a tick of the clock behind one of just now. */
    FUZZ_CHECK(futimens(fd, (const struct timespec[2]){{.tv_sec = 1}, {.tv_sec = 1}}) == 0);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return path;
}
