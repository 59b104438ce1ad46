# SPDX-License-Identifier: MIT
"""A stock kernel in QEMU without hardware virtualisation, which is slow, but runs anywhere."""

from pathlib import Path

from . import gpu, host, stock, toolchain
from .boot import Boot, Builder
from .sandbox import Sandbox

MEMORY_MIB = 2048
_TOOLS = {"qemu-system-x86_64": "qemu-system-x86"}

# The kernel logs warnings (loglevel=5), which a test of the module looks for. It boots on one
# processor (maxcpus=1); init.sh starts the others, and says why. With tsc=reliable, the kernel does
# not check its clock. Otherwise, when the host stops for a while, the kernel takes the clock for
# unstable and patches its own code.
_KERNEL_LINE = "console=ttyS0 loglevel=5 panic=-1 maxcpus=1 tsc=reliable lab_share=9p"


class StockInQemu:
    console = "/dev/hvc0"
    stdin_line = "/dev/vport*p1"  # vportNp1; N counts the virtio devices of all kinds

    processors = 2
    pace = "translated by QEMU on two processors, where rates vary by about 50 % from run to run"

    def __init__(self, which: stock.Stock, description: str, gpus: tuple[str, ...]):
        self.stock = which
        self.description = description
        self.gpus = gpus

    def ensure(self) -> Path:
        host.need_tools(_TOOLS)
        return stock.ensure(self.stock)

    def release(self, folder: Path) -> str:
        return stock.about(folder).release

    def modules(self, with_gpu: gpu.Gpu | None) -> list[str]:
        # The first module has the first render node: vgem as on the other kernels, or the GPU.
        return [*([] if with_gpu else ["vgem"]), "virtio_gpu", "virtio_console"]

    def layers(self, folder: Path) -> list[Path]:
        return [folder / "layer"]

    def boot(self, folder: Path, boot_folder: Path, stdin_fd: int | None, terminal: bool,
             with_gpu: gpu.Gpu | None) -> Boot:
        stock.write_initramfs(folder, boot_folder / "initramfs")
        runner = gpu.InRoot() if with_gpu else _OnThisMachine()
        devices = with_gpu.qemu if with_gpu else ("-display", "none", "-device", "virtio-gpu-pci")
        # Without AVX: what llvmpipe's code of that kind draws is wrong in this emulation.
        options = ["-accel", "tcg,thread=multi", "-cpu", "max,-avx,-avx2,-fma,-f16c",
                   "-smp", str(self.processors), "-m", str(MEMORY_MIB), "-no-reboot",
                   "-nodefaults", "-no-user-config", "-vga", "none",
                   *(part.format(memory=MEMORY_MIB) for part in devices),
                   "-kernel", str(runner.place(folder) / "vmlinuz"),
                   "-initrd", str(runner.place(boot_folder) / "initramfs"), "-append", _KERNEL_LINE,
                   # The kernel's log goes to standard error, as QEMU's own messages do.
                   "-chardev", "file,id=log,path=/proc/self/fd/2,append=on",
                   "-serial", "chardev:log"]
        if terminal or stdin_fd is not None:
            port = "virtconsole" if terminal else "virtserialport,nr=1"
            options += ["-chardev", "stdio,id=line,signal=off", "-device", "virtio-serial-pci",
                        "-device", f"{port},chardev=line"]
        for tag, path, readonly in _shares(boot_folder):
            options += ["-fsdev", f"local,id={tag},path={_quoted(runner.place(path))},"
                        "security_model=none,"
                        f"multidevs=remap,readonly={'on' if readonly else 'off'}",
                        "-device", f"virtio-9p-pci,fsdev={tag},mount_tag={tag}"]
        return Boot(runner.command(options), stdin=stdin_fd)

    def builder(self, folder: Path) -> Builder:
        about = stock.about(folder)
        root = toolchain.ensure(about)
        headers = folder / "build" / "usr"
        programs, = (headers / "lib").iterdir()
        # Headers refer to each other and to these programs by the paths of their packages.
        (root / "root" / "usr" / "lib" / programs.name).mkdir(exist_ok=True)
        box = Sandbox(root / "root", over={"/usr/src": headers / "src",
                                           f"/usr/lib/{programs.name}": programs})
        return Builder(folder, root, about.release, box,
                       ["make", "-C", f"/usr/src/linux-headers-{about.release}"])


class _OnThisMachine:
    """Runs the QEMU of this machine, as gpu.InRoot runs that of a root."""

    def place(self, folder: Path) -> Path:
        return folder

    def command(self, options: list[str]) -> list[str]:
        return ["qemu-system-x86_64", *options]


def _shares(boot_folder: Path) -> list[tuple[str, Path, bool]]:
    """What the guest mounts: a tag, the folder of the host, and whether it is read-only."""
    shares = [("root", boot_folder / "root", True), ("boot", boot_folder, False)]
    shares += [(f"layers-{link.name}", link, True) for link in (boot_folder / "layers").iterdir()]
    for line in (boot_folder / "mounts").read_text().splitlines():
        name, access, _ = line.split(maxsplit=2)
        shares.append((f"m-{name}", boot_folder / "m" / name, access == "ro"))
    return [(tag, path.resolve(), readonly) for tag, path, readonly in shares]


def _quoted(path: Path) -> str:
    """A value as QEMU's options take it, in which a comma is doubled."""
    return str(path).replace(",", ",,")
