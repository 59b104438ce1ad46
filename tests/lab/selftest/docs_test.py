# SPDX-License-Identifier: MIT
"""Documents name tests that exist, and the extensions that the layer provides; their pictures are
made of the sources beside them."""

import hashlib
import json
import re
import unittest

from ..mutation import filters
from ..paths import SOURCE

# All Markdown files that a reader may find.
_DOCUMENTS = [*SOURCE.glob("*.md"), *(SOURCE / "docs").glob("*.md"),
              SOURCE / "examples/README.md", SOURCE / "kmod/README.md"]
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_PROGRAM = re.compile(r"(tests/\w+)/(\w+) --gtest_filter=([\"'])(.+?)\3")


def anchors(text: str) -> set[str]:
    """The anchors that GitHub makes of the headings."""
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
            for heading in _HEADING.findall(text)}


class Documents(unittest.TestCase):
    def test_links_lead_to_files_and_headings(self):
        links = [(path, link) for path in _DOCUMENTS for link in _LINK.findall(path.read_text())
                 if not link.startswith("http")]
        self.assertGreaterEqual(len(links), 100)
        for path, link in links:
            name, _, anchor = link.partition("#")
            target = path.parent / name if name else path
            self.assertTrue(target.exists(), f"{path.name}: {link}")
            if anchor:
                self.assertIn(anchor, anchors(target.read_text()), f"{path.name}: {link}")

    def test_filters_select_tests(self):
        found = [match for path in _DOCUMENTS for match in _PROGRAM.findall(path.read_text())]
        self.assertGreaterEqual(len(found), 3)
        for folder, program, _, pattern in found:
            sources = "*_test.cpp" if program == "unit" else f"{program}.cpp"
            names = [name for path in (SOURCE / folder).glob(sources)
                     for name in filters.googletest_names(path.read_text())]
            self.assertTrue(any(filters.may_match(pattern, name) for name in names),
                            f"no test of {folder}/{program} matches {pattern}")

    def test_the_provided_extensions_are_those_of_the_manifest(self):
        manifest = (SOURCE / "json/manifest.json.in").read_text()
        layer = json.loads(re.sub(r"@\w+@(?=[\s@,])", "", manifest))["layer"]
        provided = [each["name"] for each in (layer["instance_extensions"] +
                                              layer["device_extensions"])]
        section = (SOURCE / "docs/takeover.md").read_text().split("## Provided extensions")[1]
        table = re.findall(r"^\| `(VK_\w+)` \|", section.split("\n## ")[0], re.MULTILINE)
        # A build with newer headers adds more to the manifest.
        modes = ["VK_KHR_present_mode_fifo_latest_ready", "VK_EXT_present_mode_fifo_latest_ready"]
        self.assertEqual(table, provided + modes)
        section = (SOURCE / "README.md").read_text().split("## What applications get")[1]
        names = re.findall(r"`(VK_[A-Z]+_[a-z]\w+)`", section.split("\n## ")[0])
        renamed = ["VK_KHR_surface_maintenance1", "VK_KHR_swapchain_maintenance1"]
        self.assertEqual(sorted(names), sorted(provided + modes + renamed))

    def test_pictures_are_made_of_their_sources(self):
        sources = list((SOURCE / "docs/images").glob("*.dot"))
        self.assertTrue(sources)
        for source in sources:
            digest = hashlib.sha256(source.read_bytes()).hexdigest()
            self.assertIn(f"<!-- SHA-256 of {source.name}: {digest} -->",
                          source.with_suffix(".svg").read_text(), "run docs/images/draw")
