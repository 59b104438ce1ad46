#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What fencebridge-info --json writes on this machine is JSON, and the manual page documents each
key. usage: info_json.py PROGRAM MANUAL_PAGE"""

import json
import re
import subprocess
import sys
from pathlib import Path


def keys_of(value):
    if isinstance(value, dict):
        return set(value).union(*map(keys_of, value.values()))
    if isinstance(value, list):
        return set().union(*map(keys_of, value))
    return set()


def documented_in(page):
    """The keys of the lists `.It Cm KEY, KEY`."""
    lines = re.findall(r"^\.It Cm (.*)$", page, re.MULTILINE)
    return {key for line in lines for key in re.findall(r"\w+", line)}


def main(program, page):
    done = subprocess.run([program, "--json", "--timeout", "60"], stdout=subprocess.PIPE,
                          check=False)
    report = json.loads(done.stdout)
    verdicts = ["carried", "not-carried", "unknown"]
    if verdicts.index(report["verdict"]) != done.returncode:
        print("exit status", done.returncode, "for the verdict", report["verdict"])
        return 1
    unknown = keys_of(report) - documented_in(Path(page).read_text(encoding="utf-8"))
    if unknown:
        print("not in the manual page:", *sorted(unknown))
    return 1 if unknown else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
