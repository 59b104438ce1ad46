# SPDX-License-Identifier: MIT
"""The command line of the lab behaves as documented; also runs the tests in tests/lab/selftest/."""

import os
import random
import signal
import subprocess
import sys
import time
import unittest
from pathlib import Path

from .. import compositors, guest, kernels, png
from ..paths import LAB, SOURCE
from .outcome import Outcome

_LAB = str(SOURCE / "lab")
_DEVICES = ["/sys/kernel/debug/sync/sw_sync", "/dev/udmabuf", "/dev/dri/renderD128"]
_ALONE = ["run", "--no-layer", "--compositor", "none", "--timeout", "60"]
STOCK = "debian-5.10"
_SLOW_SECONDS = 300
# One variant of each compositor, and weston-pixman, which draws in a different way.
_SIZED = ("weston", "weston-pixman", "sway", "labwc", "kwin")
_SIZE = compositors.Size(1280, 352)
_PRE_DEPENDS = "sse4.2-support"
_TALK_TO_ITSELF = """
import socket, sys
for family, address, text in ((socket.AF_INET, "127.0.0.1", b"hello"),
                              (socket.AF_INET6, "::1", b"world")):
    with socket.create_server((address, 0), family=family) as server:
        with socket.create_connection(server.getsockname()[:2], timeout=10) as client:
            peer, _ = server.accept()
            peer.sendall(text)
            peer.close()
            sys.stdout.write(client.makefile().read())
"""


def run(out: Path) -> Outcome:
    outcome = Outcome()
    _parts(outcome, out)
    _streams(outcome)
    _status_and_time(outcome)
    _options(outcome, out)
    _packages(outcome)
    _network(outcome, _ALONE)
    _outputs(outcome, out)
    _clean_end(outcome, _ALONE)
    _stock_kernel(outcome, out)
    return outcome


def _parts(outcome: Outcome, out: Path) -> None:
    tests = unittest.defaultTestLoader.discover(str(LAB / "selftest"), pattern="*_test.py",
                                                top_level_dir=str(LAB.parent))
    with (out / "selftest.log").open("w", encoding="utf-8") as log:
        result = unittest.TextTestRunner(stream=log, verbosity=2).run(tests)
    bad = result.failures + result.errors
    outcome.add(Outcome(passed=result.testsRun - len(bad), failed=len(bad),
                        problems=[test.id() for test, _ in bad]))


def _lab(*arguments: str, stdin: bytes | None = None) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, _LAB, *arguments], capture_output=True, check=False,
                          stdin=subprocess.DEVNULL if stdin is None else None, input=stdin)


def _streams(outcome: Outcome) -> None:
    """All bytes pass unchanged in both directions, and no other bytes."""
    noise = random.Random(1).randbytes(3_000_000)
    done = _lab(*_ALONE, "--", "sh", "-c", "cat; printf 'a\\r\\nb' >&2", stdin=noise)
    outcome.check("standard input comes back unchanged from cat", done.stdout == noise,
                  f"{len(done.stdout)} bytes of {len(noise)}")
    outcome.check("standard error is the command's own", done.stderr == b"a\r\nb",
                  f"{done.stderr!r}")


def _status_and_time(outcome: Outcome) -> None:
    done = _lab(*_ALONE, "--", "sh", "-c", "exit 7")
    outcome.check("the exit status is the command's", done.returncode == 7, f"{done.returncode}")
    outcome.check("a silent command has no output",
                  done.stdout + done.stderr == b"", f"{done.stdout + done.stderr!r}")
    done = _lab(*_ALONE, "--", "sh", "-c", "kill -SEGV $$")
    outcome.check("a signal shows as in a shell", done.returncode == 128 + signal.SIGSEGV,
                  f"{done.returncode}")
    start = time.monotonic()
    done = _lab(*_ALONE, "--timeout", "10", "--", "sh", "-c", "echo begun; sleep 1000")
    seconds = time.monotonic() - start
    outcome.check("--timeout ends a command that would go on", done.returncode == guest.TIMED_OUT
                  and seconds < 30, f"status {done.returncode} after {seconds:.0f} s")
    outcome.check("the output of a command before its timeout is not lost",
                  done.stdout == b"begun\n", f"{done.stdout!r}")
    outcome.check("the message says that the command timed out",
                  b"timed out after 10 s" in done.stderr, f"{done.stderr!r}")


