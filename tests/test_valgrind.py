# SPDX-License-Identifier: Apache-2.0
"""libtwonmnist's examples under valgrind: no byte is lost or misused, whatever the servers do."""
import shutil
import signal
import socket
import subprocess
import unittest

import daemon

if shutil.which("valgrind") is None:
    raise unittest.SkipTest("valgrind is not installed")

EPOCH = ["client/examples/epoch", "train", "5", "2", "16", "0", "1", "short", "-"]
PAIRS = ["client/examples/pairs", "nmnist-train", "3", "3"]


def setUpModule():
    global folder, server, closed
    folder = daemon.generate(unittest.enterModuleContext(daemon.temporary_folder()),
                             "--count", "120,20", "--seed", "2", source="synthetic")
    server = unittest.enterModuleContext(daemon.Daemon(folder))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        closed = f"http://127.0.0.1:{listener.getsockname()[1]}"


class Memory(unittest.TestCase):
    def start(self, example, *urls):
        words = ["./libtool", "--mode=execute", "valgrind", "--quiet", "--leak-check=full",
                 "--show-leak-kinds=definite,indirect,possible", "--error-exitcode=99"]
        return subprocess.Popen([*words, *example, *urls], cwd=daemon.BUILD, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def finish(self, process, status=0):
        out, err = process.communicate(timeout=300)
        self.assertEqual(process.returncode, status, err)
        self.assertNotIn("==", err)
        return out

    def test_a_whole_epoch(self):
        self.assertIn("tnm1:", self.finish(self.start(EPOCH, server.url)))

    def test_batches_decoded_in_the_background(self):
        self.assertIn("batch 2: 16 pairs", self.finish(self.start(PAIRS, server.url)))

    def test_a_server_that_is_not_there(self):
        self.assertIn("tnm1:", self.finish(self.start(EPOCH, closed, server.url)))

    def test_a_split_that_is_not_there(self):
        self.finish(self.start([EPOCH[0], "nope", *EPOCH[2:]], server.url), status=1)

    def test_a_server_that_dies_with_batches_under_way(self):
        with daemon.Daemon(folder) as other:
            process = self.start(EPOCH, other.url, server.url)
            process.stdout.readline()
            other.process.send_signal(signal.SIGKILL)
            self.finish(process)


if __name__ == "__main__":
    unittest.main()
