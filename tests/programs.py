# SPDX-License-Identifier: Apache-2.0
"""Programs of Debian's packages that tests run and that need not be installed: check.sh unpacks them, since
installing would start services."""
import os
import pathlib
import shutil
import unittest


def program(name, package):
    """Where it is: installed, or where TWONMNIST_<NAME> says, as check.sh does."""
    path = os.environ.get(f"TWONMNIST_{name.upper()}") or shutil.which(name) or \
        shutil.which(name, path="/usr/sbin:/sbin")
    if not path:
        raise unittest.SkipTest(f"there is no {name} (Debian: {package})")
    return pathlib.Path(path)


def root_of(path):
    """The folder in which its package was unpacked: / where it is installed."""
    return next((folder for folder in path.parents if (folder / "usr") in path.parents),
                pathlib.Path("/"))


def libraries(path):
    """Folders of the libraries that came with it."""
    found = sorted({str(each.parent) for each in (root_of(path) / "usr/lib").rglob("*.so*")}
                   ) if root_of(path) != pathlib.Path("/") else []
    return {"LD_LIBRARY_PATH": ":".join(found)} if found else {}


def environment(path):
    """In which it runs."""
    return {**os.environ, **libraries(path)}
