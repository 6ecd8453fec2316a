# SPDX-License-Identifier: Apache-2.0
"""WebDataset shards: what the daemon answers and what the generator writes, byte for byte, in the hands
of those who read tar archives."""
import base64
import ctypes
import ctypes.util
import io
import itertools
import json
import pathlib
import random
import shutil
import subprocess
import tarfile
import unittest
import urllib.parse

import numpy as np

import daemon
import generator
from fake_server import digest_of

PER_SHARD = 20


def setUpModule():
    global server, folder, files
    folder = pathlib.Path(unittest.enterModuleContext(daemon.temporary_folder()))
    daemon.generate(folder / "data", "--count", "60,10", "--seed", "4", source="synthetic")
    server = unittest.enterModuleContext(daemon.Daemon(folder / "data"))
    files = {path.stem: generator.read(folder / "data", path.stem)
             for path in (folder / "data").glob("*.safetensors")}


def members(body):
    """{name: bytes} of a tar archive, in order."""
    with tarfile.open(fileobj=io.BytesIO(body), mode="r:") as archive:
        return {member.name: archive.extractfile(member).read() for member in archive}


def web_dataset(body):
    """Samples as WebDataset's conventions say: members that follow each other and have one name up to the
    first dot of their last part are a sample, what follows the dot says which of it they are."""
    def split(name):
        path, _, base = name.rpartition("/")
        key, _, ending = base.partition(".")
        return (f"{path}/{key}" if path else key), ending

    for key, some in itertools.groupby(members(body).items(), lambda member: split(member[0])[0]):
        sample = {"__key__": key}
        for name, content in some:
            ending = split(name)[1]
            assert ending not in sample, name
            sample[ending] = content
        yield sample


class ShardsTest(unittest.TestCase):
    def get(self, path, status=200, **more):
        answer = server.get(path, **more)
        self.assertEqual(answer.status, status, (path, answer.body[:300]))
        return answer

    def listing(self, split, query=f"per_shard={PER_SHARD}"):
        return self.get(f"/v1/splits/{split}/shards?{query}").json()

    def shards(self, split, query=f"per_shard={PER_SHARD}"):
        """All of them, by name."""
        return {row["name"]: self.get(f"/v1/splits/{split}/shards/{row['name']}?{query}").body
                for row in self.listing(split, query)["shards"]}

    def refused(self, path, status, code, words):
        about = self.get(path, status).json()
        self.assertEqual(about["code"], code)
        self.assertIn(words, about["detail"])


