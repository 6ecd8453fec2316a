/* SPDX-License-Identifier: Apache-2.0
 * SRV records, from the system's resolver; its part of libc reads the messages. */
#include "client/srv.h"

#include <arpa/nameser.h>
#include <ctype.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- What an answer says ---- */

enum { FIXED_BYTES = 6 }; /* priority, weight and port, before the target */

/* What comes from the network becomes part of URLs and of messages. */
static bool is_host(const char *name)
{
    size_t n = strlen(name);
    if (n == 0 || n >= SRV_TARGET_MAX)
        return false;
    return strspn(name, "abcdefghijklmnopqrstuvwxyz"
                        "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") == n;
}

/* Which record is of that host and port; records->n: none. */
static size_t find(const struct srv_records *records, const struct srv_record *record)
{
    size_t i = 0;
    while (i < records->n && (records->list[i].port != record->port ||
                              strcmp(records->list[i].target, record->target) != 0))
        i++;
    return i;
}

/* Among the others by its priority, in the place of the one of its host and port; of too many the
 * last is left out. */
static void add(struct srv_records *records, const struct srv_record *record)
{
    size_t at = 0, end = find(records, record);
    while (at < end && records->list[at].priority <= record->priority)
        at++;
    if (end == records->n && records->n < SRV_MAX)
        records->n++;
    else if (end == records->n)
        end--; /* the last one's place */
    else if (records->list[end].priority <= record->priority)
        return;
    if (at > end)
        return;
    memmove(&records->list[at + 1], &records->list[at], (end - at) * sizeof records->list[0]);
    records->list[at] = *record;
}

/* False: the record is damaged. */
static bool read_record(ns_msg message, const ns_rr *rr, struct srv_records *records)
{
    const unsigned char *at = ns_rr_rdata(*rr);
    char target[NS_MAXDNAME];
    struct srv_record record;
    if (ns_rr_rdlen(*rr) <= FIXED_BYTES)
        return false;
    int used = dn_expand(ns_msg_base(message), ns_msg_end(message), at + FIXED_BYTES, target,
                         sizeof target);
    if (used < 0 || used != ns_rr_rdlen(*rr) - FIXED_BYTES)
        return false;
    record.priority = (uint16_t)ns_get16(at);
    record.port = (uint16_t)ns_get16(at + 4);
    if (record.port == 0 || !is_host(target))
        return true;
    for (size_t i = 0; i < sizeof record.target && (i == 0 || target[i - 1]); i++)
        record.target[i] = (char)tolower((unsigned char)target[i]);
    add(records, &record);
    return true;
}

int srv_read(const uint8_t *bytes, size_t size, struct srv_records *ret, struct error *why)
{
    ns_msg message;
    ns_rr rr;
    int n_srv = 0;
    if (size > NS_MAXMSG || ns_initparse(bytes, (int)size, &message) < 0)
        return error_set(why, -EBADMSG, "the name server's answer is damaged");
    ret->n = 0;
    for (int i = 0; i < ns_msg_count(message, ns_s_an); i++) {
        if (ns_parserr(&message, ns_s_an, i, &rr) < 0)
            return error_set(why, -EBADMSG, "record %d of the name server's answer is damaged", i);
        if (ns_rr_type(rr) != ns_t_srv || ns_rr_class(rr) != ns_c_in)
            continue; /* aliases that lead to them */
        n_srv++;
        if (!read_record(message, &rr, ret))
            return error_set(why, -EBADMSG, "record %d of the name server's answer is damaged", i);
    }
    if (n_srv == 0)
        return error_set(why, -ENOENT, "there is no such SRV record");
    if (ret->n == 0)
        return error_set(why, -ENOENT, "its SRV records say that there is no such service");
    return 0;
}

/* ---- Asking ---- */

/* Who waits looks again anyway, and has to be told in the time that it waits. */
enum { ASK_S = 2, ASK_TIMES = 1 };

struct srv_lookup {
    struct loop_work work; /* first */
    void (*done)(void *user, const struct srv_records *found, const struct error *why);
    void *user; /* with done NULL: abandoned */
    int r;
    struct error why;
    struct srv_records found;
    uint8_t answer[NS_MAXMSG];
    char name[];
};

static const char *words_of(int h_error)
{
    static const struct {
        int error;
        const char *words;
    } rows[] = {
        {HOST_NOT_FOUND, "there is no such SRV record"},
        {NO_DATA, "there is no such SRV record"},
        {TRY_AGAIN, "the name server does not answer"},
        {NO_RECOVERY, "the name server refuses to answer"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].error == h_error)
            return rows[i].words;
    return "the system's resolver can't look it up";
}

static int ask(struct srv_lookup *lookup)
{
    struct __res_state state = {0};
    struct error *why = &lookup->why;
    if (res_ninit(&state) < 0)
        return error_set(why, -EHOSTUNREACH, "the system's resolver does not start");
    if (state.retrans > ASK_S)
        state.retrans = ASK_S;
    state.retry = ASK_TIMES;
    int n =
        res_nsearch(&state, lookup->name, ns_c_in, ns_t_srv, lookup->answer, sizeof lookup->answer);
    int h_error = state.res_h_errno;
    res_nclose(&state);
    if (n < 0)
        return error_set(why, -EHOSTUNREACH, "%s", words_of(h_error));
    if ((size_t)n > sizeof lookup->answer)
        return error_set(why, -EBADMSG, "the name server's answer is too long");
    return srv_read(lookup->answer, (size_t)n, &lookup->found, why);
}

/* In a thread of the pool. */
static void run(struct loop_work *work)
{
    struct srv_lookup *lookup = (struct srv_lookup *)work;
    lookup->r = ask(lookup);
    if (lookup->r < 0)
        error_prefix(&lookup->why, lookup->r, "%.253s", lookup->name);
}

static void after(struct loop_work *work)
{
    struct srv_lookup *lookup = (struct srv_lookup *)work;
    if (lookup->done)
        lookup->done(lookup->user, lookup->r < 0 ? NULL : &lookup->found, &lookup->why);
    free(lookup);
}

int srv_lookup(struct loop *loop, const char *name,
               void (*done)(void *user, const struct srv_records *found, const struct error *why),
               void *user, struct srv_lookup **ret)
{
    size_t length = strlen(name) + 1;
    struct srv_lookup *lookup = calloc(1, sizeof *lookup + length);
    if (!lookup)
        return -ENOMEM;
    lookup->work = (struct loop_work){.run = run, .done = after};
    lookup->done = done;
    lookup->user = user;
    memcpy(lookup->name, name, length);
    int r = loop_work(loop, &lookup->work);
    if (r < 0)
        free(lookup);
    else
        *ret = lookup;
    return r;
}

void srv_lookup_abandon(struct srv_lookup *lookup)
{
    if (lookup)
        lookup->done = NULL;
}
