# SPDX-License-Identifier: Apache-2.0
"""Debian, booted with systemd as its first process: the packages are installed, serve, meet what an
administrator and fate do to them, and are removed without rest."""
import ctypes
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import unittest

import certificates
import daemon
import machine
import packages

DATA = "/var/lib/twonmnist"
SERVICE, SOCKET = "twonmnistd.service", "twonmnistd.socket"
PTRACE_SEIZE, PTRACE_INTERRUPT, WALL = 0x4206, 0x4207, 0x40000000

# Asks for one path again and again, in the network of the machine, until its input ends; says what
# went wrong, and how often nothing did. A connection for each request, or one for all; over TLS where
# there is somebody to trust.
ASKING = """\
import http.client, json, select, ssl, sys
path, keeps, authority = sys.argv[1], sys.argv[2] == "keep", sys.argv[3:]
def connect():
    if authority:
        return http.client.HTTPSConnection("127.0.0.1", 8642, timeout=60, context=context)
    return http.client.HTTPConnection("127.0.0.1", 8642, timeout=60)
context = ssl.create_default_context(cafile=authority[0]) if authority else None
n, wrong, connection = 0, [], None
print("asking", flush=True)
while len(wrong) < 5 and not select.select([sys.stdin], [], [], 0)[0]:
    try:
        connection = connection or connect()
        connection.request("GET", path, headers={} if keeps else {"Connection": "close"})
        answer = connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            wrong.append(f"{answer.status} {body[:300]!r}")
        if not keeps:
            connection.close()
            connection = None
        n += 1
    except (OSError, http.client.HTTPException) as error:
        wrong.append(repr(error))
        connection = None
print(json.dumps([n, wrong]))
"""

# The certificate that the server shows.
SHOWN = """\
import socket, ssl
plain = socket.create_connection(("127.0.0.1", 8642), timeout=60)
context = ssl._create_unverified_context()
print(ssl.DER_cert_to_PEM_cert(context.wrap_socket(plain).getpeercert(binary_form=True)), end="")
"""

GET = """\
import http.client, sys
connection = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=60)
connection.request("GET", sys.argv[2])
answer = connection.getresponse()
print(answer.status, answer.read().decode())
"""

# Batches of epochs, until the input ends; then how many there were.
STREAM = """\
import select, sys, twonmnist
n = 0
with twonmnist.Split("http://127.0.0.1:8642", "train") as train:
    loader = twonmnist.loader(train, 8, seed=1)
    while not select.select([sys.stdin], [], [], 0)[0]:
        for _ in loader:
            if n == 0:
                print("streaming", flush=True)
            n += 1
print(n)
"""

ASK_UNIX = """\
import http.client, socket, sys
connection = http.client.HTTPConnection("localhost")
connection.sock = socket.socket(socket.AF_UNIX)
connection.sock.connect(sys.argv[1])
connection.request("GET", sys.argv[2])
print(connection.getresponse().read().decode())
"""

SAMPLE = "/v1/splits/train/samples/1.bin"
BATCH = "/v1/splits/train/epochs/1/0/batches/0.safetensors?size=16"
BATCH_TEXT = "/v1/splits/train/epochs/1/0/batches/0.json?size=4"


class Asking:
    """`with Asking(machine, path) as asking:` asks for it all the time."""

    def __init__(self, where, path, *authority, keeps=False):
        self.words = where.inside(sys.executable, "-c", ASKING, path, "keep" if keeps else "close",
                                  *authority, only=("-n",))

    def __enter__(self):
        self.process = subprocess.Popen(self.words, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True)
        self.process.stdout.readline()
        return self

    def __exit__(self, *unused):
        self.said = self.process.communicate(timeout=60)[0]
        self.n, self.wrong = json.loads(self.said)


def make_base(ret_trouble):
    try:
        machine.make_base()
    except (unittest.SkipTest, AssertionError, OSError) as error:
        ret_trouble.append(error)


