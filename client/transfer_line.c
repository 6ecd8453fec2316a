/* SPDX-License-Identifier: Apache-2.0
 * Exchanges one after the other over a connection that is kept, in the caller's thread. */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "client/transfer_state.h"

enum { TICK_MS = 100 };

struct line {
    struct transfers *all;
    CURLM *multi; /* keeps the connection */
    struct transfer transfer;
    bool is_set_up;
};

int line_new(struct transfers *all, struct line **ret)
{
    struct line *line = calloc(1, sizeof *line);
    if (!line)
        return -ENOMEM;
    line->all = all;
    line->multi = curl_multi_init();
    line->transfer.easy = curl_easy_init();
    if (!line->multi || !line->transfer.easy) {
        line_free(line);
        return -ENOMEM;
    }
    *ret = line;
    return 0;
}

void line_free(struct line *line)
{
    if (!line)
        return;
    curl_easy_cleanup(line->transfer.easy);
    curl_multi_cleanup(line->multi);
    free(line);
}

static uint64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void prepare(struct line *line, const struct transfer_ask *ask)
{
    struct transfer *transfer = &line->transfer;
    *transfer = (struct transfer){.all = line->all, .easy = transfer->easy};
    if (line->is_set_up) { /* all else is as it was */
        transfer->max_bytes = transfer_max_bytes(line->all->options, ask);
        curl_easy_setopt(transfer->easy, CURLOPT_URL, ask->url);
    } else {
        transfer_set_up(transfer, ask);
    }
    line->is_set_up = true;
}

/* Let it run to its end; 0, or what `tick` gave. */
static int run(struct line *line, int (*tick)(void *user), void *user)
{
    uint64_t tick_at = now_ms() + TICK_MS;
    int running, r = 0;
    while (curl_multi_perform(line->multi, &running) == CURLM_OK && running && r == 0) {
        curl_multi_poll(line->multi, NULL, 0, TICK_MS, NULL);
        if (now_ms() < tick_at)
            continue;
        r = tick(user);
        tick_at = now_ms() + TICK_MS;
    }
    return r;
}

static CURLcode code_of_end(struct line *line)
{
    int left;
    for (CURLMsg *message; (message = curl_multi_info_read(line->multi, &left));)
        if (message->msg == CURLMSG_DONE)
            return message->data.result;
    return CURLE_RECV_ERROR;
}

int line_get(struct line *line, const struct transfer_ask *ask, int (*tick)(void *user), void *user,
             struct answer *ret, struct error *why)
{
    struct transfer *transfer = &line->transfer;
    prepare(line, ask);
    if (curl_multi_add_handle(line->multi, transfer->easy) != CURLM_OK)
        return error_set(why, -ENOMEM, "no memory for a transfer");
    int r = run(line, tick, user);
    if (r == 0)
        r = transfer_result(transfer, code_of_end(line), why);
    curl_multi_remove_handle(line->multi, transfer->easy);
    *ret = transfer->answer;
    return r;
}
