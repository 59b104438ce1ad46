# SPDX-License-Identifier: MIT
"""Lab-only edits to the kernel's source, each checked to have applied.

EDITS make vgem stand in for a GPU's render node: compositors offer explicit synchronisation only
where the node has timeline syncobjs, and GBM allocates through the dumb-buffer calls, which a
render node refuses. They also give User Mode Linux an interrupt for irq_work, as real machines
have: without, what a fence array or a timeline's point has to tell waits for the next timer tick,
up to 10 ms. DEBUG_EDITS are for the kernel that watches itself: kmemleak reads from __bss_start
on, and with KASAN's larger stacks the linker leaves a page there that does not exist.
"""

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from .say import LabError


@dataclass(frozen=True)
class Edit:
    file: str
    pattern: str
    replacement: str
    times: int


# As a timer interrupt, which comes at once, or as soon as interrupts are on again.
_RAISE = """\
void arch_irq_work_raise(void)
{
	if (timer_clockevent[raw_smp_processor_id()].event_handler)
		deliver_alarm();
}

"""

EDITS = [
    Edit("drivers/gpu/drm/vgem/vgem_drv.c",
         r"(\.driver_features\s*=\s*DRIVER_GEM \| DRIVER_RENDER)\b(?! \| DRIVER_SYNCOBJ)",
         r"\1 | DRIVER_SYNCOBJ | DRIVER_SYNCOBJ_TIMELINE", 1),
    Edit("drivers/gpu/drm/drm_ioctl.c",
         r"(DRM_IOCTL_DEF\(DRM_IOCTL_MODE_(?:CREATE|MAP|DESTROY)_DUMB, \w+), 0\)",
         r"\1, DRM_RENDER_ALLOW)", 3),
    Edit("arch/um/kernel/time.c", r"(#include <linux/interrupt\.h>\n)",
         r"\1#include <linux/irq_work.h>\n", 1),
    Edit("arch/um/kernel/time.c", r"(\n\tevt->event_handler\(evt\);\n)",
         r"\n\tirq_work_run();\1", 1),
    Edit("arch/um/kernel/time.c", r"\n(static u64 timer_read\()", f"\n{_RAISE}\\1", 1),
]

DEBUG_EDITS = [
    Edit("arch/um/kernel/uml.lds.S", r"ALIGN\(PAGE_SIZE\);(\s*__bss_start = \.;)",
         r"ALIGN(KERNEL_STACK_SIZE);\1", 1),
]


def ingredients(edits: Sequence[Edit] = EDITS) -> list[dict]:
    return [asdict(edit) for edit in edits]


def apply(tree: Path, edits: Sequence[Edit] = EDITS) -> None:
    for edit in edits:
        path = tree / edit.file
        try:
            text = path.read_text()
        except OSError as error:
            raise LabError(f"the kernel source has no {edit.file}: {error.strerror}") from error
        text, count = re.subn(edit.pattern, edit.replacement, text)
        if count != edit.times:
            raise LabError(f"the edit of {edit.file} applied {count} times instead of "
                           f"{edit.times}: this kernel's source differs, see tests/lab/edits.py")
        path.write_text(text)
