# SPDX-License-Identifier: MIT
"""Every transport on every compositor: what is asked for is taken, or the log says why it is not.

One guest for each compositor runs vkcube once for each setting.
"""

import shlex
from collections.abc import Iterator
from pathlib import Path

from .. import build, compositors, guest, layerlog
from ..paths import OUT_IN_ROOT
from ..say import LabError
from .outcome import Outcome

_FRAMES = 300
_TIMEOUT_SECONDS = 240
_SETTINGS = ("auto", "explicit", "kernel", "module", "cpu")
_WITH_SYNCOBJ = ("sway", "kwin")
_NO_SYNCOBJ = "the compositor has no linux-drm-syncobj-v1"
_POINTS = ("set_acquire_point", "set_release_point")


def run(out: Path) -> Outcome:
    built = build.ensure()
    outcome = Outcome()
    for compositor in compositors.COMPOSITORS:
        folder = out / compositor
        folder.mkdir(parents=True, exist_ok=True)
        try:
            _run_cubes(compositor, built, folder)
        except LabError as error:
            outcome.check(compositor, False, str(error))
            continue
        for setting in _SETTINGS:
            problems = list(_problems(folder, setting, compositor in _WITH_SYNCOBJ))
            outcome.check(f"{compositor}: sync={setting}", not problems, "; ".join(problems))
    return outcome


def _run_cubes(compositor: str, built: Path, out: Path) -> None:
    cube = shlex.join(["vkcube", "--wsi", "wayland", "--c", str(_FRAMES)])
    script = "; ".join(
        f"FENCEBRIDGE_SYNC={setting} {cube} > {OUT_IN_ROOT}/{setting}.log 2>&1; "
        f"echo $? > {OUT_IN_ROOT}/{setting}.status" for setting in _SETTINGS)
    request = guest.Request(
        argv=["sh", "-c", script], compositor=compositor, module=True, out=out, build=built,
        env={"FENCEBRIDGE_LOG_LEVEL": "info", "WAYLAND_DEBUG": "client"}, timeout=_TIMEOUT_SECONDS)
    with (out / "script.log").open("wb") as log:
        guest.run(request, log.write, log.write)


def _expected(setting: str, has_syncobj: bool) -> tuple[str, str]:
    """The transport, and the reason that the log gives."""
    best = "explicit" if has_syncobj else "kernel"
    if setting == "auto":
        passed_over = "" if has_syncobj else f"no explicit: {_NO_SYNCOBJ}; "
        return best, passed_over + "the best that works"
    if setting == "explicit" and not has_syncobj:
        return best, f"asked for explicit, but {_NO_SYNCOBJ}; the best that works"
    return setting, "asked for"


def _problems(out: Path, setting: str, has_syncobj: bool) -> Iterator[str]:
    log = out / f"{setting}.log"
    status = out / f"{setting}.status"
    if not status.exists():
        yield "it did not run"
        return
    if status.read_text().strip() != "0":
        yield f"it ended with status {status.read_text().strip()}"
    text = log.read_text(errors="replace")
    transport, reason = _expected(setting, has_syncobj)
    opened = {(swapchain.fields["transport"], swapchain.fields["reason"])
              for swapchain in layerlog.opened(text)}
    if opened != {(transport, reason)}:
        yield f"swapchains by {opened}, not {(transport, reason)}"
    presented = sum(swapchain.presented for swapchain in layerlog.closed(text))
    if presented != _FRAMES:
        yield f"{presented} frames instead of {_FRAMES}"
    for request in _POINTS:
        wanted = _FRAMES if transport == "explicit" else 0
        if text.count(f".{request}(") != wanted:
            yield f"{text.count(f'.{request}(')} times {request} instead of {wanted}"
    errors = text.count("fencebridge: error:")
    loud = len(layerlog.opened(text)) if reason.startswith("asked for ") else 0
    if errors != loud:
        yield f"{errors} error lines instead of {loud}"
