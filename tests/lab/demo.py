# SPDX-License-Identifier: MIT
"""`lab demo`: runs vkcube with the layer on Weston; leaves a screenshot and a report.

With a GPU, a second client counts the fences that are pending when its calls return. vkcube does
not tell.
"""

import json
import sys
from dataclasses import dataclass
from pathlib import Path

from . import build, compositors, gpu, guest, kernels, layerlog, png, strace
from .bench.numbers import median, short
from .paths import BUILD_IN_ROOT, SOURCE_IN_ROOT
from .say import LabError, Ticker

FRAMES = 300
TRACED_FRAMES = 60
_TIMEOUT_SECONDS = 240

# vkcube clears to a grey of 0.2. The cube's texture has hundreds of colours, mostly blue-green.
_CLEARED = 51
_COLOURS = 100

# The second client works as long for a frame as the compositor does.
_CLIENT = [str(BUILD_IN_ROOT / "tests/bench/bench_windows"), "--size", "400", "--clears", "20",
           "--frames", str(FRAMES), "--times"]

_EXPORT = "DMA_BUF_IOCTL_EXPORT_SYNC_FILE"
_IMPORT = "DMA_BUF_IOCTL_IMPORT_SYNC_FILE"


@dataclass(frozen=True)
class _Place:
    compositor: str
    kernel: str


def _place(with_gpu: str) -> _Place:
    # Weston's OpenGL renderer shares no layout with Venus; see docs/drivers.md.
    return (_Place("weston", kernels.DEFAULT) if with_gpu == gpu.NONE
            else _Place("weston-vulkan", gpu.KERNEL))


def run(out: Path, layer: bool, with_gpu: str = gpu.NONE) -> int:
    out.mkdir(parents=True, exist_ok=True)
    for name in ("background.png", "screenshot.png", "facts.json", "report.json", "fences.json"):
        (out / name).unlink(missing_ok=True)
    place = _place(with_gpu)
    parts = ("bench",) if with_gpu != gpu.NONE else ()
    built = build.ensure(parts=parts) if layer else build.try_ensure(parts=parts)
    ticker = Ticker(f"running vkcube for {FRAMES} frames on {place.compositor}")
    _in_guest(out, built, layer, place, with_gpu)
    ticker.done()
    facts = json.loads((out / "facts.json").read_text())
    report = _report(out, facts)
    problems = _problems(report, facts) + _picture_problems(out)
    report["problems"] = problems
    (out / "report.json").write_text(json.dumps(report, indent=2) + "\n")
    _print(report, out)
    for problem in problems:
        print(f"lab: demo failed: {problem}", file=sys.stderr)
    return 1 if problems else 0


def _in_guest(out: Path, built: Path, layer: bool, place: _Place, with_gpu: str) -> None:
    plan = {"frames": FRAMES, "traced_frames": TRACED_FRAMES,
            "compositor_version": compositors.COMPOSITORS[place.compositor].version,
            "fences": _CLIENT if with_gpu != gpu.NONE else None}
    request = guest.Request(
        argv=["python3", "-I", str(SOURCE_IN_ROOT / "tests/lab/guest/demo.py"), json.dumps(plan)],
        compositor=place.compositor, kernel=place.kernel, gpu=with_gpu, layer=layer, out=out,
        build=built, timeout=_TIMEOUT_SECONDS)
    chatter = bytearray()
    status = guest.run(request, chatter.extend, chatter.extend)
    if status != 0 or not (out / "facts.json").exists():
        raise LabError(f"the demo's script failed with status {status}:\n"
                       f"{chatter.decode(errors='replace')}")


def _report(out: Path, facts: dict) -> dict:
    log = (out / "vkcube.log").read_text(errors="replace")
    opened, closed = layerlog.opened(log), layerlog.closed(log)
    fields = opened[0].fields if opened else {}
    run_facts = facts["run"]
    presented = sum(event.presented for event in closed)
    seconds = run_facts["swapchain_seconds"] or run_facts["seconds"]
    return {
        "kernel": facts["kernel"],
        "compositor": facts["compositor"],
        "device": fields.get("device", _selected_gpu(log)),
        "layer": guest.LAYER if opened else None,
        "transport": fields.get("transport"),
        "transport_reason": fields.get("reason"),
        "present_mode": fields.get("present_mode"),
        "frames": presented if opened else None,
        "fps": round((presented if opened else FRAMES) / seconds, 1),
        "ioctls_per_frame": _ioctls(out),
        "fences": _fences(out),
    }


