# SPDX-License-Identifier: Apache-2.0
"""`twonmnist pull`: the file of a split, whole or not at all, from servers that fail, by pulls that are
killed, and several at once."""
import hashlib
import json
import os
import pathlib
import re
import resource
import shutil
import signal
import subprocess
import threading
import time
import unittest

import daemon
from fake_server import FakeServer, digest_of
from pseudo_terminal import Terminal, plain
from test_stream import FaultyProxy

CLIENT = daemon.COMMAND_LINE
OK, FAILED, USAGE, NOT_FOUND, UNREACHABLE, DAMAGED = range(6)
ROOT = pathlib.Path(os.environ.get("TWONMNIST_SOURCE", pathlib.Path(__file__).parent.parent))
FILE = {"Content-Type": "application/x-safetensors"}


def setUpModule():
    global folder, server, whole, revision
    folder = daemon.generate(unittest.enterModuleContext(daemon.temporary_folder()))
    server = unittest.enterModuleContext(daemon.Daemon(folder))
    whole = (folder / "train.safetensors").read_bytes()
    revision = server.get("/v1/splits/train").json()["revision"]


def words(urls):
    return [word for url in urls for word in ("--server", url)]


def start(*operands, urls=None, **more):
    return subprocess.Popen([CLIENT, "pull", *map(str, operands), *words(urls or [server.url])],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more)


def end(process):
    """Exit status, standard output, standard error."""
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


def is_file(path):
    return re.fullmatch(r"/v1/splits/[^/]*\.safetensors", path)


def range_of(headers):
    """First byte, and the one behind the last."""
    first, last = re.fullmatch(r"bytes=(\d+)-(\d+)", headers["Range"]).groups()
    return int(first), int(last) + 1


def answer(fake, n, body=None, begin=None, stop=None):
    """A part as a server sends it; of other bytes, of another place."""
    first, behind = range_of(fake.headers[n])
    part = whole[first:behind] if body is None else body
    first, behind = first if begin is None else begin, behind if stop is None else stop
    return 206, {**FILE, "Content-Range": f"bytes {first}-{behind - 1}/{len(whole)}"}, part


class Case(unittest.TestCase):
    def setUp(self):
        self.out = pathlib.Path(self.enterContext(daemon.temporary_folder()), "out")
        self.path = self.out / "train.safetensors"

    def fake(self, behave=answer):
        """A server that sends parts of the file as `behave` says, and all else as it is."""
        return self.enterContext(FakeServer(
            lambda fake, path, n: behave(fake, n) if is_file(path) else fake.real(path), server))

    def pull(self, *more, urls=None, name="train"):
        return end(start(name, self.out, *more, urls=urls))

    def hidden(self):
        return sorted(path.name for path in self.out.glob(".*"))

    def check(self, ended, said=""):
        """It went well and without a word, and all is there but nothing else."""
        self.assertEqual(ended, (OK, said, ""))
        self.assertTrue(self.path.read_bytes() == whole)
        self.assertEqual(self.hidden(), [])

    def logged(self, **more):
        """A daemon, and the lines of its access log about the file."""
        log = pathlib.Path(self.enterContext(daemon.temporary_folder()), "log")
        serving = self.enterContext(daemon.Daemon(folder, "--access-log", log))
        return serving.url, lambda: [line for line in map(json.loads, log.read_text().splitlines())
                                     if is_file(line["path"])]


