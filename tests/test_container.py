# SPDX-License-Identifier: Apache-2.0
"""Containerfile: what it says is so, and where a builder of images can run, it builds."""
import json
import os
import pathlib
import re
import shlex
import shutil
import socket
import subprocess
import unittest

import daemon

ROOT = pathlib.Path(os.environ.get("TWONMNIST_SOURCE", pathlib.Path(__file__).parent.parent))
PATH = ROOT / "Containerfile"
KNOWN = {"FROM", "WORKDIR", "COPY", "RUN", "USER", "VOLUME", "EXPOSE", "ENTRYPOINT", "HEALTHCHECK"}
# What autoreconf makes of the first two; a test does not wait for it again.
PREPARED = ("configure", "Makefile.in", "aclocal.m4", "config.h.in", "build-aux", "m4")
OF_THE_SYSTEM = ("libc6", "libc6-i386", "libc6-x32")  # of whatever kind


def instructions():
    """[(name, the rest)], with continued lines joined."""
    text = re.sub(r"^#.*\n", "", PATH.read_text(encoding="utf-8"), flags=re.MULTILINE)
    lines = re.sub(r"\\\n\s*", "", text).splitlines()
    return [tuple(line.split(maxsplit=1)) for line in lines if line.strip()]


def stages():
    """The instructions of each image, which begins with FROM."""
    found = []
    for name, rest in instructions():
        if name == "FROM":
            found.append([])
        found[-1].append((name, rest))
    return found


def of(stage, name):
    return [rest for each, rest in stage if each == name]


def quiet():
    return {**os.environ, "MAKEFLAGS": "", "MFLAGS": "", "LC_ALL": "C.UTF-8"}


class Text(unittest.TestCase):
    def setUp(self):
        self.build, self.image = stages()

    def test_its_instructions_are_known_and_those_of_one_use_are_there_once(self):
        self.assertLessEqual({name for name, _ in instructions()}, KNOWN)
        for name in "USER", "VOLUME", "EXPOSE", "ENTRYPOINT", "HEALTHCHECK":
            self.assertEqual((len(of(self.build, name)), len(of(self.image, name))), (0, 1), name)

    def test_both_stages_begin_with_debian_and_the_second_takes_of_the_first_what_was_installed(self):
        self.assertEqual(of(self.build, "FROM"), ["debian:bookworm-slim AS build"])
        self.assertEqual(of(self.image, "FROM"), ["debian:bookworm-slim"])
        self.assertEqual(of(self.image, "COPY"), ["--from=build /made/ /"])
        self.assertIn("DESTDIR=/made ", of(self.build, "RUN")[-1])

    def test_it_runs_as_nobody_of_note_from_before_anything_is_started(self):
        user = of(self.image, "USER")[0]
        number, group = map(int, user.split(":"))
        self.assertGreater(min(number, group), 0)
        made = of(self.image, "RUN")[0]
        self.assertIn(f"useradd --uid {number} --gid {group} ", made)
        names = [name for name, _ in self.image]
        self.assertFalse({"RUN", "COPY"} & set(names[names.index("USER"):]))

    def test_what_is_copied_is_in_the_source_and_in_a_release(self):
        makefile = (ROOT / "Makefile.am").read_text(encoding="utf-8")
        for rest in of(self.build, "COPY"):
            for name in rest.split()[:-1]:
                self.assertTrue((ROOT / name).exists(), name)
                if name not in ("configure.ac", "Makefile.am"):
                    self.assertRegex(makefile, rf"[\s]{re.escape(name)}[/\s]")

    def test_its_port_and_folder_are_the_daemons(self):
        table = (ROOT / "server/settings.h").read_text(encoding="utf-8")
        self.assertIn(f'"127.0.0.1:{of(self.image, "EXPOSE")[0]}"', table)
        self.assertIn(f'"{of(self.image, "VOLUME")[0]}"', table)


