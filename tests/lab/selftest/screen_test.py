# SPDX-License-Identifier: MIT
"""The suite `wsi` runs every scenario of screen_client, and understands its output."""

import re
import unittest

from lab.paths import SOURCE
from lab.suites import screen


class Screen(unittest.TestCase):
    def test_the_suite_names_every_scenario(self):
        text = (SOURCE / "tests/screen/main.cpp").read_text()
        self.assertEqual(set(screen.SCENARIOS), set(re.findall(r'\{"(\w+)",\s*\w+,', text)))

    def test_verdicts(self):
        found = dict(screen.verdicts("a warning\nok one\nFAILED two\n  first\n  second\n"
                                     "absent three\n"))
        self.assertEqual(found, {"one": ("ok", []), "two": ("FAILED", ["first", "second"]),
                                 "three": ("absent", [])})
