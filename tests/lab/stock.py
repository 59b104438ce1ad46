# SPDX-License-Identifier: MIT
"""Debian's own kernels from their packages, and the headers to build modules for them."""

import json
import re
from dataclasses import dataclass
from pathlib import Path

from . import artefact, initramfs, rootfs, sandbox
from .archive import Archive, Package
from .host import run_logged
from .say import Ticker

# Matches those dependencies of a kernel's package that are parts of the kernel. The others are for
# installing the kernel, or for building modules.
_PARTS = re.compile(r"linux-(image|binary|modules|base-\d|headers|kbuild|compiler)")
_TO_BUILD = re.compile(r"linux-(headers|kbuild|compiler)")
_KERNEL_FOLDER = "/lab/kernel"

# Old and new packages have the parts in different folders. modules.dep is in no package: depmod
# creates it. The links from the headers to the build programs are relative, and stay valid.
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
    """The newest kernel of a suite, or of several suites."""

    name: str
    suites: tuple[str, ...]


@dataclass(frozen=True)
class About:
    """The kernel that was the newest when it was fetched."""

    suite: str    # the suite that had it
    version: str  # of the packages
    release: str  # the output of `uname -r`
    tools: tuple[str, ...]  # packages that building a module needs: a compiler, libraries


def ingredients(stock: Stock) -> dict:
    return {"suites": stock.suites, "modules": initramfs.MODULES, "steps": [_UNPACK, _DECOMPRESS],
            "recipe": 1}


def ensure(stock: Stock) -> Path:
    """The artefact's folder, with vmlinuz, layer/ (an overlay for the guest's root), build/ (to
    build modules with) and the parts of an initramfs."""
    return artefact.make("stock", ingredients(stock), lambda part: _build(part, stock))


def path_of(stock: Stock) -> Path:
    """The folder that ensure() returns."""
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
        # A module has to be built with the headers of exactly its kernel's version.
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
    """The package, and those of its dependencies that are parts of the same kernel."""
    found = {package}
    for name in part_names(source.depends(package)):
        found |= parts_of(Package(name, package.version, package.suite), source)
    return found


def part_names(depends: str) -> list[str]:
    """The parts of a kernel in a field `Depends`."""
    return [name for name in _first_choices(depends) if _PARTS.match(name)]


def tool_names(depends: str) -> list[str]:
    """The packages in a field `Depends` that are no parts of the kernel, such as a compiler."""
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
