# SPDX-License-Identifier: MIT
"""The archive for machines with a GPU: what tests/gpu/target.sh runs there, with all libraries.

The programs are Debian 12's and this tree's, built on Debian 12. What is not packed is the C
library, so the other machine's has to be as new; that is checked for the oldest machines that are
to be supported. Most libraries are packed only in case that the other machine lacks them: its
driver is loaded into the same processes, and may need newer ones.
"""

import argparse
import json
import re
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

from . import build, sandbox
from .paths import BUILD_IN_ROOT, SOURCE
from .say import LabError, Ticker

FOLDER = "fencebridge-gpu"  # the archive's only entry
MOST_BYTES = 60 << 20
GLIBC = (2, 39)  # that of Ubuntu 24.04

_LIB = "/usr/lib/x86_64-linux-gnu"
# Paths in the root, of files that are copied to a folder of the archive.
_PACKED = {
    "bin": ["/usr/bin/weston", "/usr/bin/weston-screenshooter", "/usr/bin/vkcube-wayland",
            "/usr/bin/vulkaninfo"],
    # What Weston loads and starts.
    "weston": [f"{_LIB}/libweston-10/headless-backend.so", f"{_LIB}/weston/desktop-shell.so",
               f"{_LIB}/weston-desktop-shell"],
    "layers/validation": [f"{_LIB}/libVkLayer_khronos_validation.so"],
    # What drivers load, beside what the programs load.
    "lib/if-missing": [f"{_LIB}/{name}" for name in (
        "libX11.so.6", "libXext.so.6", "libX11-xcb.so.1", "libxcb.so.1", "libwayland-client.so.0",
        "libdrm.so.2", "libgbm.so.1")],
}
# The same in the build folder.
_BUILT = {
    "bin": ["examples/fencebridge-still", "tests/gpu/gpu_frames", "tests/gpu/gpu_copy_limit"],
    "layers/fencebridge": ["layer/libVkLayer_FENCEBRIDGE_wsi.so"],
    "layers/mask": ["tests/mask/libVkLayer_FENCEBRIDGE_test_mask.so"],
}
_MANIFESTS = {
    "layers/validation": "/usr/share/vulkan/explicit_layer.d/VkLayer_khronos_validation.json",
    "layers/fencebridge": f"{BUILD_IN_ROOT}/json/VkLayer_FENCEBRIDGE_wsi.json",
    "layers/mask": f"{BUILD_IN_ROOT}/tests/mask/VkLayer_FENCEBRIDGE_test_mask.json",
}
# Files of this tree, and their names in the archive.
_SCRIPTS = {"tests/gpu/target.sh": "run",
            "tests/gpu/vk_layer_settings.txt": "vk_layer_settings.txt",
            "tests/lab/data/weston.ini": "weston.ini",
            "tests/lab/guest/screenshot-weston.sh": "screenshot"}

# Always the packed ones, so that every machine runs the same loader and compositor.
_OWN_LIBRARY = re.compile(r"lib(vulkan|weston|exec_weston)\b")
# Parts of glibc.
_C_LIBRARY = re.compile(r"(ld-linux-x86-64|lib(c|m|mvec|dl|pthread|rt|resolv|util|anl))\.so\.\d+$")


def archive_name(text: str) -> Path:
    if not text.endswith((".tar.xz", ".tar.gz")):
        raise argparse.ArgumentTypeError("the name has to end in .tar.xz or .tar.gz")
    return Path(text)


def run(archive: Path) -> int:
    root = build.PORTABLE.root()
    with sandbox.in_use(root), tempfile.TemporaryDirectory(prefix="fencebridge-pack-") as name:
        targets = tuple(name for names in _BUILT.values() for name in names)
        built = build.ensure(build.PORTABLE, targets=targets)
        ticker = Ticker(f"packing {archive}")
        _Packer(root, built, Path(name)).fill()
        size = _write(archive, Path(name))
    ticker.done(f"{size / (1 << 20):.1f} MiB")
    return 0


