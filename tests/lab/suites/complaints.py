# SPDX-License-Identifier: MIT
"""Complaints of a guest's kernel in its log."""

import re

_SPLAT = re.compile(
    # When the host stops for a while, a kernel in QEMU reports a soft lockup.
    r"WARNING:|BUG: (?!soft lockup)|kernel BUG at|KASAN:|UBSAN:|Oops|general protection|"
    r"refcount_t:|invalid context|"
    r"scheduling while atomic|list_(add|del) corruption|page allocation failure")
_UP = "lab: the guest is up"  # of tests/lab/guest/init.sh
_LINES = 30


def find(log: str, since: str = _UP) -> str:
    """The first complaint after the message `since`, or the empty string. It is a complaint, too,
    if the log lacks that message."""
    _, happened, later = log.partition(since)
    if not happened:
        return f"the log lacks {since!r}"
    lines = later.splitlines()
    for number, line in enumerate(lines):
        if _SPLAT.search(line):
            return "\n".join(lines[number:number + _LINES])
    return ""
