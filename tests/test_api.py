# SPDX-License-Identifier: Apache-2.0
"""Every path of the HTTP API against a running daemon: answers compared with NumPy's, and errors."""
import base64
import io
import json
import unittest

import numpy as np

import daemon
import oracle
import safetensors_reader


def setUpModule():
    global server, other, files, sources
    folder = daemon.generate(unittest.enterModuleContext(daemon.temporary_folder()))
    server = unittest.enterModuleContext(daemon.Daemon(folder))
    files = {path.stem: path.read_bytes() for path in folder.glob("*.safetensors")}
    sources = safetensors_reader.read(files["nmnist-train"])[0]
    published = daemon.generate(unittest.enterModuleContext(daemon.temporary_folder()),
                                "--order", "published")
    other = unittest.enterModuleContext(daemon.Daemon(published, "--max-batch-size", 8))


def events_of(tensors, i):
    begin, end = (int(offset) for offset in tensors["offsets"][i:i + 2])
    return tensors["events"][begin:end]


def recording(i):
    return events_of(sources, i)


class Case(unittest.TestCase):
    def get(self, path, status=200, to=None, **more):
        answer = (to or server).get(path, **more)
        self.assertEqual(answer.status, status, f"{path}: {answer.body[:500]}")
        return answer

    def problem(self, path, status, code, words, **more):
        answer = self.get(path, status, **more)
        self.assertEqual(answer.headers["Content-Type"], "application/problem+json")
        about = answer.json()
        self.assertEqual((about["status"], about["code"]), (status, code))
        self.assertTrue(about["type"] and about["title"] and about["instance"])
        self.assertIn(words, about["detail"])
        return answer

    def batch(self, path, **more):
        answer = self.get(path, **more)
        return safetensors_reader.read(answer.body)


