# SPDX-License-Identifier: Apache-2.0
"""The command line `twonmnist` against servers that mean it no good, and outputs that are full."""
import json
import os
import pathlib
import re
import subprocess
import threading
import unittest

import daemon
from fake_server import FakeServer, digest_of

CLIENT = daemon.BUILD / "twonmnist"
ROOT = pathlib.Path(os.environ.get("TWONMNIST_SOURCE", pathlib.Path(__file__).parent.parent))
OK, FAILED, USAGE, NOT_FOUND, UNREACHABLE, DAMAGED = range(6)

# Sets the title, rings the bell, turns red by C1, turns the direction of writing, breaks the line.
NASTY = "a\x1b]0;owned\x07\x9b31m\u202egnp\u2066\u2028\x7fb\r\nc\ufeff"


def setUpModule():
    global server
    folder = daemon.generate(unittest.enterModuleContext(daemon.temporary_folder()))
    server = unittest.enterModuleContext(daemon.Daemon(folder))


def run(*words, url=None, **more):
    """Exit status, standard output as text, standard error."""
    ended = subprocess.run([CLIENT, *map(str, words)], capture_output=True, timeout=120,
                           env={**os.environ, "TWONMNIST_SERVER": url or server.url}, **more)
    return ended.returncode, ended.stdout.decode(), ended.stderr.decode()


def printable(text):
    return all(line.isprintable() for line in text.split("\n"))


class Cli(unittest.TestCase):
    def fake(self, behave):
        return self.enterContext(FakeServer(behave, server))

    def changed(self, change):
        """A server whose JSON documents are the real ones after `change`."""
        def behave(fake, path, n):
            status, headers, body = fake.real(path)
            if headers.get("Content-Type") == "application/json":
                document = json.loads(body)
                change(document)
                body = json.dumps(document, ensure_ascii=False).encode()
                headers["Repr-Digest"] = digest_of(body)
            return status, headers, body

        return self.fake(behave)

    def refused(self, status, *words, **more):
        """The one line that it says, besides what it waited for."""
        got, out, err = run(*words, **more)
        err = "".join(line for line in err.splitlines(keepends=True) if ": waiting for " not in line)
        self.assertEqual((got, out, err.count("\n")), (status, "", 1), err)
        self.assertTrue(printable(err), repr(err))
        return err


class Terminal(Cli):
    def test_what_a_server_says_of_a_split_reaches_the_terminal_clean(self):
        def change(document):
            for row in [document, *document.get("splits", [])]:
                row.update({key: NASTY for key in ("origin", "licence", "citation", "generator",
                                                   "order", "plan", "source_sha256")})

        fake = self.changed(change)
        for words in (("info",), ("info", "train")):
            status, out, err = run(*words, url=fake.url)
            self.assertEqual((status, err), (OK, ""))
            self.assertTrue(printable(out), repr(out))
            self.assertIn("a?]0;owned??31m?gnp???b??c?", out)

    def test_a_name_in_the_list_of_splits_reaches_the_terminal_clean(self):
        def change(document):
            for row in document["splits"]:
                row.update(name=NASTY, kind=NASTY, revision=NASTY)

        status, out, err = run("info", url=self.changed(change).url)
        self.assertEqual((status, err), (OK, ""))
        self.assertTrue(printable(out), repr(out))
        self.assertEqual(out.count("\n"), 5)

    def test_json_says_the_same_and_is_clean(self):
        fake = self.changed(lambda document: document.update(origin=NASTY, licence="é \U0001f600"))
        status, out, err = run("info", "train", "--format", "json", url=fake.url)
        self.assertEqual((status, err), (OK, ""))
        self.assertTrue(printable(out), repr(out))
        self.assertEqual(json.loads(out)["origin"], NASTY)
        self.assertIn("é \U0001f600", out)

    def test_errors_of_a_server_reach_the_terminal_clean(self):
        problem = json.dumps({"code": "bad-parameter", "detail": NASTY}, ensure_ascii=False)
        nasty = "a\x1b[31m\x9b31m".encode("latin-1").decode("latin-1")  # as headers can have it
        answers = {
            USAGE: (400, {"Content-Type": "application/problem+json"}, problem.encode()),
            DAMAGED: (200, {"Content-Type": nasty}, b"x"),
        }
        for status, answer in answers.items():
            fake = self.fake(lambda fake, path, n, answer=answer: answer)
            self.assertIn("a?", self.refused(status, "info", url=fake.url))

    def test_a_damaged_mix_is_told_clean(self):
        def behave(fake, path, n):
            status, headers, body = fake.real(path)
            if "/v1/mix/" in path:
                right = b"/v1/mix/nmnist-train/0,200"
                self.assertIn(right, body)
                body = body.replace(right, b"\\u001b[31m".ljust(len(right), b"x"))
            return status, headers, body

        self.assertIn("request is ?[31mx", self.refused(
            DAMAGED, "mix", "nmnist-train", "0,200", url=self.fake(behave).url))

    def test_a_long_reason_is_cut_at_a_character(self):
        problem = json.dumps({"detail": "é" * 5000}, ensure_ascii=False).encode()
        fake = self.fake(lambda fake, path, n:
                         (400, {"Content-Type": "application/problem+json"}, problem))
        self.assertIn("éééé", self.refused(USAGE, "info", url=fake.url))

    def test_counts_that_are_too_large_to_be_true_draw_bars_all_the_same(self):
        def change(document):
            document["labels"] = [2**63 - 1, 1, 2**62, 0] + [5] * 6

        status, out, err = run("info", "train", url=self.changed(change).url)
        self.assertEqual((status, err), (OK, ""))
        bars = [line.count("#") for line in out.splitlines() if re.match(r"[ labels]+\d +\d+ ", line)]
        self.assertEqual(bars, [40, 0, 20] + [0] * 7)


