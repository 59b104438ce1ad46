# SPDX-License-Identifier: MIT
"""Names of tests, as far as the sources of the tests tell them without being built."""

import re
from functools import cache
from pathlib import Path

from .. import real_fences
from ..paths import SOURCE
from ..say import LabError
from .listing import LayerMutation, ModuleMutation

_TEST = re.compile(r"^TEST(_F|_P)?\(\s*(\w+),\s*(\w+)\)", re.MULTILINE)
_INSTANCE = re.compile(r"^INSTANTIATE_TEST_SUITE_P\(\s*(\w*)\s*,\s*(\w+)\s*,", re.MULTILINE)
_MODULE_TEST = re.compile(r'\{\s*"(\w+\.\w+)",\s*\w+\s*\}')


def check_layer(mutation: LayerMutation, root: Path = SOURCE) -> None:
    """Raises LabError when a test that the mutation names is not in the sources below root."""
    if mutation.suite == "gpu":
        _check_gpu(mutation)
        return
    path = root / mutation.test_source
    if not path.is_file():
        raise LabError(f"mutation {mutation.name!r}: there is no test {mutation.test}: "
                       f"{path.name} is missing")
    known = googletest_names(path.read_text(encoding="utf-8"))
    for pattern in mutation.filter.partition("-")[0].split(":"):
        if not any(may_match(pattern, name) for name in known):
            raise LabError(f"mutation {mutation.name!r}: no test of {path.name} matches the "
                           f"filter {pattern!r}")


def _check_gpu(mutation: LayerMutation) -> None:
    checks = real_fences.checks_of(real_fences.place_of(mutation.test, mutation.sync),
                                   mutation.sync)
    if mutation.filter not in checks:
        raise LabError(f"mutation {mutation.name!r}: {mutation.sync} on {mutation.test} has no "
                       f"check {mutation.filter!r}; it has: {', '.join(checks)}")


def check_module(mutation: ModuleMutation, root: Path = SOURCE) -> None:
    known = {name for path in (root / "tests" / "kmod").glob("*.c")
             for name in _MODULE_TEST.findall(path.read_text(encoding="utf-8"))}
    if unknown := [name for name in mutation.noticed_by if name not in known]:
        raise LabError(f"mutation {mutation.name!r}: there is no test {', '.join(unknown)}")


def googletest_names(text: str) -> list[str]:
    """The full names of the tests in a source. `*` stands for the name of a test's parameter, which
    a function may compose."""
    prefixes: dict[str, list[str]] = {}
    for prefix, suite in _INSTANCE.findall(text):
        prefixes.setdefault(suite, []).append(prefix and prefix + "/")
    names = []
    for kind, suite, name in _TEST.findall(text):
        if kind == "_P":
            names += [f"{prefix}{suite}.{name}/*" for prefix in prefixes.get(suite, [])]
        else:
            names.append(f"{suite}.{name}")
    return names


@cache
def may_match(one: str, other: str) -> bool:
    """Whether some text matches both patterns, in which `*` is any text and `?` any character."""
    if not one or not other:
        return set(one + other) <= {"*"}
    if one[0] == "*":
        return may_match(one[1:], other) or may_match(one, other[1:])
    if other[0] == "*":
        return may_match(other, one)
    return (one[0] == other[0] or "?" in (one[0], other[0])) and may_match(one[1:], other[1:])
