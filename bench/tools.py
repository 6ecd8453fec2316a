# SPDX-License-Identifier: Apache-2.0
"""The generator and the start of the daemon, against what only moves the bytes."""
import http.client
import json
import shutil
import subprocess
import time
import zipfile

import rounds
from results import Line
from servers import free_port


def timed(command, **how):
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **how)
    return time.perf_counter() - began


def verify(bench):
    """verify against reading the same files."""
    files = sorted(bench.data.glob("*.safetensors"))
    ours, cat = rounds.alternate(
        lambda: timed([bench.build / "twonmnist-generate", "verify", bench.data]),
        lambda: timed(["cat", *files]))
    yield Line("verify, full set: time, cat / ours", "cat to /dev/null", rounds.ratio(cat, ours), "≥ 0.5",
               f"{sorted(ours)[len(ours) // 2]:.2f} s")


def samples(path):
    """(digit, events) of each recording of a source split."""
    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        start = file.tell()

        def tensor(name):
            first, last = header[name]["data_offsets"]
            file.seek(start + first)
            return file.read(last - first)
        ends, labels = memoryview(tensor("offsets")).cast("q"), tensor("labels")
        file.seek(start + header["events"]["data_offsets"][0])
        for i in range(len(ends) - 1):
            yield labels[10 * i:10 * i + 10].index(1), file.read(5 * (ends[i + 1] - ends[i]))


def as_published(bench):
    """Folders of the recordings, as N-MNIST's archives unpack, and those archives; made once."""
    folder, zips = bench.data / "as-folders", bench.data / "as-zips"
    for path in (folder, zips):
        if not (path / "whole").exists():
            shutil.rmtree(path, ignore_errors=True)
            path.mkdir()
    for part in ("Train", "Test"):
        if (zips / "whole").exists() and (folder / "whole").exists():
            break
        with zipfile.ZipFile(zips / f"{part}.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
            for i, (digit, events) in enumerate(samples(bench.split(f"nmnist-{part.lower()}"))):
                path = folder / part / str(digit) / f"{i:05}.bin"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(events)
                archive.writestr(f"{part}/{digit}/{i:05}.bin", events)
    for path in (folder, zips):
        (path / "whole").touch()
    return folder, zips


def generate(bench):
    """All splits of recordings, from archives and from folders, against reading those."""
    folder, zips = as_published(bench)
    out = bench.folder("generated")

    def splits(source):
        return timed([bench.build / "twonmnist-generate", "splits", "--from", source, "--out", out,
                      "--allow-partial"])
    archives = [zips / "Train.zip", zips / "Test.zip"]
    for what, source, against, command, aim in (
            ("from archives", zips, "unzip -p to /dev/null",
             ["sh", "-c", 'for archive; do unzip -p "$archive"; done', "sh", *archives], "≤ 1.2"),
            ("from folders", folder, "cat to /dev/null",
             ["sh", "-c", 'find "$1" -name "*.bin" -print0 | xargs -0 cat', "sh", folder], "≤ 2")):
        ours, theirs = rounds.alternate(lambda s=source: splits(s), lambda c=command: timed(c))
        yield Line(f"generate, full set, {what}: time, ours / {against.split()[0]}", against,
                   rounds.ratio(ours, theirs), aim, f"{sorted(ours)[len(ours) // 2]:.1f} s")


def first_answer(bench):
    """Seconds from the start of the daemon to its first answer."""
    port = free_port()
    began = time.perf_counter()
    server = subprocess.Popen([bench.build / "twonmnistd", "--data", bench.data, "--listen",
                               f"127.0.0.1:{port}"], stderr=subprocess.DEVNULL)
    try:
        while True:
            try:
                client = http.client.HTTPConnection("127.0.0.1", port)
                client.request("GET", "/v1/splits/train/samples/0.bin")
                client.getresponse().read()
                return time.perf_counter() - began
            except OSError:
                time.sleep(0.001)
    finally:
        server.terminate()
        server.wait()


def start(bench):
    """From exec to the first sample, files in the page cache."""
    ours, nothing = rounds.alternate(
        lambda: first_answer(bench),
        lambda: timed([bench.build / "twonmnistd", "--version"]))
    middle = sorted(ours)[len(ours) // 2]
    yield Line("start to first answer, full set: seconds", "–", middle, "≤ 0.05",
               f"--version takes {sorted(nothing)[len(nothing) // 2] * 1e3:.1f} ms")


ROWS = {"verify": verify, "start": start, "generate": generate}
