# SPDX-License-Identifier: MIT
"""The table of the settings has the format of a layer manifest; documents agree with it."""

import importlib.util
import json
import unittest

from ..paths import SOURCE

# What each type must have and may have, beside the members of every type
# (LunarG/VulkanTools, vkconfig_core/layers/layers_schema.json).
_MEMBERS = {
    "ENUM": ({"flags"}, set()),
    "FLAGS": ({"flags"}, set()),
    "FLOAT": (set(), {"range", "unit"}),
    "INT": (set(), {"range", "unit"}),
    "SAVE_FILE": (set(), {"filter"}),
    "SAVE_FOLDER": (set(), set()),
}
_REQUIRED = {"key", "label", "description", "type", "default"}


def _generator():
    path = SOURCE / "layer/settings/generate.py"
    specification = importlib.util.spec_from_file_location("generate", path)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


class Settings(unittest.TestCase):
    def setUp(self):
        self.generator = _generator()
        self.settings = self.generator.read_table()

    def test_documents_agree_with_the_table(self):
        for path, text in self.generator.documents():
            self.assertEqual(path.read_text(), text, "run layer/settings/generate.py docs")

    def test_the_table_has_the_format_of_a_manifest(self):
        for setting in self.settings:
            with self.subTest(setting["key"]):
                required, optional = _MEMBERS[setting["type"]]
                self.assertLessEqual(_REQUIRED | required, set(setting))
                self.assertLessEqual(set(setting), _REQUIRED | required | optional | {"view"})
                self.assertIn(setting.get("view", "STANDARD"), ["STANDARD", "ADVANCED", "DEBUG"])
                for flag in setting.get("flags", []):
                    self.assertEqual(set(flag), {"key", "label", "description"})

    def test_defaults_are_allowed(self):
        for setting in self.settings:
            with self.subTest(setting["key"]):
                value = setting["default"]
                names = {flag["key"] for flag in setting.get("flags", [])}
                if setting["type"] == "ENUM":
                    self.assertIn(value, names)
                elif setting["type"] == "FLAGS":
                    self.assertLessEqual(set(value), names)
                elif "range" in setting:
                    self.assertTrue(setting["range"]["min"] <= value <= setting["range"]["max"])

    def test_the_manifest_has_the_settings_with_their_variables(self):
        members = self.generator.manifest(self.settings)
        found = json.loads(f'{{"type": "GLOBAL"{members}}}')["features"]["settings"]
        self.assertEqual([setting["key"] for setting in found],
                         [setting["key"] for setting in self.settings])
        variables = {setting["key"]: setting["env"] for setting in found}
        self.assertEqual(variables["log_level"], "FENCEBRIDGE_LOG_LEVEL")
