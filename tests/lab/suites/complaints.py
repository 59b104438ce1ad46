# SPDX-License-Identifier: MIT
"""What a guest's kernel says when something is wrong in it."""

import re

_SPLAT = re.compile(
    # A machine that stands still for a while makes a kernel in QEMU see a soft lockup.
    r"WARNING:|BUG: (?!soft lockup)|kernel BUG at|KASAN:|UBSAN:|Oops|general protection|"
    r"refcount_t:|invalid context|"
    r"scheduling while atomic|list_(add|del) corruption|page allocation failure")
_UP = "lab: the guest is up"  # as tests/lab/guest/init.sh says it
_LINES = 30


def find(log: str, since: str = _UP) -> str:
    """The first complaint after the message that something happened; empty if there is none."""
    _, happened, later = log.partition(since)
    if not happened:
        return f"nothing says {since!r}"
    lines = later.splitlines()
    for number, line in enumerate(lines):
        if _SPLAT.search(line):
            return "\n".join(lines[number:number + _LINES])
    return ""
