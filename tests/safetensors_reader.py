# SPDX-License-Identifier: Apache-2.0
"""A reader of safetensors, written from the format's specification and NumPy alone."""
import hashlib
import json

import numpy as np

DTYPES = {"U8": "<u1", "U16": "<u2", "I16": "<i2", "I32": "<i4", "F32": "<f4", "I64": "<i8"}
ALIGNMENT = 64
POLYNOMIAL = 0x82F63B78  # of CRC-32C, reflected


def crc32c_table():
    table = []
    for i in range(256):
        for _ in range(8):
            i = i >> 1 ^ (POLYNOMIAL if i & 1 else 0)
        table.append(i)
    return table


TABLE = crc32c_table()


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ TABLE[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


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


def seal(blob):
    """The bytes of a split whose header says the checksums of what follows, as its writer would."""
    length = int.from_bytes(blob[:8], "little")
    header = json.loads(blob[8:8 + length])
    data = blob[8 + length:]
    header["__metadata__"].update(
        data_sha256=hashlib.sha256(data).hexdigest(),
        index_crc32c=f"{crc32c(data[:header['events']['data_offsets'][0]]):08x}")
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode().ljust(length)
    return len(text).to_bytes(8, "little") + text + data


def revision(blob):
    """SHA-256 of the header of a split."""
    return hashlib.sha256(blob[:8 + int.from_bytes(blob[:8], "little")]).hexdigest()


def unpack(events):
    """Columns t, x, y, p of packed events [N,5] (formats.md: x, y, then 24 bits big-endian)."""
    e = np.asarray(events).astype(np.uint32)
    t = (e[:, 2] & 0x7f) << 16 | e[:, 3] << 8 | e[:, 4]
    return t, e[:, 0], e[:, 1], e[:, 2] >> 7
