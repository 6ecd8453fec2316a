/* SPDX-License-Identifier: Apache-2.0
 * What is wrong with a source, all of it at once: a line for each fault, up to a number. */
#include "generator/faults.h"

#include <errno.h>
#include <stdio.h>

#include "common/clean.h"
#include "generator/progress.h"

void faults_add(struct faults *faults, struct error *fault)
{
    clean_line(fault->text);
    if (faults->n++ < FAULTS_MAX_SHOWN)
        printf("%s\n", fault->text);
}

int faults_take(struct faults *faults, int code, struct error *why)
{
    static const int of_this_run[] = {-ENOMEM, -EINTR, -EMFILE, -ENFILE};
    if (!faults || code >= 0)
        return code;
    for (size_t i = 0; i < sizeof of_this_run / sizeof *of_this_run; i++)
        if (code == of_this_run[i])
            return code;
    faults_add(faults, why);
    return 0;
}

void faults_end(const struct faults *faults)
{
    char number[PROGRESS_NUMBER_SIZE];
    if (faults->n > FAULTS_MAX_SHOWN)
        printf("... and %s more\n", progress_number(faults->n - FAULTS_MAX_SHOWN, number));
}
