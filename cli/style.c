/* SPDX-License-Identifier: Apache-2.0
 * What standard output can show. */
#include "cli/style.h"

#include <inttypes.h>
#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static bool is_set(const char *name)
{
    const char *value = getenv(name);
    return value && *value;
}

static bool says_all_colours(void)
{
    const char *value = getenv("COLORTERM");
    return value && (strcmp(value, "truecolor") == 0 || strcmp(value, "24bit") == 0);
}

struct style style_of(FILE *file)
{
    struct winsize window;
    const char *terminal = getenv("TERM");
    bool obeys = isatty(fileno(file)) && is_set("TERM") && strcmp(terminal, "dumb") != 0;
    bool has_window =
        ioctl(fileno(file), TIOCGWINSZ, &window) == 0 && window.ws_col > 0 && window.ws_row > 0;
    bool has_colours = obeys && !is_set("NO_COLOR");
    return (struct style){
        .is_terminal = obeys,
        .has_colours = has_colours,
        .has_all_colours = has_colours && says_all_colours(),
        .has_unicode = strcmp(nl_langinfo(CODESET), "UTF-8") == 0,
        .columns = has_window ? window.ws_col : 80,
        .rows = has_window ? window.ws_row : 24,
        .cell_width = has_window ? window.ws_xpixel / window.ws_col : 0,
        .cell_height = has_window ? window.ws_ypixel / window.ws_row : 0,
    };
}

void style_write(FILE *out, const struct style *style, const char *sgr, const char *text)
{
    if (style->has_colours)
        fprintf(out, "\033[%sm%s\033[0m", sgr, text);
    else
        fputs(text, out);
}

const char *style_number(int64_t number, char ret[STYLE_NUMBER_SIZE])
{
    char digits[STYLE_NUMBER_SIZE];
    int n = snprintf(digits, sizeof digits, "%" PRId64, number);
    int sign = number < 0;
    char *out = ret;
    for (int i = 0; i < n; i++) {
        if (i > sign && (n - i) % 3 == 0)
            *out++ = ',';
        *out++ = digits[i];
    }
    *out = '\0';
    return ret;
}

const char *style_bytes(int64_t bytes, char ret[STYLE_NUMBER_SIZE])
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
    double value = (double)bytes;
    size_t unit = 0;
    for (; value >= 999.95; unit++)
        value /= 1000;
    snprintf(ret, STYLE_NUMBER_SIZE, "%.*f %s", unit > 0, value, units[unit]);
    return ret;
}
