/* SPDX-License-Identifier: Apache-2.0
 * The sub-commands of twonmnist-generate. */
#pragma once

#include "generator/choices.h"

extern const struct command command_splits, command_join, command_check, command_verify,
    command_export;
