/* SPDX-License-Identifier: Apache-2.0
 * Which of several servers that are well is asked first. */
#include "client/rank.h"

/* A figure that is so old, in time and in tries since, says nothing of what the server is now. */
enum { OLD_MS = 30000, OLD_TRIES = 32 };

/* What is measured of servers that are the same differs by as much. */
static const double ABOUT = 1.25;

/* ---- Places ---- */

/* FNV-1a. */
static uint64_t add_text(uint64_t hash, const char *text)
{
    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * 0x100000001b3;
    return hash;
}

/* Each bit of the result hangs on all (the last steps of MurmurHash3). */
static uint64_t mix(uint64_t bits)
{
    bits = (bits ^ bits >> 33) * 0xff51afd7ed558ccd;
    bits = (bits ^ bits >> 33) * 0xc4ceb9fe1a85ec53;
    return bits ^ bits >> 33;
}

uint64_t rank_key(const char *path, uint64_t part_begin)
{
    return mix(add_text(0xcbf29ce484222325, path) ^ mix(part_begin));
}

/* ---- Times ---- */

static bool is_known(const struct server *server, const struct rank_of *of)
{
    return server->typical_whole_ms > 0 && (of->now_ms < server->measured_ms + OLD_MS ||
                                            of->sent < server->measured_at + OLD_TRIES);
}

/* Of those of which it is known; or of anybody. */
static double usual_ms(const struct servers *servers, const struct rank_of *of)
{
    double sum = 0;
    unsigned n = 0;
    for (size_t s = 0; s < servers->n; s++)
        if (is_known(&servers->list[s], of)) {
            sum += servers->list[s].typical_whole_ms;
            n++;
        }
    return n ? sum / n : 1;
}

struct rank rank_server(const struct servers *servers, size_t s, const struct rank_of *of)
{
    const struct server *server = &servers->list[s];
    uint64_t place = mix(add_text(of->key, server->label));
    if (is_known(server, of))
        return (struct rank){server->typical_whole_ms * (server->n_under_way + 1), place};
    place = mix(place ^ of->seed);
    if (server->n_under_way == 0)
        return (struct rank){0, place};
    return (struct rank){usual_ms(servers, of) * (server->n_under_way + 1), place};
}

size_t rank_first(const struct rank ranks[], size_t n)
{
    double fastest_ms = ranks[0].expected_ms;
    for (size_t i = 1; i < n; i++)
        if (ranks[i].expected_ms < fastest_ms)
            fastest_ms = ranks[i].expected_ms;
    size_t first = n;
    for (size_t i = 0; i < n; i++)
        if (ranks[i].expected_ms <= ABOUT * fastest_ms &&
            (first == n || ranks[i].place > ranks[first].place))
            first = i;
    return first;
}
