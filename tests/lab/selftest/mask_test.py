# SPDX-License-Identifier: MIT
"""The masks of tests/mask/ and how a guest gets them."""

import re
import unittest
from pathlib import Path

from lab import guest
from lab.paths import SOURCE


class Masks(unittest.TestCase):
    def test_the_documentation_lists_those_that_the_layer_has(self):
        source = (SOURCE / "tests/mask/masks.cpp").read_text(encoding="utf-8")
        has = re.findall(r'\{"([\w-]+)", &Masks::', source.split("} names[]{")[1].split("};")[0])
        section = (SOURCE / "docs/lab.md").read_text(encoding="utf-8").split("The masks are:")[1]
        table = section.split("An explicit layer")[0]
        documented = [name for row in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)
                      for name in re.findall(r"`([\w-]+)`", row)]
        self.assertEqual(sorted(documented), sorted(has))

    def test_the_layer_is_loaded_below_the_one_under_test(self):
        request = guest.Request(["true"], build=Path("/build"), mask="modifiers,wsi")
        # pylint: disable-next=protected-access
        environment = guest._command_environment(request, None)
        self.assertEqual(environment["VK_INSTANCE_LAYERS"],
                         "VK_LAYER_FENCEBRIDGE_wsi:VK_LAYER_FENCEBRIDGE_test_mask")
        self.assertEqual(environment["FENCEBRIDGE_TEST_MASK"], "modifiers,wsi")
        self.assertIn("/tests/mask", environment["VK_ADD_LAYER_PATH"])

    def test_without_masks_it_is_not_loaded(self):
        # pylint: disable-next=protected-access
        environment = guest._command_environment(guest.Request(["true"], build=Path("/b")), None)
        self.assertEqual(environment["VK_INSTANCE_LAYERS"], "VK_LAYER_FENCEBRIDGE_wsi")
        self.assertNotIn("FENCEBRIDGE_TEST_MASK", environment)


if __name__ == "__main__":
    unittest.main()
