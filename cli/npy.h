/* SPDX-License-Identifier: Apache-2.0
 * The header of NumPy's `.npy` files, version 1.0. */
#pragma once

#include <stdint.h>
#include <stdio.h>

/* Write the header for a C-ordered array of `descr` (a dtype as in the file: "'|u1'" or a list of
 * fields), of n_rows or, where `columns` is not 0, n_rows × columns. Source: numpy.lib.format. */
void npy_write_header(FILE *out, const char *descr, uint64_t n_rows, unsigned columns);
