# SPDX-License-Identifier: MIT
"""Programs to run in a guest, and their results."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from .. import layerlog
from . import columns


@dataclass(frozen=True)
class Run:
    """One run of a program by tests/lab/guest/bench.py, which describes the field `trace`."""

    name: str    # unique in its guest
    column: str
    argv: list[str]
    env: dict[str, str] = field(default_factory=dict)
    timeout: float = 60
    trace: str = ""    # "", "whole", "stopped" or "fences"
    pictures: int = 0  # screenshots to take meanwhile
    # If this run uses another transport than its column's, the column's later runs are left out.
    proves_column: bool = True


@dataclass
class Result:
    run: Run
    folder: Path

    @property
    def status(self) -> int | None:
        """The exit status; None if the program did not run, as its column was refused or the guest
        failed."""
        path = self.folder / "status"
        return int(path.read_text()) if path.exists() else None

    @property
    def ok(self) -> bool:
        return self.status == 0

    def text(self, name: str) -> str:
        path = self.folder / name
        return path.read_text(errors="replace") if path.exists() else ""

    def pictures(self) -> list[Path]:
        return sorted(self.folder.glob("picture-*.png"))

    def said(self) -> dict:
        """The JSON object that the clients of tests/bench/ write to standard output."""
        return json.loads(self.text("out"))

    def transports(self) -> list[tuple[str, str]]:
        """The transport of each swapchain and the reason for it, from the layer's log."""
        return [(opened.fields.get("transport", "?"), opened.fields.get("reason", ""))
                for opened in layerlog.opened(self.text("err"))]


@dataclass
class Results:
    """The results of one guest."""

    all: list[Result] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)  # of the guest, as guest.Request has them
    _verdicts: dict[str, str] = field(default_factory=dict)

    def of(self, prefix: str, column: str) -> list[Result]:
        """The successful rounds of the runs whose names have that prefix; see name().

        There are none if the column ran on another transport.
        """
        if self.verdict(column):
            return []
        return [result for result in self.all if result.ok and result.run.column == column
                and result.run.name.rsplit(".", 2)[0] == prefix]

    def failures(self) -> list[str]:
        """What went wrong. The guest's problems come first: they may be the reason of the rest."""
        return self.problems + [f"{result.run.name}: {_ending(result.status)}"
                                for result in self.all if result.status not in (0, None)]

    def verdict(self, column: str) -> str:
        """The empty string, or the reason why the column's results do not count: it ran another
        transport, or `native` ran with the layer."""
        if column not in self._verdicts:
            self._verdicts[column] = self._verdict(column)
        return self._verdicts[column]

    def _verdict(self, column: str) -> str:
        if column == columns.NATIVE:
            chained = any(result.transports() for result in self.all
                          if result.run.column == column)
            return "the layer was in the chain" if chained else ""
        seen = {transport for result in self.all if result.run.column == column
                for transport in result.transports()}
        others = sorted(f"ran {transport} instead: {reason}" for transport, reason in seen
                        if transport != column)
        return "; ".join(others)


def _ending(status: int) -> str:
    return "timed out" if status == 124 else f"ended with status {status}"


def name(prefix: str, column: str, round_number: int) -> str:
    return f"{prefix}.{column}.{round_number}"


def plan_of(runs: list[Run]) -> dict:
    return {"runs": [asdict(run) for run in runs]}
