/* SPDX-License-Identifier: Apache-2.0
 * Where a command's answer goes: to a file, whole or not at all, or to standard output. */
#include "cli/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int fail(const char *path, int code, struct fault *why)
{
    return fault_set(why, -EIO, "%s: %s", path, strerror(code));
}

/* A device, a FIFO: nothing could take its place. */
static int open_itself(const char *path, struct output *ret, struct fault *why)
{
    char *copy = strdup(path);
    int fd = copy ? open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY) : -1;
    FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (file) {
        *ret = (struct output){.file = file, .path = copy};
        return 0;
    }
    int r = fail(path, errno, why);
    free(copy);
    if (fd >= 0)
        close(fd);
    return r;
}

static void block_signals(sigset_t *ret_before)
{
    static const int ending[] = {SIGHUP, SIGINT, SIGTERM, SIGQUIT};
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < sizeof ending / sizeof *ending; i++)
        sigaddset(&set, ending[i]);
    sigprocmask(SIG_BLOCK, &set, ret_before);
}

/* Open a file beside `path`, which is handed over, with the permissions that a new one gets. */
static int open_beside(char *path, struct output *ret, struct fault *why)
{
    struct output output = {.path = path};
    if (asprintf(&output.temporary, "%s.XXXXXX", path) < 0)
        return fault_set(why, -ENOMEM, "no memory for a path");
    block_signals(&output.blocked_before);
    int fd = mkostemp(output.temporary, O_CLOEXEC);
    output.file = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (!output.file) {
        int r = fail(path, errno, why);
        if (fd >= 0) {
            close(fd);
            unlink(output.temporary);
        }
        sigprocmask(SIG_SETMASK, &output.blocked_before, NULL);
        free(output.temporary);
        return r;
    }
    mode_t mask = umask(0);
    umask(mask);
    fchmod(fd, 0666 & ~mask);
    *ret = output;
    return 0;
}

static int open_path(const char *path, struct output *ret, struct fault *why)
{
    struct stat about;
    bool exists = stat(path, &about) == 0;
    if (exists && S_ISDIR(about.st_mode))
        return fail(path, EISDIR, why);
    if (exists && !S_ISREG(about.st_mode))
        return open_itself(path, ret, why);
    char *meant = exists ? realpath(path, NULL) : strdup(path); /* a link stays one */
    if (!meant)
        return fail(path, errno, why);
    int r = open_beside(meant, ret, why);
    if (r < 0)
        free(meant);
    return r;
}

int output_open(const char *path, bool binary, struct output *ret, struct fault *why)
{
    if (path && strcmp(path, "-") != 0)
        return open_path(path, ret, why);
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

/* All of it, and where it is a file, on the disk. */
static int finish(const struct output *output, struct fault *why)
{
    if (fflush(output->file) == 0 && !ferror(output->file) &&
        (!output->temporary || fsync(fileno(output->file)) == 0))
        return 0;
    return fault_set(why, -EIO, "%s: cannot write: %s", output->path, strerror(errno));
}

int output_close(struct output *output, int r, struct fault *why)
{
    if (!output->path)
        return r < 0 ? r : output_flush(why);
    if (r == 0)
        r = finish(output, why);
    fclose(output->file);
    if (output->temporary) {
        if (r == 0 && rename(output->temporary, output->path) < 0)
            r = fail(output->path, errno, why);
        if (r < 0)
            unlink(output->temporary);
        sigprocmask(SIG_SETMASK, &output->blocked_before, NULL);
    }
    free(output->temporary);
    free(output->path);
    return r;
}