def make_machine():
    """Debian is fetched while the packages are built."""
    machine.skip_without_means()
    trouble = []
    base = threading.Thread(target=make_base, args=(trouble,))
    base.start()
    try:
        files = sorted(packages.packages().values())
    finally:
        base.join()
    if trouble:
        raise trouble[0]
    folder = unittest.enterModuleContext(
        tempfile.TemporaryDirectory(prefix="machine-", dir=packages.FOLDER))
    made = machine.Machine(folder, files)
    machine.install_needs(made.root, files)
    return made


class State:
    """What all tests share."""
    machine = None
    files_before = frozenset()


def list_files(root):
    """All that installing and using packages should not leave behind."""
    passed_over = re.compile("/(dev|proc|run|sys|tmp|packages|var/(cache|log|tmp)|var/lib/(apt|dpkg)"
                             "|var/lib/systemd/(?!deb-systemd-helper)[^/]*"
                             "|etc/(passwd|group|shadow|gshadow)-|etc/ld.so.cache|root)$")
    found = set()
    for folder, folders, files in os.walk(root):
        here = folder.removeprefix(str(root))
        folders[:] = [name for name in folders if not passed_over.fullmatch(f"{here}/{name}")]
        found |= {path for name in [*folders, *files]
                  if not passed_over.fullmatch(path := f"{here}/{name}")}
    return frozenset(found)


def setUpModule():
    it = State.machine = make_machine()
    State.files_before = list_files(it.root)
    unittest.enterModuleContext(it)
    unittest.addModuleCleanup(keep_journal)
    it.run("sh", "-c", "apt-get install -y -qq --no-install-recommends /packages/*.deb")
    packages.note("the packages are installed")
    with open(it.root / "etc/twonmnist/twonmnistd.conf", "a", encoding="utf-8") as config:
        config.write("threads = 2\nwatch_interval_s = 0\n")
    it.run("twonmnist-generate", "splits", "--from", "synthetic", "--count", "40,10", "--out", DATA)
    it.run("systemctl", "enable", "--now", SOCKET)


def keep_journal():
    """For whoever wants to read what the machine saw."""
    journal = State.machine.ask("journalctl", "--boot", "--no-pager", "--output=short-monotonic")
    (packages.FOLDER / "boot.log").write_text(journal, encoding="utf-8")


