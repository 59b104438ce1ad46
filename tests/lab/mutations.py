# SPDX-License-Identifier: MIT
"""Applies the mutations of the layer one at a time, and runs the test that has to notice each.

The mutations are listed in tests/mutations.toml. They are applied in a copy of the tree, never in
the tree itself. A mutation passes if its test succeeds without it and fails with it.
"""

import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from . import artefact, build, guest, real_fences, rootfs, sandbox
from .mutation import listing
from .mutation.listing import LayerMutation
from .paths import BUILD_IN_ROOT, SOURCE, SOURCE_IN_ROOT
from .say import LabError, Ticker

# A mutation may leave a variable or a parameter unused, which the compiler warns of.
VARIANT = build.Variant("mutations", ("-Dexamples=false",), may_warn=True)
_LEFT_OUT = shutil.ignore_patterns(".git", "build", "build-*", "out", "__pycache__")
_TIMEOUT_SECONDS = 180


def try_all(mutations: list[LayerMutation], log: Path) -> Iterator[tuple[LayerMutation, str]]:
    """Each mutation with what went wrong, which is the empty string if its test noticed it."""
    root = rootfs.ensure()
    folder = build.folder_of(VARIANT)
    folder.mkdir(exist_ok=True)
    with artefact.locked(artefact.lock_of(folder)), sandbox.in_use(root):
        build.prepare(folder, root, VARIANT)
        workshop = _Workshop(folder, root, log)
        ticker = Ticker("building the copy")
        programs = {str(program) for mutation in mutations
                    for program in (mutation.test_program, mutation.broken_program)}
        workshop.compile(str(listing.LAYER_LIBRARY), "tests/fake_driver/libfake_driver.so",
                         "tests/broken_driver/libbroken_driver.so", *sorted(programs))
        ticker.done()
        ticker = Ticker("running each test without its mutation")
        sound = []
        for number, mutation in enumerate(mutations, 1):
            if problem := workshop.try_without(mutation):
                yield mutation, problem
            else:
                sound.append(mutation)
            ticker.tick(f"{number} of {len(mutations)}")
        ticker.done()
        ticker = Ticker("breaking the layer")
        for number, mutation in enumerate(sound, 1):
            yield mutation, workshop.try_out(mutation)
            ticker.tick(f"{number} of {len(sound)}")
        ticker.done()


class _Workshop:
    """A copy of the tree, and its build folder. In the box, they are /lab/src and /lab/build."""

    def __init__(self, folder: Path, root: Path, log: Path):
        self.source, self.build, self.log = folder / "source", folder / "build", log
        self.build.mkdir(exist_ok=True)
        shutil.copytree(SOURCE, self.source, ignore=_LEFT_OUT, copy_function=_copy_if_changed,
                        dirs_exist_ok=True)
        self.sources = listing.layer_sources()
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

    def try_without(self, mutation: LayerMutation) -> str:
        """What went wrong, or the empty string. No mutation is applied."""
        try:
            return "" if self._test_passes(mutation) else "the test fails without the mutation"
        except LabError as error:
            return str(error)

    def _test_passes(self, mutation: LayerMutation) -> bool:
        if mutation.suite == "gpu":
            return self._check_holds(mutation)
        command = [str(BUILD_IN_ROOT / mutation.test_program),
                   f"--gtest_filter={mutation.filter}", "--gtest_fail_fast"]
        with self.log.open("wb") as output:
            try:
                if mutation.suite == "fences":
                    code = guest.run(self._in_guest(command, mutation), output.write, output.write)
                else:
                    code = self.box.run(command, stdout=output, stderr=output,
                                        timeout=_TIMEOUT_SECONDS).returncode
            except (guest.TimedOut, subprocess.TimeoutExpired):
                return False
        # A program that did not start and a filter that selects no test must not count as a result.
        if "[ RUN      ]" not in self.log.read_text(errors="replace"):
            raise LabError(f"{shlex.join(command)} ran no test; see {self.log}")
        return code == 0

    def _check_holds(self, mutation: LayerMutation) -> bool:
        place, check = real_fences.place_of(mutation.test, mutation.sync), mutation.filter
        results = real_fences.measure(place, {mutation.sync: [check]}, self.build,
                                      self.log.with_suffix(".gpu"))
        if failures := results.failures():
            raise LabError("; ".join(failures))
        found = real_fences.evaluate(results, mutation.sync, [check])
        if wrong := [f"{what}: {problem}" for what, problem in found if what != check]:
            raise LabError("; ".join(wrong))
        return not any(problem for _, problem in found)

    def _in_guest(self, command: list[str], mutation: LayerMutation) -> guest.Request:
        return guest.Request(command, compositor="none", layer=False, module=True, build=self.build,
                             env={"FENCEBRIDGE_SYNC": mutation.sync}, timeout=_TIMEOUT_SECONDS)

    def try_out(self, mutation: LayerMutation) -> str:
        """What went wrong, or the empty string. The changed source is restored after the build, and
        compiled again by the next build."""
        try:
            changed = listing.apply(mutation, self.sources)
        except LabError as error:
            return str(error)
        file = self.source / changed.path
        original = file.read_text(encoding="utf-8")
        file.write_text(changed.text, encoding="utf-8")
        try:
            self.compile(str(mutation.broken_program))
        except LabError as error:
            return f"it does not build: {error}"
        finally:
            file.write_text(original, encoding="utf-8")
        return "" if not self._test_passes(mutation) else "the test does not notice"


def _copy_if_changed(source: str, target: str) -> None:
    """Copies a file whose contents differ. The copy's new time tells the build to compile it."""
    copy, contents = Path(target), Path(source).read_bytes()
    if not copy.exists() or copy.read_bytes() != contents:
        copy.write_bytes(contents)
        shutil.copymode(source, target)
