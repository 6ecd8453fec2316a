# SPDX-License-Identifier: Apache-2.0
"""Every form, slice and filter from a running daemon, against the rules in NumPy; over recordings
with ties, gaps, one event and many, and over the real ones that the libraries were asked about."""
import base64
import csv
import gzip
import hashlib
import http.client
import io
import itertools
import json
import pathlib
import re
import unittest
import urllib.parse

import numpy as np

import daemon
import form_rules as rules
import generator
import oracle
import safetensors_reader
from test_representations import words_of

N_RECORDINGS = 30
MOST_FRAMES = 4096


def times(rng, i):
    """Of one recording: uneven in every way that a slice could trip over."""
    n = [1, 2, 3, 40, 400, 700][i % 6]
    kind = i // 6 % 5
    if kind == 0:
        return rng.randint(0, 300_000, n)
    if kind == 1:  # few different ones
        return rng.choice([5, 1_500, 104_999, 105_000, 105_001, 210_000, 210_001], n)
    if kind == 2:  # all at once
        return np.full(n, 7_000)
    if kind == 3:  # two bursts and a gap
        return np.concatenate([rng.randint(0, 2_000, n - n // 2),
                               rng.randint(250_000, 252_000, n // 2)])
    return np.arange(n) * 500  # on the edges of bins, half way between others


def recordings():
    files = {}
    for i in range(N_RECORDINGS):
        rng = np.random.RandomState(i)
        t = np.sort(times(rng, i))
        low, high = (10, 14) if i % 2 else (0, 34)  # so dense that places repeat
        x, y = rng.randint(low, high, len(t)), rng.randint(low, high, len(t))
        files[f"Train/{i % 10}/{i + 1:05}.bin"] = \
            oracle.pack(t, x, y, rng.randint(0, 2, len(t))).tobytes()
    return files


def setUpModule():
    global server, published, splits
    source = generator.write_folder(unittest.enterModuleContext(daemon.temporary_folder()),
                                    recordings())
    folders = [daemon.generate(unittest.enterModuleContext(daemon.temporary_folder()), *options,
                               source=source)
               for options in ((), ("--order", "published"))]
    splits = {path.stem: safetensors_reader.read(path.read_bytes())[0]
              for path in folders[0].glob("*.safetensors")}
    server = unittest.enterModuleContext(Asker(folders[0]))
    published = unittest.enterModuleContext(Asker(folders[1]))


class Asker(daemon.Daemon):
    """Over one connection."""

    def __enter__(self):
        super().__enter__()
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        return self

    def __exit__(self, *unused):
        self.connection.close()
        super().__exit__()

    def get(self, path, method="GET", body=None, **headers):
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        self.connection.request(method, path, body, headers)
        answer = self.connection.getresponse()
        return daemon.Answer(answer.status, answer.headers, answer.read())


# Each with what a query says, and what the rules take.
SLICES = [
    ({}, "timestep", {}),
    ({"timestep": 777, "bins": 21, "binning": "floor"}, "timestep",
     {"timestep": 777, "bins": 21, "binning": "floor"}),
    ({"timestep": 5_000, "bins": 7, "overlap": "sum"}, "timestep",
     {"timestep": 5_000, "bins": 7, "overlap": "sum"}),
    ({"slice": "window", "timestep": 10_000}, "window", {"timestep": 10_000}),
    ({"slice": "window", "timestep": 9_999, "stride": 4_321, "incomplete": "yes"}, "window",
     {"timestep": 9_999, "stride": 4_321, "incomplete": True}),
    ({"slice": "window", "timestep": 3_000, "stride": 9_000}, "window",
     {"timestep": 3_000, "stride": 9_000}),
    ({"slice": "window", "timestep": 20_000, "stride": 7_000, "start": 5, "end": 150_000}, "window",
     {"timestep": 20_000, "stride": 7_000, "start": 5, "end": 150_000}),
    ({"slice": "window", "timestep": 8_000, "start": 299_000, "end": 400_000, "incomplete": "yes"},
     "window", {"timestep": 8_000, "start": 299_000, "end": 400_000, "incomplete": True}),
    ({"slice": "time-bins", "bins": 16}, "time-bins", {"bins": 16}),
    ({"slice": "time-bins", "bins": 7, "bin_overlap": "0.3"}, "time-bins",
     {"bins": 7, "bin_overlap": 0.3}),
    ({"slice": "event-count", "events": 5}, "event-count", {"events": 5}),
    ({"slice": "event-count", "events": 50, "stride": 7, "incomplete": "yes"}, "event-count",
     {"events": 50, "stride": 7, "incomplete": True}),
    ({"slice": "event-count", "events": 20, "stride": 33}, "event-count",
     {"events": 20, "stride": 33}),
    ({"slice": "event-bins", "bins": 9}, "event-bins", {"bins": 9}),
    ({"slice": "number", "bins": 9}, "number", {"bins": 9}),
    ({"slice": "time", "bins": 3}, "time", {"bins": 3}),
    ({"slice": "duration", "timestep": 4_000}, "duration", {"timestep": 4_000}),
]

FILTERS = [
    ({}, {}),
    ({"stabilize": "yes"}, {"stabilized": True}),
    ({"t0": 1_000, "t1": 200_000}, {"t0": 1_000, "t1": 200_000}),
    ({"denoise": 5_000}, {"denoise_us": 5_000}),
    ({"polarity": "merge"}, {"merged": True}),
    ({"stabilize": "yes", "t0": 5, "t1": 250_000, "denoise": 20_000, "polarity": "merge"},
     {"stabilized": True, "t0": 5, "t1": 250_000, "denoise_us": 20_000, "merged": True}),
]

# Of dense frames: each query, and how counts become its values.
DENSE = [
    ({}, lambda counts: rules.as_values(counts)),
    ({"values": "u16"}, lambda counts: rules.as_values(counts, np.uint16)),
    ({"axes": "CHWT"}, lambda counts: rules.as_values(counts).transpose(1, 2, 3, 0)),
]


def path_of(path, *queries):
    query = urllib.parse.urlencode({key: value for each in queries for key, value in each.items()})
    if not query:
        return path
    return path + ("&" if "?" in path else "?") + query


def refuses(name, parameters, events):
    """Whether the rule's library, and so the server, makes nothing of these events."""
    t = events["t"]
    if name == "window":
        return not len(t) and "start" not in parameters
    if name in ("time-bins", "time", "duration", "voxel") and not len(t):
        return True
    if name in ("duration", "voxel"):
        return t[0] == t[-1]
    if name == "time":
        bins = parameters["bins"]
        edges = np.searchsorted(t, t[0] + (t[-1] - t[0]) // bins * np.arange(bins + 1))
        return bool((np.diff(edges) == 0).any())
    return False


class Case(unittest.TestCase):
    def get(self, path, status=200, to=None, **more):
        answer = (to or server).get(path, **more)
        self.assertEqual(answer.status, status, f"{path}: {answer.body[:400]}")
        return answer

    def refused(self, path, status, code, words, **more):
        about = self.get(path, status, **more).json()
        self.assertEqual(about["code"], code)
        self.assertIn(words, about["detail"])
        return about

    def array(self, path):
        return np.load(io.BytesIO(self.get(path).body), allow_pickle=False)

    def blob(self, path):
        return safetensors_reader.read(self.get(path).body)

    def same(self, got, want, path):
        self.assertEqual((got.dtype, got.shape), (want.dtype, want.shape), path)
        self.assertTrue(np.array_equal(got, want), path)

    def split_events(self, name="train", order=None):
        """Of each sample, as they are served without a filter."""
        tensors = splits[name]
        if order is None:
            return [rules.events_of(packed) for packed in generator.samples(tensors)]
        return [rules.events_of(self.get(f"/v1/splits/{name}/samples/{i}.bin?order={order}",
                                         to=published).body)
                for i in range(len(tensors["labels"]))]


def longest_first(frames, n):
    """With zero frames behind, up to n."""
    return np.concatenate([frames, np.zeros((n - len(frames), *frames.shape[1:]), frames.dtype)])


class Batches(Case):
    def check_checksums(self, tensors, parts, path):
        wanted = [safetensors_reader.crc32c(np.ascontiguousarray(part).tobytes()) for part in parts]
        self.assertEqual(tensors["checksums"].tolist(), wanted, path)

    def check_n_frames(self, tensors, made, fixed, path):
        self.assertEqual("n_frames" in tensors, not fixed, path)
        if not fixed:
            self.same(tensors["n_frames"], np.array([len(frames) for frames in made], np.int32),
                      path)

    def check(self, path, made, fixed):
        """Batches of counts in all forms. The checksums of large ones are looked at elsewhere."""
        longest = max(len(frames) for frames in made)
        for query, values in DENSE:
            tensors, _ = self.blob(path_of(path, {"as": "frames"}, query))
            want = np.stack([values(longest_first(frames, longest)) for frames in made])
            self.same(tensors["frames"], want, path)
            self.check_n_frames(tensors, made, fixed, path)
        tensors, _ = self.blob(path_of(path, {"as": "sparse"}))
        parts = [rules.sparse(frames) for frames in made]
        self.same(tensors["places"], np.concatenate([places for places, _ in parts]), path)
        self.same(tensors["counts"], np.stack([
            np.pad(counts, (0, longest - len(counts))) for _, counts in parts]), path)
        self.check_n_frames(tensors, made, fixed, path)
        self.check_checksums(tensors, [places for places, _ in parts], path)

    def check_bits(self, path, made, fixed):
        longest = max(len(frames) for frames in made)
        tensors, _ = self.blob(path_of(path, {"as": "bits"}))
        self.same(tensors["bits"],
                  np.stack([rules.bits(longest_first(frames, longest)) for frames in made]), path)
        self.check_n_frames(tensors, made, fixed, path)

    def test_every_slice_of_every_filter(self):
        everything = self.split_events()
        for (asked, name, parameters), (filtering, rule) in itertools.product(SLICES, FILTERS):
            kept = [rules.filtered(events, **rule) for events in everything]
            suited = [i for i, events in enumerate(kept) if not refuses(name, parameters, events)]
            channels = 1 if rule.get("merged") else 2
            made = [rules.frames(kept[i], name, channels, **parameters) for i in suited]
            fixed = name not in ("window", "event-count", "duration") or "start" in parameters
            path = path_of("/v1/splits/train/batch.safetensors?indices=" +
                           ",".join(map(str, suited)), asked, filtering)
            with self.subTest(asked=asked, filtering=filtering):
                self.assertGreater(len(suited), 3)
                self.check(path, made, fixed)
                asked = {key: value for key, value in asked.items() if key != "overlap"}
                path = path_of("/v1/splits/train/batch.safetensors?indices=" +
                               ",".join(map(str, suited)), asked, filtering)
                self.check_bits(path, made, fixed)

    def test_checksums_are_of_each_samples_bytes(self):
        few = "?indices=0,3,5&slice=event-count&events=300&incomplete=yes"
        for query, name in (({"as": "frames"}, "frames"), ({"as": "bits"}, "bits"),
                            ({"as": "frames", "values": "u16", "axes": "CHWT"}, "frames")):
            path = path_of("/v1/splits/train/batch.safetensors" + few, query)
            tensors, _ = self.blob(path)
            self.check_checksums(tensors, tensors[name], path)
        path = "/v1/splits/train/batch.safetensors?indices=3,4&as=frames&slice=voxel&bins=2"
        tensors, _ = self.blob(path)
        self.check_checksums(tensors, tensors["frames"], path)

    def test_voxel_grids(self):
        for (filtering, rule), bins in itertools.product(FILTERS, (1, 10, 33)):
            kept = [rules.filtered(events, **rule) for events in self.split_events()]
            suited = [i for i, events in enumerate(kept) if not refuses("voxel", {}, events)]
            path = path_of("/v1/splits/train/batch.safetensors?as=frames&slice=voxel&indices=" +
                           ",".join(map(str, suited)), {"bins": bins}, filtering)
            want = np.stack([rules.voxel(kept[i], bins) for i in suited]).astype(np.float32)
            tensors, _ = self.blob(path)
            self.same(tensors["frames"], want, path)
            self.assertNotIn("n_frames", tensors)

    def test_filtered_events(self):
        for filtering, rule in FILTERS[1:]:
            kept = [rules.pack(rules.filtered(events, **rule)) for events in self.split_events()]
            path = path_of("/v1/splits/train/batch.safetensors?indices=" +
                           ",".join(map(str, range(len(kept)))), filtering)
            tensors, metadata = self.blob(path)
            self.same(tensors["events"], np.concatenate(kept), path)
            self.assertEqual(np.diff(tensors["offsets"]).tolist(), [len(each) for each in kept])
            self.check_checksums(tensors, kept, path)
            for key, value in filtering.items():
                self.assertEqual(metadata[key], str(value))

    def test_a_batch_says_all_that_shaped_it(self):
        _, metadata = self.blob(
            "/v1/splits/train/epochs/1/2/batches/0.safetensors?size=3&as=sparse&slice=window"
            "&timestep=5000&t1=100000&polarity=merge&incomplete=yes")
        wanted = {"as": "sparse", "slice": "window", "timestep": "5000", "stride": "5000",
                  "incomplete": "yes", "t1": "100000", "polarity": "merge", "order": "time",
                  "size": "3"}
        self.assertEqual({key: metadata.get(key) for key in wanted}, wanted)
        for key in ("bins", "binning", "overlap", "axes", "events", "start", "t0", "denoise",
                    "stabilize", "values", "bin_overlap"):
            self.assertNotIn(key, metadata)

    def test_epochs_and_fresh_pairs_and_posted_lists(self):
        query = {"as": "sparse", "slice": "number", "bins": 4, "denoise": 9_000}
        whole = self.split_events()
        tensors, _ = self.blob(path_of(
            "/v1/splits/train/epochs/7/1/batches/1.safetensors?size=4", query))
        indices = oracle.epoch_order(7, 1, len(whole))[4:8]
        self.assertEqual(tensors["indices"].tolist(), indices.tolist())
        self.check_sparse(tensors, [whole[i] for i in indices])
        tensors, _ = self.blob(path_of("/v1/pairs/nmnist-train/5/batches/2.safetensors?size=3",
                                       query))
        self.check_sparse(tensors, [self.pair(5, index) for index in (6, 7, 8)])
        answer = self.get(path_of("/v1/splits/train/batch.safetensors", query), method="POST",
                          body=json.dumps({"indices": [2, 0, 2]}))
        self.check_sparse(safetensors_reader.read(answer.body)[0], [whole[i] for i in (2, 0, 2)])

    def pair(self, seed, index):
        digits = splits["nmnist-train"]["labels"].argmax(1)
        parts = generator.samples(splits["nmnist-train"])
        return rules.events_of(oracle.mix([parts[i] for i in
                                           oracle.fresh_pair(seed, index, digits)]))

    def check_sparse(self, tensors, whole):
        made = [rules.sparse(rules.frames(rules.denoise(events, 9_000), "number", bins=4))
                for events in whole]
        self.assertEqual(tensors["places"].tolist(),
                         np.concatenate([places for places, _ in made]).tolist())
        self.assertEqual(tensors["counts"].tolist(), [counts.tolist() for _, counts in made])


class Singles(Case):
    def test_each_form_of_each_slice(self):
        whole = self.split_events()
        for n, ((asked, name, parameters), (filtering, rule)) in enumerate(
                itertools.product(SLICES, FILTERS)):
            i = n % len(whole)
            events = rules.filtered(whole[i], **rule)
            path = f"/v1/splits/train/samples/{i}"
            if refuses(name, parameters, events):
                self.refused(path_of(path + ".npy", asked, filtering, {"as": "frames"}), 400,
                             "bad-parameter", f"sample {i}: ")
                continue
            counts = rules.frames(events, name, 1 if rule.get("merged") else 2, **parameters)
            with self.subTest(asked=asked, filtering=filtering, i=i):
                self.check(path, {**asked, **filtering}, counts)

    def check(self, path, query, counts):
        for dense, values in DENSE:
            asked = path_of(path + ".npy", query, {"as": "frames"}, dense)
            want = np.ascontiguousarray(values(counts))
            self.same(self.array(asked), want, asked)
            raw = self.get(path_of(path + ".bin", query, {"as": "frames"}, dense)).body
            self.assertEqual(raw, want.tobytes(), asked)
        sparse = path_of(path + ".safetensors", query, {"as": "sparse"})
        places, numbers = rules.sparse(counts)
        tensors, _ = self.blob(sparse)
        self.same(tensors["places"], places, sparse)
        self.same(tensors["counts"], numbers[None], sparse)
        about = self.get(path_of(path + ".json", query, {"as": "sparse"})).json()
        self.assertEqual((about["counts"], about["places"]), (numbers.tolist(), places.tolist()))
        query = {key: value for key, value in query.items() if key != "overlap"}
        bits = path_of(path + ".npy", query, {"as": "bits"})
        self.same(self.array(bits), rules.bits(counts), bits)

    def test_json_has_the_same_frames(self):
        for query in ({"slice": "duration", "timestep": 100_000},
                      {"slice": "event-count", "events": 300, "values": "u16"},
                      {"bins": 2, "timestep": 100_000, "polarity": "merge"}):
            path = path_of("/v1/splits/train/samples/5", query, {"as": "frames"})
            path = path.replace("/5?", "/5.{}?")
            want = self.array(path.format("npy"))
            about = self.get(path.format("json")).json()["frames"]
            self.assertEqual(about["shape"], list(want.shape))
            self.assertEqual(about["data"], want.ravel().tolist())
        path = "/v1/splits/train/batch.json?indices=5,4&as=sparse&slice=event-count&events=250"
        rows = self.get(path).json()["samples"]
        tensors, _ = self.blob(path.replace(".json", ".safetensors"))
        self.assertEqual(sum((row["places"] for row in rows), []), tensors["places"].tolist())
        self.assertEqual([len(row["counts"]) for row in rows], tensors["n_frames"].tolist())

    def test_voxel_grids_and_filtered_events(self):
        for i, events in enumerate(self.split_events()):
            path = f"/v1/splits/train/samples/{i}.npy?as=frames&slice=voxel&bins=10"
            if refuses("voxel", {}, events):
                self.refused(path, 400, "bad-parameter", f"sample {i}: ")
            else:
                self.same(self.array(path), rules.voxel(events, 10), path)
            for filtering, rule in FILTERS[1:]:
                path = path_of(f"/v1/splits/train/samples/{i}.bin", filtering)
                self.assertEqual(self.get(path).body,
                                 rules.pack(rules.filtered(events, **rule)).tobytes(), path)

    def test_counts_stop_at_the_largest_value(self):
        path = "/v1/splits/train/samples/{}.npy?as=frames&slice=number&bins=1&polarity=merge" \
               "&values={}"
        tallest = max(range(len(self.split_events())),
                      key=lambda i: len(self.split_events()[i]))
        counts = rules.frames(rules.merge_polarity(self.split_events()[tallest]), "number", 1,
                              bins=1)
        self.same(self.array(path.format(tallest, "u8")), rules.as_values(counts), path)
        self.same(self.array(path.format(tallest, "u16")), rules.as_values(counts, np.uint16), path)

    def test_sources_mixes_and_pairs(self):
        parts = generator.samples(splits["nmnist-train"])
        query = {"as": "frames", "slice": "time-bins", "bins": 5, "stabilize": "yes"}

        def want(events):
            return rules.as_values(rules.frames(rules.stabilize(rules.events_of(events)),
                                                "time-bins", bins=5))

        path = path_of("/v1/sources/nmnist-train/samples/4.npy", query)
        self.same(self.array(path), want(parts[4]), path)
        digits = splits["nmnist-train"]["labels"].argmax(1)
        chosen = [int(np.flatnonzero(digits == digit)[0]) for digit in (0, 3, 5)]
        path = path_of("/v1/mix/nmnist-train/" + ",".join(map(str, chosen)) + ".npy", query)
        self.same(self.array(path), want(oracle.mix([parts[i] for i in chosen])), path)
        path = path_of("/v1/pairs/nmnist-train/5/9.npy", query)
        self.same(self.array(path),
                  want(oracle.mix([parts[i] for i in oracle.fresh_pair(5, 9, digits)])), path)

    def test_the_order_of_events_changes_no_frame_by_timestep(self):
        for i in range(len(splits["train"]["labels"])):
            events = self.get(f"/v1/splits/train/samples/{i}.bin", to=published).body
            counts = rules.frames(rules.events_of(events), bins=40, timestep=9_000, overlap="sum")
            path = f"/v1/splits/train/samples/{i}.json?as=sparse&bins=40&timestep=9000&overlap=sum"
            about = self.get(path, to=published).json()
            self.assertEqual(about["places"], rules.sparse(counts)[0].tolist(), path)
            path = f"/v1/splits/train/samples/{i}.npy?as=frames&bins=40&timestep=9000" \
                   "&overlap=sum&values=u16"
            got = np.load(io.BytesIO(self.get(path, to=published).body))
            self.same(got, rules.as_values(counts, np.uint16), path)
            path = f"/v1/splits/train/samples/{i}.npy?order=time&polarity=merge"
            got = np.load(io.BytesIO(self.get(path, to=published).body))
            time_ordered = self.split_events(order="time")[i] if i == 0 else None
            if time_ordered is not None:
                self.assertEqual(got["t"].tolist(),
                                 rules.merge_polarity(time_ordered)["t"].tolist())


class Http(Case):
    PATHS = [
        "/v1/splits/train/samples/5.npy?as=bits",
        "/v1/splits/train/samples/5.npy?as=frames&slice=window",
        "/v1/splits/train/samples/5.bin?as=frames&slice=number&bins=9&values=u16",
        "/v1/splits/train/samples/5.npy?as=frames&slice=voxel&bins=3",
        "/v1/splits/train/samples/5.safetensors?as=sparse",
        "/v1/splits/train/samples/5.json?as=sparse&slice=duration",
        "/v1/splits/train/samples/5.bin?denoise=10000",
        "/v1/splits/train/batch.safetensors?indices=5,4&as=bits&slice=time-bins&bins=9",
        "/v1/splits/train/batch.safetensors?indices=5,4&as=frames&slice=event-count&events=100",
        "/v1/splits/train/batch.safetensors?indices=5,4&as=sparse&slice=window&stride=100",
        "/v1/splits/train/batch.safetensors?indices=5,4&as=frames&slice=voxel&bins=9",
        "/v1/splits/train/batch.json?indices=5,4&as=sparse&polarity=merge",
    ]

    def test_a_head_says_the_length_or_none(self):
        told = 0
        for path in self.PATHS:
            whole, head = self.get(path), self.get(path, method="HEAD")
            self.assertEqual(whole.headers["Content-Length"], str(len(whole.body)))
            self.assertEqual(head.body, b"")
            self.assertIn(head.headers["Content-Length"], (None, str(len(whole.body))), path)
            told += head.headers["Content-Length"] is not None
            for name in ("ETag", "Content-Type", "Twonmnist-Labels"):
                self.assertEqual(head.headers[name], whole.headers[name], path)
        self.assertGreaterEqual(told, 2)

    def test_what_a_client_has_is_unchanged(self):
        for path in self.PATHS:
            etag = self.get(path).headers["ETag"]
            self.assertEqual(self.get(path, 304, If_None_Match=etag).body, b"")

    def test_a_digest_is_of_the_body(self):
        for path in self.PATHS[:7]:
            whole = self.get(path)
            crc = safetensors_reader.crc32c(whole.body).to_bytes(4, "big")
            self.assertIn(base64.b64encode(crc).decode(),
                          whole.headers["Repr-Digest"], path)

    def test_too_many_frames_are_too_large(self):
        long = max(range(len(splits["train"]["labels"])),
                   key=lambda i: np.ptp(self.split_events()[i]["t"]))
        query = "as=sparse&slice=window&timestep=1"
        about = self.refused(f"/v1/splits/train/samples/{long}.safetensors?{query}", 413,
                             "too-large", f"sample {long}: it would have ")
        self.assertEqual(about["limit"], MOST_FRAMES)
        self.assertIn("the limit is 4096", about["detail"])
        for form in ("sparse", "bits", "frames"):
            self.refused(f"/v1/splits/train/batch.safetensors?indices={long}&as={form}"
                         "&slice=duration&timestep=1", 413, "too-large",
                         f"sample 0 of the batch: sample {long}: ")
        self.refused(f"/v1/splits/train/samples/{long}.json?{query}", 413, "too-large",
                     f"sample {long}: ")
        self.refused(f"/v1/splits/train/samples/{long}.npy?as=frames&slice=window&timestep=1"
                     "&start=0&end=8388608", 413, "too-large", "8388608 windows")

    def resident_bytes(self):
        status = pathlib.Path(f"/proc/{server.process.pid}/status").read_text(encoding="ascii")
        return int(re.search(r"VmRSS:\s+(\d+) kB", status).group(1)) << 10

    def test_what_is_too_large_takes_no_memory(self):
        longest = np.argmax([np.ptp(events["t"]) for events in self.split_events()])
        path = "/v1/splits/train/batch.safetensors?indices=" + ",".join([str(longest)] * 1000)
        before = self.resident_bytes()
        for query in ("as=frames&values=u16&slice=window&timestep=1",
                      "as=bits&slice=duration&timestep=1", "as=frames&slice=voxel&bins=4096",
                      "as=sparse&slice=window&timestep=100000&stride=49"):
            self.refused(f"{path}&{query}", 413, "too-large", "")
        self.assertLess(self.resident_bytes() - before, 32 << 20)

    def test_answers_are_bounded(self):
        indices = ",".join(["5"] * 200)
        for query in ("as=frames&slice=window&timestep=100&values=u16",
                      "as=sparse&slice=window&timestep=200000&stride=80",
                      "as=frames&slice=voxel&bins=4096", "as=bits&bins=4096"):
            with daemon.Daemon(server.command[2], "--max-answer-bytes", 1 << 20) as small:
                path = f"/v1/splits/train/batch.safetensors?indices={indices}&{query}"
                about = self.get(path, 413, to=small).json()
                self.assertEqual((about["code"], about["limit"]), ("too-large", 1 << 20), query)

    def test_a_form_has_its_formats(self):
        for path in ("samples/0.bin?as=sparse", "samples/0.npy?as=sparse", "samples/0.json?as=bits",
                     "batch.json?indices=0&as=bits",
                     "samples/0.json?as=frames&slice=voxel"):
            self.refused(f"/v1/splits/train/{path}", 406, "not-acceptable", "safetensors")
        answer = self.get("/v1/splits/train/samples/5?as=bits",
                          Accept="application/json, application/x-npy;q=0.5")
        self.assertEqual(answer.headers["Content-Type"], "application/x-npy")

    def test_order_of_time_is_needed(self):
        for query in ("denoise=5", "as=sparse&slice=number", "as=frames&slice=voxel"):
            self.refused(f"/v1/splits/train/samples/0.json?{query}&order=published", 400,
                         "bad-parameter", "need events in order of time")
            self.refused(f"/v1/splits/train/samples/0.safetensors?{query}", 400, "bad-parameter",
                         "in which this split is stored", to=published)
            self.get(f"/v1/splits/train/samples/5.safetensors?{query}&order=time", to=published)


TONIC = {"time_window": "timestep", "n_time_bins": "bins", "event_count": "events",
         "n_event_bins": "bins", "start_time": "start", "end_time": "end"}


def golden_query(library, what, words):
    """What to ask for, of a row of the golden results."""
    if what == "denoise":
        return {"denoise": words["filter_time"]}
    if what == "crop_time":
        return {"t0": words["min"], "t1": words["max"] + 1}
    if what == "nmnist":
        return {"stabilize": "yes"} if words.get("stabilize") else {"t1": 100_000}
    if what == "voxel_grid":
        return {"as": "frames", "slice": "voxel", "bins": words["n_time_bins"]}
    query = {"as": "frames", "values": "u16"}
    if library == "spikingjelly":
        if "duration" in words:
            return {**query, "slice": "duration", "timestep": words["duration"]}
        return {**query, "slice": words["split_by"], "bins": words["frames_number"]}
    slices = {"time_window": "window", "n_time_bins": "time-bins", "event_count": "event-count",
              "n_event_bins": "event-bins"}
    main = next(name for name in slices if name in words)
    query["slice"] = slices[main]
    query.update({TONIC[name]: value for name, value in words.items() if name in TONIC})
    if words.get("include_incomplete"):
        query["incomplete"] = "yes"
    if "overlap" in words and main == "n_time_bins":
        query["bin_overlap"] = words["overlap"]
    elif "overlap" in words:
        query["stride"] = words[main] - words["overlap"]
    return query


class Golden(Case):
    def test_every_result_of_the_libraries(self):
        daemon.need_shared()
        folder = daemon.generate(self.enterContext(daemon.temporary_folder()))
        with gzip.open(daemon.SHARED / "golden" / "representations.csv.gz", "rt") as file:
            rows = list(csv.DictReader(file))
        self.assertGreater(len(rows), 1_000)
        with Asker(folder) as real:
            for row in rows:
                self.check(real, row)

    def check(self, real, row):
        query = golden_query(row["library"], row["what"], words_of(row["parameters"]))
        as_events = "as" not in query
        path = path_of(f"/v1/sources/nmnist-train/samples/{row['position']}."
                       f"{'bin' if as_events else 'npy'}", query)
        body = self.get(path, to=real).body
        if not as_events:
            made = np.load(io.BytesIO(body))
            body = (made if made.dtype == np.float64 else made.astype("<i2")).tobytes()
        self.assertEqual(hashlib.sha256(body).hexdigest(), row["sha256"], path)


if __name__ == "__main__":
    unittest.main()
