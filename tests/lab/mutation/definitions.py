# SPDX-License-Identifier: MIT
"""Where a C or C++ source defines functions and constants, and what their qualified names are."""

from dataclasses import dataclass

from ..say import LabError
from .tokens import Tokens

FUNCTION, CONSTANT = "function", "constant"

_CLASS_KEYS = {"class", "struct", "union", "enum"}
_ACCESS = {"public", "protected", "private"}
_SKIPPED = {"using", "typedef", "static_assert", "_Static_assert"}
# Parentheses after these are not a parameter list.
_NOT_NAMES = {"alignas", "decltype", "noexcept", "explicit", "requires", "sizeof", "throw",
              "__attribute__"}


@dataclass(frozen=True)
class Definition:
    """A function is found with its body in braces; a constant is any variable that is initialised
    outside of functions, found from its declaration's first token to the semicolon."""

    kind: str
    name: str   # qualified, without anonymous namespaces
    start: int  # the index of the opening brace of a function, of the first token of a constant
    end: int    # the index of the closing brace of a function, of the semicolon of a constant

    def is_called(self, name: str) -> bool:
        """Whether the qualified name is, or ends with, the given one."""
        return f"::{self.name}".endswith(f"::{name}")


def find(tokens: Tokens) -> list[Definition]:
    finder = _Finder(tokens)
    finder.scope(0, len(tokens.all), "")
    return finder.found


def _joined(*parts: str) -> str:
    return "::".join(filter(None, parts))


class _Finder:
    def __init__(self, tokens: Tokens):
        self.tokens, self.text = tokens, tokens.text
        self.found: list[Definition] = []

    def scope(self, index: int, end: int, name: str) -> None:
        """All declarations of a file, of a namespace or of a class."""
        while index < end:
            index = self._declaration(index, name)

    def _declaration(self, start: int, scope: str) -> int:
        """One declaration; returns the index after it."""
        first, second = self.text(start), self.text(start + 1)
        if first in (";", "}"):
            return start + 1
        if first in _ACCESS and second == ":":
            return start + 2
        if first in _SKIPPED:
            return self.after_semicolon(start)
        if first == "namespace" or (first, second) == ("inline", "namespace"):
            return self._namespace(start, scope)
        if first == "extern" and self.text(start + 2) == "{":  # extern "C"
            return self._braces(start + 2, scope)
        return _Declaration(self, start, scope).read()

    def _namespace(self, index: int, scope: str) -> int:
        parts = []
        while self.text(index) not in ("{", ";", "="):
            if self.text(index) == "[":  # an attribute
                index = self.tokens.after_brackets(index)
                continue
            if self.tokens.is_word(index) and self.text(index) not in ("inline", "namespace"):
                parts.append(self.text(index))
            index += 1
        if self.text(index) != "{":
            return self.after_semicolon(index)
        return self._braces(index, _joined(scope, *parts))

    def _braces(self, index: int, name: str) -> int:
        self.scope(index + 1, self.tokens.closing[index], name)
        return self.tokens.after_brackets(index)

    def after_semicolon(self, index: int) -> int:
        while self.text(index) not in (";", ""):
            index = self.tokens.closing.get(index, index) + 1
        return index + 1


