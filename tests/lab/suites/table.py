# SPDX-License-Identifier: MIT
"""The suites: what each shows, and where it runs."""

from dataclasses import dataclass
from pathlib import Path
from typing import Callable

from .. import build
from . import (clients, dkms, install, instructions, kmod, kmod_checks, lab, meson, strace,
               transports, validation)
from .outcome import Outcome

NATIVE = "native"  # in the root, on this machine's kernel
GUEST = "guest"    # in the root, on the lab's kernel


@dataclass(frozen=True)
class Suite:
    name: str
    where: str
    shows: str
    run: Callable[[Path], Outcome]
    own_complaints: bool = False  # it looks itself for what a guest's kernel has to complain of


def _without_races(out: Path) -> Outcome:
    outcome = meson.natively(["unit", "driver", "compositor"], out, build.THREADS)
    outcome.add(meson.in_guest(["races"], out, build.THREADS))
    return outcome


SUITES = {suite.name: suite for suite in [
    Suite("lab", GUEST, "the lab itself: a guest's command behaves like a child process",
          lab.run),
    Suite("unit", NATIVE, "the layer's decisions, without Vulkan or Wayland",
          lambda out: meson.natively(["unit"], out)),
    Suite("driver", NATIVE, "the layer on a fake driver, through the real loader",
          lambda out: meson.natively(["driver"], out)),
    Suite("compositor", NATIVE, "the layer on a fake compositor that a test scripts",
          lambda out: meson.natively(["compositor"], out)),
    Suite("fences", GUEST, "fences between layer and fake compositor, on real dma-bufs, by the "
          "kernel's ioctls, by the module and by timelines",
          lambda out: meson.in_guest(["fences"], out)),
    Suite("soak", GUEST, "that nothing grows in 100,000 frames, on several threads",
          lambda out: meson.in_guest(["soak"], out, timeout=3600)),
    Suite("preload", GUEST, "the preload library, and that its answers are the kernel's",
          lambda out: meson.in_guest(["preload"], out)),
    Suite("clients", GUEST, "vkcube and the example on four compositors, pixel by pixel",
          clients.run),
    Suite("transports", GUEST, "every transport on four compositors and four stock kernels, "
          "and why it was taken",
          transports.run),
    Suite("strace", GUEST, "at most one export and one import of a fence per frame, no shared "
          "memory, no thread, and few system calls", strace.run),
    Suite("instructions", GUEST, "how many instructions of the layer's own a frame takes",
          instructions.run),
    Suite("validation", GUEST, "the validation layer above and below has nothing to say",
          validation.run),
    Suite("install", GUEST, "every way of switching the installed layer on and off",
          install.run),
    Suite("kmod", GUEST, "the kernel module on six kernels, whole and broken on purpose",
          kmod.run, own_complaints=True),
    Suite("kmod-checks", NATIVE, "compiler, sparse and checkpatch on the module, for each kernel",
          kmod_checks.run),
    Suite("dkms", GUEST, "the module installed by DKMS", dkms.run),
    Suite("sanitizers", NATIVE, "unit, driver and compositor with address and undefined checks",
          lambda out: meson.natively(["unit", "driver", "compositor"], out, build.SANITIZERS)),
    Suite("tsan", GUEST, "the same, and several threads on every transport, with a check for data "
          "races", _without_races),
]}
