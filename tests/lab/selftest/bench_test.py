# SPDX-License-Identifier: MIT
"""Tests of `lab bench` without a guest: counts in traces and profiles, medians, tables."""

import tempfile
import unittest
from collections import Counter
from pathlib import Path

from lab import callgrind, syscalls
from lab.bench import frames, numbers, runs
from lab.bench.syscalls import by_place_per_frame, cube_per_frame
from lab.bench.table import Table

SOCKET = "4<UNIX-STREAM:[1->2]>"
OPENED = ('fencebridge: info: swapchain 1x1 VK_FORMAT_X present_mode=fifo images=3 modifier=0x0 '
          'transport={} reason="so it is" device="d"\n')


class Kinds(unittest.TestCase):
    def kinds(self, *lines: str) -> dict:
        return dict(syscalls.whole("\n".join(lines)).kinds())

    def test_by_what_the_descriptor_is(self):
        self.assertEqual(self.kinds(
            f"7  sendmsg({SOCKET}, {{msg_name=NULL}}, MSG_NOSIGNAL) = 24",
            f"7  poll([{{fd={SOCKET}, events=POLLIN}}], 1, 0) = 0 (Timeout)",
            "7  close(9<anon_inode:sync_file>)   = 0",
            "7  read(5</dev/dri/card0<char 226:0>>, \"\", 1) = 0",
            "7  write(6<{eventfd-count=0, eventfd-id=1, eventfd-semaphore=0}>, \"\", 8) = 8",
            "7  brk(NULL) = 0x1"),
            {"sendmsg socket": 1, "poll socket": 1, "close sync_file": 1,
             "read /dev/dri/card0": 1, "write eventfd": 1, "brk": 1})

    def test_ioctls_by_name(self):
        self.assertEqual(self.kinds(
            "7  ioctl(6</dmabuf:>, BINDER_X or DMA_BUF_IOCTL_IMPORT_SYNC_FILE, 0x7f) = 0",
            "7  ioctl(5</dev/x<char 10:1>>, _IOC(_IOC_READ, 0xb5, 0x1, 0x18), 0x7f) = 0",
            "7  ioctl(5</dev/dri/r<char 226:1>>, DRM_IOCTL_SYNCOBJ_TRANSFER, {a=1}) = 0"),
            {"ioctl DMA_BUF_IMPORT_SYNC_FILE dma-buf": 1, "ioctl _IOC(0xb5,0x1) /dev/x": 1,
             "ioctl DRM_SYNCOBJ_TRANSFER /dev/dri/r": 1})

    def test_a_call_in_two_lines_is_one(self):
        trace = syscalls.whole("7  futex(0x1, FUTEX_WAIT, 1 <unfinished ...>\n"
                               "8  brk(NULL) = 0\n7  <... futex resumed>) = 0\n"
                               "7  --- SIGCHLD {si_signo=SIGCHLD} ---\n8  +++ exited with 0 +++\n")
        self.assertEqual(dict(trace.kinds()), {"futex": 1, "brk": 1})
        self.assertEqual(trace.threads, {7, 8})

    def test_what_is_counted_apart(self):
        kinds = Counter({"futex": 5, "clock_gettime": 2, "brk": 1, "close socket": 2})
        self.assertEqual(syscalls.counted(kinds), 3)


class Places(unittest.TestCase):
    TRACE = ('7  brk(NULL) = 0\n7  access("bench:begin", F_OK) = -1 ENOENT\n'
             '7  access("bench:acquire", F_OK) = -1 ENOENT\n7  brk(NULL) = 0\n'
             '8  brk(NULL) = 0\n7  access("bench:present", F_OK <unfinished ...>\n'
             '7  <... access resumed>) = -1\n7  munmap(0x1, 2) = 0\n'
             '7  access("bench:between", F_OK) = -1\n7  madvise(0x1, 2) = 0\n'
             '7  access("bench:end", F_OK) = -1\n7  brk(NULL) = 0\n8  brk(NULL) = 0\n')

    def test_calls_belong_to_the_last_mark(self):
        calls = syscalls.between_marks(self.TRACE)
        self.assertEqual(calls.by_place, {
            "acquire": {"brk": 1}, syscalls.OTHER_THREADS: {"brk": 1},
            "present": {"munmap": 1}, "between": {"madvise": 1}})
        self.assertEqual(calls.counted(), 4)

    def test_by_frame(self):
        calls = syscalls.Calls({"present": Counter({"brk": 30})})
        self.assertEqual(by_place_per_frame(calls, 20), {"present": {"brk": 1.5}})


