#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Breaks the layer on purpose, one change at a time, and sees that a test notices.

The changes are listed in compositor/mutations.toml. They are made in a copy of the tree, never in
the tree itself. A change passes when its test succeeds without it and fails with it.
"""

import argparse
import os
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

TREE = Path(__file__).resolve().parent.parent
LIST = TREE / "tests/compositor/mutations.toml"
LEFT_OUT = shutil.ignore_patterns(".git", "build", "build-*", "out", "__pycache__")


def copy_if_changed(source, target):
    """Gives the copy a new time where the contents differ, which is what the build goes by."""
    target = Path(target)
    contents = Path(source).read_bytes()
    if not target.exists() or target.read_bytes() != contents:
        target.write_bytes(contents)
        shutil.copymode(source, target)


class Workshop:
    """A copy of the tree and its build folder."""

    def __init__(self, folder, guest):
        self.source = folder / "source"
        self.build = folder / "build"
        self.guest = guest
        shutil.copytree(TREE, self.source, ignore=LEFT_OUT, copy_function=copy_if_changed,
                        dirs_exist_ok=True)
        if not (self.build / "build.ninja").exists():
            self.command("meson", "setup", self.build, self.source, "-Dexamples=false")

    @staticmethod
    def command(*arguments):
        done = subprocess.run(list(map(str, arguments)), capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"{shlex.join(map(str, arguments))}:\n{done.stdout}{done.stderr}")

    def compile(self, *targets):
        self.command("ninja", "-C", self.build, *targets)

    def test_passes(self, mutation):
        test = self.build / "tests/compositor" / (mutation["test"] + "_test")
        command = [str(test), "--gtest_filter=" + mutation["filter"], "--gtest_fail_fast"]
        if mutation["suite"] == "fences":
            command = ["env", "FENCEBRIDGE_SYNC=" + mutation.get("sync", "auto")] + command
            command = [word.replace("BUILD", str(self.build)) for word in self.guest] + command
        log = self.build / "mutation.log"
        with log.open("w") as output:
            try:
                code = subprocess.run(command, stdout=output, stderr=output, timeout=180).returncode
            except subprocess.TimeoutExpired:
                return False
        # A filter that selects nothing, or a guest that did not start, must not count as either.
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
        finally:
            file.write_text(original)
        return "the test does not notice" if self.test_passes(mutation) else None


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=TREE / "build-mutations",
                        help="for the copy and its build (default: %(default)s)")
    parser.add_argument("--suite", choices=["compositor", "fences"], help="only this suite's")
    parser.add_argument("--only", metavar="TEXT", help="only those with TEXT in their name")
    parser.add_argument("--guest", type=shlex.split, metavar="COMMAND",
                        default=shlex.split(f"{TREE}/lab run --no-layer --compositor none "
                                            "--mount BUILD:BUILD --"),
                        help="what runs a command of the suite fences; BUILD is the build folder")
    options = parser.parse_args()

    mutations = [mutation for mutation in tomllib.loads(LIST.read_text())["mutation"]
                 if options.suite in (None, mutation["suite"])
                 and (options.only or "") in mutation["name"]]
    workshop = Workshop(options.folder.resolve(), options.guest)
    needed = {f"tests/compositor/{mutation['test']}_test" for mutation in mutations}
    workshop.compile("layer/libVkLayer_FENCEBRIDGE_wsi.so", "tests/fake_driver/libfake_driver.so",
                     *sorted(needed))
    failing = [mutation["name"] for mutation in mutations if not workshop.test_passes(mutation)]
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
    os.chdir(TREE)
    sys.exit(main())
