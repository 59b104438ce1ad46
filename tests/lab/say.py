# SPDX-License-Identifier: MIT
"""What the lab tells its user: progress, and failures with a way out.

Results go to standard output; everything here goes to standard error, or, while `lab run` has
lent standard error to the guest's command, to a log file.
"""

import sys
import time


class LabError(Exception):
    """Something the user can read and act on; no traceback wanted."""


class Interrupted(Exception):
    """SIGTERM arrived: unwind like for Ctrl-C, so that nothing is left running."""


class _Voice:
    def __init__(self):
        self.stream = sys.stderr
        self.log = None


_voice = _Voice()


def quiet_into(log_file) -> None:
    """From now on write to log_file; progress stays visible only on a terminal."""
    _voice.log = log_file
    if not sys.stderr.isatty():
        _voice.stream = None


def say(text: str) -> None:
    """One line of progress."""
    for stream in (_voice.log, _voice.stream):
        if stream is not None:
            print(f"lab: {text}", file=stream, flush=True)


def note(text: str) -> None:
    """One line for the log alone, where there is one."""
    if _voice.log is not None:
        print(f"lab: {text}", file=_voice.log, flush=True)


class Ticker:
    """Says what goes on at least every few seconds, and how long it has taken."""

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
