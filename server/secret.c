/* SPDX-License-Identifier: Apache-2.0
 * A secret that somebody types, or pipes in. */
#include "server/secret.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

/* An interrupt would leave the terminal without an echo: it ends the line instead. */
static bool hide(int fd, struct termios *ret_before)
{
    if (tcgetattr(fd, ret_before) < 0)
        return false;
    struct termios hidden = *ret_before;
    hidden.c_lflag &= ~(tcflag_t)(ECHO | ISIG);
    hidden.c_cc[VEOL] = ret_before->c_cc[VINTR];
    return tcsetattr(fd, TCSAFLUSH, &hidden) == 0;
}

/* `interrupt` is the byte of one; 0: there is none. */
static int read_line(int fd, char interrupt, char *line, size_t size, struct error *why)
{
    size_t n = 0;
    for (ssize_t got; n < size; n += (size_t)got) {
        got = read(fd, line + n, 1);
        if (got < 0 && errno == EINTR)
            got = 0;
        else if (got < 0)
            return error_set(why, -errno, "cannot read it: %s", strerror(errno));
        else if (got == 0 || line[n] == '\n')
            break;
        else if (interrupt && line[n] == interrupt)
            return error_set(why, -EINTR, "it was broken off");
    }
    if (n == size)
        return error_set(why, -EINVAL, "the first line has more than %zu bytes", size - 1);
    line[n] = '\0';
    line[strcspn(line, "\r")] = '\0';
    return *line ? 0 : error_set(why, -EINVAL, "the first line is empty");
}

int secret_read(int fd, const char *prompt, char *ret, size_t size, struct error *why)
{
    struct termios before;
    bool hidden = hide(fd, &before);
    if (hidden)
        fputs(prompt, stderr);
    int r = read_line(fd, hidden ? (char)before.c_cc[VINTR] : '\0', ret, size, why);
    if (hidden) {
        tcsetattr(fd, TCSAFLUSH, &before);
        fputs("\n", stderr);
    }
    return r;
}
