# SPDX-License-Identifier: MIT
"""Modules built for the lab's kernels, and what compiler, sparse and checkpatch say of them.

The sources are copied, so that nothing is written beside them, and so that a test can change them
on the way.
"""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from . import artefact, kernel, kernels, sandbox
from .boot import Builder
from .host import run_logged
from .paths import SOURCE, cache
from .say import LabError, Ticker

KMOD = SOURCE / "kmod"
NAME = "fencebridge"

# The headers of Linux 7 use what no released sparse knows, so it reads this first, for all kernels:
# TYPEOF_UNQUAL() of linux/compiler.h, and MODULE_INFO() of linux/moduleparam.h, which asserts the
# length of a literal. A pointer's length would be wrong, but sparse works out no other.
_READ_BY_SPARSE = """
#define __typeof_unqual__ __typeof__
#define __builtin_strlen(string) (sizeof(string) - 1)
"""
# What `C=2` sets, which they take back where scripts/checker-valid.sh is missing, as it is in
# packages of headers: but not from make's command line.
_SPARSE = ["KBUILD_CHECKSRC=2", "CHECK=/lab/checker/sparse", "CF=-include /lab/module/sparse.h"]
# User Mode Linux is built in a root without sparse; the one of this kernel's toolchain runs there.
_SPARSE_FOR_UML = "debian-newest"

_UAPI = SOURCE / "kernel-uapi"
_WORK = "/lab/module"
_SOURCES = re.compile(r"(Kbuild|Makefile|dkms\.conf|[\w-]+\.(c|h|S|sh))")
_MADE_BY_BUILDS = re.compile(r"(kernel-has\.h|.*\.mod\.c)")


def ensure(kernel_name: str, source: Path = KMOD, name: str = NAME,
           variables: Mapping[str, str] | None = None,
           changed: Mapping[str, str] | None = None) -> Path:
    """A folder with NAME.ko, built for that kernel from source and kernel-uapi/ beside it.

    variables are make's, such as {"KCFLAGS": "-DX"}. changed has other texts for some of the
    sources, by their file names.
    """
    arguments = [f"{key}={value}" for key, value in (variables or {}).items()]
    builder = builder_for(kernel_name)
    texts = _texts_of(source, changed or {})
    made_from = _ingredients(builder, texts, arguments) | {"name": name}

    def build(folder: Path) -> None:
        _write_sources(texts, folder)
        _make(builder, folder, arguments, f"building {name}.ko for {builder.release}")
        if not (folder / "kmod" / f"{name}.ko").exists():
            raise LabError(f"{source} builds no {name}.ko; see its Kbuild")
        (folder / "kmod" / f"{name}.ko").rename(folder / f"{name}.ko")
        for rest in ("kmod", "kernel-uapi"):
            artefact.remove_tree(folder / rest)

    return artefact.make("module", made_from, build)


def warnings(kernel_name: str) -> list[str]:
    """What the compiler says of the module's own files with W=1."""
    return _complaints(builder_for(kernel_name), ["W=1"])


def sparse(kernel_name: str) -> list[str]:
    """What sparse says of the module's own files; errors in what they include are among it."""
    builder = builder_for(kernel_name)
    root = builder.root if kernel_name in kernels.STOCK else builder_for(_SPARSE_FOR_UML).root
    builder.box.readonly["checker"] = root / "root" / "usr" / "bin"
    with sandbox.in_use(root):
        return _complaints(builder, _SPARSE, {"sparse.h": _READ_BY_SPARSE},
                           {"sparse of": root.name}, must_say="  CHECK ")


def checkpatch(source: Path = KMOD) -> list[str]:
    """What the kernel's own checker of style says of the sources, strictly: one line each."""
    tree = kernel.ensure()  # the one source with its scripts, which take a whole perl
    root = builder_for(kernels.STOCK[-1]).root
    with sandbox.in_use(tree), sandbox.in_use(root):
        box = sandbox.Sandbox(root / "root", readonly={
            "kernel": tree, "module/kmod": source, "module/kernel-uapi": _uapi_of(source)})
        files = [f"kmod/{path.name}" for path in sources_of(source)]
        files += [f"kernel-uapi/{path.name}" for path in sorted(_uapi_of(source).glob("*.h"))]
        done = box.run(["perl", "/lab/kernel/tree/scripts/checkpatch.pl", "--no-tree", "--strict",
                        "--terse", "--show-types", "--no-summary", "--file", *files], _WORK,
                       capture_output=True, text=True)
    complaints = done.stdout.splitlines()
    if done.stderr or (done.returncode != 0 and not complaints):
        raise LabError(f"checkpatch failed with status {done.returncode}: {done.stderr}")
    return complaints


