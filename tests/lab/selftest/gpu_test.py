# SPDX-License-Identifier: MIT
"""Tests of what the suite `gpu` judges by, without a guest: trace events of fences, pictures and
measured frames."""

import json
import struct
import tempfile
import unittest
import zlib
from pathlib import Path

from lab import fence_trace, gpu, guest, real_fences
from lab.bench import guests, runs
from lab.bench.columns import NATIVE
from lab.say import LabError
from lab.selftest.bench_test import OPENED

# A fence of the compositor (process 300) that signals at 10.002 s, and one of the client.
TRACE = """\
# tracer: nop
          weston-301     (    300) [000] .....    10.000100: dma_fence_init: driver=virtio_gpu \
timeline=controlq context=5 seqno=0
 bench_windows-400     (    400) [000] .....    10.000200: dma_fence_init: driver=virtio_gpu \
timeline=controlq context=6 seqno=0
          <idle>-0       (-------) [000] d..1.    10.001000: dma_fence_signaled: driver=virtio_gpu \
timeline=controlq context=6 seqno=7
          <idle>-0       (-------) [000] d..1.    10.002000: dma_fence_signaled: driver=virtio_gpu \
timeline=controlq context=5 seqno=7
          weston-301     (    300) [000] .....    10.003000: dma_fence_init: driver=virtio_gpu \
timeline=controlq context=5 seqno=8
          <idle>-0       (-------) [000] d..1.    10.004000: dma_fence_signaled: driver=virtio_gpu \
timeline=controlq context=9 seqno=1
"""
# The same, and the compositor's next fence, which signals at 10.020 s.
LATER = TRACE + """\
          <idle>-0       (-------) [000] d..1.    10.020000: dma_fence_signaled: driver=virtio_gpu \
timeline=controlq context=5 seqno=8
"""


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_of(*colours: tuple[int, int, int]) -> bytes:
    """One row of pixels."""
    header = struct.pack(">IIBBBBB", len(colours), 1, 8, 2, 0, 0, 0)
    pixels = b"\0" + b"".join(map(bytes, colours))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(pixels))
            + chunk(b"IEND", b""))


class Fences(unittest.TestCase):
    def test_they_belong_to_the_process_that_makes_fences_of_their_context(self):
        self.assertEqual(fence_trace.signals_of(300, TRACE), [10_002_000_000])
        self.assertEqual(fence_trace.signals_of(400, TRACE), [10_001_000_000])
        self.assertEqual(fence_trace.signals_of(9, TRACE), [])


