# SPDX-License-Identifier: MIT
"""The table of kernels that a guest can run on."""

from pathlib import Path

from . import gpu, kernel, stock, toolchain
from .boot import Kernel
from .qemu import StockInQemu
from .say import LabError
from .stock import Stock
from .uml import UserModeLinux


def _stock(name: str, *suites: str, gpus: tuple[str, ...] = gpu.NAMES) -> dict[str, Kernel]:
    suite = f"of Debian {suites[0]}" if len(suites) == 1 else f"among {', '.join(suites)}"
    return {name: StockInQemu(Stock(name, suites), f"QEMU, the newest stock kernel {suite}",
                               gpus)}


DEFAULT = "uml"
DEBUG = "uml-debug"
KERNELS: dict[str, Kernel] = {
    DEFAULT: UserModeLinux(kernel.PLAIN, "User Mode Linux, Debian's newest kernel source"),
    DEBUG: UserModeLinux(kernel.DEBUG, "the same, which watches memory, locks and leaks"),
    # Before Linux 5.16, virtio_gpu has no context types (VIRTGPU_PARAM_CONTEXT_INIT), which Venus
    # needs.
    **_stock("debian-5.10", "bullseye", gpus=()),
    **_stock("debian-6.1", "bookworm"),
    **_stock("debian-6.12", "trixie"),
    **_stock("debian-newest", "trixie-backports", "forky", "sid"),
}
# For `lab test` and `lab setup` without --all: User Mode Linux, the oldest and the newest kernel.
SHORT = (DEFAULT, "debian-5.10", "debian-newest")
STOCK = [name for name, value in KERNELS.items() if isinstance(value, StockInQemu)]


def find(name: str) -> Kernel:
    try:
        return KERNELS[name]
    except KeyError:
        width = max(map(len, KERNELS))
        known = "\n".join(f"     {key:<{width}} {value.description}"
                          for key, value in KERNELS.items())
        raise LabError(f"no kernel {name!r}; there are:\n{known}") from None


def for_tests(whole: bool) -> list[str]:
    return [name for name in KERNELS if whole or name in SHORT]


def default_for(gpu_name: str) -> str:
    """The kernel to use when none is named."""
    return DEFAULT if gpu_name == gpu.NONE else gpu.KERNEL


def outdated() -> list[Path]:
    """Artefacts of kernels whose ingredients are not those that this lab would use today."""
    return [*kernel.outdated(), *gpu.outdated(),
            *stock.outdated([KERNELS[name].stock for name in STOCK]),
            *toolchain.outdated([about for _, about in stock_there()])]


def stock_there() -> list[tuple[str, stock.About]]:
    """The stock kernels that have been fetched."""
    folders = {name: stock.path_of(KERNELS[name].stock) for name in STOCK}
    return [(name, stock.about(folder)) for name, folder in folders.items() if folder.is_dir()]
