# SPDX-License-Identifier: Apache-2.0
"""Run one unittest file and print its results as TAP, for automake's tap-driver.

    tap.py tests/test_something.py [TestClass.test_name ...]
"""
import importlib.util
import os
import pathlib
import sys
import traceback
import unittest


class TapResult(unittest.TestResult):
    """Prints one TAP line per test; a failing subTest makes its test fail once."""

    def __init__(self, out):
        super().__init__()
        self.out = out
        self.number = 0
        self.reported = False

    def stopTest(self, test):
        super().stopTest(test)
        self.reported = False

    def _line(self, ok, test, directive=""):
        if self.reported:
            return
        self.reported = True
        self.number += 1
        name = test.id().split(".", 1)[-1].replace("#", "")
        verdict = "ok" if ok else "not ok"
        print(f"{verdict} {self.number} - {name}{directive}", file=self.out, flush=True)

    def _fail(self, test, err):
        for line in "".join(traceback.format_exception(*err)).splitlines():
            print(f"# {line}", file=self.out)
        self._line(False, test)

    def addSuccess(self, test):
        self._line(True, test)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self._line(True, test, " # SKIP " + " ".join(reason.split()))

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self._fail(test, err)

    def addError(self, test, err):
        super().addError(test, err)
        self._fail(test, err)

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            print(f"# in {subtest}", file=self.out)
            self._fail(test, err)

    def addExpectedFailure(self, test, err):
        self._line(True, test)

    def addUnexpectedSuccess(self, test):
        super().addUnexpectedSuccess(test)
        self._line(False, test)


def main():
    path = pathlib.Path(sys.argv[1]).resolve()
    sys.path.insert(0, str(path.parent))
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what a test or its children print goes to the log, never between the TAP lines

    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    try:
        spec.loader.exec_module(module)
    except unittest.SkipTest as reason:
        print(f"1..0 # SKIP {reason}", file=out, flush=True)
        return 0
    loader = unittest.TestLoader()
    suite = (loader.loadTestsFromNames(sys.argv[2:], module) if sys.argv[2:]
             else loader.loadTestsFromModule(module))

    result = TapResult(out)
    suite.run(result)
    # The plan comes last: a file that dies half-way has none, and that is an error to the driver.
    print(f"1..{result.number}", file=out, flush=True)
    return 0 if result.number else "no test in " + path.name


if __name__ == "__main__":
    sys.exit(main())