class Packages(unittest.TestCase):
    def setUp(self):
        build, image = stages()
        self.build_run, self.image_run = of(build, "RUN")[0], of(image, "RUN")[0]
        self.named = set(re.search(r"--no-install-recommends ([^&]*)", self.image_run)[1].split())

    def test_to_build_it_those_that_the_project_lists_are_installed(self):
        self.assertEqual(self.build_run, ". tools/packages.sh && packages_need $PACKAGES_BUILD")
        said = subprocess.run(["sh", "-c", ". tools/packages.sh; echo $PACKAGES_BUILD"], cwd=ROOT,
                              check=True, capture_output=True, text=True).stdout
        self.assertIn("libmicrohttpd-dev", said)

    def test_to_run_it_those_whose_libraries_the_programs_name_and_no_others(self):
        for program in "objdump", "dpkg-query", "ldconfig":
            if not shutil.which(program, path=f"{os.environ['PATH']}:/sbin:/usr/sbin"):
                self.skipTest(f"there is no {program}")
        release = pathlib.Path("/etc/os-release").read_text(encoding="utf-8")
        if "VERSION_CODENAME=bookworm" not in release:
            self.skipTest("this is another system than the image's")
        built = [daemon.BUILD / name for name in ("twonmnistd", "twonmnist-generate")]
        built += [daemon.BUILD / ".libs" / name for name in ("twonmnist", "libtwonmnist.so.0")]
        needed = set()
        for path in built:
            said = subprocess.run(["objdump", "-p", path], check=True, capture_output=True,
                                  text=True).stdout
            needed |= set(re.findall(r"NEEDED\s+(\S+)", said))
        needed -= {"libtwonmnist.so.0"}
        owners = set()
        for name in needed:
            said = subprocess.run(["dpkg-query", "-S", f"*/{name}"], check=True, capture_output=True,
                                  text=True).stdout
            owners |= set(re.findall(r"^([\w.+-]+)(?::\w+)?: ", said, re.MULTILINE))
        self.assertEqual(self.named, owners.difference(OF_THE_SYSTEM))

    def test_apt_knows_them(self):
        if not shutil.which("apt-cache"):
            self.skipTest("there is no apt-cache")
        for name in self.named:
            known = subprocess.run(["apt-cache", "policy", name], check=True, capture_output=True,
                                   text=True).stdout
            self.assertRegex(known, r"(?m)^  (Candidate|Installed): \d", name)


class Paths(unittest.TestCase):
    def test_what_is_copied_is_enough_to_build_and_install_what_it_names(self):
        """make says what it would do, in a folder that has no more than the image's."""
        if not (ROOT / "configure").exists():
            self.skipTest("the source has no configure")
        build, image = stages()
        folder = pathlib.Path(self.enterContext(daemon.temporary_folder())) / "source"
        folder.mkdir()
        for rest in of(build, "COPY"):
            *names, to = rest.split()
            for name in names:
                place = folder / to / pathlib.Path(name).name if to.endswith("/") else folder / to
                place.parent.mkdir(exist_ok=True)
                place.symlink_to((ROOT / name).resolve())
        for name in PREPARED:
            (folder / name).symlink_to((ROOT / name).resolve())
        (folder / "out").mkdir()
        run = of(build, "RUN")[-1]
        options = shlex.split(re.search(r"\./configure (.*?) && ", run)[1])
        compiler = {name: os.environ[name] for name in ("CC",) if name in os.environ}
        subprocess.run(["../configure", *options], cwd=folder / "out", check=True,
                       capture_output=True, env={**quiet(), **compiler})
        install = shlex.split(re.search(r"&& make (install.*?) && ", run)[1])
        said = subprocess.run(["make", "-n", "all", *install], cwd=folder / "out", check=False,
                              capture_output=True, text=True, env=quiet())
        self.assertEqual(said.returncode, 0, said.stderr)
        for words in (r"/made/?'?/usr/bin", r"/made/?'?/usr/lib", r"/made/?'?/etc/twonmnist"):
            self.assertRegex(said.stdout, words)
        entry = json.loads(of(image, "ENTRYPOINT")[0])
        self.assertEqual(pathlib.Path(entry[0]).parent, pathlib.Path("/usr/bin"))
        self.assertTrue((daemon.BUILD / pathlib.Path(entry[0]).name).exists())
        self.assertEqual(entry[1:3], ["--config", "/etc/twonmnist/twonmnistd.conf"])

    def test_what_is_removed_of_the_library_is_what_only_compilers_want(self):
        made = pathlib.Path(self.enterContext(daemon.temporary_folder()))
        subprocess.run(["make", "-s", "-C", daemon.BUILD, f"DESTDIR={made}",
                        "install-libLTLIBRARIES"], check=True, capture_output=True, env=quiet())
        run = of(stages()[0], "RUN")[-1]
        removed = {pathlib.Path(path).name
                   for path in re.search(r"&& rm (.*?) && ", run)[1].split()}
        names = {path.name for path in made.rglob("libtwonmnist.*")}
        self.assertEqual({name for name in names - removed if ".so.0" in name}, names - removed)
        self.assertLessEqual(removed, names)


