# SPDX-License-Identifier: MIT
"""Messages of the lab to its user: progress and errors.

Results go to standard output, and these messages to standard error. `lab run` gives standard error
to the command in the guest; its own messages go to a log file then.
"""

import os
import sys
import time


class LabError(Exception):
    """An error that the user can act on. It is printed without a traceback."""


def in_one_line(error: OSError) -> str:
    """What the user can act on: what failed, and with which file."""
    what = error.strerror or str(error)
    files = [os.fspath(name) for name in (error.filename, error.filename2)
             if isinstance(name, (str, os.PathLike))]
    return f"{what}: {' and '.join(files)}" if files else what


def choose(kind: str, name: str, table: dict, none: str):
    """The entry of that name; None for the name that stands for none of them."""
    if name == none:
        return None
    if name not in table:
        raise LabError(f"no {kind} {name!r}; there are: {', '.join([*table, none])}")
    return table[name]


class Interrupted(Exception):
    """SIGTERM or SIGHUP arrived. The stack unwinds as after Ctrl-C; no child process survives."""


class _Voice:
    def __init__(self):
        self.stream = sys.stderr
        self.log = None


_voice = _Voice()


def quiet_into(log_file) -> None:
    """Directs messages to log_file from now on; progress is still shown on a terminal."""
    _voice.log = log_file
    if not sys.stderr.isatty():
        _voice.stream = None


def say(text: str) -> None:
    """One line of progress."""
    for stream in (_voice.log, _voice.stream):
        if stream is not None:
            print(f"lab: {text}", file=stream, flush=True)


def note(text: str) -> None:
    """One line for the log file alone; it is dropped if there is no log file."""
    if _voice.log is not None:
        print(f"lab: {text}", file=_voice.log, flush=True)


class Ticker:
    """Reports every few seconds which step is running, and at its end how long it took."""

    def __init__(self, what: str, every: float = 4.0):
        self.what = what
        self.every = every
        self.start = time.monotonic()
        self.last = self.start
        say(what)

    def tick(self, detail: str = "") -> None:
        now = time.monotonic()
        if now - self.last >= self.every:
            self.last = now
            say(f"{self.what}: {detail + ', ' if detail else ''}{now - self.start:.0f} s")

    def done(self, detail: str = "") -> None:
        took = time.monotonic() - self.start
        say(f"{self.what}: done in {took:.0f} s{', ' + detail if detail else ''}")
