# SPDX-License-Identifier: Apache-2.0
"""What installing takes: an old libcurl, a library under any prefix, a wheel that holds it."""
import base64
import csv
import hashlib
import io
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tarfile
import unittest
import zipfile

import daemon
from daemon import BUILD, temporary_folder

SOURCE = pathlib.Path(os.environ["TWONMNIST_SOURCE"])
SONAME = "libtwonmnist.so.0"
LIBRARY = BUILD / ".libs" / SONAME


class InFolder(unittest.TestCase):
    def setUp(self):
        folder = temporary_folder()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name).resolve()


def makefile(name):
    """A variable of the build's Makefile, as words."""
    text = (BUILD / "Makefile").read_text()
    value = re.search(rf"(?m)^{name} =(.*)$", text).group(1)
    return shlex.split(re.sub(r"\$\((\w+)\)", lambda more: " ".join(makefile(more.group(1))), value))


class OldCurl(InFolder):
    """The door to libcurl compiles with the oldest one that configure accepts: the real headers,
    but they say that version, and all that came later is poisoned."""

    # Later than 7.74, by the numbers that each new one gets; and what has no numbers.
    LAST_OPTION, LAST_INFO = 304, 59
    LATER = """curl_url_strerror curl_easy_header curl_easy_nextheader curl_ws_recv curl_ws_send
        curl_ws_meta curl_global_trace curl_multi_get_handles curl_multi_waitfds
        curl_easy_ssls_import curl_easy_ssls_export CURLE_SSL_CLIENTCERT
        CURLE_UNRECOVERABLE_POLL""".split()

    def header(self):
        flags = makefile("CURL_CFLAGS")
        done = subprocess.run([*makefile("CC"), *flags, "-E", "-x", "c", "-"], text=True,
                              input="#include <curl/curl.h>\n", capture_output=True, check=True)
        path = re.search(r'(?m)^# \d+ "(.*/curl/curl\.h)"', done.stdout).group(1)
        return pathlib.Path(path).read_text()

    def test_it_compiles_with_the_oldest_libcurl_that_configure_takes(self):
        accepted = re.search(r"libcurl >= (\d+)\.(\d+)\]",
                             (SOURCE / "configure.ac").read_text()).groups()
        self.assertEqual(accepted, ("7", "74"), "the numbers above are of 7.74")
        header = self.header()
        later = [name for pattern, last in (
            (r"CURLOPT(?:DEPRECATED)?\((\w+),\s*\w+,\s*(\d+)", self.LAST_OPTION),
            (r"(CURLINFO_\w+)\s*=\s*CURLINFO_\w+ \+ (\d+)", self.LAST_INFO))
                 for name, number in re.findall(pattern, header) if int(number) > last]
        self.assertIn("CURLOPT_PROTOCOLS_STR", later)
        shim = self.folder / "curl"
        shim.mkdir()
        (shim / "curl.h").write_text(
            "#define CURL_DISABLE_DEPRECATION\n#include_next <curl/curl.h>\n"
            "#undef LIBCURL_VERSION_NUM\n#define LIBCURL_VERSION_NUM 0x074a00\n"
            f"#pragma GCC poison {' '.join([*later, *self.LATER])}\n")
        for name in sorted(SOURCE.glob("client/*.c")):
            if "<curl/" not in name.read_text():
                continue
            done = subprocess.run(
                [*makefile("CC"), "-std=gnu11", "-D_GNU_SOURCE", "-fsyntax-only", "-Wall", "-Wextra",
                 "-Werror", "-I", self.folder, "-I", BUILD, "-I", SOURCE, *makefile("CURL_CFLAGS"),
                 *makefile("UV_CFLAGS"), name], capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)


