# SPDX-License-Identifier: Apache-2.0
"""A machine with Debian whose first process is systemd: a container, without a network to other
machines, that ends with the test."""
import fcntl
import functools
import os
import pathlib
import re
import shutil
import signal
import subprocess
import unittest

import daemon
import packages

BASE = packages.FOLDER / "base"
NEEDED = {"systemd-nspawn": "systemd-container", "debootstrap": "debootstrap",
          "nsenter": "util-linux", "apt-get": "apt"}
PROPAGATE = pathlib.Path("/run/systemd/nspawn/propagate")
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8",
               "DEBIAN_FRONTEND": "noninteractive"}
CGROUPS = [pathlib.Path("/sys/fs/cgroup", kind, name) for kind in ("", "unified", "systemd")
           for name in ("payload", "supervisor")]


def skip_without_means():
    if os.geteuid() != 0:
        raise unittest.SkipTest("only root starts a container with systemd in it")
    missing = [f"{program} ({package})" for program, package in NEEDED.items()
               if shutil.which(program) is None]
    if missing:
        raise unittest.SkipTest(f"no container without {', '.join(missing)}")


def mirror():
    """Where this system has its packages from, and which Debian it is."""
    release = pathlib.Path("/etc/os-release").read_text(encoding="utf-8")
    name = re.search(r"^VERSION_CODENAME=(\w+)$", release, re.MULTILINE)
    lines = packages.run("apt-get", "indextargets", "--format", "$(RELEASE) $(REPO_URI)",
                         "Created-By: Packages").splitlines()
    for line in lines:
        suite, _, address = line.partition(" ")
        if name and suite == name[1]:
            return suite, address
    raise unittest.SkipTest("apt's sources have no Debian of this system's release")


@functools.cache
def wait_for_turn():
    """One test at a time boots machines; it lets go by ending."""
    lock = (packages.FOLDER / "machines.lock").open("w")
    fcntl.flock(lock, fcntl.LOCK_EX)
    return lock


def make_base():
    """The smallest Debian that boots; nothing of ours is in it. The caller has its turn then."""
    skip_without_means()
    packages.FOLDER.mkdir(exist_ok=True)
    wait_for_turn()
    if (BASE / "whole").exists():
        return
    suite, address = mirror()
    shutil.rmtree(BASE, ignore_errors=True)
    BASE.mkdir(parents=True)
    made = subprocess.run(
        ["debootstrap", "--variant=minbase", "--include=systemd,systemd-sysv,dbus", suite,
         BASE / "root", address], capture_output=True, text=True, check=False)
    if made.returncode != 0:
        raise unittest.SkipTest("debootstrap: " + made.stdout.strip().rpartition("\n")[2])
    (BASE / "whole").touch()
    packages.note("a small Debian is there")


def install_needs(root, files):
    """What the packages need and are not themselves, as apt finds it."""
    apt = ("apt-get", "-qq", "-o", "Dpkg::Options::=--force-unsafe-io", "-o", "APT::Sandbox::User=root")
    names = {path.name.split("_")[0] for path in files}
    wanted = ", ".join(packages.run("dpkg-deb", "--field", path, "Depends").strip()
                       for path in files)
    needs = {re.match(r"[^ :(|]+", word)[0] for word in re.split(r",\s*", wanted) if word}
    packages.run("chroot", root, *apt, "install", "-y", "--no-install-recommends",
                 *sorted(needs - names), env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"})


class Machine:
    """`with Machine(folder, files) as machine:` boots a copy of the base that has these packages in
    /packages, not installed. `machine.run("systemctl", "status")` runs a command in it."""

    def __init__(self, folder, files):
        self.root = pathlib.Path(folder) / "root"
        packages.run("cp", "-a", BASE / "root", self.root)
        (self.root / "packages").mkdir()
        for path in files:
            shutil.copy(path, self.root / "packages")

    def __enter__(self):
        self.made = [path for path in (PROPAGATE, PROPAGATE.parent) if not path.exists()]
        PROPAGATE.mkdir(parents=True, exist_ok=True)
        self.process = subprocess.Popen(
            ["systemd-nspawn", "--boot", "--private-network", "--register=no", "--keep-unit",
             "--console=pipe", f"--machine=twonmnist-{os.getpid()}", f"--directory={self.root}"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env={**os.environ, "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"})
        self.first = None
        try:
            self.first = daemon.wait_until(self.find_first)
            daemon.wait_until(self.is_booted)
            packages.note("it has booted")
        except BaseException:
            self.__exit__()
            raise
        return self

    def find_first(self):
        """The number that its first process has outside, once that is systemd."""
        if self.process.poll() is not None:
            raise unittest.SkipTest("systemd-nspawn: " + self.process.stdout.read().strip())
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        for number in children.read_text(encoding="utf-8").split():
            name = pathlib.Path(f"/proc/{number}/comm").read_text(encoding="utf-8")
            if name == "systemd\n":
                return int(number)
        return None

    def is_booted(self):
        return self.ask("systemctl", "is-active", "multi-user.target") == "active"

    def inside(self, *words, only=("-m", "-u", "-i", "-n", "-p")):
        """The words that run a command in it; only in its network: only=("-n",)."""
        return ["nsenter", "-t", str(self.first), *only, "--", *map(str, words)]

    def run(self, *words):
        """Run a command in it, and return what it says. It has to succeed."""
        return packages.run(*self.inside(*words), env=ENVIRONMENT).strip()

    def ask(self, *words):
        """The same for a command that may fail."""
        try:
            return self.run(*words)
        except AssertionError as error:
            return str(error)

    def show(self, unit, *properties):
        """What systemd knows of a unit."""
        shown = self.run("systemctl", "show", unit, *(f"--property={name}" for name in properties))
        return dict(line.split("=", 1) for line in shown.splitlines())

    def __exit__(self, *unused):
        if self.process.poll() is None:
            if self.first:
                self.process.terminate()  # which has it shut down
            try:
                self.process.wait(timeout=60 if self.first else 1)
            except subprocess.TimeoutExpired:
                self.process.send_signal(signal.SIGKILL)
                self.process.wait()
        self.process.stdout.close()
        for path in self.made:
            shutil.rmtree(path, ignore_errors=True)
        for path in CGROUPS:
            try:
                path.rmdir()
            except OSError:
                pass  # there is none, or it is another's
