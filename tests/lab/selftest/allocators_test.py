# SPDX-License-Identifier: MIT
"""The suite `allocators` covers the layer's allocators, and notices a run that went wrong."""

import re
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from lab.paths import SOURCE
from lab.suites import allocators, clients

_NOT_COVERED = {"unshared"}  # windows need shared images
_ALL = [*allocators.CASES, *allocators.CASES_WITHOUT_UDMABUF]
_CASE = allocators.Case("dma-heap", "dma-buf-export")


def _opened(allocator: str) -> str:
    return ("fencebridge: info: swapchain 800x600 VK_FORMAT_B8G8R8A8_UNORM present_mode=fifo "
            f"images=3 modifier=0x0 allocator={allocator} transport=kernel reason=\"the best that "
            "works\" device=\"llvmpipe\"\n")


class Cases(unittest.TestCase):
    def test_each_allocator_has_one(self):
        text = (SOURCE / "layer/core/image_source.hpp").read_text(encoding="utf-8")
        names = set(re.findall(r'\{"([\w-]+)", ImageSource::', text))
        covered = {case.allocator for case in _ALL} - {allocators.NONE}
        self.assertEqual(covered, names - _NOT_COVERED)

    def test_a_compositor_without_dma_bufs_has_those_that_need_none(self):
        pixman = allocators.Guest("weston-pixman")
        self.assertEqual({case.allocator for case in pixman.cases},
                         {"host-pointer", "copy-host-pointer", allocators.NONE})
        self.assertEqual(allocators.Guest("sway").cases, list(allocators.CASES))

    def test_the_masks_exist(self):
        text = (SOURCE / "tests/mask/masks.cpp").read_text(encoding="utf-8")
        known = set(re.findall(r'\{"([\w-]+)", &Masks::', text))
        for case in _ALL:
            self.assertLessEqual(set(filter(None, case.mask.split(","))), known)

    def test_each_has_a_folder_of_its_own(self):
        for where in allocators.GUESTS:
            self.assertEqual(len({case.name for case in where.cases}), len(where.cases))
        script = allocators.script(list(allocators.CASES))
        for case in allocators.CASES:
            self.assertIn(f"/{case.name} FENCEBRIDGE_IMAGE={case.setting} "
                          f"FENCEBRIDGE_TEST_MASK={case.mask} sh ", script)


class Problems(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.out = Path(folder.name)
        (self.out / _CASE.name).mkdir()
        (self.out / "native-opaque.status").write_text("0\n")
        self.layer = self.out / _CASE.name / "layer-opaque"
        self.layer.with_suffix(".status").write_text("0\n")
        self.layer.with_suffix(".log").write_text(_opened("dma-heap"))

    def found(self, pictures=()) -> list[str]:
        with mock.patch.object(clients, "picture_problems", return_value=list(pictures)):
            return list(allocators.problems_of(self.out, _CASE))

    def test_a_good_run_has_none(self):
        self.assertEqual(self.found(), [])

    def test_another_allocator_is_one(self):
        self.layer.with_suffix(".log").write_text(_opened("dma-heap") + _opened("udmabuf"))
        self.assertEqual(self.found(),
                         ["swapchains by ['dma-heap', 'udmabuf'] instead of dma-heap"])

    def test_no_swapchain_is_one(self):
        self.layer.with_suffix(".log").write_text("")
        self.assertEqual(self.found(), ["swapchains by [] instead of dma-heap"])

    def test_a_device_that_passes_through_has_to_say_so(self):
        case = allocators.Case(allocators.NONE, "dma-buf", is_set=False)
        (self.out / _CASE.name).rename(self.out / case.name)
        log = self.out / case.name / "layer-opaque.log"
        with mock.patch.object(clients, "picture_problems", return_value=[]):
            self.assertEqual(list(allocators.problems_of(self.out, case)),
                             ["the layer does not say why it passes through",
                              "swapchains by ['dma-heap'] instead of driver"])
            log.write_text(
                "fencebridge: warning: device \"llvmpipe\": using the driver's own swapchains: "
                "driver lacks memory to share\n")
            self.assertEqual(list(allocators.problems_of(self.out, case)), [])

    def test_a_failure_and_other_pixels_are_problems(self):
        self.layer.with_suffix(".status").write_text("1\n")
        self.assertEqual(self.found(["pixels differ"]), ["it ended with status 1", "pixels differ"])

    def test_a_missing_picture_is_one(self):
        self.assertEqual(list(allocators.problems_of(self.out, _CASE)),
                         ["no picture of the native and the layer run"])


if __name__ == "__main__":
    unittest.main()
