# SPDX-License-Identifier: Apache-2.0
"""The command line `twonmnist` against servers that mean it no good, and outputs that are full."""
import fcntl
import json
import os
import pathlib
import re
import socket
import subprocess
import threading
import time
import unittest

import daemon
from fake_server import FakeServer, digest_of
from pseudo_terminal import Terminal, plain

CLIENT = daemon.COMMAND_LINE
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


class Hostile(Cli):
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
        self.assertEqual(out.count("\n"), 7)

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

    def test_no_text_of_a_server_reaches_a_terminal_as_it_is(self):
        """Every string of every document, each header and each refusal, in every command."""
        needed = ("name", "kind", "revision", "order", "time_unit", "source", "code")

        def spoil(value, key="", keep=()):
            if isinstance(value, dict):
                return {k: spoil(v, k, keep) for k, v in value.items()} | {NASTY: NASTY}
            if isinstance(value, list):
                return [spoil(v, key, keep) for v in value]
            return NASTY if isinstance(value, str) and key not in keep else value

        nasty_header = "a\x1b[31m\x9b31m\x07"

        def document(fake, path, keep=()):
            status, sent, body = fake.real(path)
            if sent.get("Content-Type") == "application/json":
                body = json.dumps(spoil(json.loads(body), keep=keep), ensure_ascii=False).encode()
                sent["Repr-Digest"] = digest_of(body)
            return status, sent, body

        def headers(fake, path, keep=()):
            status, sent, body = fake.real(path)
            return status, {"Server": nasty_header, **{
                name: value if name in keep else nasty_header for name, value in sent.items()}}, body

        refusal = {key: NASTY for key in ("type", "title", "detail", "code", "instance")}
        refusals = ((404, {"Content-Type": "application/problem+json"},
                     json.dumps(refusal, ensure_ascii=False).encode()),
                    (404, {"Content-Type": nasty_header}, NASTY.encode()),
                    (302, {"Location": "/" + nasty_header}, b""))
        damaged = (document, headers, lambda *asked: headers(*asked, ("Content-Type", "Repr-Digest")))
        refused = [lambda *asked, answer=answer: answer for answer in refusals]
        for answers in (damaged, [lambda *asked: document(*asked, needed), *refused]):
            self.check_all_commands(answers)

    def check_all_commands(self, answers):
        """What each command prints in a terminal where servers answer so; they run together, since
        they wait most of the time."""
        terminals = []
        for answer in answers:
            fake = self.fake(lambda fake, path, n, answer=answer: answer(fake, path))
            for words in (("info",), ("info", "train"), ("info", "-f", "json"),
                          ("info", "train", "-f", "json"), ("labels", "train"), ("get", "train", 0),
                          ("batch", "train", "--size", 4), ("pair", "nmnist-train", 1, 2),
                          ("mix", "nmnist-train", "0,200"), ("play", "train")):
                terminals.append(self.enterContext(Terminal(
                    [CLIENT, *words], TWONMNIST_SERVER=fake.url, TERM="dumb")))
        for terminal in terminals:
            out = terminal.wait()[1].replace("\r\n", "\n").replace("\t", " ")
            self.assertGreater(len(out), 10)
            self.assertTrue(printable(out), (terminal.words, out))

    def test_words_of_the_user_are_told_clean(self):
        for words in (("get", NASTY, 0), (NASTY,), ("get", "train", NASTY), ("--" + NASTY,),
                      ("get", "train", 0, "-o", f"/{NASTY}/x"), ("get", "train", 0, "-o", NASTY + ".png")):
            status, out, err = run(*words)
            self.assertNotEqual(status, OK)
            self.assertTrue(out == "" and printable(err), repr(err))

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
        bars = [line.count("#") + line.count("\u2588") for line in out.splitlines() if re.match(r"[ labels]+\d +[\d,]+  [#\u2588]*$", line)]
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
                      ("mix", "nmnist-train", "1,"), ("batch", "train", "--size=x"), ("render", "train", "x"),
                      ("render", "train", "--scale", "two"),
                      ("play", "nmnist-train", "--pair", "1,-2")):
            self.assertIn("whole number", self.refused(USAGE, *words))
        self.assertIn("goes from 0 to 18446744073709551615",
                      self.refused(USAGE, "get", "train", "18446744073709551616"))
        self.assertIn("goes from 0 to 1000000", self.refused(USAGE, "get", "train", 0,
                                                               "--timestep", 1000001))
        self.assertIn("one of stored, time, published", self.refused(USAGE, "get", "train", 0,
                                                                     "--order", "size"))

    def test_output_that_does_not_arrive_is_told(self):
        if not pathlib.Path("/dev/full").exists():
            self.skipTest("there is no /dev/full")
        for words in (("--help",), ("--version",), ("--reference",), ("help", "get"), ("info",),
                      ("labels", "train"),
                      ("get", "train", 0), ("play", "train", 0), ("get", "train", 0, "--output", "-")):
            with self.subTest(words), open("/dev/full", "wb") as full:
                done = subprocess.run([CLIENT, *map(str, words)], stdout=full, text=True,
                                      stderr=subprocess.PIPE, check=False, timeout=120,
                                      env={**os.environ, "TWONMNIST_SERVER": server.url})
                self.assertEqual(done.returncode, FAILED, done.stderr)
                self.assertIn("standard output: cannot write: ", done.stderr)

    def test_help_tells_of_the_program_and_of_each_command(self):
        for words in (["--help"], ["-h"], ["help"]):
            status, text, err = run(*words)
            self.assertEqual((status, err), (OK, ""))
            for word in ("info [SPLIT]", "play SPLIT [INDEX]", "--server URL", "--completion SHELL",
                         "5  the data are damaged"):
                self.assertIn(word, text)
        commands = re.findall(r"^  ([a-z]+) ", text, re.MULTILINE)
        self.assertEqual(len(commands), 10)
        for command in commands:
            of_it = {run(*words)[1] for words in ((command, "-h"), ("help", command))}
            self.assertEqual(len(of_it), 1)
            text = of_it.pop()
            self.assertTrue(text.startswith(f"Usage: twonmnist {command} "), text)
            self.assertIn("--help", text)
            self.assertTrue(all(len(line) <= 80 for line in text.splitlines()
                                if not line.startswith("  twonmnist")), text)

    def test_every_example_of_the_help_runs(self):
        with daemon.temporary_folder() as folder:
            for command in ("info", "labels", "get", "batch", "pair", "mix", "play", "render",
                            "help"):
                example = run(command, "--help")[1].splitlines()[-1].split()
                self.assertEqual(example[0], "twonmnist")
                status, _, err = run(*example[1:], cwd=folder)
                self.assertEqual((status, err), (OK, ""), example)

    def test_a_command_has_the_options_that_have_a_meaning_for_it(self):
        for words in (("get", "train", 0, "--k", 3), ("labels", "train", "--order", "time"),
                      ("info", "--timestep", 5), ("play", "train", "--format", "text"),
                      ("help", "--server", server.url), ("--once", "get", "train", 0),
                      ("info", "--completion", "bash"), ("pair", "nmnist-train", 1, 2, "--once")):
            option = next(word for word in words if str(word).startswith("--"))
            err = self.refused(USAGE, *words)
            self.assertIn(f"has no option {option}; it has --", err)
        self.assertIn("--indices says which samples; --size has no meaning",
                      self.refused(USAGE, "batch", "train", "--indices", 1, "--size", 2))
        self.assertIn("--pair says which pair; INDEX has no meaning",
                      self.refused(USAGE, "play", "nmnist-train", 3, "--pair", "1,2"))

    def test_wrong_words_are_told_with_what_is_possible(self):
        for words, told in (
                ((), "a command is missing: info, labels, get"),
                (("lables", "train"), 'no command "lables"; there are info, labels, get'),
                (("help", "lables"), 'no command "lables"; there are info, labels, get'),
                (("get", "train"), "get takes SPLIT INDEX"),
                (("get", "train", 0, 1, 2, 3), "get takes SPLIT INDEX"),
                (("get", "train", 0, "--bogus=1"), "no option --bogus "),
                (("get", "train", 0, "-x"), "no option -x "),
                (("play", "train", "--once=1"), "--once takes no value"),
                (("get", "train", 0, "--order"), "--order takes a value: NAME"),
                (("play", "train", "--speed", "1e9"), "goes from 0.001 to 100"),
                (("play", "nmnist-train", "--pair", "1"), "--pair takes SEED,INDEX"),
                (("batch", "train", "--size", 0), "it goes from 1 to 2147483647"),
                (("render", "train", 0, "--scale", 33), "it goes from 1 to 32"),
                (("info", *["--server", server.url] * 17), "more than 16")):
            err = self.refused(USAGE, *words)
            self.assertIn(told, err)
            if words[:1] == ("get",):
                self.assertIn("(see twonmnist get --help)", err)

    def test_options_stand_anywhere_and_have_short_names(self):
        wanted = run("get", "train", 3, "--format", "json")[1]
        for words in (("-f", "json", "get", "train", 3), ("get", "-fjson", "train", 3),
                      ("get", "--format=json", "-s", server.url, "--", "train", 3)):
            self.assertEqual(run(*words), (OK, wanted, ""))


