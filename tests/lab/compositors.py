# SPDX-License-Identifier: MIT
"""The compositors of the lab, and how each is started headless with software rendering.

All show one output at 60 Hz with a plain background, so that pictures can be compared.
"""

from dataclasses import dataclass, field

from .paths import SOURCE_IN_ROOT
from .say import LabError

_DATA = SOURCE_IN_ROOT / "tests" / "lab" / "data"


@dataclass(frozen=True)
class Size:
    width: int
    height: int

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"


OUTPUT = Size(800, 600)  # where nothing else is asked for


@dataclass(frozen=True)
class Compositor:
    command: list[str]  # {width} and {height} stand for the output's
    socket: str
    version: list[str]
    environment: dict[str, str] = field(default_factory=dict)
    dmabufs: bool = True  # it imports dma-bufs; where it does not, the layer passes through

    def command_for(self, output: Size) -> list[str]:
        return [part.format(width=output.width, height=output.height) for part in self.command]


def _weston(renderer: str, dmabufs: bool = True) -> Compositor:
    return Compositor(
        ["weston", "--backend=headless", f"--renderer={renderer}", "--socket=wayland-lab",
         "--width={width}", "--height={height}", "--refresh-rate=60000",
         f"--config={_DATA / 'weston.ini'}",
         "--debug"],  # opens the screenshot protocol to every client
        socket="wayland-lab", version=["weston", "--version"], dmabufs=dmabufs)


# The headless outputs of wlroots begin with 1280x720.
_WLROOTS = {"WLR_BACKENDS": "headless", "WLR_RENDERER": "gles2",
            "WLR_RENDERER_ALLOW_SOFTWARE": "1", "WLR_LIBINPUT_NO_DEVICES": "1",
            "WLR_RENDER_DRM_DEVICE": "/dev/dri/renderD128"}

COMPOSITORS = {
    "weston": _weston("gl"),
    "weston-vulkan": _weston("vulkan"),
    "weston-pixman": _weston("pixman", dmabufs=False),
    "sway": Compositor(
        ["sh", "-c", f"sed s/@OUTPUT@/{{width}}x{{height}}/ {_DATA / 'sway.conf'} >/run/sway.conf "
         "&& exec sway --config /run/sway.conf"],
        socket="wayland-1",  # sway takes the first free name, counting from 1
        version=["sway", "--version"], environment=_WLROOTS),
    "labwc": Compositor(
        ["env", "LAB_OUTPUT={width}x{height}", "labwc", "--config-dir", str(_DATA / "labwc")],
        socket="wayland-0",  # labwc counts from 0
        version=["labwc", "--version"], environment=_WLROOTS),
    "kwin": Compositor(
        ["kwin_wayland", "--virtual", "--width", "{width}", "--height", "{height}",
         "--no-lockscreen", "--socket", "wayland-lab"],
        socket="wayland-lab", version=["kwin_wayland", "--version"],
        # Screenshots are otherwise for programs with a desktop file that asks for them.
        environment={"KWIN_SCREENSHOT_NO_PERMISSION_CHECKS": "1"}),
}

NONE = "none"


def find(name: str) -> Compositor | None:
    if name == NONE:
        return None
    try:
        return COMPOSITORS[name]
    except KeyError:
        raise LabError(f"no compositor {name!r}; there are: "
                       f"{', '.join([*COMPOSITORS, NONE])}") from None
