# SPDX-License-Identifier: Apache-2.0
"""Rows about samples: pages and whole tables, in every order, against the split's own file."""
import csv
import gzip
import io
import itertools
import json
import pathlib
import unittest

import numpy as np

import daemon
import safetensors_reader
import view_rules
from fake_server import digest_of

COLUMNS = ["index", "labels", "kind", "events", "duration_us", "sources", "source_digits", "file",
           "crc32c"]
SORTS = ["events", "-events", "duration", "-duration", "label", "-label"]
SPLITS = {"train": "splits", "test": "splits", "nmnist-train": "sources", "nmnist-test": "sources"}


def read(folder, name):
    return safetensors_reader.read((pathlib.Path(folder) / f"{name}.safetensors").read_bytes())


def digits(row):
    return np.flatnonzero(row).tolist()


def file_of(i, sources, shown, meta):
    part = meta["split"].capitalize()
    if meta["kind"] == "source":
        return f"{part}/{shown[0]}/{sources[0]:05}.bin" if meta["origin"] == "recorded" else None
    return f"{part}/{i}_{'-'.join(map(str, shown))}.bin"


def rows_of(tensors, meta, recordings):
    """What is to be said of each sample, from the files alone."""
    offsets, rows = tensors["offsets"], []
    for i, labels in enumerate(tensors["labels"]):
        packed = tensors["events"][offsets[i]:offsets[i + 1]].astype(np.uint32)
        times = (packed[:, 2] & 0x7F) << 16 | packed[:, 3] << 8 | packed[:, 4]
        sources = [int(source) for source in tensors["sources"][i] if source >= 0]
        shown = digits(labels)
        if meta["kind"] != "source":
            shown = [digits(recordings["labels"][source])[0] for source in sources]
        rows.append({"index": i, "labels": digits(labels), "kind": "pair" if labels.sum() > 1 else "single",
                     "events": len(packed), "duration_us": int(times.max()), "sources": sources,
                     "source_digits": shown, "file": file_of(i, sources, shown, meta),
                     "crc32c": f"{tensors['checksums'][i]:08x}"})
    return rows


def text_of(value):
    """A value as CSV has it."""
    if isinstance(value, list):
        return " ".join(map(str, value))
    return "" if value is None else str(value)