class Finding(InFolder):
    FIND = ("import importlib.util, sys; "
            "spec = importlib.util.spec_from_file_location('_find', sys.argv[1]); "
            "find = importlib.util.module_from_spec(spec); spec.loader.exec_module(find); "
            "find.load(); print(next(line.split()[-1] for line in open('/proc/self/maps') "
            "if 'libtwonmnist' in line))")

    def setUp(self):
        super().setUp()
        self.package = self.folder / "package"
        self.package.mkdir()
        shutil.copy(SOURCE / "python/twonmnist/_find.py", self.package)
        self.python = pathlib.Path(sys.executable)
        self.environment = {"HOME": str(self.folder / "home"), "PATH": os.environ["PATH"]}
        done = self.find()
        if done.returncode == 0:
            self.skipTest(f"a twonmnist is installed here: {done.stdout}")

    def find(self, **more):
        return subprocess.run([self.python, "-c", self.FIND, self.package / "_find.py"], text=True,
                              env={**self.environment, **more}, capture_output=True, check=False)

    def put(self, *folders):
        path = self.folder.joinpath(*folders, SONAME)
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(LIBRARY, path)
        return path

    def make_environment(self):
        made = self.folder / "venv"
        done = subprocess.run([sys.executable, "-m", "venv", "--without-pip", made],
                              capture_output=True, text=True, check=False)
        if done.returncode:
            self.skipTest(f"no virtual environments here: {done.stderr}")
        self.python = made / "bin/python"

    def test_it_is_found_in_the_order_that_is_written_down(self):
        self.make_environment()
        program = self.folder / "prefix/bin/twonmnist"
        program.parent.mkdir(parents=True)
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
        places = [self.put("named"), self.put("package"), self.put("venv/lib"),
                  self.put("conda/lib"), self.put("loader"), self.put("home/.local/lib"),
                  self.put("prefix/lib64")]
        self.environment.update(
            TWONMNIST_LIBRARY=str(places[0]), CONDA_PREFIX=str(self.folder / "conda"),
            LD_LIBRARY_PATH=str(self.folder / "loader"),
            PATH=f"{program.parent}:{os.environ['PATH']}")
        for i, place in enumerate(places):
            done = self.find()
            self.assertEqual(done.stdout.strip(), str(place), done.stderr)
            place.unlink()
            if i == 0:
                del self.environment["TWONMNIST_LIBRARY"]

    def test_pkg_config_is_asked_in_the_end(self):
        if not shutil.which("pkg-config"):
            self.skipTest("there is no pkg-config")
        place = self.put("far/away")
        (self.folder / "twonmnist.pc").write_text(
            f"libdir={place.parent}\nName: twonmnist\nDescription: x\nVersion: 0\n")
        done = self.find(PKG_CONFIG_PATH=str(self.folder))
        self.assertEqual(done.stdout.strip(), str(place), done.stderr)

    def test_an_error_lists_where_it_was_looked_for(self):
        self.put("package").write_bytes(b"no library")
        done = self.find(CONDA_PREFIX="/nowhere/conda")
        self.assertEqual(done.returncode, 1)
        for words in ("ImportError: twonmnist needs the C library", f"package/{SONAME}: ",
                      f"/nowhere/conda/lib/{SONAME}: not there", f"  {SONAME}: ",
                      f"/usr/local/lib/{SONAME}: not there",
                      f"{self.folder}/home/.local/lib/{SONAME}: not there"):
            self.assertIn(words, done.stderr)

    def test_a_file_that_is_named_is_the_only_one_and_shown_whole(self):
        self.put("package")
        done = self.find(TWONMNIST_LIBRARY="build/lib.so")
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"{os.getcwd()}/build/lib.so: not there", done.stderr)
        self.assertNotIn("/usr/local", done.stderr)


def without_ours():
    """The environment, but for what leads to the build, and for what `make` tells its jobs."""
    ours = "TWONMNIST_LIBRARY", "PYTHONPATH", "MAKEFLAGS", "MAKELEVEL", "MFLAGS"
    return {name: value for name, value in os.environ.items() if name not in ours}


