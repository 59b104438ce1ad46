# SPDX-License-Identifier: MIT
"""In the guest: draws the numbers of $OUT/bench.json as bars, a file of each question:

    syscalls.svg    system calls of a frame
    acquire.svg     time inside vkAcquireNextImageKHR, with heavy rendering
    present.svg     time inside vkQueuePresentKHR, with heavy rendering
    shown.svg       time from vkQueuePresentKHR to the screen
    fps.svg         frames a second

Columns are native and the transports. A question that was not measured has no file.
"""

import json
import os
from collections.abc import Callable
from pathlib import Path

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt  # noqa: E402  (the backend has to be chosen first)

OUT = Path(os.environ["OUT"])
COLOURS = {"native": "#888888", "explicit": "#1b6ca8", "kernel": "#2a9d8f", "module": "#e9a23b",
           "cpu": "#c8553d"}
APART = ("futex", "clock_gettime")  # as in tests/lab/syscalls.py

# Equal numbers make equal files.
plt.rcParams.update({"svg.hashsalt": "fencebridge", "svg.fonttype": "none", "font.size": 9,
                     "axes.spines.top": False, "axes.spines.right": False})

Values = dict[str, float | None]  # by column


def short(value: float) -> str:
    """Three digits, but all of those before the point."""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def bars(axes, groups: dict[str, Values], unit: str, log: bool = False) -> None:
    """A group of bars for each label, a bar for each column that has a value anywhere."""
    columns = [column for column in COLOURS
               if any(values.get(column) is not None for values in groups.values())]
    width = 0.8 / max(1, len(columns))
    for number, column in enumerate(columns):
        found = [(place, values[column]) for place, values in enumerate(groups.values())
                 if values.get(column) is not None]
        drawn = axes.bar([place + (number - (len(columns) - 1) / 2) * width for place, _ in found],
                         [value for _, value in found], width, color=COLOURS[column], label=column)
        axes.bar_label(drawn, fmt=short, fontsize=6.5, padding=1)
    axes.set_xticks(range(len(groups)), groups)
    axes.set_ylabel(unit)
    if log:
        axes.set_yscale("log")


def figure(name: str, title: str, unit: str, groups: dict[str, Values], log: bool = False) -> None:
    if not any(value is not None for values in groups.values() for value in values.values()):
        return
    drawing, axes = plt.subplots(figsize=(max(5.5, 2.1 * len(groups)), 3.4), layout="constrained")
    bars(axes, groups, unit, log)
    axes.set_title(title, fontsize=10)
    drawing.legend(fontsize=8, frameon=False, ncols=len(COLOURS), loc="outside lower center")
    drawing.savefig(OUT / f"{name}.svg", metadata={"Date": None})
    plt.close(drawing)


def of(sections: list[dict], measurement: str) -> dict[str, dict]:
    """The data of a measurement by compositor."""
    return {section["compositor"]: section["data"] for section in sections
            if section["measurement"] == measurement}


def each(values: dict, number: Callable) -> Values:
    return {column: None if value is None else number(value) for column, value in values.items()}


def main() -> None:
    sections = json.loads((OUT / "bench.json").read_text())["sections"]
    figure("syscalls", "system calls of a frame (client that clears)", "calls", {
        f"{compositor}\n{mode}": each(data[f"clear, {mode}"], lambda kinds: sum(
            count for kind, count in kinds.items() if kind not in APART))
        for compositor, data in of(sections, "syscalls").items() for mode in ("fifo", "mailbox")})
    heavy = {(compositor, mode): data[f"times-heavy-{mode}"]
             for compositor, data in of(sections, "calls").items() for mode in ("fifo", "mailbox")}
    for call, name in (("acquire", "vkAcquireNextImageKHR"), ("present", "vkQueuePresentKHR")):
        figure(call, f"inside {name}, heavy rendering", "milliseconds (logarithmic)", {
            f"{compositor}, {mode}\np{percent}": each(
                numbers, lambda found, key=f"{call}-p{percent}": found[key] / 1e6)
            for (compositor, mode), numbers in heavy.items() for percent in (50, 99)}, log=True)
    figure("shown", "from vkQueuePresentKHR to the screen, heavy rendering", "milliseconds", {
        f"{compositor}, {mode}\np{percent}": each(
            numbers, lambda found, key=f"shown-p{percent}": found[key] and found[key] / 1e6)
        for (compositor, mode), numbers in heavy.items() for percent in (50, 99)})
    figure("fps", "frames a second of one swapchain", "frames a second", {
        f"{compositor}\n{mode}": each(
            {column: sorted(found["rates"]) for column, found in data[f"frames-{mode}-1"].items()},
            lambda rates: rates[len(rates) // 2] if rates else None)
        for compositor, data in of(sections, "fps").items() for mode in ("fifo", "mailbox")})


main()
