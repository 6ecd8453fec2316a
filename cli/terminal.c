/* SPDX-License-Identifier: Apache-2.0
 * The terminal, lent to an animation.
 *
 * The signals are blocked and read from a descriptor. One that ends the process is not acted upon
 * but left for later: raised again while it is blocked, it acts when the terminal was given back
 * and the mask is as before. The shell so sees what ended us. */
#include "cli/terminal.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

static const int ending[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM};
static const int others[] = {SIGTSTP, SIGCONT, SIGWINCH};

static const char enter[] = "\033[?1049h\033[?25l\033[2J"; /* another screen, no cursor */
static const char leave[] = "\033[?25h\033[?1049l";

int64_t terminal_now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* Those that whoever started us ignores (nohup) stay ignored: blocked they would not be. */
static void add_signals(sigset_t *set, const int *numbers, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct sigaction action;
        if (sigaction(numbers[i], NULL, &action) == 0 && action.sa_handler != SIG_IGN)
            sigaddset(set, numbers[i]);
    }
}

static sigset_t all_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    add_signals(&set, ending, sizeof ending / sizeof *ending);
    add_signals(&set, others, sizeof others / sizeof *others);
    return set;
}

/* Keys come one by one and do not echo; Ctrl-C and Ctrl-Z go on being signals. */
static void set_modes(const struct terminal *terminal)
{
    if (terminal->has_modes) {
        struct termios modes = terminal->before;
        modes.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
        modes.c_cc[VMIN] = 0;
        modes.c_cc[VTIME] = 0;
        tcsetattr(STDIN_FILENO, TCSADRAIN, &modes);
    }
    fputs(enter, stdout);
}

static void reset_modes(const struct terminal *terminal)
{
    fputs(leave, stdout);
    fflush(stdout);
    if (terminal->has_modes)
        tcsetattr(STDIN_FILENO, TCSADRAIN, &terminal->before);
}

int terminal_take(struct terminal *ret, struct fault *why)
{
    struct terminal terminal;
    const sigset_t set = all_signals();
    sigprocmask(SIG_BLOCK, &set, &terminal.blocked_before);
    terminal.signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (terminal.signals < 0) {
        int code = errno;
        sigprocmask(SIG_SETMASK, &terminal.blocked_before, NULL);
        return fault_set(why, -code, "no descriptor for signals: %s", strerror(code));
    }
    terminal.has_modes = tcgetattr(STDIN_FILENO, &terminal.before) == 0;
    terminal.has_keys = terminal.has_modes;
    set_modes(&terminal);
    *ret = terminal;
    return 0;
}

void terminal_give_back(struct terminal *terminal)
{
    reset_modes(terminal);
    close(terminal->signals);
    sigprocmask(SIG_SETMASK, &terminal->blocked_before, NULL);
}

/* Stop as if nobody had caught the signal: the shell takes over, until its fg. */
static void stop(struct terminal *terminal)
{
    sigset_t only;
    sigemptyset(&only);
    sigaddset(&only, SIGTSTP);
    reset_modes(terminal);
    raise(SIGTSTP);
    sigprocmask(SIG_UNBLOCK, &only, NULL); /* here time passes */
    sigprocmask(SIG_BLOCK, &only, NULL);
    set_modes(terminal);
}

static enum terminal_event take_signal(struct terminal *terminal)
{
    struct signalfd_siginfo info;
    if (read(terminal->signals, &info, sizeof info) != sizeof info)
        return TERMINAL_TIME;
    const int number = (int)info.ssi_signo;
    for (size_t i = 0; i < sizeof ending / sizeof *ending; i++)
        if (ending[i] == number) {
            raise(number);
            return TERMINAL_ENDED;
        }
    if (number == SIGTSTP)
        stop(terminal);
    else if (number == SIGCONT)
        set_modes(terminal);
    return TERMINAL_CHANGED;
}

/* What arrives together behind an Escape is one key, such as an arrow. */
static enum terminal_event take_key(struct terminal *terminal, char *ret_key)
{
    char keys[32];
    ssize_t n = read(STDIN_FILENO, keys, sizeof keys);
    if (n < 1) {
        terminal->has_keys = false; /* it hung up */
        return TERMINAL_TIME;
    }
    *ret_key = n > 1 && keys[0] == '\033' ? '\0' : keys[0];
    return TERMINAL_KEY;
}

enum terminal_event terminal_wait(struct terminal *terminal, int64_t at_us, char *ret_key)
{
    struct pollfd polled[] = {{.fd = terminal->signals, .events = POLLIN},
                              {.fd = terminal->has_keys ? STDIN_FILENO : -1, .events = POLLIN}};
    int64_t left_us = at_us - terminal_now_us();
    poll(polled, 2, left_us > 0 ? (int)((left_us + 999) / 1000) : 0);
    if (polled[0].revents)
        return take_signal(terminal);
    return polled[1].revents ? take_key(terminal, ret_key) : TERMINAL_TIME;
}