def _fences(out: Path) -> dict | None:
    """What the second client counted, if it ran: frames, and those with a pending fence."""
    path = out / "fences.json"
    if not path.exists() or not (text := path.read_text()):
        return None
    said = json.loads(text)
    pending = [time for time in said["acquire_pending"] if time]
    return {"frames": said["frames"], "acquires_pending": len(pending),
            "acquires_pending_ms": [round(time / 1e6, 2) for time in pending],
            "presents_pending": sum(said["rendering_pending"])}


def _selected_gpu(log: str) -> str | None:
    """The device that vkcube prints, for a run without the layer."""
    lines = [line for line in log.splitlines() if line.startswith("Selected GPU")]
    return lines[0].split(":", 1)[1].strip() if lines else None


def _ioctls(out: Path) -> dict[str, float]:
    """Ioctls per frame of the traced run, on buffers that the compositor has received."""
    counted = strace.read(out / "strace.txt").on_sent
    presented = sum(event.presented for event in
                    layerlog.closed((out / "strace.log").read_text(errors="replace")))
    return {name: round(count / (presented or TRACED_FRAMES), 2)
            for name, count in sorted(counted.items())}


def _problems(report: dict, facts: dict) -> list[str]:
    problems = []
    for name, what in (("run", "vkcube (see vkcube.log)"), ("traced", "vkcube under strace"),
                       ("fences", "the second client (see fences.log)")):
        if name in facts and facts[name]["status"] != 0:
            problems.append(f"{what} ended with status {facts[name]['status']}")
    if report["layer"] is None:
        problems.append("the layer was not in the chain: it opened no swapchain")
    elif report["frames"] != FRAMES:
        problems.append(f"vkcube presented {report['frames']} frames of {FRAMES}")
    if not facts["run"]["picture_in_time"]:
        problems.append("nothing was to be seen on the output while vkcube ran")
    return problems


def _picture_problems(out: Path) -> list[str]:
    """What is wrong with the picture, which should be a dark grey window with a textured cube."""
    if not (out / "screenshot.png").exists():
        return ["there is no screenshot"]
    picture, background = png.read(out / "screenshot.png"), png.read(out / "background.png")
    window = png.difference(picture, background)
    if window is None:
        return ["the screenshot shows no window"]
    left, top, right, bottom = window
    width, height = right - left, bottom - top
    if width < 100 or height < 100:
        return [f"the picture changed in {width}x{height} pixels only"]
    whole = picture.crop(*window)
    problems = []
    corners = [whole.at(x, y) for x in (0, width - 1) for y in (0, height - 1)]
    if any(abs(channel - _CLEARED) > 2 for corner in corners for channel in corner):
        problems.append(f"the window's corners are not what vkcube clears to: {corners}")
    middle = whole.crop(width // 4, height // 4, width * 3 // 4, height * 3 // 4)
    colours = len(middle.colours())
    if colours < _COLOURS:
        problems.append(f"the window's middle has {colours} colours, the cube has more")
    teal = sum(1 for row in middle.rows for i in range(0, len(row), 3)
               if row[i + 1] > row[i] + 20 and row[i + 2] > row[i] + 20)
    if teal * 100 < middle.width * middle.height:
        problems.append("the window's middle lacks the cube's blue-green texture")
    return problems


def _print(report: dict, out: Path) -> None:
    ioctls = report["ioctls_per_frame"]
    rows = [("kernel", report["kernel"]), ("compositor", report["compositor"]),
            ("device", report["device"]), ("layer", report["layer"]),
            ("transport", report["transport"]), ("because", report["transport_reason"]),
            ("present mode", report["present_mode"]), ("frames", report["frames"]),
            ("frames per second", report["fps"])]
    rows += [(f"{label} per frame", ioctls.get(name, 0))
             for label, name in (("EXPORT_SYNC_FILE", _EXPORT), ("IMPORT_SYNC_FILE", _IMPORT))]
    rows += [(f"{name} per frame", count) for name, count in ioctls.items()
             if name not in (_EXPORT, _IMPORT)]
    if fences := report["fences"]:
        times = fences["acquires_pending_ms"]
        rows += [("frames of a second client", fences["frames"]),
                 ("acquired with a pending fence", fences["acquires_pending"]),
                 ("  pending then for (median)", f"{short(median(times))} ms"),
                 ("  pending then for (at most)", f"{short(max(times, default=None))} ms"),
                 ("presented with pending rendering", fences["presents_pending"])]
    rows += [("screenshot", out / "screenshot.png"), ("report", out / "report.json")]
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        print(f"{name:<{width}}  {'none' if value is None else value}")
