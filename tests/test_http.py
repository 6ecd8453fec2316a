# SPDX-License-Identifier: Apache-2.0
"""What answers say in HTTP's own words: caches, ranges, negotiation, HEAD, limits; and that the
memory for them comes back."""
import base64
import gzip
import http.client
import json
import socket
import time
import unittest

import daemon
import safetensors_reader

DEADLINE_S = 60  # no limit on speed: what has not come by then never comes

FILE = "/v1/splits/train.safetensors"

# Answers of every kind.
PATHS = (
    "/healthz", "/readyz", "/v1/splits", "/v1/splits/train", FILE, "/v1/splits/train/labels.json",
    "/v1/splits/train/labels.npy", "/v1/splits/train/samples", "/v1/splits/train/samples?length=7",
    "/v1/splits/train/samples/3", "/v1/splits/train/samples/3.bin",
    "/v1/splits/train/samples/3.npy", "/v1/splits/train/samples/3.json",
    "/v1/splits/train/samples/3.bin?timestep=500", "/v1/splits/train/samples/3.npy?timestep=500",
    "/v1/splits/train/samples/3.bin?order=published",
    "/v1/splits/train/samples/3.bin?as=frames&bins=4",
    "/v1/splits/train/samples/3.npy?as=frames&bins=4",
    "/v1/splits/train/samples/3.json?as=frames&bins=1",
    "/v1/splits/train/batch.safetensors?indices=5,1,5",
    "/v1/splits/train/batch.safetensors?indices=5,1,5&timestep=2000",
    "/v1/splits/train/batch.safetensors?indices=5,1,5&as=frames&bins=3",
    "/v1/splits/train/batch.json?indices=5,1",
    "/v1/splits/train/epochs/1/2/batches/0.safetensors?size=20",
    "/v1/sources/nmnist-train/samples/3.bin", "/v1/sources/nmnist-train/samples?length=3",
    "/v1/mix/nmnist-train/0,299.bin", "/v1/mix/nmnist-train/0,299.npy",
    "/v1/mix/nmnist-train/0,299.json", "/v1/pairs/nmnist-train/7/9.bin",
    "/v1/pairs/nmnist-train/7/batches/1.safetensors?size=3",
    # and those that are refused
    "/nothing", "/v1/splits/nope", "/v1/splits/train/samples/99999.bin",
    "/v1/splits/train/samples/x.bin", "/v1/splits/train/samples/3.txt",
    "/v1/splits/train/samples/3.bin?colour=red", "/v1/splits/train/batch.safetensors?indices=99999",
    "/v1/splits/train/epochs/1/2/batches/999.safetensors", "/v1/mix/nmnist-train/0,1.bin",
    "/v1/splits/train/epochs/1/2/batches/0.safetensors?size=2000",
    "/v1/pairs/nmnist-train/7/batches/1.safetensors?size=1000&as=frames",
    "/v1/pairs/nmnist-train/7/batches/1.json?size=1000&as=frames",
    "/v1/splits/train/epochs/1/2/batches/0.json?size=1000&as=frames&bins=4096",
)


def setUpModule():
    global server, folder
    folder = daemon.generate(unittest.enterModuleContext(daemon.temporary_folder()), "--count",
                             "300,60", "--seed", 5, source="synthetic")
    server = unittest.enterModuleContext(daemon.Daemon(folder)).wait_until_verified()


def unlabelled(split):
    """The split's file with no label at its first sample."""
    data = bytearray(split)
    length = int.from_bytes(data[:8], "little")
    begin = 8 + length + json.loads(data[8:8 + length])["labels"]["data_offsets"][0]
    data[begin:begin + 10] = bytes(10)
    return safetensors_reader.seal(bytes(data))


