# SPDX-License-Identifier: Apache-2.0
"""Requests of every kind with what their answers have to be, worked out from the split files by the
tests' own reader and NumPy.

What an answer means is known beforehand; how JSON and heads of safetensors are written is not. So an
answer is looked at once, with `learn`, and from then on has to be the same to the byte."""
import base64
import dataclasses
import io
import json
import pathlib
import random
import sys
import typing

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests"))

import oracle
import safetensors_reader

DIGEST_MAX = 1 << 21  # bytes of which a checksum is worked out in Python
LENGTH = 40           # rows in a page


class Wrong(Exception):
    """An answer is not what it has to be."""


@dataclasses.dataclass
class Ask:
    """A request, and the check of the first answer to it."""
    kind: str
    path: str
    check: typing.Callable   # of the body; raises or returns False
    method: str = "GET"
    headers: tuple = ()
    body: bytes = b""
    status: int = 200
    learned: bytes | None = None   # the body that each answer has
    tag: str = ""                  # and its ETag
    volatile: bool = False         # each answer is checked, since none is like the other

    def request(self, method=None, *headers):
        lines = [f"{method or self.method} {self.path} HTTP/1.1", "Host: soak", *self.headers, *headers]
        if self.body:
            lines.append(f"Content-Length: {len(self.body)}")
        return "\r\n".join([*lines, "", ""]).encode() + self.body

    def learn(self, status, headers, body):
        if status != self.status:
            raise Wrong(f"{self.path}: {status}, not {self.status}: {body[:300]!r}")
        try:
            right = self.check(bytes(body))
        except (KeyError, ValueError, AssertionError) as error:
            raise Wrong(f"{self.path}: {error!r}") from error
        if right is False:
            raise Wrong(f"{self.path}: not the answer that it has to be")
        digest = headers.get("repr-digest")
        if digest and status == 200 and len(body) < DIGEST_MAX:
            expected = base64.b64encode(safetensors_reader.crc32c(body).to_bytes(4, "big")).decode()
            if digest != f"crc32c=:{expected}:":
                raise Wrong(f"{self.path}: Repr-Digest says {digest}")
        if not self.volatile:
            self.learned, self.tag = bytes(body), headers.get("etag", "")


@dataclasses.dataclass
class Sample:
    """One sample as it is served: events or frames, and what belongs to it."""
    split: str
    index: int | None
    labels: np.ndarray   # multi-hot
    sources: list
    events: np.ndarray
    frames: np.ndarray | None = None

    def tensor(self):
        return self.events if self.frames is None else self.frames

    def bin(self, body):
        return body == self.tensor().tobytes()

    def npy(self, body):
        array = np.load(io.BytesIO(body))
        if self.frames is not None:
            return np.array_equal(array, self.frames)
        columns = safetensors_reader.unpack(self.events)
        return (array.dtype.names == ("x", "y", "t", "p") and
                all(np.array_equal(array[name], column) for name, column in zip("txyp", columns)))

    def document(self):
        about = {"split": self.split, "labels": np.flatnonzero(self.labels).tolist(),
                 "sources": [source for source in self.sources if source >= 0], "events": len(self.events)}
        if self.index is not None:
            about["index"] = self.index
        if self.frames is None:
            about |= dict(zip("txyp", (column.tolist() for column in safetensors_reader.unpack(self.events))))
        else:
            about["frames"] = {"shape": list(self.frames.shape), "data": self.frames.ravel().tolist()}
        return about

    def json(self, body):
        return json.loads(body) == self.document()

    def safetensors(self, body):
        return Batch([self]).safetensors(body)


class Batch:
    def __init__(self, samples):
        self.samples = samples

    def json(self, body):
        return json.loads(body)["samples"] == [sample.document() for sample in self.samples]

    def safetensors(self, body):
        tensors, _ = safetensors_reader.read(body)
        samples = self.samples
        expected = {
            "indices": [sample.index or 0 for sample in samples],
            "labels": [sample.labels for sample in samples],
            "sources": [(*sample.sources, -1)[:2] for sample in samples],
            "checksums": [safetensors_reader.crc32c(sample.tensor().tobytes()) for sample in samples],
        }
        if samples[0].frames is None:
            expected["events"] = np.concatenate([sample.events for sample in samples])
            expected["offsets"] = np.cumsum([0, *(len(sample.events) for sample in samples)])
        else:
            expected["frames"] = [sample.frames for sample in samples]
        return (tensors.keys() == expected.keys() and
                all(np.array_equal(tensors[name], value) for name, value in expected.items()))


