# SPDX-License-Identifier: Apache-2.0
"""Packs twonmnist/ into a wheel or an sdist (PEP 517, PEP 660), with Python's own modules alone.

    pip wheel ./python --config-settings library="$PWD/build/.libs/libtwonmnist.so.0"
    python3 wheel_backend.py FOLDER LIBRARY

make a wheel that holds the C library too, for machines like this one: it needs the libcurl, libuv
and jansson that the library was linked with. Without the setting the wheel is for all machines, and
the library is looked for where it is installed.
"""
import base64
import hashlib
import io
import os
import pathlib
import re
import sys
import sysconfig
import tarfile
import zipfile

HERE = pathlib.Path(__file__).parent
PACKAGE = HERE / "twonmnist"
VERSION = re.search(r'^__version__ = "(.+)"$', (PACKAGE / "__init__.py").read_text("utf-8"),
                    re.MULTILINE).group(1)
NAME = f"twonmnist-{VERSION}"
LIBRARY = "libtwonmnist.so.0"
# In an sdist it lies beside this file, in the repository one above.
LICENSE = next(path for path in (HERE / "LICENSE", HERE.parent / "LICENSE") if path.exists())
METADATA = f"""\
Metadata-Version: 2.1
Name: twonmnist
Version: {VERSION}
Summary: 2NMNIST event-camera samples, batches and fresh pairs from twonmnist daemons
License: Apache-2.0
License-File: LICENSE
Keywords: neuromorphic,event camera,N-MNIST,spiking neural networks,dataset
Classifier: License :: OSI Approved :: Apache Software License
Classifier: Operating System :: POSIX :: Linux
Classifier: Programming Language :: Python :: 3
Classifier: Topic :: Scientific/Engineering :: Artificial Intelligence
Classifier: Typing :: Typed
Requires-Python: >=3.9
Requires-Dist: numpy>=1.20
Provides-Extra: torch
Requires-Dist: torch>=1.13; extra == "torch"
Provides-Extra: progress
Requires-Dist: tqdm; extra == "progress"
Description-Content-Type: text/markdown

{(HERE / "README.md").read_text("utf-8")}"""


def package_files():
    """Name in the archive -> content, of the modules."""
    return {f"twonmnist/{path.name}": path.read_bytes() for path in sorted(PACKAGE.iterdir())
            if path.suffix == ".py" or path.name == "py.typed"}


def named_library(config_settings):
    """The library of --config-settings library=PATH; None without."""
    path = (config_settings or {}).get("library")
    if path is None:
        return None
    if not os.path.isabs(path):  # pip has changed the folder by now
        raise ValueError(f"library={path}: it has to be an absolute path")
    content = pathlib.Path(path).read_bytes()
    if content[:4] != b"\x7fELF":
        raise ValueError(f"{path} is no library: it does not begin as an ELF file does")
    return content


def write_wheel(folder, files, tag="py3-none-any"):
    wheel = f"Wheel-Version: 1.0\nGenerator: wheel_backend\n" \
            f"Root-Is-Purelib: {'true' if tag.endswith('-any') else 'false'}\nTag: {tag}\n"
    files = {**files, f"{NAME}.dist-info/METADATA": METADATA.encode(),
             f"{NAME}.dist-info/WHEEL": wheel.encode(),
             f"{NAME}.dist-info/LICENSE": LICENSE.read_bytes()}
    record = f"{NAME}.dist-info/RECORD"
    lines = []
    for name, content in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        lines.append(f"{name},sha256={digest},{len(content)}")
    files[record] = "\n".join([*lines, f"{record},,", ""]).encode()
    with zipfile.ZipFile(pathlib.Path(folder) / f"{NAME}-{tag}.whl", "w",
                         zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content)
    return f"{NAME}-{tag}.whl"


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    library = named_library(config_settings)
    if library is None:
        return write_wheel(wheel_directory, package_files())
    platform = re.sub(r"[-.]", "_", sysconfig.get_platform())
    return write_wheel(wheel_directory, {**package_files(), f"twonmnist/{LIBRARY}": library},
                       f"py3-none-{platform}")


def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    return write_wheel(wheel_directory, {"twonmnist.pth": f"{HERE.resolve()}\n".encode()})


def build_sdist(sdist_directory, config_settings=None):
    sdist = f"{NAME}.tar.gz"
    files = {**package_files(), "PKG-INFO": METADATA.encode(), "LICENSE": LICENSE.read_bytes(),
             **{name: (HERE / name).read_bytes()
                for name in ("README.md", "pyproject.toml", "wheel_backend.py")}}
    with tarfile.open(pathlib.Path(sdist_directory) / sdist, "w:gz") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(f"{NAME}/{name}")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return sdist


if __name__ == "__main__":
    print(build_wheel(sys.argv[1], {"library": os.path.abspath(sys.argv[2])}))