class Case(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.machine = State.machine
        self.addCleanup(packages.note, self.id())

    def run_in(self, *words):
        return self.machine.run(*words)

    def get(self, path, port=8642):
        """Status and body of an answer, asked for in the machine's network."""
        asked = packages.run(*self.machine.inside(sys.executable, "-c", GET, port, path,
                                                  only=("-n",)))
        status, _, body = asked.partition(" ")
        return int(status), body

    def main_pid(self):
        return int(self.machine.show(SERVICE, "MainPID")["MainPID"])

    def is_serving(self, *others_than):
        """Whether it runs, as another process than these."""
        shown = self.machine.show(SERVICE, "MainPID", "ActiveState")
        return shown["ActiveState"] == "active" and int(shown["MainPID"]) not in others_than

    def serve(self):
        """Have it run, and return its main process."""
        self.assertEqual(self.get("/readyz")[0], 200)
        daemon.wait_until(self.is_serving)
        return self.main_pid()

    def journal(self, *words):
        return self.run_in("journalctl", "--boot", "--no-pager", "--output=cat", "-u", SERVICE,
                           *words)

    def signal(self, name):
        self.run_in("systemctl", "kill", "--kill-who=main", f"--signal={name}", SERVICE)

    def outside(self, pid):
        """The number that a process of the machine has outside."""
        namespace = os.readlink(f"/proc/{self.machine.first}/ns/pid")
        for entry in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                numbers = re.search(r"^NSpid:\s+(.*)$", (entry / "status").read_text(), re.MULTILINE)
                if int(numbers[1].split()[-1]) == pid and os.readlink(entry / "ns/pid") == namespace:
                    return int(entry.name)
            except OSError:
                pass  # it has ended meanwhile
        raise AssertionError(f"process {pid} is gone")


class Life(Case):
    def test_the_first_client_starts_it(self):
        self.run_in("systemctl", "stop", SERVICE)
        self.assertEqual(self.machine.show(SERVICE, "ActiveState")["ActiveState"], "inactive")
        self.assertIn("train", self.run_in("twonmnist", "info"))
        shown = self.machine.show(SERVICE, "ActiveState", "StatusText")
        self.assertEqual(shown["ActiveState"], "active")
        self.assertRegex(shown["StatusText"], f"^serving [0-9]+ splits of {DATA}")
        self.assertEqual(self.machine.show(SOCKET, "ActiveState")["ActiveState"], "active")

    def test_systemd_finds_the_units_right_and_hardly_exposed(self):
        self.assertEqual(self.run_in("systemd-analyze", "verify", "--man=no", SERVICE, SOCKET,
                                     "twonmnistd@8643.service", "twonmnistd@8643.socket"), "")
        said = self.run_in("systemd-analyze", "--no-pager", "security", SERVICE)
        level = re.search(r"Overall exposure level for \S+: ([\d.]+)", said)
        self.assertLessEqual(float(level[1]), 0.5, said)

    def test_it_is_nobody_and_sees_no_network(self):
        pid = self.serve()
        status = self.run_in("cat", f"/proc/{pid}/status")
        self.assertNotRegex(status, r"(?m)^[UG]id:.*\s0\b")
        self.assertRegex(status, r"(?m)^CapBnd:\s+0+$")
        self.assertRegex(status, r"(?m)^NoNewPrivs:\s+1$")
        interfaces = re.findall(r"^\s*(\w+):", self.run_in("cat", f"/proc/{pid}/net/dev"),
                                re.MULTILINE)
        self.assertEqual(interfaces, ["lo"])

    def test_the_unix_socket_serves_the_same(self):
        same = self.run_in("python3", "-c", ASK_UNIX, "/run/twonmnistd.socket",
                           "/v1/splits/train/labels")
        self.assertEqual(same, self.get("/v1/splits/train/labels")[1].strip())

    def test_the_packages_own_test_passes(self):
        test = pathlib.Path(os.environ.get("TWONMNIST_SOURCE", "."), "debian/tests/batch")
        (self.machine.root / "packages/batch").write_bytes(test.read_bytes())
        said = self.run_in("sh", "/packages/batch")
        self.assertIn("8 samples, the same by the command line and by Python", said)

    def test_new_splits_are_served_after_a_reload_and_no_request_fails(self):
        pid = self.serve()
        with Asking(self.machine, SAMPLE, keeps=True) as kept, \
                Asking(self.machine, BATCH) as single:
            for i in range(4):
                new = f"{DATA}/new{i}.safetensors"
                self.run_in("cp", f"{DATA}/test.safetensors", f"{new}.part")
                self.run_in("mv", f"{new}.part", new)
                self.assertEqual(self.get(f"/v1/splits/new{i}")[0], 404)
                self.run_in("systemctl", "reload", SERVICE)
                daemon.wait_until(lambda i=i: self.get(f"/v1/splits/new{i}")[0] == 200)
        self.assertEqual((kept.wrong, single.wrong), ([], []))
        self.assertGreater(min(kept.n, single.n), 4)
        self.assertEqual(self.main_pid(), pid)

    def test_a_wrong_configuration_is_told_and_changes_nothing(self):
        pid = self.serve()
        config = self.machine.root / "etc/twonmnist/twonmnistd.conf"
        right = config.read_text(encoding="utf-8")
        try:
            config.write_text(right + "threads = many\n", encoding="utf-8")
            self.assertIn("ended with 1", self.machine.ask("systemctl", "reload", SERVICE))
        finally:
            config.write_text(right, encoding="utf-8")
        self.assertRegex(self.journal(), r"twonmnistd.conf: line \d+: threads takes a whole number, not \"many\"")
        self.assertTrue(self.is_serving())
        self.assertEqual(self.main_pid(), pid)

    def test_a_restart_under_load_fails_no_request(self):
        pid = self.serve()
        with Asking(self.machine, SAMPLE, keeps=True) as kept, \
                Asking(self.machine, SAMPLE) as single, Asking(self.machine, BATCH) as heavy:
            for _ in range(4):
                self.run_in("systemctl", "restart", SERVICE)
                self.assertEqual(self.get("/readyz")[0], 200)
        self.assertEqual((kept.wrong, single.wrong, heavy.wrong), ([], [], []))
        self.assertGreater(min(kept.n, single.n, heavy.n), 4)
        self.assertNotEqual(self.main_pid(), pid)

    def test_killed_it_comes_back_and_a_stream_goes_on(self):
        pid = self.serve()
        stream = subprocess.Popen(self.machine.inside("python3", "-c", STREAM),
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, text=True, env=machine.ENVIRONMENT)
        stream.stdout.readline()
        self.signal("KILL")
        daemon.wait_until(lambda: self.is_serving(pid))
        said, wrong = stream.communicate(timeout=60)
        self.assertEqual((stream.returncode, wrong), (0, ""))
        self.assertGreater(int(said), 0)

    def test_its_end_leaves_the_socket_to_systemd(self):
        self.serve()
        self.run_in("systemctl", "stop", SERVICE)
        self.assertEqual(self.machine.show(SOCKET, "SubState")["SubState"], "listening")
        self.assertEqual(self.get("/readyz")[0], 200)
        self.addCleanup(self.run_in, "systemctl", "start", SOCKET)
        self.run_in("systemctl", "stop", SOCKET)
        self.assertFalse((self.machine.root / "run/twonmnistd.socket").exists())
        with self.assertRaisesRegex(AssertionError, "ConnectionRefusedError"):
            self.get("/readyz")

    def test_a_replica_serves_the_same_on_its_port(self):
        replica = "twonmnistd@8643.socket"
        self.run_in("systemctl", "enable", "--now", replica)
        self.assertEqual(self.get(BATCH_TEXT, 8643), self.get(BATCH_TEXT))
        self.assertEqual(self.machine.show("twonmnistd@8643.service", "ActiveState")["ActiveState"],
                         "active")

    def test_the_journal_has_what_happens_by_its_level(self):
        self.serve()
        lines = self.journal("-p", "6..6")
        self.assertIn("listening on descriptor 3, passed in: 127.0.0.1:8642", lines)
        self.assertIn("listening on descriptor 4, passed in: unix:/run/twonmnistd.socket", lines)
        self.assertNotIn("listening", self.journal("-p", "5"))


class Encrypted(Case):
    def setUp(self):
        super().setUp()
        certificates.need_openssl()
        self.folder = pathlib.Path(self.enterContext(daemon.temporary_folder()))
        self.authority = certificates.Authority(self.folder)
        self.place = self.machine.root / "etc/twonmnist/tls"
        self.place.mkdir()
        config = self.machine.root / "etc/twonmnist/twonmnistd.conf"
        before = config.read_text(encoding="utf-8")
        self.addCleanup(self.run_in, "systemctl", "restart", SERVICE)
        self.addCleanup(config.write_text, before, encoding="utf-8")
        self.addCleanup(shutil.rmtree, self.place)
        config.write_text(before + "tls_certificate = /etc/twonmnist/tls/server.pem\n"
                          "tls_key = /etc/twonmnist/tls/server.key\n", encoding="utf-8")

    def put(self, name):
        """Put a new certificate in place, with a key that the service's group alone may read."""
        certificate, key = self.authority.issue(name)
        shutil.copy(certificate, self.place / "server.pem")
        shutil.copy(key, self.place / "server.key")
        self.run_in("chown", "root:twonmnist", "/etc/twonmnist/tls/server.key")
        self.run_in("chmod", "640", "/etc/twonmnist/tls/server.key")
        return certificate.read_text(encoding="ascii").partition("-----BEGIN")[2]

    def shown(self):
        said = packages.run(*self.machine.inside(sys.executable, "-c", SHOWN, only=("-n",)))
        return said.partition("-----BEGIN")[2]

    def test_a_certificate_is_replaced_and_no_request_fails(self):
        first = self.put("first")
        self.run_in("systemctl", "restart", SERVICE)
        self.assertEqual(self.shown(), first)
        pid = self.main_pid()
        with Asking(self.machine, SAMPLE, self.authority.path, keeps=True) as kept, \
                Asking(self.machine, SAMPLE, self.authority.path) as single:
            second = self.put("second")
            self.run_in("systemctl", "reload", SERVICE)
            daemon.wait_until(lambda: self.shown() == second)
        self.assertEqual((kept.wrong, single.wrong), ([], []))
        self.assertGreater(min(kept.n, single.n), 4)
        self.assertEqual(self.main_pid(), pid)


class Watchdog(Case):
    def setUp(self):
        super().setUp()
        folder = self.machine.root / "etc/systemd/system/twonmnistd.service.d"
        folder.mkdir()
        self.addCleanup(self.run_in, "systemctl", "daemon-reload")
        self.addCleanup(shutil.rmtree, folder)
        (folder / "quick.conf").write_text("[Service]\nWatchdogSec=4\n", encoding="utf-8")
        self.run_in("systemctl", "daemon-reload")
        self.run_in("systemctl", "restart", SERVICE)
        self.pid = self.serve()

    def expect_another(self):
        daemon.wait_until(lambda: self.is_serving(self.pid))
        self.assertIn("Watchdog timeout", self.journal())
        self.assertEqual(self.get("/readyz")[0], 200)

    def test_the_status_tells_of_connections(self):
        daemon.wait_until(lambda: re.search(
            r"^serving \d+ splits of \S+; connections: \d+$",
            self.machine.show(SERVICE, "StatusText")["StatusText"]))

    def test_a_process_that_hangs_is_replaced(self):
        self.signal("STOP")
        self.expect_another()

    def test_a_process_with_one_loop_that_hangs_is_replaced(self):
        outside = self.outside(self.pid)
        tasks = pathlib.Path(f"/proc/{outside}/task")
        loops = [int(task.name) for task in tasks.iterdir() if int(task.name) != outside and
                 (task / "wchan").read_text(encoding="utf-8") in ("ep_poll", "do_epoll_wait")]
        if not loops:
            self.skipTest("this kernel does not tell which threads are loops")
        libc = ctypes.CDLL(None, use_errno=True)
        libc.ptrace.argtypes = [ctypes.c_long] * 4
        for request in PTRACE_SEIZE, PTRACE_INTERRUPT:
            if libc.ptrace(request, loops[0], 0, 0) != 0:
                self.skipTest(f"ptrace: {os.strerror(ctypes.get_errno())}")
        daemon.wait_until(lambda: self.has_ended(loops[0]))
        self.expect_another()

    @staticmethod
    def has_ended(task):
        """Whether the thread is gone; it does not go before who holds it has looked."""
        try:
            return os.waitpid(task, os.WNOHANG | WALL)[1] == signal.SIGKILL
        except ChildProcessError:
            return True


class Wiped(Case):
    """Last of all, for its name: the packages are removed."""

    def test_a_removal_ends_it_and_a_purge_leaves_data_alone(self):
        pid = self.serve()
        self.run_in("systemctl", "enable", "--now", "twonmnistd@8643.socket")
        self.assertEqual(self.get("/readyz", 8643)[0], 200)
        names = [path.name.split("_")[0] for path in (self.machine.root / "packages").glob("*.deb")]
        self.run_in("apt-get", "remove", "-y", "-qq", *names)
        self.assertIn("ended with", self.machine.ask("test", "-d", f"/proc/{pid}"))
        running = self.run_in("systemctl", "list-units", "--no-legend", "--all", "twonmnistd*")
        self.assertNotIn("running", running)
        self.assertNotIn("listening", running)
        self.assertTrue((self.machine.root / "etc/twonmnist/twonmnistd.conf").exists())
        self.run_in("apt-get", "purge", "-y", "-qq", "twonmnistd")
        left = list_files(self.machine.root) - State.files_before
        data = {DATA, *(f"{DATA}/{path.name}" for path in (self.machine.root / DATA[1:]).iterdir())}
        self.assertIn(f"{DATA}/train.safetensors", data)
        self.assertEqual(sorted(left), sorted(data))
        self.assertEqual(self.run_in("systemctl", "is-system-running"), "running")
        self.assertNotIn("twonmnist", (self.machine.root / "etc/group").read_text(encoding="utf-8"))


if __name__ == "__main__":
    unittest.main()
