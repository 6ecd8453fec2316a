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


OK, SKIPPED, FAILED = range(3)  # the worst counts


class TapResult(unittest.TestResult):
    """Prints one TAP line per test, when it ends: the worst of what its subTests came to."""

    def __init__(self, out):
        super().__init__()
        self.out = out
        self.number = 0
        self.running = False
        self.worst = None  # of the test that runs: a verdict, and what follows the name

    def startTest(self, test):
        super().startTest(test)
        self.running = True

    def stopTest(self, test):
        super().stopTest(test)
        self.running = False
        if self.worst:
            self._print(test, *self.worst)
        self.worst = None

    def _print(self, test, verdict, directive):
        self.number += 1
        name = test.id().split(".", 1)[-1].replace("#", "")
        word = "not ok" if verdict == FAILED else "ok"
        print(f"{word} {self.number} - {name}{directive}", file=self.out, flush=True)

    def _note(self, test, verdict, directive=""):
        if not self.running:  # a class or a module that could not be set up
            self._print(test, verdict, directive)
        elif not self.worst or self.worst[0] < verdict:
            self.worst = verdict, directive

    def _fail(self, test, err):
        for line in "".join(traceback.format_exception(*err)).splitlines():
            print(f"# {line}", file=self.out)
        self._note(test, FAILED)

    def addSuccess(self, test):
        self._note(test, OK)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self._note(test, SKIPPED, " # SKIP " + " ".join(reason.split()))

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
        self._note(test, OK)

    def addUnexpectedSuccess(self, test):
        super().addUnexpectedSuccess(test)
        self._note(test, FAILED)


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