def _options(outcome: Outcome, out: Path) -> None:
    share, mine = out / "share", out / "with space"
    for folder in (share, mine):
        folder.mkdir(exist_ok=True)
    (share / "in").write_text("from the host\n")
    script = ('cat /data/in; echo out >/data/out; echo "$WORD" >"$OUT/word"; '
              f'ls -d {" ".join(_DEVICES)}; '
              'echo no >/lab/src/README.md')
    done = _lab(*_ALONE, "--mount", f"{share}:/data", "--env", "WORD=two words", "--out", str(mine),
                "--", "sh", "-c", script)
    lines = done.stdout.decode().splitlines()
    outcome.check("--mount is readable", lines[:1] == ["from the host"], f"{lines}")
    outcome.check("the devices that fences need are there", set(lines[1:]) == set(_DEVICES),
                  f"{lines}")
    outcome.check("--mount is writable", (share / "out").exists())
    outcome.check("--env arrives, and $OUT is writable",
                  (mine / "word").exists() and (mine / "word").read_text() == "two words\n")
    outcome.check("the source tree is not writable", done.returncode != 0
                  and b"ead-only" in done.stderr, f"{done.stderr!r}")
    done = _lab("run", "--kernel", "nonesuch", "--", "true")
    outcome.check("an unknown kernel is refused with a list of the known", done.returncode == 125
                  and b"uml" in done.stderr, f"{done.stderr!r}")
    done = _lab("run", "--compositor", "nonesuch", "--", "true")
    outcome.check("an unknown compositor is refused with a list of the known",
                  done.returncode == 125 and b"weston-vulkan" in done.stderr, f"{done.stderr!r}")


def _packages(outcome: Outcome) -> None:
    done = _lab(*_ALONE, "--install", "hello", "--", "hello")
    outcome.check("--install brings a package", b"Hello, world!" in done.stdout, f"{done.stderr!r}")
    done = _lab(*_ALONE, "--", "hello")
    outcome.check("--install does not change the root", done.returncode == 127,
                  f"{done.returncode}")
    done = _lab(*_ALONE, "--install", _PRE_DEPENDS, "--", "dpkg-query", "--show",
                "--showformat=${db:Status-Status}", _PRE_DEPENDS)
    outcome.check("--install brings a package that pre-depends on another",
                  done.stdout == b"installed", f"{done.stdout!r} {done.stderr!r}")


def _network(outcome: Outcome, alone: list[str], where: str = "") -> None:
    done = _lab(*alone, "--", "python3", "-I", "-S", "-c", _TALK_TO_ITSELF)
    outcome.check(f"{where}programs in the guest reach each other by 127.0.0.1 and ::1",
                  done.stdout == b"helloworld", f"{done.stdout!r} {done.stderr!r}")


def _outputs(outcome: Outcome, out: Path) -> None:
    for compositor in _SIZED:
        folder = out / f"output-{compositor}"
        done = _lab("run", "--no-layer", "--compositor", compositor, "--output", str(_SIZE),
                    "--out", str(folder), "--timeout", "120", "--",
                    "sh", "-c", 'tests/lab/guest/screenshot "$OUT/picture.png"')
        picture = folder / "picture.png"
        seen = png.read(picture) if done.returncode == 0 and picture.exists() else None
        outcome.check(f"{compositor}: --output is the size of the compositor's output",
                      seen is not None and (seen.width, seen.height) == (_SIZE.width, _SIZE.height),
                      f"{seen and (seen.width, seen.height)} {done.stderr!r}")
    done = _lab("run", "--output", "800", "--", "true")
    outcome.check("--output refuses a text that is not WIDTHxHEIGHT", done.returncode == 2
                  and b"WIDTHxHEIGHT" in done.stderr, f"{done.stderr!r}")


