# SPDX-License-Identifier: MIT
"""Every transport on every compositor that imports dma-bufs, and with one compositor on each stock
kernel. The layer uses the transport that is requested, or its log says why it does not.

One guest for each place runs vkcube once for each setting.
"""

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .. import build, guest, kernels, layerlog
from ..paths import OUT_IN_ROOT
from ..say import LabError
from .outcome import Outcome

_TIMEOUT_SECONDS = 400
_TRANSPORTS = ("explicit", "kernel", "module", "cpu")  # in the layer's order of preference
_SETTINGS = ("auto", *_TRANSPORTS)
_FRAMES = 60
_POINTS = ("set_acquire_point", "set_release_point")


@dataclass(frozen=True)
class Place:
    compositor: str
    lacks: tuple[tuple[str, str], ...] = ()  # a transport, and what it lacks according to the log
    kernel: str = kernels.DEFAULT

    @property
    def name(self) -> str:
        return f"{self.compositor} on {self.kernel}"


_NO_SYNCOBJ = ("explicit", "the compositor has no linux-drm-syncobj-v1")
_NO_IOCTLS = ("kernel", "EXPORT_SYNC_FILE on a dma-buf: Inappropriate ioctl for device")
_PLACES = (
    Place("weston", (_NO_SYNCOBJ,)),
    Place("weston-vulkan", (_NO_SYNCOBJ,)),
    Place("sway"),
    Place("labwc"),
    Place("kwin"),
    Place("weston", (_NO_SYNCOBJ, _NO_IOCTLS), "debian-5.10"),
    Place("weston", (_NO_SYNCOBJ,), "debian-6.1"),
    Place("sway", (), "debian-6.12"),
    Place("kwin", (), "debian-newest"),
)


def run(out: Path, whole: bool) -> Outcome:
    built = build.ensure()
    outcome = Outcome()
    for place in places(whole):
        folder = out / f"{place.compositor}-{place.kernel}"
        folder.mkdir(parents=True, exist_ok=True)
        try:
            _run_cubes(place, built, folder)
        except LabError as error:
            outcome.check(place.name, False, str(error))
            continue
        for setting in _SETTINGS:
            problems = list(_problems(folder, setting, place))
            outcome.check(f"{place.name}: sync={setting}", not problems, "; ".join(problems))
    return outcome


def places(whole: bool) -> list[Place]:
    return [place for place in _PLACES if place.kernel in kernels.for_tests(whole)]


def _run_cubes(place: Place, built: Path, out: Path) -> None:
    cube = shlex.join(["vkcube", "--wsi", "wayland", "--c", str(_FRAMES)])
    script = "; ".join(
        f"FENCEBRIDGE_SYNC={setting} {cube} > {OUT_IN_ROOT}/{setting}.log 2>&1; "
        f"echo $? > {OUT_IN_ROOT}/{setting}.status" for setting in _SETTINGS)
    request = guest.Request(
        argv=["sh", "-c", script], kernel=place.kernel, compositor=place.compositor, module=True,
        out=out, build=built, timeout=_TIMEOUT_SECONDS,
        env={"FENCEBRIDGE_LOG_LEVEL": "info", "WAYLAND_DEBUG": "client"})
    with (out / "script.log").open("wb") as log:
        guest.run(request, log.write, log.write)


def _expected(setting: str, lacks: dict[str, str]) -> tuple[str, str]:
    """The transport to be used, and the reason in the log."""
    if setting not in ("auto", *lacks):
        return setting, "the setting"
    best = next(transport for transport in _TRANSPORTS if transport not in lacks)
    better = _TRANSPORTS[:_TRANSPORTS.index(best)]
    reasons = [f"the setting is {setting}, but {lacks[setting]}"] if setting in lacks else []
    reasons += [f"no {name}: {lacks[name]}" for name in better if name != setting]
    return best, "; ".join([*reasons, "the best that works"])


def _problems(out: Path, setting: str, place: Place) -> Iterator[str]:
    log = out / f"{setting}.log"
    status = out / f"{setting}.status"
    if not status.exists():
        yield "it did not run"
        return
    if status.read_text().strip() != "0":
        yield f"it ended with status {status.read_text().strip()}"
    text = log.read_text(errors="replace")
    transport, reason = _expected(setting, dict(place.lacks))
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
    loud = len(layerlog.opened(text)) if reason.startswith("the setting is ") else 0
    if errors != loud:
        yield f"{errors} error lines instead of {loud}"