class Splits(Case):
    def test_list_has_every_split_and_the_limits(self):
        about = self.get("/v1/splits").json()
        rows = {row["name"]: row for row in about["splits"]}
        self.assertEqual(sorted(rows), sorted(files))
        self.assertEqual(about["limits"]["max_batch_size"], 1024)
        for name, row in rows.items():
            tensors, metadata = safetensors_reader.read(files[name])
            self.assertEqual(row["revision"], safetensors_reader.revision(files[name]))
            self.assertEqual(row["samples"], len(tensors["labels"]))
            self.assertEqual(row["pairs"], int((tensors["labels"].sum(1) == 2).sum()))
            self.assertEqual(row["singles"], row["samples"] - row["pairs"])
            self.assertEqual(row["origin"], metadata["origin"])
        self.assertEqual(rows["train"]["source"], "nmnist-train")

    def test_a_split_is_described_by_its_tensors(self):
        about = self.get("/v1/splits/train").json()
        tensors, metadata = safetensors_reader.read(files["train"])
        labels = tensors["labels"].astype(int)
        self.assertEqual(about["labels"], labels.sum(0).tolist())
        self.assertEqual(about["cooccurrence"], (labels.T @ labels).tolist())
        counts = np.diff(tensors["offsets"].astype(np.int64))
        self.assertEqual(about["event_counts"]["min"], counts.min())
        self.assertEqual(about["event_counts"]["max"], counts.max())
        self.assertEqual(sum(about["event_counts"]["bins"]), len(counts))
        for key in ("plan", "licence", "citation", "source_sha256", "generator", "version",
                    "data_sha256"):
            self.assertEqual(about[key], metadata[key])

    def test_the_whole_file_comes_with_its_digest_and_by_ranges(self):
        data = files["train"]
        answer = self.get("/v1/splits/train.safetensors")
        self.assertEqual(answer.body, data)
        digest = base64.b64encode(safetensors_reader.crc32c(data).to_bytes(4, "big")).decode()
        self.assertEqual(answer.headers["Repr-Digest"], f"crc32c=:{digest}:")
        n = len(data)
        for text, first, last in (("0-99", 0, 99), ("100-", 100, n - 1), ("-50", n - 50, n - 1),
                                  (f"{n - 1}-{n + 5}", n - 1, n - 1)):
            part = self.get("/v1/splits/train.safetensors", 206, Range=f"bytes={text}")
            self.assertEqual(part.body, data[first:last + 1])
            self.assertEqual(part.headers["Content-Range"], f"bytes {first}-{last}/{n}")
            self.assertEqual(part.headers["Repr-Digest"], answer.headers["Repr-Digest"])
        for text in ("bytes=5-3", "bytes=0-1,4-5", "lines=1-2"):
            self.assertEqual(self.get("/v1/splits/train.safetensors", Range=text).body, data)
        past = self.problem("/v1/splits/train.safetensors", 416, "range-not-satisfiable", str(n),
                            Range=f"bytes={n}-")
        self.assertEqual(past.headers["Content-Range"], f"bytes */{n}")
        etag = answer.headers["ETag"]
        self.get("/v1/splits/train.safetensors", 206, Range="bytes=0-9", If_Range=etag)
        self.get("/v1/splits/train.safetensors", 200, Range="bytes=0-9", If_Range='"other"')

    def test_labels_come_without_the_events(self):
        labels = safetensors_reader.read(files["test"])[0]["labels"]
        npy = np.load(io.BytesIO(self.get("/v1/splits/test/labels.npy").body))
        np.testing.assert_array_equal(npy, labels)
        self.assertEqual(self.get("/v1/splits/test/labels.json").json()["labels"], labels.tolist())

    def test_a_page_of_rows_tells_of_each_sample(self):
        tensors = safetensors_reader.read(files["train"])[0]
        about = self.get("/v1/splits/train/samples?offset=10&length=5").json()
        self.assertEqual([row["index"] for row in about["samples"]], [10, 11, 12, 13, 14])
        for row in about["samples"]:
            i = row["index"]
            self.assertEqual(row["labels"], np.flatnonzero(tensors["labels"][i]).tolist())
            self.assertEqual(row["events"], len(events_of(tensors, i)))
            self.assertEqual(row["duration_us"],
                             int(safetensors_reader.unpack(events_of(tensors, i))[0].max()))
            self.assertEqual(row["crc32c"], f"{tensors['checksums'][i]:08x}")
        end = self.get(f"/v1/splits/train/samples?offset={len(tensors['labels'])}").json()
        self.assertEqual(end["samples"], [])

    def test_revisions_are_immutable_and_etags_spare_the_body(self):
        revision = safetensors_reader.revision(files["train"])
        pinned = self.get(f"/v1/splits/train@{revision[:12]}/samples/0.bin")
        self.assertEqual(pinned.headers["Cache-Control"], "public, max-age=31536000, immutable")
        plain = self.get("/v1/splits/train/samples/0.bin")
        self.assertEqual(plain.headers["Cache-Control"], "no-cache")
        self.assertEqual(plain.body, pinned.body)
        etag = plain.headers["ETag"]
        again = self.get("/v1/splits/train/samples/0.bin", 304, If_None_Match=etag)
        self.assertEqual((again.body, again.headers["ETag"]), (b"", etag))
        self.get("/v1/splits/train/samples/0.bin", 200, If_None_Match='"other"')
        self.problem("/v1/splits/train@0123456789ab", 404, "no-such-revision", revision)
        self.problem("/v1/splits/train@0123", 400, "bad-parameter", "12 to 64")


