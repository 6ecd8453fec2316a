# SPDX-License-Identifier: Apache-2.0
"""A few seconds of tests/fuzz/end_to_end.py, which is worth running for longer."""
import os
import pathlib
import subprocess
import sys
import unittest

SCRIPT = pathlib.Path(__file__).parent / "fuzz" / "end_to_end.py"
SEED = "1"
SECONDS = os.environ.get("FUZZ_S", "5")


class EndToEnd(unittest.TestCase):
    def test_a_daemon_stands_random_bytes_and_requests(self):
        done = subprocess.run([sys.executable, SCRIPT, SECONDS, SEED], capture_output=True, text=True,
                              check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("it lives", done.stdout)


if __name__ == "__main__":
    unittest.main()
