# SPDX-License-Identifier: MIT
"""What crosses for a frame, as the kernel saw it: a fence each way, on the swapchain's buffers."""

from pathlib import Path

from .. import build, guest, layerlog, strace
from ..paths import OUT_IN_ROOT
from .outcome import Outcome

_FRAMES = 60
_EXPORT = "DMA_BUF_IOCTL_EXPORT_SYNC_FILE"
_IMPORT = "DMA_BUF_IOCTL_IMPORT_SYNC_FILE"


def run(out: Path) -> Outcome:
    request = guest.Request(
        argv=["strace", *strace.OPTIONS, "-o", str(OUT_IN_ROOT / "strace.txt"),
              "vkcube", "--wsi", "wayland", "--c", str(_FRAMES)],
        compositor="weston", sync="kernel", env={"FENCEBRIDGE_LOG_LEVEL": "info"}, out=out,
        build=build.ensure(), timeout=120)
    output = bytearray()
    status = guest.run(request, output.extend, output.extend)
    text = output.decode(errors="replace")
    (out / "vkcube.log").write_text(text)
    outcome = Outcome()
    outcome.check("vkcube ends well", status == 0, f"status {status}")
    opened, closed = layerlog.opened(text), layerlog.closed(text)
    outcome.check("the layer has one swapchain on the kernel transport",
                  [swapchain.fields.get("transport") for swapchain in opened] == ["kernel"],
                  f"{opened}")
    if not opened or not closed:
        return outcome
    outcome.check(f"{_FRAMES} frames are presented", closed[0].presented == _FRAMES, f"{closed}")
    _check_trace(outcome, strace.read(out / "strace.txt"), opened[0], closed[0])
    return outcome


def _check_trace(outcome: Outcome, trace: strace.Trace, opened: layerlog.Opened,
                 closed: layerlog.Closed) -> None:
    images = int(opened.fields["images"])
    outcome.check("the compositor is given every image as a dma-buf", len(trace.sent) == images,
                  f"{len(trace.sent)} of {images}")
    outcome.check("the compositor is given nothing but dma-bufs, so no shared memory",
                  not trace.sent_other, f"{trace.sent_other}")
    for name, count, what in ((_EXPORT, closed.acquired, "acquired"),
                              (_IMPORT, closed.presented, "presented")):
        outcome.check(f"one {name} per image {what}", trace.on_sent[name] == count,
                      f"{trace.on_sent[name]} for {count} images")
    others = set(trace.on_sent) - {_EXPORT, _IMPORT}
    outcome.check("no other ioctl touches the swapchain's buffers", not others, f"{others}")
