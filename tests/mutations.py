#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Some of the changes of compositor/mutations.toml, while one works on them. `./lab test mutations`
tries all; lab/mutations.py tells what becomes of them."""

import argparse
import sys
import tempfile
from pathlib import Path

# As in ./lab: the tree may be read-only.
sys.dont_write_bytecode = True

from lab import mutations  # noqa: E402
from lab.say import LabError  # noqa: E402


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--suite", choices=["compositor", "fences"], help="only this suite's")
    parser.add_argument("--only", metavar="TEXT", help="only those with TEXT in their name")
    options = parser.parse_args()
    chosen = [mutation for mutation in mutations.listed()
              if options.suite in (None, mutation["suite"])
              and (options.only or "") in mutation["name"]]
    unnoticed = 0
    with tempfile.NamedTemporaryFile(suffix=".log") as log:
        for mutation, problem in mutations.try_all(chosen, Path(log.name)):
            unnoticed += bool(problem)
            print(f"{'FAILED ' if problem else 'noticed'}  {mutation['name']}"
                  + (f": {problem}" if problem else ""), flush=True)
    print(f"{len(chosen) - unnoticed} of {len(chosen)} changes noticed")
    return 1 if unnoticed or not chosen else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except LabError as error:
        sys.exit(f"mutations: {error}")
