# SPDX-License-Identifier: MIT
"""Tokens of C and C++ sources, without comments and white space."""

import re
from dataclasses import dataclass, field

from ..say import LabError

_PUNCTUATORS = ("<=>", "<<=", ">>=", "->*", "...", "::", "->", "++", "--", "<<", ">>", "<=", ">=",
                "==", "!=", "&&", "||", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", ".*", "##")

_TOKEN = re.compile(
    r"""(?P<directive>(?<![^\n])[ \t]*\#(?:\\\n|/\*.*?\*/|[^\n])*)
    |(?P<space>\n|[^\S\n]+|\\\n)
    |(?P<comment>//(?:\\\n|[^\n])*|/\*.*?\*/)
    |(?P<raw>(?:u8|[uUL])?R"(?P<mark>[^()\\\s]{0,16})\(.*?\)(?P=mark)")
    |(?P<string>(?:u8|[uUL])?(?:"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'))
    |(?P<number>\.?\d(?:[eEpP][+-]|'?[\w.])*)
    |(?P<word>[A-Za-z_]\w*)
    |(?P<variable>\$[A-Za-z_]\w*)
    |(?P<punctuator>""" + "|".join(map(re.escape, _PUNCTUATORS)) + r"""|[^\w\s"'$])""",
    re.VERBOSE | re.DOTALL)

_OPENING = {"(": ")", "[": "]", "{": "}"}
_CLOSING = set(_OPENING.values())
_ALTERNATIVES = re.compile(r"\s*#\s*(if|elif|else|endif)")


@dataclass(frozen=True)
class Token:
    kind: str   # the name of the group of _TOKEN that matched
    text: str
    start: int  # of its text, counted in characters
    end: int


@dataclass(frozen=True)
class Tokens:
    """The tokens of a text, and which brackets belong together."""

    all: list[Token]
    closing: dict[int, int] = field(default_factory=dict)  # by the index of an opening bracket

    def text(self, index: int) -> str:
        return self.all[index].text if index < len(self.all) else ""

    def is_word(self, index: int) -> bool:
        return index < len(self.all) and self.all[index].kind == "word"

    def after_brackets(self, index: int) -> int:
        """The index after the bracket that closes the one at the given index."""
        return self.closing[index] + 1


def read(text: str) -> Tokens:
    """The tokens of a source. Preprocessor directives are left out.

    All branches of an #if are read, one after the other, as long as each of them closes the braces
    that it opens. Otherwise the first branch alone is read.
    """
    tokens = _without_directives(_split(text, variables=False))
    return Tokens(tokens, _closing_brackets(tokens, text))


def read_pattern(text: str) -> list[Token]:
    """The tokens of a pattern: as in a source, and variables, such as `$argument`."""
    return _split(text, variables=True)


def line_of(text: str, offset: int) -> int:
    return text.count("\n", 0, offset) + 1


def _split(text: str, variables: bool) -> list[Token]:
    tokens = []
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if not match or (match["variable"] and not variables):
            raise LabError(f"line {line_of(text, position)}: {text[position:position + 20]!r} "
                           "begins no token")
        if not (match["space"] or match["comment"]):
            tokens.append(Token(match.lastgroup or "", match[0], *match.span()))
        position = match.end()
    return tokens


@dataclass
class _Group:
    """The branches of one #if, of which the last is being read."""

    branches: list[list[Token]]

    def joined(self) -> list[Token]:
        keep = self.branches if all(map(_is_balanced, self.branches)) else self.branches[:1]
        return [token for branch in keep for token in branch]


def _without_directives(tokens: list[Token]) -> list[Token]:
    groups = [_Group([[]])]
    for token in tokens:
        if token.kind != "directive":
            groups[-1].branches[-1].append(token)
            continue
        match = _ALTERNATIVES.match(token.text)
        if match and match[1] == "if":
            groups.append(_Group([[]]))
        elif match and len(groups) > 1:
            if match[1] == "endif":
                group = groups.pop()
                groups[-1].branches[-1].extend(group.joined())
            else:
                groups[-1].branches.append([])
    if len(groups) > 1:
        raise LabError("an #if has no #endif")
    return groups[0].joined()


def _is_balanced(tokens: list[Token]) -> bool:
    depth = 0
    for token in tokens:
        depth += {"{": 1, "}": -1}.get(token.text, 0)
        if depth < 0:
            return False
    return depth == 0


def _closing_brackets(tokens: list[Token], text: str) -> dict[int, int]:
    closing = {}
    open_ones = []
    for index, token in enumerate(tokens):
        if token.text in _OPENING:
            open_ones.append(index)
        elif token.text in _CLOSING:
            if not open_ones or _OPENING[tokens[open_ones[-1]].text] != token.text:
                raise LabError(f"line {line_of(text, token.start)}: {token.text} closes nothing")
            closing[open_ones.pop()] = index
    if open_ones:
        token = tokens[open_ones[-1]]
        raise LabError(f"line {line_of(text, token.start)}: {token.text} is not closed")
    return closing
