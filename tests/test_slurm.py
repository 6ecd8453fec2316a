# SPDX-License-Identifier: Apache-2.0
"""etc/slurm-*.sh: the prolog pulls splits, starts a daemon on the node, and nothing where there is one; an
array of jobs trains from it, in Slurm on one machine where that is to be had."""
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import unittest

import daemon
import programs

ROOT = pathlib.Path(os.environ.get("TWONMNIST_SOURCE", pathlib.Path(__file__).parent.parent))
PROLOG, ARRAY = ROOT / "etc/slurm-prolog.sh", ROOT / "etc/slurm-array.sh"
SCRIPTS = (PROLOG, ARRAY)
# In place of what changes the system.
NO_SYSTEMD = "#!/bin/sh\nexit 1\n"


class Scripts(unittest.TestCase):
    def test_a_shell_and_shellcheck_take_them(self):
        for path in SCRIPTS:
            subprocess.run(["sh", "-n", path], check=True)
        if not shutil.which("shellcheck"):
            self.skipTest("there is no shellcheck")
        said = subprocess.run(["shellcheck", *SCRIPTS], check=False, capture_output=True, text=True)
        self.assertEqual(said.returncode, 0, said.stdout)


class OnNode(unittest.TestCase):
    """A node without systemd whose folders are others."""

    def setUp(self):
        said = subprocess.run([daemon.COMMAND_LINE, "pull", "--help"], check=False, capture_output=True)
        if said.returncode != 0:
            self.skipTest("twonmnist has no pull")
        self.folder = pathlib.Path(self.enterContext(daemon.temporary_folder())).resolve()
        source = daemon.generate(self.folder / "source", "--count", "40,10", source="synthetic")
        self.server = self.enterContext(daemon.Daemon(source))
        binaries = self.folder / "bin"
        binaries.mkdir()
        (binaries / "twonmnist").symlink_to(daemon.COMMAND_LINE.resolve())
        (binaries / "twonmnistd").symlink_to(daemon.DAEMON.resolve())
        for name in "systemctl", "logger":
            (binaries / name).write_text(NO_SYSTEMD, encoding="ascii")
            (binaries / name).chmod(0o755)
        self.data, self.socket = self.folder / "data", self.folder / "node.socket"
        self.config = self.folder / "slurm.conf"
        self.configure(self.server.url)
        self.environment = {**os.environ, "PATH": f"{binaries}:{os.environ['PATH']}",
                            "TWONMNIST_SLURM_CONF": str(self.config)}
        self.addCleanup(self.stop)

    def configure(self, url):
        self.config.write_text(f"TWONMNIST_SERVER={url}\nTWONMNIST_DATA={self.data}\n"
                               f"TWONMNIST_SOCKET={self.socket}\n", encoding="utf-8")

    def daemons(self):
        """Numbers of the daemons that serve the node's folder."""
        found = []
        for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
            try:
                words = path.read_bytes().split(b"\0")
            except OSError:
                continue
            if str(self.data).encode() in words and words[0].endswith(b"twonmnistd"):
                found.append(int(path.parent.name))
        return found

    def stop(self):
        for number in self.daemons():
            os.kill(number, signal.SIGTERM)


class Prolog(OnNode):
    def prolog(self):
        return subprocess.run(["sh", PROLOG], check=False, capture_output=True, text=True, env=self.environment,
                              timeout=60)

    def answers(self):
        said = subprocess.run([daemon.COMMAND_LINE, "info", "--server", f"unix:{self.socket}"], check=False,
                              capture_output=True, text=True)
        return said.returncode == 0

    def test_it_pulls_and_serves_once_however_many_jobs_begin(self):
        several = [subprocess.Popen(["sh", PROLOG], env=self.environment, stdout=subprocess.DEVNULL,
                                    stderr=subprocess.PIPE, text=True) for _ in range(4)]
        for one in several:
            self.assertEqual((one.communicate(timeout=60)[1], one.returncode), ("", 0))
        self.assertTrue(self.answers())  # before any of the jobs begins
        self.assertEqual(len(self.daemons()), 1)
        self.assertEqual((self.data / ".daemon.log").read_text(encoding="utf-8").count("error"), 0)
        self.server.stop()
        ended = self.prolog()  # the servers are not asked any more
        self.assertEqual((ended.returncode, ended.stderr), (0, ""))
        self.assertEqual(len(self.daemons()), 1)
        for split in "train", "test", "nmnist-train", "nmnist-test":
            self.assertTrue((self.data / f"{split}.safetensors").exists(), split)

    def test_where_nothing_can_be_pulled_the_job_begins_and_it_is_said(self):
        with socket.create_server(("127.0.0.1", 0)) as unused:
            url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        self.configure(url)
        ended = self.prolog()
        self.assertEqual(ended.returncode, 0)
        self.assertIn("the splits were not pulled", ended.stderr)
        self.assertIn(url, ended.stderr)
        self.assertEqual(self.daemons(), [])


