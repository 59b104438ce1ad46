# SPDX-License-Identifier: MIT
"""Running one command in the guest, as if it were a child process.

This is the host's side of tests/lab/guest/init.sh, which lists the files that both exchange.
"""

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import termios
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Callable

from . import build, compositors, gpu, guest_modules, host, kernels, kmod, rootfs, sandbox
from .boot import Kernel
from .paths import BUILD_IN_ROOT, LAB, OUT_IN_ROOT, SOURCE, SOURCE_IN_ROOT
from .say import LabError, note

LAYER = "VK_LAYER_FENCEBRIDGE_wsi"
MASK_LAYER = "VK_LAYER_FENCEBRIDGE_test_mask"
TIMED_OUT = 124  # the exit status, as in timeout(1)

_POLL_SECONDS = 0.02
_POWER_OFF_SECONDS = 5.0


@dataclass
class Request:
    """A command, and the guest to run it in. Most fields are named after options of `lab run`."""

    argv: list[str]
    compositor: str = "weston"
    kernel: str = "uml"
    root: Path | None = None  # an artefact whose root/ is the guest's root, instead of rootfs.py's
    layer: bool = True
    sync: str | None = None
    mask: str = ""  # what the driver seems to lack, in the form of FENCEBRIDGE_TEST_MASK
    layers: list[Path] = field(default_factory=list)  # overlays on the root; see packages.py
    env: dict[str, str] = field(default_factory=dict)
    mounts: list[tuple[Path, str]] = field(default_factory=list)
    out: Path | None = None
    logs: Path | None = None  # by default, logs/ in out
    build: Path | None = None
    timeout: float | None = None
    terminal: bool = False
    output: compositors.Size = compositors.OUTPUT
    module: bool = False  # fencebridge.ko is loaded, as with sync="module"
    gpu: str = gpu.NONE   # see gpu.py
    udmabuf: bool = True  # on kernels without udmabuf, the lab's own module is loaded
    # run() adds what went wrong beside the command's own status: the compositor's end.
    problems: list[str] = field(default_factory=list)


class TimedOut(LabError):
    pass


Sink = Callable[[bytes], object]


def run(request: Request, stdout: Sink, stderr: Sink, stdin: BinaryIO | None = None) -> int:
    """Runs the command; returns its exit status. Raises LabError if the command could not be run,
    and TimedOut if it took too long."""
    kernel, with_gpu = check(request.kernel, request.compositor, request.gpu)
    root = request.root or rootfs.ensure()
    kernel_folder = kernel.ensure()
    modules = _modules(request)
    with contextlib.ExitStack() as stack:
        stack.enter_context(sandbox.in_use(root))
        stack.enter_context(sandbox.in_use(kernel_folder))
        for part in gpu.parts() if with_gpu else []:
            stack.enter_context(sandbox.in_use(part))
        if request.build:
            stack.enter_context(build.in_use(request.build))
        folder = Path(stack.enter_context(_boot_folder()))
        logs = _fill(folder, request, root, kernel, kernel_folder, stdin is not None)
        (folder / "modules").mkdir()
        for number, module in enumerate(modules):
            shutil.copy(module, folder / "modules" / f"{number}-{module.name}")
        read_end, write_end = _line(stack, stdin)
        boot = kernel.boot(kernel_folder, folder, read_end, request.terminal, with_gpu)
        if request.terminal:
            stack.enter_context(_terminal_restored())
        (logs / "kernel.log").unlink(missing_ok=True)
        # Several processes may write to the log: each appends to it.
        with (logs / "kernel.log").open("ab") as kernel_log:
            process = subprocess.Popen(
                boot.command, env=os.environ | boot.environment, pass_fds=boot.fds,
                stdin=None if request.terminal else boot.stdin or subprocess.DEVNULL,
                stdout=None if request.terminal else kernel_log, stderr=kernel_log,
                start_new_session=not request.terminal, preexec_fn=host.die_with_parent)
            try:
                if stdin is not None:
                    threading.Thread(target=_feed, args=(stdin, write_end, folder),
                                     daemon=True).start()
                return _follow(process, request, folder, logs, stdout, stderr)
            finally:
                _kill(process, request.terminal)


def check(kernel: str, compositor: str, with_gpu: str) -> tuple[Kernel, gpu.Gpu | None]:
    """Finds the parts of a guest by their names. Raises LabError if there is no such guest."""
    found = kernels.find(kernel)
    compositors.find(compositor)
    found_gpu = gpu.find(with_gpu)
    if found_gpu and with_gpu not in found.gpus:
        able = [name for name, other in kernels.KERNELS.items() if with_gpu in other.gpus]
        raise LabError(f"a guest on {kernel} cannot have the GPU {with_gpu}; "
                       f"it needs one of: {', '.join(able)}")
    return found, found_gpu


