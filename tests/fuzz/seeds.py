#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the seeds of the corpora: small inputs that each target accepts, from which a fuzzer goes
on. All are made here; nothing in them was recorded.

    seeds.py tests/corpus
"""
import base64
import hashlib
import io
import json
import pathlib
import random
import struct
import sys
import zipfile

REVISION = "00112233445566778899aabbccddeeff" * 2
N_DIGITS = 10


def crc32c(data, crc=0):
    crc ^= 0xffffffff
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82f63b78 if crc & 1 else 0)
    return crc ^ 0xffffffff


def events(n, seed=1, step=300):
    rng, t, out = random.Random(seed), 0, b""
    for _ in range(n):
        t += rng.randrange(step)
        out += bytes([rng.randrange(34), rng.randrange(34)])
        out += (rng.randrange(2) << 23 | t).to_bytes(3, "big")
    return out


def container(tensors, metadata):
    """A safetensors file of (name, dtype, shape, bytes)."""
    header, data = {"__metadata__": metadata}, b""
    for name, dtype, shape, content in tensors:
        header[name] = {"dtype": dtype, "shape": shape,
                        "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-(8 + len(text)) % 64)
    return struct.pack("<Q", len(text)) + text + data


def tensors_of(samples, sources, labels, indices=None):
    ends = [0]
    for sample in samples:
        ends.append(ends[-1] + len(sample) // 5)
    n = len(samples)
    hot = bytearray(n * N_DIGITS)
    for i, digits in enumerate(labels):
        for digit in digits:
            hot[i * N_DIGITS + digit] = 1
    found = [("offsets", "I64", [n + 1], struct.pack(f"<{n + 1}q", *ends))]
    if indices:
        found.append(("indices", "I64", [n], struct.pack(f"<{n}q", *indices)))
    return found + [
        ("checksums", "I64", [n], struct.pack(f"<{n}q", *map(crc32c, samples))),
        ("sources", "I32", [n, 2], struct.pack(f"<{2 * n}i", *sum(sources, ()))),
        ("labels", "U8", [n, N_DIGITS], bytes(hot)),
        ("events", "U8", [ends[-1], 5], b"".join(samples)),
    ]


def splits():
    about = {"format": "twonmnist-split", "version": "2", "sensor": "34x34x2", "time_unit": "us",
             "data_sha256": "0" * 64, "index_crc32c": "0" * 8}
    one = tensors_of([events(3), events(9, 2), b""], [(0, -1), (1, -1), (2, -1)], [[0], [1], [9]])
    many = tensors_of([events(1, i) for i in range(20)], [(i, -1) for i in range(20)],
                      [[i % 10] for i in range(20)])
    two = tensors_of([events(4) + events(3)], [(0, 1)], [[3, 5]])
    return {
        "source": container(one, {**about, "kind": "source", "split": "train"}),
        "pairs": container(two, {**about, "kind": "2nmnist", "order": "published"}),
        "time": container(two, {**about, "kind": "2nmnist", "order": "time"}),
        "many": container(many, {**about, "kind": "source"}),
        "foreign": container(one, {**about, "kind": "source", "sensor": "240x180x2"}),
        "newer": container(one, {**about, "kind": "source", "version": "3"}),
        "older": container(one, {**about, "kind": "source", "version": "1"}),
        "no-samples": container(tensors_of([], [], []), {**about, "kind": "source"}),
        "no-checksums": container([(name, kind, [0] if name == "checksums" else shape,
                                    b"" if name == "checksums" else content)
                                   for name, kind, shape, content in one],
                                  {**about, "kind": "source"}),
    }


def headers():
    empty = [("offsets", "I64", [0], b""), ("events", "U8", [0, 5], b"")]
    other = [("labels", "F64", [2**60, 2**60], b"")]
    return {**splits(), "empty": container(empty, {"format": "x"}), "bare": container([], {}),
            "other-dtype": container(other, {})}


def batch(is_source=False):
    samples = [events(2), events(17, 3)]
    first = ((1, -1), [4]) if is_source else ((1, 2), [4, 9])
    return container(tensors_of(samples, [first[0], (3, -1)], [first[1], [0]], [7, 3]),
                     {"revision": REVISION, "request": "/v1/splits/train/batch"})


def places(counted=False):
    """A batch of two samples as places of frames: of 3 and 2 frames."""
    own = [[0, 2311, 5, 6], [7, 7 if counted else 8, 9]]
    samples = [struct.pack(f"<{len(sample)}h", *sample) for sample in own]
    return container([
        ("indices", "I64", [2], struct.pack("<2q", 7, 3)),
        ("checksums", "I64", [2], struct.pack("<2q", *map(crc32c, samples))),
        ("sources", "I32", [2, 2], struct.pack("<4i", 1, 2, 3, -1)),
        ("counts", "I32", [2, 3], struct.pack("<6i", 2, 0, 2, 1, 2, 0)),
        ("n_frames", "I32", [2], struct.pack("<2i", 3, 2)),
        ("places", "I16", [7], b"".join(samples)),
        ("labels", "U8", [2, N_DIGITS], bytes([0, 1] + [0] * 8 + [1] + [0] * 9)),
    ], {"revision": REVISION, "request": "/v1/splits/train/batch", "as": "sparse"})


def blobs():
    """First how to decode: flags, four fields, item size, frames, timestep, bins."""
    plain = bytes([0, 0, 1, 0x82, 6, 7, 0, 232, 3, 0, 0, 3])
    wide = bytes([1, 0, 0x88, 0xd0, 0x98, 32, 0b10110, 1, 0, 0, 0, 2])
    late = bytes([1, 0, 1, 0x88, 2, 16, 0b01001, 0, 16, 0, 0, 4])
    return {"structured": plain + batch(), "wide": wide + batch(), "by-time": late + batch(),
            "cut": plain + batch()[:-3],
            "places": bytes([2, 0, 1, 2, 3, 7, 5, 0, 0, 0, 0, 0]) + places(),
            "places-counted": bytes([7, 0, 1, 2, 3, 7, 1, 0, 0, 0, 0, 0]) + places(counted=True)}


def conversations():
    """Answers to the client's requests, in the order in which the target makes them."""
    def answer(body, digest="*"):
        return f"{digest}\n".encode() + struct.pack("<H", len(body)) + body

    def about(kind, samples=20, pairs=0, **more):
        counts = [samples // N_DIGITS] * N_DIGITS
        return answer(json.dumps({"version": "2", "name": "train", "revision": REVISION,
                                  "kind": kind,
                                  "samples": samples, "pairs": pairs, "events": 60,
                                  "sensor": {"width": 34, "height": 34, "polarities": 2},
                                  "labels": counts, **more}).encode())

    def labels(n):
        header = f"{{'descr': '|u1', 'fortran_order': False, 'shape': ({n}, {N_DIGITS}), }}"
        header += " " * (-(len(header) + 11) % 64) + "\n"
        hot = bytes(i % N_DIGITS == digit for i in range(n) for digit in range(N_DIGITS))
        return answer(b"\x93NUMPY\1\0" + struct.pack("<H", len(header)) + header.encode() + hot)

    def part(indices, request, **said):
        samples = [events(i % 5, i) for i in indices]
        second = [i + 1 if request.startswith("/v1/pairs/") else -1 for i in indices]
        digits = [[i % 10] if j < 0 else [i % 10, j % 10] for i, j in zip(indices, second)]
        tensors = tensors_of(samples, list(zip(indices, second)), digits, indices)
        return answer(container(tensors, {"revision": REVISION, "request": request, "rank": "0",
                                          "world": "1", **said}))

    mix = answer(container(tensors_of([events(5)], [(7, 3)], [[3, 7]], [0]),
                           {"revision": REVISION, "request": "/v1/mix/train/7,3",
                            "recordings": "7,3"}))
    whole = about("source", licence="none") + labels(20) + answer(batch(True)) + \
        part([4, 1, 8, 2], "/v1/splits/train/epochs/1/2/batches/0", k="0", size="4",
             order_seed="1", epoch="2", last="pad")
    return {
        "source": whole + mix + \
            part([7], "/v1/pairs/train/1/batches/7", k="7", size="1", seed="1") + answer(b'{"splits": []}', digest=""),
        "pairs": about("2nmnist", pairs=0) + labels(20) + answer(batch()),
        "again": answer(b"{") + about("source") + answer(b"x") + labels(20) + answer(b"") + mix,
        "stale": about("source") + labels(20) + answer(batch(), digest="crc32c=:AAAAAA==:") + mix,
        "no-digest": about("source") + labels(20) + answer(events(3), digest=""),
        "large": about("source", samples=2147483647, events=3689348814741910323),
        "too-large": about("source", samples=2147483648),
    }


def recordings():
    """First how to make: flags, timestep of a mix, timestep of frames, bins."""
    def wish(flags, step, frame, bins):
        return bytes([flags]) + struct.pack("<II", step, frame) + bytes([bins])
    marker = bytes([0, 240, 0, 0, 0])
    return {
        "plain": wish(0, 0, 999, 3) + events(40),
        "rounded": wish(8, 1000, 999, 7) + events(33, 2),
        "published": wish(3, 0, 1, 1) + events(8, 3) + events(8, 4),
        "overflow": wish(0, 7, 5, 0) + events(5) + marker + events(5, 6) + marker,
        "columns": wish(63, 999999, 999999, 7) + events(70, 5),
        "one-time": wish(60, 0, 0, 4) + events(24, 7, 1),
        "outside": wish(0, 0, 0, 0) + bytes([34, 0, 0, 0, 1]),
        "last-time": wish(0, 3, 3, 3) + bytes([1, 2, 0x7f, 0xff, 0xff]) * 3,
        "none": wish(0, 0, 0, 0),
    }


def archive(files, how=zipfile.ZIP_STORED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", how) as packed:
        for name, content in files.items():
            packed.writestr(zipfile.ZipInfo(name), content, how)
    return out.getvalue()


def zips():
    few = {"Train/0/00001.bin": events(2), "Test/9/00002.bin": events(3)}
    samples = {"2nmnist/data/Train/0_3-4.bin": events(2), "2nmnist/data/Train/1_5.bin": events(1)}
    return {
        "stored": archive(few),
        "deflated": archive({name: content * 9 for name, content in few.items()},
                            zipfile.ZIP_DEFLATED),
        "samples": archive(samples),
        "simulated": archive({**samples, "2nmnist/data/SYNTHETIC": b""}),
        "passed-over": archive({"Train/": b"", "__MACOSX/Train/0/1.bin": b"x", "readme": b"",
                                **few}),
        "twice": archive({"Train/1/1.bin": b"", "x/Train/1/1.bin": b""}),
        "bad-name": archive({"Train/a/1.bin": b""}),
        "bzip2": archive(few, zipfile.ZIP_BZIP2),
        "empty": archive({}),
        "cut": archive(few)[:-9],
    }


def listings():
    return {
        "recordings": b"Train/0/00001.bin\nTrain/1/2.bin\nsome/where/Test/7/3.bin\n",
        "samples": b"2nmnist/data/Train/1_3-4.bin\nTrain/0_9.bin\nTest/0_1.bin",
        "passed-over": b"\n.bin\nTrain/0/.1.bin\n__MACOSX/Train/0/1.bin\n.old/Train/0/1.bin\n/\n",
        "dots": b"./Train/0/1.bin\n../Train/0/2.bin\n//Train//0/1.bin",
        "both": b"Train/0/1.bin\nTrain/0_1.bin",
        "hole": b"Train/0_1.bin\nTrain/2_1.bin",
        "too-large": b"Train/1/2147483648.bin",
        "same-digits": b"Train/1_1-1.bin",
        "spellings": b"train/0/1.bin\nTest/0/1.bin\nTrain/0/2.bin\ntrain/0_1.bin\ntest/1/2.bin",
    }


def configurations():
    return {
        "sample": b"# a comment\ndata = /srv\nlisten = 127.0.0.1:1\nlisten=unix:/x\nthreads = 4\n"
                  b"allow_anonymous = yes # really\nmax-batch-size=65536\n",
        "limits": b"max_answer_bytes = 17179869184\nmax_url_bytes = 256\nlog_level = 3",
        "too-large": b"threads = 257",
        "not-a-number": b"threads = -1",
        "no-such": b"thread = 1",
        "no-value": b"data\n",
        "list": b"listen = a\n" * 17,
        "addresses": b"listen = [::1]:80\nlisten = a.b:65535\nlisten = 1.2.3.4:65536\n"
                     b"listen = unix:/run/x\nlisten = unix:\nlisten = :0",
        "empty-value": b"data =\nlisten =\n",
    }


def tokens():
    def line(name, token, *more):
        return b" ".join([name, hashlib.sha256(token).hexdigest().encode(), *more]) + b"\n"

    def shown(token, *lines):
        return b"Bearer " + token + b"\n" + b"".join(lines)
    known, other = b"0123456789abcdef", b"some/other+token=="
    return {
        "known": shown(known, b"# who\n\n", line(b"other", other), line(b"known", known)),
        "unknown": shown(known, line(b"other", other)),
        "padded": shown(b" " + other + b" ", line(b"a.b_c-9", other, b"# for now")),
        "expired": shown(known, line(b"known", known, b"2020-02-29")),
        "until": shown(known, line(b"known", known, b"2999-12-31T23:59:59Z")),
        "no-day": shown(known, line(b"known", known, b"2027-02-30")),
        "twice": shown(known, line(b"a", known), line(b"b", known).upper()),
        "two": shown(known + b" " + other, line(b"known", known)),
        "basic": b"Basic YTpi\n" + line(b"known", known),
        "short": shown(known, line(b"known", known)[:-2]),
        "nul": shown(known, line(b"known", known) + b"\0\n"),
        "name": shown(known, line(b"n" * 64, known)),
    }


def problems():
    def answer(status, content_type, retry_after, body):
        return f"{status}\n{content_type}\n{retry_after}\n{body}".encode()
    kind = "application/problem+json"
    return {
        "busy": answer(503, kind, "2", '{"code":"busy","title":"Busy","detail":"queue is full"}'),
        "revision": answer(404, kind, "", '{"code":"no-such-revision","detail":"at 0011"}'),
        "title": answer(404, kind, "Fri, 31 Dec 1999 23:59:59 GMT", '{"title":"Gone\\u001b[2J"}'),
        "html": answer(502, "text/html", "", "<html>"),
        "not-json": answer(500, kind, "x", "{"),
        "good": answer(200, "application/json", "", "{}"),
        "types": answer(400, kind, "", '{"code":7,"detail":["x"],"title":null}'),
    }


def name_answers():
    """What a name server answers who asks for the SRV records of _http._tcp.name."""
    def name(text):
        return b"".join(bytes([len(part)]) + part.encode() for part in text.split(".")) + b"\0"

    def record(priority, port, target, kind=33):
        data = struct.pack(">HHH", priority, 1, port) + target
        return struct.pack(">HHHIH", 0xC00C, kind, 1, 30, len(data)) + data

    def answer(*records, n=None):
        head = struct.pack(">HHHHHH", 7, 0x8180, 1, len(records) if n is None else n, 0, 0)
        return head + name("_http._tcp.name") + struct.pack(">HH", 33, 1) + b"".join(records)
    here = len(answer()) + 12 + 6
    return {
        "two": answer(record(1, 8642, name("one.name")), record(0, 8643, name("TWO.name"))),
        "short": answer(record(1, 8642, b"\x03one\xc0\x17")),
        "itself": answer(record(0, 80, struct.pack(">H", 0xC000 | here))),
        "root": answer(record(0, 80, b"\0")),
        "no-port": answer(record(0, 0, name("one"))),
        "other": answer(record(0, 80, name("one"), kind=16), record(0, 80, name("one"))),
        "many": answer(*(record(i % 3, i + 1, b"\xc0\x0c") for i in range(20))),
        "fewer": answer(record(0, 80, name("one")), n=2),
        "none": answer(),
        "cut": answer(record(0, 80, name("one")))[:-2],
    }


def client_texts():
    cursor = f"tnm1:epoch:train@{REVISION[:16]}:0:1000:1:2:64:0:3"
    digest = base64.b64encode(crc32c(b"abc").to_bytes(4, "big"))
    return {
        "cursor": b"\0" + f"{cursor}:{crc32c(cursor.encode()):08x}".encode(),
        "signed": b"\1" + cursor.encode(),
        "pairs": b"\1" + cursor.replace("epoch", "pairs").encode(),
        "seconds": b"\x02120",
        "date": b"\2Sun, 06 Nov 1994 08:49:37 GMT",
        "digest": b"\3crc32c=:" + digest + b":",
        "terminal": "\4na\u00efve \u202etxt\u009b31m \u65e5\U0001f600".encode()
                    + b"\x1b[2J\xff\xc0\x80",
        "two-digests": b"\3sha-256=:AAAA:, crc32c=:" + digest + b":",
    }


def request_parts():
    return {
        "accept": b"\0\x0fapplication/json;q=0.5, application/*;q=0.9, */*;q=0.1",
        "accept-type": b"\0\x09application/x-safetensors, application/json; q=0.001",
        "extension": b"\0\x0fsafetensors",
        "range": b"\1\xff\0\0\0bytes=0-9",
        "suffix": b"\1\xff\0\0\0bytes=-5",
        "open": b"\1\xff\0\0\0bytes=9-",
        "ranges": b"\1\xff\0\0\0bytes=0-1,3-4",
        "numbers": b"\2\xff\xff\xff\x7f0,5,2147483647",
        "empty-number": b"\2\xff\xff\xff\x7f1,,2",
        "number": b"\x0364",
        "choice": b"\3published",
        "slice": b"\3event-count",
        "fraction": b"\x030.25",
        "name": b"\3timestep",
        "variable": b"\3order_seed",
        "body": b'\4{"indices": [3, 1, 2]}',
        "body-twice": b'\4{"indices": [3], "indices": [4]}',
        "body-reals": b'\4{"indices": [1.5, -1, "2", 4294967296]}',
        "body-other": b'\4[1, 2]',
    }


def requests():
    def get(url, *headers, method="GET", body=""):
        return "\n".join([f"{method} {url}", *headers, "", body]).encode()
    split, source = "/v1/splits/train", "/v1/sources/nmnist-train"
    epoch = "/v1/splits/train/epochs/1/2/batches"
    return {
        "healthz": get("/healthz"),
        "readyz": get("/readyz"),
        "splits": get("/v1/splits", "Accept: application/json"),
        "split": get(f"{split}.json"),
        "pinned": get(f"{split}@^"),
        "file": get(f"{split}.safetensors"),
        "range": get("/v1/splits/nmnist-train@~.safetensors", "Range: bytes=64-127",
                     'If-Range: "~.safetensors"'),
        "range-outside": get(f"{split}.safetensors", "Range: bytes=99999999-"),
        "not-modified": get(f"{split}.json", 'If-None-Match: "x", "^.json"'),
        "labels": get(f"{split}/labels.npy"),
        "labels-json": get(f"{split}/labels"),
        "rows": get(f"{split}/samples?offset=3&length=4"),
        "rows-csv": get(f"{split}/samples.csv"),
        "rows-lines": get(f"{split}/samples.jsonl?kind=pair&sort=-duration&offset=1"),
        "rows-sorted": get(f"{source}/samples?sort=label&length=3"),
        "rows-shuffled": get(f"{split}/samples.csv?seed=4&length=9&none=5"),
        "openapi": get("/openapi.json", "X-Forwarded-Prefix: /a/b"),
        "croissant": get("/croissant", "Accept: application/ld+json", "Host: a:1",
                         "X-Forwarded-Host: b, c", "X-Forwarded-Proto: https"),
        "llms": get("/llms.txt", "Host: [::1]:8642"),
        "preflight": get(f"{split}/batch", "Origin: https://a", "Access-Control-Request-Method: POST",
                         method="OPTIONS"),
        "view-indices": get(f"{split}/indices.npy?kind=pair&none=5"),
        "view-labels": get(f"{split}/labels.json?any=3,8&per_class=2&fold_seed=1"),
        "view-statistics": get(f"{split}/statistics?all=3"),
        "view-epoch": get(f"{epoch}/0.safetensors?size=4&folds=3&fold=1&part=rest"),
        "view-empty": get(f"{split}/indices?all=1,2,3"),
        "shards": get(f"{split}/shards?per_shard=5"),
        "shards-made": get(f"{split}/shards?per_shard=3&as=frames&bins=2&kind=pair"),
        "shard": get(f"{split}/shards/2nmnist-train-000001.tar?per_shard=4"),
        "shard-range": get("/v1/splits/nmnist-train@~/shards/2nmnist-nmnist-train-000000.tar?per_shard=2"
                           "&member=npy", "Range: bytes=500-3000"),
        "shard-made": get(f"{split}/shards/2nmnist-train-000000.tar?per_shard=2&as=frames&slice=window"
                          "&timestep=90000"),
        "no-shard": get(f"{split}/shards/2nmnist-train-9.tar"),
        "sample": get(f"{split}/samples/1.bin"),
        "sample-time": get(f"{split}/samples/3.json?order=time&timestep=1000"),
        "sample-npy": get(f"{split}/samples/5.npy?order=published"),
        "frames": get(f"{split}/samples/1.npy?as=frames&bins=20&overlap=sum&axes=CHWT"),
        "frames-json": get(f"{split}/samples/2.json?as=frames&bins=2&binning=floor&timestep=500"),
        "batch": get(f"{split}/batch.safetensors?indices=3,1,1,0"),
        "batch-json": get(f"{split}/batch.json?indices=3,1&order=time"),
        "batch-frames": get(f"{split}/batch.safetensors?indices=1,2&as=frames&bins=9"),
        "post": get(f"{split}/batch", "Accept: application/x-safetensors", method="POST",
                    body='{"indices": [3, 1, 2]}'),
        "post-none": get(f"{split}/batch.json", method="POST", body='{"indices": []}'),
        "epoch": get(f"{epoch}/1.safetensors?size=5&rank=1&world=2&last=pad"),
        "epoch-json": get(f"{epoch}/0.json?size=4&last=drop"),
        "recording": get(f"{source}/samples/7.bin?timestep=333"),
        "recordings": get(f"{source}/samples"),
        "mix": get("/v1/mix/nmnist-train/0,5,19.bin"),
        "mix-published": get("/v1/mix/nmnist-train/3,8.json?order=published"),
        "pair": get("/v1/pairs/nmnist-train@~/7/123456789.npy"),
        "pairs": get("/v1/pairs/nmnist-train/7/batches/2.safetensors?size=6"),
        "pairs-frames": get("/v1/pairs/nmnist-train/1/batches/0.json?size=2&as=frames&bins=1"),
        "sparse": get(f"{split}/samples/1.safetensors?as=sparse&bins=50&overlap=sum"),
        "sparse-window": get(f"{split}/batch.safetensors?indices=3,1&as=sparse&slice=window"
                             "&timestep=20000&stride=9000&incomplete=yes"),
        "sparse-json": get(f"{split}/samples/2.json?as=sparse&slice=event-count&events=90&stride=40"),
        "range-of-windows": get(f"{split}/samples/1.npy?as=bits&slice=window&start=5&end=99999"),
        "bits": get(f"{split}/batch.safetensors?indices=1,2&as=bits&bins=20&order=time"),
        "time-bins": get(f"{split}/samples/1.npy?as=frames&slice=time-bins&bins=9&bin_overlap=0.25"),
        "event-bins": get(f"{split}/samples/1.bin?as=frames&slice=event-bins&bins=9&values=u16"),
        "number": get(f"{split}/batch.json?indices=1,2&as=frames&slice=number&bins=1&axes=CHWT"),
        "time": get(f"{source}/samples/7.npy?as=frames&slice=time&bins=2"),
        "duration": get("/v1/pairs/nmnist-train/7/batches/2.safetensors?size=3&as=frames"
                        "&slice=duration&timestep=90000"),
        "voxel": get("/v1/mix/nmnist-train/0,5,19.npy?as=frames&slice=voxel&bins=3"),
        "voxels": get(f"{split}/batch.safetensors?indices=1,2&as=frames&slice=voxel&bins=2"),
        "filters": get(f"{split}/samples/1.bin?stabilize=yes&t0=9&t1=200000&denoise=9000"
                       "&polarity=merge"),
        "filtered": get(f"{epoch}/0.safetensors?size=4&as=sparse&polarity=merge&denoise=5000"),
        "picture": get(f"{split}/samples/1.png?scale=1"),
        "strip": get(f"{split}/samples/1.png?strip=5&scale=2&polarity=merge", "If-None-Match: *"),
        "animation": get("/v1/pairs/nmnist-train/7/3.png?frames=4&scale=1&denoise=5000"),
        "sheet": get(f"{split}/samples.png?offset=2&length=11&scale=1&sort=-events"),
        "sheet-batch": get(f"{split}/batch.png?indices=3,1,2"),
        "sheet-epoch": get(f"{epoch}/1.png?size=4&scale=1&kind=pair"),
        "sheet-pairs": get("/v1/pairs/nmnist-train/7/batches/2.png?size=3&scale=1&t1=9000"),
        "sheet-post": get(f"{split}/batch.png?scale=1", method="POST", body='{"indices": [5, 0]}'),
        "picture-too-large": get(f"{split}/samples/1.png?scale=32&strip=64"),
        "hub-names": get("/splits?dataset=2nmnist"),
        "hub-rows": get("/rows?dataset=2nmnist&config=default&split=train&offset=3&length=5"),
        "hub-rows-pinned": get("/rows?split=train@^"),
        "hub-rows-of-none": get("/rows?config=default"),
        "no-meaning": get(f"{split}/samples/1.npy?as=frames&slice=time&stride=5"),
        "no-order": get(f"{split}/samples/1.npy?as=frames&slice=time&order=published"),
        "too-many": get(f"{split}/samples/1.safetensors?as=sparse&slice=window&timestep=1"),
        "head": get(f"{split}/batch.safetensors?indices=0,1", method="HEAD"),
        "method": get("/v1/splits", method="DELETE"),
        "percent": get("/v1/splits/tr%61in%2ejson?a=%00&=&&"),
        "too-large": get(f"{split}/samples/1.bin?as=frames&bins=4096"),
        "not-acceptable": get(f"{split}/samples/1", "Accept: image/png, */*;q=0"),
    }


def connections():
    def get(url, *headers, method="GET", body=""):
        return "\r\n".join([f"{method} {url} HTTP/1.1", "Host: a", *headers, "", body]).encode()
    split = "/v1/splits/train"
    post = '{"indices": [3, 1, 2]}'
    chunked = f"{len(post):x}\r\n{post}\r\n0\r\n\r\n"
    return {
        "healthz": get("/healthz"),
        "two": get("/healthz") + get("/nothing"),
        "head": get(f"{split}/samples/1.json", method="HEAD") + get(f"{split}/samples/1.bin"),
        "head-length": get(f"{split}/samples/1.bin", method="HEAD") + get("/readyz"),
        "not-modified": get(f"{split}.json", "If-None-Match: *") + get("/v1/splits"),
        "parts": get(f"{split}/batch.safetensors?indices=0,2,4,6,8,10,0,2,4,6,8,10,1,3"),
        "heavy": get("/v1/pairs/nmnist-train/1/batches/0.json?size=16&as=frames&bins=2"),
        "frames": get(f"{split}/samples/1.npy?as=frames&bins=100"),
        "picture": get(f"{split}/samples/1.png?strip=3") + get(f"{split}/samples/1.png", method="HEAD"),
        "animation": get(f"{split}/samples/1.png?frames=9&scale=1"),
        "post": get(f"{split}/batch.json", f"Content-Length: {len(post)}", method="POST",
                    body=post),
        "post-chunked": get(f"{split}/batch.json", "Transfer-Encoding: chunked", method="POST",
                            body=chunked) + get("/healthz"),
        "expect": get(f"{split}/batch.json", "Expect: 100-continue",
                      f"Content-Length: {len(post)}", method="POST", body=post),
        "post-too-long": get(f"{split}/batch.json", "Content-Length: 99999999", method="POST"),
        "chunk-line": get("/healthz", "Transfer-Encoding: chunked", body="1;" + "a" * 17000),
        "arguments": get("/" + "b" * 15000 + "?a" + "&a" * 299),
        "cookie": get(f"{split}/batch.safetensors?indices=0,2,4,6,8,10,0,2,4,6",
                      "Cookie: a=" + "x" * 6500),
        "lengths": get("/healthz", "Content-Length: 3", "Content-Length: 4", body="abcd"),
        "line-feeds": b"GET /healthz HTTP/1.1\nHost: a\n\n",
        "folded": get("/healthz", "A: b", " c"),
        "old": b"GET /healthz HTTP/1.0\r\n\r\n",
        "absolute": get("http://a/healthz"),
        "no-host": b"GET /healthz HTTP/1.1\r\n\r\n",
        "no-http": b"\x16\x03\x01\0\1",
        "half": b"GET /v1/spl",
    }


TARGETS = {
    "answers": conversations,
    "blob": blobs,
    "client_text": client_texts,
    "connection": connections,
    "event": recordings,
    "listing": listings,
    "problem": problems,
    "request": requests,
    "request_parts": request_parts,
    "safetensors": headers,
    "settings": configurations,
    "split": splits,
    "srv": name_answers,
    "tokens": tokens,
    "zip": zips,
}


def main():
    root = pathlib.Path(sys.argv[1])
    for target, seeds in TARGETS.items():
        (root / target).mkdir(parents=True, exist_ok=True)
        for name, content in seeds().items():
            (root / target / name).write_bytes(content)


if __name__ == "__main__":
    main()
