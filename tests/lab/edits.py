# SPDX-License-Identifier: MIT
"""Edits of the kernel's source for the lab. An edit that does not apply is an error.

EDITS let vgem stand in for a GPU's render node. Compositors offer explicit synchronisation only on
a node with timeline syncobjs. GBM allocates by the ioctls for dumb buffers, which DRM refuses on
render nodes.

EDITS also give User Mode Linux an interrupt for irq_work, as other architectures have. A fence
array and a point of a timeline signal by irq_work. Without the interrupt, irq_work runs at the next
timer tick, up to 10 ms later.

DEBUG_EDITS are for the kernel with debugging options. kmemleak reads memory from __bss_start on.
With the larger stacks of KASAN, the linker leaves a page without memory there.
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


# Raises a timer interrupt. It arrives at once, or as soon as interrupts are enabled again.
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
