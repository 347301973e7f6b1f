#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""tap.py - runs a Python test for make check.

    tap.py TEST.py [ARGUMENT ...]

A test that prints TAP itself runs as it is.  One that ends in
unittest.main () needs no TAP of its own: its results are printed as such.
"""

import os
import runpy
import sys
import unittest


class TapResult(unittest.TestResult):
    """Prints a line of TAP for each test, and a plan at the end."""

    def __init__(self):
        super().__init__()
        self.n = 0
        self.has_failed_part = False

    def line(self, is_ok, test, remark="", details=""):
        self.n += 1
        name = str(test).replace("#", "number ").replace("\n", " ")
        print("%s %d - %s%s" % ("ok" if is_ok else "not ok", self.n, name,
                                remark))
        for detail in details.splitlines():
            print("# " + detail)
        sys.stdout.flush()

    def startTest(self, test):
        super().startTest(test)
        self.has_failed_part = False

    def addSuccess(self, test):
        super().addSuccess(test)
        if not self.has_failed_part:
            self.line(True, test)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.line(False, test, details=self.failures[-1][1])

    def addError(self, test, err):
        super().addError(test, err)
        self.line(False, test, details=self.errors[-1][1])

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            self.has_failed_part = True
            self.line(False, subtest,
                      details=self._exc_info_to_string(err, test))

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.line(True, test, " # SKIP " + reason.replace("\n", " "))

    def addExpectedFailure(self, test, err):
        super().addExpectedFailure(test, err)
        self.line(False, test, " # TODO expected")

    def addUnexpectedSuccess(self, test):
        super().addUnexpectedSuccess(test)
        self.line(False, test, details="expected to fail")


class TapRunner:
    """What unittest.main () is given instead of its own runner."""

    def __init__(self, *_, **__):
        pass

    def run(self, test):
        result = TapResult()
        test.run(result)
        if result.n == 0:
            print("1..0 # SKIP no test was found")
        else:
            print("1..%d" % result.n)
        return result


def main():
    script = sys.argv[1]
    sys.argv = sys.argv[1:]
    sys.path[0] = os.path.dirname(os.path.abspath(script))
    unittest.TextTestRunner = TapRunner
    unittest.runner.TextTestRunner = TapRunner
    runpy.run_path(script, run_name="__main__")


main()
