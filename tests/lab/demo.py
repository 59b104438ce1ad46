# SPDX-License-Identifier: MIT
"""`lab demo`: runs vkcube with the layer; leaves a screenshot and a report.

Without a GPU, the compositor is Weston. With one it is sway, which has two transports. There a
second client, once with each of them, counts the fences that are pending when its calls return;
vkcube does not tell.
"""

import json
import sys
from dataclasses import dataclass
from pathlib import Path

from . import build, compositors, gpu, guest, kernels, layerlog, png, real_fences, strace
from .bench.numbers import median, short
from .paths import SOURCE_IN_ROOT
from .say import LabError, Ticker

FRAMES = 300
TRACED_FRAMES = 60
_TIMEOUT_SECONDS = 240

# vkcube clears to a grey of 0.2. The cube's texture has hundreds of colours, mostly blue-green.
_CLEARED = 51
_COLOURS = 100

_CLIENT = [*real_fences.KEEPING_CLIENT, "--frames", str(FRAMES)]

_EXPORT = "DMA_BUF_IOCTL_EXPORT_SYNC_FILE"
_IMPORT = "DMA_BUF_IOCTL_IMPORT_SYNC_FILE"


@dataclass(frozen=True)
class _Place:
    compositor: str
    kernel: str
    output: compositors.Size
    traced: str              # the transport of vkcube under strace
    fences: tuple[str, ...]  # the transports for the second client


_WITHOUT_GPU = _Place("weston", kernels.DEFAULT, compositors.OUTPUT, "auto", ())
_WITH_GPU = _Place("sway", gpu.KERNEL, real_fences.OUTPUT, "kernel", ("explicit", "kernel"))


def run(out: Path, layer: bool, with_gpu: str = gpu.NONE) -> int:
    out.mkdir(parents=True, exist_ok=True)
    place = _WITHOUT_GPU if with_gpu == gpu.NONE else _WITH_GPU
    for name in ("background.png", "screenshot.png", "facts.json", "report.json",
                 *(f"fences-{transport}.json" for transport in place.fences)):
        (out / name).unlink(missing_ok=True)
    parts = ("bench",) if place.fences else ()
    built = build.ensure(parts=parts) if layer else build.try_ensure(parts=parts)
    ticker = Ticker(f"running vkcube for {FRAMES} frames on {place.compositor}")
    problems = _in_guest(out, built, layer, place, with_gpu)
    ticker.done()
    facts = json.loads((out / "facts.json").read_text())
    report = _report(out, facts, place)
    problems += _problems(report, facts) + _picture_problems(out)
    report["problems"] = problems
    (out / "report.json").write_text(json.dumps(report, indent=2) + "\n")
    _print(report, out)
    for problem in problems:
        print(f"lab: demo failed: {problem}", file=sys.stderr)
    return 1 if problems else 0


def _in_guest(out: Path, built: Path, layer: bool, place: _Place, with_gpu: str) -> list[str]:
    """The guest's problems, as guest.Request has them."""
    plan = {"frames": FRAMES, "traced_frames": TRACED_FRAMES, "traced_sync": place.traced,
            "compositor_version": compositors.COMPOSITORS[place.compositor].version,
            "fences": {transport: _CLIENT for transport in place.fences}}
    request = guest.Request(
        argv=["python3", "-I", str(SOURCE_IN_ROOT / "tests/lab/guest/demo.py"), json.dumps(plan)],
        compositor=place.compositor, kernel=place.kernel, gpu=with_gpu, output=place.output,
        layer=layer, out=out, build=built, timeout=_TIMEOUT_SECONDS)
    chatter = bytearray()
    status = guest.run(request, chatter.extend, chatter.extend)
    if status != 0 or not (out / "facts.json").exists():
        raise LabError(f"the demo's script failed with status {status}:\n"
                       f"{chatter.decode(errors='replace')}")
    return request.problems


def _report(out: Path, facts: dict, place: _Place) -> dict:
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
        "traced_transport": _transport(out / "strace.log"),
        "ioctls_per_frame": _ioctls(out),
        "fences": {transport: _fences(out, transport) for transport in place.fences
                   if facts["fences"][transport]["status"] == 0},
    }


def _fences(out: Path, transport: str) -> dict:
    """What the second client counted: frames, and those with a pending fence."""
    said = json.loads((out / f"fences-{transport}.json").read_text())
    pending = [time for time in said["acquire_pending"] if time]
    log = (out / f"fences-{transport}.log").read_text(errors="replace")
    return {"transports": [event.fields.get("transport") for event in layerlog.opened(log)],
            "frames": said["frames"], "acquires_pending": len(pending),
            "acquires_pending_ms": [round(time / 1e6, 2) for time in pending],
            "presents_pending": sum(said["rendering_pending"])}


def _transport(log: Path) -> str | None:
    opened = layerlog.opened(log.read_text(errors="replace"))
    return opened[0].fields.get("transport") if opened else None


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
    ended = {"vkcube (see vkcube.log)": facts["run"], "vkcube under strace": facts["traced"]}
    ended |= {f"the second client (see fences-{transport}.log)": end
              for transport, end in facts["fences"].items()}
    problems += [f"{what} ended with status {end['status']}" for what, end in ended.items()
                 if end["status"] != 0]
    problems += [problem for transport, fences in report["fences"].items()
                 if (problem := _fence_problem(transport, fences))]
    if report["layer"] is None:
        problems.append("the layer was not in the chain: it opened no swapchain")
    elif report["frames"] != FRAMES:
        problems.append(f"vkcube presented {report['frames']} frames of {FRAMES}")
    if not facts["run"]["picture_in_time"]:
        problems.append("nothing was to be seen on the output while vkcube ran")
    return problems


def _fence_problem(transport: str, fences: dict) -> str:
    if fences["transports"] != [transport]:
        return f"the second client was to run {transport}, and ran {fences['transports']}"
    if fences["acquires_pending"] + fences["presents_pending"] == 0:
        return f"{transport}: no fence of the second client was pending"
    return ""


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
    rows += [("vkcube under strace", f"{TRACED_FRAMES} frames, {report['traced_transport']}")]
    rows += [(f"  {label} per frame", ioctls.get(name, 0))
             for label, name in (("EXPORT_SYNC_FILE", _EXPORT), ("IMPORT_SYNC_FILE", _IMPORT))]
    rows += [(f"  {name} per frame", count) for name, count in ioctls.items()
             if name not in (_EXPORT, _IMPORT)]
    for transport, fences in report["fences"].items():
        times = fences["acquires_pending_ms"]
        rows += [(f"a second client, {transport}", f"{fences['frames']} frames"),
                 ("  acquired with a pending fence", fences["acquires_pending"])]
        if times:
            rows += [("    pending then for (median)", f"{short(median(times))} ms"),
                     ("    pending then for (at most)", f"{short(max(times))} ms")]
        rows += [("  presented with pending rendering", fences["presents_pending"])]
    rows += [("screenshot", out / "screenshot.png"), ("report", out / "report.json")]
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        print(f"{name:<{width}}  {'none' if value is None else value}")