class Limits(Cli):
    def test_a_description_without_end_is_refused_before_it_is_read(self):
        body = b'{"splits": "' + b"x" * 5_000_000 + b'"}'
        for headers in ({}, {"Transfer-Encoding": "chunked"}):
            def behave(fake, path, n, headers=headers):
                return 200, {"Content-Type": "application/json", **headers}, (
                    b"%x\r\n" % len(body) + body + b"\r\n0\r\n\r\n" if headers else body)

            fake = self.fake(behave)
            for words in (("info",), ("info", "train"), ("get", "train", 0)):
                self.assertIn("longer than the 4000000 bytes", self.refused(FAILED, *words,
                                                                            url=fake.url))
            self.assertEqual(len(fake.paths), 3)

    def test_labels_are_no_longer_than_the_split(self):
        def behave(fake, path, n):
            status, headers, body = fake.real(path)
            return status, headers, body + bytes(1000) if "labels" in path else body

        self.assertIn("such an answer can have",
                      self.refused(FAILED, "labels", "train", url=self.fake(behave).url))

    def test_of_a_refusal_no_more_is_read_than_it_needs(self):
        fake = self.fake(lambda fake, path, n: (404, {"Content-Type": "text/html"},
                                                b"<p>" * 10_000_000))
        self.assertIn("HTTP status 404", self.refused(NOT_FOUND, "info", url=fake.url))

    def test_a_head_without_end_is_no_lack_of_memory(self):
        fake = self.fake(lambda fake, path, n: (200, {"Content-Type": "application/json",
                                                      "X-Long": "x" * 200_000}, b"{}"))
        self.assertIn("the head of its answer has no end", self.refused(DAMAGED, "info",
                                                                        url=fake.url))

    def test_a_header_of_safetensors_that_is_too_long_is_told(self):
        def behave(fake, path, n):
            status, headers, body = fake.real(path)
            if "batch" in path:
                headers.pop("Repr-Digest", None)
                body = (1 << 30).to_bytes(8, "little") + body[8:] + bytes(1 << 20)
            return status, headers, body

        self.assertIn("a header of 1073741824 bytes", self.refused(
            DAMAGED, "get", "train", 0, url=self.fake(behave).url))


