/* SPDX-License-Identifier: Apache-2.0
 * `twonmnist pull`: a split's whole file. Quiet, but for people. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/clean.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/style.h"

static const char clear_line[] = "\r\033[K";

/* A line that is written over and over. */
static int show(void *user, uint64_t answers, uint64_t bytes, uint64_t retries)
{
    const tnm_pulled *pulled = user;
    char size[STYLE_NUMBER_SIZE];
    (void)answers, (void)bytes, (void)retries;
    if (pulled->size > 0)
        fprintf(stderr, "%s%3.0f %% of %s", clear_line,
                100 * (double)(pulled->found + pulled->fetched) / (double)pulled->size,
                style_bytes((int64_t)pulled->size, size));
    return 0;
}

/* As main() says it, in place of that line. */
static void say(void *user, const char *text)
{
    struct fault line;
    (void)user;
    fault_set(&line, 0, "%s", text);
    clean_line(line.text);
    fprintf(stderr, "%stwonmnist: %s\n", clear_line, line.text);
}

/* "train@0123456789ab: 14.2 MB copied to DIR/train.safetensors, 3.1 MB of them by an earlier pull"
 */
static void print(const struct options *options, bool copied, const tnm_pulled *pulled)
{
    const char *name = options->operands[0], *folder = options->operands[1];
    int length = (int)strcspn(name, "@");
    char size[STYLE_NUMBER_SIZE];
    printf("%.*s@%.12s: %s ", length, name, pulled->revision,
           style_bytes((int64_t)pulled->size, size));
    fputs(copied ? "copied to " : "there already, in ", stdout);
    clean_write(stdout, folder, 0, CLEAN_ALL);
    printf("/%.*s.safetensors", length, name);
    if (copied && pulled->found)
        printf(", %s of them by an earlier pull", style_bytes((int64_t)pulled->found, size));
    putchar('\n');
}

int command_pull(const struct options *options, tnm_client *client, struct fault *why)
{
    tnm_pulled pulled = {0};
    bool is_watched = style_of(stderr).is_terminal;
    if (is_watched) {
        tnm_set_progress(client, show, &pulled);
        tnm_set_message(client, say, NULL);
    }
    int r = tnm_pull(client, options->operands[0], options->operands[1],
                     options->verify ? TNM_PULL_VERIFY : 0, &pulled, sizeof pulled);
    if (is_watched)
        fputs(clear_line, stderr);
    if (r < 0)
        return fault_of_library(why, r);
    if (options->verbose || isatty(STDOUT_FILENO))
        print(options, r == 1, &pulled);
    return output_flush(why);
}
