# SPDX-License-Identifier: Apache-2.0
"""Views of a split: every path that takes one, against the rule in NumPy."""
import csv
import gzip
import hashlib
import io
import itertools
import json
import pathlib
import unittest

import numpy as np

import daemon
import oracle
import safetensors_reader
import view_rules
from fake_server import digest_of
from view_rules import words

SEEDS = (0, 7, 2**32 - 1)

# Each alone, and what goes together.
RULES = [
    {"kind": "single"},
    {"kind": "pair"},
    {"any": [3, 8]},
    {"all": [3, 8]},
    {"none": [0, 1, 2, 3]},
    {"kind": "pair", "any": [3, 8], "none": [5]},
    {"folds": 10, "fold": 3, "part": "held"},
    {"folds": 2, "fold": 1, "part": "rest", "fold_seed": 9},
    {"per_class": 2},
    {"per_class": 1, "fold_seed": 2**32 - 1, "kind": "pair"},
    {"folds": 5, "fold": 0, "part": "rest", "per_class": 3, "any": [1], "fold_seed": 4},
]

EMPTY = {
    "all=1,2,3": "the view all=1,2,3 of train is empty: all=1,2,3 leaves no sample",
    "kind=single&all=3,8": "the view kind=single&all=3,8 of train is empty: all=3,8 leaves no "
                           "sample",
    "kind=pair&any=4&none=4": "the view kind=pair&any=4&none=4 of train is empty: none=4 leaves no "
                              "sample",
    "all=3,8&folds=1000&fold=999&part=held":
        "the view all=3,8&folds=1000&fold=999&part=held&fold_seed=0 of train is empty: folds=1000 "
        "leaves no sample",
}

REFUSED = {
    "kind=both": 'kind is "both"; it is one of single, pair',
    "any=": "any is empty; it takes a whole number",
    "any=3,,8": "any is empty; it takes a whole number",
    "all=-1": 'all takes a whole number, not "-1"',
    "none=10": "none names label 10; there are 0 to 9",
    "any=256": "any is 256; it goes from 0 to 255",
    "folds=1&part=held": "folds is 1; it goes from 2 to 1000",
    "folds=1001&part=held": "folds is 1001; it goes from 2 to 1000",
    "folds=10&fold=10&part=rest": "fold is 10; of 10 folds the last is 9",
    "folds=10": "folds goes with part, which is held or rest",
    "fold=1": "fold goes with folds, which says how many there are",
    "part=held": "part goes with folds, which says how many there are",
    "folds=10&part=some": 'part is "some"; it is one of held, rest',
    "fold_seed=1": "fold_seed goes with folds or per_class",
    "fold_seed=4294967296&per_class=1": "fold_seed is 4294967296; it goes from 0 to 4294967295",
    "per_class=0": "per_class is 0; it goes from 1 to 2147483647",
    "kind=pair&kind=pair": "kind is given twice",
    "kinds=pair": 'this path takes no parameter "kinds"',
}

PATHS = ("indices.json", "indices.npy", "samples", "labels.json", "labels.npy", "statistics",
         "epochs/0/0/batches/0.safetensors")


def npy(answer):
    return np.load(io.BytesIO(answer.body), allow_pickle=False)


