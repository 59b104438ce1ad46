# SPDX-License-Identifier: MIT
"""Tests of artefacts, edits, mutations, outputs, the layer's log, and complaints of kernels."""

import contextlib
import io
import tempfile
import unittest
from pathlib import Path

from lab import artefact, cli, compositors, edits, layerlog, mutations
from lab.mutation import listing
from lab.paths import cache
from lab.say import LabError
from lab.selftest import CacheTest
from lab.suites import complaints


class Artefacts(CacheTest):
    def test_made_once_for_the_same_ingredients(self):
        builds = []
        for _ in range(2):
            folder = artefact.make("thing", {"a": 1}, builds.append)
        self.assertEqual(len(builds), 1)
        self.assertTrue((folder / "made-from.json").exists())

    def test_other_ingredients_make_another(self):
        self.assertNotEqual(artefact.path_of("thing", {"a": 1}),
                            artefact.path_of("thing", {"a": 2}))

    def test_an_interrupted_build_leaves_nothing_that_counts(self):
        def interrupted(part: Path):
            (part / "half").touch()
            raise KeyboardInterrupt

        with self.assertRaises(KeyboardInterrupt):
            artefact.make("thing", {}, interrupted)
        self.assertEqual([path.name for path in cache().iterdir()],
                         [artefact.lock_of(artefact.path_of("thing", {})).name])
        folder = artefact.make("thing", {}, lambda part: (part / "whole").touch())
        self.assertEqual(sorted(path.name for path in folder.iterdir()),
                         ["made-from.json", "whole"])

    def test_removal_spares_what_is_in_use(self):
        used = artefact.make("thing", 1, lambda part: None)
        idle = artefact.make("thing", 2, lambda part: None)
        kept = artefact.make("thing", 3, lambda part: None)
        with artefact.locked(artefact.lock_of(used), shared=True):
            for folder in artefact.others("thing", kept):
                artefact.remove_unless_used(folder)
        self.assertEqual([path.exists() for path in (used, idle, kept)], [True, False, True])


class Edits(unittest.TestCase):
    def test_a_source_that_differs_is_an_error(self):
        with tempfile.TemporaryDirectory() as name:
            for edit in edits.EDITS:
                path = Path(name) / edit.file
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text("int nothing_of_the_kind;\n")
            with self.assertRaisesRegex(LabError, "applied 0 times instead of 1"):
                edits.apply(Path(name), edits.EDITS)


class Mutations(unittest.TestCase):
    def test_a_changed_source_is_restored(self):
        mutation = listing.layer()[0]
        workshop = object.__new__(mutations._Workshop)  # without a build
        workshop.sources = listing.layer_sources()
        path = listing.apply(mutation, workshop.sources).path
        with tempfile.TemporaryDirectory() as name:
            workshop.source = Path(name)
            (workshop.source / path).parent.mkdir(parents=True)
            (workshop.source / path).write_text("as it was")
            seen = []
            workshop.compile = lambda *_: seen.append((workshop.source / path).read_text())
            for passes, problem in ((False, ""), (True, "the test does not notice")):
                workshop._test_passes = lambda _, passes=passes: passes
                self.assertEqual(workshop.try_out(mutation), problem)
                self.assertEqual((workshop.source / path).read_text(), "as it was")
        self.assertEqual(seen, [listing.apply(mutation, workshop.sources).text] * 2)


class Outputs(unittest.TestCase):
    def test_every_compositor_is_told_the_size(self):
        for name, compositor in compositors.COMPOSITORS.items():
            command = " ".join(compositor.command_for(compositors.Size(1234, 567)))
            self.assertRegex(command, "1234.*567", name)
            self.assertNotRegex(command, "[{}]", name)

    def test_the_option(self):
        parse = cli._parser().parse_args
        self.assertEqual(parse(["run", "--", "true"]).output, compositors.OUTPUT)
        self.assertEqual(parse(["run", "--output", "2560x1600", "--", "true"]).output,
                         compositors.Size(2560, 1600))
        for text in ("800", "0x600", "800x-1", "8x6x4", "axb"):
            with contextlib.redirect_stderr(io.StringIO()), self.assertRaises(SystemExit):
                parse(["run", "--output", text, "--", "true"])


class LayerLog(unittest.TestCase):
    TEXT = ('Selected GPU 0: x\nfencebridge: info: swapchain 500x400 VK_FORMAT_B8G8R8A8_UNORM '
            'present_mode=fifo images=3 modifier=0x0 transport=kernel reason="the best" '
            'device="a b (c)"\nfencebridge: info: swapchain closed: acquired=4 presented=3\n')

    def test_opened(self):
        opened, = layerlog.opened(self.TEXT)
        self.assertEqual((opened.width, opened.height), (500, 400))
        self.assertEqual(opened.format, "VK_FORMAT_B8G8R8A8_UNORM")
        self.assertEqual(opened.fields["device"], "a b (c)")
        self.assertEqual(opened.fields["images"], "3")

    def test_closed(self):
        self.assertEqual(layerlog.closed(self.TEXT), [layerlog.Closed(4, 3)])


class Complaints(unittest.TestCase):
    LOG = """WARNING: the machine is odd
lab: the guest is up
vgem: hello
[ 1.2] WARNING: chain.c:286 at dma_fence_chain_init
  and its trace
"""

    def test_complaints_before_the_guest_is_up_are_ignored(self):
        self.assertEqual(complaints.find(self.LOG),
                         "[ 1.2] WARNING: chain.c:286 at dma_fence_chain_init\n  and its trace")
        self.assertEqual(complaints.find(self.LOG.partition("[ 1.2]")[0]), "")

    def test_a_log_without_the_start_message_is_a_complaint(self):
        self.assertIn("the log lacks", complaints.find("all is well\n"))


if __name__ == "__main__":
    unittest.main()