class _Declaration:
    """Reads one declaration up to its semicolon or the end of its body."""

    def __init__(self, finder: _Finder, start: int, scope: str):
        self.finder, self.tokens, self.text = finder, finder.tokens, finder.text
        self.start, self.scope = start, scope
        self.index = start
        self.name = ""                      # of a function, once its parameters are reached
        self.class_key: int | None = None   # the index of `class` and the like

    def read(self) -> int:
        while True:
            text = self.text(self.index)
            if text in ("", ";"):
                return self.index + 1
            if text == "using":  # after `template <...>`
                return self.finder.after_semicolon(self.index)
            if text == "{":
                return self._body()
            if text == "=":
                return self._initialised()
            self._step(text)

    def _step(self, text: str) -> None:
        if text == "operator" and not self.name:
            self._operator()
        elif text == "<" and self.tokens.is_word(self.index - 1):
            self.index = self._after_angles(self.index)
        elif text == "(":
            if not self.name and self._is_name(self.index - 1):
                self.name = self._path_to(self.index - 1)
            self.index = self.tokens.after_brackets(self.index)
        elif text == "[":
            self.index = self.tokens.after_brackets(self.index)
        elif text == ":" and self.name:
            self._member_initialisers()
        else:
            if text in _CLASS_KEYS and self.class_key is None:
                self.class_key = self.index
            self.index += 1

    def _is_name(self, index: int) -> bool:
        """Whether a name ends at the index, perhaps with template arguments."""
        return index >= self.start and (self.text(index) == ">" or (
            self.tokens.is_word(index) and self.text(index) not in _NOT_NAMES))

    def _operator(self) -> None:
        """Reads the name of an operator, such as `operator()` or `operator bool`."""
        first = self.index
        self.index += 1
        if self.text(self.index) == "(":
            self.index += 2
        while self.text(self.index) not in ("(", ""):
            self.index += 1
        symbol = ""
        for index in range(first + 1, self.index):
            apart = self.tokens.is_word(index) and (not symbol or symbol[-1].isalnum())
            symbol += (" " if apart else "") + self.text(index)
        scope = self._path_to(first - 2) if self.text(first - 1) == "::" else ""
        self.name = _joined(scope, "operator" + symbol)
        self.index = self.tokens.after_brackets(self.index)

    def _path_to(self, index: int) -> str:
        """The qualified name that ends at the index, without template arguments."""
        parts = []
        while True:
            while self.text(index) in (">", ">>"):
                index = self._before_angles(index)
            part = self.text(index)
            if self.text(index - 1) == "~":
                index -= 1
                part = "~" + part
            parts.insert(0, part)
            if self.text(index - 1) != "::" or not (
                    self.tokens.is_word(index - 2) or self.text(index - 2) in (">", ">>")):
                return "::".join(parts)
            index -= 2

    def _after_angles(self, index: int) -> int:
        first, depth = index, 0
        while True:
            text = self.text(index)
            depth += {"<": 1, ">": -1, ">>": -2}.get(text, 0)
            if text in ("", ";"):
                line = self.tokens.all[first]
                raise LabError(f"offset {line.start}: < is not closed")
            index = self.tokens.closing.get(index, index) + 1
            if depth <= 0:
                return index

    def _before_angles(self, index: int) -> int:
        """The index before the `<` that belongs to the `>` at the index."""
        depth = 0
        while True:
            depth += {">": 1, ">>": 2, "<": -1}.get(self.text(index), 0)
            index -= 1
            if depth <= 0:
                return index

    def _member_initialisers(self) -> None:
        """Skips a constructor's member initialisers, from their colon up to the body."""
        while True:
            self.index += 1
            while self.text(self.index) not in ("(", "{", ""):
                if self.text(self.index) == "<":
                    self.index = self._after_angles(self.index)
                else:
                    self.index += 1
            self.index = self.tokens.after_brackets(self.index)
            if self.text(self.index) == "...":
                self.index += 1
            if self.text(self.index) != ",":
                return

    def _body(self) -> int:
        end = self.tokens.closing[self.index]
        if self.name:
            self._add(FUNCTION, self.name, self.index, end)
            return end + 1
        if self.class_key is not None:
            if self.text(self.class_key) != "enum":
                self.finder.scope(self.index + 1, end, _joined(self.scope, self._class_name()))
            return self.finder.after_semicolon(end + 1)
        return self._constant()

    def _class_name(self) -> str:
        index = last = self.class_key
        while index < self.index and self.text(index) not in (":", "final"):
            if self.text(index) in ("(", "["):  # of an attribute
                index = self.tokens.after_brackets(index)
                continue
            if self.text(index) == "<":
                break
            last, index = index, index + 1
        return "" if last == self.class_key else self._path_to(last)

    def _initialised(self) -> int:
        if self.name:  # a function's `= default`, `= delete` or `= 0`
            return self.finder.after_semicolon(self.index)
        return self._constant()

    def _constant(self) -> int:
        """Reads a constant's initialiser, whose `=` or opening brace is the current token."""
        index = self.index - 1
        while self.text(index) == "]":
            index = next(first for first, last in self.tokens.closing.items() if last == index) - 1
        end = self.finder.after_semicolon(self.index)
        if self.tokens.is_word(index):
            self._add(CONSTANT, self._path_to(index), self.start, end - 1)
        return end

    def _add(self, kind: str, name: str, start: int, end: int) -> None:
        self.finder.found.append(Definition(kind, _joined(self.scope, name), start, end))