class Splits:
    """The files of a folder, and the samples that can be had of them."""

    def __init__(self, folder):
        self.files = {path.stem: path.read_bytes() for path in sorted(pathlib.Path(folder).glob("*.safetensors"))}
        read = {name: safetensors_reader.read(data) for name, data in self.files.items()}
        self.tensors = {name: tensors for name, (tensors, _) in read.items()}
        self.metadata = {name: metadata for name, (_, metadata) in read.items()}
        self.digits = {name: tensors["labels"].argmax(1) for name, tensors in self.tensors.items()
                       if name.startswith("nmnist-")}

    def count(self, name):
        return len(self.tensors[name]["labels"])

    def events(self, name, i):
        tensors = self.tensors[name]
        begin, end = (int(offset) for offset in tensors["offsets"][i:i + 2])
        return tensors["events"][begin:end]

    def stored(self, name, i, order=None, timestep=0):
        """Sample i, as stored or mixed anew from its recordings."""
        tensors = self.tensors[name]
        sources = [int(source) for source in tensors["sources"][i]]
        events = self.events(name, i)
        if order or timestep:
            parts = [events] if name in self.digits else [
                self.events(f"nmnist-{name}", source) for source in sources if source >= 0]
            events = oracle.mix(parts, order or "time", timestep)
        return Sample(name, i, tensors["labels"][i], sources, events)

    def mixed(self, source, recordings, index=None, timestep=0):
        labels = np.zeros(10, np.uint8)
        labels[self.digits[source][list(recordings)]] = 1
        return Sample(source, index, labels, [int(r) for r in recordings],
                      oracle.mix([self.events(source, r) for r in recordings], timestep=timestep))

    def pair(self, source, seed, index, timestep=0):
        return self.mixed(source, oracle.fresh_pair(seed, index, self.digits[source]), index, timestep)

    def framed(self, sample, **form):
        sample.frames = oracle.frames(sample.events, **form)
        return sample

    # ---- documents ----

    def is_listed(self, body):
        rows = {row["name"]: row for row in json.loads(body)["splits"]}
        return rows.keys() == self.files.keys() and all(
            not row["damaged"] and row["samples"] == self.count(name) and
            row["bytes"] == len(self.files[name]) and
            row["revision"] == safetensors_reader.revision(self.files[name]) for name, row in rows.items())

    def is_described(self, name, body):
        about, labels = json.loads(body), self.tensors[name]["labels"].astype(int)
        return (about["labels"] == labels.sum(0).tolist() and
                about["cooccurrence"] == (labels.T @ labels).tolist() and
                about["data_sha256"] == self.metadata[name]["data_sha256"] and
                about["revision"] == safetensors_reader.revision(self.files[name]))

    def are_rows(self, name, offset, body):
        tensors, rows = self.tensors[name], []
        for i in range(offset, min(offset + LENGTH, self.count(name))):
            events = self.events(name, i)
            rows.append({"index": i, "labels": np.flatnonzero(tensors["labels"][i]).tolist(),
                         "events": len(events),
                         "duration_us": int(safetensors_reader.unpack(events)[0].max()),
                         "sources": [int(source) for source in tensors["sources"][i] if source >= 0],
                         "crc32c": f"{int(tensors['checksums'][i]):08x}"})
        return json.loads(body) == {"split": name, "total": self.count(name), "offset": offset, "samples": rows}


def asks_for_samples(splits, rng):
    for name in splits.files:
        for _ in range(6):
            i = rng.randrange(splits.count(name))
            path = f"/v1/splits/{name}/samples/{i}"
            sample = splits.stored(name, i)
            for end in ("bin", "npy", "json", "safetensors"):
                yield Ask(f"sample.{end}", f"{path}.{end}", getattr(sample, end))
            step = rng.choice([1, 7, 1000])
            order = rng.choice(["time", "published"])
            remixed = splits.stored(name, i, order, step)
            for end in ("bin", "npy"):
                yield Ask("sample remixed", f"{path}.{end}?order={order}&timestep={step}", getattr(remixed, end))
            axes = rng.choice(["TCHW", "CHWT"])
            framed = splits.framed(splits.stored(name, i), bins=40, timestep=5000, axes=axes)
            for end in ("bin", "npy", "json", "safetensors"):
                yield Ask(f"frames.{end}", f"{path}.{end}?as=frames&bins=40&timestep=5000&axes={axes}",
                          getattr(framed, end))


def asks_for_mixes(splits, rng):
    for source, digits in splits.digits.items():
        i = rng.randrange(splits.count(source))
        yield Ask("recording", f"/v1/sources/{source}/samples/{i}.bin", splits.stored(source, i).bin)
        for n in (2, 2, 3, 5):
            recordings = [int(rng.choice(np.flatnonzero(digits == d))) for d in rng.sample(range(10), n)]
            mixed = splits.mixed(source, recordings)
            for end in ("bin", "npy", "json", "safetensors"):
                yield Ask("mix", f"/v1/mix/{source}/{','.join(map(str, recordings))}.{end}", getattr(mixed, end))
        for _ in range(8):
            seed, index = rng.randrange(4), rng.getrandbits(rng.choice([8, 62]))
            pair = splits.pair(source, seed, index)
            for end in ("bin", "npy", "json", "safetensors"):
                yield Ask("pair", f"/v1/pairs/{source}/{seed}/{index}.{end}", getattr(pair, end))


