# SPDX-License-Identifier: MIT
"""The compositors of the lab, and how each is started headless with software rendering.

All show one output of 800x600 at 60 Hz with a plain background, so that pictures can be compared.
"""

from dataclasses import dataclass, field

from .paths import SOURCE_IN_ROOT
from .say import LabError

_DATA = SOURCE_IN_ROOT / "tests" / "lab" / "data"
WIDTH, HEIGHT = 800, 600


@dataclass(frozen=True)
class Compositor:
    command: list[str]
    socket: str
    version: list[str]
    environment: dict[str, str] = field(default_factory=dict)


def _weston(renderer: str) -> Compositor:
    return Compositor(
        ["weston", "--backend=headless", f"--renderer={renderer}", "--socket=wayland-lab",
         f"--width={WIDTH}", f"--height={HEIGHT}", "--refresh-rate=60000",
         f"--config={_DATA / 'weston.ini'}",
         "--debug"],  # opens the screenshot protocol to every client
        socket="wayland-lab", version=["weston", "--version"])


COMPOSITORS = {
    "weston": _weston("gl"),
    "weston-vulkan": _weston("vulkan"),
    "sway": Compositor(
        ["sway", "--config", str(_DATA / "sway.conf")],
        socket="wayland-1",  # sway takes the first free name, counting from 1
        version=["sway", "--version"],
        environment={"WLR_BACKENDS": "headless", "WLR_RENDERER": "gles2",
                     "WLR_RENDERER_ALLOW_SOFTWARE": "1", "WLR_LIBINPUT_NO_DEVICES": "1",
                     "WLR_RENDER_DRM_DEVICE": "/dev/dri/renderD128"}),
    "kwin": Compositor(
        ["kwin_wayland", "--virtual", "--width", str(WIDTH), "--height", str(HEIGHT),
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
