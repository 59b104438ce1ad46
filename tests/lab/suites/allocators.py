# SPDX-License-Identifier: MIT
"""Every image allocator, and drivers that can do little, on four compositors and on an old kernel:
the right allocator is used, and the pixels are those of the driver's own window system integration.

One guest for each compositor shows an example's picture once for each case, by
tests/lab/guest/clients.sh. The layer of tests/mask/ hides what the driver has too much.
"""

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .. import build, compositors, guest
from ..paths import OUT_IN_ROOT, SOURCE_IN_ROOT
from ..say import LabError
from . import clients
from .outcome import Outcome

_TIMEOUT_SECONDS = 300
_PICTURE = "opaque"


NONE = "driver"  # the surface is left to the driver


@dataclass(frozen=True)
class Case:
    allocator: str       # that has to make the images; or NONE
    mask: str            # what the driver seems to lack
    is_set: bool = True  # the setting `image` names the allocator; else the layer chooses it

    @property
    def name(self) -> str:
        how = "" if self.is_set else "-chosen"
        lack = f"-without-{self.mask.replace(',', '-')}" if self.mask else ""
        return self.allocator + how + lack

    @property
    def setting(self) -> str:
        return self.allocator if self.is_set else "auto"

    @property
    def needs_dmabufs(self) -> bool:
        """Of the compositor."""
        return self.allocator != NONE and not self.allocator.endswith("host-pointer")


CASES = (
    Case("driver-export", "modifiers"),
    # libgbm allocates on vgem, which stands in for a GPU.
    Case("gbm", "dma-buf-export,render-node"),
    Case("dma-heap", "dma-buf-export"),
    Case("dma-heap", "dma-buf-export,modifiers"),
    Case("udmabuf", "dma-buf-export"),
    Case("udmabuf", "dma-buf-export,modifiers"),
    Case("copy-dma-buf", "modifiers"),
    Case("copy-dma-buf", "dma-buf-export"),
    Case("host-pointer", "dma-buf"),
    Case("host-pointer", "dma-buf,sync-fd"),
    Case("copy-host-pointer", "dma-buf"),
    Case("copy-host-pointer", "dma-buf,sync-fd"),
    Case("driver-export", "modifiers", is_set=False),
    Case("dma-heap", "dma-buf-export,modifiers,wsi", is_set=False),
    # lavapipe has one queue: the layer keeps the signals of acquires.
    Case("driver-export", "sync-fd", is_set=False),
    Case("host-pointer", "dma-buf,sync-fd,wsi", is_set=False),
    Case(NONE, "dma-buf,external-memory-host", is_set=False),
)


# As CASES, but lavapipe exports no dma-bufs there. vgem makes dumb buffers.
CASES_WITHOUT_UDMABUF = (
    Case("dumb", "", is_set=False),
    Case("copy-dma-buf", ""),
    Case("copy-host-pointer", ""),
    Case("host-pointer", "dma-buf", is_set=False),
)


@dataclass(frozen=True)
class Guest:
    compositor: str
    kernel: str = "uml"

    @property
    def name(self) -> str:
        return self.compositor if self.kernel == "uml" else f"{self.compositor}-{self.kernel}"

    @property
    def cases(self) -> list[Case]:
        cases = CASES if self.kernel == "uml" else CASES_WITHOUT_UDMABUF
        dmabufs = compositors.COMPOSITORS[self.compositor].dmabufs
        return [case for case in cases if dmabufs or not case.needs_dmabufs]


# Stock kernels before 6.12 lack udmabuf, and those before 6.0 the dma-buf ioctls.
GUESTS = (Guest("weston"), Guest("weston-pixman"), Guest("sway"), Guest("kwin"),
          Guest("weston", kernel="debian-5.10"))


def run(out: Path) -> Outcome:
    built = build.ensure(parts=("mask",))
    outcome = Outcome()
    for where in GUESTS:
        folder = out / where.name
        try:
            _show_pictures(where, built, folder)
        except LabError as error:
            outcome.check(where.name, False, str(error))
            continue
        for case in where.cases:
            problems = list(problems_of(folder, case))
            outcome.check(f"{where.name}: {case.name}", not problems, "; ".join(problems))
    return outcome


def _show_pictures(where: Guest, built: Path, out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    old = where.kernel != "uml"
    request = guest.Request(
        argv=["sh", "-c", script(where.cases)], compositor=where.compositor, kernel=where.kernel,
        sync="module" if old else None, udmabuf=not old, out=out, build=built,
        timeout=_TIMEOUT_SECONDS * (2 if old else 1),
        mask=CASES[0].mask)  # loads the layer that hides; the script chooses what it hides
    with (out / "script.log").open("wb") as log:
        guest.run(request, log.write, log.write)


def script(cases: list[Case]) -> str:
    """Each run of clients.sh has a folder of its own."""
    show = f"sh {SOURCE_IN_ROOT}/tests/lab/guest/clients.sh"
    lines = [f"{show} native-{_PICTURE}"]
    for case in cases:
        folder = f"{OUT_IN_ROOT}/{case.name}"
        variables = {"OUT": folder, "FENCEBRIDGE_IMAGE": case.setting,
                     "FENCEBRIDGE_TEST_MASK": case.mask}
        settings = " ".join(f"{name}={shlex.quote(value)}" for name, value in variables.items())
        lines += [f"mkdir -p {folder}", f"{settings} {show} layer-{_PICTURE}"]
    return "\n".join(lines)


def problems_of(out: Path, case: Case) -> Iterator[str]:
    """What is wrong with the run of a case."""
    native = out / f"native-{_PICTURE}"
    layer = out / case.name / f"layer-{_PICTURE}"
    yield from clients.status_problems(native.parent, native.name)
    yield from clients.status_problems(layer.parent, layer.name)
    log = clients.log_of(layer.parent, layer.name)
    used = clients.allocators_of(log)
    if case.allocator == NONE and "using the driver's own swapchains: driver lacks" not in log:
        yield "the layer does not say why it passes through"
    if used != ({case.allocator} - {NONE}):
        yield f"swapchains by {sorted(used)} instead of {case.allocator}"
    yield from clients.picture_problems({"native": native.with_suffix(".png"),
                                         "layer": layer.with_suffix(".png")}, blended=False)
