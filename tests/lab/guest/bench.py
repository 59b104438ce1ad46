# SPDX-License-Identifier: MIT
"""In the guest: runs the programs that $OUT/plan.json lists, one after the other.

Each leaves its output (out, err) and its exit status (status; 124 after a timeout) in
$OUT/runs/NAME. With `trace`, there is also one of:

    whole      trace.txt, the output of strace, of the whole run
    stopped    the same, from the point on at which the program stops itself. Under strace, loading
               the drivers would take many times longer than the frames.
    fences     fences.txt, the kernel's trace events of fences; see tests/lab/fence_trace.py

With `pictures`, that many screenshots are taken while the program runs: picture-NN.png.

If the layer logs another transport than the column's in some run, the later runs of that column
are left out.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from lab import fence_trace, layerlog, syscalls  # noqa: E402  (the path has to be set first)

OUT = Path(os.environ["OUT"])
SCREENSHOT = str(Path(__file__).with_name("screenshot"))
TIMED_OUT = 124
POLL_SECONDS = 0.02


def state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def all_traced(pid: int) -> bool:
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return all("TracerPid:\t0\n" not in (task / "status").read_text() for task in tasks)


def wait_for(condition, deadline: float) -> bool:
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(POLL_SECONDS)
    return False


def attach(process: subprocess.Popen, folder: Path, deadline: float):
    """The process of strace, or None if the program ended before it stopped itself."""
    wait_for(lambda: process.poll() is not None or state(process.pid) == "T", deadline)
    if process.poll() is not None:
        return None
    tracer = subprocess.Popen(["strace", *syscalls.OPTIONS, "-o", str(folder / "trace.txt"),
                               "-p", str(process.pid)], stdin=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL)
    wait_for(lambda: tracer.poll() is not None or all_traced(process.pid), deadline)
    process.send_signal(signal.SIGCONT)
    return tracer


def take_pictures(process: subprocess.Popen, count: int, folder: Path, deadline: float) -> None:
    """Takes them as fast as the compositor answers, until the program has ended or the deadline."""
    number = 0
    while number < count and process.poll() is None and time.monotonic() < deadline:
        path = folder / f"picture-{number:02}.png"
        taken = False
        with contextlib.suppress(subprocess.TimeoutExpired):
            taken = subprocess.run([SCREENSHOT, str(path)], check=False, stdin=subprocess.DEVNULL,
                                   timeout=max(0.1, deadline - time.monotonic())).returncode == 0
        # After the program's end, the picture may be of the time after it.
        if not taken or process.poll() is not None:
            path.unlink(missing_ok=True)
        number += 1


def run(entry: dict, folder: Path) -> int:
    if entry["trace"] == "fences":
        with fence_trace.recording(folder / "fences.txt"):
            return run_program(entry, folder)
    return run_program(entry, folder)


def run_program(entry: dict, folder: Path) -> int:
    deadline = time.monotonic() + entry["timeout"]
    argv = entry["argv"]
    if entry["trace"] == "whole":
        argv = ["strace", *syscalls.OPTIONS, "-o", str(folder / "trace.txt"), *argv]
    with (folder / "out").open("wb") as out, (folder / "err").open("wb") as err:
        process = subprocess.Popen(argv, env=os.environ | entry["env"], stdin=subprocess.DEVNULL,
                                   stdout=out, stderr=err, start_new_session=True)
        tracer = attach(process, folder, deadline) if entry["trace"] == "stopped" else None
        take_pictures(process, entry["pictures"], folder, deadline)
        try:
            status = process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            status = TIMED_OUT
        if tracer is not None:
            tracer.wait()
    return status


def is_refused(entry: dict, folder: Path) -> bool:
    opened = layerlog.opened((folder / "err").read_text(errors="replace"))
    return any(swapchain.fields.get("transport") != entry["column"] for swapchain in opened)


def main() -> None:
    refused = set()
    entries = json.loads((OUT / "plan.json").read_text())["runs"]
    for number, entry in enumerate(entries, 1):
        if entry["column"] in refused:
            continue
        print(f"{number}/{len(entries)} {entry['name']}", flush=True)
        folder = OUT / "runs" / entry["name"]
        folder.mkdir(parents=True)
        status = run(entry, folder)
        (folder / "status").write_text(f"{status}\n")
        if entry["proves_column"] and is_refused(entry, folder):
            refused.add(entry["column"])


main()