class Rows(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = cls.enterClassContext(daemon.temporary_folder())
        daemon.generate(cls.folder)
        cls.server = cls.enterClassContext(daemon.Daemon(cls.folder))
        files = {name: read(cls.folder, name) for name in SPLITS}
        cls.rows = {name: rows_of(*files[name], files[f"nmnist-{name}"][0] if "-" not in name else None)
                    for name in SPLITS}
        cls.labels = {name: files[name][0]["labels"] for name in SPLITS}

    def get(self, name, path, **headers):
        answer = self.server.get(f"/v1/{SPLITS[name]}/{name}/samples{path}", **headers)
        self.assertEqual(answer.status, 200, answer.body)
        return answer

    def page(self, name, query):
        return self.get(name, "?" + query).json()

    def lines(self, name, query=""):
        return [json.loads(line) for line in self.get(name, ".jsonl" + query).body.splitlines()]

    def test_tables_hold_a_row_for_each_sample(self):
        for name, rows in self.rows.items():
            with self.subTest(name):
                table = self.get(name, ".csv")
                self.assertTrue(table.body.endswith(b"\r\n"))
                self.assertEqual(table.body.count(b"\r\n"), table.body.count(b"\n"))
                got = list(csv.DictReader(io.StringIO(table.body.decode("ascii"), newline="")))
                self.assertEqual(list(got[0]), COLUMNS)
                self.assertEqual(got, [{key: text_of(value) for key, value in row.items()}
                                       for row in rows])
                self.assertEqual(self.lines(name), rows)
                self.assertEqual(table.headers["Content-Type"],
                                 "text/csv; charset=utf-8; header=present")

    def test_published_files_are_named_as_they_are(self):
        daemon.need_shared()
        self.assertEqual(self.rows["train"][4]["file"], "Train/4_4-2.bin")
        recordings = {row["file"] for row in self.lines("nmnist-train")}
        self.assertIn("Train/9/00005.bin", recordings)

    def test_tables_are_text_that_is_kept_and_asked_for_in_every_way(self):
        for path in (".csv", ".jsonl", ""):
            with self.subTest(path):
                plain = self.get("train", path)
                packed = self.get("train", path, Accept_Encoding="gzip")
                self.assertEqual(packed.headers["Content-Encoding"], "gzip")
                self.assertEqual(gzip.decompress(packed.body), plain.body)
                self.assertLess(len(packed.body), len(plain.body) / 2)
                self.assertIn("Accept-Encoding", plain.headers["Vary"])
                self.assertNotEqual(plain.headers["ETag"], packed.headers["ETag"])
                for answer in (plain, packed):
                    self.assertEqual(answer.headers["Repr-Digest"], digest_of(answer.body))
                head = self.server.get(f"/v1/splits/train/samples{path}", method="HEAD")
                self.assertEqual(int(head.headers["Content-Length"]), len(plain.body))
                again = self.server.get(f"/v1/splits/train/samples{path}",
                                        If_None_Match=plain.headers["ETag"])
                self.assertEqual((again.status, again.body), (304, b""))

    def test_accept_chooses_the_format(self):
        for media, kind in {"text/csv": "text/csv", "application/jsonl": "application/jsonl",
                            "application/json": "application/json", "*/*": "application/json"}.items():
            answer = self.get("test", "", Accept=media)
            self.assertTrue(answer.headers["Content-Type"].startswith(kind), media)
            self.assertIn("Accept", answer.headers["Vary"].split(", "))

    def test_views_and_parts_are_rows_of_the_whole(self):
        for name, rule in itertools.product(("train", "nmnist-test"), (
                {"any": [3, 8]}, {"kind": "single", "none": [0]},
                {"folds": 5, "fold": 2, "part": "held", "fold_seed": 7})):
            words = view_rules.words(**rule)
            want = [self.rows[name][i] for i in view_rules.view(self.labels[name], **rule)]
            with self.subTest(name=name, rule=words):
                self.assertEqual(self.lines(name, "?" + words), want)
                self.assertEqual(self.lines(name, f"?{words}&offset=2&length=3"), want[2:5])
                self.assertEqual(self.lines(name, f"?{words}&offset=2"), want[2:])
                page = self.page(name, f"{words}&offset=2&length=3")
                self.assertEqual((page["samples"], page["total"], page["offset"]),
                                 (want[2:5], len(want), 2))

    def key(self, sort):
        of = {"events": lambda row: row["events"], "duration": lambda row: row["duration_us"],
              "label": lambda row: row["labels"]}[sort.strip("-")]
        return of

    def test_rows_are_sorted_and_ties_go_by_the_index(self):
        for name, sort in itertools.product(SPLITS, SORTS):
            want = sorted(self.rows[name], key=self.key(sort), reverse=sort[0] == "-")
            with self.subTest(name=name, sort=sort):
                self.assertEqual(self.lines(name, f"?sort={sort}"), want)
                self.assertEqual(self.page(name, f"sort={sort}&offset=3&length=9")["samples"],
                                 want[3:12])

    def test_views_are_sorted_too(self):
        pairs = [row for row in self.rows["train"] if row["kind"] == "pair"]
        want = sorted(pairs, key=self.key("events"), reverse=True)
        self.assertEqual(self.page("train", "kind=pair&sort=-events&length=4")["samples"], want[:4])

    def test_a_seed_is_the_order_of_its_first_epoch(self):
        for name, seed in itertools.product(("train", "nmnist-train"), (0, 5, 2**32 - 1)):
            rows = self.rows[name]
            order = np.random.RandomState([seed, 0]).permutation(len(rows))
            with self.subTest(name=name, seed=seed):
                self.assertEqual([row["index"] for row in self.lines(name, f"?seed={seed}")],
                                 order.tolist())
                page = self.page(name, f"seed={seed}&offset=10&length=5")
                self.assertEqual(page["samples"], [rows[i] for i in order[10:15]])

    def test_a_seed_shuffles_a_view_as_its_epochs_do(self):
        batch = self.server.get("/v1/splits/train/epochs/5/0/batches/0.safetensors?kind=pair&size=8")
        want = safetensors_reader.read(batch.body)[0]["indices"].tolist()
        page = self.page("train", "kind=pair&seed=5&length=8")
        self.assertEqual([row["index"] for row in page["samples"]], want)

    def test_what_has_no_meaning_is_refused(self):
        for query, words in {
                "sort=size": 'sort is "size"; it is one of events, -events, duration, -duration, label, -label',
                "seed=-1": 'seed takes a whole number, not "-1"',
                "seed=4294967296": "seed is 4294967296; it goes from 0 to 4294967295",
                "sort=events&seed=1": "sort and seed do not go together"}.items():
            with self.subTest(query):
                answer = self.server.get(f"/v1/splits/train/samples?{query}")
                self.assertEqual((answer.status, answer.json()["detail"]), (400, words))

    def test_past_the_end_there_are_none(self):
        end = len(self.rows["test"])
        for query in (f"offset={end}", f"offset={end + 7}&sort=events", f"offset={end}&seed=1"):
            self.assertEqual(self.page("test", query)["samples"], [])
            self.assertEqual(self.get("test", ".csv?" + query).body.count(b"\r\n"), 1)


class Hub(unittest.TestCase):
    """What a client of Hugging Face's server of datasets asks for, by its names."""

    @classmethod
    def setUpClass(cls):
        cls.folder = cls.enterClassContext(daemon.temporary_folder())
        daemon.generate(cls.folder, "--count", "250,20", "--seed", "5", source="synthetic")
        cls.server = cls.enterClassContext(daemon.Daemon(cls.folder))

    def get(self, path):
        answer = self.server.get(path)
        self.assertEqual(answer.status, 200, answer.body)
        return answer.json()

    def test_splits_have_names(self):
        for query in ("", "?dataset=2nmnist"):
            got = self.get("/splits" + query)
            self.assertEqual(got, {"pending": [], "failed": [], "splits": [
                {"dataset": "2nmnist", "config": "default", "split": name} for name in sorted(SPLITS)]})

    def test_a_client_reads_every_row_page_by_page(self):
        for it in self.get("/splits?dataset=2nmnist")["splits"]:
            rows, total = [], 1
            while len(rows) < total:
                query = "&".join(f"{key}={value}" for key, value in it.items())
                page = self.get(f"/rows?{query}&offset={len(rows)}&length=13")
                total = page["num_rows_total"]
                self.assertEqual((page["partial"], page["num_rows_per_page"]), (False, 100))
                rows += page["rows"]
            self.assertEqual([row["row_idx"] for row in rows], list(range(total)))
            self.assertTrue(all(row["truncated_cells"] == [] for row in rows))
            table = self.server.get(f"/v1/splits/{it['split']}/samples.jsonl").body.splitlines()
            self.assertEqual([row["row"] for row in rows], list(map(json.loads, table)))

    def test_features_are_the_columns_and_their_types(self):
        page = self.get("/rows?split=train&length=1")
        self.assertEqual([it["name"] for it in page["features"]], COLUMNS)
        self.assertEqual([it["feature_idx"] for it in page["features"]], list(range(len(COLUMNS))))
        kinds = {"int64": int, "string": (str, type(None))}
        for it in page["features"]:
            value, type_ = page["rows"][0]["row"][it["name"]], it["type"]
            if type_["_type"] == "Sequence":
                self.assertIsInstance(value, list)
                value, type_ = value[0], type_["feature"]
            self.assertEqual(type_["_type"], "Value")
            self.assertIsInstance(value, kinds[type_["dtype"]])
        self.assertEqual(len(self.get("/rows?split=nmnist-train")["rows"]), 100)

    def test_what_is_not_there_is_refused_by_its_name(self):
        for query, status, words in (
                ("/rows", 400, "split is missing"),
                ("/rows?split=none", 404, 'there is no split "none"'),
                ("/rows?split=train&dataset=mnist", 400, 'dataset is "mnist"; it is one of 2nmnist'),
                ("/rows?split=train&config=a", 400, 'config is "a"; it is one of default'),
                ("/rows?split=train&length=65537", 413, "length is 65537; max_batch_size is"),
                ("/rows?split=train&where=1", 400, 'no parameter "where"'),
                ("/splits?dataset=a", 400, 'dataset is "a"'),
                ("/splits?split=train", 400, 'no parameter "split"')):
            answer = self.server.get(query)
            self.assertEqual(answer.status, status, query)
            self.assertIn(words, answer.json()["detail"], query)

    def test_a_page_is_asked_for_in_every_way(self):
        revision = self.get("/v1/splits/train.json")["revision"]
        for query, caching in (("/rows?split=train&length=3", "no-cache"),
                               (f"/rows?split=train@{revision[:12]}&length=3", "public, max-age=31536000, immutable")):
            whole = self.server.get(query)
            self.assertEqual(whole.headers["Cache-Control"], caching)
            self.assertEqual(whole.headers["Repr-Digest"], digest_of(whole.body))
            again = self.server.get(query, If_None_Match=whole.headers["ETag"])
            self.assertEqual((again.status, again.body), (304, b""))
            head = self.server.get(query, method="HEAD")
            self.assertEqual((head.status, head.headers["ETag"], head.body), (200, whole.headers["ETag"], b""))
            self.assertNotEqual(self.server.get(query.replace("length=3", "length=4")).headers["ETag"], whole.headers["ETag"])
            self.assertNotEqual(self.server.get("/v1/splits/train/samples?length=3").headers["ETag"], whole.headers["ETag"])


class Alone(unittest.TestCase):
    """A split whose recordings are not there."""

    def test_it_says_what_its_own_file_does(self):
        with daemon.temporary_folder() as folder:
            daemon.generate(folder)
            with daemon.Daemon(folder) as server:
                revision = server.get("/v1/splits/test").json()["revision"]
                whole = server.get(f"/v1/splits/test@{revision}/samples.jsonl")
            (pathlib.Path(folder) / "nmnist-test.safetensors").unlink()
            with daemon.Daemon(folder) as server:
                alone = server.get(f"/v1/splits/test@{revision}/samples.jsonl")
        self.assertNotEqual(whole.headers["ETag"], alone.headers["ETag"])
        self.assertIn("immutable", whole.headers["Cache-Control"])
        self.assertEqual(alone.headers["Cache-Control"], "no-cache")  # there may be more to say
        for ours, theirs in zip(map(json.loads, alone.body.splitlines()),
                                map(json.loads, whole.body.splitlines())):
            if ours["kind"] == "pair":
                theirs |= {"source_digits": [], "file": None}
            self.assertEqual(ours, theirs)


if __name__ == "__main__":
    unittest.main()
