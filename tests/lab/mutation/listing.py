# SPDX-License-Identifier: MIT
"""The two lists of mutations, of the layer and of the kernel module, and what they change."""

import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from ..paths import SOURCE
from ..say import LabError
from . import change
from .change import Change, Changed, Sources

LAYER_LIBRARY = Path("layer", "libVkLayer_FENCEBRIDGE_wsi.so")
INFO_PROGRAM = Path("tools", "info", "fencebridge-info")
LAYER_LIST = SOURCE / "tests" / "mutations.toml"
MODULE_LIST = SOURCE / "tests" / "kmod" / "mutations.toml"


@dataclass(frozen=True)
class Mutation:
    name: str
    change: Change


@dataclass(frozen=True)
class LayerMutation(Mutation):
    suite: str         # of the test: unit, driver, compositor, wsi, fences (in a guest), or gpu
    test: str          # the test's source, without its suffix `_test.cpp`; of gpu, the compositor
    filter: str        # for its option --gtest_filter; of gpu, the check (real_fences.checks_of())
    sync: str = "auto"  # the value of FENCEBRIDGE_SYNC

    @property
    def test_source(self) -> Path:
        """Relative to the tree."""
        return self._test_folder / f"{self.test}_test.cpp"

    @property
    def test_program(self) -> Path:
        """Relative to the build folder."""
        if self.suite == "unit":
            return self._test_folder / "unit"
        if self.suite == "gpu":
            return Path("tests", "bench", "bench_windows")
        suffix = "driver_test" if self.suite == "driver" else "test"
        return self._test_folder / f"{self.test}_{suffix}"

    @property
    def broken_program(self) -> Path:
        """The program or library that the mutation changes, relative to the build folder. Unit
        tests have the sources in their own program."""
        if self.suite == "unit":
            return self.test_program
        return INFO_PROGRAM if self.test == "info" else LAYER_LIBRARY

    @property
    def _test_folder(self) -> Path:
        return Path("tests", "compositor" if self.suite == "fences" else self.suite)


@dataclass(frozen=True)
class ModuleMutation(Mutation):
    noticed_by: Sequence[str]  # the names of tests of tests/kmod/


Kind = TypeVar("Kind", bound=Mutation)


def layer() -> list[LayerMutation]:
    return read(LAYER_LIST, LayerMutation)


def module() -> list[ModuleMutation]:
    return read(MODULE_LIST, ModuleMutation)


def read(path: Path, kind: Callable[..., Kind]) -> list[Kind]:
    return [_mutation(table, kind) for table in tomllib.loads(path.read_text())["mutation"]]


def _mutation(table: dict, kind: Callable[..., Kind]) -> Kind:
    name = table.pop("name", "without a name")
    try:
        return kind(name=name, change=change.from_keys(table), **table)
    except (LabError, TypeError) as error:
        raise LabError(f"mutation {name!r}: {error}") from None


def with_text(mutations: list[Kind], text: str) -> list[Kind]:
    """Those that have the text in their name; an empty text is in all names."""
    found = [mutation for mutation in mutations if text in mutation.name]
    if not found:
        raise LabError(f"no mutation has {text!r} in its name")
    return found


def layer_sources(root: Path = SOURCE) -> Sources:
    """Those of the layer, and of the tools."""
    files = (path for folder in ("layer", "tools") for path in (root / folder).rglob("*"))
    return change.read(root, (path for path in files if path.suffix in (".cpp", ".hpp")))


def module_sources(root: Path = SOURCE) -> Sources:
    files = (root / "kmod").iterdir()
    return change.read(root, (path for path in files if path.suffix in (".c", ".h")))


def apply(mutation: Mutation, sources: Sources) -> Changed:
    """Raises LabError, which names mutation, function and target, unless the change applies."""
    try:
        return sources.apply(mutation.change)
    except LabError as error:
        raise LabError(f"mutation {mutation.name!r}: {error}") from None
