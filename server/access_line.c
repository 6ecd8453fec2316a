/* SPDX-License-Identifier: Apache-2.0
 * A line of the access log. */
#include "server/access_line.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    URL_SIZE = 2048, /* in the line, with what is escaped */
    WORD_SIZE = 256,
    TIME_SIZE = 64,
    NS_IN_MS = 1000000,
    NS_IN_US = 1000,
    US_IN_S = 1000000,
};

/* What could end the quotes, the line, or move a cursor becomes `before` and two hexadecimal
 * digits: JSON's \u00 or \x. Both name the byte, as it is no character of a URL. */
static const char *escape(const char *text, const char *before, char *ret, size_t size)
{
    size_t used = 0, n = strlen(before) + 2;
    for (; *text && used + n < size; text++) {
        unsigned char byte = (unsigned char)*text;
        if (byte < ' ' || byte > '~' || byte == '"' || byte == '\\')
            used += (size_t)sprintf(ret + used, "%s%02x", before, byte);
        else
            ret[used++] = (char)byte;
    }
    ret[used] = '\0';
    return ret;
}

static size_t print_json(const struct access *access, char *out)
{
    char url[URL_SIZE], method[WORD_SIZE], token[WORD_SIZE], quoted[WORD_SIZE + 2] = "null";
    char time[TIME_SIZE], status[16] = "null";
    struct tm tm;
    gmtime_r(&access->time.tv_sec, &tm);
    strftime(time, sizeof time, "%Y-%m-%dT%H:%M:%S", &tm);
    if (access->token)
        snprintf(quoted, sizeof quoted, "\"%s\"",
                 escape(access->token, "\\u00", token, sizeof token));
    if (access->status)
        snprintf(status, sizeof status, "%u", access->status);
    uint64_t us = access->duration_ns / NS_IN_US;
    return (size_t)snprintf(
        out, ACCESS_LINE_SIZE,
        "{\"time\":\"%s.%03ldZ\",\"address\":\"%s\",\"token\":%s,\"method\":\"%s\",\"path\":\"%s\","
        "\"status\":%s,\"bytes\":%" PRIu64 ",\"duration_s\":%" PRIu64 ".%06" PRIu64
        ",\"aborted\":%s}\n",
        time, access->time.tv_nsec / NS_IN_MS, access->address, quoted,
        escape(access->method, "\\u00", method, sizeof method),
        escape(access->url, "\\u00", url, sizeof url), status, access->n_bytes, us / US_IN_S,
        us % US_IN_S, access->aborted ? "true" : "false");
}

/* Behind the format's own fields stand the seconds that the request took, and how it ended. */
static size_t print_common(const struct access *access, char *out)
{
    char url[URL_SIZE], method[WORD_SIZE], token[WORD_SIZE] = "-", time[TIME_SIZE],
                                           status[16] = "-";
    struct tm tm;
    gmtime_r(&access->time.tv_sec, &tm);
    strftime(time, sizeof time, "%d/%b/%Y:%H:%M:%S +0000", &tm);
    if (access->token)
        escape(access->token, "\\x", token, sizeof token);
    if (access->status)
        snprintf(status, sizeof status, "%u", access->status);
    uint64_t us = access->duration_ns / NS_IN_US;
    return (size_t)snprintf(
        out, ACCESS_LINE_SIZE,
        "%s - %s [%s] \"%s %s HTTP/1.1\" %s %" PRIu64 " %" PRIu64 ".%06" PRIu64 " %s\n",
        access->address, token, time, escape(access->method, "\\x", method, sizeof method),
        escape(access->url, "\\x", url, sizeof url), status, access->n_bytes, us / US_IN_S,
        us % US_IN_S, access->aborted ? "aborted" : "whole");
}

size_t access_line(enum access_format format, const struct access *access,
                   char ret[ACCESS_LINE_SIZE])
{
    return format == ACCESS_JSON ? print_json(access, ret) : print_common(access, ret);
}
