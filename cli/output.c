/* SPDX-License-Identifier: Apache-2.0
 * Where a command's answer goes: to a file, whole or not at all, or to standard output. */
#include "cli/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int open_temporary(const char *path, struct cli_output *ret, struct error *why)
{
    char *temporary;
    if (asprintf(&temporary, "%s.XXXXXX", path) < 0)
        return error_set(why, -ENOMEM, "no memory for a path");
    int fd = mkostemp(temporary, O_CLOEXEC);
    FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (!file) {
        int r = error_set(why, -EIO, "%s: %s", path, strerror(errno));
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
    *ret = (struct cli_output){.file = file, .path = path, .temporary = temporary};
    return 0;
}

int cli_output_open(const char *path, bool binary, struct cli_output *ret, struct error *why)
{
    if (path)
        return open_temporary(path, ret, why);
    if (binary && isatty(STDOUT_FILENO))
        return error_set(why, -EINVAL,
                         "binary data are not for a terminal; --output FILE writes them to a file");
    *ret = (struct cli_output){.file = stdout};
    return 0;
}

int cli_output_close(struct cli_output *output, int r, struct error *why)
{
    const char *name = output->path ? output->path : "standard output";
    if (r == 0 && (fflush(output->file) != 0 || ferror(output->file)))
        r = error_set(why, -EIO, "%s: cannot write: %s", name, strerror(errno));
    if (!output->path)
        return r;
    if (r == 0 && fsync(fileno(output->file)) < 0)
        r = error_set(why, -EIO, "%s: cannot write: %s", name, strerror(errno));
    fclose(output->file);
    if (r == 0 && rename(output->temporary, output->path) < 0)
        r = error_set(why, -EIO, "%s: %s", name, strerror(errno));
    if (r < 0)
        unlink(output->temporary);
    free(output->temporary);
    return r;
}
