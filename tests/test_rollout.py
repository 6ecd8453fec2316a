# SPDX-License-Identifier: Apache-2.0
"""A new revision is rolled out over three replicas, one by one, while a stream with default settings
goes on with the one that it has opened."""
import pathlib
import shutil
import signal
import unittest

import daemon
from test_patience import Steps

N_AT_ONCE = 4  # batches that are taken between two steps of a roll-out


def setUpModule():
    global folders, revisions, whole
    top = pathlib.Path(unittest.enterModuleContext(daemon.temporary_folder()))
    old = daemon.generate(top / "old", "--count", "300,60", source="synthetic")
    new = top / "new"
    shutil.copytree(old, new)
    daemon.set_metadata(new / "train.safetensors", citation="of a new revision")
    folders = {"old": old, "new": new}
    with daemon.Daemon(old) as server, Steps(server.url) as steps:
        revisions = {"old": server.get("/v1/splits/train").json()["revision"]}
        while steps.take() != "end ok":
            pass
        whole = steps.lines
    with daemon.Daemon(new) as server:
        revisions["new"] = server.get("/v1/splits/train").json()["revision"]


class Replica:
    """A daemon with a folder of its own, at one address whatever becomes of it."""

    def __init__(self, case):
        self.folder = pathlib.Path(case.enterContext(daemon.temporary_folder()), "data")
        shutil.copytree(folders["old"], self.folder)
        self.server = daemon.Daemon(self.folder).__enter__()
        self.url = self.server.url
        case.addCleanup(lambda: self.server.stop())

    def put(self, which):
        fresh = self.folder / "fresh"
        shutil.copy(folders[which] / "train.safetensors", fresh)
        fresh.rename(self.folder / "train.safetensors")

    def restart(self, which):
        self.server.stop()
        self.put(which)
        self.server = daemon.Daemon(self.folder, listen=f"127.0.0.1:{self.server.port}").__enter__()

    def reload(self, which):
        self.put(which)
        self.server.process.send_signal(signal.SIGHUP)
        daemon.wait_until(lambda: self.server.get("/v1/splits/train").json()["revision"]
                          == revisions[which])

    def kill(self, which):
        self.server.stop(signal.SIGKILL)
        self.restart(which)


class RollOut(unittest.TestCase):
    def setUp(self):
        self.replicas = [Replica(self) for _ in range(3)]
        self.steps = self.enterContext(Steps(*(replica.url for replica in self.replicas)))

    def take(self, n=N_AT_ONCE):
        for _ in range(n):
            self.steps.take()

    def take_until_it_fails(self):
        while self.steps.take().startswith("batch ok"):
            pass
        return self.steps.lines.pop()

    def roll(self, how):
        self.take()
        for replica in self.replicas[:2]:
            how(replica, "new")
            self.take()
        how(self.replicas[2], "new")
        failure = self.take_until_it_fails()
        self.assertRegex(failure, f"^batch ESTALE batch [0-9]+ of epoch 2 of train at revision "
                                  f"{revisions['old'][:12]}: ")
        for replica in self.replicas:
            self.assertIn(f"{replica.url}: has other data: split train is loaded at revision "
                          f"{revisions['new']}", failure)
        how(self.replicas[1], "old")  # and back
        while self.steps.take() != "end ok":
            if self.steps.lines[-1].startswith("batch ESTALE"):  # it had been asked for ahead
                self.steps.lines.pop()
        self.assertEqual(self.steps.lines, whole)

    def test_by_restarts(self):
        self.roll(Replica.restart)

    def test_by_reloads(self):
        self.roll(Replica.reload)

    def test_by_kills(self):
        self.roll(Replica.kill)

    def test_whoever_opens_meanwhile_has_one_revision(self):
        self.replicas[0].restart("new")
        urls = [replica.url for replica in self.replicas]
        for _ in range(6):
            with Steps(*urls) as steps:
                while steps.take() != "end ok":
                    self.assertTrue(steps.lines[-1].startswith("batch ok"), steps.lines[-1])
                self.assertEqual(steps.lines, whole)  # the new one differs in its header alone


if __name__ == "__main__":
    unittest.main()
