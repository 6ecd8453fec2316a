/* SPDX-License-Identifier: Apache-2.0
 * Whether there was memory for all of a piece of JSON. jansson does not tell that everywhere: where
 * there was none it may write a document with parts missing, or take one to be no JSON. */
#pragma once

#include <stdbool.h>

/* Watch jansson's memory, in all threads. For programs, before they use any JSON; in a library it
 * would be the program's. Elsewhere nothing is ever short. */
void json_memory_watch(void);

/* Around what is done with one piece of JSON, in one thread. */
void json_memory_begin(void);
bool json_memory_is_short(void);