class _Packer:
    def __init__(self, root: Path, built: Path, folder: Path):
        self.root, self.built, self.folder = root / "root", built, folder
        self.box = build.box_of(build.PORTABLE, root)
        self.box.writable["packed"] = folder
        self.files: list[str] = []  # the packed programs and libraries: their paths in the root

    def fill(self) -> None:
        for source, name in _SCRIPTS.items():
            shutil.copy(SOURCE / source, self.folder / name)
        (self.folder / "run").chmod(0o755)
        shutil.copytree(self._on_host("/usr/share/X11/xkb"), self.folder / "xkb", symlinks=True)
        for place, paths in _PACKED.items():
            self._add(paths, place)
        for place, names in _BUILT.items():
            self._add([f"{BUILD_IN_ROOT}/{name}" for name in names], place)
            self._output("strip", "--strip-unneeded",
                         *(f"/lab/packed/{place}/{Path(name).name}" for name in names))
        for place, path in _MANIFESTS.items():
            manifest = relocated(json.loads(self._on_host(path).read_text()))
            (self.folder / place / Path(path).name).write_text(json.dumps(manifest, indent=2))
        for path in libraries_of(self._output("ldd", *self.files)):
            self._add([path], "lib" if _OWN_LIBRARY.match(Path(path).name) else "lib/if-missing")
        needed = newest_glibc(self._output("objdump", "--private-headers", *self.files))
        (self.folder / "about").write_text(f"fencebridge: {_commit()}\nglibc: {needed}\n")

    def _add(self, paths: list[str], place: str) -> None:
        self.files += paths
        (self.folder / place).mkdir(parents=True, exist_ok=True)
        for path in paths:
            shutil.copy(self._on_host(path), self.folder / place)

    def _on_host(self, path: str) -> Path:
        inner = Path(path)
        if inner.is_relative_to(BUILD_IN_ROOT):
            return self.built / inner.relative_to(BUILD_IN_ROOT)
        return self.root / inner.relative_to("/")

    def _output(self, *command: str) -> str:
        done = self.box.run([*command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if done.returncode != 0:
            raise LabError(f"{command[0]} failed with status {done.returncode}:\n{done.stderr}")
        return done.stdout


def libraries_of(ldd: str) -> list[str]:
    """The paths of the libraries that ldd lists, each name once, without those of glibc. Raises
    LabError if one is missing."""
    found = {}
    for name, path in re.findall(r"^\s+(\S+) => (.+?)(?: \(0x\w+\))?$", ldd, re.MULTILINE):
        if path == "not found":
            raise LabError(f"the root of packed programs lacks {name}")
        if not _C_LIBRARY.match(name):
            found[name] = path
    return [found[name] for name in sorted(found)]


def newest_glibc(headers: str, most: tuple[int, int] = GLIBC) -> str:
    """The newest version of glibc whose symbols some file needs, from the output of objdump. Raises
    LabError if that is newer than `most`."""
    newest = (0, 0)
    for part in re.split(r"^(?=\S+: +file format )", headers, flags=re.MULTILINE):
        references = part.partition("Version References:")[2]
        for version in re.findall(r"\bGLIBC_(\d+)\.(\d+)", references):
            needed = int(version[0]), int(version[1])
            if needed > most:
                raise LabError(f"{part.partition(':')[0]} needs glibc {needed[0]}.{needed[1]}; the "
                               f"oldest machines have {most[0]}.{most[1]}")
            newest = max(newest, needed)
    return f"{newest[0]}.{newest[1]}"


def relocated(manifest: dict) -> dict:
    """The manifest of a layer whose library is beside it."""
    layer = manifest["layer"]
    library = Path(layer["library_path"]).name
    return manifest | {"layer": layer | {"library_path": f"./{library}"}}


def _commit() -> str:
    try:
        done = subprocess.run(["git", "-C", str(SOURCE), "describe", "--always", "--dirty"],
                              capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return done.stdout.strip()


def _write(archive: Path, folder: Path, most_bytes: int = MOST_BYTES) -> int:
    """Packs the folder; returns the size. A file of that name is always a complete archive."""
    def owned_by_root(member: tarfile.TarInfo) -> tarfile.TarInfo:
        member.uid = member.gid = 0
        member.uname = member.gname = "root"
        return member

    archive.parent.mkdir(parents=True, exist_ok=True)
    part = archive.with_name(f"{archive.name}.part")
    try:
        with tarfile.open(part, f"w:{archive.suffix[1:]}") as tar:
            tar.add(folder, FOLDER, filter=owned_by_root)
        size = part.stat().st_size
        if size > most_bytes:
            raise LabError(f"{archive} would have {size} bytes, more than {most_bytes}")
        part.rename(archive)
    finally:
        part.unlink(missing_ok=True)
    return size
