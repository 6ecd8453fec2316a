/* SPDX-License-Identifier: Apache-2.0
 * What the tables say, for people: the manual page's sections on paths, parameters and problems. */
#pragma once

#include <stdio.h>

/* Print the sections as they stand in doc/twonmnistd.8 (mdoc(7)). */
void reference_print(FILE *out);
