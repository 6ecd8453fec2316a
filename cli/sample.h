/* SPDX-License-Identifier: Apache-2.0
 * What is told of a sample. */
#pragma once

#include <stdint.h>
#include <stdio.h>

/* Its digits and its recordings, with `between` between them. */
void sample_print_labels(FILE *out, const uint8_t *labels, uint32_t n_labels, const char *between);
void sample_print_sources(FILE *out, const int32_t sources[2], const char *between);
