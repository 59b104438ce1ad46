# SPDX-License-Identifier: MIT
"""User Mode Linux: the lab's kernel as an ordinary process of the host."""

import os
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from . import kernel

MEMORY_MIB = 4096


@dataclass
class Boot:
    """How to start a kernel: a host command, its environment, and fds it inherits."""

    command: list[str]
    environment: dict[str, str] = field(default_factory=dict)
    fds: list[int] = field(default_factory=list)


class UserModeLinux:
    description = "User Mode Linux, Debian's newest kernel source"

    def ensure(self) -> Path:
        return kernel.ensure()

    def release(self, folder: Path) -> str:
        return kernel.release(folder)

    def boot(self, folder: Path, boot_folder: Path, stdin_fd: int | None,
             terminal: bool) -> Boot:
        """boot_folder holds root (a link) and everything the guest's init.sh reads."""
        # A channel without an fd of its own must be null: the default is a pseudo-terminal.
        consoles = ["con0=null,fd:2", "con1=fd:0,fd:1" if terminal else "con1=null", "con=null"]
        if stdin_fd is not None:
            consoles.append(f"ssl0=fd:{stdin_fd},null")
        command = [str(folder / "linux"), f"mem={MEMORY_MIB}M",
                   # Much faster than ptrace, where the host allows it.
                   "seccomp=auto",
                   "root=/dev/root", "rootfstype=hostfs", f"rootflags={boot_folder}/root", "ro",
                   "init=/sbin/lab-init", f"lab_boot={boot_folder}",
                   *consoles, "ssl=null", "quiet", "panic=-1"]
        return Boot(command, {"TMPDIR": str(_memory_folder())},
                    [stdin_fd] if stdin_fd is not None else [])


def _memory_folder() -> Path:
    """A tmpfs with room for the guest's memory file, which is sparse; else a folder on disk."""
    for folder in ("/dev/shm", os.environ.get("XDG_RUNTIME_DIR", ""), "/tmp"):
        if not folder or not os.access(folder, os.W_OK | os.X_OK):
            continue
        space = os.statvfs(folder)
        if space.f_flag & os.ST_NOEXEC:  # the kernel maps its memory executable
            continue
        # The tests use less than a third of the memory; an 64 MiB /dev/shm is what containers have.
        if space.f_bavail * space.f_frsize > MEMORY_MIB * 1024 * 1024 // 2:
            return Path(folder)
    return Path(tempfile.gettempdir())


KERNELS = {"uml": UserModeLinux()}