class Words(Cli):
    def test_a_server_without_the_source_split_is_passed_over(self):
        lock, lacking = threading.Lock(), []

        def behave(fake, path, n):
            if "/v1/pairs/" not in path:
                return fake.real(path)
            with lock:
                lacking.append(fake)
            if lacking[0] is not fake:
                return fake.real(path)
            return (404, {"Content-Type": "application/problem+json"},
                    b'{"code": "no-source", "detail": "not here"}')

        fakes = [self.fake(behave) for _ in range(2)]
        status, out, err = run("pair", "nmnist-train", 1, 2, "--format", "json",
                               *[word for fake in fakes for word in ("--server", fake.url)])
        self.assertEqual((status, err), (OK, ""))
        self.assertEqual(len(json.loads(out)["labels"]), 2)
        self.assertEqual(len(lacking), 2)
        self.assertIn("not here", self.refused(NOT_FOUND, "pair", "nmnist-train", 1, 2, "--server",
                                               lacking[0].url))

    def test_a_token_is_the_first_line_of_its_file(self):
        fake = self.fake(lambda fake, path, n: fake.real(path))
        with daemon.temporary_folder() as folder:
            path = pathlib.Path(folder) / "token"
            path.write_text("sesame\r\nanother line\n", encoding="utf-8")
            status, _, err = run("info", "--token-file", path, url=fake.url)
            self.assertEqual((status, err), (OK, ""))
            self.assertEqual(fake.headers[0]["Authorization"], "Bearer sesame")
            path.write_text("\nsesame\n", encoding="utf-8")
            self.assertIn("first line is empty", self.refused(USAGE, "info", "--token-file", path))
            path.unlink()
            self.assertIn(str(path), self.refused(USAGE, "info", "--token-file", path))

    def test_numbers_are_digits_and_lists_have_no_holes(self):
        for words in (("get", "train", "+1"), ("get", "train", "1e3"), ("get", "train", ""),
                      ("get", "train", " 1"), ("batch", "train", "--indices", "1,,2"),
                      ("mix", "nmnist-train", "1,"), ("batch", "train", "--size=x"),
                      ("play", "nmnist-train", "--pair", "1,-2")):
            self.assertIn("whole number", self.refused(USAGE, *words))
        self.assertIn("goes from 0 to 18446744073709551615",
                      self.refused(USAGE, "get", "train", "18446744073709551616"))
        self.assertIn("a timestep of 1000001 us", self.refused(USAGE, "get", "train", 0,
                                                               "--timestep", 1000001))
        self.assertIn("one of stored, time, published", self.refused(USAGE, "get", "train", 0,
                                                                     "--order", "size"))

    def test_output_that_does_not_arrive_is_told(self):
        if not pathlib.Path("/dev/full").exists():
            self.skipTest("there is no /dev/full")
        for words in (("--help",), ("--version",), ("info",), ("labels", "train"),
                      ("get", "train", 0), ("play", "train", 0), ("get", "train", 0, "--output", "-")):
            with self.subTest(words), open("/dev/full", "wb") as full:
                done = subprocess.run([CLIENT, *map(str, words)], stdout=full, text=True,
                                      stderr=subprocess.PIPE, check=False, timeout=120,
                                      env={**os.environ, "TWONMNIST_SERVER": server.url})
                self.assertEqual(done.returncode, FAILED, done.stderr)
                self.assertIn("standard output: cannot write: ", done.stderr)

    def test_manual_page_and_help_have_the_same_options_and_commands(self):
        page = (ROOT / "doc/twonmnist.1").read_text(encoding="utf-8")
        text = run("--help")[1]
        options = set(re.findall(r"^  --([a-z-]+)", text, re.MULTILINE))
        self.assertGreater(len(options), 15)
        self.assertEqual(set(re.findall(r"^\.It Fl Fl ([a-z-]+)", page, re.MULTILINE)), options)
        commands = set(re.findall(r"^  ([a-z]+) ", text, re.MULTILINE))
        self.assertGreater(len(commands), 5)
        self.assertEqual(set(re.findall(r"^\.It Cm ([a-z]+)", page, re.MULTILINE)), commands)


if __name__ == "__main__":
    unittest.main()
