# SPDX-License-Identifier: MIT
"""Programs of other projects, as Debian has them: with the layer they do what they do without it.

Each runs natively and through the layer, and has to end in the same way, to show the same, and to
print nothing that it does not print natively. One guest for each compositor runs all programs, by
tests/lab/guest/programs.py. Their packages are an overlay on the root, which the first run
downloads.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from .. import build, compositors, guest, layerlog, packages, png
from ..paths import SOURCE_IN_ROOT
from ..say import LabError
from .outcome import Outcome

PACKAGES = ("mpv", "gtk-4-examples", "libglib2.0-bin", "libsdl3-tests", "mesa-utils",
            "glmark2-es2-wayland", "vkmark/sid")  # forky has no vkmark
COMPOSITORS = ("weston", "sway", "kwin")
# gtk4-widget-factory is as wide as the output, but needs 1350 pixels. On a narrower output, its
# size varies from run to run, natively as well.
_OUTPUT = compositors.Size(1600, 1000)
_TIMEOUT_SECONDS = 1800
_WITHOUT_FIFO_V1 = ("sway",)

_SIGTERM: tuple[str, ...] = ()
_KILLED_BY_SIGTERM = -15
_MPV_QUIT = 4  # mpv's exit status after a signal


@dataclass(frozen=True)
class Program:
    name: str
    command: tuple[str, ...]
    present_mode: str = "fifo"
    mode_without_fifo_v1: str | None = None  # if that is another one
    quit: tuple[str, ...] | None = None  # a command, or _SIGTERM; None: it ends by itself
    status: int = 0
    environment: dict[str, str] = field(default_factory=dict)
    # A program that stands still shows the same pixels, except for rounding: natively, some colours
    # of mpv differ by 1 from run to run. Pictures of the others have the same colours to at least
    # this share.
    still: bool = False
    alike: float = 0.5
    # It presents rectangles, and the layer's commits have to damage no more.
    damage: bool = False
    fails_on: tuple[str, ...] = ()  # compositors on which it does not work natively

    def mode_on(self, compositor: str) -> str:
        other = self.mode_without_fifo_v1 if compositor in _WITHOUT_FIFO_V1 else None
        return other or self.present_mode


_ZINK = {"MESA_LOADER_DRIVER_OVERRIDE": "zink",
         # It crashes if no device is on a PCI bus, and Zink ignores NODEVICE_SELECT.
         "VK_LOADER_LAYERS_DISABLE": "VK_LAYER_MESA_device_select"}
# gtk4-widget-factory has no name on the bus. The other clients refuse the call.
_QUIT_GTK = """
bus=org.freedesktop.DBus
for name in $(gdbus call --session --dest $bus --object-path /org/freedesktop/DBus \
    --method $bus.ListNames | grep -o ':[0-9]*[.][0-9]*'); do
    gdbus call --session --timeout 5 --dest $name --object-path /org/gtk/WidgetFactory4 \
        --method org.gtk.Actions.Activate quit '[]' '{}' >/dev/null 2>&1
