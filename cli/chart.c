/* SPDX-License-Identifier: Apache-2.0
 * Counts as pictures of one line. */
#include "cli/chart.h"

enum { EIGHTHS = 8 };

static const char colour[] = "38;5;39";

/* Of a character, from the left and from below. */
static const char *const wide[EIGHTHS] = {"",       "\u258f", "\u258e", "\u258d",
                                          "\u258c", "\u258b", "\u258a", "\u2589"};
static const char *const high[EIGHTHS + 1] = {" ",      "\u2581", "\u2582", "\u2583", "\u2584",
                                              "\u2585", "\u2586", "\u2587", "\u2588"};
static const char *const dense[EIGHTHS + 1] = {" ", ".", ":", "-", "=", "+", "*", "%", "#"};

static int share(int64_t count, int64_t most, int whole)
{
    return count > 0 ? (int)((double)count / (double)most * whole) : 0;
}

void chart_bar(FILE *out, const struct style *style, int64_t count, int64_t most)
{
    char text[CHART_BAR * sizeof "\u2588" + 1];
    int eighths = share(count, most, CHART_BAR * EIGHTHS);
    size_t used = 0;
    text[0] = '\0';
    for (int i = 0; i < eighths / EIGHTHS; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s",
                                 style->has_unicode ? "\u2588" : "#");
    if (style->has_unicode)
        snprintf(text + used, sizeof text - used, "%s", wide[eighths % EIGHTHS]);
    style_write(out, style, colour, text);
}

void chart_line(FILE *out, const struct style *style, const int64_t *counts, size_t n)
{
    int64_t most = 1;
    for (size_t i = 0; i < n; i++)
        most = counts[i] > most ? counts[i] : most;
    for (size_t i = 0; i < n; i++) {
        int level = share(counts[i], most, EIGHTHS);
        level += level == 0 && counts[i] > 0; /* what is there is seen */
        style_write(out, style, colour, (style->has_unicode ? high : dense)[level]);
    }
}
