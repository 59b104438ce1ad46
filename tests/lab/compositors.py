# SPDX-License-Identifier: MIT
"""The compositors of the lab, and the commands that start them headless, without a GPU.

Each shows one output at 60 Hz with a plain background, so that pictures can be compared.
"""

from dataclasses import dataclass, field

from .paths import SOURCE_IN_ROOT
from .say import choose

_DATA = SOURCE_IN_ROOT / "tests" / "lab" / "data"


@dataclass(frozen=True)
class Size:
    width: int
    height: int

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"


OUTPUT = Size(800, 600)  # without --output


@dataclass(frozen=True)
class Compositor:
    command: list[str]  # {width} and {height} stand for the size of the output
    socket: str
    version: list[str]
    environment: dict[str, str] = field(default_factory=dict)
    dmabufs: bool = True  # whether it imports dma-bufs; if not, the layer passes through

    def command_for(self, output: Size) -> list[str]:
        return [part.format(width=output.width, height=output.height) for part in self.command]


def _weston(renderer: str, dmabufs: bool = True) -> Compositor:
    return Compositor(
        ["weston", "--backend=headless", f"--renderer={renderer}", "--socket=wayland-lab",
         "--width={width}", "--height={height}", "--refresh-rate=60000",
         f"--config={_DATA / 'weston.ini'}",
         "--debug"],  # lets every client take screenshots
        socket="wayland-lab", version=["weston", "--version"], dmabufs=dmabufs)


# Headless outputs of wlroots have 1280x720 pixels at first.
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
        socket="wayland-1",  # sway uses the first free name from wayland-1 on
        version=["sway", "--version"], environment=_WLROOTS),
    "labwc": Compositor(
        ["env", "LAB_OUTPUT={width}x{height}", "labwc", "--config-dir", str(_DATA / "labwc")],
        socket="wayland-0",  # labwc uses the first free name from wayland-0 on
        version=["labwc", "--version"], environment=_WLROOTS),
    "kwin": Compositor(
        ["kwin_wayland", "--virtual", "--width", "{width}", "--height", "{height}",
         "--no-lockscreen", "--socket", "wayland-lab"],
        socket="wayland-lab", version=["kwin_wayland", "--version"],
        # Otherwise only programs whose desktop file asks for that may take screenshots.
        environment={"KWIN_SCREENSHOT_NO_PERMISSION_CHECKS": "1"}),
}

NONE = "none"


def find(name: str) -> Compositor | None:
    return choose("compositor", name, COMPOSITORS, NONE)
