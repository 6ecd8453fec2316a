# SPDX-License-Identifier: Apache-2.0
"""Pictures from a running daemon, against the rule in NumPy: samples, strips, animations, sheets."""
import os
import pathlib
import subprocess
import unittest

import numpy as np

import daemon
import form_rules
import picture_rules as rules


def setUpModule():
    global server
    folder = daemon.generate(unittest.enterModuleContext(daemon.temporary_folder()))
    server = unittest.enterModuleContext(daemon.Daemon(folder))


def get(path):
    answer = server.get(path)
    assert answer.status == 200, answer.body
    return answer


def events(path, words=""):
    return form_rules.events_of(get(f"{path}.bin{words}").body)


def picture(path, words=""):
    answer = get(f"{path}.png{words}")
    assert answer.headers["Content-Type"] == "image/png"
    return rules.read(answer.body)


SAMPLES = ["/v1/splits/train/samples/0", "/v1/splits/test/samples/3",
           "/v1/sources/nmnist-train/samples/5", "/v1/pairs/nmnist-train/7/11"]
FILTERS = ["", "t0=20000&t1=120000", "denoise=3000", "stabilize=yes", "polarity=merge",
           "order=time&denoise=9000&polarity=merge&t1=99999", "timestep=1000&t0=5"]


class Compared(unittest.TestCase):
    def same(self, got, expected, *about):
        self.assertEqual(got.shape, expected.shape, about)
        self.assertEqual(np.argwhere((got != expected).any(-1)).tolist(), [], about)


class Pictures(Compared):
    def test_a_sample_is_a_picture_by_the_rule(self):
        for path in SAMPLES:
            shown, frames, _ = picture(path)
            self.assertEqual(frames, [])
            self.same(shown, rules.strip(events(path)), path)
            self.assertGreater(len(np.unique(shown.reshape(-1, 3), axis=0)), 3)

    def test_a_mix_is_a_picture(self):
        labels = get("/v1/splits/nmnist-train/labels.json").json()["labels"]
        other = next(i for i, digits in enumerate(labels) if digits != labels[0])
        path = f"/v1/mix/nmnist-train/0,{other}"
        self.same(picture(path)[0], rules.strip(events(path)))

    def test_each_filter_comes_before_the_picture(self):
        for words in FILTERS:
            query = words and "?" + words
            merged = "merge" in words
            expected = rules.strip(events(SAMPLES[0], query), merged=merged)
            self.same(picture(SAMPLES[0], query)[0], expected, words)
            if merged:
                self.assertTrue((expected == expected[..., :1]).all())

    def test_each_scale_has_squares_of_its_size(self):
        seen = events(SAMPLES[0])
        for scale in (1, 2, 5, 8, 31, 32):
            shown = picture(SAMPLES[0], f"?scale={scale}")[0]
            self.assertEqual(shown.shape, (34 * scale, 34 * scale, 3))
            self.same(shown, rules.strip(seen, scale=scale), scale)

    def test_a_strip_shows_equal_spans_of_time(self):
        seen = events(SAMPLES[0], "?t1=200000")
        for n in (1, 2, 3, 9, 64):
            shown = picture(SAMPLES[0], f"?strip={n}&scale=2&t1=200000")[0]
            self.assertEqual(shown.shape, (34 * 2, (34 * n + n - 1) * 2, 3))
            self.same(shown, rules.strip(seen, n, 2), n)

    def test_an_animation_shows_equal_spans_one_after_the_other(self):
        for path, n, scale in ((SAMPLES[0], 2, 8), (SAMPLES[1], 30, 3), (SAMPLES[3], 256, 1)):
            seen = events(path)
            first, frames, delays = picture(path, f"?frames={n}&scale={scale}")
            self.assertEqual(len(frames), n)
            self.same(first, frames[0])
            self.same(np.stack(frames),
                      np.stack([rules.scaled(f, scale) for f in rules.colours(rules.spans(seen, n))]))
            self.assertEqual(set(delays), {(rules.frame_ms(seen, n), 1000)})

    def test_what_has_no_events_is_black(self):
        for words in ("", "&strip=3", "&frames=3"):
            shown, frames, delays = picture(SAMPLES[0], f"?t0=8000000{words}")
            self.assertTrue(set(np.unique(shown)) <= ({0, 64} if "strip" in words else {0}))
            self.assertEqual(delays, [(1, 1000)] * len(frames))