class Files(Cli):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(daemon.temporary_folder()))

    def test_the_ending_says_the_format(self):
        for name, begins in (("a.txt", b"# labels"), ("a.json", b'{"labels"'), ("a", b"# labels"),
                             ("a.npy", b"\x93NUMPY"), ("d.x/.npy", b"# labels")):
            path = self.folder / name
            path.parent.mkdir(exist_ok=True)
            self.assertEqual(run("get", "train", 0, "-o", path), (OK, "", ""))
            self.assertTrue(path.read_bytes().startswith(begins), name)
        self.assertEqual(sorted(os.listdir(self.folder)), ["a", "a.json", "a.npy", "a.txt", "d.x"])

    def test_a_foreign_ending_is_an_error_that_says_what_is_possible(self):
        for words, told in (((), "end in .txt, .json, .bin, .npy or in nothing"),
                            (("--format", "npy"), "end in .txt, .json, .bin, .npy or in nothing")):
            for name in ("x.png", "x.h5", "x.npy.gz", "x.", "x.safetensors"):
                self.assertIn(told, self.refused(USAGE, "get", "train", 0, "-o", self.folder / name,
                                                 *words))
        self.assertIn("files of --format npy end in .npy", self.refused(
            USAGE, "get", "train", 0, "-o", self.folder / "x.json", "-f", "npy"))
        self.assertIn("labels has no format json; it has text, npy",
                      self.refused(USAGE, "labels", "train", "-f", "json"))
        self.assertEqual(os.listdir(self.folder), [])

    def test_a_dash_is_standard_output(self):
        done = subprocess.run([CLIENT, "get", "train", "0", "-f", "npy", "-o", "-"], check=True,
                              capture_output=True, cwd=self.folder,
                              env={**os.environ, "TWONMNIST_SERVER": server.url})
        self.assertTrue(done.stdout.startswith(b"\x93NUMPY"))
        self.assertEqual(os.listdir(self.folder), [])

    def test_binary_data_go_to_no_terminal(self):
        for words in (("get", "train", 0, "-f", "npy"), ("get", "train", 0, "-f", "bin", "-o", "-"),
                      ("labels", "train", "-f", "npy"), ("batch", "train", "-f", "safetensors")):
            with Terminal([CLIENT, *words], TWONMNIST_SERVER=server.url) as terminal:
                status, out = terminal.wait()
            self.assertEqual(status, USAGE)
            self.assertIn("binary data are not for a terminal; --output FILE writes them", out)

    def test_a_device_or_a_fifo_is_written_to_not_replaced(self):
        fifo = self.folder / "fifo"
        os.mkfifo(fifo)
        reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
        self.addCleanup(os.close, reader)
        fcntl.fcntl(reader, fcntl.F_SETPIPE_SZ, 1 << 20)  # more than a sample's text
        self.assertEqual(run("get", "train", 0, "-o", fifo), (OK, "", ""))
        self.assertTrue(os.read(reader, 100).startswith(b"# labels"))
        self.assertTrue(fifo.is_fifo())
        if pathlib.Path("/dev/full").exists():
            self.assertIn("/dev/full: cannot write: ",
                          self.refused(FAILED, "get", "train", 0, "-o", "/dev/full"))

    def test_a_link_stays_one(self):
        (self.folder / "there").write_text("old", encoding="utf-8")
        (self.folder / "link").symlink_to("there")
        self.assertEqual(run("labels", "train", "-o", self.folder / "link"), (OK, "", ""))
        self.assertTrue((self.folder / "link").is_symlink())
        self.assertTrue((self.folder / "there").read_text(encoding="utf-8").startswith("0 "))
        self.assertEqual(sorted(os.listdir(self.folder)), ["link", "there"])

    def test_where_nothing_can_be_written_it_is_told_and_nothing_is_left(self):
        self.assertIn("Is a directory", self.refused(FAILED, "info", "-o", self.folder))
        self.assertIn("No such file", self.refused(FAILED, "info", "-o", self.folder / "no" / "x"))
        self.assertEqual(os.listdir(self.folder), [])


