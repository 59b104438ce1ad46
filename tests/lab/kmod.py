# SPDX-License-Identifier: MIT
"""Modules built for the lab's kernels, and the complaints of compiler, sparse and checkpatch.

A build copies the sources, so that it writes nothing beside them, and so that a test can build
changed sources.
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

# sparse reads these definitions first, for all kernels. The headers of Linux 7 use two features
# that no released sparse knows: __typeof_unqual__ in TYPEOF_UNQUAL() (linux/compiler.h), and the
# length of a string literal as a constant in MODULE_INFO() (linux/moduleparam.h). For a pointer,
# the second definition would be wrong, but sparse evaluates it for literals alone.
_READ_BY_SPARSE = """
#define __typeof_unqual__ __typeof__
#define __builtin_strlen(string) (sizeof(string) - 1)
"""
# The variables that `C=2` sets. Packages of headers lack scripts/checker-valid.sh. The kernel's
# makefiles then reset these variables, unless they are set on make's command line.
_SPARSE = ["KBUILD_CHECKSRC=2", "CHECK=/lab/checker/sparse", "CF=-include /lab/module/sparse.h"]
# Modules for User Mode Linux are built in the lab's root, which has no sparse. The sparse of
# debian-newest's toolchain checks them.
_SPARSE_FOR_UML = "debian-newest"

_UAPI = SOURCE / "kernel-uapi"
_WORK = "/lab/module"
_SOURCES = re.compile(r"(Kbuild|Makefile|dkms\.conf|[\w-]+\.(c|h|S|sh))")
_MADE_BY_BUILDS = re.compile(r"(kernel-has\.h|.*\.mod\.c)")


def ensure(kernel_name: str, source: Path = KMOD, name: str = NAME,
           variables: Mapping[str, str] | None = None,
           changed: Mapping[str, str] | None = None) -> Path:
    """A folder with NAME.ko, built for that kernel from source and from kernel-uapi/ beside it.

    `variables` are for make, such as {"KCFLAGS": "-DX"}. `changed` has texts that replace those of
    some sources, by the sources' file names.
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
    """The compiler's warnings about the module's own files, with W=1."""
    return _complaints(builder_for(kernel_name), ["W=1"])


def sparse(kernel_name: str) -> list[str]:
    """The complaints of sparse about the module's own files, and all errors in included files."""
    builder = builder_for(kernel_name)
    root = builder.root if kernel_name in kernels.STOCK else builder_for(_SPARSE_FOR_UML).root
    builder.box.readonly["checker"] = root / "root" / "usr" / "bin"
    with sandbox.in_use(root):
        return _complaints(builder, _SPARSE, {"sparse.h": _READ_BY_SPARSE},
                           {"sparse of": root.name}, must_say="  CHECK ")


def checkpatch(source: Path = KMOD) -> list[str]:
    """The complaints of the kernel's style checker about the sources, with --strict."""
    tree = kernel.ensure()  # its tree has the script; perl is in the root of a toolchain
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
    """The files in a module's folder, without the products of a build."""
    return sorted(path for path in source.iterdir() if path.is_file()
                  and _SOURCES.fullmatch(path.name) and not _MADE_BY_BUILDS.fullmatch(path.name))


def outdated(gone: Sequence[Path]) -> list[Path]:
    """The modules for kernels that do not exist any more, or that are in `gone`."""
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
    """The complaints in the log of a build, which has `texts` as more files beside the sources. A
    log without a line that begins with `must_say` is an error."""
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
    """The lines `FILE:LINE[:COLUMN]: warning: ...` about files of these names, and all errors. The
    warning "too many warnings" also counts, since sparse reports no further warnings after it."""
    pattern = re.compile(rf"(?:.*/)?({'|'.join(map(re.escape, names))}):\d+(:\d+)?: warning:|"
                         r".*:\d+(:\d+)?: (error:|warning: too many warnings)")
    return list(dict.fromkeys(line for line in log.splitlines() if pattern.match(line)))
