# SPDX-License-Identifier: MIT
"""Tests of reading traces, with lines in the format of strace."""

import tempfile
import unittest
from pathlib import Path

from lab import strace

EXPORT, IMPORT = "DMA_BUF_IOCTL_EXPORT_SYNC_FILE", "DMA_BUF_IOCTL_IMPORT_SYNC_FILE"
MADE = ("10  ioctl(4</dev/udmabuf<char 10:257>>, UDMABUF_CREATE, {memfd=5</memfd:x>(deleted)}) "
        "= {}</dmabuf:>")
SENT = ("10  sendmsg(3<UNIX-STREAM:[1]>, {msg_control=[{cmsg_len=20, cmsg_level=SOL_SOCKET, "
        "cmsg_type=SCM_RIGHTS, cmsg_data=[%s]}], msg_flags=0}, MSG_NOSIGNAL) = 24")


def made(fd: int) -> str:
    return MADE.replace("{}", str(fd))


def read(*lines: str) -> strace.Trace:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "trace"
        path.write_text("\n".join(lines) + "\n")
        return strace.read(path)


class Buffers(unittest.TestCase):
    def test_a_duplicate_is_the_same_buffer(self):
        trace = read(made(6),
                     "10  fcntl(6</dmabuf:>, F_DUPFD_CLOEXEC, 0) = 8</dmabuf:>",
                     SENT % "8</dmabuf:>",
                     "10  close(8</dmabuf:>) = 0",
                     f"10  ioctl(6</dmabuf:>, {EXPORT}, 0x7f) = 0")
        self.assertEqual(trace.on_sent, {EXPORT: 1})

    def test_a_number_used_again_is_another_buffer(self):
        trace = read(made(6), SENT % "6</dmabuf:>", "10  close(6</dmabuf:>)       = 0", made(6),
                     f"10  ioctl(6</dmabuf:>, {EXPORT}, 0x7f) = 0")
        self.assertEqual((trace.on_sent, len(trace.ioctls)), ({}, 1))

    def test_what_is_tried_before_sending_is_apart(self):
        trace = read(made(6), f"10  ioctl(6</dmabuf:>, {EXPORT}, 0x7f) = 0", SENT % "6</dmabuf:>")
        self.assertEqual((trace.on_sent, trace.ioctls[0][1]), ({}, EXPORT))

    def test_shared_memory_shows(self):
        trace = read(SENT % "7</memfd:mesa-shared>(deleted), 6</dmabuf:>")
        self.assertEqual(trace.sent_other, ["/memfd:mesa-shared"])
        self.assertEqual(len(trace.sent), 1)


class Lines(unittest.TestCase):
    def test_calls_of_threads_interleave(self):
        trace = read(SENT % "6</dmabuf:>",
                     f"11  ioctl(6</dmabuf:>, {EXPORT} <unfinished ...>",
                     "10  close(9</x>) = 0",
                     "11  <... ioctl resumed>, 0x7f) = 0")
        self.assertEqual(trace.on_sent, {EXPORT: 1})

    def test_of_several_names_of_an_ioctl_the_dma_buf_one_is_taken(self):
        trace = read(SENT % "6</dmabuf:>",
                     f"10  ioctl(6</dmabuf:>, BINDER_X or {IMPORT}, 0x7f) = 0")
        self.assertEqual(trace.on_sent, {IMPORT: 1})

    def test_failed_calls_do_not_count(self):
        trace = read(SENT % "6</dmabuf:>",
                     f"10  ioctl(6</dmabuf:>, {EXPORT}, 0x7f) = -1 ENOTTY (Inappropriate ioctl)")
        self.assertEqual(trace.on_sent, {})


if __name__ == "__main__":
    unittest.main()
