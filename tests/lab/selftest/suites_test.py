# SPDX-License-Identifier: MIT
"""Tests of the suites and kernels that `lab test` and `lab setup` choose, with or without --all,
and of what `lab test` prints."""

import contextlib
import io
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from lab import cli, deb_root, kernels
from lab.say import LabError
from lab.suites import kmod, lab, meson, runner, transports
from lab.suites.outcome import Outcome
from lab.suites.table import NATIVE, SUITES, Suite


def names(*arguments) -> list[str]:
    return [suite.name for suite in runner.chosen(*arguments)]


class Choice(unittest.TestCase):
    def test_without_all_the_long_ones_are_left_out(self):
        self.assertEqual(set(SUITES) - set(names([], False)),
                         {"mutations", "kmod-mutations", "programs", "allocators", "packages"})
        self.assertEqual(names([], True), list(SUITES))

    def test_what_is_named_runs(self):
        self.assertEqual(names(["mutations", "unit"], False), ["mutations", "unit"])
        with self.assertRaisesRegex(LabError, "no suite nonesuch"):
            runner.chosen(["unit", "nonesuch"], False)

    def test_only_some_suites_run_in_part(self):
        runner.check_only(runner.chosen(["mutations", "kmod-mutations"], False), "text")
        runner.check_only(runner.chosen([], True), "")
        with self.assertRaisesRegex(LabError, "--only is for .*mutations, not for unit$"):
            runner.check_only(runner.chosen(["mutations", "unit"], False), "text")

    def test_short_forms_are_no_longer_than_whole_ones(self):
        for suite in SUITES.values():
            self.assertLessEqual(suite.short_seconds, suite.whole_seconds, suite.name)
        self.assertLessEqual(sum(suite.short_seconds for suite in SUITES.values()), 30 * 60)

    def test_the_list_tells_all(self):
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            runner.list_suites()
        lines = {line.split()[0]: line.split() for line in out.getvalue().splitlines() if line}
        for suite in SUITES.values():
            self.assertEqual(lines[suite.name][1], suite.where)
            self.assertIn(f"{suite.whole_seconds}", lines[suite.name])
        self.assertEqual(lines["mutations"][2], "-")


class Failures(unittest.TestCase):
    def test_a_failure_says_where_it_was(self):
        output = ("[ RUN      ] A.B\na.cpp:3: Failure\nExpected: (x) < (y), actual: 2 vs 1\n"
                  "[  FAILED  ] A.B (0 ms)\n[ RUN      ] A.C\n")
        self.assertEqual(meson.failure("FAIL", output),
                         "fail\n" + output.split("\n", 1)[1].rstrip())
        self.assertEqual(meson.failure("TIMEOUT", "[ RUN      ] A.B\n"), "timeout")


class Results(unittest.TestCase):
    def outcome(self) -> Outcome:
        total = Outcome(passed=1, failed=1, skipped=1, problems=["a"], skips=["b"])
        total.add(Outcome(passed=2, failed=1, skipped=1, problems=["c"], skips=["d"]))
        return total

    def test_a_sum_has_the_texts_of_both(self):
        self.assertEqual(self.outcome(), Outcome(passed=3, failed=2, skipped=2,
                                                 problems=["a", "c"], skips=["b", "d"]))

    def test_each_text_is_printed_once(self):
        suites = {name: Suite(name, NATIVE, "", lambda out, whole: self.outcome(), 1, 1)
                  for name in ("one", "two")}
        out = io.StringIO()
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(out), \
                mock.patch.object(runner, "SUITES", suites):
            self.assertEqual(runner.run(["one", "two"], False, Path(folder)), 1)
        texts = [line for line in out.getvalue().splitlines() if line.startswith("   ")]
        self.assertEqual(texts, ["   FAILED a", "   FAILED c", "   skipped: b",
                                 "   skipped: d"] * 2)
        self.assertIn("\n6 passed, 4 failed, 4 skipped\n", out.getvalue())


class Kernels(unittest.TestCase):
    def run_on(self, whole: bool) -> list[str]:
        with mock.patch.object(kmod, "_run_plan") as plan, mock.patch.object(kmod.build, "ensure"):
            kmod.run(Path("/nowhere"), whole)
        return [call.args[1] for call in plan.call_args_list]

    def test_the_module_runs_on_some_or_all(self):
        self.assertEqual(self.run_on(False), list(kernels.SHORT))
        self.assertEqual(self.run_on(True), list(kernels.KERNELS))

    def test_what_a_step_has_left_is_read(self):
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "igt.log").write_bytes(b"SUCCESS \xff")
            self.assertEqual(kmod.text_of(Path(folder), "igt"), "SUCCESS \ufffd")
            self.assertEqual(kmod.text_of(Path(folder), "igt", "status"), "")

    def test_transports_run_on_all_chosen_kernels_but_uml_debug(self):
        for whole in (False, True):
            seen = {place.kernel for place in transports.places(whole)}
            wanted = set(kernels.for_tests(whole)) - {kernels.DEBUG}
            self.assertEqual(seen, wanted)

    def test_the_suite_lab_needs_no_kernel_beyond_the_short_ones(self):
        self.assertIn(lab.STOCK, kernels.SHORT)

    def test_setup_makes_what_is_needed(self):
        for arguments, wanted, suites in ((["setup"], kernels.SHORT, ()),
                                          (["setup", "--all"], kernels.KERNELS,
                                           deb_root.SUITES)):
            with mock.patch.object(cli, "kmod") as modules, mock.patch.object(cli, "rootfs"), \
                    mock.patch.object(cli, "guest_modules"), mock.patch.object(cli, "clean"), \
                    mock.patch.object(cli.build, "ensure"), \
                    mock.patch.object(cli.gpu, "parts") as gpu_parts, \
                    mock.patch.object(cli.deb_root, "ensure") as root, \
                    contextlib.redirect_stdout(io.StringIO()):
                self.assertEqual(cli.main(arguments), 0)
            gpu_parts.assert_called_once()
            self.assertEqual([call.args[0] for call in root.call_args_list], list(suites))
            self.assertEqual([call.args[0] for call in modules.builder_for.call_args_list],
                             list(wanted))


if __name__ == "__main__":
    unittest.main()
