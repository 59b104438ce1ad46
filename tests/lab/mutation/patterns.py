# SPDX-License-Identifier: MIT
"""Patterns: tokens that occur as they are, and variables that stand for expressions.

A variable, such as `$image`, matches one or more tokens that are balanced in brackets, without a
comma or a semicolon outside of these. A variable that occurs twice matches the same tokens twice.
"""

import re
from dataclasses import dataclass

from ..say import LabError
from .tokens import Token, Tokens, read_pattern

_VARIABLE = re.compile(r"\$[A-Za-z_]\w*")


@dataclass(frozen=True)
class Match:
    start: int  # the index of the first token
    end: int    # the index after the last one
    variables: dict[str, tuple[int, int]]  # what each matched, in the same way


def find(pattern: str, tokens: Tokens, start: int, end: int) -> list[Match]:
    """The places from index start to before end that match."""
    wanted = read_pattern(pattern)
    if not wanted:
        raise LabError("an empty pattern matches nothing")
    if "variable" in (wanted[0].kind, wanted[-1].kind):
        raise LabError(f"{pattern!r} begins or ends with a variable, whose length nothing limits")
    matches = (_match(wanted, tokens, index, index, end, {}) for index in range(start, end))
    return [match for match in matches if match]


def fill(replacement: str, match: Match, tokens: Tokens, text: str) -> str:
    """The replacement, with the text that each variable matched."""
    def value(variable: re.Match) -> str:
        if variable[0] not in match.variables:
            raise LabError(f"{variable[0]} is in the replacement, but not in the pattern")
        start, end = match.variables[variable[0]]
        return text[tokens.all[start].start:tokens.all[end - 1].end]
    return _VARIABLE.sub(value, replacement)


def _match(wanted: list[Token], tokens: Tokens, first: int, index: int, end: int,
           variables: dict[str, tuple[int, int]]) -> Match | None:
    for position, token in enumerate(wanted):
        if token.kind == "variable":
            if token.text not in variables:
                return _match_variable(wanted[position:], tokens, first, index, end, variables)
            start, stop = variables[token.text]
            same = [tokens.text(place) for place in range(start, stop)]
        else:
            same = [token.text]
        after = index + len(same)
        if after > end or [tokens.text(place) for place in range(index, after)] != same:
            return None
        index = after
    return Match(first, index, variables)


def _match_variable(wanted: list[Token], tokens: Tokens, first: int, start: int, end: int,
                    variables: dict[str, tuple[int, int]]) -> Match | None:
    """The first of the wanted tokens is a variable, which matches as little as it can."""
    index = start
    while index < end and tokens.text(index) not in (",", ";", ")", "]", "}"):
        index = tokens.closing.get(index, index) + 1
        matched = _match(wanted[1:], tokens, first, index, end,
                         variables | {wanted[0].text: (start, index)})
        if matched:
            return matched
    return None
