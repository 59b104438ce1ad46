# SPDX-License-Identifier: MIT
"""Real clients on every compositor: frames arrive, and pixels are those of the driver's own WSI.

One guest for each compositor runs all clients, with and without the layer, by
tests/lab/guest/clients.sh, which names the runs. This module checks their results.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .. import build, compositors, guest, layerlog, png
from ..paths import SOURCE_IN_ROOT
from ..say import LabError
from .outcome import Outcome

_TIMEOUT_SECONDS = 180


@dataclass(frozen=True)
class Expected:
    """What the layer's log has to say after a run."""

    present_mode: str
    presented: int | None = None  # by all swapchains; None: depends on the compositor


_THROUGH_LAYER = {
    "cube_fifo": Expected("fifo", 300),
    "cube_mailbox": Expected("mailbox", 300),
    "windows": Expected("fifo", 2 * 40),
    "resizing": Expected("fifo", 40),
    "opaque": Expected("fifo"),
    "premultiplied": Expected("fifo"),
}
_PICTURES = ("opaque", "premultiplied")
# What the images come from on a compositor without dma-bufs.
_IN_SHARED_MEMORY = "host-pointer"


def run(out: Path) -> Outcome:
    built = build.ensure()
    outcome = Outcome()
    for compositor in compositors.COMPOSITORS:
        folder = out / compositor
        try:
            _run_clients(compositor, built, folder)
        except LabError as error:
            outcome.check(compositor, False, str(error))
            continue
        for what, problems in _checks(folder, compositors.COMPOSITORS[compositor].dmabufs):
            outcome.check(f"{compositor}: {what}", not problems, "; ".join(problems))
    return outcome


def _run_clients(compositor: str, built: Path, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    runs = [f"layer-{client}" for client in _THROUGH_LAYER]
    runs += [f"native-{client}" for client in _PICTURES]
    request = guest.Request(
        argv=["sh", str(SOURCE_IN_ROOT / "tests/lab/guest/clients.sh"), *runs],
        compositor=compositor, out=out, build=built, timeout=_TIMEOUT_SECONDS)
    with (out / "script.log").open("wb") as log:
        guest.run(request, log.write, log.write)


def _checks(out: Path, dmabufs: bool) -> Iterator[tuple[str, list[str]]]:
    """The name of each check, and what is wrong."""
    for client, expected in _THROUGH_LAYER.items():
        name = f"layer-{client}"
        log = log_of(out, name)
        problems = _log_problems(log, expected)
        if not dmabufs and allocators_of(log) != {_IN_SHARED_MEMORY}:
            problems.append(f"images by {sorted(allocators_of(log))}, not by {_IN_SHARED_MEMORY}")
        yield name, status_problems(out, name) + problems
    for client in _PICTURES:
        name = f"native-{client}"
        chained = ["the layer was in the chain"] if layerlog.opened(log_of(out, name)) else []
        yield name, status_problems(out, name) + chained
        paths = {chain: out / f"{chain}-{client}.png" for chain in ("native", "layer")}
        yield f"the {client} picture", picture_problems(paths, client == "premultiplied")


def status_problems(out: Path, name: str) -> list[str]:
    path = out / f"{name}.status"
    if not path.exists():
        return ["it did not run"]
    status = path.read_text().strip()
    return [f"it ended with status {status}"] if status != "0" else []


def log_of(out: Path, run_name: str) -> str:
    path = out / f"{run_name}.log"
    return path.read_text(errors="replace") if path.exists() else ""


def allocators_of(log: str) -> set[str]:
    """The image allocators of the layer's swapchains."""
    return {str(swapchain.fields.get("allocator")) for swapchain in layerlog.opened(log)}


def _log_problems(log: str, expected: Expected) -> list[str]:
    opened, closed = layerlog.opened(log), layerlog.closed(log)
    if not opened:
        return ["the layer opened no swapchain"]
    problems = []
    if len(closed) != len(opened):
        problems.append(f"{len(opened)} swapchains opened, {len(closed)} closed")
    modes = {swapchain.fields.get("present_mode") for swapchain in opened}
    if modes != {expected.present_mode}:
        problems.append(f"present modes {modes} instead of {expected.present_mode}")
    presented = sum(swapchain.presented for swapchain in closed)
    if expected.presented is not None and presented != expected.presented:
        problems.append(f"{presented} frames presented instead of {expected.presented}")
    return problems


def picture_problems(paths: dict[str, Path], blended: bool) -> list[str]:
    """Of the screenshots `native` and `layer` of the picture of examples/still/picture.hpp.
    `blended`: with its alpha channel, on the backdrop of clients.sh."""
    missing = [chain for chain, path in paths.items() if not path.exists()]
    if missing:
        return [f"no picture of the {' and the '.join(missing)} run"]
    native, layer = png.read(paths["native"]), png.read(paths["layer"])
    problems = []
    # Equal pictures are not enough, since two black screens are equal.
    for chain, picture in (("native", native), ("layer", layer)):
        if wrong := _unexpected_pixel(picture, blended):
            problems.append(f"the {chain} run's picture is wrong: {wrong}")
    if changed := png.difference(native, layer):
        problems.append(f"pixels differ from the native run's within {changed}")
    return problems


_BACKDROP = (0x20, 0x40, 0x80)  # of clients.sh
_BARS = [(255, 255, 255), (255, 255, 0), (0, 255, 255), (0, 255, 0),
         (255, 0, 255), (255, 0, 0), (0, 0, 255), (0, 0, 0)]
_CHECKERBOARD_SIDE = 16


def _colour_at(x: int, y: int, width: int, height: int) -> tuple[tuple[int, int, int], int]:
    """The colour, not premultiplied, and alpha of the picture of examples/still/picture.hpp."""
    if x in (0, width - 1) or y in (0, height - 1):
        return _BARS[0], 255
    if x < _CHECKERBOARD_SIDE and y < _CHECKERBOARD_SIDE:
        return (_BARS[0] if (x + y) % 2 else _BARS[-1]), 255
    bar = x * len(_BARS) // width
    if y < height // 2:
        return _BARS[bar], 255
    if y < height * 3 // 4:
        return _BARS[-1 - bar], 170
    return (255, 128, 0), x * 255 // (width - 1)


def _unexpected_pixel(picture: png.Picture, blended: bool) -> str | None:
    """The first pixel that differs from the test picture, or None. Only some rows of each part of
    the picture are compared."""
    width, height = picture.width, picture.height
    if (width, height) != (compositors.OUTPUT.width, compositors.OUTPUT.height):
        return f"it has {width}x{height} pixels"
    # Compositors may round when they blend; they must not change opaque pixels.
    tolerance = 2 if blended else 0
    for y in (0, 1, 8, height // 4, height * 5 // 8, height * 7 // 8, height - 1):
        for x in range(width):
            colour, alpha = _colour_at(x, y, width, height)
            behind = _BACKDROP if blended else (0, 0, 0)
            wanted = tuple((c * alpha + b * (255 - alpha) + 127) // 255
                           for c, b in zip(colour, behind))
            seen = picture.at(x, y)
            if any(abs(s - w) > tolerance for s, w in zip(seen, wanted)):
                return f"{seen} instead of {wanted} at ({x}, {y})"
    return None
