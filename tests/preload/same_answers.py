#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Issues the two ioctls on a real dma-buf, with valid and invalid arguments: without the preload
library, with it, and with it and FENCEBRIDGE_PRELOAD=module. Results, errnos and the number of open
fds must be equal. usage: same_answers.py LIBRARY"""

import ctypes
import errno
import mmap
import os
import resource
import struct
import subprocess
import sys

SKIPPED = 77
EXPORT, IMPORT = 0xC0086202, 0x40086203
READ, WRITE = 1, 2
UDMABUF_CREATE = 0x40187542

libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
libc.ioctl.argtypes = [ctypes.c_int, ctypes.c_ulong, ctypes.c_void_p]
libc.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]


def make_dma_buf():
    memory = os.memfd_create("memory", os.MFD_ALLOW_SEALING)
    os.ftruncate(memory, mmap.PAGESIZE)
    libc.fcntl(memory, 1033, 2)  # F_ADD_SEALS, F_SEAL_SHRINK
    device = os.open("/dev/udmabuf", os.O_RDWR)
    create = ctypes.create_string_buffer(struct.pack("IIQQ", memory, 1, 0, mmap.PAGESIZE))
    return libc.ioctl(device, UDMABUF_CREATE, create)


def pages(protection):
    """Maps a page that has a valid argument at each end, followed by an inaccessible page."""
    size = mmap.PAGESIZE
    begin = libc.mmap(None, 2 * size, mmap.PROT_READ | mmap.PROT_WRITE,
                      mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, -1, 0)
    for place in (begin, begin + size - 8):
        ctypes.memmove(place, struct.pack("Ii", READ, -1), 8)
    libc.mprotect(begin, size, protection)
    libc.mprotect(begin + size, size, 0)
    return begin


def open_fds():
    return len(os.listdir("/proc/self/fd"))


def ask(what, fd, request, argument):
    before = open_fds()
    result = libc.ioctl(fd, request, argument)
    error = errno.errorcode[ctypes.get_errno()] if result < 0 else "-"
    print(what, result, error, open_fds() - before, sep="\t")


def argument(flags, fd):
    return ctypes.create_string_buffer(struct.pack("Ii", flags, fd), 8)


def ask_all():
    dma_buf = make_dma_buf()
    answer = argument(READ, -1)
    ask("export", dma_buf, EXPORT, answer)
    sync_file = struct.unpack("Ii", answer.raw)[1]
    for flags in (0, READ, WRITE, READ | WRITE, 4, 4 | READ, 1 << 31):
        ask(f"export as {flags:#x}", dma_buf, EXPORT, argument(flags, -1))
        others = {"a sync_file": sync_file, "nothing": -1, "a folder": os.open("/", 0)}
        for name, fd in others.items():
            ask(f"import {name} as {flags:#x}", dma_buf, IMPORT, argument(flags, fd))
    readable, read_only = pages(mmap.PROT_READ | mmap.PROT_WRITE), pages(mmap.PROT_READ)
    for request in (EXPORT, IMPORT):
        for name, place in (("null", None), ("nowhere", readable + mmap.PAGESIZE),
                            ("half", readable + mmap.PAGESIZE - 4), ("read-only", read_only)):
            ask(f"{request:#x} at {name}", dma_buf, request, place)
        ask(f"{request:#x} of no file", -1, request, argument(READ, sync_file))
        ask(f"{request:#x} of a sync_file", sync_file, request, argument(READ, sync_file))
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    full = argument(READ, -1)
    limit = os.dup(0)
    os.close(limit)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, most))
    result = libc.ioctl(dma_buf, EXPORT, full)
    print("export without room", result, errno.errorcode[ctypes.get_errno()], sep="\t")


def answers(**environment):
    return subprocess.run([sys.executable, __file__, "--ask"], env=os.environ | environment,
                          stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()


def main(library):
    for needed in ("/dev/udmabuf", "/dev/fencebridge", library):
        if not os.access(needed, os.R_OK):
            print("skipped: there is no", needed)
            return SKIPPED
    forced = answers(LD_PRELOAD=library, FENCEBRIDGE_PRELOAD="module")
    print("by the module:", *forced, sep="\n")
    status = 0
    native = answers()
    others = [("with the library", answers(LD_PRELOAD=library))]
    # A kernel without the ioctls cannot be compared.
    if not native[0].endswith("ENOTTY\t0"):
        others.append(("by the kernel", native))
    for name, other in others:
        for line in sorted(set(other) - set(forced)):
            print(f"{name}: {line}")
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(ask_all() if sys.argv[1] == "--ask" else main(sys.argv[1]))