class Running(unittest.TestCase):
    """Its entry point and its health check, without a container."""

    def setUp(self):
        self.image = stages()[1]
        self.folder = pathlib.Path(self.enterContext(daemon.temporary_folder()))
        config = (ROOT / "etc/twonmnistd.conf").read_text(encoding="utf-8")
        listen = re.search(r"echo '(listen = .*?)' >>", of(stages()[0], "RUN")[-1])[1]
        self.config = self.folder / "twonmnistd.conf"
        self.config.write_text(f"{config}{listen}\n", encoding="utf-8")
        entry = json.loads(of(self.image, "ENTRYPOINT")[0])
        self.options = [str(self.config) if word.startswith("/etc/") else word for word in entry[1:]]

    def check(self, *options):
        return subprocess.run([daemon.DAEMON, *self.options, *options, "--check-config"], check=False,
                              capture_output=True, text=True)

    def test_it_wants_to_be_told_who_is_served(self):
        said = self.check()
        self.assertEqual(said.returncode, 1)
        self.assertIn("other machines reach 0.0.0.0:8642", said.stderr)
        self.assertEqual(self.check("--allow-anonymous", "yes").returncode, 0)

    def test_the_health_check_asks_the_daemon(self):
        if not pathlib.Path("/bin/bash").exists():
            self.skipTest("there is no bash")
        port = self.options[-1].rpartition(":")[2]
        words = json.loads(re.search(r"CMD (\[.*\])$", of(self.image, "HEALTHCHECK")[0])[1])
        self.assertIn(f"/{port} ", words[-1])
        with socket.create_server(("127.0.0.1", 0)) as free:
            mine = free.getsockname()[1]
        words[-1] = words[-1].replace(f"/{port} ", f"/{mine} ")
        data = daemon.generate(self.folder / "data", "--count", "20,5", source="synthetic")
        tokens = self.folder / "tokens"
        tokens.touch()

        def ask():
            return subprocess.run(words, check=False, capture_output=True, timeout=60).returncode
        with daemon.Daemon(data, "--admin-listen", f"127.0.0.1:{mine}", "--token-file", tokens) as server:
            self.assertEqual(ask(), 0)
            self.assertEqual(server.get("/v1/splits").status, 401)
            words[-1] = words[-1].replace("/healthz", "/nowhere")
            self.assertNotEqual(ask(), 0)
            words[-1] = words[-1].replace("/nowhere", "/healthz")
        self.assertNotEqual(ask(), 0)


class Built(unittest.TestCase):
    def test_a_builder_of_images_makes_it(self):
        builder = next((name for name in ("podman", "buildah") if shutil.which(name)), None)
        if builder is None:
            self.skipTest("there is neither podman nor buildah to build it with")
        can = subprocess.run([builder, "pull", "-q", stages()[1][0][1]], check=False,
                             capture_output=True, text=True)
        if can.returncode != 0:
            self.skipTest(f"{builder}: " + can.stderr.strip().rpartition("\n")[2])
        name = f"twonmnist-test-{os.getpid()}"
        built = subprocess.run([builder, "build", "--format", "docker", "-t", name, "-f", PATH, ROOT],
                               check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               text=True)
        self.addCleanup(subprocess.run, [builder, "rmi", "-f", name], check=False,
                        capture_output=True)
        self.assertEqual(built.returncode, 0, built.stdout[-4000:])


if __name__ == "__main__":
    unittest.main()
