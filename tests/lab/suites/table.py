# SPDX-License-Identifier: MIT
"""The table of suites: what each shows, where it runs, and how long it takes.

`lab test` runs the suites that have a short form, in that form. `lab test --all` runs all suites in
full.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Callable

from .. import build
from . import (allocators, clients, dkms, gpu, install, instructions, kmod, kmod_checks,
               kmod_mutations, lab, meson, mutations, packages, programs, strace, transports,
               validation, wsi)
from .outcome import Outcome

NATIVE = "native"  # in the root, on the host's kernel
GUEST = "guest"    # in a guest

# Arguments: the folder for logs, and whether the suite runs in full.
Run = Callable[[Path, bool], Outcome]


@dataclass(frozen=True)
class Suite:
    """Times are rough, for two processors and a tree that is built. A suite whose short time is 0
    has no short form."""

    name: str
    where: str
    shows: str
    run: Run
    short_seconds: int
    whole_seconds: int
    # The suite itself checks what a guest's kernel complains of, or provokes complaints.
    own_complaints: bool = False
    # Runs the parts of the suite with a text in their names, for --only. None if it has no parts.
    run_some: Callable[[Path, str], Outcome] | None = None


def _always(run: Callable[[Path], Outcome]) -> Run:
    """For a suite that has one form."""
    return lambda out, whole: run(out)


def _native(*suites: str, variant: build.Variant = build.PLAIN) -> Run:
    return _always(lambda out: meson.natively([*suites], out, variant))


def _guest(suite: str) -> Run:
    return _always(lambda out: meson.in_guest([suite], out))


def _soak(out: Path, whole: bool) -> Outcome:
    return meson.in_guest(["soak" if whole else "short_soak"], out, timeout=3600)


def _without_races(out: Path) -> Outcome:
    outcome = meson.natively(["unit", "driver", "compositor", "wsi"], out, build.THREADS)
    outcome.add(meson.in_guest(["races"], out, build.THREADS))
    return outcome


SUITES = {suite.name: suite for suite in [
    Suite("lab", GUEST, "a command in a guest behaves like a child process; the lab's own "
          "tests", _always(lab.run), 150, 150),
    Suite("unit", NATIVE, "the layer's decisions, tested without Vulkan and Wayland",
          _native("unit"), 5, 5),
    Suite("driver", NATIVE, "the layer on a fake driver, through the real loader",
          _native("driver"), 5, 5),
    Suite("compositor", NATIVE, "the layer on a fake compositor that each test controls",
          _native("compositor"), 10, 10),
    Suite("wsi", GUEST, "what the Vulkan specification demands of window system integration, on "
          "the fake compositor (tests/wsi/musts.toml), and on five real ones, judged by what they "
          "report of each frame", _always(wsi.run), 150, 150),
    Suite("fences", GUEST, "fences between layer and fake compositor on real dma-bufs, with all "
          "transports", _guest("fences"), 15, 15),
    Suite("soak", GUEST, "nothing grows in 10,000 frames (whole: up to 100,000), on several "
          "threads", _soak, 50, 240),
    Suite("preload", GUEST, "the preload library answers as the kernel does",
          _guest("preload"), 5, 5),
    Suite("clients", GUEST, "the frames of vkcube and of an example on six compositors, and the "
          "example's pixels", _always(clients.run), 110, 110),
    Suite("allocators", GUEST, "each image allocator, and an example's pixels, on four "
          "compositors, and on Linux 5.10 without udmabuf", _always(allocators.run), 0, 160),
    Suite("programs", GUEST, "mpv, GTK, SDL, Zink and others do with the layer what they do "
          "without it, on three compositors", _always(programs.run), 0, 480),
    Suite("transports", GUEST, "the choice of a transport on five compositors, and on two stock "
          "kernels (whole: four)", transports.run, 360, 600),
    Suite("strace", GUEST, "a frame exports and imports at most one fence, with few system "
          "calls; no shared memory, no thread", _always(strace.run), 45, 45),
    Suite("instructions", GUEST, "the number of the layer's instructions in a frame",
          _always(instructions.run), 45, 45),
    Suite("validation", GUEST, "the validation layer, above and below the layer, reports nothing",
          _always(validation.run), 40, 40),
    Suite("gpu", GUEST, "with fences of a GPU that stay pending: what is seen, and the order of "
          "rendering and reading (whole: what the calls wait for, and when payloads signal)",
          gpu.run, 90, 400),
    Suite("install", GUEST, "switching the installed layer on and off, by name and by variables; "
          "uninstalling it",
          _always(install.run), 30, 30),
    Suite("kmod", GUEST, "the kernel module on three kernels (whole: six)", kmod.run, 400, 1000,
          own_complaints=True),
    Suite("kmod-checks", NATIVE, "compiler, sparse and checkpatch accept the module, on three "
          "kernels (whole: six)", kmod_checks.run, 5, 5),
    Suite("kmod-mutations", GUEST, "a test notices each mutation of the module (docs/lab.md)",
          _always(kmod_mutations.run), 0, 290, own_complaints=True,
          run_some=kmod_mutations.run),
    Suite("dkms", GUEST, "DKMS builds and installs the module", _always(dkms.run), 40, 40),
    Suite("packages", GUEST, "the .debs of Debian 12 and testing: built, checked by lintian, "
          "installed, used, upgraded and purged", _always(packages.run), 0, 300),
    Suite("sanitizers", NATIVE, "unit, driver, compositor and wsi with AddressSanitizer and "
          "UBSan", _native("unit", "driver", "compositor", "wsi", variant=build.SANITIZERS), 60,
          60),
    Suite("tsan", GUEST, "unit, driver, compositor and wsi with ThreadSanitizer, and several "
          "threads on every transport", _always(_without_races), 180, 180),
    Suite("mutations", GUEST, "a test notices each mutation of the layer (docs/lab.md)",
          _always(mutations.run), 0, 1600, own_complaints=True, run_some=mutations.run),
]}