class Array(unittest.TestCase):
    def run_array(self, folder, server_socket, task="3"):
        train = folder / "train"
        train.write_text("#!/bin/sh\necho \"$@\"\n", encoding="ascii")
        train.chmod(0o755)
        return subprocess.run(["sh", ARRAY], check=True, capture_output=True, text=True, cwd=folder, env={
            **os.environ, "TWONMNIST_TRAIN": str(train), "TWONMNIST_SOCKET": str(server_socket),
            "TWONMNIST_SERVER": "http://one:8642 http://two:8642", "SLURM_ARRAY_TASK_ID": task}).stdout.split()

    def test_a_job_asks_the_nodes_daemon_or_else_the_servers(self):
        with daemon.temporary_folder() as name:
            folder = pathlib.Path(name)
            self.assertEqual(self.run_array(folder, folder / "none"),
                             ["--seed", "3", "--checkpoint", "seed-3.pt", "http://one:8642", "http://two:8642"])
            with socket.socket(socket.AF_UNIX) as listener:
                listener.bind(str(folder / "socket"))
                self.assertEqual(self.run_array(folder, folder / "socket")[-1], f"unix:{folder}/socket")

    def test_one_that_was_interrupted_goes_on(self):
        with daemon.temporary_folder() as name:
            folder = pathlib.Path(name)
            (folder / "seed-3.pt").touch()
            self.assertEqual(self.run_array(folder, folder / "none")[4:6], ["--resume", "seed-3.pt"])


SLURM = """ClusterName=twonmnist
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
AuthType=auth/none
CredType=cred/none
SlurmUser=root
SlurmdUser=root
PluginDir={plugins}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/ctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/ctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
Prolog={prolog}
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES State=UP
"""


class Slurm(OnNode):
    """Slurm itself on this machine, with its prolog."""

    def setUp(self):
        if os.geteuid() != 0:
            self.skipTest("only root starts slurmd")
        try:
            controller = programs.program("slurmctld", "slurm-wlm")
        except unittest.SkipTest:
            controller = programs.program("slurmctld-wlm", "slurm-wlm")
        super().setUp()
        self.environment = {**programs.environment(controller), "SLURM_CONF": str(self.folder / "slurm-wlm.conf")}
        root = programs.root_of(controller)
        self.tools = root / "usr/bin"
        suffix = controller.name.removeprefix("slurmctld")
        plugins = next((root / "usr/lib").rglob("slurm-wlm/auth_none.so"), None)
        if plugins is None:
            self.skipTest("this Slurm has no auth_none.so")
        prolog = self.folder / "prolog.sh"
        prolog.write_text(f"#!/bin/sh\nexport PATH={self.folder}/bin:$PATH TWONMNIST_SLURM_CONF={self.config}\n"
                          f"exec {PROLOG}\n", encoding="utf-8")
        prolog.chmod(0o755)
        for name in "state", "spool":
            (self.folder / name).mkdir()
        with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as two:
            ports = [each.getsockname()[1] for each in (one, two)]
        (self.folder / "slurm-wlm.conf").write_text(
            SLURM.format(host=socket.gethostname().partition(".")[0], ports=ports, plugins=plugins.parent,
                         folder=self.folder, prolog=prolog, cpus=os.cpu_count()), encoding="utf-8")
        self.run_daemon(controller, "-D", "-i")
        self.run_daemon(controller.with_name(f"slurmd{suffix}"), "-D", "-d",
                        controller.with_name(f"slurmstepd{suffix}"))

    def run_daemon(self, *words):
        log = self.enterContext(open(self.folder / f"{words[0].name}.said", "wb"))
        process = subprocess.Popen(words, stdout=log, stderr=log, env=self.environment)
        self.addCleanup(process.wait, 60)
        self.addCleanup(process.terminate)

    def ask(self, name, *words):
        return subprocess.run([self.tools / name, *words], check=False, capture_output=True, text=True,
                              env=self.environment, cwd=self.folder, timeout=60)

    def test_an_array_of_jobs_is_served_by_a_daemon_on_the_node(self):
        daemon.wait_until(lambda: "idle" in self.ask("sinfo", "-h", "-o", "%T").stdout)
        train = self.folder / "train"
        train.write_text(f"#!/bin/sh\nfor url; do :; done\nexec {daemon.COMMAND_LINE.resolve()} labels train --server $url\n",
                         encoding="utf-8")
        train.chmod(0o755)
        said = self.ask("sbatch", "--wait", "--array=0-3", f"--output={self.folder}/out-%a",
                        f"--export=ALL,TWONMNIST_TRAIN={train},TWONMNIST_SOCKET={self.socket},"
                        "TWONMNIST_SERVER=http://nowhere.invalid", ARRAY)
        outputs = [(self.folder / f"out-{i}").read_text(encoding="utf-8") for i in range(4)]
        self.assertEqual(said.returncode, 0, (said.stderr, outputs))
        self.assertEqual(set(outputs), {outputs[0]})
        right = subprocess.run([daemon.COMMAND_LINE, "labels", "train", "--server", self.server.url], check=True,
                               capture_output=True, text=True).stdout
        self.assertEqual(outputs[0], right)
        self.assertEqual(len(self.daemons()), 1)


if __name__ == "__main__":
    unittest.main()
