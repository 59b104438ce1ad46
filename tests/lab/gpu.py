# SPDX-License-Identifier: MIT
"""GPUs for guests on stock kernels.

`venus` is Mesa's Vulkan driver for virtio-gpu, in the guest. The commands go to virglrenderer in
QEMU, which executes them with lavapipe. So no machine needs a GPU. The guest has what lavapipe
alone cannot give: fences of a kernel driver (virtio_gpu) that stay pending while the work runs, and
Mesa's own swapchains on dma-bufs. OpenGL in the guest is virgl, on the same device.

QEMU runs in a root of its own, since it needs the newest Mesa on its side, too.
"""

from dataclasses import dataclass
from pathlib import Path

from . import artefact, rootfs, sandbox
from .host import run_logged
from .paths import DATA
from .say import Ticker, choose

NONE = "none"
VENUS = "venus"
# What is used with a GPU unless something else is named.
KERNEL = "debian-newest"
COMPOSITORS = ("weston-vulkan", "sway", "kwin")

_PACKAGES = ("qemu-system-x86 qemu-system-modules-opengl qemu-system-gui libvirglrenderer1 "
             "virgl-server xvfb libegl1 libegl-mesa0 libgl1-mesa-dri libglx-mesa0 "
             "mesa-vulkan-drivers")
_SOURCE = DATA / "gpu" / "udmabuf.c"
_SCRIPT = DATA / "gpu" / "qemu.sh"
_COMPILE = ["cc", "-std=gnu11", "-D_GNU_SOURCE", "-Wall", "-Werror", "-O2", "-shared", "-fPIC",
            "-o", "/lab/made/udmabuf.so", "/lab/source/udmabuf.c"]


@dataclass(frozen=True)
class Gpu:
    """What a GPU changes for a guest."""

    description: str
    qemu: tuple[str, ...]       # options
    environment: dict[str, str]  # of the guest's session


# The guest's memory is shared with virglrenderer (blob resources). SDL is a display with OpenGL
# that needs no render node on this machine.
_GPUS = {VENUS: Gpu(
    "Mesa's Venus on virtio-gpu, executed by lavapipe",
    ("-display", "sdl,gl=on", "-object", "memory-backend-memfd,id=memory,size={memory}M,share=on",
     "-machine", "q35,memory-backend=memory",
     "-device", "virtio-gpu-gl-pci,hostmem=1G,blob=on,venus=on"),
    {"VK_DRIVER_FILES": "/usr/share/vulkan/icd.d/virtio_icd.json",
     # Without this, vkGetSemaphoreFdKHR waits until the work has ended.
     "venus_implicit_fencing": "true"})}
NAMES = tuple(_GPUS)


def find(name: str) -> Gpu | None:
    return choose("GPU", name, _GPUS, NONE)


def ensure() -> Path:
    """The root in which QEMU runs. It is made now if it does not exist."""
    return artefact.make("gpu-root", _root_ingredients(), lambda part: rootfs.bootstrap(
        part, rootfs.SUITE, _PACKAGES.split(), "making the root of QEMU with a GPU"))


def stand_in() -> Path:
    """The folder with udmabuf.so, the stand-in for /dev/udmabuf."""
    root = rootfs.ensure()
    return artefact.make("udmabuf", _stand_in_ingredients(root),
                         lambda part: _compile(part, root))


def outdated() -> list[Path]:
    return [*artefact.others("gpu-root", artefact.path_of("gpu-root", _root_ingredients())),
            *artefact.others("udmabuf", artefact.path_of("udmabuf", _stand_in_ingredients(
                artefact.path_of("root", rootfs.ingredients()))))]


def _root_ingredients() -> dict:
    return {"suite": rootfs.SUITE, "packages": _PACKAGES, "excluded": rootfs.EXCLUDED,
            "apt": rootfs.APT_OPTIONS, "recipe": 1}


def _stand_in_ingredients(root: Path) -> dict:
    return {"root": root.name, "source": _SOURCE.read_text(), "command": _COMPILE}


def _compile(folder: Path, root: Path) -> None:
    ticker = Ticker("building the stand-in for /dev/udmabuf")
    with sandbox.in_use(root):
        box = sandbox.Sandbox(root / "root", writable={"made": folder},
                              readonly={"source": _SOURCE.parent})
        run_logged(box.command(_COMPILE), folder / "build.log", ticker)
    ticker.done()


def parts() -> list[Path]:
    """The folders of this machine that a guest with a GPU uses. They are made now if they do not
    exist."""
    return [ensure(), stand_in()]


class InRoot:
    """Runs QEMU in its root, once. QEMU finds folders of this machine where place() says."""

    def __init__(self):
        self._folders: dict[str, Path] = {}

    def place(self, folder: Path) -> Path:
        """Makes a folder available, writable; returns its path for QEMU."""
        name = str(len(self._folders))
        self._folders[name] = folder
        return Path("/lab") / name

    def command(self, options: list[str]) -> list[str]:
        """QEMU with these options."""
        box = sandbox.Sandbox(ensure() / "root", writable=self._folders,
                              readonly={"stand-in": stand_in(), "script": _SCRIPT.parent})
        return box.command(["/bin/sh", "/lab/script/qemu.sh", *options])
