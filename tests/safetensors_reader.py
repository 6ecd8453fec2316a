# SPDX-License-Identifier: Apache-2.0
"""A reader of safetensors, written from the format's specification and NumPy alone."""
import json

import numpy as np

DTYPES = {"U8": "<u1", "U32": "<u4", "I32": "<i4", "U64": "<u8"}
ALIGNMENT = 64


def read(blob):
    """(tensors by name, metadata) of the bytes of a file; raises ValueError where they break the
    specification, or this project's own rule of 64-byte alignment and no holes."""
    length = int.from_bytes(blob[:8], "little")
    header = json.loads(blob[8:8 + length])
    metadata = header.pop("__metadata__", {})
    data = memoryview(blob)[8 + length:]
    if (8 + length) % ALIGNMENT:
        raise ValueError(f"the data starts at {8 + length}")
    tensors, at, previous_size = {}, 0, 8
    for name, about in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        begin, end = about["data_offsets"]
        dtype = np.dtype(DTYPES[about["dtype"]])
        if begin != at or dtype.itemsize > previous_size:
            raise ValueError(f"{name} stands at {begin}; {at} was free")
        tensors[name] = np.frombuffer(data[begin:end], dtype).reshape(about["shape"])
        at, previous_size = end, dtype.itemsize
    if at != len(data):
        raise ValueError(f"{len(data) - at} bytes behind the last tensor")
    return tensors, metadata


def unpack(events):
    """Columns t, x, y, p of packed events [N,5] (formats.md: x, y, then 24 bits big-endian)."""
    e = np.asarray(events).astype(np.uint32)
    t = (e[:, 2] & 0x7f) << 16 | e[:, 3] << 8 | e[:, 4]
    return t, e[:, 0], e[:, 1], e[:, 2] >> 7