class Sheets(Compared):
    def check(self, path, words, offset=0, length=100, view="", filters="", scale=3):
        total = get(f"{path}/samples.json?length=1&{view}").json()["total"]
        rows = get(f"{path}/samples.json?offset={offset}&length={length}&{view}").json()["samples"]
        self.assertGreater(total, 0)
        samples = [events(f"{path}/samples/{row['index']}", f"?{filters}") for row in rows]
        expected = rules.sheet(samples, scale, "merge" in filters)
        self.same(picture(f"{path}/samples", "?" + "&".join(filter(None, (words, view, filters))))[0], expected,
                  words)
        return expected

    def test_a_page_of_samples_is_a_sheet(self):
        shown = self.check("/v1/splits/train", "length=100")
        self.assertEqual(shown.shape, ((35 * 10 - 1) * 3, (35 * 10 - 1) * 3, 3))
        self.assertEqual(picture("/v1/splits/train/samples")[0].shape, shown.shape)

    def test_a_page_begins_and_ends_anywhere(self):
        for length in (1, 9, 10, 11, 23):
            self.check("/v1/sources/nmnist-test", f"offset=3&length={length}&scale=1", 3, length,
                       scale=1)

    def test_a_sheet_is_of_a_view_and_filtered(self):
        self.check("/v1/splits/train", "length=12", length=12, view="kind=pair&any=1,7")
        self.check("/v1/splits/train", "length=5&scale=2", length=5, scale=2,
                   filters="t1=105000&denoise=5000&stabilize=yes")
        self.check("/v1/splits/train", "length=5&scale=2", length=5, scale=2,
                   filters="polarity=merge")

    def test_a_sheet_goes_by_the_order_that_its_rows_have(self):
        page = "/v1/splits/train/samples"
        for words in "sort=-events", "seed=4", "sort=duration&kind=pair":
            query = f"?{words}&offset=1&length=12"
            rows = get(f"{page}.json{query}").json()["samples"]
            samples = [events(f"{page}/{row['index']}") for row in rows]
            self.same(picture(page, query)[0], rules.sheet(samples), words)

    def test_the_end_of_a_split_is_the_end_of_its_sheet(self):
        n = get("/v1/splits/test.json").json()["samples"]
        self.check("/v1/splits/test", f"offset={n - 2}", n - 2)
        answer = server.get(f"/v1/splits/test/samples.png?offset={n}")
        self.assertEqual((answer.status, answer.json()["code"]), (404, "no-such-sample"))
        self.assertIn(f"offset is {n}", answer.json()["detail"])


class Batches(Compared):
    """A batch as a contact sheet, in its order."""

    def check(self, path, query, samples, scale=3, merged=False):
        self.same(picture(path, query)[0], rules.sheet(samples, scale, merged), path, query)

    def test_these_samples(self):
        chosen = [7, 3, 3, 11]
        samples = [events(f"/v1/splits/train/samples/{i}") for i in chosen]
        self.check("/v1/splits/train/batch", "?indices=7,3,3,11", samples)
        self.check("/v1/splits/train/batch", "?indices=7,3,3,11&scale=1", samples, 1)
        merged = [events(f"/v1/splits/train/samples/{i}", "?polarity=merge&t1=90000") for i in chosen]
        self.check("/v1/splits/train/batch", "?indices=7,3,3,11&polarity=merge&t1=90000", merged, merged=True)

    def test_these_samples_by_their_list(self):
        path = "/v1/splits/train/batch.png"
        answer = server.get(path, method="POST", body=b'{"indices": [7, 3]}')
        self.assertEqual((answer.status, answer.body), (200, get(path + "?indices=7,3").body))
        for body, status, code in ((b'{"indices": []}', 404, "no-such-sample"),
                                   (b'{"indices": [' + b"1," * 100 + b"1]}", 413, "too-large")):
            answer = server.get(path, method="POST", body=body)
            self.assertEqual((answer.status, answer.json()["code"]), (status, code))

    def test_a_batch_of_an_epoch(self):
        order = np.random.RandomState([5, 3]).permutation(get("/v1/splits/train.json").json()["samples"])
        samples = [events(f"/v1/splits/train/samples/{i}") for i in order[12:24][1::2]]
        self.check("/v1/splits/train/epochs/5/3/batches/1", "?size=12&rank=1&world=2", samples)

    def test_a_batch_of_fresh_pairs(self):
        samples = [events(f"/v1/pairs/nmnist-train/7/{i}") for i in range(22, 33)]
        self.check("/v1/pairs/nmnist-train/7/batches/2", "?size=11", samples)


