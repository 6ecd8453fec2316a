# SPDX-License-Identifier: Apache-2.0
"""Pictures of events once more, in plain NumPy; and PNG files, read with zlib alone.

Events are those of form_rules; pictures are U8 [height,width,3].
"""
import struct
import zlib

import numpy as np

from form_rules import HEIGHT, WIDTH

ON, OFF, GREY = np.array([230, 159, 0]), np.array([86, 180, 233]), 64
COLUMNS = 10


def counts(events):
    """[height,width,2]: OFF, ON."""
    out = np.zeros((HEIGHT, WIDTH, 2), np.int64)
    np.add.at(out, (events["y"], events["x"], events["p"]), 1)
    return out


def spans(events, n):
    """Counts [n,height,width,2] of n equal spans of the time up to the last event."""
    last = events["t"].max(initial=0)
    at = events["t"] * n // (last + 1)
    return np.stack([counts(events[at == i]) for i in range(n)])


def colours(cells, merged=False, largest=None):
    """RGB of counts [...,2]: brightness means the same in all of them, or where `largest` is full."""
    square = 65025 * cells // max(1, cells.max() if largest is None else largest)
    level = np.floor(np.sqrt(square)).astype(np.int64)
    assert ((level ** 2 <= square) & ((level + 1) ** 2 > square)).all()
    off, on = level[..., :1], level[..., 1:]
    mixed = np.repeat(off, 3, -1) if merged else (ON * on + OFF * off + 127) // 255
    return np.minimum(mixed, 255).astype(np.uint8)


def grid(pictures, columns):
    """Side by side and one below the other, with lines between them and grey where there is none."""
    rows = -(-len(pictures) // columns)
    out = np.full((rows * (HEIGHT + 1) - 1, columns * (WIDTH + 1) - 1, 3), GREY, np.uint8)
    for i, picture in enumerate(pictures):
        y, x = i // columns * (HEIGHT + 1), i % columns * (WIDTH + 1)
        out[y:y + HEIGHT, x:x + WIDTH] = picture
    return out


def scaled(picture, scale):
    return picture.repeat(scale, 0).repeat(scale, 1)


def strip(events, n=1, scale=8, merged=False):
    return scaled(grid(colours(spans(events, n), merged), n), scale)


def sheet(samples, scale=3, merged=False):
    pictures = colours(np.stack([counts(events) for events in samples]), merged)
    return scaled(grid(pictures, min(len(samples), COLUMNS)), scale)


def frame_ms(events, n):
    end = int(events["t"].max(initial=0)) + 1
    return min(65535, max(1, (end * 10 // 1000 + n // 2) // n))


def _chunks(file):
    assert file[:8] == b"\x89PNG\r\n\x1a\n"
    at = 8
    while at < len(file):
        n, name = struct.unpack(">I4s", file[at:at + 8])
        data = file[at + 8:at + 8 + n]
        assert struct.unpack(">I", file[at + 8 + n:at + 12 + n]) == (zlib.crc32(name + data),), name
        yield name.decode(), data
        at += n + 12
    assert at == len(file)


def _pixels(head, data):
    width, height, depth, colour, *rest = struct.unpack(">IIBBBBB", head)
    assert (depth, colour, rest) == (8, 2, [0, 0, 0])
    rows = np.frombuffer(zlib.decompress(data), np.uint8).reshape(height, 1 + 3 * width)
    assert not rows[:, 0].any(), "rows are not filtered"
    return rows[:, 1:].reshape(height, width, 3)


def read(file):
    """(the first picture, all frames, how long each is shown: (numerator, denominator))."""
    chunks = list(_chunks(file))
    names = [name for name, _ in chunks]
    assert names[0] == "IHDR" and names[-1] == "IEND" and not chunks[-1][1]
    head = chunks[0][1]
    first = b"".join(data for name, data in chunks if name == "IDAT")
    frames, delays, sequence = [], [], []
    for name, data in chunks[1:-1]:
        if name == "acTL":
            n_frames, n_plays = struct.unpack(">II", data)
            assert n_plays == 0
        elif name == "fcTL":
            number, width, height, x, y, delay, per, dispose, blend = struct.unpack(">5I2H2B", data)
            assert (width, height) == struct.unpack(">II", head[:8]) and (x, y) == (0, 0)
            assert (dispose, blend) == (0, 0)
            sequence.append(number)
            delays.append((delay, per))
            frames.append(b"")
        elif name == "fdAT":
            sequence.append(struct.unpack(">I", data[:4])[0])
            frames[-1] += data[4:]
        else:
            assert name == "IDAT", name
            if frames:
                assert len(frames) == 1, "the first frame is the picture"
                frames[0] += data
    assert sequence == list(range(len(sequence)))
    assert not frames or len(frames) == n_frames
    return _pixels(head, first), [_pixels(head, data) for data in frames], delays
