# SPDX-License-Identifier: MIT
"""User Mode Linux: a kernel that is an ordinary process of the host."""

import os
import random
import tempfile
from pathlib import Path

from . import kernel, rootfs
from .boot import Boot, Builder
from .gpu import Gpu
from .sandbox import Sandbox

MEMORY_MIB = 4096


class UserModeLinux:
    console = "/dev/tty1"
    stdin_line = "/dev/ttyS0"
    gpus = ()
    processors = 1
    pace = "as User Mode Linux on one processor, where a system call takes some 7 microseconds"

    def __init__(self, flavour: kernel.Flavour, description: str):
        self.flavour = flavour
        self.description = description

    def ensure(self) -> Path:
        return kernel.ensure(self.flavour)

    def release(self, folder: Path) -> str:
        return kernel.release(folder)

    def modules(self, _with_gpu: Gpu | None) -> list[str]:
        return []  # all drivers are built in

    def layers(self, _folder: Path) -> list[Path]:
        return []

    def boot(self, folder: Path, boot_folder: Path, stdin_fd: int | None,
             terminal: bool, with_gpu: Gpu | None) -> Boot:
        assert with_gpu is None
        # A console without a descriptor must be null, since its default is a pseudo-terminal.
        consoles = ["con0=null,fd:2", "con1=fd:0,fd:1" if terminal else "con1=null", "con=null"]
        if stdin_fd is not None:
            consoles.append(f"ssl0=fd:{stdin_fd},null")
        # The kernel and its programs are processes of the host that take turns. They are two to
        # three times as fast on one processor as on several, where each turn wakes another
        # processor. The processor is chosen at random, since other labs may run guests, too.
        processor = random.choice([*os.sched_getaffinity(0)])
        command = ["taskset", "--cpu-list", str(processor),
                   str(folder / "linux"), f"mem={MEMORY_MIB}M",
                   # seccomp is much faster than ptrace, but not all hosts allow it.
                   "seccomp=auto",
                   "root=/dev/root", "rootfstype=hostfs", f"rootflags={boot_folder}/root", "ro",
                   "init=/sbin/lab-init", f"lab_boot={boot_folder}",
                   *consoles, "ssl=null", "loglevel=5", "panic=-1"]
        return Boot(command, {"TMPDIR": str(_memory_folder())},
                    [stdin_fd] if stdin_fd is not None else [])

    def builder(self, folder: Path) -> Builder:
        root = rootfs.ensure()
        return Builder(folder, root, self.release(folder),
                       Sandbox(root / "root", readonly={"kernel": folder}),
                       ["make", "ARCH=um", "-C", "/lab/kernel/tree"])


def _memory_folder() -> Path:
    """A folder for the file of the guest's memory, which is sparse: in memory if there is room."""
    for folder in ("/dev/shm", os.environ.get("XDG_RUNTIME_DIR", ""), "/tmp"):
        if not folder or not os.access(folder, os.W_OK | os.X_OK):
            continue
        space = os.statvfs(folder)
        if space.f_flag & os.ST_NOEXEC:  # User Mode Linux maps its memory as executable
            continue
        # The tests use less than a third of the memory. In containers, /dev/shm has often 64 MiB.
        if space.f_bavail * space.f_frsize > MEMORY_MIB * 1024 * 1024 // 2:
            return Path(folder)
    return Path(tempfile.gettempdir())