class Http(unittest.TestCase):
    def test_a_client_that_wants_pictures_gets_them(self):
        for path in (SAMPLES[0], "/v1/splits/train/samples?length=2"):
            answer = server.get(path, Accept="image/png")
            self.assertEqual(answer.headers["Content-Type"], "image/png")
            self.assertEqual(answer.headers["Vary"], "Accept, Origin")
            self.assertEqual(server.get(path).headers["Content-Type"], "application/json")

    def test_who_has_it_is_told_so(self):
        for path in (SAMPLES[0] + ".png?strip=3", "/v1/splits/train/samples.png?length=2",
                     "/v1/splits/train/batch.png?indices=4,2"):
            tag = get(path).headers["ETag"]
            self.assertRegex(tag, r'^"[0-9a-f]{16}-[0-9a-f]{8}\.png-1\.6\.\d+-[\w.-]+"$')
            answer = server.get(path, If_None_Match=tag)
            self.assertEqual((answer.status, answer.body), (304, b""))
            self.assertEqual(answer.headers["ETag"], tag)
            self.assertEqual(server.get(path, If_None_Match=tag.replace(".png", ".bin")).status, 200)

    def test_head_says_what_get_does(self):
        for path in (SAMPLES[0] + ".png", "/v1/splits/train/samples.png?length=2",
                     "/v1/splits/train/batch.png?indices=4,2"):
            got, head = get(path), server.get(path, method="HEAD")
            self.assertEqual((head.status, head.body), (200, b""))
            for name in ("ETag", "Content-Type", "Cache-Control", "Twonmnist-Labels"):
                self.assertEqual(head.headers[name], got.headers[name], name)

    def test_it_says_what_it_shows(self):
        got, other = get(SAMPLES[0] + ".png"), get(SAMPLES[0] + ".bin")
        for name in ("Twonmnist-Labels", "Twonmnist-Sources", "Twonmnist-Revision"):
            self.assertEqual(got.headers[name], other.headers[name])
        self.assertRegex(got.headers["Repr-Digest"], "^crc32c=:.*:$")

    def test_the_same_url_has_the_same_bytes(self):
        for path in (SAMPLES[0] + ".png?frames=5", "/v1/splits/train/samples.png?length=7"):
            self.assertEqual(get(path).body, get(path).body)

    def test_what_does_not_go_is_refused_with_the_reason(self):
        page = "/v1/splits/train/samples"
        for path, status, words in (
                (SAMPLES[0] + ".json?scale=3", 400, "scale goes with png, not with json"),
                (SAMPLES[0] + ".bin?strip=3", 400, "strip goes with png, not with bin"),
                (SAMPLES[0] + "?frames=3", 400, "frames goes with png, not with json"),
                (SAMPLES[0] + ".png?scale=33", 400, "scale is 33; it goes from 1 to 32"),
                (SAMPLES[0] + ".png?scale=0", 400, "from 1 to 32"),
                (SAMPLES[0] + ".png?strip=65", 400, "from 1 to 64"),
                (SAMPLES[0] + ".png?frames=257", 400, "from 1 to 256"),
                (SAMPLES[0] + ".png?strip=2&frames=2", 400, "strip does not go with frames"),
                (SAMPLES[0] + ".png?bins=9", 400, "bins goes with as="),
                (SAMPLES[0] + ".png?as=frames", 406, "in this form samples come here as json, "),
                (SAMPLES[0] + ".png?strip=64&scale=32", 413, "the limit is 33554432"),
                (SAMPLES[0] + ".png?frames=256&scale=32", 413, "the limit is 33554432"),
                ("/v1/splits/train/samples/999999.png", 404, "there is no sample 999999"),
                ("/v1/splits/train/batch.png?indices=1&as=frames", 406, "in this form samples come here as json, "),
                ("/v1/splits/train/batch.png?indices=1&strip=2", 400, 'no parameter "strip"'),
                ("/v1/splits/train/batch.json?indices=1&scale=2", 400, "scale goes with png, not with json"),
                ("/v1/splits/train/batch.png?indices=" + ",".join(["1"] * 101), 413, "one at least and 100 at most"),
                ("/v1/splits/train/batch.png?scale=32&indices=" + ",".join(["1"] * 100), 413, "the limit is 33554432"),
                ("/v1/splits/train/epochs/1/0/batches/0.png?size=101", 413, "a contact sheet of 101 samples"),
                ("/v1/splits/train/epochs/1/0/batches/0.png?size=1&world=2&rank=1", 404, "a contact sheet of 0 samples"),
                ("/v1/pairs/nmnist-train/7/batches/0.png?size=128", 413, "a contact sheet of 128 samples"),
                (page + ".png?length=101", 413, "a contact sheet has 100 samples at most"),
                (page + ".png?scale=32", 413, "the limit is 33554432"),
                (page + ".png?strip=2", 400, 'no parameter "strip"'),
                (page + ".png?kind=pair&any=3&none=3", 400, "none"),
                (page + ".json?denoise=5", 400, "denoise goes with png, not with json"),
                (page + "?scale=5", 400, "scale goes with png, not with json")):
            answer = server.get(path)
            self.assertEqual(answer.status, status, (path, answer.body[:300]))
            self.assertIn(words, answer.json()["detail"], path)


