/* SPDX-License-Identifier: Apache-2.0
 * What the terminal says that it can show beside characters.
 *
 * The last question is the one that every terminal answers (DA1): when that is answered the others
 * will not be any more. */
#include "cli/ability.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ANSWER_US = 200000, ANSWERS_SIZE = 512, SIXEL = 4 /* among the attributes of DA1 */ };

/* A picture of one pixel for kitty, which is not shown; the size of a cell; DA1. */
static const char questions[] = "\033_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\033\\\033[16t\033[c";

static bool has_attribute(const char *list, int attribute)
{
    while (*list >= '0' && *list <= '9') {
        char *end;
        if (strtol(list, &end, 10) == attribute)
            return true;
        list = *end == ';' ? end + 1 : end;
    }
    return false;
}

bool ability_read(const char *answers, size_t n, struct ability *ret)
{
    char text[ANSWERS_SIZE];
    n = n < sizeof text ? n : sizeof text - 1;
    memcpy(text, answers, n);
    text[n] = '\0';
    *ret = (struct ability){.kitty = strstr(text, "\033_Gi=31;OK") != NULL};
    const char *cell = strstr(text, "\033[6;");
    int height, width;
    if (cell && sscanf(cell, "\033[6;%4d;%4dt", &height, &width) == 2 && height > 0 && width > 0) {
        ret->cell_height = height;
        ret->cell_width = width;
    }
    const char *attributes = strstr(text, "\033[?");
    if (!attributes || attributes[3 + strspn(attributes + 3, "0123456789;")] != 'c')
        return false;
    ret->sixel = has_attribute(attributes + 3, SIXEL);
    return true;
}

void ability_ask(const struct terminal *terminal, struct ability *ret)
{
    char answers[ANSWERS_SIZE];
    size_t n = 0;
    *ret = (struct ability){false, false, 0, 0};
    if (!terminal->has_keys || fputs(questions, stdout) < 0 || fflush(stdout) != 0)
        return;
    int64_t until_us = terminal_now_us() + ANSWER_US, left_us = ANSWER_US;
    while (n < sizeof answers && left_us > 0) {
        struct pollfd polled = {.fd = STDIN_FILENO, .events = POLLIN};
        ssize_t got = poll(&polled, 1, (int)(left_us / 1000) + 1) > 0
                          ? read(STDIN_FILENO, answers + n, sizeof answers - n)
                          : 0;
        if (got <= 0)
            return;
        n += (size_t)got;
        if (ability_read(answers, n, ret))
            return;
        left_us = until_us - terminal_now_us();
    }
}
