# SPDX-License-Identifier: MIT
"""Tables of text, and the sections of the report, one for each measurement."""

from dataclasses import dataclass, field


@dataclass
class Table:
    title: str
    heads: list[str]
    rows: list[list[str]] = field(default_factory=list)

    def add(self, label: str, *cells: str) -> None:
        self.rows.append([label, *cells])

    def __str__(self) -> str:
        lines = [[self.title, *self.heads], *self.rows]
        widths = [max(len(line[i]) for line in lines if i < len(line))
                  for i in range(max(map(len, lines)))]
        texts = ["  ".join([line[0].ljust(widths[0]),
                            *(cell.rjust(width) for cell, width in zip(line[1:], widths[1:]))])
                 for line in lines]
        rule = "-" * (sum(widths) + 2 * (len(widths) - 1))
        return "\n".join([texts[0].rstrip(), rule, *(text.rstrip() for text in texts[1:])])


@dataclass
class Section:
    """The results of one measurement."""

    title: str
    tables: list[Table] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    data: dict = field(default_factory=dict)  # the same numbers, for the JSON file
    measurement: str = ""  # the names of measurement and compositor
    compositor: str = ""

    def __str__(self) -> str:
        parts = [f"== {self.title}", *map(str, self.tables)]
        if self.notes:
            parts.append("\n".join(self.notes))
        return "\n\n".join(parts)