class Wheel(InFolder):
    def pip(self, *words):
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
        if subprocess.run([*pip, "--version"], capture_output=True, check=False).returncode:
            self.skipTest("pip is not installed")
        done = subprocess.run([*pip, *map(str, words)], env=without_ours(), capture_output=True,
                              text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)

    def build(self, *words):
        """The wheel that pip makes of the package."""
        self.pip("wheel", "--quiet", "--no-index", "--no-deps", "--no-build-isolation",
                 "--wheel-dir", self.folder, *words, SOURCE / "python")
        wheel, = self.folder.glob("*.whl")
        return wheel

    def check_record(self, wheel):
        """RECORD names every file with its digest; returns the files."""
        with zipfile.ZipFile(wheel) as archive:
            files = {name: archive.read(name) for name in archive.namelist()}
        record, = (name for name in files if name.endswith("/RECORD"))
        rows = {row[0]: row[1] for row in csv.reader(io.StringIO(files[record].decode()))}
        self.assertEqual(set(rows), set(files))
        for name, content in files.items():
            if name != record:
                digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest())
                self.assertEqual(rows[name], f"sha256={digest.rstrip(b'=').decode()}")
        return files

    def test_a_wheel_for_all_machines_holds_modules_and_licence(self):
        wheel = self.build()
        self.assertTrue(wheel.name.endswith("-py3-none-any.whl"))
        files = self.check_record(wheel)
        licence, = (content for name, content in files.items() if name.endswith("/LICENSE"))
        self.assertEqual(licence, (SOURCE / "LICENSE").read_bytes())
        modules = {path.name for path in (SOURCE / "python/twonmnist").glob("*.py")}
        self.assertEqual({name.split("/")[1] for name in files if name.startswith("twonmnist/")},
                         {*modules, "py.typed"})

    def test_a_library_that_is_none_is_refused(self):
        sys.path.insert(0, str(SOURCE / "python"))
        self.addCleanup(sys.path.remove, str(SOURCE / "python"))
        import wheel_backend
        (self.folder / "text").write_text("no library")
        for path, error in ((self.folder / "text", "no library"), ("lib.so", "absolute")):
            with self.assertRaisesRegex(ValueError, error):
                wheel_backend.build_wheel(str(self.folder), {"library": str(path)})
        with self.assertRaises(FileNotFoundError):
            wheel_backend.build_wheel(str(self.folder), {"library": "/nowhere/lib.so"})

    def test_a_wheel_with_the_library_serves_in_an_environment_of_its_own(self):
        subprocess.run(["make", "-s", "-C", BUILD, "wheel"], env=without_ours(), check=True,
                       capture_output=True)
        wheel, = (BUILD / "dist").iterdir()
        self.assertRegex(wheel.name, r"-py3-none-linux_\w+\.whl$")
        self.assertIn(f"twonmnist/{SONAME}", self.check_record(wheel))
        made = self.folder / "venv"
        done = subprocess.run([sys.executable, "-m", "venv", "--without-pip",
                               "--system-site-packages", made], capture_output=True, text=True,
                              check=False)
        if done.returncode:
            self.skipTest(f"no virtual environments here: {done.stderr}")
        self.pip("--python", made / "bin/python", "install", "--quiet", "--no-index", "--no-deps",
                 wheel)
        splits = daemon.generate(self.folder / "splits", "--count", "30,10", source="synthetic")
        with daemon.Daemon(splits) as server:
            code = ("import sys; sys.modules['torch'] = None; import twonmnist\n"
                    f"split = twonmnist.Split({server.url!r}, 'train')\n"
                    "frames, labels = next(iter(twonmnist.loader(split, 4, tensors=False)))\n"
                    "print(frames.shape, labels.shape, *{line.split()[-1] "
                    "for line in open('/proc/self/maps') if 'libtwonmnist' in line})")
            done = subprocess.run([made / "bin/python", "-c", code], env=without_ours(),
                                  cwd=self.folder, capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stdout, rf"^\(300, 4, 2, 34, 34\) \(4, 10\) "
                                      rf"{made}/lib/python[^ ]*/twonmnist/{SONAME}\n$")

    def test_an_sdist_holds_all_that_a_wheel_is_made_of(self):
        code = "import sys, wheel_backend; print(wheel_backend.build_{}(sys.argv[1]))"

        def run(what, where):
            return subprocess.run([sys.executable, "-c", code.format(what), self.folder], cwd=where,
                                  capture_output=True, text=True, check=True).stdout.strip()

        sdist = self.folder / run("sdist", SOURCE / "python")
        with tarfile.open(sdist) as archive:
            archive.extractall(self.folder)
        wheel = run("wheel", sdist.with_name(sdist.name.removesuffix(".tar.gz")))
        again = (self.folder / wheel).read_bytes()
        self.assertEqual(run("wheel", SOURCE / "python"), wheel)
        self.assertEqual((self.folder / wheel).read_bytes(), again)


class Citation(unittest.TestCase):
    def setUp(self):
        self.text = (SOURCE / "CITATION.cff").read_text()

    def test_it_says_this_version_and_what_the_readme_cites(self):
        version = re.search(r"AC_INIT\(\[twonmnist\], \[(.*?)\]",
                            (SOURCE / "configure.ac").read_text()).group(1)
        self.assertIn(f"\nversion: {version}\n", self.text)
        readme = (SOURCE / "README.md").read_text()
        dois = re.findall(r"(?m)^    doi: (10\.\S+)$", self.text)
        self.assertEqual(len(dois), 3)
        for doi in dois:
            self.assertIn(doi, readme)

    def test_it_has_what_the_format_asks_for(self):
        try:
            import yaml
        except ImportError:
            self.skipTest("PyYAML is not installed")
        cited = yaml.safe_load(self.text)
        self.assertEqual(cited["cff-version"], "1.2.0")
        for work in (cited, *cited["references"]):
            self.assertTrue(work["title"])
            self.assertTrue(work["authors"])
            for author in work["authors"]:
                self.assertLessEqual(set(author), {"name", "family-names"})
        self.assertTrue(cited["message"])
        self.assertEqual({work["type"] for work in cited["references"]},
                         {"conference-paper", "data", "article"})


if __name__ == "__main__":
    unittest.main()
