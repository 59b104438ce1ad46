# SPDX-License-Identifier: MIT
"""The machine that the lab runs on: its tools, and child processes that end with the lab."""

import ctypes
import os
import queue
import re
import shutil
import signal
import subprocess
import threading
from pathlib import Path

from .say import LabError, Ticker, say

# Each tool with the Debian package that has it. The package mmdebstrap depends on apt.
TOOLS = {"mmdebstrap": "mmdebstrap", "unshare": "util-linux", "tar": "tar"}


def is_root() -> bool:
    return os.geteuid() == 0


def need_tools(tools: dict[str, str] = TOOLS) -> None:
    """Installs missing tools as root. For other users, raises LabError with the command to run."""
    wanted = dict(tools)
    if tools is TOOLS and not is_root():
        wanted["newuidmap"] = "uidmap"  # for mmdebstrap without root rights
    missing = sorted({package for tool, package in wanted.items() if not shutil.which(tool)})
    if not missing:
        return
    command = ["apt-get", "install", "--yes", "--no-install-recommends", *missing]
    if not shutil.which("apt-get"):
        raise LabError(f"this machine lacks {', '.join(missing)}, and has no apt-get: "
                       "the lab runs on Debian and what derives from it")
    if not is_root():
        raise LabError(f"missing: {', '.join(missing)}\n"
                       f"     install with: sudo {' '.join(command)}")
    say(f"installing {', '.join(missing)}")
    environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    for step in (["apt-get", "update"], command):
        done = subprocess.run(step, env=environment, stdin=subprocess.DEVNULL, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        if done.returncode != 0:
            raise LabError(f"`{' '.join(step)}` failed:\n{tail_of(done.stdout)}")


def mirror() -> str:
    """The URL of the Debian mirror: FENCEBRIDGE_LAB_MIRROR, or the one that apt uses here."""
    chosen = os.environ.get("FENCEBRIDGE_LAB_MIRROR", "")
    if chosen:
        return chosen
    listing = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(RELEASE) $(COMPONENT) $(REPO_URI)",
         "Created-By: Packages"], capture_output=True, text=True, check=False)
    for line in listing.stdout.splitlines():
        release, component, uri = line.split(maxsplit=2)
        # Security and update suites have mirrors of their own, which lack the other suites.
        if component == "main" and "-" not in release:
            return uri
    raise LabError("apt knows no Debian mirror on this machine: "
                   "set FENCEBRIDGE_LAB_MIRROR to the URL of one")


def die_with_parent() -> None:
    """For preexec_fn: the kernel kills the child as soon as the lab is killed."""
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


def alone(command: list[str]) -> list[str]:
    """The command in namespaces of its own, for root: if it is killed, with die_with_parent or
    otherwise, the kernel kills all processes that it has started, and unmounts what they have
    mounted."""
    # The first process of the namespace would have to collect orphans. So that is a shell.
    return ["unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child",
            "sh", "-c", '"$@"; exit $?', "sh", *command]


def kill_group(process: subprocess.Popen) -> None:
    """Kills a process that was started in a session of its own, and its whole process group."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()


def run_logged(command: list[str], log: Path, ticker: Ticker, follow=None, **options) -> None:
    """Runs a command, appends its output to the log, and shows progress on the ticker.

    follow(line) may return a detail of the progress to show. Raises LabError with the end of the
    log if the command fails.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    lines: queue.SimpleQueue = queue.SimpleQueue()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True, errors="replace",
                               start_new_session=True, preexec_fn=die_with_parent, **options)

    def read():
        for line in process.stdout:
            lines.put(line)
        lines.put(None)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    detail = ""
    try:
        with log.open("a") as out:
            while True:
                try:
                    line = lines.get(timeout=1.0)
                except queue.Empty:
                    ticker.tick(detail)
                    continue
                if line is None:
                    break
                out.write(line)
                detail = (follow(line) if follow else None) or detail
                ticker.tick(detail)
        process.wait()
    except BaseException:
        kill_group(process)
        raise
    if process.returncode != 0:
        raise LabError(f"{ticker.what}: failed with status {process.returncode}:"
                       f"\n{_errors(log)}the end of {log.name}:\n{tail(log)}")


def _errors(log: Path) -> str:
    """The errors of compilers. After an error, parallel jobs may log many more lines."""
    lines = [line for line in log.read_text(errors="replace").splitlines()
             if re.search(r"\b(fatal )?error:", line)]
    return "\n".join(f"    {line}" for line in lines[:10]) + "\n" if lines else ""


def tail_of(text: str, lines: int = 25) -> str:
    return "\n".join("    " + line for line in text.splitlines()[-lines:])


def tail(path: Path, lines: int = 25) -> str:
    """The last lines of a log, indented. The log may be missing."""
    try:
        return tail_of(path.read_text(errors="replace"), lines)
    except OSError:
        return f"    (no {path})"
