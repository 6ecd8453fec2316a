# SPDX-License-Identifier: Apache-2.0
"""The training example: its loss, its gradient, what it selects on, and resuming in the middle of an
epoch."""
import importlib.util
import json
import os
import pathlib
import re
import subprocess
import sys
import unittest

import daemon

try:
    import torch
except ImportError:
    raise unittest.SkipTest("PyTorch is not installed") from None

EXAMPLE = pathlib.Path(os.environ.get("TWONMNIST_SOURCE", ".")) / "python/examples/train.py"
SMALL = ["--hidden", "32", "--bins", "10", "--timestep", "30000", "--batch-size", "8",
         "--limit", "6", "--epochs", "2", "--checkpoint-every", "2"]


def setUpModule():
    global data, server, train
    spec = importlib.util.spec_from_file_location("train", EXAMPLE)
    train = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(train)
    data = daemon.generate(unittest.enterModuleContext(daemon.temporary_folder()),
                           "--count", "120,20", "--seed", "2", source="synthetic")
    server = unittest.enterModuleContext(daemon.Daemon(data))


class Loss(unittest.TestCase):
    def test_the_loss_is_that_of_a_sigmoid_of_the_rate(self):
        logits = train.spikemoid_logits(torch.tensor([0.2, 0.3]), theta=0.2, alpha=0.1)
        self.assertTrue(torch.allclose(torch.sigmoid(logits), torch.tensor([0.5, 0.7310586])))


class Learning(unittest.TestCase):
    def test_the_gradient_reaches_every_weight(self):
        torch.manual_seed(0)
        network = train.Network(hidden=16, decay=0.9)
        network((torch.rand(10, 4, 2, 34, 34) < 0.05).float()).sum().backward()
        for name, weight in network.named_parameters():
            self.assertTrue(torch.isfinite(weight.grad).all(), name)
            self.assertGreater(float(weight.grad.abs().sum()), 0, name)

    def test_the_loss_falls_on_what_it_is_shown(self):
        torch.manual_seed(0)
        network = train.Network(hidden=32, decay=0.9)
        optimizer = torch.optim.Adam(network.parameters(), lr=0.005)
        frames, labels = (torch.rand(10, 8, 2, 34, 34) < 0.05).float(), torch.eye(8, 10)
        losses = []
        for _ in range(30):
            logits = train.spikemoid_logits(network(frames), 0.2, 0.08)
            loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        self.assertLess(losses[-1], losses[0] / 2)


class Program(unittest.TestCase):
    def run_example(self, folder, *options, url=None):
        words = [sys.executable, EXAMPLE, url or server.url, *SMALL, *options]
        return subprocess.run(list(map(str, words)), cwd=folder, capture_output=True, text=True,
                              timeout=300)

    def test_a_resumed_training_ends_as_one_that_never_stopped(self):
        with daemon.temporary_folder() as one, daemon.temporary_folder() as two:
            whole = self.run_example(one)
            self.assertEqual((whole.returncode, whole.stderr), (0, ""))
            stopped = self.run_example(two, "--stop-after", 2)
            self.assertEqual(stopped.returncode, 130, stopped.stderr)
            resumed = self.run_example(two, "--resume", "checkpoint.pt")
            self.assertEqual((resumed.returncode, resumed.stdout), (0, whole.stdout))
            ends = [torch.load(pathlib.Path(folder) / "checkpoint.pt") for folder in (one, two)]
            for name, weight in ends[0]["network"].items():
                self.assertTrue(torch.equal(weight, ends[1]["network"][name]), name)
            self.assertEqual(ends[0]["loader"], ends[1]["loader"])
            curve = pathlib.Path(one) / "curve.png"
            try:
                import matplotlib  # noqa: F401
            except ImportError:
                self.skipTest("all but the curve: matplotlib is not installed")
            self.assertEqual(curve.read_bytes()[:8], b"\x89PNG\r\n\x1a\n")

    def test_the_test_split_is_opened_once_and_the_data_is_named(self):
        with daemon.temporary_folder() as folder:
            ended = self.run_example(folder)
        self.assertEqual((ended.returncode, ended.stderr), (0, ""))
        report = ended.stdout.split("The test split, opened once")[1]
        self.assertRegex(report, r"\| macro \|")
        urls = re.findall(r"\| (\w+) \| (\d+) \| (http\S+) \|", report)
        self.assertEqual([name for name, _, _ in urls], ["train", "validation", "test"])
        indices = {}
        for name, n_samples, url in urls:
            answer = server.get(url.removeprefix(server.url)).json()
            indices[name] = answer["indices"]
            self.assertEqual(len(indices[name]), int(n_samples), name)
        together = sorted(indices["train"] + indices["validation"])
        self.assertEqual(together, list(range(len(together))))

    def test_servers_see_the_test_split_opened_once_when_all_else_is_done(self):
        with daemon.temporary_folder() as folder:
            log = pathlib.Path(folder) / "access.log"
            with daemon.Daemon(data, "--access-log", log, "--threads", "1") as logging:
                ended = self.run_example(folder, url=logging.url)
            self.assertEqual((ended.returncode, ended.stderr), (0, ""))
            asked = [json.loads(line)["path"] for line in log.read_text().splitlines()]
        of_test = [path for path in asked if re.match(r"/v1/splits/test\b", path)]
        self.assertEqual(of_test.count("/v1/splits/test"), 1, asked)
        self.assertEqual(asked[-len(of_test):], of_test)
        samples = [int(i) for path in of_test
                   for some in re.findall(r"indices=([\d,]+)", path) for i in some.split(",")]
        # Batches are on their way together, and end in any order.
        self.assertEqual(sorted(samples), list(range(server.get("/v1/splits/test").json()["samples"])))

    def test_what_is_wrong_is_said_in_a_line(self):
        for option, words in (("--bins", "bins 0; it has to be 1 to 4096"),
                              ("--epochs", "epochs 0; it has to be 1 or more")):
            with daemon.temporary_folder() as folder:
                ended = self.run_example(folder, option, "0")
            self.assertEqual((ended.returncode, ended.stderr), (1, f"train.py: {words}\n"))


if __name__ == "__main__":
    unittest.main()
