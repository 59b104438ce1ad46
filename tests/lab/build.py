# SPDX-License-Identifier: MIT
"""This tree, built in the root: the newest tools, and the libraries that the guest has."""

import json
import os
from dataclasses import dataclass, field
from pathlib import Path

from . import artefact, host, rootfs, sandbox
from .paths import BUILD_IN_ROOT, SOURCE, SOURCE_IN_ROOT, cache
from .say import LabError, Ticker, note


@dataclass(frozen=True)
class Variant:
    """One way to configure the tree; every variant has a build folder of its own."""

    name: str
    options: tuple[str, ...] = field(default_factory=tuple)
    may_warn: bool = False  # even if FENCEBRIDGE_LAB_WERROR is set


# With the module's source among what is installed.
PLAIN = Variant("plain", ("-Ddkms=true",))
# Unoptimised, since these builds take longer than their tests. A library that stays loaded can be
# named in a leak's report, and what its static objects hold is no leak.
SANITIZERS = Variant("sanitizers", ("-Db_sanitize=address,undefined", "-Db_lundef=false",
                                    "-Dexamples=false", "-Dbuildtype=debug",
                                    "-Dcpp_link_args=-Wl,-z,nodelete"))
# A check of its own, which goes with no other.
THREADS = Variant("threads", ("-Db_sanitize=thread", "-Db_lundef=false", "-Dexamples=false",
                              "-Dbuildtype=debug"))


_LOG = "lab-build.log"
_TREE = "lab-tree"


def options_of(variant: Variant) -> list[str]:
    """Warnings are errors only if FENCEBRIDGE_LAB_WERROR is set, since a compiler that is newer than
    the one of this project's CI may have new warnings."""
    strict = os.environ.get("FENCEBRIDGE_LAB_WERROR", "") not in ("", "0") and not variant.may_warn
    return [*variant.options, *(["-Dwerror=true"] if strict else [])]


def folder_of(variant: Variant) -> Path:
    """Keyed by the checkout's path, so that two checkouts do not undo each other's work."""
    return cache() / f"build-{artefact.key_of(str(SOURCE))}-{variant.name}"


def use_lock_of(folder: Path) -> Path:
    return folder.with_name(folder.name + ".use")


def in_use(folder: Path):
    """Context: a build folder that is not to be removed meanwhile. Building locks another file, so
    that a tree can be built while a guest runs on it."""
    return artefact.locked(use_lock_of(folder), shared=True)


def tree_of(folder: Path) -> Path | None:
    """Whose build it is, where that was written down."""
    path = folder / _TREE
    return Path(path.read_text()) if path.is_file() else None


def last_built(folder: Path) -> float:
    """In seconds since the epoch; every use begins with a build."""
    log = folder / _LOG
    return (log if log.exists() else folder).stat().st_mtime


def box_of(variant: Variant, root: Path) -> sandbox.Sandbox:
    """The root with the source and this variant's build folder in it."""
    return sandbox.Sandbox(root / "root", writable={BUILD_IN_ROOT.name: folder_of(variant)},
                           readonly={SOURCE_IN_ROOT.name: SOURCE})


def ensure(variant: Variant = PLAIN, tests: bool = False, parts: tuple[str, ...] = ()) -> Path:
    """Builds what has changed of layer and examples; returns the folder.

    With tests, all of the tests too; with parts, what is in these folders of tests/.
    """
    root = rootfs.ensure()
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
            # Meson's own files first, as they say which targets there are.
            host.run_logged(box.command([*ninja, "build.ninja"]), log, ticker)
            ninja += _without_tests(folder, parts)
        host.run_logged(box.command(ninja), log, ticker, follow=_step)
        ticker.done()
    return folder


def _without_tests(folder: Path, parts: tuple[str, ...]) -> list[str]:
    """The tests take most of a build's time, and who wants to see a cube needs none of them."""
    targets = json.loads((folder / "meson-info" / "intro-targets.json").read_text())
    tests = SOURCE_IN_ROOT / "tests"

    def wanted(defined_in: Path) -> bool:
        return not defined_in.is_relative_to(tests) or any(
            defined_in.is_relative_to(tests / part) for part in parts)

    return [str(Path(name).relative_to(BUILD_IN_ROOT)) for target in targets
            if target["build_by_default"] and wanted(Path(target["defined_in"]))
            for name in target["filename"]]


def try_ensure(tests: bool = False) -> Path | None:
    """For what goes without: a tree that does not build right now is no obstacle there."""
    try:
        return ensure(tests=tests)
    except LabError as error:
        note(f"going on without this tree's build: {error}")
        return None


def prepare(folder: Path, root: Path, variant: Variant) -> None:
    """Begins a build, with the folder locked; one made with other options or in another root is of
    no use, and is removed."""
    stamp = folder / "lab-made-with"
    wanted = "\n".join([root.name, *options_of(variant)])
    if not stamp.exists() or stamp.read_text() != wanted:
        artefact.remove_tree(folder)
        folder.mkdir()
        stamp.write_text(wanted)
    (folder / _TREE).write_text(str(SOURCE))
    (folder / _LOG).write_text("")


def _step(line: str) -> str | None:
    """Ninja's `[3/40] Compiling ...`, without what is compiled."""
    return line.split("]")[0].lstrip("[") if line.startswith("[") else None
