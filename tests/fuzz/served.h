/* SPDX-License-Identifier: Apache-2.0
 * What the request target asks: a service over two small splits that are made up here, the source
 * "nmnist-train" and "train", mixed from it. */
#pragma once

#include "server/service.h"

enum { SERVED_REVISION = 16 }; /* digits of a revision that stand in an ETag */

/* Made at the first call, and kept. */
struct service *served(void);