class Content(ShardsTest):
    def test_every_sample_is_in_one_shard_with_what_is_known_of_it(self):
        for split, (tensors, metadata) in files.items():
            offsets, keys = tensors["offsets"], []
            revision = self.get(f"/v1/splits/{split}").json()["revision"]
            for name, body in self.shards(split).items():
                first = PER_SHARD * int(name[-10:-4])
                for i, sample in enumerate(web_dataset(body), first):
                    keys.append(sample.pop("__key__"))
                    about = json.loads(sample.pop("json"))
                    labels = np.flatnonzero(tensors["labels"][i]).tolist()
                    self.assertEqual(about, {
                        "split": split, "revision": revision, "index": i, "labels": labels,
                        "sources": [s for s in tensors["sources"][i].tolist() if s >= 0]})
                    if metadata["kind"] == "source":
                        self.assertEqual(int(sample.pop("cls")), labels[0])
                    self.assertEqual(sample, {
                        "bin": tensors["events"][offsets[i]:offsets[i + 1]].tobytes()})
            self.assertEqual(keys, [f"{split}-{i:08}" for i in range(len(tensors["labels"]))])

    def test_nothing_in_it_is_of_this_machine_or_day(self):
        body = self.get("/v1/splits/nmnist-test/shards/2nmnist-nmnist-test-000000.tar").body
        self.assertEqual(len(body) % 512, 0)
        with tarfile.open(fileobj=io.BytesIO(body), mode="r:") as archive:
            self.assertEqual(archive.getmembers()[0].name, "nmnist-test-00000000.bin")
            for member in archive:
                self.assertTrue(member.isreg())
                self.assertEqual((member.mtime, member.uid, member.gid, member.mode, member.uname,
                                  member.gname), (0, 0, 0, 0o444, "root", "root"))
                # as Python itself would write that header, but for the numbers of no device and the sum
                found, own = body[member.offset:][:512], member.tobuf(tarfile.USTAR_FORMAT)
                for part in slice(148), slice(156, 329), slice(345, None):
                    self.assertEqual(found[part], own[part], member.name)
            self.assertEqual(body[-1024:], bytes(1024))
            last = archive.getmembers()[-1]
            self.assertEqual(len(body), last.offset_data + -(-last.size // 512) * 512 + 1024)

    def test_the_same_bytes_each_time_and_under_the_revision(self):
        path = f"/v1/splits/train/shards/2nmnist-train-000001.tar?per_shard={PER_SHARD}"
        answer = self.get(path)
        self.assertEqual(answer.headers["Content-Type"], "application/x-tar")
        self.assertEqual(answer.headers["Cache-Control"], "no-cache")
        revision = answer.headers["Twonmnist-Revision"]
        pinned = self.get(path.replace("train/", f"train@{revision}/", 1))
        self.assertEqual(pinned.body, answer.body)
        self.assertIn("immutable", pinned.headers["Cache-Control"])
        self.assertEqual(self.get(path).body, answer.body)

    def test_members_are_single_samples_in_every_form(self):
        for query, member, ending, extension in (
                ("member=npy", "npy", "npy", "npy"),
                ("order=published", "", "bin", "bin"),
                ("t0=1000&denoise=5000&member=npy", "npy", "npy", "npy"),
                ("as=frames&timestep=10000&bins=9", "", "frames.npy", "npy"),
                ("as=frames&timestep=10000&bins=9&member=bin", "bin", "frames.bin", "bin"),
                ("as=frames&slice=window&timestep=70000", "", "frames.npy", "npy"),
                ("as=frames&slice=event-count&events=900&values=u16", "", "frames.npy", "npy"),
                ("as=frames&slice=voxel&bins=5", "", "frames.npy", "npy"),
                ("as=bits&bins=20&timestep=20000", "", "bits.npy", "npy")):
            with self.subTest(query):
                plain = "&".join(word for word in query.split("&") if not word.startswith("member"))
                n = 0
                for body in self.shards("test", f"per_shard=4&{query}").values():
                    for sample in web_dataset(body):
                        i = int(sample["__key__"].split("-")[-1])
                        one = self.get(f"/v1/splits/test/samples/{i}.{extension}?{plain}").body
                        self.assertEqual(set(sample), {"__key__", ending, "json"})
                        self.assertEqual(sample[ending], one)
                        n += 1
                self.assertEqual(n, len(files["test"][0]["labels"]))

    def test_a_view_keeps_the_samples_numbers(self):
        for view in "kind=pair", "any=3,8", "folds=3&fold=1&part=rest":
            positions = self.get(f"/v1/splits/train/indices.json?{view}").json()["indices"]
            found = [json.loads(sample["json"])["index"]
                     for body in self.shards("train", f"per_shard=7&{view}").values()
                     for sample in web_dataset(body)]
            self.assertEqual(found, positions)


class Listing(ShardsTest):
    def test_each_shard_is_as_long_as_said_and_has_that_digest(self):
        for split in files:
            about = self.listing(split)
            self.assertEqual((about["split"], about["per_shard"]), (split, PER_SHARD))
            self.assertEqual(about["samples"], sum(row["samples"] for row in about["shards"]))
            self.assertEqual(about["samples"], len(files[split][0]["labels"]))
            for row in about["shards"]:
                path = f"/v1/splits/{split}/shards/{row['name']}?per_shard={PER_SHARD}"
                answer, head = self.get(path), self.get(path, method="HEAD")
                self.assertEqual(len(answer.body), row["bytes"])
                self.assertEqual(answer.headers["Content-Length"], str(row["bytes"]))
                self.assertEqual(head.headers["Content-Length"], str(row["bytes"]))
                self.assertEqual(answer.headers["Repr-Digest"], digest_of(answer.body))
                self.assertEqual(head.headers["Repr-Digest"], answer.headers["Repr-Digest"])
                self.assertEqual(answer.headers["ETag"], head.headers["ETag"])
                self.assertEqual(digest_of(answer.body), self.digest(row["crc32c"]))

    @staticmethod
    def digest(text):
        return f"crc32c=:{base64.b64encode(bytes.fromhex(text)).decode()}:"

    def test_what_only_making_tells_is_not_said(self):
        for query, has_bytes in (("as=frames&bins=9", True),
                                 ("as=frames&slice=window&timestep=70000", False),
                                 ("order=published&kind=pair", False)):
            rows = self.listing("test", f"per_shard=4&{query}")["shards"]
            self.assertEqual({row["crc32c"] for row in rows}, {None})
            for row in rows:
                body = self.get(f"/v1/splits/test/shards/{row['name']}?per_shard=4&{query}").body
                self.assertEqual(row["bytes"], len(body) if has_bytes else None)

    def test_names_and_urls_are_what_a_shell_makes_of_the_braces(self):
        for more in ("kind=pair&any=3,8&folds=2&part=rest&fold=1", "as=frames&bins=9&axes=CHWT",
                     "t0=5&as=frames&slice=time-bins&bins=3&bin_overlap=0.25&member=bin"):
            query = f"per_shard=5&{more}"
            about = self.listing("train", query)
            self.assertGreater(len(about["shards"]), 1)
            self.assertEqual(self.expanded(about["names"]), [row["name"] for row in about["shards"]])
            url = f"{server.url}/v1/splits/train/shards?{query}"
            for one, row in zip(self.expanded(about["urls"]), about["shards"], strict=True):
                path = urllib.parse.urljoin(url, one).removeprefix(server.url)
                self.assertTrue(path.startswith("/v1/splits/train@" + about["revision"][:12]), path)
                self.assertEqual(self.get(path).body,
                                 self.get(f"/v1/splits/train/shards/{row['name']}?{query}").body)

    @staticmethod
    def expanded(braces):
        done = subprocess.run(["bash", "-c", "printf '%s\\n' " + braces.replace("&", "\\&").replace("?", "\\?")],
                              capture_output=True, text=True, check=True)
        return done.stdout.split()

    def test_the_members_are_named(self):
        self.assertEqual(self.listing("train")["members"], ["bin", "json"])
        self.assertEqual(self.listing("nmnist-train", "as=frames&bins=9")["members"],
                         ["frames.npy", "cls", "json"])

    def test_without_a_number_a_thousand_samples_are_a_shard(self):
        about = self.listing("train", "")
        self.assertEqual((about["per_shard"], len(about["shards"])), (1000, 1))
        self.assertEqual(about["names"], "2nmnist-train-{000000..000000}.tar")


class Parts(ShardsTest):
    PATH = f"/v1/splits/train/shards/2nmnist-train-000000.tar?per_shard={PER_SHARD}"

    def test_any_part_can_be_asked_for(self):
        for query in "", "&as=frames&bins=2":
            whole = self.get(self.PATH + query)
            n, rng = len(whole.body), random.Random(1)
            self.assertEqual(whole.headers["Accept-Ranges"], "bytes")
            cuts = [0, n, 1, 511, 512, 513, n - 1, n - 1024, *(rng.randrange(n) for _ in range(40))]
            for a, b in itertools.pairwise(sorted(set(cuts))):
                answer = self.get(self.PATH + query, 206, Range=f"bytes={a}-{b - 1}")
                self.assertEqual(answer.body, whole.body[a:b], (a, b))
                self.assertEqual(answer.headers["Content-Range"], f"bytes {a}-{b - 1}/{n}")
                self.assertEqual(answer.headers["Repr-Digest"], whole.headers["Repr-Digest"])
            self.assertEqual(self.get(self.PATH + query, 206, Range="bytes=-7").body, whole.body[-7:])
            answer = self.get(self.PATH + query, 416, Range=f"bytes={n}-")
            self.assertEqual(answer.headers["Content-Range"], f"bytes */{n}")

    def test_a_part_of_what_has_changed_is_the_whole(self):
        etag = self.get(self.PATH).headers["ETag"]
        self.get(self.PATH, 206, Range="bytes=0-9", If_Range=etag)
        self.get(self.PATH, 200, Range="bytes=0-9", If_Range='"other"')

    def test_who_has_it_is_told_so(self):
        etag = self.get(self.PATH).headers["ETag"]
        answer = self.get(self.PATH, 304, If_None_Match=etag)
        self.assertEqual(answer.body, b"")
        self.get(self.PATH + "&member=npy", 200, If_None_Match=etag)


class Refused(ShardsTest):
    def test_what_is_no_shard(self):
        n = -(-len(files["train"][0]["labels"]) // PER_SHARD)
        path, query = "/v1/splits/train/shards/", f"?per_shard={PER_SHARD}"
        for name in (f"2nmnist-train-{n:06}", "2nmnist-train-0", "2nmnist-train-0000000",
                     "2nmnist-test-000000", "train-000000", "2nmnist-train-00000x", "000000",
                     "2nmnist-train--00001", "2nmnist-train-", "2nmnist-train-99999999999999999999"):
            self.refused(f"{path}{name}.tar{query}", 404, "no-such-shard",
                         f"there are {n} shards of {PER_SHARD} samples, from 2nmnist-train-000000.tar on")

    def test_numbers_and_forms_that_do_not_go(self):
        path = "/v1/splits/train/shards"
        self.refused(f"{path}?per_shard=0", 400, "bad-parameter", "per_shard is 0; it goes from 1")
        self.refused(f"{path}?per_shard=1025", 413, "too-large", "max_batch_size is 1024")
        self.refused(f"{path}?as=sparse", 400, "bad-parameter", "as=sparse")
        self.refused(f"{path}?member=json", 400, "bad-parameter", "it is one of bin, npy")
        self.refused(f"{path}?size=3", 400, "bad-parameter", "takes no parameter")
        self.refused(f"{path}/2nmnist-train-000000.npy", 406, "not-acceptable", "tar")

    def test_more_than_an_answer_may_take_says_so(self):
        with daemon.Daemon(folder / "data", "--max-answer-bytes", 1 << 20) as small:
            path = "/v1/splits/train/shards/2nmnist-train-000000.tar?as=frames&per_shard="
            about = small.get(path + "10")
            self.assertEqual((about.status, about.json()["code"]), (413, "too-large"))
            self.assertEqual(small.get(path + "1").status, 200)
            # events as they are stored take no more than what stands between them
            self.assertEqual(small.get(path.replace("as=frames&", "") + "40").status, 200)


class Readers(ShardsTest):
    """The same members in the hands of GNU tar, of libarchive, and over curl."""

    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(daemon.temporary_folder()))
        self.name = "2nmnist-nmnist-train-000001.tar"
        self.path = f"/v1/splits/nmnist-train/shards/{self.name}?per_shard={PER_SHARD}"
        self.body = self.get(self.path).body
        self.wanted = members(self.body)
        self.assertEqual(len(self.wanted), 3 * PER_SHARD)

    def need(self, program):
        if not shutil.which(program):
            self.skipTest(f"there is no {program}")

    def found(self):
        return {path.name: path.read_bytes() for path in self.folder.iterdir()}

    def test_gnu_tar(self):
        self.need("tar")
        done = subprocess.run(["tar", "-xvvf", "-", "-C", self.folder], input=self.body,
                              capture_output=True, check=True)
        self.assertEqual(done.stderr, b"")
        self.assertEqual(done.stdout.count(b"-r--r--r-- root/root "), len(self.wanted))
        self.assertEqual(self.found(), self.wanted)

    def test_bsdtar(self):
        self.need("bsdtar")
        done = subprocess.run(["bsdtar", "-xf", "-", "-C", self.folder], input=self.body,
                              capture_output=True, check=True)
        self.assertEqual(done.stderr, b"")
        self.assertEqual(self.found(), self.wanted)

    def test_curl_into_tar(self):
        self.need("curl")
        self.need("tar")
        subprocess.run(["bash", "-c", f"set -euo pipefail; curl -sf '{server.url}{self.path}' | tar x"],
                       cwd=self.folder, check=True)
        self.assertEqual(self.found(), self.wanted)

    def test_libarchive(self):
        library = ctypes.util.find_library("archive")
        if not library:
            self.skipTest("there is no libarchive")
        archive = ctypes.CDLL(library)
        for name in ("archive_read_new", "archive_entry_pathname", "archive_format_name",
                     "archive_entry_uname"):
            getattr(archive, name).restype = ctypes.c_void_p
        archive.archive_read_data.restype = ctypes.c_ssize_t
        archive.archive_entry_size.restype = ctypes.c_int64
        text = lambda address: ctypes.string_at(address).decode()
        reader = ctypes.c_void_p(archive.archive_read_new())
        entry, found = ctypes.c_void_p(), {}
        self.assertEqual(archive.archive_read_support_format_tar(reader), 0)
        self.assertEqual(archive.archive_read_open_memory(reader, self.body,
                                                          ctypes.c_size_t(len(self.body))), 0)
        while archive.archive_read_next_header(reader, ctypes.byref(entry)) == 0:
            content = ctypes.create_string_buffer(archive.archive_entry_size(entry) or 1)
            n = archive.archive_read_data(reader, content, ctypes.c_size_t(len(content)))
            found[text(archive.archive_entry_pathname(entry))] = content.raw[:n]
        self.assertEqual(text(archive.archive_format_name(reader)), "POSIX ustar format")
        archive.archive_read_free(reader)
        self.assertEqual(found, self.wanted)

    def test_events_of_a_shard_are_numpys_when_they_come_so(self):
        body = self.get(self.path + "&member=npy").body
        for sample in web_dataset(body):
            events = np.load(io.BytesIO(sample["npy"]))
            self.assertEqual(events.dtype.names, ("x", "y", "t", "p"))
            self.assertEqual(len(events) * 5, len(self.wanted[sample["__key__"] + ".bin"]))


class Exported(ShardsTest):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(daemon.temporary_folder()))

    def test_the_generator_writes_the_same_bytes(self):
        for options, query in (("--per-shard", str(PER_SHARD)), f"per_shard={PER_SHARD}"), ((), ""):
            out = self.folder / f"out{len(options)}"
            said, _ = generator.run("export", "--format", "webdataset", *options, folder / "data", out)
            wanted = {}
            for split in files:
                wanted |= self.shards(split, query)
                self.assertIn(f"{split} ", said)
            self.assertEqual(generator.tree(out), ["shards", *(f"shards/{n}" for n in sorted(wanted))])
            for name, body in wanted.items():
                self.assertEqual((out / "shards" / name).read_bytes(), body, name)

    def test_what_is_there_is_not_written_over(self):
        words = "export", "--format", "webdataset", folder / "data", self.folder
        generator.run(*words)
        before = generator.digest(self.folder / "shards")
        self.assertIn("not empty", generator.fail(*words))
        self.assertEqual(generator.digest(self.folder / "shards"), before)

    def test_a_damaged_sample_is_named_and_nothing_is_left(self):
        data, out = self.folder / "data", self.folder / "out"
        shutil.copytree(folder / "data", data)
        content = bytearray((data / "test.safetensors").read_bytes())
        content[-3] ^= 1
        (data / "test.safetensors").write_bytes(content)
        last = len(files["test"][0]["labels"]) - 1
        self.assertIn(f"2nmnist-test-000000.tar: sample {last}: it has another checksum",
                      generator.fail("export", "--format", "webdataset", data, out))
        self.assertFalse(out.exists())
        self.assertIn("no split in it", generator.fail("export", "--format", "webdataset", out.parent, out))

    def test_wrong_usage_is_named(self):
        for words, reason in ((("--format", "zip"), '--format: "zip" is neither'),
                              (("--per-shard", 3), "--per-shard is for"),
                              (("--format", "webdataset", "--per-shard", 0), "it goes from 1")):
            self.assertIn(reason, generator.fail("export", *words, "a", "b", expect=2))


if __name__ == "__main__":
    unittest.main()
