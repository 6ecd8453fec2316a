/* SPDX-License-Identifier: Apache-2.0
 * How much memory all answers in the making may take together. Any thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

void budget_set(uint64_t limit_bytes);

/* Take `bytes` of what is left, or say no. */
bool budget_claim(uint64_t bytes);
void budget_return(uint64_t bytes);
