# SPDX-License-Identifier: MIT
"""What a kernel of the lab offers: how it is started, and how modules are built for it."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from .sandbox import Sandbox


@dataclass
class Boot:
    """A host command, its environment, and fds that it inherits."""

    command: list[str]
    environment: dict[str, str] = field(default_factory=dict)
    fds: list[int] = field(default_factory=list)
    stdin: int | None = None  # an fd to be its standard input; not with a terminal


@dataclass
class Builder:
    """Where modules are built: add M=FOLDER to make, and run it in the box."""

    kernel: Path  # the two artefacts' folders, not to be removed meanwhile
    root: Path
    release: str  # of the kernel, as `uname -r` says it
    box: Sandbox
    make: list[str]


class Kernel(Protocol):
    """One of the lab's kernels; `folder` is always what ensure() gave."""

    description: str
    console: str              # the guest's device for a terminal
    stdin_line: str           # a pattern for the guest's device that standard input arrives at
    modules: tuple[str, ...]  # to be loaded before anything else
    processors: int
    pace: str                 # what of the time that things take is the lab's own

    def ensure(self) -> Path:
        """The artefact's folder, made now when it is not there yet."""

    def release(self, folder: Path) -> str:
        """What `uname -r` says."""

    def layers(self, folder: Path) -> list[Path]:
        """What it adds to the root."""

    def boot(self, folder: Path, boot_folder: Path, stdin_fd: int | None, terminal: bool) -> Boot:
        """boot_folder holds root (a link) and everything the guest's init.sh reads."""

    def builder(self, folder: Path) -> Builder:
        """The toolchain is made now when it is not there yet."""
