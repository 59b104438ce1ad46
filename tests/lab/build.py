# SPDX-License-Identifier: MIT
"""Builds of this tree in the root, with its newest tools and with the guest's libraries."""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from . import artefact, host, pack_root, rootfs, sandbox
from .paths import BUILD_IN_ROOT, SOURCE, SOURCE_IN_ROOT, cache
from .say import LabError, Ticker, note


@dataclass(frozen=True)
class Variant:
    """One configuration of the tree. Every variant has a build folder of its own."""

    name: str
    options: tuple[str, ...] = field(default_factory=tuple)
    may_warn: bool = False  # also if FENCEBRIDGE_LAB_WERROR is set
    root: Callable[[], Path] = rootfs.ensure


# `meson install` also installs the module's source.
PLAIN = Variant("plain", ("-Ddkms=true",))
# Without optimisation and with line numbers alone (-g1), since building these variants takes longer
# than running their tests.
_UNOPTIMISED = ("-Doptimization=0", "-Ddebug=false", "-Dc_args=-g1", "-Dcpp_args=-g1")
# With nodelete, a library stays loaded, so that the report of a leak can name its functions, and so
# that memory of its static objects is no leak.
SANITIZERS = Variant("sanitizers", ("-Db_sanitize=address,undefined", "-Db_lundef=false",
                                    "-Dexamples=false", *_UNOPTIMISED,
                                    "-Dcpp_link_args=-Wl,-z,nodelete"))
# ThreadSanitizer cannot be combined with AddressSanitizer.
THREADS = Variant("threads", ("-Db_sanitize=thread", "-Db_lundef=false", "-Dexamples=false",
                              *_UNOPTIMISED))
# For machines whose glibc is older than the root's.
PORTABLE = Variant("portable", ("-Ddebug=false",), root=pack_root.ensure)


_LOG = "lab-build.log"
_TREE = "lab-tree"


def options_of(variant: Variant) -> list[str]:
    """The options for Meson. Warnings are errors only if FENCEBRIDGE_LAB_WERROR is set, since a
    newer compiler than the one that this project's CI uses may have new warnings."""
    strict = os.environ.get("FENCEBRIDGE_LAB_WERROR", "") not in ("", "0") and not variant.may_warn
    return [*variant.options, *(["-Dwerror=true"] if strict else [])]


def folder_of(variant: Variant) -> Path:
    """The build folder. Its name has a hash of the checkout's path, so checkouts share none."""
    return cache() / f"build-{artefact.key_of(str(SOURCE))}-{variant.name}"


def use_lock_of(folder: Path) -> Path:
    return folder.with_name(folder.name + ".use")


def in_use(folder: Path):
    """Context: the build folder is in use, and no other lab removes it. Builds lock another file,
    so that a tree can be built while a guest uses the folder."""
    return artefact.locked(use_lock_of(folder), shared=True)


def tree_of(folder: Path) -> Path | None:
    """The tree that the folder was built from, if that is known."""
    path = folder / _TREE
    return Path(path.read_text()) if path.is_file() else None


def last_built(folder: Path) -> float:
    """The time of the last build, in seconds since the epoch. Every use begins with a build."""
    log = folder / _LOG
    return (log if log.exists() else folder).stat().st_mtime


def box_of(variant: Variant, root: Path) -> sandbox.Sandbox:
    """The root, into which the source and the variant's build folder are mounted."""
    return sandbox.Sandbox(root / "root", writable={BUILD_IN_ROOT.name: folder_of(variant)},
                           readonly={SOURCE_IN_ROOT.name: SOURCE})


def ensure(variant: Variant = PLAIN, tests: bool = False, parts: tuple[str, ...] = (),
           targets: tuple[str, ...] = ()) -> Path:
    """Builds the changed files of layer and examples; returns the build folder.

    Also builds all tests if `tests` is true, or those in the folders `parts` of tests/. With
    `targets`, builds only these files of the build folder.
    """
    root = variant.root()
    folder = folder_of(variant)
    folder.mkdir(exist_ok=True)
    with artefact.locked(artefact.lock_of(folder)), sandbox.in_use(root):
        prepare(folder, root, variant)
        box = box_of(variant, root)
        log = folder / _LOG
        ticker = Ticker(f"building fencebridge ({variant.name})")
        if not (folder / "build.ninja").exists():
            host.run_logged(box.command(["meson", "setup", *options_of(variant), str(BUILD_IN_ROOT),
                                         str(SOURCE_IN_ROOT)]), log, ticker)
        ninja = ["ninja", "-C", str(BUILD_IN_ROOT), "-j", str(len(os.sched_getaffinity(0)))]
        if not tests:
            # Meson's own files are updated first, since they list the targets.
            host.run_logged(box.command([*ninja, "build.ninja"]), log, ticker)
            ninja += targets or _without_tests(folder, parts)
        host.run_logged(box.command(ninja), log, ticker, follow=_step)
        ticker.done()
    return folder


def _without_tests(folder: Path, parts: tuple[str, ...]) -> list[str]:
    """The targets without the tests, which would take most of a build's time."""
    targets = json.loads((folder / "meson-info" / "intro-targets.json").read_text())
    tests = SOURCE_IN_ROOT / "tests"

    def wanted(defined_in: Path) -> bool:
        return not defined_in.is_relative_to(tests) or any(
            defined_in.is_relative_to(tests / part) for part in parts)

    return [str(Path(name).relative_to(BUILD_IN_ROOT)) for target in targets
            if target["build_by_default"] and wanted(Path(target["defined_in"]))
            for name in target["filename"]]


def try_ensure(tests: bool = False, parts: tuple[str, ...] = ()) -> Path | None:
    """As ensure(), for commands that need no build: returns None if the tree does not build."""
    try:
        return ensure(tests=tests, parts=parts)
    except LabError as error:
        note(f"going on without this tree's build: {error}")
        return None


def prepare(folder: Path, root: Path, variant: Variant) -> None:
    """Begins a build in the folder, whose lock the caller holds. A build with other options or in
    another root is removed."""
    stamp = folder / "lab-made-with"
    wanted = "\n".join([root.name, *options_of(variant)])
    if not stamp.exists() or stamp.read_text() != wanted:
        artefact.remove_tree(folder)
        folder.mkdir()
        stamp.write_text(wanted)
    (folder / _TREE).write_text(str(SOURCE))
    (folder / _LOG).write_text("")


def _step(line: str) -> str | None:
    """The numbers of ninja's line `[3/40] Compiling ...`."""
    return line.split("]")[0].lstrip("[") if line.startswith("[") else None
