# SPDX-License-Identifier: Apache-2.0
"""A split file damaged in any place is refused, or its fault is found; nothing ends in a crash."""
import json
import subprocess
import unittest

import daemon

STEP = 11  # of the places that are tried, so that all of it stays quick
FAULTS = 1


def verify(folder):
    ended = subprocess.run([daemon.GENERATE, "verify", folder, "--jobs", "1"], capture_output=True,
                           text=True, timeout=120)
    return ended.returncode, ended.stdout + ended.stderr


class Damage(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = daemon.generate(cls.enterClassContext(daemon.temporary_folder()), "--count",
                                     "12,10", source="synthetic")
        for name in ("test", "nmnist-test", "train"):
            (cls.folder / f"{name}.safetensors").unlink()
        cls.path = cls.folder / "nmnist-train.safetensors"
        cls.whole = cls.path.read_bytes()
        cls.length = int.from_bytes(cls.whole[:8], "little")
        cls.header = json.loads(cls.whole[8:8 + cls.length])

    def verdict_on(self, data):
        self.path.write_bytes(data)
        status, said = verify(self.folder)
        self.assertIn(status, (0, FAULTS), said)
        return status, said

    def with_header(self, change):
        header = json.loads(json.dumps(self.header))
        change(header)
        text = json.dumps(header).encode().ljust(self.length)
        return len(text).to_bytes(8, "little") + text + self.whole[8 + self.length:]

    def test_the_whole_file_is_sound(self):
        self.assertEqual(self.verdict_on(self.whole)[0], 0)

    def test_a_file_cut_short_anywhere_is_refused(self):
        header_end = 8 + self.length
        lengths = [*range(0, header_end + 200, 4 * STEP), len(self.whole) - 1]
        for length in lengths:
            status, said = self.verdict_on(self.whole[:length])
            self.assertEqual(status, FAULTS, length)
            self.assertIn("nmnist-train.safetensors", said)

    def test_a_byte_changed_in_the_header_never_ends_in_a_crash(self):
        text_end = 8 + len(self.whole[8:8 + self.length].rstrip())
        for place in range(0, text_end, STEP):
            data = bytearray(self.whole)
            data[place] ^= 0x15
            self.verdict_on(bytes(data))

    def test_a_byte_changed_in_index_or_events_is_found(self):
        start = 8 + self.length
        for name in ("offsets", "checksums", "labels", "events"):
            begin, end = self.header[name]["data_offsets"]
            for place in (begin, (begin + end) // 2, end - 1):
                data = bytearray(self.whole)
                data[start + place] ^= 0x04
                self.assertEqual(self.verdict_on(bytes(data))[0], FAULTS, (name, place))

    def test_a_header_that_lies_is_refused_by_its_reason(self):
        def set_offsets(header, begin, end):
            header["events"]["data_offsets"] = [begin, end]

        for words, change in (
                ("missing", lambda header: header.pop("labels")),
                ("dtype", lambda header: header["labels"].update(dtype="F64")),
                ("shape", lambda header: header["labels"].update(shape=[2**62, 2**62])),
                ("shape", lambda header: header["labels"].update(shape=[-1, 10])),
                ("outside", lambda header: set_offsets(header, 0, 2**60)),
                ("its shape says", lambda header: set_offsets(header, 0, 5)),
                ("rows", lambda header: header["labels"].update(
                    shape=[header["labels"]["shape"][0] // 2, 10],
                    data_offsets=[0, header["labels"]["shape"][0] // 2 * 10])),
                ("has 0 rows", lambda header: header["checksums"].update(
                    shape=[0], data_offsets=[0, 0])),
                ("0 samples", lambda header: header["labels"].update(
                    shape=[0, 10], data_offsets=[0, 0])),
                ("with 5 labels", lambda header: header["labels"].update(
                    shape=[header["labels"]["shape"][0] * 2, 5])),
                ('"9x9x2"', lambda header: header["__metadata__"].update(sensor="9x9x2")),
                ('"ms"', lambda header: header["__metadata__"].update(time_unit="ms")),
                ("version", lambda header: header["__metadata__"].update(version="3")),
                ("format", lambda header: header["__metadata__"].update(format="other")),
                ("kind", lambda header: header["__metadata__"].update(kind="other")),
        ):
            with self.subTest(words=words):
                status, said = self.verdict_on(self.with_header(change))
                self.assertEqual(status, FAULTS)
                self.assertIn(words, said)


if __name__ == "__main__":
    unittest.main()