class Shown(Cli):
    """What people see in a terminal."""

    def seen(self, *words, url=None, **environment):
        with Terminal([CLIENT, *words], TWONMNIST_SERVER=url or server.url,
                      **environment) as terminal:
            status, out = terminal.wait()
        self.assertEqual(status, OK, out)
        return out

    def test_colours_are_for_terminals_that_want_them(self):
        self.assertIn("\x1b[1m", self.seen("info"))
        self.assertIn("\x1b[38;5;39m\u2588", self.seen("info", "train"))
        for environment in ({"NO_COLOR": "1"}, {"TERM": "dumb"}, {"TERM": ""}):
            self.assertNotIn("\x1b", self.seen("info", "train", **environment))
        self.assertNotIn("\x1b", run("info", "train")[1])
        self.assertNotIn("\u2588", self.seen("info", "train", LC_ALL="C"))

    def test_it_keeps_to_the_width_of_the_window(self):
        for columns in (60, 80, 132):
            lines = plain(self.seen("info", "train", columns=columns)).splitlines()
            self.assertLessEqual(max(map(len, lines)), columns + 20)  # no word is broken
            cited = [line for line in lines if re.match(r"citation|              [A-Z]", line)]
            self.assertGreater(len(cited), 0)
            self.assertLessEqual(max(map(len, cited)), columns)

    def test_it_says_what_it_waits_for(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with subprocess.Popen([CLIENT, "info", "--server", url], stderr=subprocess.PIPE,
                              text=True) as waiting:
            self.assertRegex(waiting.stderr.readline(), rf"^twonmnist: waiting for {url} "
                             r"\(connection refused\), \d s of 10\n")
            waiting.terminate()

    def test_what_it_waits_for_is_told_clean(self):
        answers = []

        def behave(fake, path, n):
            answers.append(time.monotonic())
            if answers[-1] - answers[0] > 2.1:
                return fake.real(path)
            return 503, {"Content-Type": "application/problem+json"}, json.dumps(
                {"code": "busy", "title": NASTY, "detail": NASTY}, ensure_ascii=False).encode()

        status, _, err = run("info", url=self.fake(behave).url)
        self.assertEqual(status, OK)
        self.assertIn("waiting for", err)
        self.assertTrue(printable(err), repr(err))


if __name__ == "__main__":
    unittest.main()
