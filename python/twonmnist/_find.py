# SPDX-License-Identifier: Apache-2.0
"""Where the C library is: in the wheel, in the environment, or wherever `make install` put it.

Looked for in this order, and the first that loads is taken:
1. the file that the environment variable TWONMNIST_LIBRARY names, and then nowhere else;
2. beside this file, where a wheel that holds the library has it;
3. lib folders of this Python's environment and of its base (venv, conda), and of $CONDA_PREFIX, but
   for those of the system's own Python;
4. where the system's loader looks: $LD_LIBRARY_PATH, the folders of ldconfig;
5. /usr/local/lib, ~/.local/lib, and the lib folder beside the bin folder of the `twonmnist` on $PATH;
6. where pkg-config says (PKG_CONFIG_PATH tells it of other prefixes).
"""
from __future__ import annotations

import ctypes
import os
import pathlib
import shutil
import subprocess
import sys
import sysconfig
from typing import Iterator

SONAME = "libtwonmnist.so.0"


def _libs(prefix: str | os.PathLike[str]) -> Iterator[pathlib.Path]:
    """The lib folders that a prefix may have."""
    multiarch = sysconfig.get_config_var("MULTIARCH")
    for name in ("lib", "lib64", *([f"lib/{multiarch}"] if multiarch else [])):
        yield pathlib.Path(prefix) / name


def _of_environment() -> Iterator[pathlib.Path]:
    for prefix in (sys.prefix, sys.base_prefix, os.environ.get("CONDA_PREFIX")):
        if prefix and prefix not in ("/usr", "/usr/local"):  # those are the loader's, or further on
            yield from _libs(prefix)


def _of_programs() -> Iterator[pathlib.Path]:
    yield from _libs("/usr/local")
    yield from _libs(pathlib.Path.home() / ".local")
    program = shutil.which("twonmnist")
    if program:
        yield from _libs(pathlib.Path(program).resolve().parent.parent)


def _of_pkg_config() -> Iterator[pathlib.Path]:
    try:
        done = subprocess.run(["pkg-config", "--variable=libdir", "twonmnist"], text=True,
                              capture_output=True, check=False, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return
    if done.stdout.strip():
        yield pathlib.Path(done.stdout.strip())


def _files() -> Iterator[str]:
    """All names to try."""
    yield str(pathlib.Path(__file__).parent / SONAME)
    for folder in dict.fromkeys(_of_environment()):
        yield str(folder / SONAME)
    yield SONAME
    for folder in dict.fromkeys(_of_programs()):
        yield str(folder / SONAME)
    for folder in _of_pkg_config():
        yield str(folder / SONAME)


def load() -> ctypes.CDLL:
    """The library. ImportError says where it was looked for, and what was wrong there."""
    named = os.environ.get("TWONMNIST_LIBRARY")
    if named and "/" in named:
        named = os.path.abspath(named)
    tried = []
    for name in [named] if named else _files():
        if "/" in name and not os.path.exists(name):
            tried.append(f"{name}: not there")
            continue
        try:
            return ctypes.CDLL(name)
        except OSError as error:
            tried.append(str(error) if name in str(error) else f"{name}: {error}")
    where = "TWONMNIST_LIBRARY names another file" if named else \
        "`make install` puts it in place, and TWONMNIST_LIBRARY can name the file"
    raise ImportError("\n  ".join([f"twonmnist needs the C library {SONAME} ({where}). "
                                   "It was looked for here:", *tried]))
