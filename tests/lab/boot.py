# SPDX-License-Identifier: MIT
"""The interface of a kernel of the lab: how to boot it, and how to build modules for it."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from .gpu import Gpu
from .sandbox import Sandbox


@dataclass
class Boot:
    """A command on the host, its environment, and the file descriptors that it inherits."""

    command: list[str]
    environment: dict[str, str] = field(default_factory=dict)
    fds: list[int] = field(default_factory=list)
    stdin: int | None = None  # the descriptor of its standard input, without a terminal


@dataclass
class Builder:
    """Builds modules: the command `make` with M=FOLDER added, run in the box."""

    kernel: Path  # the folders of the two artefacts that a build uses
    root: Path
    release: str  # the output of `uname -r` on the kernel
    box: Sandbox
    make: list[str]


class Kernel(Protocol):
    """A kernel of the lab. The argument `folder` is always what ensure() returned."""

    description: str
    console: str              # the guest's device for a terminal
    stdin_line: str           # a pattern for the guest's device from which standard input is read
    gpus: tuple[str, ...]     # the GPUs that a guest can have; see gpu.py
    processors: int
    pace: str                 # why times on this kernel differ from those on a real machine

    def ensure(self) -> Path:
        """The artefact's folder. It is built now if it does not exist."""

    def release(self, folder: Path) -> str:
        """The output of `uname -r`."""

    def modules(self, with_gpu: Gpu | None) -> list[str]:
        """The modules to load before anything else."""

    def layers(self, folder: Path) -> list[Path]:
        """The folders of overlays that the kernel adds to the root."""

    def boot(self, folder: Path, boot_folder: Path, stdin_fd: int | None, terminal: bool,
             with_gpu: Gpu | None) -> Boot:
        """boot_folder has a link `root` and all files that the guest's init.sh reads."""

    def builder(self, folder: Path) -> Builder:
        """Builds modules for the kernel. The toolchain is created now if it does not exist."""
