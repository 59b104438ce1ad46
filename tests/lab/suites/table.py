# SPDX-License-Identifier: MIT
"""The suites: what each shows, where it runs, and how long it takes.

`lab test` runs the short form of each that has one, `lab test --all` the whole of all.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Callable

from .. import build
from . import (clients, dkms, install, instructions, kmod, kmod_checks, kmod_mutations, lab, meson,
               mutations, strace, transports, validation)
from .outcome import Outcome

NATIVE = "native"  # in the root, on this machine's kernel
GUEST = "guest"    # in the root, on the lab's kernel

# The folder for logs, and whether all of it is to run.
Run = Callable[[Path, bool], Outcome]


@dataclass(frozen=True)
class Suite:
    """The times are rough, for two processors and a tree that is built; `lab test` leaves out what
    has no short one."""

    name: str
    where: str
    shows: str
    run: Run
    short_seconds: int
    whole_seconds: int
    # The suite itself checks what a guest's kernel complains of, or provokes complaints.
    own_complaints: bool = False
    # Runs the parts that have a text in their name; none: the suite runs as a whole.
    run_some: Callable[[Path, str], Outcome] | None = None


def _always(run: Callable[[Path], Outcome]) -> Run:
    """For a suite whose short form is the whole."""
    return lambda out, whole: run(out)


def _native(*suites: str, variant: build.Variant = build.PLAIN) -> Run:
    return _always(lambda out: meson.natively([*suites], out, variant))


def _guest(suite: str) -> Run:
    return _always(lambda out: meson.in_guest([suite], out))


def _soak(out: Path, whole: bool) -> Outcome:
    return meson.in_guest(["soak" if whole else "short_soak"], out, timeout=3600)


def _without_races(out: Path) -> Outcome:
    outcome = meson.natively(["unit", "driver", "compositor"], out, build.THREADS)
    outcome.add(meson.in_guest(["races"], out, build.THREADS))
    return outcome


SUITES = {suite.name: suite for suite in [
    Suite("lab", GUEST, "the lab itself: a guest's command behaves like a child process",
          _always(lab.run), 150, 150),
    Suite("unit", NATIVE, "the layer's decisions, without Vulkan or Wayland",
          _native("unit"), 5, 5),
    Suite("driver", NATIVE, "the layer on a fake driver, through the real loader",
          _native("driver"), 5, 5),
    Suite("compositor", NATIVE, "the layer on a fake compositor that a test scripts",
          _native("compositor"), 10, 10),
    Suite("fences", GUEST, "fences between layer and fake compositor, on real dma-bufs, by the "
          "kernel's ioctls, by the module and by timelines", _guest("fences"), 15, 15),
    Suite("soak", GUEST, "that nothing grows in 10,000 frames (whole: 100,000), on several threads",
          _soak, 50, 240),
    Suite("preload", GUEST, "the preload library, and that its answers are the kernel's",
          _guest("preload"), 5, 5),
    Suite("clients", GUEST, "vkcube and the example on six compositors, pixel by pixel",
          _always(clients.run), 110, 110),
    Suite("transports", GUEST, "every transport on five compositors, and on two stock kernels "
          "(whole: four), and why it was taken", transports.run, 360, 600),
    Suite("strace", GUEST, "at most one export and one import of a fence per frame, no shared "
          "memory, no thread, and few system calls", _always(strace.run), 45, 45),
    Suite("instructions", GUEST, "how many instructions of the layer's own a frame takes",
          _always(instructions.run), 45, 45),
    Suite("validation", GUEST, "the validation layer above and below has nothing to say",
          _always(validation.run), 40, 40),
    Suite("install", GUEST, "every way of switching the installed layer on and off",
          _always(install.run), 30, 30),
    Suite("kmod", GUEST, "the kernel module on three kernels (whole: six)", kmod.run, 400, 900,
          own_complaints=True),
    Suite("kmod-checks", NATIVE, "compiler, sparse and checkpatch on the module, for three kernels "
          "(whole: six)", kmod_checks.run, 5, 5),
    Suite("kmod-mutations", GUEST, "that a test notices each way of breaking the module",
          _always(kmod_mutations.run), 0, 165, own_complaints=True,
          run_some=kmod_mutations.run),
    Suite("dkms", GUEST, "the module installed by DKMS", _always(dkms.run), 40, 40),
    Suite("sanitizers", NATIVE, "unit, driver and compositor with address and undefined checks",
          _native("unit", "driver", "compositor", variant=build.SANITIZERS), 60, 60),
    Suite("tsan", GUEST, "the same, and several threads on every transport, with a check for data "
          "races", _always(_without_races), 180, 180),
    Suite("mutations", GUEST, "that a test notices each way of breaking the layer",
          _always(mutations.run), 0, 900, own_complaints=True, run_some=mutations.run),
]}
