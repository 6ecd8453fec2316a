/* SPDX-License-Identifier: Apache-2.0
 * A folder of a test's own, which goes with all that is in it when the test ends. */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { SCRATCH_TEXT = 4096 };

/* Of cmocka_unit_test_setup_teardown(). */
int scratch_setup(void **state);
int scratch_teardown(void **state);

/* The folder; and the path of something in it, good for as long as eight later ones. */
const char *scratch_folder(void);
const char *scratch_path(const char *name);

/* Make folders that are missing, and a file. */
void scratch_make_folder(const char *name);
void scratch_write(const char *name, const void *bytes, size_t size);

/* Read a file of at most `size` bytes; returns how many. */
size_t scratch_read(const char *name, void *ret, size_t size);

/* The names in a folder ("" is the whole one), in order, with a space between two: "" when empty.
 * Good until the next call. */
const char *scratch_list(const char *name);

/* Do it as a user who may not write into the folder, and return what it returns. */
int scratch_as_stranger(int (*act)(void *user), void *user);