class Pull(Case):
    def test_from_three_servers_each_of_which_sends_a_share(self):
        servers = [self.logged() for _ in range(3)]
        self.check(self.pull(urls=[url for url, _ in servers]))
        lines = daemon.wait_until(lambda: sum(
            line["bytes"] for _, log in servers for line in log()) >= len(whole) and
            [log() for _, log in servers])
        for log in lines:
            self.assertGreater(len(log), 3)
            self.assertEqual({line["status"] for line in log}, {206})
        # One that was slow for once may have been asked twice.
        self.assertLess(sum(line["bytes"] for log in lines for line in log), 1.5 * len(whole))

    def test_what_was_pulled_is_served_on_the_node(self):
        for name in ("train", "test", "nmnist-train", "nmnist-test"):
            self.assertEqual(self.pull(name=name)[0], OK)
            self.assertEqual((self.out / f"{name}.safetensors").read_bytes(),
                             (folder / f"{name}.safetensors").read_bytes())
        socket = self.out / "socket"
        node = subprocess.Popen([daemon.DAEMON, "--data", self.out, "--listen", f"unix:{socket}"],
                                stderr=subprocess.DEVNULL)
        try:
            daemon.wait_until(socket.exists)
            for asked in (["batch", "train", "-f", "safetensors"], ["get", "test", "3"],
                          ["pair", "nmnist-train", "1", "2"]):
                answers = [subprocess.run([CLIENT, *asked, "-o", "-", "--server", url], check=True,
                                          stdout=subprocess.PIPE).stdout
                           for url in (f"unix:{socket}", server.url)]
                self.assertGreater(len(answers[0]), 100)
                self.assertEqual(*answers)
            again = self.out / "again"
            self.assertEqual(end(start("train", again, urls=[f"unix:{socket}"]))[0], OK)
            self.assertEqual((again / "train.safetensors").read_bytes(), whole)
        finally:
            node.terminate()
            node.wait(timeout=60)

    def test_what_is_there_stays_and_is_not_asked_for(self):
        url, log = self.logged()
        self.check(self.pull(urls=[url]))
        before, n = self.path.stat(), len(log())
        for more in ((), ("--verify",)):
            self.check(self.pull(*more, urls=[url]))
        self.check(self.pull("-v", urls=[url]),
                   f"train@{revision[:12]}: {size_words(len(whole))} there already, in {self.path}\n")
        self.assertEqual(self.path.stat(), before)
        self.assertEqual(len(log()), n)

    def test_what_is_there_of_a_named_revision_needs_no_server(self):
        self.check(self.pull())
        for digits in (12, 40, 64):
            self.check(self.pull(name=f"train@{revision[:digits]}", urls=["http://127.0.0.1:1"]))

    def test_it_says_what_it_did_to_people(self):
        with Terminal([CLIENT, "pull", "train", self.out, "--server", server.url]) as terminal:
            status, output = terminal.wait()
        self.assertEqual(status, OK)
        said = plain(output).replace("\r", "\n").split("\n")
        self.assertEqual([line for line in said if line and not re.match(" *[0-9]+ % of ", line)],
                         [f"train@{revision[:12]}: {size_words(len(whole))} copied to {self.path}"])

    def test_progress_is_shown_to_people(self):
        slow = self.fake(lambda fake, n: (fake.closing.wait(0.1), answer(fake, n))[1])
        with Terminal([CLIENT, "pull", "train", self.out, "--server", slow.url]) as terminal:
            terminal.wait_for(rf"\r\x1b\[K *[1-9][0-9]? % of {size_words(len(whole))}")
            self.assertEqual(terminal.wait()[0], OK)

    def test_a_folder_that_cannot_be_is_named(self):
        (file := self.out.parent / "file").write_text("")
        for there, why in ((file, "is no folder"), (file / "x", "Not a directory"),
                           (self.out / "a" / "b", "No such file or directory")):
            status, out, err = end(start("train", there))
            self.assertEqual((status, out), (FAILED, ""))
            self.assertRegex(err, f"^twonmnist: {there}.*{why}\n$")

    def test_no_such_split(self):
        status, _, err = self.pull(name="trian")
        self.assertEqual(status, NOT_FOUND)
        self.assertIn('there is no split "trian"', err)


def size_words(size):
    return f"{size / 1e6:.1f} MB" if size < 1e8 else f"{size / 1e6:.0f} MB"