class Samples(Case):
    def test_stored_samples_are_the_files_bytes(self):
        tensors = safetensors_reader.read(files["train"])[0]
        for i in (0, 1, len(tensors["labels"]) - 1):
            answer = self.get(f"/v1/splits/train/samples/{i}.bin")
            self.assertEqual(answer.body, events_of(tensors, i).tobytes())
            crc = base64.b64encode(int(tensors["checksums"][i]).to_bytes(4, "big")).decode()
            self.assertEqual(answer.headers["Repr-Digest"], f"crc32c=:{crc}:")

    def test_npy_is_what_numpy_loads(self):
        events = events_of(safetensors_reader.read(files["train"])[0], 3)
        array = np.load(io.BytesIO(self.get("/v1/splits/train/samples/3.npy").body))
        self.assertEqual(array.dtype.names, ("x", "y", "t", "p"))
        for name, column in zip("txyp", safetensors_reader.unpack(events)):
            np.testing.assert_array_equal(array[name], column)

    def test_json_has_the_columns_and_is_the_default(self):
        events = events_of(safetensors_reader.read(files["train"])[0], 3)
        about = self.get("/v1/splits/train/samples/3").json()
        for name, column in zip("txyp", safetensors_reader.unpack(events)):
            self.assertEqual(about[name], column.tolist())
        self.assertEqual((about["index"], about["events"]), (3, len(events)))
        npy = self.get("/v1/splits/train/samples/3", Accept="application/json;q=0.1, "
                       "application/x-npy")
        self.assertEqual(npy.headers["Content-Type"], "application/x-npy")
        self.assertEqual(npy.headers["Vary"], "Accept, Origin")

    def test_every_mix_agrees_with_the_oracle(self):
        digits = sources["labels"].argmax(1)
        a, b, c = (int(np.flatnonzero(digits == d)[0]) for d in (1, 7, 4))
        for order in ("time", "published"):
            for timestep in (0, 1, 7, 1000, 1000000):
                asked = f"order={order}" + (f"&timestep={timestep}" if timestep else "")
                body = self.get(f"/v1/mix/nmnist-train/{a},{b}.bin?{asked}").body
                expected = oracle.mix([recording(a), recording(b)], order, timestep)
                self.assertEqual(body, expected.tobytes(), asked)
        body = self.get(f"/v1/mix/nmnist-train/{b},{c},{a}.bin?timestep=500").body
        self.assertEqual(body, oracle.mix([recording(i) for i in (b, c, a)],
                                          timestep=500).tobytes())

    def test_stored_samples_come_in_any_order_whatever_they_are_stored_in(self):
        tensors = safetensors_reader.read(files["train"])[0]
        pairs = np.flatnonzero(tensors["sources"][:, 1] >= 0)[:3]
        singles = np.flatnonzero(tensors["sources"][:, 1] < 0)[:1]
        for i in (*pairs, *singles):
            parts = [recording(s) for s in tensors["sources"][i] if s >= 0]
            for asked, order, timestep in (("order=time", "time", 0),
                                           ("order=published", "published", 0),
                                           ("order=time&timestep=1000", "time", 1000),
                                           ("order=published&timestep=1000", "published", 1000)):
                expected = oracle.mix(parts, order, timestep).tobytes()
                for daemon_ in (server, other):
                    path = f"/v1/splits/train/samples/{i}.bin?{asked}"
                    self.assertEqual(self.get(path, to=daemon_).body, expected, (i, asked))

    def test_frames_agree_with_the_oracle(self):
        events = events_of(safetensors_reader.read(files["train"])[0], 2)
        for asked in ({}, {"timestep": 5000, "bins": 50}, {"binning": "floor"},
                      {"overlap": "sum", "timestep": 100000, "bins": 3},
                      {"axes": "CHWT", "bins": 10, "timestep": 30000}):
            query = "".join(f"&{name}={value}" for name, value in asked.items())
            body = self.get(f"/v1/splits/train/samples/2.npy?as=frames{query}").body
            np.testing.assert_array_equal(np.load(io.BytesIO(body)), oracle.frames(events, **asked))
        about = self.get("/v1/splits/train/samples/2.json?as=frames&bins=2").json()["frames"]
        self.assertEqual(about["shape"], [2, 2, 34, 34])
        self.assertEqual(about["data"], oracle.frames(events, bins=2).ravel().tolist())

    def test_recordings_are_served_as_samples_of_their_source(self):
        self.assertEqual(self.get("/v1/sources/nmnist-train/samples/5.bin").body,
                         recording(5).tobytes())
        rows = self.get("/v1/sources/nmnist-train/samples?length=2").json()["samples"]
        self.assertEqual(rows[0]["events"], len(recording(0)))

    def test_fresh_pairs_are_pure_functions_of_seed_and_index(self):
        digits = sources["labels"].argmax(1)
        for seed, index in ((0, 0), (1, 5), (2**64 - 1, 2**64 - 1), (42, 10**12)):
            a, b = oracle.fresh_pair(seed, index, digits)
            answer = self.get(f"/v1/pairs/nmnist-train/{seed}/{index}.bin")
            self.assertEqual(answer.headers["Twonmnist-Sources"], f"{a}, {b}")
            self.assertEqual(answer.body, oracle.mix([recording(a), recording(b)]).tobytes())


