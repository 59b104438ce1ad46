# SPDX-License-Identifier: MIT
"""Where the statements of a function body begin and end, those of its lambdas included."""

from dataclasses import dataclass

from .tokens import Tokens

_WITH_CONDITION = {"if", "for", "while", "switch"}
_BEGIN_STATEMENTS = {*_WITH_CONDITION, "do", "try", "return"}


@dataclass(frozen=True)
class Statement:
    start: int      # the index of its first token, after its labels
    end: int        # the index after its last token
    in_block: bool  # false: it is the only statement of an if, an else or a loop


def find(tokens: Tokens, body: int) -> list[Statement]:
    """All statements of the body whose opening brace is at the index. An `if` or a loop is one
    statement together with what it controls. What it controls is also a statement of its own."""
    finder = _Finder(tokens)
    finder.block(body)
    return finder.found


def innermost(statements: list[Statement], start: int, end: int) -> Statement | None:
    """The smallest statement that contains the tokens from start to before end."""
    around = [statement for statement in statements
              if statement.start <= start and end <= statement.end]
    return min(around, key=lambda statement: statement.end - statement.start, default=None)


class _Finder:
    def __init__(self, tokens: Tokens):
        self.tokens, self.text = tokens, tokens.text
        self.found: list[Statement] = []

    def block(self, brace: int) -> int:
        """The statements in braces; returns the index after these."""
        end = self.tokens.closing[brace]
        index = brace + 1
        while index < end:
            index = self._statement(index, end, in_block=True)
        return end + 1

    def _statement(self, index: int, end: int, in_block: bool) -> int:
        """One statement, which ends before the given end of its block; returns the index after."""
        start = index = self._after_labels(index, end)
        if index == end:
            return end
        text = self.text(index)
        if text == "{":
            index = self.block(index)
        elif text in _WITH_CONDITION:
            index = self._controlled(self._parentheses(index + 1), end)
            if text == "if" and self.text(index) == "else":
                index = self._controlled(index + 1, end)
        elif text == "do":
            index = self._parentheses(self._controlled(index + 1, end) + 1) + 1
        elif text == "try":
            index = self.block(index + 1)
            while self.text(index) == "catch":
                index = self.block(self._parentheses(index + 1))
        else:
            index = self._simple(index, end)
        self.found.append(Statement(start, index, in_block))
        return index

    def _controlled(self, index: int, end: int) -> int:
        return self._statement(index, end, in_block=False)

    def _after_labels(self, index: int, end: int) -> int:
        while index < end:
            if self.text(index) == "case":
                while self.text(index) != ":":
                    index = self.tokens.closing.get(index, index) + 1
                index += 1
            elif self.tokens.is_word(index) and self.text(index + 1) == ":":
                index += 2  # `default:`, and what goto names
            else:
                break
        return index

    def _parentheses(self, index: int) -> int:
        """A condition; before its parentheses there may be `constexpr`."""
        while self.text(index) != "(":
            index += 1
        self._expression(index)
        return self.tokens.after_brackets(index)

    def _simple(self, index: int, end: int) -> int:
        """Up to the semicolon. A macro that stands for a loop, as the kernel has them, is followed
        by what it controls."""
        is_call = self.tokens.is_word(index) and self.text(index + 1) == "("
        loop_body = self.tokens.after_brackets(index + 1) if is_call else None
        while index < end and self.text(index) != ";":
            if index == loop_body and self.text(index) == "{":
                return self.block(index)
            if index in self.tokens.closing:
                self._expression(index)
            index = self.tokens.closing.get(index, index) + 1
        return min(index + 1, end)

    def _expression(self, bracket: int) -> None:
        """In brackets: the statements of lambdas' bodies and of local classes."""
        if self.text(bracket) == "{" and self._has_statements(bracket):
            self.block(bracket)
            return
        index = bracket + 1
        while index < self.tokens.closing[bracket]:
            if index in self.tokens.closing:
                self._expression(index)
            index = self.tokens.closing.get(index, index) + 1

    def _has_statements(self, brace: int) -> bool:
        """Whether braces are a block, and not a list of initial values."""
        if self.text(brace + 1) in _BEGIN_STATEMENTS:
            return True
        index = brace + 1
        while index < self.tokens.closing[brace]:
            if self.text(index) == ";":
                return True
            index = self.tokens.closing.get(index, index) + 1
        return False
