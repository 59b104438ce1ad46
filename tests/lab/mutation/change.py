# SPDX-License-Identifier: MIT
"""One change of a source: the definition that it is in, and what is changed there."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from ..say import LabError
from . import definitions, patterns, statements, tokens
from .definitions import CONSTANT, FUNCTION, Definition

# Keys of a list of mutations. The value is a pattern, a text, or both; see docs/lab.md.
OPERATORS = ("replace", "remove", "insert_before", "start_with")
_WITH_TWO_PARTS = ("replace", "insert_before")


@dataclass(frozen=True)
class Change:
    kind: str      # FUNCTION or CONSTANT
    name: str      # the end of the definition's qualified name, from some `::` on
    operator: str  # one of OPERATORS
    target: str    # a pattern; of start_with, the empty string
    text: str      # what is inserted, or takes the target's place; of remove, the empty string


@dataclass(frozen=True)
class Changed:
    """A source, and its text with one change."""

    path: Path
    text: str


def from_keys(keys: dict) -> Change:
    """Takes the keys that describe a change out of a table, as it is read from TOML."""
    kind, name = _only_one(keys, (FUNCTION, CONSTANT))
    operator, value = _only_one(keys, OPERATORS)
    parts = value if isinstance(value, list) else [value]
    if len(parts) != (2 if operator in _WITH_TWO_PARTS else 1):
        raise LabError(f"{operator} has {len(parts)} parts")
    if kind == CONSTANT and operator != "replace":
        raise LabError(f"{operator} needs a function; a constant has `replace` alone")
    if operator == "start_with":
        parts = ["", *parts]
    return Change(kind, name, operator, *parts, *[""] * (2 - len(parts)))


def _only_one(keys: dict, names: tuple[str, ...]) -> tuple[str, str | list[str]]:
    found = [name for name in names if name in keys]
    if len(found) != 1:
        raise LabError(f"{len(found)} of the keys {', '.join(names)} are given; one is needed")
    return found[0], keys.pop(found[0])


@dataclass(frozen=True)
class _Place:
    """A match of a change's target."""

    source: "Source"
    definition: Definition
    match: patterns.Match

    def __str__(self) -> str:
        return self.source.place_of(self.match.start)


@dataclass
class Source:
    path: Path
    text: str

    @cached_property
    def tokens(self) -> tokens.Tokens:
        try:
            return tokens.read(self.text)
        except LabError as error:
            raise LabError(f"{self.path}: {error}") from None

    @cached_property
    def definitions(self) -> list[Definition]:
        return definitions.find(self.tokens)

    def place_of(self, index: int) -> str:
        return f"{self.path}:{tokens.line_of(self.text, self.tokens.all[index].start)}"

    def with_tokens_replaced(self, start: int, end: int, text: str) -> Changed:
        """From the index start to before end."""
        all_tokens = self.tokens.all
        return Changed(self.path, self.text[:all_tokens[start].start] + text
                       + self.text[all_tokens[end - 1].end:])

    def with_text_before(self, index: int, text: str) -> Changed:
        offset = self.tokens.all[index].start
        return Changed(self.path, f"{self.text[:offset]}{text} {self.text[offset:]}")


@dataclass
class Sources:
    """Several sources. A change names a definition but no file, so all sources are searched."""

    all: list[Source] = field(default_factory=list)

    def apply(self, change: Change) -> Changed:
        """Raises LabError unless exactly one place in exactly one source matches."""
        places = self._find_definitions(change.kind, change.name)
        if change.operator == "start_with":
            if len(places) != 1:
                raise LabError(f"{_of(change)} is defined {len(places)} times, at "
                               + ", ".join(source.place_of(found.start)
                                           for source, found in places)
                               + "; start_with needs one definition")
            (source, found), = places
            return source.with_text_before(found.start + 1, change.text)
        return _apply_to(change, self._find_target(change, places))

    def _find_definitions(self, kind: str, name: str) -> list[tuple[Source, Definition]]:
        """Those of one qualified name: overloads, and what the branches of an #if define."""
        known = [(source, found) for source in self.all for found in source.definitions
                 if found.kind == kind]
        places = [place for place in known if place[1].is_called(name)]
        names = sorted({found.name for _, found in places})
        if len(names) > 1:
            raise LabError(f"{kind} {name} is ambiguous; it may be {' or '.join(names)}")
        if not names:
            raise LabError(f"there is no {kind} {name}" + _similar(name, known))
        return places

    def _find_target(self, change: Change,
                     places: list[tuple[Source, Definition]]) -> _Place:
        matches = [_Place(source, found, match) for source, found in places
                   for match in patterns.find(change.target, source.tokens, found.start, found.end)]
        if len(matches) != 1:
            where = matches or [source.place_of(found.start) for source, found in places]
            raise LabError(f"{_of(change)} has {change.target!r} {len(matches)} times instead of "
                           f"once: {', '.join(map(str, where))}")
        return matches[0]


def read(root: Path, paths: Iterable[Path]) -> Sources:
    """The sources at these paths, which are named relative to root from then on."""
    return Sources([Source(path.relative_to(root), path.read_text(encoding="utf-8"))
                    for path in sorted(paths)])


def _of(change: Change) -> str:
    return f"{change.kind} {change.name}"


def _similar(name: str, known: list[tuple[Source, Definition]]) -> str:
    """What a definition that was renamed or moved may be called now."""
    last = name.rpartition("::")[2]
    names = {found.name for _, found in known}
    close = [full for full in names if full.rpartition("::")[2] == last]
    close += difflib.get_close_matches(name, names - set(close), cutoff=0.75)
    return f"; similar names: {', '.join(sorted(close))}" if close else ""


def _apply_to(change: Change, place: _Place) -> Changed:
    source, match = place.source, place.match
    text = patterns.fill(change.text, match, source.tokens, source.text)
    if change.operator == "replace":
        return source.with_tokens_replaced(match.start, match.end, text)
    all_statements = statements.find(source.tokens, place.definition.start)
    statement = statements.innermost(all_statements, match.start, match.end)
    if statement is None:
        raise LabError(f"{_of(change)}: {change.target!r} is in no statement: {place}")
    if change.operator == "remove":
        return source.with_tokens_replaced(statement.start, statement.end, "{}")
    if statement.in_block:
        return source.with_text_before(statement.start, text)
    first, last = source.tokens.all[statement.start], source.tokens.all[statement.end - 1]
    original = source.text[first.start:last.end]
    return source.with_tokens_replaced(statement.start, statement.end, f"{{ {text} {original} }}")
