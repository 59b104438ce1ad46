# SPDX-License-Identifier: MIT
"""The options of `lab bench`, as numbers for the measurements."""

from dataclasses import dataclass

from .. import gpu, kernels


@dataclass(frozen=True)
class Options:
    kernel: str = kernels.DEFAULT
    compositors: tuple[str, ...] = ("weston", "weston-vulkan", "sway", "kwin")
    rounds: int = 3
    quick: bool = False
    gpu: str = gpu.NONE

    @property
    def window_counts(self) -> tuple[int, ...]:
        return (1, 4) if self.quick else (1, 2, 4, 8)

    @property
    def seconds(self) -> float:
        """How long frames are counted."""
        return 1.0 if self.quick else 2.0

    @property
    def traced_frames(self) -> int:
        return 50 if self.quick else 200

    @property
    def cube_frames(self) -> tuple[int, int]:
        """The numbers of frames of two runs. Their difference is the steady state."""
        return (20, 60) if self.quick else (30, 150)

    @property
    def samples(self) -> int:
        """The number of calls that are timed."""
        return 300 if self.quick else 1000

    @property
    def pending_samples(self) -> int:
        return 10 if self.quick else 50

    @property
    def profiled_frames(self) -> tuple[int, int]:
        return (100, 300) if self.quick else (500, 1500)
