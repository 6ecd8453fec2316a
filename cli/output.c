/* SPDX-License-Identifier: Apache-2.0
 * Where a command's answer goes: to a file, whole or not at all, or to standard output. */
#include "cli/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int open_temporary(const char *path, struct output *ret, struct fault *why)
{
    char *temporary;
    if (asprintf(&temporary, "%s.XXXXXX", path) < 0)
        return fault_set(why, -ENOMEM, "no memory for a path");
    int fd = mkostemp(temporary, O_CLOEXEC);
    FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (!file) {
        int r = fault_set(why, -EIO, "%s: %s", path, strerror(errno));
        if (fd >= 0) {
            close(fd);
            unlink(temporary);
        }
        free(temporary);
        return r;
    }
    mode_t mask = umask(0);
    umask(mask);
    fchmod(fd, 0666 & ~mask);
    *ret = (struct output){.file = file, .path = path, .temporary = temporary};
    return 0;
}

int output_open(const char *path, bool binary, struct output *ret, struct fault *why)
{
    if (path && strcmp(path, "-") != 0)
        return open_temporary(path, ret, why);
    if (binary && isatty(STDOUT_FILENO))
        return fault_set(why, -EINVAL,
                         "binary data are not for a terminal; --output FILE writes them to a file");
    *ret = (struct output){.file = stdout};
    return 0;
}

int output_flush(struct fault *why)
{
    int code = fflush(stdout) != 0 ? errno : ferror(stdout) ? EIO : 0;
    return code ? fault_set(why, -EIO, "standard output: cannot write: %s", strerror(code)) : 0;
}

int output_close(struct output *output, int r, struct fault *why)
{
    if (!output->path)
        return r < 0 ? r : output_flush(why);
    if (r == 0 &&
        (fflush(output->file) != 0 || ferror(output->file) || fsync(fileno(output->file)) < 0))
        r = fault_set(why, -EIO, "%s: cannot write: %s", output->path, strerror(errno));
    fclose(output->file);
    if (r == 0 && rename(output->temporary, output->path) < 0)
        r = fault_set(why, -EIO, "%s: %s", output->path, strerror(errno));
    if (r < 0)
        unlink(output->temporary);
    free(output->temporary);
    return r;
}