class Render(unittest.TestCase):
    """`twonmnist render` writes what the daemon draws."""

    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(daemon.temporary_folder()))

    def run_(self, *words):
        return subprocess.run([daemon.COMMAND_LINE, "render", *map(str, words)],
                              capture_output=True, timeout=120, check=False,
                              env={**os.environ, "TWONMNIST_SERVER": server.url})

    def check(self, path, *words):
        file = self.folder / "picture.png"
        done = self.run_(*words, "--output", file)
        self.assertEqual((done.returncode, done.stderr), (0, b""), words)
        self.assertEqual(file.read_bytes(), get(path).body, words)

    def test_each_kind_of_sample_and_a_sheet(self):
        for path, words in (
                ("/v1/splits/train/samples/3.png", ("train", 3)),
                ("/v1/splits/train/samples/3.png?strip=9&t1=105000", ("train", 3, "--strip", 9, "--t1", 105000)),
                ("/v1/splits/train/samples/3.png?frames=4&scale=2", ("train", 3, "--frames=4", "--scale=2")),
                ("/v1/splits/train/samples/3.png?stabilize=yes&polarity=merge&denoise=3000&t0=9",
                 ("train", 3, "--stabilize", "--polarity", "merge", "--denoise", 3000, "--t0", 9)),
                ("/v1/splits/train/samples/3.png?order=time&timestep=1000",
                 ("train", 3, "--order", "time", "--timestep", 1000)),
                ("/v1/sources/nmnist-train/samples/5.png", ("nmnist-train", 5)),
                ("/v1/pairs/nmnist-train/7/11.png", ("nmnist-train", "--pair", "7,11")),
                ("/v1/mix/nmnist-train/0,200.png?scale=1", ("nmnist-train", "--mix", "0,200", "--scale", 1)),
                ("/v1/splits/test/samples.png", ("test",)),
                ("/v1/splits/train/samples.png?kind=pair&any=3,8&offset=2&length=7",
                 ("train", "--kind", "pair", "--any", "3,8", "--offset", 2, "--length", 7))):
            self.check(path, *words)

    def test_a_url_or_its_path(self):
        path = "/v1/splits/train/samples/3"
        for words in ((path,), (path + ".png",), (server.url + path,), (server.url + path + ".png",)):
            self.check(path + ".png", *words)
        self.check(path + ".png?t1=99999&scale=2", path + "?t1=99999", "--scale", 2)

    def test_without_an_ending_and_to_standard_output(self):
        self.assertEqual(self.run_("train", 3).stdout, get("/v1/splits/train/samples/3.png").body)

    def test_what_does_not_go_is_told(self):
        for words, status, told in (
                (("train", 3, "--pair", "1,2"), 2, "one of them goes"),
                (("nmnist-train", "--pair", "1"), 2, "--pair takes SEED,INDEX"),
                (("http://elsewhere/v1/splits/train/samples/3",), 2, "is of no --server"),
                (("/v1/splits/train/samples/3", 3), 2, "nothing else goes beside it"),
                (("train", 3, "--strip", 2, "--frames", 2), 2, "strip does not go with frames"),
                (("train", 3, "--offset", 2), 2, 'no parameter "offset"'),
                (("train", 999999), 3, "there is no sample 999999"),
                (("other", 3), 3, 'no split "other"'),
                (("tr ain", 3), 2, "%20"),
                (("train", 3, "-o", self.folder / "a.jpg"), 2, "end in .png")):
            done = self.run_(*words)
            self.assertEqual((done.returncode, done.stdout), (status, b""), (words, done.stderr))
            self.assertIn(told, done.stderr.decode())
        self.assertEqual(list(self.folder.iterdir()), [])


class Limits(unittest.TestCase):
    def test_a_sheet_has_no_more_samples_than_a_batch(self):
        folder = self.enterContext(daemon.temporary_folder())
        daemon.generate(folder)
        with daemon.Daemon(folder, "--max-batch-size", 10) as small:
            self.assertEqual(small.get("/v1/splits/train/samples.png?length=10").status, 200)
            for query in ("?length=11", ""):
                answer = small.get("/v1/splits/train/samples.png" + query)
                self.assertEqual((answer.status, answer.json()["limit"]), (413, 10))
                self.assertIn("max_batch_size is 10", answer.json()["detail"])

    def test_an_answer_that_may_take_too_much_is_refused(self):
        folder = self.enterContext(daemon.temporary_folder())
        daemon.generate(folder)
        with daemon.Daemon(folder, "--max-answer-bytes", 1 << 20) as small:
            self.assertEqual(small.get(SAMPLES[0] + ".png").status, 200)
            answer = small.get("/v1/splits/train/samples.png?scale=8")
            self.assertEqual((answer.status, answer.json()["code"]), (413, "too-large"))
            self.assertIn("max_answer_bytes", answer.json()["detail"])


if __name__ == "__main__":
    unittest.main()