def asks_for_batches(splits, rng):
    for name in splits.files:
        n = splits.count(name)
        for _ in range(3):
            indices = [rng.randrange(n) for _ in range(rng.choice([1, 16, 48]))]
            listed = ",".join(map(str, indices))
            whole = Batch([splits.stored(name, i) for i in indices])
            yield Ask("batch", f"/v1/splits/{name}/batch.safetensors?indices={listed}", whole.safetensors)
            yield Ask("batch by POST", f"/v1/splits/{name}/batch.safetensors", whole.safetensors, method="POST",
                      body=json.dumps({"indices": indices}).encode())
            mixed = Batch([splits.stored(name, i, timestep=1000) for i in indices[:16]])
            some = ",".join(map(str, indices[:16]))
            yield Ask("batch remixed", f"/v1/splits/{name}/batch.safetensors?indices={some}&timestep=1000",
                      mixed.safetensors)
            framed = Batch([splits.framed(splits.stored(name, i), bins=20, timestep=10000) for i in indices[:4]])
            few = ",".join(map(str, indices[:4]))
            yield Ask("batch of frames",
                      f"/v1/splits/{name}/batch.safetensors?indices={few}&as=frames&bins=20&timestep=10000",
                      framed.safetensors)
            yield Ask("batch.json", f"/v1/splits/{name}/batch.json?indices={few}",
                      Batch([splits.stored(name, i) for i in indices[:4]]).json)
        for epoch in range(3):
            k, world = rng.randrange(max(1, n // 32)), rng.choice([1, 2])
            order = oracle.epoch_order(7, epoch, n)[32 * k:32 * k + 32][world - 1::world]
            yield Ask("epoch", f"/v1/splits/{name}/epochs/7/{epoch}/batches/{k}.safetensors?size=32"
                      f"&rank={world - 1}&world={world}",
                      Batch([splits.stored(name, int(i)) for i in order]).safetensors)
    for source in splits.digits:
        for k in range(4):
            pairs = Batch([splits.pair(source, 5, 24 * k + i) for i in range(24)])
            yield Ask("batch of pairs", f"/v1/pairs/{source}/5/batches/{k}.safetensors?size=24", pairs.safetensors)


def asks_for_documents(splits, rng):
    for path, state in (("/healthz", "alive"), ("/readyz", "ready")):
        yield Ask("health", path, lambda body, state=state: json.loads(body) == {"status": state})
    yield Ask("list", "/v1/splits", splits.is_listed, volatile=True)
    for name, data in splits.files.items():
        labels = splits.tensors[name]["labels"]
        yield Ask("description", f"/v1/splits/{name}", lambda body, name=name: splits.is_described(name, body))
        yield Ask("labels", f"/v1/splits/{name}/labels.npy",
                  lambda body, labels=labels: np.array_equal(np.load(io.BytesIO(body)), labels))
        yield Ask("labels", f"/v1/splits/{name}/labels.json",
                  lambda body, labels=labels: json.loads(body)["labels"] == labels.tolist())
        for offset in (0, rng.randrange(splits.count(name))):
            yield Ask("page", f"/v1/splits/{name}/samples?offset={offset}&length={LENGTH}",
                      lambda body, name=name, offset=offset: splits.are_rows(name, offset, body))
        yield Ask("file", f"/v1/splits/{name}.safetensors", data.__eq__)
        for _ in range(3):
            first = rng.randrange(len(data))
            last = min(first + rng.choice([0, 1000, 100000]), len(data) - 1)
            yield Ask("range", f"/v1/splits/{name}.safetensors", data[first:last + 1].__eq__, status=206,
                      headers=(f"Range: bytes={first}-{last}",))
        past = splits.count(name)
        yield Ask("no such sample", f"/v1/splits/{name}/samples/{past}.bin", status=404,
                  check=lambda body: json.loads(body)["code"] == "no-such-sample")
        yield Ask("bad parameter", f"/v1/splits/{name}/samples/0.bin?colour=red", status=400,
                  check=lambda body: json.loads(body)["code"] == "bad-parameter")


def asks(folder, seed=1):
    """All of them, by kind."""
    splits, rng, found = Splits(folder), random.Random(seed), {}
    for make in (asks_for_samples, asks_for_mixes, asks_for_batches, asks_for_documents):
        for ask in make(splits, rng):
            found.setdefault(ask.kind, []).append(ask)
    return found
