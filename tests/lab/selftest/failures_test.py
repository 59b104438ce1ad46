# SPDX-License-Identifier: MIT
"""Tests of the lab's end: after SIGKILL, on a full disk, with wrong options, and if the compositor
ends."""

import contextlib
import errno
import io
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path
from unittest import mock

from lab import cli, guest, host
from lab.bench import runs
from lab.paths import DATA, LAB, SOURCE
from lab.selftest import CacheTest
from lab.suites import runner
from lab.suites.outcome import Outcome

# Stands for mmdebstrap: a descendant in a session of its own writes its process ID, as seen from
# outside, and goes on.
FAKE_MMDEBSTRAP = """#!/bin/sh
setsid sh -c 'read -r pid rest </proc/self/stat; echo "$pid" >"$PIDS"; exec sleep 1000' &
sleep 1000
"""
BOOTSTRAP = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from lab import rootfs
rootfs.bootstrap(Path(sys.argv[2]), "suite", ["package"], "making a root")
"""


def lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_for(condition, seconds: float = 20) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


class Killed(unittest.TestCase):
    @unittest.skipUnless(host.is_root(), "only root has a PID namespace around mmdebstrap")
    def test_a_bootstrap_ends_with_the_lab(self):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            program = folder / "mmdebstrap"
            program.write_text(FAKE_MMDEBSTRAP)
            program.chmod(0o755)
            pids = folder / "pids"
            lab = subprocess.Popen(
                [sys.executable, "-c", BOOTSTRAP, str(LAB.parent), name],
                env=os.environ | {"PATH": f"{folder}:{os.environ['PATH']}", "PIDS": str(pids),
                                  "FENCEBRIDGE_LAB_MIRROR": "http://localhost"},
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                self.assertTrue(wait_for(lambda: pids.exists() and pids.read_text().strip()))
            finally:
                lab.kill()
                lab.wait()
            descendant = int(pids.read_text())
            ended = wait_for(lambda: not lives(descendant))
            if not ended:
                os.kill(descendant, signal.SIGKILL)
            self.assertTrue(ended)


class Display(unittest.TestCase):
    def test_the_x_server_of_a_guest_has_no_socket_outside_its_root(self):
        script = (DATA / "gpu" / "qemu.sh").read_text()
        start, = [line for line in script.splitlines() if "Xvfb -displayfd" in line]
        self.assertIn("-nolisten tcp", start)
        self.assertIn("-nolisten local", start)


class Errors(CacheTest):
    def outcome(self, action) -> tuple[int, str]:
        """Exit status and messages of a lab with this action."""
        said = io.StringIO()
        before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)]
        try:
            with contextlib.redirect_stderr(said), mock.patch.object(cli.clean, "run", action):
                return cli.main(["clean"]), said.getvalue()
        finally:
            for number, handler in zip((signal.SIGTERM, signal.SIGHUP), before):
                signal.signal(number, handler)

    def test_a_full_disk_is_one_line_with_the_file(self):
        action = mock.Mock(side_effect=OSError(errno.ENOSPC, "No space left on device", "/a/b"))
        self.assertEqual(self.outcome(action),
                         (cli.LAB_FAILED, "lab: No space left on device: /a/b\n"))

    def test_a_failed_copy_names_both_files(self):
        action = mock.Mock(side_effect=OSError(errno.EACCES, "Permission denied", Path("/a"), None,
                                               "/b"))
        self.assertEqual(self.outcome(action)[1], "lab: Permission denied: /a and /b\n")

    def test_an_error_without_a_file(self):
        self.assertEqual(self.outcome(mock.Mock(side_effect=OSError("strange")))[1],
                         "lab: strange\n")

    def lab(self, *arguments: str, stdout=subprocess.DEVNULL) -> subprocess.CompletedProcess:
        return subprocess.run([sys.executable, SOURCE / "lab", *arguments], stdout=stdout,
                              stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                              check=False)

    def test_a_cache_that_cannot_be_made(self):
        with tempfile.NamedTemporaryFile() as file, \
                mock.patch.dict(os.environ, XDG_CACHE_HOME=file.name):
            done = self.lab("clean")
        self.assertEqual(done.returncode, cli.LAB_FAILED)
        self.assertEqual(done.stderr.splitlines()[-1],
                         f"lab: Not a directory: {file.name}/fencebridge")
        self.assertNotIn("Traceback", done.stderr)

    def test_standard_output_on_a_full_disk(self):
        with open("/dev/full", "w", encoding="utf-8") as full:
            done = self.lab("test", "--list", stdout=full)
        self.assertEqual((done.returncode, done.stderr),
                         (cli.LAB_FAILED, "lab: No space left on device\n"))

    def test_a_suite_fails_with_one_line_and_the_others_run(self):
        suite = mock.Mock(own_complaints=True)
        suite.run.side_effect = OSError(errno.ENOSPC, "No space left on device", "/a")
        with tempfile.TemporaryDirectory() as out, contextlib.redirect_stdout(io.StringIO()):
            # pylint: disable-next=protected-access
            outcome = runner._outcome(suite, False, Path(out), "")
            self.assertIn("Traceback", Path(out, "traceback.log").read_text())
        self.assertIsInstance(outcome, Outcome)
        self.assertEqual(outcome.problems, ["No space left on device: /a"])


class Numbers(unittest.TestCase):
    def parse(self, *arguments: str):
        with contextlib.redirect_stderr(io.StringIO()):
            return cli._parser().parse_args(arguments)  # pylint: disable=protected-access

    def test_times_are_numbers(self):
        self.assertEqual(self.parse("run", "--timeout", "2.5", "--", "true").timeout, 2.5)
        self.assertEqual(self.parse("clean", "--days", "0").days, 0)

    def test_what_is_no_number_is_refused(self):
        for option in (("run", "--timeout"), ("clean", "--days"), ("bench", "--rounds")):
            for text in ("nan", "inf", "-inf", "1e999", "-1", "", "soon"):
                with self.subTest(option=option, text=text):
                    with self.assertRaises(SystemExit) as refused:
                        self.parse(option[0], f"{option[1]}={text}")
                    self.assertEqual(refused.exception.code, 2)


class CompositorsEnd(unittest.TestCase):
    def test_it_is_a_problem_of_the_guest_with_the_end_of_its_log(self):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            for file, text in (("stdout", ""), ("stderr", ""), ("status", "0\n"),
                               ("compositor-ended", "weston ended while the command ran\n"),
                               ("compositor.log", "fine\nassertion failed\n")):
                (folder / file).write_text(text)
            request = guest.Request(["true"])
            with subprocess.Popen(["true"]) as process:
                # pylint: disable-next=protected-access
                status = guest._follow(process, request, folder, folder, len, len)
        self.assertEqual(status, 0)
        problem, = request.problems
        self.assertIn("weston ended while the command ran", problem)
        self.assertIn("assertion failed", problem)

    def test_bench_names_it_before_what_failed_because_of_it(self):
        with tempfile.TemporaryDirectory() as name:
            (Path(name) / "status").write_text("1\n")
            result = runs.Result(runs.Run("fifo", "kernel", []), Path(name))
            failures = runs.Results([result], ["weston ended"]).failures()
        self.assertEqual(failures, ["weston ended", "fifo: ended with status 1"])


if __name__ == "__main__":
    unittest.main()
