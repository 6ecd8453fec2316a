# SPDX-License-Identifier: Apache-2.0
"""libtwonmnist takes nothing that was damaged on its way, and no answer to another request."""
import json
import subprocess
import unittest
from concurrent.futures import ThreadPoolExecutor

import daemon
from fake_server import FakeServer

DRIVER = daemon.BUILD / "tests/client_driver"
COMMAND_LINE = daemon.COMMAND_LINE
QUICK = ("retries=0", "call_patience_s=0", "patience_s=0")


def setUpModule():
    global server
    folder = daemon.generate(unittest.enterModuleContext(daemon.temporary_folder()))
    server = unittest.enterModuleContext(daemon.Daemon(folder))


def drive(*words):
    ended = subprocess.run([DRIVER, *map(str, words)], capture_output=True, text=True, timeout=300)
    assert ended.returncode == 0, (ended.returncode, ended.stderr)
    return ended.stdout.splitlines()


def places(body):
    """Where the parts of a batch lie in its file: name -> (begin, end)."""
    start = 8 + int.from_bytes(body[:8], "little")
    parts = {name: tuple(start + at for at in tensor["data_offsets"])
             for name, tensor in json.loads(body[8:start]).items() if name != "__metadata__"}
    return {"length": (0, 8), "header": (8, start), **parts}


