/* SPDX-License-Identifier: Apache-2.0
 * How much memory all requests and answers under way may take together, and how much of it those of
 * one client's address. Any thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* `limit_bytes` in all, `share_bytes` of it for one address. Before anything is claimed. */
void budget_set(uint64_t limit_bytes, uint64_t share_bytes);

/* Take `bytes` of what is left, or say no. `address` is any number that stands for the client. */
bool budget_claim(uint64_t address, uint64_t bytes);
void budget_return(uint64_t address, uint64_t bytes);

/* What is claimed now. */
uint64_t budget_used(void);
