#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Breaks the layer on purpose, one change at a time, and sees that a test notices.

The changes are listed in compositor/mutations.toml. They are made in a copy of the tree, never in
the tree itself. A change passes when its test succeeds without it and fails with it.
"""

import argparse
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

# As in ./lab: the tree may be read-only.
sys.dont_write_bytecode = True

from lab import guest, rootfs, sandbox  # noqa: E402
from lab.paths import BUILD_IN_ROOT, SOURCE_IN_ROOT  # noqa: E402
from lab.say import LabError, Ticker  # noqa: E402

TREE = Path(__file__).resolve().parent.parent
LIST = TREE / "tests/compositor/mutations.toml"
LEFT_OUT = shutil.ignore_patterns(".git", "build", "build-*", "out", "__pycache__")
TIMEOUT_SECONDS = 180


def copy_if_changed(source, target):
    """Gives the copy a new time where the contents differ, which is what the build goes by."""
    target = Path(target)
    contents = Path(source).read_bytes()
    if not target.exists() or target.read_bytes() != contents:
        target.write_bytes(contents)
        shutil.copymode(source, target)


class Workshop:
    """A copy of the tree and its build folder, in the lab's root as the tree itself would be."""

    def __init__(self, folder):
        self.source = folder / "source"
        self.build = folder / "build"
        self.build.mkdir(parents=True, exist_ok=True)
        shutil.copytree(TREE, self.source, ignore=LEFT_OUT, copy_function=copy_if_changed,
                        dirs_exist_ok=True)
        self.box = sandbox.Sandbox(rootfs.ensure() / "root",
                                   writable={BUILD_IN_ROOT.name: self.build},
                                   readonly={SOURCE_IN_ROOT.name: self.source},
                                   environment={"XDG_RUNTIME_DIR": "/tmp"})
        if not (self.build / "build.ninja").exists():
            self.command("meson", "setup", BUILD_IN_ROOT, SOURCE_IN_ROOT, "-Dexamples=false")

    def command(self, *arguments):
        done = self.box.run([*map(str, arguments)], capture_output=True, text=True)
        if done.returncode != 0:
            raise LabError(f"{shlex.join(map(str, arguments))}:\n{done.stdout}{done.stderr}")

    def compile(self, *targets):
        self.command("ninja", "-C", BUILD_IN_ROOT, *targets)

    def test_passes(self, mutation):
        test = BUILD_IN_ROOT / "tests/compositor" / (mutation["test"] + "_test")
        command = [str(test), "--gtest_filter=" + mutation["filter"], "--gtest_fail_fast"]
        log = self.build / "mutation.log"
        with log.open("wb") as output:
            try:
                if mutation["suite"] == "fences":
                    request = guest.Request(
                        command, compositor="none", layer=False, module=True, build=self.build,
                        env={"FENCEBRIDGE_SYNC": mutation.get("sync", "auto")},
                        timeout=TIMEOUT_SECONDS)
                    code = guest.run(request, output.write, output.write)
                else:
                    code = self.box.run(command, stdout=output, stderr=output,
                                        timeout=TIMEOUT_SECONDS).returncode
            except (guest.TimedOut, subprocess.TimeoutExpired):
                return False
        # A filter that selects nothing, or a program that did not start, must not count as either.
        if "[ RUN      ]" not in log.read_text(errors="replace"):
            sys.exit(f"{shlex.join(command)} ran no test; see {log}")
        return code == 0

    def try_out(self, mutation):
        """What went wrong, or nothing. The next build puts the file back."""
        file = self.source / mutation["file"]
        original = file.read_text()
        if original.count(mutation["search"]) != 1:
            return f"the text to change occurs {original.count(mutation['search'])} times"
        broken = original.replace(mutation["search"], mutation["replace"])
        if "include" in mutation:
            broken = mutation["include"] + "\n" + broken
        try:
            file.write_text(broken)
            self.compile("layer/libVkLayer_FENCEBRIDGE_wsi.so")
        except LabError as error:
            return f"it does not build: {error}"
        finally:
            file.write_text(original)
        return "the test does not notice" if self.test_passes(mutation) else None


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=TREE / "build-mutations",
                        help="for the copy and its build (default: %(default)s)")
    parser.add_argument("--suite", choices=["compositor", "fences"], help="only this suite's")
    parser.add_argument("--only", metavar="TEXT", help="only those with TEXT in their name")
    options = parser.parse_args()

    mutations = [mutation for mutation in tomllib.loads(LIST.read_text())["mutation"]
                 if options.suite in (None, mutation["suite"])
                 and (options.only or "") in mutation["name"]]
    with sandbox.in_use(rootfs.ensure()):
        return try_all(mutations, Workshop(options.folder.resolve()))


def try_all(mutations, workshop):
    needed = {f"tests/compositor/{mutation['test']}_test" for mutation in mutations}
    ticker = Ticker("building the copy")
    workshop.compile("layer/libVkLayer_FENCEBRIDGE_wsi.so", "tests/fake_driver/libfake_driver.so",
                     *sorted(needed))
    ticker.done()
    ticker = Ticker("running each test without a change")
    failing = [mutation["name"] for mutation in mutations if not workshop.test_passes(mutation)]
    ticker.done()
    if failing:
        sys.exit("the tests fail without these changes: " + ", ".join(failing))
    unnoticed = 0
    for mutation in mutations:
        problem = workshop.try_out(mutation)
        unnoticed += problem is not None
        print(f"{'noticed' if problem is None else 'FAILED '}  {mutation['name']}"
              + (f": {problem}" if problem else ""), flush=True)
    print(f"{len(mutations) - unnoticed} of {len(mutations)} changes noticed")
    return 1 if unnoticed or not mutations else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except LabError as error:
        sys.exit(f"mutations: {error}")
