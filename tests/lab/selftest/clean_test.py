# SPDX-License-Identifier: MIT
"""Tests of what `lab clean` removes and keeps, and of folders for logs."""

import contextlib
import io
import os
import subprocess
import sys
import time
import unittest
from pathlib import Path
from unittest import mock

from lab import artefact, build, clean, logs, rootfs
from lab.paths import LAB, SOURCE, cache
from lab.selftest import CacheTest

DAY = 24 * 3600


def clean_up(days: float = 30, dry_run: bool = False) -> str:
    out = io.StringIO()
    with contextlib.redirect_stdout(out), mock.patch.object(clean, "say"), \
            mock.patch.object(clean, "Ticker"):
        assert clean.run(days, dry_run) == 0
    return out.getvalue()


class Clean(CacheTest):
    def made(self, name: str, days_ago: float = 0, tree: Path | None = None) -> Path:
        folder = cache() / name
        folder.mkdir()
        (folder / "contents").write_bytes(bytes(3_000_000))
        if tree:
            (folder / "lab-tree").write_text(str(tree))
        log = folder / "lab-build.log"
        log.touch()
        then = time.time() - days_ago * DAY
        os.utime(log, (then, then))
        return folder

    def test_half_made_parts_go_but_for_one_being_made(self):
        dead = self.made("kernel-1.part")
        alive = self.made("kernel-2.part")
        with artefact.locked(cache() / "kernel-2.lock"):
            said = clean_up()
        self.assertEqual((dead.exists(), alive.exists()), (False, True))
        self.assertIn("3.0 MB  kernel-1.part: half made; removed", said)
        self.assertIn("kernel-2.part: half made; kept, a running lab uses it", said)

    def test_builds_of_trees_that_are_gone(self):
        gone = self.made("build-1-plain", tree=Path("/no/such/tree"))
        there = self.made("build-2-plain", tree=LAB)
        clean_up()
        self.assertEqual((gone.exists(), there.exists()), (False, True))

    def test_builds_not_used_for_long(self):
        old = self.made("build-1-plain", 31, LAB)
        older_lab = self.made("build-2-plain", 31)
        recent = self.made("build-3-plain", 29, LAB)
        own = self.made("build-4-plain", 31, SOURCE)
        clean_up()
        self.assertEqual([path.exists() for path in (old, older_lab, recent, own)],
                         [False, False, True, True])
        clean_up(days=28)
        self.assertFalse(recent.exists())

    def test_a_build_that_a_guest_uses_is_kept(self):
        folder = self.made("build-1-plain", 31, LAB)
        with build.in_use(folder):
            # Another lab may build in the folder meanwhile.
            with artefact.locked(artefact.lock_of(folder), wait=False) as free:
                self.assertTrue(free)
            self.assertIn("kept, a running lab uses it", clean_up())
        self.assertTrue(folder.exists())
        clean_up()
        self.assertFalse(folder.exists())

    def test_artefacts_of_other_ingredients(self):
        current = artefact.make("root", rootfs.ingredients(), lambda part: None)
        old = artefact.make("root", {}, lambda part: None)
        packages = [artefact.make("packages", {"root": root.name}, lambda part: None)
                    for root in (current, old)]
        kernel = artefact.make("kernel", {}, lambda part: None)
        module = artefact.make("module", {"kernel": kernel.name}, lambda part: None)
        clean_up(dry_run=True)
        everything = [current, old, *packages, kernel, module]
        self.assertTrue(all(path.exists() for path in everything))
        with artefact.locked(artefact.lock_of(old), shared=True):
            clean_up()
        self.assertEqual([path.exists() for path in everything],
                         [True, True, True, False, False, False])

    def test_a_dry_run_tells_and_keeps(self):
        folder = self.made("kernel-1.part")
        said = clean_up(dry_run=True)
        self.assertIn("3.0 MB  kernel-1.part: half made; would be removed", said)
        self.assertIn("3.0 MB  would be freed", said)
        self.assertTrue(folder.exists())


class Logs(CacheTest):
    def finished(self, count: int) -> list[Path]:
        folders = []
        for _ in range(count):
            with logs.run_folder("run") as folder:
                folders.append(folder)
        return folders

    def test_the_oldest_finished_ones_go(self):
        old = cache() / "logs" / "20200101-000000-run-1"
        old.mkdir(parents=True)
        self.finished(logs.KEPT)
        self.assertTrue(old.exists())
        self.finished(1)
        self.assertFalse(old.exists())

    def test_one_that_is_written_to_stays_whatever_its_age(self):
        with logs.run_folder("test") as running:
            self.finished(logs.KEPT + 5)
            self.assertTrue(running.is_dir())
        self.finished(1)

    def test_a_folder_of_another_process_stays_until_that_process_ends(self):
        script = ("import sys; sys.path.insert(0, sys.argv[1])\n"
                  "from lab import logs\n"
                  "with logs.run_folder('test') as folder:\n"
                  "    print(folder, flush=True)\n"
                  "    sys.stdin.read()\n")
        with subprocess.Popen([sys.executable, "-B", "-c", script, str(LAB.parent)], text=True,
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
            folder = Path(other.stdout.readline().strip())
            self.finished(logs.KEPT + 5)
            self.assertTrue(folder.is_dir())
            other.kill()
        self.finished(2)
        self.assertFalse(folder.exists())


if __name__ == "__main__":
    unittest.main()
