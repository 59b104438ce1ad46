# SPDX-License-Identifier: MIT
"""Breaks the layer on purpose, one change at a time, and sees that a test notices.

The changes are listed in tests/compositor/mutations.toml. They are made in a copy of the tree,
never in the tree itself. A change passes when its test succeeds without it and fails with it.
"""

import contextlib
import shlex
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

from . import artefact, build, guest, rootfs, sandbox
from .paths import BUILD_IN_ROOT, SOURCE, SOURCE_IN_ROOT
from .say import LabError, Ticker

VARIANT = build.Variant("mutations", ("-Dexamples=false",))
_LIST = SOURCE / "tests" / "compositor" / "mutations.toml"
_LEFT_OUT = shutil.ignore_patterns(".git", "build", "build-*", "out", "__pycache__")
_LAYER = "layer/libVkLayer_FENCEBRIDGE_wsi.so"
_TIMEOUT_SECONDS = 180


def listed() -> list[dict]:
    return tomllib.loads(_LIST.read_text())["mutation"]


def try_all(mutations: list[dict], log: Path) -> Iterator[tuple[dict, str]]:
    """Each change with what is wrong with it; nothing, where its test notices."""
    root = rootfs.ensure()
    folder = build.folder_of(VARIANT)
    folder.mkdir(exist_ok=True)
    with artefact.locked(artefact.lock_of(folder)), sandbox.in_use(root):
        build.prepare(folder, root, VARIANT)
        workshop = _Workshop(folder, root, log)
        ticker = Ticker("building the copy")
        tests = {f"tests/compositor/{mutation['test']}_test" for mutation in mutations}
        workshop.compile(_LAYER, "tests/fake_driver/libfake_driver.so", *sorted(tests))
        ticker.done()
        ticker = Ticker("running each test without a change")
        sound = []
        for number, mutation in enumerate(mutations, 1):
            if workshop.test_passes(mutation):
                sound.append(mutation)
            else:
                yield mutation, "the test fails without the change"
            ticker.tick(f"{number} of {len(mutations)}")
        ticker.done()
        ticker = Ticker("breaking the layer")
        for number, mutation in enumerate(sound, 1):
            yield mutation, workshop.try_out(mutation)
            ticker.tick(f"{number} of {len(sound)}")
        ticker.done()


class _Workshop:
    """A copy of the tree and its build folder, in the lab's root as the tree itself would be."""

    def __init__(self, folder: Path, root: Path, log: Path):
        self.source, self.build, self.log = folder / "source", folder / "build", log
        self.build.mkdir(exist_ok=True)
        shutil.copytree(SOURCE, self.source, ignore=_LEFT_OUT, copy_function=_copy_if_changed,
                        dirs_exist_ok=True)
        self.box = sandbox.Sandbox(root / "root", writable={BUILD_IN_ROOT.name: self.build},
                                   readonly={SOURCE_IN_ROOT.name: self.source},
                                   environment={"XDG_RUNTIME_DIR": "/tmp"})
        if not (self.build / "build.ninja").exists():
            self._command("meson", "setup", *build.options_of(VARIANT), BUILD_IN_ROOT,
                          SOURCE_IN_ROOT)

    def compile(self, *targets: str) -> None:
        self._command("ninja", "-C", BUILD_IN_ROOT, *targets)

    def _command(self, *arguments: str | Path) -> None:
        done = self.box.run([*map(str, arguments)], capture_output=True, text=True)
        if done.returncode != 0:
            raise LabError(f"{shlex.join(map(str, arguments))}:\n{done.stdout}{done.stderr}")

    def test_passes(self, mutation: dict) -> bool:
        test = BUILD_IN_ROOT / "tests/compositor" / (mutation["test"] + "_test")
        command = [str(test), "--gtest_filter=" + mutation["filter"], "--gtest_fail_fast"]
        with self.log.open("wb") as output:
            try:
                if mutation["suite"] == "fences":
                    code = guest.run(self._in_guest(command, mutation), output.write, output.write)
                else:
                    code = self.box.run(command, stdout=output, stderr=output,
                                        timeout=_TIMEOUT_SECONDS).returncode
            except (guest.TimedOut, subprocess.TimeoutExpired):
                return False
        # A filter that selects nothing, or a program that did not start, must not count as either.
        if "[ RUN      ]" not in self.log.read_text(errors="replace"):
            raise LabError(f"{shlex.join(command)} ran no test; see {self.log}")
        return code == 0

    def _in_guest(self, command: list[str], mutation: dict) -> guest.Request:
        return guest.Request(
            command, compositor="none", layer=False, module=True, build=self.build,
            env={"FENCEBRIDGE_SYNC": mutation.get("sync", "auto")}, timeout=_TIMEOUT_SECONDS)

    def try_out(self, mutation: dict) -> str:
        """What went wrong, or nothing. The next build follows the file, which is put back."""
        with _changed(self.source / mutation["file"], mutation) as problem:
            if problem:
                return problem
            try:
                self.compile(_LAYER)
            except LabError as error:
                return f"it does not build: {error}"
        return "the test does not notice" if self.test_passes(mutation) else ""


@contextlib.contextmanager
def _changed(file: Path, mutation: dict) -> Iterator[str]:
    """With the change in the file, or yields why it cannot be made."""
    original = file.read_text()
    if (times := original.count(mutation["search"])) != 1:
        yield f"the text to change occurs {times} times"
        return
    broken = original.replace(mutation["search"], mutation["replace"])
    try:
        file.write_text("\n".join([*filter(None, [mutation.get("include")]), broken]))
        yield ""
    finally:
        file.write_text(original)


def _copy_if_changed(source: str, target: str) -> None:
    """Gives the copy a new time where the contents differ, which is what the build goes by."""
    copy, contents = Path(target), Path(source).read_bytes()
    if not copy.exists() or copy.read_bytes() != contents:
        copy.write_bytes(contents)
        shutil.copymode(source, target)