class Views(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = cls.enterClassContext(daemon.temporary_folder())
        daemon.generate(cls.folder, "--count", "400,60", "--seed", "5", source="synthetic")
        cls.server = cls.enterClassContext(daemon.Daemon(cls.folder))
        cls.labels = {name: npy(cls.server.get(f"/v1/splits/{name}/labels.npy"))
                      for name in ("train", "test", "nmnist-train")}

    def get(self, path, rule=None, split="train"):
        text = rule if isinstance(rule, str) else words(**(rule or {}))
        mark = "&" if "?" in path else "?"
        return self.server.get(f"/v1/splits/{split}/{path}" + (mark + text if text else ""))

    def answer(self, path, rule=None, split="train"):
        answer = self.get(path, rule, split)
        self.assertEqual(answer.status, 200, answer.body)
        return answer

    def test_indices_are_those_of_the_rule(self):
        for split, labels in self.labels.items():
            for rule in [{}, *RULES]:
                want = view_rules.view(labels, **rule)
                if not len(want):
                    self.assertEqual(self.get("indices.npy", rule, split).status, 400)
                    continue
                with self.subTest(split=split, rule=rule):
                    answer = self.answer("indices.npy", rule, split)
                    got, document = npy(answer), self.answer("indices.json", rule, split).json()
                    sha256 = hashlib.sha256(want.astype("<u8").tobytes()).hexdigest()
                    self.assertEqual(got.dtype, np.dtype("<u8"))
                    np.testing.assert_array_equal(got, want)
                    self.assertEqual(document["indices"], want.tolist())
                    self.assertEqual(document["samples"], len(want))
                    self.assertEqual(document["sha256"], sha256)
                    self.assertEqual(answer.headers["Twonmnist-Indices-SHA256"], sha256)
                    self.assertEqual(answer.headers["Twonmnist-Revision"], document["revision"])
                    self.assertEqual(answer.headers["Repr-Digest"], digest_of(answer.body))

    def test_a_tag_is_of_one_view_alone(self):
        for path in PATHS:
            tags = {self.answer(path, rule).headers["ETag"] for rule in ({}, *RULES[:4])}
            self.assertEqual(len(tags), 5)
            for tag in tags:
                again = self.server.get(f"/v1/splits/train/{path}?{words(**RULES[0])}",
                                        If_None_Match=tag)
                same = tag == self.answer(path, RULES[0]).headers["ETag"]
                self.assertEqual(again.status, 304 if same else 200)

    def test_folds_are_disjoint_and_complete_and_even_in_each_label_set(self):
        for folds, seed in itertools.product((2, 3, 10), SEEDS):
            with self.subTest(folds=folds, seed=seed):
                self.check_folds("train", folds, seed)

    def check_folds(self, split, folds, seed):
        labels = self.labels[split]
        _, of_set = np.unique(labels, axis=0, return_inverse=True)
        held, sizes = [], []
        for fold in range(folds):
            rule = {"folds": folds, "fold": fold, "part": "held", "fold_seed": seed}
            own = npy(self.answer("indices.npy", rule, split)).astype(int)
            rest = npy(self.answer("indices.npy", {**rule, "part": "rest"}, split)).astype(int)
            self.assertEqual(np.sort(np.concatenate((own, rest))).tolist(),
                             list(range(len(labels))))
            held += own.tolist()
            sizes.append(np.bincount(of_set.reshape(-1)[own], minlength=of_set.max() + 1))
        self.assertEqual(sorted(held), list(range(len(labels))))
        self.assertLessEqual(np.ptp(sizes, axis=0).max(), 1)

    def test_folds_do_not_move_with_what_else_is_asked(self):
        fold = {"folds": 4, "fold": 2, "part": "held", "fold_seed": 3}
        alone = set(self.answer("indices", fold).json()["indices"])
        pairs = set(self.answer("indices", {"kind": "pair"}).json()["indices"])
        both = self.answer("indices", {**fold, "kind": "pair"}).json()["indices"]
        self.assertEqual(both, sorted(alone & pairs))

    def test_pages_are_rows_of_the_whole_split(self):
        for rule in RULES:
            with self.subTest(rule):
                want = view_rules.view(self.labels["train"], **rule)
                page = self.answer("samples?offset=1&length=5", rule).json()
                self.assertEqual(page["total"], len(want))
                self.assertEqual([row["index"] for row in page["samples"]], want[1:6].tolist())
                for row in page["samples"]:
                    whole = self.answer(f"samples?offset={row['index']}&length=1").json()
                    self.assertEqual(whole["samples"], [row])
        self.assertEqual(self.answer("samples?offset=9999", RULES[0]).json()["samples"], [])

    def test_recordings_have_pages_of_views(self):
        want = view_rules.view(self.labels["nmnist-train"], any=[4], per_class=3)
        page = self.server.get("/v1/sources/nmnist-train/samples?any=4&per_class=3").json()
        self.assertEqual([row["index"] for row in page["samples"]], want.tolist())

    def test_labels_are_those_of_the_view(self):
        for rule in RULES:
            with self.subTest(rule):
                want = self.labels["train"][view_rules.view(self.labels["train"], **rule)]
                np.testing.assert_array_equal(npy(self.answer("labels.npy", rule)), want)
                self.assertEqual(self.answer("labels.json", rule).json()["labels"], want.tolist())

    def test_statistics_count_the_view(self):
        rows = self.answer("samples?length=1024").json()["samples"]
        n_events = np.array([row["events"] for row in rows])
        for rule in [{}, *RULES]:
            with self.subTest(rule):
                at = view_rules.view(self.labels["train"], **rule)
                got, labels = self.answer("statistics", rule).json(), self.labels["train"][at]
                labels = labels.astype(int)
                self.assertEqual(got["samples"], len(at))
                self.assertEqual(got["pairs"], int((labels.sum(1) == 2).sum()))
                self.assertEqual(got["singles"], int((labels.sum(1) == 1).sum()))
                self.assertEqual(got["labels"], labels.sum(0).tolist())
                self.assertEqual(got["cooccurrence"], (labels.T @ labels).tolist())
                self.assertEqual(got["events"], int(n_events[at].sum()))
                counts = got["event_counts"]
                self.assertEqual((counts["min"], counts["max"], counts["mean"]),
                                 (n_events[at].min(), n_events[at].max(), n_events[at].mean()))
                self.assertEqual(sum(counts["bins"]), len(at))
        whole, description = self.answer("statistics").json(), self.server.get(
            "/v1/splits/train").json()
        for key in ("revision", "samples", "pairs", "singles", "events", "labels", "cooccurrence",
                    "event_counts"):
            self.assertEqual(whole[key], description[key])

    def test_batches_of_an_epoch_go_through_the_view_alone(self):
        for rule, seed in itertools.product(RULES, (0, 11)):
            with self.subTest(rule=rule, seed=seed):
                at = view_rules.view(self.labels["train"], **rule)
                order, got = at[oracle.epoch_order(seed, 5, len(at))], []
                n_batches = -(-len(at) // 7)
                for k in range(n_batches):
                    answer = self.answer(f"epochs/{seed}/5/batches/{k}.safetensors?size=7", rule)
                    tensors, _ = safetensors_reader.read(answer.body)
                    got += tensors["indices"].tolist()
                self.assertEqual(got, order.tolist())
                past = self.get(f"epochs/{seed}/5/batches/{n_batches}.safetensors?size=7", rule)
                self.assertEqual((past.status, past.json()["code"], past.json()["batches"]),
                                 (404, "no-such-batch", n_batches))

    def test_ranks_share_the_batches_of_a_view(self):
        at = view_rules.view(self.labels["train"], kind="pair")
        order, n = at[oracle.epoch_order(1, 2, len(at))], len(at)
        last = n // 32
        for rank in range(3):
            tensors, _ = safetensors_reader.read(self.answer(
                f"epochs/1/2/batches/{last}.safetensors?size=32&rank={rank}&world=3&last=pad",
                "kind=pair").body)
            want = [order[(32 * last + i) % n] for i in range(rank, 32, 3)]
            self.assertEqual(tensors["indices"].tolist(), want)

    def test_samples_of_a_batch_are_those_at_its_indices(self):
        tensors, _ = safetensors_reader.read(
            self.answer("epochs/1/2/batches/0.safetensors?size=5", "kind=pair").body)
        listed = ",".join(map(str, tensors["indices"].tolist()))
        same, _ = safetensors_reader.read(
            self.server.get(f"/v1/splits/train/batch.safetensors?indices={listed}").body)
        for name in ("events", "offsets", "labels", "sources", "checksums", "indices"):
            np.testing.assert_array_equal(tensors[name], same[name])

    def test_a_batch_says_its_view(self):
        _, said = safetensors_reader.read(self.answer(
            "epochs/1/2/batches/0.safetensors?size=5",
            "part=rest&any=8,3&kind=pair&folds=10").body)
        _, plain = safetensors_reader.read(
            self.answer("epochs/1/2/batches/0.safetensors?size=5").body)
        self.assertEqual(said, {**plain, "kind": "pair", "any": "3,8", "folds": "10", "fold": "0",
                                "part": "rest", "fold_seed": "0"})

    def test_views_and_forms_go_together(self):
        at = view_rules.view(self.labels["train"], kind="pair")
        order = at[oracle.epoch_order(1, 2, len(at))][:5].tolist()
        for form in ("as=frames&bins=4", "as=sparse&slice=number&bins=3", "t1=90000"):
            with self.subTest(form):
                tensors, said = safetensors_reader.read(self.answer(
                    f"epochs/1/2/batches/0.safetensors?size=5&{form}", "kind=pair").body)
                same, _ = safetensors_reader.read(self.server.get(
                    "/v1/splits/train/batch.safetensors?indices="
                    f"{','.join(map(str, order))}&{form}").body)
                self.assertEqual(tensors["indices"].tolist(), order)
                self.assertEqual(said["kind"], "pair")
                for name, tensor in same.items():
                    np.testing.assert_array_equal(tensors[name], tensor)

    def test_what_is_no_part_of_a_split_takes_no_view(self):
        for path in ("/v1/splits/train/batch.safetensors?indices=0&", "/v1/splits/train?",
                     "/v1/splits/train/samples/0.json?", "/v1/pairs/nmnist-train/1/2.bin?"):
            answer = self.server.get(path + "kind=pair")
            self.assertEqual((answer.status, answer.json()["detail"]),
                             (400, 'this path takes no parameter "kind"'))

    def test_an_empty_view_is_refused_by_the_word_that_emptied_it(self):
        for path, (text, detail) in itertools.product(PATHS, EMPTY.items()):
            with self.subTest(path=path, text=text):
                answer = self.get(path, text)
                self.assertEqual((answer.status, answer.json()["detail"]), (400, detail))
                self.assertEqual(answer.json()["code"], "bad-parameter")

    def test_what_is_no_view_is_refused(self):
        for path, (text, detail) in itertools.product(PATHS, REFUSED.items()):
            with self.subTest(path=path, text=text):
                answer = self.get(path, text)
                self.assertEqual((answer.status, answer.json()["detail"]), (400, detail))
                self.assertEqual(answer.json()["code"], "bad-parameter")

    def test_heads_and_revalidation_hold_for_views(self):
        """For one that was not made yet, and for one that was."""
        rule = "any=2&per_class=2"
        for turn, path in itertools.product(range(2), PATHS):
            with self.subTest(path=path, turn=turn):
                path = f"/v1/splits/train/{path}?{rule}&fold_seed={50 + PATHS.index(path)}"
                head = self.server.get(path, "HEAD")
                self.assertEqual((head.status, head.body), (200, b""))
                answer = self.server.get(path)
                self.assertEqual(answer.headers["ETag"], head.headers["ETag"])
                if head.headers["Content-Length"] is not None:
                    self.assertEqual(int(head.headers["Content-Length"]), len(answer.body))
                same = self.server.get(path, If_None_Match=answer.headers["ETag"])
                self.assertEqual((same.status, same.body), (304, b""))

    def test_revalidation_of_a_view_that_is_not_made_yet(self):
        for seed in range(100, 103):
            path = f"/v1/splits/train/indices.npy?per_class=1&fold_seed={seed}"
            self.assertEqual(self.server.get(path, If_None_Match="*").status, 304)
        bad = self.server.get("/v1/splits/train/indices.npy?all=1,2,3", If_None_Match="*")
        self.assertEqual(bad.status, 400)

    def test_many_views_are_answered_right_after_each_other(self):
        """More than are cached, and the first ones again."""
        labels = self.labels["test"]
        for seed in [*range(300), *range(5)]:
            rule = {"per_class": 1, "fold_seed": seed}
            np.testing.assert_array_equal(npy(self.answer("indices.npy", rule, "test")),
                                          view_rules.view(labels, **rule))


def published_split():
    """A split with the labels of the published training set, and no events."""
    with gzip.open(daemon.SHARED / "golden" / "plan-train.csv.gz", "rt") as file:
        rows = list(csv.DictReader(file))
    n, labels = len(rows), np.zeros((len(rows), 10), np.uint8)
    for name in ("label_a", "label_b"):
        at = np.array([int(row[name]) for row in rows])
        labels[np.flatnonzero(at >= 0), at[at >= 0]] = 1
    sources = np.array([[int(row["source_a"]), int(row["source_b"])] for row in rows], "<i4")
    tensors = {"offsets": np.zeros(n + 1, "<i8"), "checksums": np.zeros(n, "<i8"),
               "sources": sources, "labels": labels, "events": np.zeros((0, 5), np.uint8)}
    header, data = {"__metadata__": {
        "format": "twonmnist-split", "version": "2", "kind": "2nmnist", "sensor": "34x34x2",
        "time_unit": "us", "order": "time", "data_sha256": "0" * 64, "index_crc32c": "0" * 8}}, b""
    for name, tensor in tensors.items():
        header[name] = {"dtype": {"int64": "I64", "int32": "I32", "uint8": "U8"}[str(tensor.dtype)],
                        "shape": list(tensor.shape),
                        "data_offsets": [len(data), len(data) + tensor.nbytes]}
        data += tensor.tobytes()
    text = json.dumps(header).encode()
    text += b" " * (-(8 + len(text)) % 64)
    return safetensors_reader.seal(len(text).to_bytes(8, "little") + text + data), labels


class PublishedPlan(unittest.TestCase):
    def test_folds_of_the_published_training_set(self):
        daemon.need_shared()
        blob, labels = published_split()
        folder = self.enterContext(daemon.temporary_folder())
        (pathlib.Path(folder) / "train.safetensors").write_bytes(blob)
        server = self.enterContext(daemon.Daemon(folder))
        _, of_set = np.unique(labels, axis=0, return_inverse=True)
        held, sizes = [], []
        for fold in range(10):
            rule = {"folds": 10, "fold": fold, "part": "held", "fold_seed": 3}
            answer = server.get(f"/v1/splits/train/indices.npy?{words(**rule)}")
            own = npy(answer).astype(int)
            np.testing.assert_array_equal(own, view_rules.view(labels, **rule))
            held += own.tolist()
            sizes.append(np.bincount(of_set.reshape(-1)[own], minlength=55))
        self.assertEqual(sorted(held), list(range(len(labels))))
        self.assertLessEqual(np.ptp(sizes, axis=0).max(), 1)
        rule = {"kind": "pair", "any": [3, 8], "per_class": 20}
        np.testing.assert_array_equal(npy(server.get(f"/v1/splits/train/indices.npy?{words(**rule)}")),
                                      view_rules.view(labels, **rule))


if __name__ == "__main__":
    unittest.main()
