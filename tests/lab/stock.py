# SPDX-License-Identifier: MIT
"""Debian's own kernels, as their packages have them, with what building a module for them needs."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

from . import artefact, initramfs, rootfs, sandbox
from .archive import Archive, Package
from .host import run_logged
from .say import Ticker

# What of a kernel's dependencies is a part of it: not the tools that put it on a disk.
_PARTS = re.compile(r"linux-(image|binary|modules|base-\d|headers|kbuild|compiler)")
_TO_BUILD = re.compile(r"linux-(headers|kbuild|compiler)")
_KERNEL_FOLDER = "/lab/kernel"

# Where the parts lie differs with the packages' age, and modules.dep is made by whoever installs
# them. The links from the headers to the build programs are relative, and stay valid.
_UNPACK = """
for package in debs/*.deb; do dpkg-deb --extract "$package" unpacked; done
mkdir -p layer/usr/lib build/usr/src build/usr/lib
mv "$(find unpacked -name 'vmlinuz*')" vmlinuz
test ! -d unpacked/lib/modules || mv unpacked/lib/modules layer/usr/lib/
test ! -d unpacked/usr/lib/modules || mv unpacked/usr/lib/modules layer/usr/lib/
mv unpacked/usr/src/linux-* build/usr/src/
mv unpacked/usr/lib/linux-kbuild-* build/usr/lib/
mv "$(find unpacked -path '*bin/busybox')" busybox
release=$(basename layer/usr/lib/modules/*)
rm -f "layer/usr/lib/modules/$release/build" "layer/usr/lib/modules/$release/source"
ln -s usr/lib layer/lib && depmod --basedir "$PWD/layer" "$release" && rm layer/lib
rm -rf debs unpacked archive layer/usr/lib/modules/*/vmlinuz
echo "$release" >release
"""

_DECOMPRESS = """
mkdir first
for module in "$@"; do
    file=first/$(basename "$module")
    cp "layer/usr/lib/modules/$(cat release)/$module" "$file"
    case $file in
        *.xz) xz --decompress "$file" ;;
        *.zst) zstd --quiet --decompress --rm "$file" ;;
        *.gz) gzip --decompress "$file" ;;
    esac
done
"""


@dataclass(frozen=True)
class Stock:
    """A kernel that follows a suite; of several suites, the highest version."""

    name: str
    suites: tuple[str, ...]


@dataclass(frozen=True)
class About:
    """What was found when it was fetched."""

    suite: str    # the one of the suites that had it
    version: str  # of the packages
    release: str  # what `uname -r` says
    tools: tuple[str, ...]  # packages that building a module takes: a compiler, libraries


def ingredients(stock: Stock) -> dict:
    return {"suites": stock.suites, "modules": initramfs.MODULES, "steps": [_UNPACK, _DECOMPRESS],
            "recipe": 1}


def ensure(stock: Stock) -> Path:
    """The kernel's folder: vmlinuz, layer/ (for the guest), build/ (for modules), and the parts of
    an initramfs."""
    return artefact.make("stock", ingredients(stock), lambda part: _build(part, stock))


def path_of(stock: Stock) -> Path:
    """Where ensure() puts it."""
    return artefact.path_of("stock", ingredients(stock))


def outdated(stocks: list[Stock]) -> list[Path]:
    return artefact.others("stock", *map(path_of, stocks))


def about(folder: Path) -> About:
    found = json.loads((folder / "about.json").read_text())
    return About(**found | {"tools": tuple(found["tools"])})


def _build(folder: Path, stock: Stock) -> None:
    ticker = Ticker(f"fetching the kernel {stock.name}")
    log = folder / "build.log"
    root = rootfs.ensure()
    (folder / "debs").mkdir()
    with sandbox.in_use(root):
        source = Archive(root, folder / "archive", stock.suites, log, ticker)
        # Headers and kernel of the same version, since a module has to be built for exactly one.
        image = source.newest("linux-image-amd64")
        headers = Package("linux-headers-amd64", image.version, image.suite)
        image_parts, header_parts = parts_of(image, source), parts_of(headers, source)
        tools = {name for part in header_parts if _TO_BUILD.match(part.name)
                 for name in tool_names(source.depends(part))}
        source.download([*image_parts | header_parts, source.newest("busybox-static")],
                        folder / "debs")
        box = sandbox.Sandbox(root / "root", writable={"kernel": folder})
        _shell(box, _UNPACK, [], log, ticker)
        release = (folder / "release").read_text().strip()
        _shell(box, _DECOMPRESS, _first_modules(folder, release), log, ticker)
    found = About(image.suite, image.version, release, tuple(sorted(tools)))
    (folder / "about.json").write_text(json.dumps(vars(found), indent=2))
    ticker.done(f"{found.release}, version {found.version} of {found.suite}")


def write_initramfs(folder: Path, path: Path) -> None:
    modules = _first_modules(folder, about(folder).release)
    plain = [re.sub(r"(\.ko)\.\w+$", r"\1", Path(module).name) for module in modules]
    initramfs.write(path, folder / "busybox", [folder / "first" / name for name in plain])


def parts_of(package: Package, source: Archive) -> set[Package]:
    """The package and what of its dependencies belongs to the same kernel, by the same version."""
    found = {package}
    for name in part_names(source.depends(package)):
        found |= parts_of(Package(name, package.version, package.suite), source)
    return found


def part_names(depends: str) -> list[str]:
    """Of a Depends field, the parts of a kernel."""
    return [name for name in _first_choices(depends) if _PARTS.match(name)]


def tool_names(depends: str) -> list[str]:
    """Of a Depends field, what is not of the kernel; its compiler by the plain name."""
    return [name.removesuffix("-for-host") for name in _first_choices(depends)
            if not name.startswith("linux-")]


def _first_choices(depends: str) -> list[str]:
    return [choice.split("|")[0].split()[0] for choice in depends.split(",") if choice.strip()]


def _first_modules(folder: Path, release: str) -> list[str]:
    modules = folder / "layer" / "usr" / "lib" / "modules" / release
    return initramfs.load_order((modules / "modules.dep").read_text(),
                                (modules / "modules.builtin").read_text(), initramfs.MODULES)


def _shell(box: sandbox.Sandbox, script: str, arguments: list[str], log: Path,
           ticker: Ticker) -> None:
    run_logged(box.command(["/bin/sh", "-ec", script, "sh", *arguments], _KERNEL_FOLDER), log,
               ticker)