def builder_for(kernel_name: str) -> Builder:
    kind = kernels.find(kernel_name)
    return kind.builder(kind.ensure())


def sources_of(source: Path) -> list[Path]:
    """The files of a module's folder that are not the products of a build."""
    return sorted(path for path in source.iterdir() if path.is_file()
                  and _SOURCES.fullmatch(path.name) and not _MADE_BY_BUILDS.fullmatch(path.name))


def outdated(gone: Sequence[Path]) -> list[Path]:
    """A module is for one kernel: those of kernels that are not there, or are among these."""
    found = []
    for folder in artefact.others("module"):
        wanted = cache() / json.loads((folder / "made-from.json").read_text())["kernel"]
        if wanted in gone or not wanted.is_dir():
            found.append(folder)
    return found


def _uapi_of(source: Path) -> Path:
    beside = source.resolve().parent / "kernel-uapi"
    return beside if beside.is_dir() else _UAPI


def _texts_of(source: Path, changed: Mapping[str, str]) -> dict[str, str]:
    """The texts of all sources and headers, by their paths in the folder of a build."""
    texts = {f"kmod/{path.name}": path.read_text() for path in sources_of(source)}
    for name, text in changed.items():
        if f"kmod/{name}" not in texts:
            raise LabError(f"{source} has no source {name}")
        texts[f"kmod/{name}"] = text
    return texts | {f"kernel-uapi/{path.name}": path.read_text()
                    for path in sorted(_uapi_of(source).glob("*.h"))}


def _ingredients(builder: Builder, texts: Mapping[str, str], arguments: list[str]) -> dict:
    return {"kernel": builder.kernel.name, "release": builder.release,
            "toolchain": builder.root.name, "arguments": arguments,
            "sources": {path: artefact.key_of(text) for path, text in texts.items()}}


def _write_sources(texts: Mapping[str, str], folder: Path) -> None:
    for path, text in texts.items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text(text)


def _make(builder: Builder, folder: Path, arguments: list[str], what: str) -> Path:
    """Builds the copied sources; returns the log."""
    log = folder / "build.log"
    ticker = Ticker(what)
    with sandbox.in_use(builder.root), sandbox.in_use(builder.kernel):
        builder.box.writable["module"] = folder
        command = [*builder.make, f"M={_WORK}/kmod", *arguments, "modules"]
        run_logged(builder.box.command(command), log, ticker)
    ticker.done()
    return log


def _complaints(builder: Builder, arguments: list[str], texts: Mapping[str, str] | None = None,
                ingredients: Mapping[str, str] | None = None, must_say: str = "") -> list[str]:
    """texts are more files beside the sources, must_say begins a line of a build that worked."""
    texts = texts or {}
    sources = _texts_of(KMOD, {})
    made_from = _ingredients(builder, sources, arguments) | {
        "purpose": "check", "texts": texts, **(ingredients or {})}

    def build(folder: Path) -> None:
        _write_sources(sources, folder)
        for name, text in texts.items():
            (folder / name).write_text(text)
        log = _make(builder, folder, arguments,
                    f"checking with {arguments[0]} for {builder.release}").read_text()
        if must_say and f"\n{must_say}" not in log:
            raise LabError(f"{folder / 'build.log'} has no line {must_say!r}")
        names = [path.name for part in ("kmod", "kernel-uapi")
                 for path in (folder / part).iterdir()]
        (folder / "complaints").write_text("\n".join(complaints_about(log, names)))
        for rest in ("kmod", "kernel-uapi"):
            artefact.remove_tree(folder / rest)

    return (artefact.make("module", made_from, build) / "complaints").read_text().splitlines()


def complaints_about(log: str, names: list[str]) -> list[str]:
    """The lines `FILE:LINE[:COLUMN]: warning: ...` about files of these names, and every error's;
    after too many warnings about others, sparse says no more of these."""
    pattern = re.compile(rf"(?:.*/)?({'|'.join(map(re.escape, names))}):\d+(:\d+)?: warning:|"
                         r".*:\d+(:\d+)?: (error:|warning: too many warnings)")
    return list(dict.fromkeys(line for line in log.splitlines() if pattern.match(line)))