class Batches(Case):
    def check_events(self, tensors, expected):
        for i, events in enumerate(expected):
            np.testing.assert_array_equal(events_of(tensors, i), events)

    def test_indices_come_by_get_and_by_post(self):
        stored = safetensors_reader.read(files["train"])[0]
        indices = [7, 0, 7, 12]
        listed, metadata = self.batch("/v1/splits/train/batch.safetensors?indices=7,0,7,12")
        posted, _ = self.batch("/v1/splits/train/batch.safetensors", method="POST",
                               body=json.dumps({"indices": indices}).encode())
        for tensors in (listed, posted):
            self.assertEqual(tensors["indices"].tolist(), indices)
            for name in ("labels", "sources", "checksums"):
                np.testing.assert_array_equal(tensors[name], stored[name][indices])
            self.check_events(tensors, [events_of(stored, i) for i in indices])
        self.assertEqual(metadata, {"split": "train", "as": "events", "order": "time",
                                    "request": "/v1/splits/train/batch",
                                    "revision": safetensors_reader.revision(files["train"])})
        about = self.get("/v1/splits/train/batch.json?indices=7,0").json()
        self.assertEqual([sample["index"] for sample in about["samples"]], [7, 0])

    def test_pairs_past_what_a_signed_number_holds_are_in_two_s_complement(self):
        k = 2**63 // 4  # the batch that begins there
        tensors, _ = self.batch(f"/v1/pairs/nmnist-train/1/batches/{k}.safetensors?size=4")
        self.assertEqual(tensors["indices"].dtype, np.int64)
        self.assertEqual(tensors["indices"].view(np.uint64).tolist(), [2**63 + i for i in range(4)])

    def test_a_batch_of_many_parts_is_whole(self):
        stored = safetensors_reader.read(files["train"])[0]
        n = len(stored["labels"])
        indices = [(i * 7) % n for i in range(1000)]
        tensors, _ = self.batch("/v1/splits/train/batch.safetensors", method="POST",
                                body=json.dumps({"indices": indices}).encode())
        self.check_events(tensors, [events_of(stored, i) for i in indices])

    def test_an_epochs_shares_are_slices_of_numpys_permutation(self):
        n = len(safetensors_reader.read(files["train"])[0]["labels"])
        order = oracle.epoch_order(3, 9, n)
        size = 32
        for last in ("short", "drop", "pad"):
            n_batches = n // size + (last != "drop" and n % size > 0)
            for world in (1, 3):
                for k in (0, n_batches - 1):
                    whole = order[k * size:(k + 1) * size]
                    if last == "pad":
                        whole = np.concatenate([whole, order[:size - len(whole)]])
                    for rank in range(world):
                        tensors, _ = self.batch(
                            f"/v1/splits/train/epochs/3/9/batches/{k}.safetensors"
                            f"?size={size}&rank={rank}&world={world}&last={last}")
                        self.assertEqual(tensors["indices"].tolist(),
                                         whole[rank::world].tolist(), (last, world, k))
            self.problem(f"/v1/splits/train/epochs/3/9/batches/{n_batches}.safetensors"
                         f"?size={size}&last={last}", 404, "no-such-batch", f"{n_batches} batches")

    def test_batches_are_mixed_and_framed_as_single_samples_are(self):
        tensors, _ = self.batch("/v1/splits/train/batch.safetensors?indices=1,4&order=published")
        for i, index in enumerate((1, 4)):
            single = self.get(f"/v1/splits/train/samples/{index}.bin?order=published").body
            self.assertEqual(events_of(tensors, i).tobytes(), single)
        framed, _ = self.batch("/v1/splits/train/batch.safetensors?indices=1,4&as=frames&bins=20")
        self.assertEqual(framed["frames"].shape, (2, 20, 2, 34, 34))
        self.assertNotIn("events", framed)
        for i, index in enumerate((1, 4)):
            single = self.get(f"/v1/splits/train/samples/{index}.bin?as=frames&bins=20").body
            self.assertEqual(framed["frames"][i].tobytes(), single)

    def test_single_samples_come_as_a_batch_of_one(self):
        source = safetensors_reader.read(files["nmnist-train"])[0]
        revision = safetensors_reader.revision(files["nmnist-train"])
        digits = source["labels"].argmax(1)
        a = 3
        b, c = (int((digits == d).argmax()) for d in np.flatnonzero(
            np.isin(np.arange(10), digits[digits != digits[a]]))[:2])
        for path, parts, index, more in (
                (f"/v1/mix/nmnist-train/{a},{b},{c}", [a, b, c], 0, {"recordings": f"{a},{b},{c}"}),
                (f"/v1/sources/nmnist-train/samples/{b}", [b], b, {"i": str(b)}),
                ("/v1/pairs/nmnist-train/5/9", None, 9, {"seed": "5", "index": "9"})):
            with self.subTest(path):
                tensors, about = self.batch(f"{path}.safetensors")
                self.assertEqual(about, {"split": "nmnist-train", "revision": revision,
                                         "request": path, "order": "time", "as": "events", **more})
                events = self.get(f"{path}.bin").body
                self.assertEqual(tensors["events"].tobytes(), events)
                self.assertEqual(tensors["checksums"].tolist(), [safetensors_reader.crc32c(events)])
                self.assertEqual(tensors["offsets"].tolist(), [0, len(events) // 5])
                self.assertEqual(tensors["indices"].tolist(), [index])
                if parts is None:
                    parts = list(oracle.fresh_pair(5, 9, digits))
                self.assertEqual(np.flatnonzero(tensors["labels"][0]).tolist(),
                                 sorted(digits[parts].tolist()))
                if len(parts) > 1:
                    self.assertEqual(tensors["sources"].tolist(), [parts[:2]])
        frames = self.batch(f"/v1/mix/nmnist-train/{a},{b}.safetensors?as=frames&bins=7")[0]["frames"]
        self.assertEqual(frames.tobytes(), self.get(
            f"/v1/mix/nmnist-train/{a},{b}.bin?as=frames&bins=7").body)

    def test_batches_of_fresh_pairs_count_on(self):
        tensors, _ = self.batch("/v1/pairs/nmnist-train/7/batches/2.safetensors?size=10&rank=1"
                                "&world=2")
        self.assertEqual(tensors["indices"].tolist(), [21, 23, 25, 27, 29])
        for i, index in enumerate(tensors["indices"]):
            single = self.get(f"/v1/pairs/nmnist-train/7/{index}.bin").body
            self.assertEqual(events_of(tensors, i).tobytes(), single)


class Errors(Case):
    def test_bad_requests_name_the_input_and_the_limit(self):
        n = len(safetensors_reader.read(files["train"])[0]["labels"])
        for path, status, code, words in (
                ("/nothing", 404, "no-such-path", "/v1/splits"),
                ("/v1/splits/../../etc/passwd", 404, "no-such-path", ""),
                ("/v1/splits/nope", 404, "no-such-split", '"nope"'),
                ("/v1/sources/train/samples/0.bin", 404, "no-such-split", "not a source"),
                (f"/v1/splits/train/samples/{n}.bin", 404, "no-such-sample", f"0 to {n - 1}"),
                ("/v1/splits/train/samples/-1.bin", 400, "bad-parameter", '"-1"'),
                ("/v1/splits/train/samples/1e3.bin", 400, "bad-parameter", "whole number"),
                ("/v1/splits/train/samples/99999999999999999999.bin", 400, "bad-parameter",
                 "18446744073709551615"),
                ("/v1/splits/train/samples/0.bin?order=up", 400, "bad-parameter",
                 "time, published"),
                ("/v1/splits/train/samples/0.bin?colour=red", 400, "bad-parameter", '"colour"'),
                ("/v1/splits/train/samples/0.bin?timestep=0", 400, "bad-parameter", "1 to 1000000"),
                ("/v1/splits/train/samples/0.bin?timestep=1&timestep=2", 400, "bad-parameter",
                 "twice"),
                ("/v1/splits/train/samples/0.bin?bins=5", 400, "bad-parameter", "as=frames"),
                ("/v1/splits/train/samples/0.txt", 406, "not-acceptable", "json, bin, npy"),
                ("/v1/splits/train/batch.safetensors", 400, "bad-parameter", "missing"),
                ("/v1/splits/train/batch.safetensors?indices=", 400, "bad-parameter", "empty"),
                ("/v1/splits/train/batch.safetensors?indices=1,,2", 400, "bad-parameter", "empty"),
                (f"/v1/splits/train/batch.safetensors?indices=0,{n}", 404, "no-such-sample",
                 str(n)),
                ("/v1/splits/train/epochs/0/0/batches/0.safetensors?size=0", 400, "bad-parameter",
                 "1 to"),
                ("/v1/splits/train/epochs/0/0/batches/0.safetensors?size=1025", 413, "too-large",
                 "1024"),
                ("/v1/splits/train/epochs/0/0/batches/0.safetensors?rank=2&world=2", 400,
                 "bad-parameter", "0 to 1"),
                ("/v1/splits/train/epochs/4294967296/0/batches/0.safetensors", 400,
                 "bad-parameter", "4294967295"),
                ("/v1/mix/nmnist-train/0,1.bin", 400, "bad-parameter", "digit 0"),
                ("/v1/mix/nmnist-train/0.bin", 400, "bad-parameter", "2 to 10"),
                ("/v1/pairs/nmnist-train/18446744073709551616/0.bin", 400, "bad-parameter",
                 "18446744073709551615"),
                ("/v1/splits/train/samples?length=1025", 413, "too-large", "1024"),
        ):
            with self.subTest(path=path):
                self.problem(path, status, code, words)

    def test_methods_that_a_path_does_not_take_are_named(self):
        for method in ("POST", "PUT", "DELETE"):
            answer = self.problem("/v1/splits", 405, "method-not-allowed", "GET", method=method,
                                  body=b"x")
            self.assertEqual(answer.headers["Allow"], "GET, HEAD")

    def test_bodies_are_checked(self):
        path = "/v1/splits/train/batch.safetensors"
        for body, status, code, words in (
                (b"", 400, "bad-body", "empty"),
                (b"{", 400, "bad-body", "line 1"),
                (b"[1]", 400, "bad-body", "indices"),
                (b'{"indices": [1], "more": 2}', 400, "bad-body", "indices"),
                (b'{"indices": [1, -2]}', 400, "bad-body", "indices[1]"),
                (b'{"indices": [0.5]}', 400, "bad-body", "indices[0]"),
                (json.dumps({"indices": [0] * 1025}).encode(), 413, "too-large", "1024"),
                (b" " * 1048577, 413, "too-large", "max_body_bytes")):
            with self.subTest(body=body[:40]):
                self.problem(path, status, code, words, method="POST", body=body)
        self.problem(path + "?indices=1", 400, "bad-parameter", "in the body", method="POST",
                     body=b'{"indices": [1]}')

    def test_a_url_past_the_limit_is_refused(self):
        indices = ",".join(["1"] * 4200)
        self.problem(f"/v1/splits/train/batch.safetensors?indices={indices}", 414, "url-too-long",
                     "8192")

    def test_answers_past_the_limit_are_refused_before_they_are_made(self):
        indices = ",".join(["0"] * 1000)
        self.problem(f"/v1/splits/train/batch.safetensors?indices={indices}&as=frames", 413,
                     "too-large", "max_answer_bytes")

    def test_head_has_the_length_of_get(self):
        got = self.get("/v1/splits/train/samples/0.bin")
        head = self.get("/v1/splits/train/samples/0.bin", method="HEAD")
        self.assertEqual(head.body, b"")
        self.assertEqual(head.headers["Content-Length"], str(len(got.body)))

    def test_a_formats_list_answers_what_nobody_accepts(self):
        self.problem("/v1/splits/train/samples/0", 406, "not-acceptable", "json, bin, npy",
                     Accept="image/jpeg")

    def test_health_and_readiness(self):
        self.assertEqual(self.get("/healthz").json(), {"status": "alive"})
        self.assertEqual(self.get("/readyz").json(), {"status": "ready"})

    def test_limits_of_the_settings_hold(self):
        self.problem("/v1/splits/train/batch.safetensors?indices=0,0,0,0,0,0,0,0,0", 413,
                     "too-large", "8", to=other)


if __name__ == "__main__":
    unittest.main()
