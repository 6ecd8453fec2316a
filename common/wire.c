/* SPDX-License-Identifier: Apache-2.0
 * What server, client and Python have to agree on: the tables that are more than words. */
#include "common/wire.h"

#include "common/event.h"

#define WIRE_ROW(tensor, name_, dtype_, columns_) \
    {.name = name_, .dtype = TENSOR_##dtype_, .columns = columns_},
const struct wire_tensor wire_split[WIRE_SPLIT_N] = {WIRE_SPLIT_TENSORS(WIRE_ROW)};
const struct wire_tensor wire_batch[WIRE_BATCH_N] = {WIRE_BATCH_TENSORS(WIRE_ROW)};
#undef WIRE_ROW

struct tensor wire_tensor(const struct wire_tensor *row, uint64_t n_rows)
{
    return (struct tensor){
        .name = row->name,
        .dtype = row->dtype,
        .n_dims = row->columns ? 2 : 1,
        .dims = {n_rows, row->columns},
    };
}