def _modules(request: Request) -> list[Path]:
    """The modules to load, in that order."""
    modules = []
    if request.compositor != compositors.NONE and request.gpu == gpu.NONE:
        modules += guest_modules.render_node(request.kernel, udmabuf=request.udmabuf)
    if request.module or request.sync == "module":
        modules.append(kmod.ensure(request.kernel) / f"{kmod.NAME}.ko")
    return modules


def _boot_folder() -> tempfile.TemporaryDirectory:
    # Options of hostfs and the kernel's command line cannot have a space in a path.
    where = None if " " not in tempfile.gettempdir() else "/tmp"
    return tempfile.TemporaryDirectory(prefix="fencebridge-lab-", dir=where,
                                       ignore_cleanup_errors=True)


def _fill(folder: Path, request: Request, root: Path, kernel: Kernel, kernel_folder: Path,
          piped: bool) -> Path:
    """Writes the files that init.sh reads; returns the host's folder for the logs."""
    logs = request.logs or (request.out or folder) / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    (folder / "root").symlink_to(root / "root")
    (folder / "layers").mkdir()
    for number, layer in enumerate([*kernel.layers(kernel_folder), *request.layers]):
        (folder / "layers" / str(number)).symlink_to(layer)
    shares = [(SOURCE, "ro", str(SOURCE_IN_ROOT)), (logs.resolve(), "rw", "/lab/logs")]
    if request.build:
        shares.append((request.build, "rw", str(BUILD_IN_ROOT)))
    if request.out:
        shares.append((request.out.resolve(), "rw", str(OUT_IN_ROOT)))
    shares += [(path, "rw", point) for path, point in request.mounts]
    (folder / "m").mkdir()
    with (folder / "mounts").open("w", encoding="utf-8") as mounts:
        for number, (path, access, point) in enumerate(shares):
            (folder / "m" / str(number)).symlink_to(path)
            mounts.write(f"{number} {access} {point}\n")
    _fill_programs(folder, request, kernel, piped)
    return logs


def _fill_programs(folder: Path, request: Request, kernel: Kernel, piped: bool) -> None:
    with_gpu = gpu.find(request.gpu)
    for name in ("init.sh", "stdin.py"):
        shutil.copy(LAB / "guest" / name, folder / name)
    session = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
               "HOME": "/root", "USER": "root", "LANG": "C.UTF-8", "SHELL": "/bin/bash",
               "XDG_RUNTIME_DIR": "/run/user/0",
               "DBUS_SESSION_BUS_ADDRESS": "unix:path=/run/user/0/bus",
               **(with_gpu.environment if with_gpu else {"LIBGL_ALWAYS_SOFTWARE": "1"}),
               # Mesa's device-select layer crashes if no device is on a PCI bus.
               "NODEVICE_SELECT": "1"}
    size = shutil.get_terminal_size()
    settings = session | {
        "compositor": request.compositor, "wayland_socket": "",
        # In the form in which wayland-info prints it.
        "output_mode": f"width: {request.output.width} px, height: {request.output.height} px",
        "terminal": "yes" if request.terminal else "no", "stdin": "yes" if piped else "no",
        "stdin_line": kernel.stdin_line, "console": kernel.console,
        "modules": " ".join(kernel.modules(with_gpu)),
        "rows": str(size.lines), "columns": str(size.columns)}
    compositor = compositors.find(request.compositor)
    if compositor:
        settings["wayland_socket"] = compositor.socket
        _script(folder / "compositor.sh", session | compositor.environment, "/root",
                compositor.command_for(request.output))
    exported = "\n".join(f"export {name}" for name in session)
    (folder / "settings").write_text(
        "\n".join(f"{name}={shlex.quote(value)}" for name, value in settings.items())
        + f"\n{exported}\n")
    _script(folder / "command.sh", session | _command_environment(request, compositor),
            str(SOURCE_IN_ROOT), request.argv)
    for stream in ("stdout", "stderr"):
        (folder / stream).touch()


