# SPDX-License-Identifier: Apache-2.0
"""Packs twonmnist/ into a wheel or an sdist (PEP 517, PEP 660), with Python's own modules alone."""
import base64
import hashlib
import io
import pathlib
import re
import tarfile
import zipfile

HERE = pathlib.Path(__file__).parent
PACKAGE = HERE / "twonmnist"
VERSION = re.search(r'^__version__ = "(.+)"$', (PACKAGE / "__init__.py").read_text("utf-8"),
                    re.MULTILINE).group(1)
NAME = f"twonmnist-{VERSION}"
METADATA = f"""\
Metadata-Version: 2.1
Name: twonmnist
Version: {VERSION}
Summary: 2NMNIST event-camera samples, batches and fresh pairs from twonmnist daemons
License: Apache-2.0
Requires-Python: >=3.9
Requires-Dist: numpy>=1.20
Provides-Extra: torch
Requires-Dist: torch>=1.13; extra == "torch"
Provides-Extra: progress
Requires-Dist: tqdm; extra == "progress"
"""
WHEEL = """\
Wheel-Version: 1.0
Generator: wheel_backend
Root-Is-Purelib: true
Tag: py3-none-any
"""


def package_files():
    """Name in the archive -> content, of the modules."""
    return {f"twonmnist/{path.name}": path.read_bytes() for path in sorted(PACKAGE.iterdir())
            if path.suffix == ".py" or path.name == "py.typed"}


def write_wheel(folder, files):
    files = {**files, f"{NAME}.dist-info/METADATA": METADATA.encode(),
             f"{NAME}.dist-info/WHEEL": WHEEL.encode()}
    record = f"{NAME}.dist-info/RECORD"
    lines = []
    for name, content in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        lines.append(f"{name},sha256={digest},{len(content)}")
    files[record] = "\n".join([*lines, f"{record},,", ""]).encode()
    wheel = f"{NAME}-py3-none-any.whl"
    with zipfile.ZipFile(pathlib.Path(folder) / wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), content)
    return wheel


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    return write_wheel(wheel_directory, package_files())


def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    return write_wheel(wheel_directory, {"twonmnist.pth": f"{HERE.resolve()}\n".encode()})


def build_sdist(sdist_directory, config_settings=None):
    sdist = f"{NAME}.tar.gz"
    files = {**package_files(), "PKG-INFO": METADATA.encode(),
             **{name: (HERE / name).read_bytes() for name in ("pyproject.toml", "wheel_backend.py")}}
    with tarfile.open(pathlib.Path(sdist_directory) / sdist, "w:gz") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(f"{NAME}/{name}")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return sdist
