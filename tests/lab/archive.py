# SPDX-License-Identifier: MIT
"""Packages of other Debian suites than the root's: found and verified by apt, but not installed.

The apt of the root does that, with separate sources and lists for each use. Debian's keyring in the
root has the keys of older suites as well.
"""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from . import host, sandbox
from .host import run_logged
from .say import LabError, Ticker

_KEYRING = "/usr/share/keyrings/debian-archive-keyring.pgp"
_STATE = "/lab/archive"
_OPTIONS = {"Dir::Etc::SourceList": f"{_STATE}/sources.list", "Dir::Etc::SourceParts": "/dev/null",
            "Dir::State::Lists": f"{_STATE}/lists", "Dir::State::status": "/dev/null",
            "Dir::Cache::archives": f"{_STATE}/archives", "Acquire::Languages": "none",
            "Debug::NoLocking": "1"}


@dataclass(frozen=True)
class Package:
    name: str
    version: str
    suite: str

    def __str__(self) -> str:
        return f"{self.name}={self.version}"


def version_key(version: str) -> tuple:
    """A key that sorts versions as Debian's policy does: ~ sorts before the end of a part, the end
    before letters, and letters before all other characters."""
    def part(text: str) -> list:
        return [([_weight(c) for c in letters] + [0], int(digits or 0))
                for letters, digits in re.findall(r"(\D*)(\d*)", text)]

    epoch, colon, rest = version.rpartition(":")
    upstream, dash, revision = rest.rpartition("-")
    return (int(epoch) if colon else 0, part(upstream if dash else revision),
            part(revision if dash else ""))


def _weight(character: str) -> int:
    if character == "~":
        return -1
    return ord(character) if character.isalpha() else ord(character) + 256


def newest(packages: list[Package]) -> Package:
    return max(packages, key=lambda package: version_key(package.version))


class Archive:
    """Some suites of the mirror in their present state. The folder is for apt's own files."""

    def __init__(self, root: Path, folder: Path, suites: tuple[str, ...], log: Path,
                 ticker: Ticker):
        self.log, self.ticker, self.suites = log, ticker, suites
        for name in ("lists/partial", "archives/partial"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        (folder / "sources.list").write_text("".join(source_line(suite) for suite in suites))
        self.box = sandbox.Sandbox(root / "root", writable={"archive": folder})
        self._apt("apt-get", "update")

    def versions(self, name: str) -> list[Package]:
        """The packages of this name in the suites."""
        lines = self._ask("madison", name).splitlines()
        found = [[part.strip() for part in line.split("|")] for line in lines]
        return [Package(name, version, source.split()[1].split("/")[0])
                for _, version, source in found]

    def newest(self, name: str) -> Package:
        found = self.versions(name)
        if not found:
            raise LabError(f"Debian {', '.join(self.suites)} has no package {name}")
        return newest(found)

    def depends(self, package: Package) -> str:
        """The package's field `Depends`."""
        text = self._ask("show", str(package)).partition("\n\n")[0]
        field = re.search(r"^Depends: (.*)$", text, re.MULTILINE)
        return field[1] if field else ""

    def download(self, packages: list[Package], into: Path) -> None:
        self.box.writable["into"] = into
        self._apt("apt-get", "download", *map(str, packages), cwd="/lab/into")

    def _apt(self, program: str, *arguments: str, cwd: str = "/") -> None:
        command = [program, *self._options(), *arguments]
        run_logged(self.box.command(command, cwd), self.log, self.ticker)

    def _ask(self, *arguments: str) -> str:
        done = self.box.run(["apt-cache", *self._options(), *arguments],
                            stdout=subprocess.PIPE, text=True)
        return done.stdout

    def _options(self) -> list[str]:
        own = [part for name, value in _OPTIONS.items() for part in ("-o", f"{name}={value}")]
        return [*sandbox.apt_options(), *own]


def source_line(suite: str, keyring: str = _KEYRING) -> str:
    return f"deb [signed-by={keyring}] {host.mirror()} {suite} main\n"