class Profiles(unittest.TestCase):
    TEXT = """\
version: 1
events: Ir

ob=(1) /lab/build/layer/liblayer.so
fl=(1) a.cpp
fn=(1) present
10 100
+2 7
cob=(2) /usr/lib/libc.so.6
cfi=(3) string.c
cfn=(2) memcpy
calls=3 20
* 900
-1 5

ob=(2)
fn=(2)
20 900

ob=(3) app
fn=(3) main
1 4
cob=(1)
cfn=(1)
calls=1 10
2 1012
cfn=(4) helper
calls=1 5
3 6
fn=(4)
5 6
"""

    def test_own_is_without_what_was_called(self):
        profile = callgrind.read(self.TEXT)
        self.assertEqual(profile.own, {"/lab/build/layer/liblayer.so": 112,
                                       "/usr/lib/libc.so.6": 900, "app": 10})
        self.assertEqual(profile.own_of("liblayer.so"), 112)

    def test_calls_between_objects(self):
        profile = callgrind.read(self.TEXT)
        self.assertEqual(profile.calls_into("liblayer.so"), 1012)
        self.assertEqual(profile.calls_between("liblayer.so", "libc.so"), 900)

    def test_difference(self):
        difference = callgrind.read(self.TEXT.replace("10 100", "10 300")) - callgrind.read(
            self.TEXT)
        self.assertEqual(difference.own_of("liblayer.so"), 200)
        self.assertEqual(difference.own_of("libc.so"), 0)


class Numbers(unittest.TestCase):
    def test_percentiles_are_values_that_were_seen(self):
        values = list(range(100, 0, -1))
        self.assertEqual([numbers.percentile(values, p) for p in (50, 99, 100)], [50, 99, 100])
        self.assertEqual(numbers.percentile([5], 99), 5)
        self.assertIsNone(numbers.percentile([], 50))

    def test_spread(self):
        self.assertEqual(numbers.spread([60.0, 59.8, 60.1]), "60 (59.8-60.1)")
        self.assertEqual(numbers.spread([1.51, 1.511]), "1.51")
        self.assertEqual(numbers.spread([]), "-")

    def test_short(self):
        self.assertEqual([numbers.short(value) for value in (None, 3.0, 0.5, 12.345, 1234.5)],
                         ["-", "3", "0.50", "12.3", "1234"])


class Tables(unittest.TestCase):
    def test_columns_line_up(self):
        table = Table("what", ["native", "cpu"])
        table.add("calls", "1", "12.5")
        table.add("a longer label", "-", "3")
        self.assertEqual(str(table).splitlines(), [
            "what            native   cpu", "----------------------------",
            "calls                1  12.5", "a longer label       -     3"])


class Columns(unittest.TestCase):
    def results(self, **texts: str) -> runs.Results:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        every = runs.Results()
        for column, text in texts.items():
            path = Path(folder.name) / column
            path.mkdir()
            (path / "err").write_text(text)
            (path / "status").write_text("0\n")
            every.all.append(runs.Result(runs.Run(runs.name("x", column, 1), column, []), path))
        return every

    def test_a_column_that_ran_something_else_says_so(self):
        results = self.results(kernel=OPENED.format("kernel"), explicit=OPENED.format("kernel"),
                               native="", cpu=OPENED.format("cpu"))
        self.assertEqual(results.verdict("explicit"), "ran kernel instead: so it is")
        for column in ("kernel", "native", "cpu"):
            self.assertEqual(results.verdict(column), "")

    def test_native_with_the_layer_says_so(self):
        self.assertTrue(self.results(native=OPENED.format("kernel")).verdict("native"))

    def test_a_refused_column_has_no_results(self):
        results = self.results(kernel=OPENED.format("kernel"), explicit=OPENED.format("kernel"))
        self.assertEqual(len(results.of("x", "kernel")), 1)
        self.assertEqual(results.of("x", "explicit"), [])

    def test_the_longer_run_less_the_shorter(self):
        results = self.results()
        for frames, calls in ((20, 30), (60, 110)):
            name = runs.name(f"calls-cube-{frames}", "kernel", 1)
            folder = tempfile.TemporaryDirectory()
            self.addCleanup(folder.cleanup)
            path = Path(folder.name)
            (path / "trace.txt").write_text("7  brk(NULL) = 0\n" * calls + "7  munmap(1) = 0\n")
            (path / "status").write_text("0\n")
            results.all.append(runs.Result(runs.Run(name, "kernel", []), path))
        found, = cube_per_frame(results, "kernel", (20, 60))
        self.assertEqual(found, {"brk": 2.0, "munmap": 0})

    def test_processor_time_is_per_frame_and_window(self):
        results = self.results()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path = Path(folder.name)
        (path / "out").write_text('{"windows": 4, "frames": 100, "seconds": 1, '
                                  '"client_seconds": 0.1, "compositor_seconds": 0.2}')
        (path / "status").write_text("0\n")
        name = runs.name("frames-mailbox-4", "kernel", 1)
        results.all.append(runs.Result(runs.Run(name, "kernel", []), path))
        for who, time in (("client", 250), ("compositor", 500)):
            found, = frames.processor_times(results, 4, "kernel", who)
            self.assertAlmostEqual(found, time)
        self.assertEqual(frames.processor_times(results, 1, "kernel", "client"), [])


if __name__ == "__main__":
    unittest.main()
