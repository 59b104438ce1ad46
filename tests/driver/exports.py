#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The layer is loaded into applications, so it exports only the negotiate function and links the
C++ runtime statically. usage: exports.py NM READELF LIBRARY"""

import subprocess
import sys

EXPECTED = ["vkNegotiateLoaderLayerInterfaceVersion"]


def lines(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()


def main(nm, readelf, library):
    exported = [line.split()[-1] for line in lines(nm, "-D", "--defined-only", library)]
    needed = [line for line in lines(readelf, "-d", library) if "(NEEDED)" in line]
    runtime = [line for line in needed if "libstdc++" in line or "libgcc" in line]
    sanitized = any("libasan" in line or "libubsan" in line or "libtsan" in line for line in needed)
    if exported != EXPECTED:
        print("exported:", *exported, sep="\n  ")
        return 1
    # The libraries of the sanitizers need the shared runtime.
    if runtime and not sanitized:
        print("needed:", *runtime, sep="\n  ")
        return 1
    print("exports", *exported)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