done
"""
_SDL = "/usr/libexec/installed-tests/SDL3"
# Its last picture stays, and shows the number 2.
_VIDEO = ("mpv", "--no-config", "--quiet", "--vo=gpu-next", "--gpu-api=vulkan",
          "--gpu-sw=yes", "--keep-open=always", "--ytdl=no", "--geometry=640x480",
          "--no-osc", "--no-input-default-bindings",
          # Its hook sometimes complains about a quick end.
          "--load-auto-profiles=no",
          "av://lavfi:testsrc=size=320x240:rate=30:duration=3")

PROGRAMS = (
    Program("vkcube", ("vkcube", "--wsi", "wayland", "--c", "200")),
    Program("vkcubepp", ("vkcubepp", "--wsi", "wayland", "--c", "200")),
    # mpv waits for frame callbacks itself, and chooses FIFO only with fifo-v1.
    Program("mpv", _VIDEO, "fifo", "mailbox", quit=_SIGTERM, status=_MPV_QUIT, still=True),
    Program("mpv-resample", (*_VIDEO[:-1], "--video-sync=display-resample", _VIDEO[-1]),
            "fifo", "mailbox", quit=_SIGTERM, status=_MPV_QUIT, still=True),
    Program("gtk4-widget-factory", ("gtk4-widget-factory",), "mailbox",
            # With GStreamer, the window's size varies, and the program sometimes hangs at its end,
            # natively as well.
            environment={"GSK_RENDERER": "vulkan", "GTK_MEDIA": "none"}, alike=0.9, damage=True,
            quit=("sh", "-c", _QUIT_GTK)),
    Program("testgpu_spinning_cube", (f"{_SDL}/testgpu_spinning_cube",), quit=_SIGTERM,
            environment={"SDL_VIDEO_DRIVER": "wayland", "SDL_GPU_DRIVER": "vulkan"}),
    # Mesa's EGL waits for frame callbacks itself, and Zink presents without another wait.
    # On sway it crashes, on Mesa's other drivers as well.
    Program("es2gears_wayland", ("es2gears_wayland",), "mailbox", quit=_SIGTERM,
            status=_KILLED_BY_SIGTERM, environment=_ZINK, fails_on=("sway",)),
    Program("glmark2-es2-wayland",
            ("glmark2-es2-wayland", "-s", "400x300", "-b", "build:duration=6"), "mailbox",
            environment=_ZINK),
    # Which format it prefers depends on the order of the surface's formats, by a comparison that is
    # no order (select_surface_format()).
    Program("vkmark", ("vkmark", "--winsys", "wayland", "-s", "400x300", "--pixel-format",
                       "B8G8R8A8Srgb", "-b", "cube:duration=6"), "mailbox"),
)
_CHAINS = ("native", "layer")
# Its output has the client's requests, and so it is a run of its own.
_TRACED = "traced"
# GTK draws all of each image the first time.
_TRACED_COMMITS = 20


def run(out: Path) -> Outcome:
    built = build.ensure()
    outcome = Outcome()
    with packages.layers(list(PACKAGES)) as layers:
        for compositor in COMPOSITORS:
            folder = out / compositor
            try:
                _run_programs(compositor, built, layers, folder)
            except LabError as error:
                outcome.check(compositor, False, str(error))
                continue
            for program in _programs_on(compositor):
                for what, problems in _checks(folder, program, program.mode_on(compositor)):
                    outcome.check(f"{compositor}: {program.name} {what}", not problems,
                                  "; ".join(problems))
    return outcome


def _run_programs(compositor: str, built: Path, layers: list[Path], out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    for old in [*out.glob("*.json"), *out.glob("*.log"), *out.glob("*.png")]:
        old.unlink()
    (out / "plan.json").write_text(json.dumps(
        [_plan(program, chain) for program in _programs_on(compositor)
         for chain in _chains(program)], indent=2))
    request = guest.Request(
        argv=["python3", "-I", str(SOURCE_IN_ROOT / "tests/lab/guest/programs.py")],
        compositor=compositor, output=_OUTPUT, layers=layers, out=out, build=built,
        timeout=_TIMEOUT_SECONDS)
    with (out / "script.log").open("wb") as log:
        status = guest.run(request, log.write, log.write)
    if status != 0 or request.problems:
        raise LabError(f"programs.py ended with status {status}; see script.log; "
                       f"{'; '.join(request.problems)}")


def _programs_on(compositor: str) -> list[Program]:
    return [program for program in PROGRAMS if compositor not in program.fails_on]


def _chains(program: Program) -> tuple[str, ...]:
    return (*_CHAINS, _TRACED) if program.damage else _CHAINS


def _plan(program: Program, chain: str) -> dict:
    debug = {"WAYLAND_DEBUG": "client"} if chain == _TRACED else {}
    return {"name": f"{program.name}-{chain}", "command": program.command,
            "environment": program.environment | debug, "layer": chain != "native",
            "still": program.still, "quit": program.quit,
            "commits": _TRACED_COMMITS if chain == _TRACED else 0}


def _checks(out: Path, program: Program, mode: str) -> Iterator[tuple[str, list[str]]]:
    """The name of each check, and what is wrong."""
    logs = {}
    for chain in _chains(program):
        facts_file, log_file = (out / f"{program.name}-{chain}.{kind}" for kind in ("json", "log"))
        if not facts_file.exists():
            yield f"({chain}) runs", ["it did not run"]
            return
        logs[chain] = log_file.read_text(errors="replace")
        yield f"({chain}) runs", _run_problems(json.loads(facts_file.read_text()), program)
    yield "(native) uses the driver's swapchains", (
        ["the layer opened a swapchain"] if layerlog.opened(logs["native"]) else [])
    yield "(layer) presents by the layer", _log_problems(logs["layer"], program, mode)
    yield "prints the same with the layer", new_lines(logs["native"], logs["layer"])
    yield "shows the same with the layer", _picture_problems(out, program)
    if program.damage:
        yield "damages less than its window", (
            [] if partial_commits(logs[_TRACED]) else ["every commit damages all of it"])


def _run_problems(facts: dict, program: Program) -> list[str]:
    problems = []
    if facts["status"] != program.status:
        problems.append(f"it ended with status {facts['status']}")
    if not facts["picture"]:
        problems.append("its window was not to be seen")
    if not facts["alone"]:
        problems.append("the window of an earlier program was still there")
    return problems


def _log_problems(log: str, program: Program, mode: str) -> list[str]:
    opened, closed = layerlog.opened(log), layerlog.closed(log)
    if not opened:
        return ["the layer opened no swapchain"]
    problems = []
    modes = {swapchain.fields.get("present_mode") for swapchain in opened}
    if modes != {mode}:
        problems.append(f"present modes {modes} instead of {mode}")
    if program.status != _KILLED_BY_SIGTERM:
        if len(closed) != len(opened):
            problems.append(f"{len(opened)} swapchains opened, {len(closed)} closed")
        if not any(swapchain.presented for swapchain in closed):
            problems.append("no frame was presented")
    return problems


_LAYER_LINE = re.compile(r"^fencebridge: (info|debug): ")
_TIME_LINE = re.compile(r"\(slow!\)$")  # libplacebo's, about everything that takes 100 ms
_VARIABLE = re.compile(r"\x1b\[[0-9;]*m|0x[0-9a-fA-F]+|\d+(\.\d+)?")


def new_lines(native: str, layer: str) -> list[str]:
    """The lines that only the run with the layer has. Numbers are left out, since they are times,
    addresses and rates, and so are lines about times. The layer's own warnings are new lines,
    too."""
    known = {_VARIABLE.sub("", line).strip() for line in native.splitlines()}
    new = (line.strip() for line in layer.splitlines()
           if not _LAYER_LINE.match(line) and not _TIME_LINE.search(line))
    return list(dict.fromkeys(line for line in new
                              if _VARIABLE.sub("", line).strip() not in known))


_REQUEST = re.compile(
    r"wl_surface[@#](?P<surface>\d+)\.(?P<request>damage_buffer|damage|commit)"
    r"\((?P<arguments>.*)\)")


def partial_commits(text: str) -> int:
    """Of the output with WAYLAND_DEBUG: the number of commits that damage some of the surface of
    a swapchain, and not all. The program has one window."""
    size = 0
    damaged: Counter[str] = Counter()
    count = 0
    for line in text.splitlines():
        if isinstance(event := layerlog.parse(line), layerlog.Opened):
            size = event.width * event.height
        elif match := _REQUEST.search(line):
            surface = match["surface"]
            if match["request"] != "commit":
                _, _, width, height = map(int, match["arguments"].split(","))
                damaged[surface] += width * height
            else:
                count += 0 < damaged.pop(surface, 0) < size
    return count


def _picture_problems(out: Path, program: Program) -> list[str]:
    background = png.read(out / "background.png")
    windows = {}
    for chain in _CHAINS:
        path = out / f"{program.name}-{chain}.png"
        shown = path.exists() and png.difference(background, png.read(path))
        if not shown:
            return [f"the {chain} run shows no window"]
        windows[chain] = png.read(path).crop(*shown)
    native, layer = windows.values()
    sizes = [f"{window.width}x{window.height}" for window in (native, layer)]
    if sizes[0] != sizes[1]:
        return [f"a window of {sizes[1]} pixels instead of {sizes[0]}"]
    if program.still and (most := png.largest_difference(native, layer)) > 1:
        return [f"colours differ from the native run's by up to {most}"]
    if (share := png.common_colours(native, layer)) < program.alike:
        return [f"the share of the native run's colours is {share:.2f}"]
    return []