class Again(Case):
    """A pull that was killed is gone on with."""

    def slow(self):
        return self.fake(lambda fake, n: (fake.closing.wait(0.01), answer(fake, n))[1])

    def part(self):
        parts = list(self.out.glob(".train.*.part"))
        return parts[0].read_bytes() if parts else b""

    def kill_after(self, fake, n):
        process = start("train", self.out, urls=[fake.url])
        daemon.wait_until(lambda: sum(map(bool, map(is_file, fake.paths))) >= n
                          or process.poll() is not None)
        process.send_signal(signal.SIGKILL)
        end(process)

    def test_after_a_kill_at_any_moment_nothing_is_asked_for_that_is_there(self):
        for n in (0, 1, 2, 3, 10, 20, 30, 40, 50):
            with self.subTest(n=n):
                shutil.rmtree(self.out, ignore_errors=True)
                self.kill_after(self.slow(), n)
                if self.path.exists():  # it was quicker
                    self.assertTrue(self.path.read_bytes() == whole)
                    continue
                there = self.part()
                fake = self.fake()
                self.check(self.pull(urls=[fake.url]))
                asked = [range_of(headers) for path, headers in zip(fake.paths, fake.headers)
                         if is_file(path)]
                for begin, stop in asked:
                    self.assertNotEqual(there[begin:stop], whole[begin:stop])
                self.assertEqual(len({begin for begin, _ in asked}), len(asked))
                missing = len(whole) - sum(stop - begin for begin, stop in asked)
                self.assertLessEqual(missing, len(there))
                if n >= 30:
                    self.assertGreater(missing, 0)

    def test_killed_again_and_again_it_ends(self):
        for _ in range(60):
            fake = self.slow()
            self.kill_after(fake, 8)
            if self.path.exists():
                break
        self.check(self.pull())

    def test_by_the_access_log(self):
        self.kill_after(self.slow(), 30)
        url, log = self.logged()
        status, out, _ = self.pull("-v", urls=[url])
        self.assertEqual(status, OK)
        found = float(re.search(r", (\d+\.\d) MB of them by an earlier pull", out)[1])
        self.assertGreater(found, 0)
        sent = sum(line["bytes"] for line in daemon.wait_until(log))
        self.assertAlmostEqual(found, (len(whole) - sent) / 1e6, delta=0.06)

    def test_of_a_part_what_is_wrong_is_asked_for_again(self):
        self.kill_after(self.slow(), 30)
        part, = self.out.glob(".train.*.part")
        size = part.stat().st_size
        with part.open("r+b") as file:
            for at in range(0, size, size // 7):
                file.seek(at)
                file.write(b"wrong")
        self.check(self.pull())

    def test_a_part_of_another_revision_is_none(self):
        self.kill_after(self.slow(), 30)
        part, = self.out.glob(".train.*.part")
        part.rename(self.out / ".train.0123456789ab.part")
        (other := self.out / ".trains.0123456789ab.part").write_bytes(b"other")
        url, log = self.logged()
        self.assertEqual(self.pull(urls=[url]), (OK, "", ""))
        daemon.wait_until(lambda: sum(line["bytes"] for line in log()) == len(whole))
        self.assertEqual(self.hidden(), [other.name])

    def test_pulls_at_once_do_it_once(self):
        url, log = self.logged()
        self.kill_after(self.slow(), 10)
        there = self.part()
        pulls = [start("train", self.out, urls=[url]) for _ in range(5)]
        for process in pulls:
            self.check(end(process))
        sent = sum(line["bytes"] for line in log())
        self.assertLessEqual(sent, len(whole))
        self.assertGreaterEqual(sent, len(whole) - len(there))

    def test_who_waits_for_another_pull_says_so_and_takes_over_when_that_is_killed(self):
        hanging = self.fake(lambda fake, n: None)
        first = start("train", self.out, urls=[hanging.url])
        daemon.wait_until(lambda: any(map(is_file, hanging.paths)))
        second = start("train", self.out)
        self.assertEqual(second.stderr.readline(),
                         f"twonmnist: waiting for another pull of {self.path}\n")
        first.send_signal(signal.SIGKILL)
        end(first)
        self.check(end(second))

    def test_a_disk_that_takes_no_more(self):
        def limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (len(whole) // 2, len(whole) // 2))

        status, out, err = end(start("train", self.out, preexec_fn=limit))
        self.assertEqual((status, out), (FAILED, ""))
        self.assertRegex(err, rf"^twonmnist: {self.out}.*File too large\n$")
        self.assertFalse(self.path.exists())
        self.check(self.pull())

    def test_a_disk_without_room_is_found_out_at_once(self):
        script = (f"mount -t tmpfs -o size={len(whole) // 2} none {self.out.parent} && "
                  f"{CLIENT} pull train {self.out} --server {server.url}; status=$?; "
                  f"ls -A {self.out}; exit $status")
        ended = subprocess.run(["unshare", "-rm", "sh", "-c", script], capture_output=True, text=True)
        if "unshare" in ended.stderr or "mount:" in ended.stderr:
            self.skipTest(f"no namespace to mount a small file system in: {ended.stderr}")
        self.assertEqual((ended.returncode, ended.stdout), (FAILED, ""))
        self.assertEqual(ended.stderr, f"twonmnist: {self.out}: no room for the {len(whole)} bytes of "
                                       "train: No space left on device\n")


class Replacing(Case):
    """What lies there under the name."""

    def other(self):
        """Another revision in the place, and its bytes."""
        self.out.mkdir(exist_ok=True)
        shutil.copy(folder / "train.safetensors", self.path)
        daemon.set_metadata(self.path, citation="another")
        return self.path.read_bytes()

    def test_another_revision_is_replaced_when_all_is_there(self):
        other = self.other()
        seen = []

        def behave(fake, n):
            seen.append(self.path.read_bytes() == other)
            return answer(fake, n)

        self.check(self.pull(urls=[self.fake(behave).url]))
        self.assertGreater(len(seen), 3)
        self.assertTrue(all(seen))

    def test_it_stays_where_nothing_better_comes(self):
        other = self.other()
        damaged = self.fake(lambda fake, n: answer(fake, n, bytes(part_size(fake, n))))
        status, _, err = self.pull(urls=[damaged.url])
        self.assertEqual(status, DAMAGED)
        self.assertEqual(self.path.read_bytes(), other)

    def test_a_damaged_one_is_replaced_when_it_is_looked_at(self):
        self.check(self.pull())
        with self.path.open("r+b") as file:
            file.seek(len(whole) - 100)  # of the events
            file.write(b"rotten")
        status, _, _ = self.pull()
        self.assertEqual(status, OK)
        self.assertNotEqual(self.path.read_bytes(), whole)
        self.check(self.pull("--verify"))
        with self.path.open("r+b") as file:
            file.truncate(len(whole) - 1)
        self.check(self.pull())

    def test_what_is_no_split_is_replaced(self):
        self.out.mkdir()
        self.path.write_text("no split")
        self.check(self.pull())


def part_size(fake, n):
    begin, stop = range_of(fake.headers[n])
    return stop - begin


class Revisions(Case):
    def test_one_that_no_server_has(self):
        self.check(self.pull())
        wanted = "0123456789ab"
        status, _, err = self.pull(name=f"train@{wanted}")
        self.assertEqual(status, DAMAGED)
        self.assertIn(wanted, err)
        self.assertIn(f"loaded at revision {revision}", err)
        self.assertEqual(self.path.read_bytes(), whole)

    def test_one_that_goes_away_meanwhile(self):
        gone = json.dumps({"code": "no-such-revision",
                           "detail": "split train is loaded at revision fedcba987654"}).encode()
        fake = self.fake(lambda fake, n: answer(fake, n) if sum(map(bool, map(is_file, fake.paths))) < 20
                         else (404, {"Content-Type": "application/problem+json"}, gone))
        status, _, err = self.pull(urls=[fake.url])
        self.assertEqual(status, DAMAGED)
        self.assertRegex(err, f"the file of train at revision {revision[:12]}: {fake.url}: has other "
                              "data: split train is loaded at revision fedcba987654")
        self.check(self.pull(urls=[fake.url, server.url]))  # who has it goes on with it

    def test_a_description_out_of_all_bounds(self):
        document = server.get("/v1/splits/train").json()
        more = 2_000_000_000 - document["samples"]
        document["samples"] += more
        document["bytes"] += more * 34  # of the index, for each
        body = json.dumps(document).encode()
        lying = self.enterContext(FakeServer(lambda fake, path, n: (
            200, {"Content-Type": "application/json", "Repr-Digest": digest_of(body)}, body), server))
        status, out, err = self.pull(urls=[lying.url])
        self.assertEqual((status, out), (FAILED, ""))
        self.assertRegex(err, "train: its index has 680000000[0-9]+ bytes; option max_answer_mb allows")

    def test_the_whole_is_checked_and_thrown_away(self):
        data = self.out.parent / "data"
        data.mkdir()
        shutil.copy(folder / "train.safetensors", data)
        daemon.set_metadata(data / "train.safetensors", data_sha256="5" * 64)
        with daemon.Daemon(data, "--scrub-interval-s", "0") as lying:  # which would find it first
            status, _, err = self.pull(urls=[lying.url])
        self.assertEqual(status, DAMAGED)
        self.assertIn(f"has SHA-256 {hashlib.sha256(data_of(whole)).hexdigest()}, not 5555", err)
        self.assertEqual(list(self.out.iterdir()), [])


def data_of(file):
    return file[8 + int.from_bytes(file[:8], "little"):]


class Proxy(FaultyProxy):
    """Lets each piece of an answer become what `change` makes of it."""

    def __init__(self, port, change):
        super().__init__(port)
        self.damage = change


class Servers(Case):
    """One of them goes wrong: the file is right, and no byte of it is another."""

    def proxy(self, port, change):
        proxy = Proxy(port, change)
        self.addCleanup(proxy.close)
        return proxy.url

    def slow_until(self, happened):
        """A server that leaves some of the file to others, on a busy machine too, until it has happened."""
        return self.proxy(server.port, lambda piece: time.sleep(0 if happened() else 0.02) or piece)

    def test_one_is_killed_in_the_middle(self):
        seen, gone = [], threading.Event()

        def pass_on(piece):
            seen.append(len(piece))
            if sum(seen) > 50000:  # in its first part
                victim.process.send_signal(signal.SIGKILL)
                gone.set()
            return piece

        with daemon.Daemon(folder) as victim:
            self.check(self.pull(urls=[self.proxy(victim.port, pass_on),
                                       *(self.slow_until(gone.is_set) for _ in range(2))]))
        self.assertGreater(sum(seen), 50000)

    def test_one_damages_what_passes(self):
        faulty = FaultyProxy(server.port)
        self.addCleanup(faulty.close)
        status, out, err = self.pull(urls=[faulty.url, self.slow_until(lambda: faulty.faults)])
        self.check((status, out, ""))
        self.assertGreater(faulty.faults, 0)

    def test_one_that_always_sends_other_bytes_is_named(self):
        bad = self.fake(lambda fake, n: answer(fake, n, bytes(part_size(fake, n))))
        status, out, err = self.pull(urls=[bad.url, self.slow_until(lambda: any(map(is_file, bad.paths)))])
        self.check((status, out, ""))
        self.assertRegex(err, rf"^(twonmnist: {bad.url}: (the file's header|bytes \d+ to \d+ of the file) "
                              r".*\n)+$")

    def test_all_send_other_bytes(self):
        bad = self.fake(lambda fake, n: answer(fake, n, bytes(part_size(fake, n)))
                        if sum(map(bool, map(is_file, fake.paths))) > 30 else answer(fake, n))
        status, _, err = self.pull(urls=[bad.url])
        self.assertEqual(status, DAMAGED)
        self.assertRegex(err, rf"(?m)^twonmnist: the file of train: {bad.url}: bytes \d+ to \d+ of the "
                              "file are damaged: their CRC-32C is ")
        self.assertFalse(self.path.exists())

    def test_one_hangs(self):
        self.check(self.pull(urls=[self.fake(lambda fake, n: None).url, server.url]))

    def test_one_trickles(self):
        passed = []

        def trickle(piece):
            if passed:
                time.sleep(0.5)
            passed.append(len(piece))
            return piece

        proxy = Proxy(server.port, trickle)
        self.addCleanup(proxy.close)
        self.check(self.pull(urls=[proxy.url, server.url]))
        self.assertLess(sum(passed), len(whole) // 4)

    LIES = {
        "all of it": lambda fake, n: (200, FILE, whole),
        "another part": lambda fake, n: answer(fake, n, begin=0, stop=part_size(fake, n)),
        "too little": lambda fake, n: answer(fake, n, whole[:part_size(fake, n) - 1]),
        "too much": lambda fake, n: answer(fake, n, whole[:part_size(fake, n) + 1]),
        "nothing": lambda fake, n: answer(fake, n, b""),
        "no safetensors": lambda fake, n: (206, {"Content-Type": "text/html"}, b"<html>"),
        "no such thing": lambda fake, n: (404, {}, b""),
        "a short whole": lambda fake, n: (200, FILE, whole[:1000]),
    }

    def test_a_part_that_ends_early_is_asked_for_again(self):
        cut = []

        def behave(fake, n):
            if cut:
                return answer(fake, n)
            cut.append(n)
            return answer(fake, n, answer(fake, n)[2][:100])

        self.check(self.pull(urls=[self.fake(behave).url]))
        self.assertEqual(len(cut), 1)

    def test_one_lies(self):
        for lie, behave in self.LIES.items():
            with self.subTest(lie=lie):
                shutil.rmtree(self.out, ignore_errors=True)
                lying = self.fake(behave)
                if lie != "no such thing":  # which ends it: the others are like it
                    self.check(self.pull(urls=[lying.url, server.url]))
                    shutil.rmtree(self.out)
                status, _, err = self.pull(urls=[lying.url])
                self.assertEqual(status, NOT_FOUND if lie == "no such thing" else DAMAGED, err)
                self.assertIn(lying.url, err)
                self.assertFalse(self.path.exists())


class Units(Case):
    @unittest.skipIf(shutil.which("systemd-analyze") is None, "there is no systemd-analyze")
    def test_systemd_has_nothing_to_say_against_them(self):
        units = self.out.parent
        for kind in ("service", "timer"):
            text = (ROOT / f"etc/twonmnist-pull@.{kind}").read_text(encoding="utf-8")
            (units / f"twonmnist-pull@train.{kind}").write_text(
                text.replace("/usr/bin/twonmnist", str(CLIENT.resolve())), encoding="utf-8")
        ended = subprocess.run(["systemd-analyze", "verify", "--man=no", "twonmnist-pull@train.service",
                                "twonmnist-pull@train.timer"], capture_output=True, text=True,
                               env={**os.environ, "SYSTEMD_UNIT_PATH": f"{units}:"})
        self.assertEqual((ended.returncode, ended.stdout, ended.stderr), (0, "", ""))


if __name__ == "__main__":
    unittest.main()
