/* SPDX-License-Identifier: Apache-2.0
 * What the tables say, for people: the manual pages' sections on paths, parameters and problems,
 * and on settings. */
#pragma once

#include <stdio.h>

#include "common/error.h"

/* Print the sections as they stand in a manual page (mdoc(7)): those of doc/twonmnistd.8 where
 * `part` is NULL, and of doc/twonmnistd.conf.5 where it is "settings". Errors: -EINVAL it is
 * neither. */
int reference_print(const char *part, FILE *out, struct error *why);
