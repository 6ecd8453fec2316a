# SPDX-License-Identifier: Apache-2.0
"""What tests need of npm: installed into the build folder by a lock file, once."""
import os
import pathlib
import shutil
import subprocess
import unittest

import daemon

SOURCE = pathlib.Path(os.environ.get("TWONMNIST_SOURCE", pathlib.Path(__file__).parent.parent))


def install(name):
    """The folder with what tests/NAME asks for, and its node_modules. Skips where that is not to be had."""
    folder = daemon.BUILD.absolute() / "node-tools" / name
    lock, done = folder / "package-lock.json", folder / "installed"
    folder.mkdir(parents=True, exist_ok=True)
    for path in (SOURCE / "tests" / name).iterdir():
        shutil.copyfile(path, folder / path.name)
    if done.exists() and done.read_bytes() == lock.read_bytes():
        return folder
    if not shutil.which("node") or not shutil.which("npm"):
        raise unittest.SkipTest("node and npm are not there")
    try:
        subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=0",
                        "--fetch-timeout=20000", "--cache", folder / "cache"], cwd=folder, check=True,
                       timeout=120, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    except (subprocess.SubprocessError, OSError) as error:
        said = getattr(error, "stderr", None) or str(error)
        raise unittest.SkipTest(f"npm does not get the tools: {' '.join(said.split())[:200]}") from None
    done.write_bytes(lock.read_bytes())
    return folder
