# SPDX-License-Identifier: MIT
"""The files for packages agree with each other: versions, and completions of the tools' options."""

import re
import unittest

from lab import debs
from lab.paths import SOURCE

COMPLETION = SOURCE / "packaging" / "completion"
TOOLS = ("fencebridge-info", "fencebridge-trace")

# Where each file has the version.
VERSIONS = {
    "meson.build": r"^  version: '(.+)',$",
    "kmod/device.c": r'^MODULE_VERSION\("(.+)"\);$',
    "packaging/rpm/fencebridge.spec": r"^Version: +(.+)$",
    "packaging/arch/PKGBUILD": r"^pkgver=(.+)$",
    "tests/lab/guest/dkms.sh": r"^version=fencebridge/(.+)$",
    "kmod/README.md": r"/usr/src/fencebridge-([\d.]+)`",
}


def options(text: str) -> set[str]:
    return set(re.findall(r"--[a-z][a-z-]+", text))


def fish_options(text: str) -> set[str]:
    return {f"--{name}" for name in re.findall(r" -l (\S+)", text)}


class Versions(unittest.TestCase):
    def test_all_files_have_that_of_the_changelog(self):
        for name, pattern in VERSIONS.items():
            found = re.search(pattern, (SOURCE / name).read_text(), re.MULTILINE)
            self.assertIsNotNone(found, name)
            self.assertEqual(found[1], debs.version_of(SOURCE), name)

    def test_the_upgraded_version_is_lower(self):
        self.assertLess(*([int(part) for part in version.split(".")]
                          for version in (debs.OLD, debs.version_of(SOURCE))))


class Completions(unittest.TestCase):
    def test_all_shells_complete_the_same_options(self):
        for tool in TOOLS:
            found = {shell: (COMPLETION / f"{tool}.{shell}").read_text()
                     for shell in ("bash", "fish", "zsh")}
            self.assertEqual(options(found["bash"]), options(found["zsh"]), tool)
            self.assertEqual(options(found["bash"]), fish_options(found["fish"]), tool)

    def test_the_options_are_those_of_the_man_page(self):
        for page in (SOURCE / "tools").glob("*/*.1"):
            text = (COMPLETION / f"{page.stem}.bash").read_text()
            # mdoc writes --json as `.Fl -json`, man as `\-\-json`.
            written = page.read_text().replace(r"\-", "-").replace("Fl -", "Fl --")
            self.assertEqual(options(text), options(written), page.name)


if __name__ == "__main__":
    unittest.main()
