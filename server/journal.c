/* SPDX-License-Identifier: Apache-2.0
 * systemd's journal, by its native protocol. */
#include "server/journal.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

enum { SEND_BUFFER_BYTES = 4 << 20, PARTS_OF_FIELD = 4 };

/* Not connected: a journal that opens its socket anew is found again. */
static struct journal {
    int fd;
    struct sockaddr_un address;
} journal = {.fd = -1};

void journal_open(const char *path)
{
    journal_close();
    if (strlen(path) >= sizeof journal.address.sun_path)
        return;
    journal.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (journal.fd < 0)
        return;
    journal.address.sun_family = AF_UNIX;
    strcpy(journal.address.sun_path, path);
    /* What the journal does not read at once waits here. */
    const int size = SEND_BUFFER_BYTES;
    setsockopt(journal.fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
}

void journal_close(void)
{
    if (journal.fd >= 0)
        close(journal.fd);
    journal = (struct journal){.fd = -1};
}

bool journal_has_stderr(void)
{
    const char *said = getenv("JOURNAL_STREAM");
    struct stat own;
    char text[64];
    if (!said || fstat(STDERR_FILENO, &own) < 0)
        return false;
    snprintf(text, sizeof text, "%ju:%ju", (uintmax_t)own.st_dev, (uintmax_t)own.st_ino);
    return strcmp(said, text) == 0;
}

static void add_part(struct msghdr *message, const char *text)
{
    message->msg_iov[message->msg_iovlen++] = (struct iovec){(void *)text, strlen(text)};
}

bool journal_send(const struct journal_field *fields, size_t n)
{
    struct iovec parts[JOURNAL_FIELDS_MAX * PARTS_OF_FIELD];
    struct msghdr message = {
        .msg_name = &journal.address, .msg_namelen = sizeof journal.address, .msg_iov = parts};
    for (size_t i = 0; i < n && i < JOURNAL_FIELDS_MAX; i++) {
        if (!fields[i].value)
            continue;
        add_part(&message, fields[i].name);
        add_part(&message, "=");
        add_part(&message, fields[i].value);
        add_part(&message, "\n");
    }
    return journal.fd >= 0 && sendmsg(journal.fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0;
}