def _command_environment(request: Request, compositor: compositors.Compositor | None) -> dict:
    variables = {"LAB_COMPOSITOR": request.compositor, "TERM": os.environ.get("TERM", "dumb")}
    if compositor:
        variables |= {"WAYLAND_DISPLAY": compositor.socket, "XDG_SESSION_TYPE": "wayland"}
    if request.out:
        variables["OUT"] = str(OUT_IN_ROOT)
    if request.build:
        layers = [LAYER] if request.layer else []
        folders = [f"{BUILD_IN_ROOT}/json"]
        if request.mask:
            # The first layer is the one next to the application.
            layers.append(MASK_LAYER)
            folders.append(f"{BUILD_IN_ROOT}/tests/mask")
            variables["FENCEBRIDGE_TEST_MASK"] = request.mask
        variables |= {"BUILD": str(BUILD_IN_ROOT), "VK_ADD_LAYER_PATH": ":".join(folders)}
        if layers:
            variables["VK_INSTANCE_LAYERS"] = ":".join(layers)
    if request.sync:
        variables["FENCEBRIDGE_SYNC"] = request.sync
    return variables | request.env


def _script(path: Path, environment: dict[str, str], cwd: str, argv: list[str]) -> None:
    lines = [f"export {name}={shlex.quote(value)}" for name, value in environment.items()]
    path.write_text("\n".join([*lines, f"cd {cwd}", f"exec {shlex.join(argv)}"]) + "\n")


def _line(stack: contextlib.ExitStack, stdin: BinaryIO | None) -> tuple[int | None, int]:
    if stdin is None:
        return None, -1
    read_end, write_end = os.pipe()
    stack.callback(os.close, read_end)
    # The write end is not closed here, since the feeding thread may still use it.
    return read_end, write_end


def _feed(stdin: BinaryIO, line: int, folder: Path) -> None:
    """Sends standard input in the frames that tests/lab/guest/stdin.py reads."""
    while not (folder / "stdin-ready").exists():
        if not folder.exists():
            return
        time.sleep(_POLL_SECONDS)
    # The guest closes its end when the command ends, which need not have read all input.
    with contextlib.suppress(OSError):
        while data := os.read(stdin.fileno(), 4096):
            _write_all(line, len(data).to_bytes(4, "big") + data)
        _write_all(line, bytes(4))


def _write_all(fd: int, data: bytes) -> None:
    while data:
        data = data[os.write(fd, data):]


class _Tail:
    """Passes on the bytes that a growing file has received since the last look."""

    def __init__(self, path: Path, sink: Sink):
        self.file = path.open("rb")
        self.sink = sink

    def look(self) -> None:
        while data := self.file.read(1 << 20):
            self.sink(data)


def _follow(process: subprocess.Popen, request: Request, folder: Path, logs: Path,
            stdout: Sink, stderr: Sink) -> int:
    tails = [_Tail(folder / "stdout", stdout), _Tail(folder / "stderr", stderr)]
    outcomes = [folder / "status", folder / "failure"]
    deadline = time.monotonic() + request.timeout if request.timeout else None
    ended = None
    while process.poll() is None:
        for tail in tails:
            tail.look()
        now = time.monotonic()
        if ended is None and any(path.exists() for path in outcomes):
            ended = now
        # The outcome is known. A guest that does not power off after that is no error.
        if ended is not None and now - ended > _POWER_OFF_SECONDS:
            note("the guest did not power off, killing it")
            break
        if ended is None and deadline is not None and now > deadline:
            raise TimedOut(f"timed out after {request.timeout:g} s, killed: "
                           f"{shlex.join(request.argv)}")
        time.sleep(_POLL_SECONDS)
    for tail in tails:
        tail.look()
    if (folder / "compositor-ended").exists():
        text = (folder / "compositor-ended").read_text().strip()
        request.problems.append(f"{text}; the end of compositor.log:\n"
                                f"{host.tail(logs / 'compositor.log')}")
        note(request.problems[-1])
    if (folder / "status").exists():
        return int((folder / "status").read_text())
    raise LabError(_why_not(folder, logs, request))


def _why_not(folder: Path, logs: Path, request: Request) -> str:
    failure = folder / "failure"
    reason = failure.read_text().strip() if failure.exists() else "the guest's kernel stopped"
    log = logs / "kernel.log"
    if failure.exists() and reason.startswith(request.compositor):
        log = logs / "compositor.log"
    return f"{reason}; the end of {log.name}:\n{host.tail(log)}"


def _kill(process: subprocess.Popen, terminal: bool) -> None:
    if terminal:
        process.send_signal(signal.SIGKILL)
        process.wait()
    else:
        host.kill_group(process)


@contextlib.contextmanager
def _terminal_restored():
    """Context: restores the terminal at the end. User Mode Linux and QEMU put the terminal into raw
    mode, and leave it in that mode if they are killed."""
    fd = sys.stdin.fileno()
    saved = termios.tcgetattr(fd)
    try:
        yield
    finally:
        termios.tcsetattr(fd, termios.TCSADRAIN, saved)
