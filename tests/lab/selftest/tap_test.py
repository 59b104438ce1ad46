# SPDX-License-Identifier: MIT
import unittest

from lab import tap


class Tap(unittest.TestCase):
    TEXT = ("TAP version 13\n1..3\nok 1 - a.one\n# a.c:1: not so\n# more\nnot ok 2 - a.two\n"
            "ok 3 - a.three # SKIP no such device\n# Totals: pass:1 fail:1 skip:1\n")

    def test_results(self):
        self.assertEqual(tap.read(self.TEXT), [
            tap.Result("a.one", tap.PASSED),
            tap.Result("a.two", tap.FAILED, "a.c:1: not so; more"),
            tap.Result("a.three", tap.SKIPPED, "no such device")])

    def test_an_end_before_the_plan_is_fulfilled(self):
        for text in ("", "TAP version 13\n", "TAP version 13\n1..2\nok 1 - a.one\n"):
            with self.assertRaises(tap.NoPlan):
                tap.read(text)

    def test_igt(self):
        text = ("Starting subtest: export-basic\n\x1b[1mSubtest export-basic: SUCCESS (0.001s)"
                "\x1b[0m\nSubtest import-basic: SKIP (0.0s)\n")
        self.assertEqual(tap.read_igt(text), {"export-basic": "SUCCESS", "import-basic": "SKIP"})


if __name__ == "__main__":
    unittest.main()