def raw(port, method, path, headers=(), body=None):
    """(status, headers, body) of a request whose header lines are as they are given."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE_S)
    connection.putrequest(method, path)
    for name, value in headers:
        connection.putheader(name, value)
    connection.endheaders(body)
    answer = connection.getresponse()
    got = answer.status, dict(answer.getheaders()), answer.read()
    connection.close()
    return got


class Case(unittest.TestCase):
    def get(self, path, status=200, to=None, **more):
        answer = (to or server).get(path, **more)
        self.assertEqual(answer.status, status, f"{path}: {answer.body[:500]}")
        return answer

    def refused(self, path, status, code, to=None, **more):
        about = self.get(path, status, to, **more).json()
        self.assertEqual(about["code"], code)
        return about


class Caches(Case):
    def test_what_is_not_there_is_never_said_to_be_unchanged(self):
        etag = self.get("/v1/splits/train/samples/0.bin").headers["ETag"]
        blob = self.get("/v1/splits/train/batch.safetensors?indices=0").headers["ETag"]
        for path, tag in (("/v1/splits/train/samples/99999.bin", etag),
                          ("/v1/splits/train/batch.safetensors?indices=0,99999", blob),
                          ("/v1/splits/train/epochs/0/0/batches/999.safetensors", blob),
                          ("/v1/mix/nmnist-train/0,99999.bin", etag),
                          ("/v1/sources/nmnist-train/samples/99999.bin", etag),
                          ("/v1/splits/nope/samples/0.bin", etag)):
            for method in ("GET", "HEAD"):
                for value in ("*", tag):
                    with self.subTest(path=path, method=method, value=value):
                        self.get(path, 404, method=method, If_None_Match=value)

    def test_what_a_client_has_comes_without_a_body_and_with_no_other_length(self):
        for path in ("/v1/splits/train/samples/0.bin", "/v1/splits/train", FILE,
                     "/v1/splits/train/batch.safetensors?indices=1,2",
                     "/v1/mix/nmnist-train/0,299.bin"):
            whole = self.get(path)
            for value in ("*", whole.headers["ETag"], f'"x", {whole.headers["ETag"]}, "y"',
                          "W/" + whole.headers["ETag"]):
                again = self.get(path, 304, If_None_Match=value)
                self.assertEqual(again.body, b"")
                for name in ("ETag", "Cache-Control", "Vary"):
                    self.assertEqual(again.headers[name], whole.headers[name])
                self.assertIn(again.headers["Content-Length"], (None, str(len(whole.body))))

    def test_the_answer_to_a_post_is_not_to_be_kept(self):
        revision = self.get("/v1/splits/train").json()["revision"]
        for split in ("train", f"train@{revision}"):
            for more in ({}, {"If_None_Match": "*"}):
                answer = self.get(f"/v1/splits/{split}/batch.safetensors", method="POST",
                                  body=b'{"indices": [1]}', **more)
                self.assertEqual(answer.headers["Cache-Control"], "no-store")
                self.assertIsNone(answer.headers["ETag"])

    def test_errors_are_not_to_be_kept(self):
        for path in ("/nothing", "/v1/splits/train/samples/99999.bin"):
            answer = self.get(path, 404)
            self.assertEqual(answer.headers["Cache-Control"], "no-store")
            self.assertIsNone(answer.headers["ETag"])


class Ranges(Case):
    def test_a_range_is_of_a_get_alone(self):
        whole = self.get(FILE)
        self.get(FILE, 206, Range="bytes=0-9")
        for text in ("bytes=0-9", f"bytes={len(whole.body)}-"):
            head = self.get(FILE, method="HEAD", Range=text)
            self.assertEqual(head.headers["Content-Length"], str(len(whole.body)))
            self.assertIsNone(head.headers["Content-Range"])

    def test_ranges_past_the_end_or_with_blanks_are_read(self):
        n = len(self.get(FILE).body)
        self.refused(FILE, 416, "range-not-satisfiable", Range="bytes=99999999999999999999-")
        self.assertEqual(self.get(FILE, 206, Range="bytes=0-5 ").headers["Content-Range"],
                         f"bytes 0-5/{n}")
        self.assertEqual(len(self.get(FILE, 206, Range="bytes=-99999999999999999999").body), n)

    def test_a_part_is_of_exactly_the_answer_that_is_named(self):
        etag = self.get(FILE).headers["ETag"]
        self.get(FILE, 206, Range="bytes=0-9", If_Range=etag)
        for other in (f"W/{etag}", etag[:17] + '"', etag[:-1], etag[:17] + '.json"', etag + "x",
                      f"{etag}, {etag}", '"other"', "Sun, 06 Nov 1994 08:49:37 GMT"):
            with self.subTest(other=other):
                self.get(FILE, 200, Range="bytes=0-9", If_Range=other)


class Negotiation(Case):
    def test_a_client_gets_what_it_likes_best(self):
        npy, binary = "application/x-npy", "application/octet-stream"
        for accept, best in (
                ("*/*", "application/json"),
                (f"application/json;Q=0.5, {npy}", npy),
                (f"application/json;  q=0.5 , {npy}", npy),
                (f"application/json;\tq=0.5, {npy}", npy),
                (f"application/json;q=0, {binary};q=0.1", binary),
                (f"APPLICATION/X-NPY, {binary};q=0.9", npy),
                (f"application/*;q=0.1, {binary}", binary)):
            with self.subTest(accept=accept):
                answer = self.get("/v1/splits/train/samples/3", Accept=accept)
                self.assertEqual(answer.headers["Content-Type"], best)
                self.assertEqual(answer.headers["Vary"], "Accept, Origin")
        self.refused("/v1/splits/train/samples/3", 406, "not-acceptable", Accept="*/*;q=0")

    def test_an_extension_outweighs_what_is_accepted(self):
        answer = self.get("/v1/splits/train/samples/3.npy", Accept="application/json")
        self.assertEqual(answer.headers["Content-Type"], "application/x-npy")
        self.assertEqual(answer.headers["Vary"], "Origin")

    def test_texts_about_a_split_come_as_gzip_to_whom_takes_it(self):
        for path in ("/v1/splits/train", "/v1/splits/train/labels.json"):
            plain = self.get(path)
            self.assertIsNone(plain.headers["Content-Encoding"])
            self.assertIn("Accept-Encoding", plain.headers["Vary"])
            for accepted in ("gzip", "br, GZIP ; q=0.5", "deflate,gzip;q=1.0"):
                with self.subTest(path=path, accepted=accepted):
                    coded = self.get(path, **{"Accept-Encoding": accepted})
                    self.assertEqual(coded.headers["Content-Encoding"], "gzip")
                    self.assertEqual(gzip.decompress(coded.body), plain.body)
                    self.assertLess(len(coded.body), len(plain.body))
                    crc = safetensors_reader.crc32c(coded.body).to_bytes(4, "big")
                    self.assertEqual(coded.headers["Repr-Digest"],
                                     f"crc32c=:{base64.b64encode(crc).decode()}:")
                    self.assertNotEqual(coded.headers["ETag"], plain.headers["ETag"])
                    again = self.get(path, 304, **{"Accept-Encoding": accepted,
                                                   "If-None-Match": coded.headers["ETag"]})
                    self.assertEqual(again.body, b"")
                    other = self.get(path, **{"Accept-Encoding": accepted,
                                              "If-None-Match": plain.headers["ETag"]})
                    self.assertEqual(other.body, coded.body)
            for accepted in ("gzip;q=0", "identity", "gzipped", "*", ""):
                with self.subTest(path=path, accepted=accepted):
                    answer = self.get(path, **{"Accept-Encoding": accepted})
                    self.assertIsNone(answer.headers["Content-Encoding"])
                    self.assertEqual(answer.body, plain.body)

    def test_the_list_comes_as_gzip_to_whom_takes_it(self):
        daemon.wait_until(lambda: all(split["scrub"]["finished"]
                                      for split in self.get("/v1/splits").json()["splits"]))
        plain = self.get("/v1/splits")
        self.assertEqual(self.get("/v1/splits").body, plain.body)
        coded = self.get("/v1/splits", **{"Accept-Encoding": "gzip"})
        self.assertEqual(coded.headers["Content-Encoding"], "gzip")
        self.assertEqual(gzip.decompress(coded.body), plain.body)

    def test_samples_come_as_they_are_whatever_is_taken(self):
        answer = self.get("/v1/splits/train/samples/3.bin", **{"Accept-Encoding": "gzip"})
        self.assertIsNone(answer.headers["Content-Encoding"])
        self.assertEqual(answer.headers["Vary"], "Origin")

    def test_header_lines_of_one_name_are_one_list(self):
        path = "/v1/splits/train/samples/3"
        status, headers, _ = raw(server.port, "GET", path,
                                 [("Accept", "image/png"), ("Accept", "application/x-npy")])
        self.assertEqual((status, headers.get("Content-Type")), (200, "application/x-npy"))
        etag = self.get(path + ".npy").headers["ETag"]
        status, _, _ = raw(server.port, "GET", path + ".npy",
                           [("If-None-Match", '"other"'), ("If-None-Match", etag)])
        self.assertEqual(status, 304)


class Heads(Case):
    def test_a_head_says_what_a_get_does(self):
        for path in PATHS:
            with self.subTest(path=path):
                status, headers, body = raw(server.port, "GET", path)
                head_status, head, nothing = raw(server.port, "HEAD", path)
                self.assertEqual((head_status, nothing), (status, b""))
                for name in ("Content-Length", "Repr-Digest"):  # where they are known
                    if name not in head:
                        headers.pop(name, None)
                if "Content-Length" in head:
                    self.assertEqual(head["Content-Length"], str(len(body)))
                for name in ("Date", "Connection", "Transfer-Encoding"):  # of the way, not of what
                    headers.pop(name, None)
                    head.pop(name, None)
                self.assertEqual(head, headers)


class Samples(Case):
    def test_a_sample_without_labels_says_nothing_of_them(self):
        data = (folder / "train.safetensors").read_bytes()
        tensors = safetensors_reader.read(data)[0]
        with daemon.temporary_folder() as other:
            with open(f"{other}/train.safetensors", "wb") as file:
                file.write(unlabelled(data))
            with daemon.Daemon(other) as served:
                answer = self.get("/v1/splits/train/samples/0.bin", to=served)
                self.assertIsNone(answer.headers["Twonmnist-Labels"])
                self.assertEqual(answer.body,
                                 tensors["events"][:tensors["offsets"][1]].tobytes())
                about = self.get("/v1/splits/train/samples/0.json", to=served).json()
                self.assertEqual(about["labels"], [])
                labelled = self.get("/v1/splits/train/samples/1.bin", to=served)
                self.assertTrue(labelled.headers["Twonmnist-Labels"])
                batch = self.get("/v1/splits/train/batch.safetensors?indices=0", to=served)
                self.assertFalse(safetensors_reader.read(batch.body)[0]["labels"].any())


class Limits(Case):
    def test_a_page_has_100_rows_whatever_a_batch_may_have(self):
        with daemon.Daemon(folder, "--max-batch-size", 8) as small:
            path = "/v1/splits/train/samples"
            here, there = self.get(path), self.get(path, to=small)
            self.assertEqual(len(here.json()["samples"]), 100)
            self.assertEqual((there.body, there.headers["ETag"]), (here.body, here.headers["ETag"]))
            self.assertEqual(self.refused(path + "?length=9", 413, "too-large", small)["limit"], 8)

    def test_what_is_too_much_names_its_limit(self):
        indices = ",".join(["0"] * 1025)
        for path, limit in (
                (f"/v1/splits/train/batch.safetensors?indices={indices}", 1024),
                ("/v1/splits/train/samples?length=1025", 1024),
                ("/v1/splits/train/epochs/0/0/batches/0.safetensors?size=1025", 1024),
                ("/v1/pairs/nmnist-train/0/batches/0.safetensors?size=2050&world=2", 1024),
                ("/v1/pairs/nmnist-train/0/batches/0.safetensors?size=1024&as=frames", 268435456),
                ("/v1/pairs/nmnist-train/0/batches/0.json?size=1024&as=frames", 268435456)):
            with self.subTest(path=path[:90]):
                self.assertEqual(self.refused(path, 413, "too-large")["limit"], limit)
        about = self.refused("/" + "x" * 8192, 414, "url-too-long")
        self.assertEqual(about["limit"], 8192)
        about = self.refused("/v1/splits/train/epochs/0/0/batches/999.safetensors", 404,
                             "no-such-batch")
        self.assertEqual(about["batches"], -(-about_samples() // 64))

    def test_a_budget_that_is_used_up_says_when_to_come_again(self):
        path = "/v1/splits/train/batch.safetensors?indices=0,1&as=frames"  # 1.4 MB
        for option in ("--max-pending-bytes", "--max-pending-bytes-per-address"):
            with self.subTest(option=option), daemon.Daemon(folder, option, 1 << 20) as small:
                answer = self.get(path, 503, to=small)
                self.assertEqual(answer.json()["code"], "busy")
                self.assertIn("max_pending_bytes", answer.json()["detail"])
                self.assertGreater(int(answer.headers["Retry-After"]), 0)
                self.get("/v1/splits/train/samples/0.bin", to=small)


def about_samples():
    return len(safetensors_reader.read((folder / "train.safetensors").read_bytes())[0]["labels"])


class Budget(Case):
    LARGE = 4096  # bins: 9.5 MB

    def path(self, bins):
        return f"/v1/splits/train/samples/0.bin?as=frames&bins={bins}"

    def begin_large(self, port, address):
        """Ask for a large answer from an address, and read no more than its beginning. What the one
        before had claimed comes back only a moment after its last byte."""
        end = time.monotonic() + DEADLINE_S
        while time.monotonic() < end:
            connection = socket.create_connection(("127.0.0.1", port), DEADLINE_S, (address, 0))
            self.addCleanup(connection.close)
            connection.sendall(f"GET {self.path(self.LARGE)} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
            status = connection.recv(12)
            if status == b"HTTP/1.1 200":
                return connection
            self.assertEqual(status, b"HTTP/1.1 503")
        return self.fail("memory that was claimed never came back")

    def ask(self, port, bins, address="127.0.0.1"):
        """The status of an answer that takes 2312 bytes of budget for each bin, read to its end."""
        connection = http.client.HTTPConnection("127.0.0.1", port, DEADLINE_S, (address, 0))
        connection.request("GET", self.path(bins))
        answer = connection.getresponse()
        answer.read()
        connection.close()
        return answer.status

    def until_given(self, port, bins):
        """What was claimed by those who are gone comes back without anybody's doing."""
        end = time.monotonic() + DEADLINE_S
        while self.ask(port, bins) != 200:
            self.assertLess(time.monotonic(), end, "memory that was claimed never came back")

    def test_one_address_cannot_take_what_others_need(self):
        with daemon.Daemon(folder, "--max-pending-bytes-per-address", 12 << 20) as served:
            slow = self.begin_large(served.port, "127.0.0.2")
            self.assertEqual(self.ask(served.port, self.LARGE, "127.0.0.2"), 503)
            self.assertEqual(self.ask(served.port, self.LARGE), 200)
            slow.close()

    def test_all_that_was_claimed_comes_back(self):
        """To less than one bin: the largest answer that a fresh daemon gives is given after all."""
        with daemon.Daemon(folder, "--max-pending-bytes", 1 << 20) as served:
            bins = next(bins for bins in range((1 << 20) // 2312, 0, -1)
                        if self.ask(served.port, bins) == 200)
            for path in PATHS:
                for method in ("GET", "HEAD"):
                    raw(served.port, method, path)
                    raw(served.port, method, path, [("If-None-Match", "*")])
            for body in (b'{"indices": [1]}', b'{"indices": [99999]}', b"{", b""):
                raw(served.port, "POST", "/v1/splits/train/batch.safetensors",
                    [("Content-Length", str(len(body)))], body)
            self.until_given(served.port, bins)
            self.assertEqual(self.ask(served.port, bins + 1), 503)

    def test_what_was_claimed_for_those_who_hang_up_comes_back(self):
        with daemon.Daemon(folder, "--max-pending-bytes", 12 << 20) as served:
            for _ in range(5):
                self.begin_large(served.port, "127.0.0.1").close()
                self.until_given(served.port, self.LARGE)


if __name__ == "__main__":
    unittest.main()
