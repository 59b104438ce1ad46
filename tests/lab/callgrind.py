# SPDX-License-Identifier: MIT
"""Reading callgrind's output: instructions by the object (program or library) that has them.

The format is described in valgrind's manual, "Callgrind Format Specification". At its first
occurrence, a name is written as `(7) NAME`, and later as `(7)`. Objects are numbered separately.
"""

import re
from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Profile:
    own: Counter = field(default_factory=Counter)        # by object: instructions of its code
    # By the objects of caller and callee: instructions of the callee and of all that it calls.
    inclusive: Counter = field(default_factory=Counter)

    def __sub__(self, other: "Profile") -> "Profile":
        own, inclusive = Counter(self.own), Counter(self.inclusive)
        own.subtract(other.own)
        inclusive.subtract(other.inclusive)
        return Profile(own, inclusive)

    def own_of(self, library: str) -> int:
        return sum(cost for name, cost in self.own.items() if _is(name, library))

    def calls_into(self, library: str) -> int:
        """Instructions of the callees and of all that they call."""
        return sum(cost for (caller, callee), cost in self.inclusive.items()
                   if _is(callee, library) and not _is(caller, library))

    def calls_between(self, caller: str, callee: str) -> int:
        return sum(cost for (one, other), cost in self.inclusive.items()
                   if _is(one, caller) and _is(other, callee))


def _is(name: str, library: str) -> bool:
    """Whether an object has the name, perhaps with a version: libx.so is also libx.so.1.2."""
    return name.rsplit("/", 1)[-1].startswith(library)


def read(text: str) -> Profile:
    profile = Profile()
    names = {}
    current = called = ""
    is_call = False
    for line in text.splitlines():
        if line.startswith(("ob=", "cob=")):
            name = _object(line.split("=", 1)[1], names)
            if line.startswith("ob="):
                current = name
            else:
                called = name
        elif line.startswith("calls="):
            is_call = True
        elif line[:1].isdigit() or line[:1] in ("+", "-", "*"):
            _position, *costs = line.split()
            cost = int(costs[0]) if costs else 0
            if not is_call:
                profile.own[current] += cost
            else:
                profile.inclusive[current, called or current] += cost
                is_call, called = False, ""
    return profile


def _object(text: str, names: dict[str, str]) -> str:
    match = re.match(r"^(\(\d+\))? ?(.*)$", text)
    if match[1] is None:
        return match[2]
    if match[2]:
        names[match[1]] = match[2]
    return names[match[1]]