class Runs(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def result(self, trace: str = TRACE, **said) -> runs.Result:
        (self.folder / "out").write_text(json.dumps({"compositor": 300} | said))
        (self.folder / "fences.txt").write_text(trace)
        return runs.Result(runs.Run("x", "kernel", []), self.folder)

    def pictures(self, *pictures: bytes) -> str:
        for number, picture in enumerate(pictures):
            (self.folder / f"picture-{number:02}.png").write_bytes(picture)
        result = runs.Result(runs.Run("x", "kernel", []), self.folder)
        return real_fences.red_problem(result) or real_fences.window_problem(result)

    def test_lateness_is_since_the_compositors_fence(self):
        # The second one was pending no more, and the third one before the trace began.
        result = self.result(acquire_signalled=[10_002_500_000, 0, 10_000_000_000],
                             acquire_pending=[1_000_000, 0, 1_000_000])
        self.assertEqual(real_fences.lateness(result), [500_000])

    def test_a_payload_that_waits_for_a_later_fence_is_late(self):
        result = self.result(acquire_signalled=[10_020_500_000], acquire_pending=[19_000_000],
                             trace=LATER)
        self.assertEqual(real_fences.lateness(result), [18_500_000])

    def test_a_fence_that_signalled_just_before_acquire_returned(self):
        result = self.result(acquire_signalled=[10_002_500_000], acquire_pending=[100_000])
        self.assertEqual(real_fences.lateness(result), [500_000])

    def test_finished_frames(self):
        shades = [png_of((40, 50, 60), (n * 32, n * 32, 128)) for n in (1, 2, 3, 4, 5)]
        self.assertEqual(self.pictures(*shades), "")

    def test_one_red_pixel(self):
        fine = png_of((40, 50, 60), (64, 64, 128))
        self.assertIn("red", self.pictures(*[fine] * 9, png_of((64, 64, 128), (255, 0, 0))))

    def test_a_picture_that_is_cut_off(self):
        self.assertIn("picture-00.png", self.pictures(png_of((64, 64, 128))[:40]))
        self.assertIn("picture-00.png", self.pictures(b""))

    def test_a_trace_without_fences_of_the_compositor(self):
        result = self.result(trace="", **self.MANY)
        self.assertIn("0 frames", real_fences.lateness_problem(result))

    def test_no_window(self):
        self.assertIn("0 of 10", self.pictures(*[png_of((40, 50, 60))] * 10))

    def test_few_pictures(self):
        self.assertIn("2 of 2", self.pictures(*[png_of((64, 64, 128))] * 2))

    MANY = {"acquire": [500_000] * 30, "present": [500_000] * 30,
            "acquire_pending": [5_000_000] * 30, "rendering_pending": [1] * 30,
            "acquire_signalled": [10_002_500_000] * 30, "rendered_early": [0] * 30}
    # The fence of acquired images that signals 18 ms after the compositor's.
    LATE = {"acquire_signalled": [10_020_000_000] * 30, "acquire_pending": [19_000_000] * 30}

    def problems(self, **changed) -> list[str]:
        result = self.result(**self.MANY | changed)
        return [problem for problem in (real_fences.acquire_problem(result),
                                        real_fences.present_problem(result),
                                        real_fences.order_problem(result),
                                        real_fences.lateness_problem(result)) if problem]

    def test_all_is_well(self):
        self.assertEqual(self.problems(), [])

    def test_each_limit(self):
        for wrong, count in (({"acquire": [2_000_000] * 30}, 1),
                             ({"present": [2_000_000] * 30}, 1),
                             ({"acquire_pending": [0] * 30}, 3),
                             ({"rendered_early": [0] * 29 + [1]}, 1),
                             ({"rendering_pending": [0] * 30}, 1), (self.LATE, 1)):
            with self.subTest(wrong):
                self.assertEqual(len(self.problems(**wrong)), count)


class Refreshes(unittest.TestCase):
    def problem(self, ours: int, natives: int) -> str:
        with tempfile.TemporaryDirectory() as folder:
            results = []
            for column, refreshes in (("kernel", ours), (NATIVE, natives)):
                path = Path(folder, column)
                path.mkdir()
                (path / "status").write_text("0\n")
                (path / "out").write_text(json.dumps({"refreshes": refreshes, "seconds": 8.0}))
                (path / "err").write_text("")
                run = runs.Run(runs.name("slow", column, 1), column, [])
                results.append(runs.Result(run, path))
            return real_fences.refresh_problem(results[0], runs.Results(results))

    def test_as_many_as_with_native(self):
        self.assertEqual(self.problem(380, 400), "")

    def test_fewer(self):
        self.assertEqual(self.problem(264, 405), "33.0 Hz; with native 50.6 Hz")

    def test_none_with_either(self):
        self.assertIn("0 times", self.problem(0, 0))


class Evaluation(unittest.TestCase):
    def found(self, log: str) -> list[tuple[str, str]]:
        with tempfile.TemporaryDirectory() as folder:
            for name, text in (("status", "0\n"), ("err", log), ("out", "{}")):
                Path(folder, name).write_text(text)
            run = runs.Run(runs.name("unfinished", "kernel", 1), "kernel", [])
            results = runs.Results([runs.Result(run, Path(folder))])
            return real_fences.evaluate(results, "kernel", [real_fences.FINISHED])

    def test_a_transport_that_ran(self):
        self.assertEqual(self.found(OPENED.format("kernel")), [(real_fences.FINISHED, "")])

    def test_another_transport(self):
        self.assertEqual(self.found(OPENED.format("cpu"))[0][0], real_fences.THE_TRANSPORT)

    def test_no_swapchain_of_the_layer(self):
        self.assertEqual(self.found(""), [(real_fences.THE_TRANSPORT,
                                           "the layer opened no swapchain")])


class Guests(unittest.TestCase):
    def test_a_folder_of_something_else_is_not_replaced(self):
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "thesis.txt").touch()
            with self.assertRaisesRegex(LabError, "not the folder of an earlier run"):
                guests.execute([], "none", Path(folder), Path(folder))
            self.assertTrue(Path(folder, "thesis.txt").exists())

    def test_a_kernel_that_cannot_have_the_gpu(self):
        request = guest.Request(["true"], kernel="debian-5.10", gpu=gpu.VENUS)
        with self.assertRaisesRegex(LabError, "5.10 cannot have the GPU venus; .*debian-6.1"):
            guest.run(request, lambda _: None, lambda _: None)


if __name__ == "__main__":
    unittest.main()