def _stock_kernel(outcome: Outcome, out: Path) -> None:
    """Streams, options, exit status, timeout and a clean end on a stock kernel in QEMU. There,
    virtio ports and 9p replace the consoles and hostfs of User Mode Linux."""
    alone = [*_ALONE, "--kernel", STOCK, "--timeout", str(_SLOW_SECONDS)]
    share, mine = out / "share", out / "stock, with space"
    mine.mkdir(exist_ok=True)
    noise = random.Random(2).randbytes(1_000_000)
    (share / "noise").write_bytes(noise)
    script = ("cmp - /data/noise && cat /data/noise; uname -r >&2; echo $WORD >$OUT/word; "
              "modprobe dummy; grep -c ^dummy /proc/modules >&2; nproc >&2; "
              "echo no >/lab/src/README.md; exit 7")
    done = _lab(*alone, "--mount", f"{share}:/data", "--env", "WORD=two words", "--out", str(mine),
                "--", "sh", "-c", script, stdin=noise)
    said = done.stderr.decode(errors="replace").splitlines()
    kernel = kernels.find(STOCK)
    release = kernel.release(kernel.ensure())
    outcome.check(f"{STOCK}: bytes arrive unchanged, by standard input, --mount and output",
                  done.stdout == noise, f"{len(done.stdout)} bytes of {len(noise)}, {said}")
    outcome.check(f"{STOCK}: it is that kernel, and its modules can be loaded",
                  said[:2] == [release, "1"], f"{said}")
    outcome.check(f"{STOCK}: it has all of its processors", said[2:3] == [str(kernel.processors)],
                  f"{said}")
    outcome.check(f"{STOCK}: the source tree is not writable",
                  any("ead-only" in line for line in said), f"{said}")
    outcome.check(f"{STOCK}: --env arrives, and $OUT is writable",
                  (mine / "word").exists() and (mine / "word").read_text() == "two words\n")
    outcome.check(f"{STOCK}: the exit status is the command's", done.returncode == 7,
                  f"{done.returncode}")
    start = time.monotonic()
    done = _lab(*_ALONE, "--kernel", STOCK, "--timeout", "2", "--", "true")
    outcome.check(f"{STOCK}: --timeout ends it", done.returncode == guest.TIMED_OUT
                  and time.monotonic() - start < 30, f"status {done.returncode}")
    _network(outcome, alone, f"{STOCK}: ")
    _clean_end(outcome, alone, (signal.SIGKILL,), f"{STOCK}: ")


def _clean_end(outcome: Outcome, alone: list[str], signals: tuple[signal.Signals, ...] = (
        signal.SIGINT, signal.SIGTERM, signal.SIGKILL), where: str = "") -> None:
    """A lab that is killed or interrupted leaves no guest running."""
    for number in signals:
        lab = subprocess.Popen([sys.executable, _LAB, *alone, "--", "sh", "-c",
                                "echo up; sleep 1000"], stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        lab.stdout.readline()
        guests = _descendants(lab.pid)
        lab.send_signal(number)
        lab.wait()
        left = _still_there(guests, seconds=5)
        outcome.check(f"{where}{number.name} leaves nothing behind", bool(guests)
                      and not left, f"{len(left)} of {len(guests)} processes")


def _descendants(pid: int) -> list[int]:
    children = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                # The name, in parentheses, may have any characters; state and parent follow.
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            children.setdefault(parent, []).append(int(entry.name))
    found = children.get(pid, [])
    return found + [below for child in found for below in _descendants(child)]


def _still_there(pids: list[int], seconds: float) -> list[int]:
    """The processes that still run after a while. Zombies do not count."""
    deadline = time.monotonic() + seconds
    while True:
        left = [pid for pid in pids if _lives(pid)]
        if not left or time.monotonic() > deadline:
            return left
        time.sleep(0.05)


def _lives(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z" and os.path.exists(f"/proc/{pid}")