class Verified(unittest.TestCase):
    def fake(self, change):
        """In front of the daemon; of batches it changes the body by change(body)."""
        def behave(fake, path, n):
            status, headers, body = fake.real(path)
            return status, headers, change(body) if "batch" in path else body

        return self.enterContext(FakeServer(behave, server))

    def test_a_flipped_bit_is_refused_wherever_it_lies(self):
        at = bit = 0
        fake = self.fake(lambda body: body[:at] + bytes([body[at] ^ 1 << bit]) + body[at + 1:])
        whole = server.get("/v1/splits/train/batch.safetensors?indices=2,0,1").body
        for part, (begin, end) in places(whole).items():
            step = 1 if part == "labels" else max(1, (end - begin) // 3)
            for at in range(begin, end, step):
                for bit in (0, 5) if part != "labels" else (0,):
                    with self.subTest(part=part, at=at - begin, bit=bit):
                        line = drive("get", *QUICK, fake.url)[-1]
                        self.assertRegex(line, "^samples E(BADMSG|STALE|PROTO) ")
                        self.assertIn(fake.url, line)

    def mix(self, change):
        """What the command line says of a mix whose answer becomes change(headers, body)."""
        def behave(fake, path, n):
            status, headers, body = fake.real(path)
            if "/v1/mix/" in path:
                headers, body = change(headers, body)
            return status, headers, body

        fake = self.enterContext(FakeServer(behave, server))
        return subprocess.run([COMMAND_LINE, "mix", "nmnist-train", "0,200", "--format", "json",
                               "--server", fake.url], capture_output=True, text=True, timeout=100)

    def test_a_label_of_a_mix_that_flipped_is_refused(self):
        """The body of a .bin is events alone: what else there is to know came in headers that
        nothing covered."""
        whole = server.get("/v1/mix/nmnist-train/0,200.safetensors").body
        octets = [(part, at, begin + at) for part in ("labels", "sources")
                  for begin, end in [places(whole)[part]] for at in range(end - begin)]

        def flipped(octet):
            at = octet[-1]
            return self.mix(lambda headers, body: (
                headers, body[:at] + bytes([body[at] ^ 1]) + body[at + 1:]))

        with ThreadPoolExecutor(len(octets)) as at_once:  # each asks again for seconds
            for (part, at, _), ended in zip(octets, at_once.map(flipped, octets)):
                with self.subTest(part=part, at=at):
                    self.assertNotEqual(ended.returncode, 0)
                    self.assertEqual(ended.stdout, "")
                    self.assertIn("its CRC-32C is", ended.stderr)

    def test_headers_that_nothing_covers_are_not_believed(self):
        right = self.mix(lambda headers, body: (headers, body))
        self.assertEqual(right.returncode, 0, right.stderr)
        shown = json.loads(right.stdout)
        self.assertEqual((len(shown["labels"]), shown["sources"]), (2, [0, 200]))
        other = self.mix(lambda headers, body: (
            {**headers, "Twonmnist-Labels": "4, 7", "Twonmnist-Sources": "1, 2",
             "Twonmnist-Revision": "0" * 64}, body))
        self.assertEqual((other.returncode, other.stdout), (0, right.stdout))

    def test_a_description_needs_its_digest(self):
        def behave(fake, path, n):
            status, headers, body = fake.real(path)
            del headers["Repr-Digest"]
            return status, headers, body

        fake = self.enterContext(FakeServer(behave, server))
        for command in ("info", "labels"):
            ended = subprocess.run([COMMAND_LINE, command, "train", "--server", fake.url],
                                   capture_output=True, text=True, timeout=100)
            self.assertNotEqual(ended.returncode, 0)
            self.assertIn("no Repr-Digest", ended.stderr)

    def test_labels_that_changed_places_are_refused(self):
        def swap(body):
            begin, end = places(body)["labels"]
            return body[:begin] + body[begin:end][::-1] + body[end:]

        self.assertRegex(drive("get", *QUICK, self.fake(swap).url)[-1],
                         "^samples EBADMSG .*its CRC-32C is [0-9a-f]{8}, the server said")

    def test_what_was_damaged_is_asked_for_elsewhere(self):
        def flip(body):
            at = places(body)["labels"][0]
            return body[:at] + bytes([body[at] ^ 1]) + body[at + 1:]

        line = drive("get", self.fake(flip).url, server.url)[-1]
        self.assertEqual(line.split()[:3], ["samples", "ok", server.url])

    def test_a_cache_that_keeps_what_was_damaged_is_told_to_ask_anew(self):
        asked = []

        def behave(fake, path, n):
            status, headers, body = fake.real(path)
            if "batches/0." in path:
                asked.append(fake.headers[n]["Cache-Control"])
                if asked[-1] != "no-cache":
                    body = body[:-1] + bytes([body[-1] ^ 1])
            return status, headers, body

        fake = self.enterContext(FakeServer(behave, server))
        self.assertEqual(drive("epoch", fake.url)[-2], "end ok")
        self.assertEqual(asked, [None, "no-cache"])
        self.assertEqual({headers["Cache-Control"] for path, headers in zip(fake.paths, fake.headers)
                          if "batches/0." not in path}, {None})

    def test_an_answer_to_another_request_is_refused(self):
        for old, new, words in (
                ("size=8", "size=9", ""), ("world=1", "world=2", ""), ("last=short", "last=pad", ""),
                ("last=short", "last=short&timestep=1000", "timestep is 1000 instead of not said"),
                ("last=short", "last=short&order=published", "order is published instead of time"),
                ("/epochs/5/", "/epochs/6/", "request is .*epochs/6/"),
                ("epochs/5/2", "epochs/5/3", ""), ("batches/0", "batches/1", "")):
            with self.subTest(asked=new):
                fake = self.enterContext(FakeServer(
                    lambda fake, path, n: fake.real(path.replace(old, new)), server))
                line = drive("epoch", *QUICK, fake.url)[-2]
                self.assertRegex(line, f"^end EPROTO .*{fake.url}.*another request: .*{words}")

    def test_labels_of_a_split_need_their_digest(self):
        def behave(fake, path, n):
            status, headers, body = fake.real(path)
            if "labels" in path:
                del headers["Repr-Digest"]
            return status, headers, body

        fake = self.enterContext(FakeServer(behave, server))
        ended = subprocess.run([COMMAND_LINE, "labels", "train", "--server", fake.url],
                               capture_output=True, text=True, timeout=100)
        self.assertNotEqual(ended.returncode, 0)
        self.assertIn("no Repr-Digest", ended.stderr)


if __name__ == "__main__":
    unittest.main()
