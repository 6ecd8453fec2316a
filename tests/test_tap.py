# SPDX-License-Identifier: Apache-2.0
"""What tap.py prints: no test that fails is counted as anything else."""
import os
import pathlib
import subprocess
import sys
import tempfile
import textwrap
import unittest

TAP = pathlib.Path(__file__).with_name("tap.py")


class Tap(unittest.TestCase):
    def run_file(self, text):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "some.py")
            path.write_text("import unittest\n" + textwrap.dedent(text), encoding="utf-8")
            ran = subprocess.run([sys.executable, TAP, path], capture_output=True, text=True,
                                 env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}, check=False)
        return [line for line in ran.stdout.splitlines() if not line.startswith("#")]

    def test_one_line_for_each_test(self):
        self.assertEqual(self.run_file("""
            class T(unittest.TestCase):
                def test_a(self):
                    pass
                def test_b(self):
                    self.fail("so")
                @unittest.skip("why \\n not")
                def test_c(self):
                    pass
            """), ["ok 1 - T.test_a", "not ok 2 - T.test_b", "ok 3 - T.test_c # SKIP why not", "1..3"])

    def test_a_failure_counts_before_and_behind_a_skipped_part(self):
        self.assertEqual(self.run_file("""
            class T(unittest.TestCase):
                def test_a(self):
                    with self.subTest(1):
                        self.skipTest("not here")
                    with self.subTest(2):
                        self.fail("so")
                def test_b(self):
                    with self.subTest(1):
                        self.fail("so")
                    with self.subTest(2):
                        self.skipTest("not here")
                def test_c(self):
                    with self.subTest(1):
                        self.skipTest("not here")
                    with self.subTest(2):
                        pass
            """), ["not ok 1 - T.test_a", "not ok 2 - T.test_b", "ok 3 - T.test_c # SKIP not here", "1..3"])

    def test_a_class_that_cannot_be_set_up_hides_nothing_behind_it(self):
        lines = self.run_file("""
            class A(unittest.TestCase):
                @classmethod
                def setUpClass(cls):
                    raise OSError("so")
                def test_a(self):
                    pass
            class B(unittest.TestCase):
                def test_b(self):
                    self.fail("so")
            """)
        self.assertRegex(lines[0], r"^not ok 1 - .*A")
        self.assertEqual(lines[1:], ["not ok 2 - B.test_b", "1..2"])

    def test_no_test_is_no_success(self):
        self.assertEqual(self.run_file("raise unittest.SkipTest('nothing here')"), ["1..0 # SKIP nothing here"])
        self.assertEqual(self.run_file(""), ["1..0"])


if __name__ == "__main__":
    unittest.main()
