/* SPDX-License-Identifier: Apache-2.0
 * Fuzz target: a zip archive as a source. Of what is accepted, every file is read. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "generator/source.h"
#include "tests/fuzz/fuzz.h"

static void read_all(const struct source *source, enum part part)
{
    struct buffer buffer = {0};
    struct error why;
    for (size_t i = 0; i < source_count(source, part); i++) {
        const struct listing_file *file = source_file(source, part, i);
        FUZZ_CHECK(file->spooled && file->size_bytes <= SOURCE_MAX_BYTES);
        FUZZ_CHECK(source_read(source, NULL, part, file, &buffer, &why) == 0);
        FUZZ_CHECK(buffer.size == file->size_bytes);
    }
    buffer_free(&buffer);
}

/* In memory, where there is such a folder. */
static const char *spool_folder(void)
{
    return access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct source *source;
    struct error why;
    int r = source_open_files(fuzz_file(bytes, size), spool_folder(), &source, &why);
    FUZZ_CHECK(r == 0 || r == -EBADMSG || r == -EFBIG || r == -ENOMEM);
    if (r < 0) {
        FUZZ_CHECK(why.text[0]);
        return 0;
    }
    for (enum part part = 0; part < N_PARTS; part++)
        read_all(source, part);
    source_close(source);
    return 0;
}
