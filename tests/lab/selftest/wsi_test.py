# SPDX-License-Identifier: MIT
"""The list of what the Vulkan specification demands of window system integration."""

import re
import tomllib
import unittest

from ..mutation import filters
from ..paths import SOURCE
from ..suites import wsi

TESTS = SOURCE / "tests"


def tests_in(file: str) -> list[str]:
    """The names of the tests in tests/FOLDER/NAME_test.cpp, which `file` names as FOLDER/NAME."""
    return filters.googletest_names((TESTS / f"{file}_test.cpp").read_text())


# What only a test on the fake compositor may use.
FAKE = re.compile(r"\b(start\(|compositor_?\b|fake_driver\(|shown\()")


class Musts(unittest.TestCase):
    def setUp(self):
        self.table = tomllib.loads(wsi.MUSTS.read_text())
        self.named = [test.split(" ") for must in self.table["must"] for test in must["tests"]]

    def test_every_entry_is_complete(self):
        self.assertEqual(set(self.table), {"must", "gap"})
        for kind, keys in (("must", {"name", "section", "says", "tests"}),
                           ("gap", {"name", "section", "says", "why"})):
            for entry in self.table[kind]:
                self.assertEqual(set(entry) - {"real"}, keys, entry["name"])
                self.assertTrue(all(entry.values()), entry["name"])

    def test_names_are_unique(self):
        names = [entry["name"] for kind in self.table.values() for entry in kind]
        self.assertEqual(len(set(names)), len(names))

    def test_every_must_names_tests_that_exist(self):
        for file, name in self.named:
            with self.subTest(name):
                self.assertTrue(any(filters.may_match(name, each) for each in tests_in(file)),
                                f"{file} has no test {name}")

    def test_every_test_of_the_suite_shows_a_must(self):
        sources = sorted((TESTS / "wsi").glob("*_test.cpp"))
        self.assertTrue(sources)
        for path in sources:
            file = f"wsi/{path.name.removesuffix('_test.cpp')}"
            for test in tests_in(file):
                with self.subTest(test):
                    self.assertTrue(any(file == other and filters.may_match(name, test)
                                        for other, name in self.named), "no must names it")

    def test_what_runs_on_real_compositors_does_not_control_one(self):
        programs = wsi.tests_for_real_compositors()
        self.assertTrue(programs)
        for program, names in programs.items():
            text = (TESTS / "wsi" / f"{program}_test.cpp").read_text()
            for name in names:
                with self.subTest(name):
                    suite, _, test = name.partition(".")
                    body = re.search(rf"^TEST_F\({suite}, {test}\) {{(.*?)}}$", text,
                                     re.MULTILINE | re.DOTALL)[1]
                    self.assertNotRegex(re.sub("//.*", "", body), FAKE)


if __name__ == "__main__":
    unittest.main()
