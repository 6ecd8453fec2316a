# SPDX-License-Identifier: Apache-2.0
"""Debian's packages, built once from what `make dist` packs, for all tests that want them."""
import fcntl
import functools
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import tarfile
import time
import unittest

import daemon

BEGIN = time.monotonic()
FOLDER = daemon.BUILD / "packages"
NEEDED = {"dpkg-buildpackage": "dpkg-dev", "dh": "debhelper", "dh_python3": "dh-python",
          "lintian": "lintian"}
ENVIRONMENT = {**os.environ, "MAKEFLAGS": "", "MFLAGS": "", "LC_ALL": "C.UTF-8",
               "DEB_BUILD_OPTIONS": "nocheck noautodbgsym parallel=2", "DEB_BUILD_PROFILES": "nocheck"}


def run(*words, **more):
    """Run a command, and say what it said where it fails. Returns its output."""
    ran = subprocess.run([*map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                         text=True, errors="replace", check=False, **more)
    if ran.returncode != 0:
        raise AssertionError(f"{words} ended with {ran.returncode}:\n{ran.stdout[-8000:]}")
    return ran.stdout


def note(words):
    """Tell in the test's log when it has come so far."""
    print(f"# after {time.monotonic() - BEGIN:.1f} s: {words}", flush=True)


def digest(archive):
    """Of all in it that packages are made of, whenever it was packed."""
    members = []
    with tarfile.open(archive) as tar:
        for member in tar:  # in their order: to go back is to unpack all before it again
            if member.name.partition("/")[2].startswith(("tests/", "bench/")):
                continue
            content = tar.extractfile(member).read() if member.isfile() else b""
            members.append((member.name, member.mode, hashlib.sha256(content).hexdigest()))
    return hashlib.sha256(repr(sorted(members)).encode()).hexdigest()


def pack():
    """The archive of a release: the one that was packed for all tests, or a new one."""
    if "TWONMNIST_ARCHIVE" in os.environ:
        return pathlib.Path(os.environ["TWONMNIST_ARCHIVE"])
    run("make", "-s", "-C", daemon.BUILD, "dist", env=ENVIRONMENT)
    return max(daemon.BUILD.glob("twonmnist-*.tar.xz"), key=lambda path: path.stat().st_mtime)


def build_from(archive):
    shutil.rmtree(FOLDER / "built", ignore_errors=True)
    (FOLDER / "built").mkdir()
    note("packed")
    run("tar", "-xf", archive, "-C", FOLDER / "built")
    source = next((FOLDER / "built").iterdir())
    log = run("dpkg-buildpackage", "-us", "-uc", "-b", cwd=source, env=ENVIRONMENT)
    (FOLDER / "build.log").write_text(log, encoding="utf-8")
    shutil.rmtree(source)
    note("the packages are built")


@functools.cache
def built():
    """The folder with the packages. They are built anew where the source is another."""
    missing = [f"{program} ({package})" for program, package in NEEDED.items()
               if shutil.which(program) is None]
    if missing:
        raise unittest.SkipTest(f"Debian's packages cannot be built without {', '.join(missing)}")
    FOLDER.mkdir(exist_ok=True)
    with open(FOLDER / "lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        archive, stamp = pack(), FOLDER / "digest"
        now = digest(archive)
        if not stamp.exists() or stamp.read_text(encoding="utf-8") != now:
            stamp.unlink(missing_ok=True)
            build_from(archive)
            stamp.write_text(now, encoding="utf-8")
    return FOLDER / "built"


def packages():
    """Name -> file of each package."""
    return {path.name.split("_")[0]: path for path in built().glob("*.deb")}


def contents(package):
    """The paths of the files in a package."""
    listed = run("dpkg-deb", "--contents", package)
    paths = [re.split(r"\s+", line, maxsplit=5)[5] for line in listed.splitlines()]
    return {path.split(" -> ")[0].removeprefix(".") for path in paths if not path.endswith("/")}
