# SPDX-License-Identifier: MIT
"""The system calls of a frame, traced by strace.

With the transport `kernel`, a frame exports at most one fence from the swapchain's buffers, and
imports at most one. That no pending fence is lost is shown by the suite `fences`. The number of
system calls is limited, and the layer starts no thread.
"""

from collections import Counter
from pathlib import Path

from .. import build, guest, layerlog, strace, syscalls
from ..bench import guests
from ..bench import syscalls as measurement
from ..bench.columns import NATIVE
from ..bench.options import Options
from ..bench.runs import Results
from ..paths import OUT_IN_ROOT
from ..say import LabError
from .outcome import Outcome

_FRAMES = 60
# The transport whose cost is measured, by compositor.
_COSTS = {"weston": "kernel", "sway": "explicit", "kwin": "explicit"}
_EXPORT = "DMA_BUF_IOCTL_EXPORT_SYNC_FILE"
_IMPORT = "DMA_BUF_IOCTL_IMPORT_SYNC_FILE"


def run(out: Path) -> Outcome:
    outcome = _run_cube(out)
    built = build.ensure(parts=("bench",))
    for compositor, transport in _COSTS.items():
        options = Options(quick=True)
        try:
            runs = [*measurement.clear_runs(options, 1, (NATIVE, transport)),
                    *measurement.waiting_runs(options, 1, (transport,))]
            results = guests.execute(runs, compositor, built, out / compositor)
        except LabError as error:
            outcome.check(compositor, False, str(error))
            continue
        _check_costs(outcome, results, compositor, transport)
    return outcome


def _check_costs(outcome: Outcome, results: Results, compositor: str, transport: str) -> None:
    for failure in results.failures():
        outcome.check(f"{compositor}: {failure}", False)
    if verdict := results.verdict(transport):
        outcome.check(f"{compositor}: {transport} is what runs", False, verdict)
        return
    for mode in measurement.MODES:
        for places in measurement.clear_per_frame(results, mode, transport):
            total = syscalls.counted(sum(places.values(), Counter()))
            outcome.check(f"{compositor}: {mode} with {transport} takes at most "
                          f"{measurement.LIMIT} system calls a frame, but for "
                          f"{' and '.join(syscalls.APART)}",
                          # One frame in a hundred may wait, which takes more system calls.
                          total <= 1.01 * measurement.LIMIT,
                          f"{total:.2f}:\n{_listing(places)}")
        _check_waiting(outcome, results, compositor, mode, transport)
    with_layer, without = (measurement.threads(results, column) for column in (transport, NATIVE))
    outcome.check(f"{compositor}: the layer adds no thread",
                  with_layer is not None and with_layer == without,
                  f"{with_layer} instead of {without}")


def _check_waiting(outcome: Outcome, results: Results, compositor: str, mode: str,
                   transport: str) -> None:
    """Checks what vkWaitForPresentKHR adds to a frame."""
    clear, waiting = (measurement.clear_per_frame(results, mode, transport, client)
                      for client in ("clear", "waiting"))
    what = (f"{compositor}: {mode} with {transport} takes at most {measurement.WAITING_LIMIT} "
            "system calls a frame more with waits for presents")
    if not clear or not waiting:
        outcome.check(what, False, "not traced")
        return
    less, more = (syscalls.counted(sum(places[0].values(), Counter()))
                  for places in (clear, waiting))
    outcome.check(what, more - less <= 1.01 * measurement.WAITING_LIMIT,
                  f"{more:.2f} instead of {less:.2f}:\n{_listing(waiting[0])}")


def _listing(places: dict[str, Counter]) -> str:
    return "\n".join(f"     {place}: {kind} {count:.2f}" for place, kinds in places.items()
                     for kind, count in kinds.most_common() if kind not in syscalls.APART)


def _run_cube(out: Path) -> Outcome:
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
        # There are fewer if a buffer is idle, or if rendering is done already.
        outcome.check(f"at most one {name} per image {what}", trace.on_sent[name] <= count,
                      f"{trace.on_sent[name]} for {count} images")
    outcome.check("fences are carried at all", trace.on_sent[_EXPORT] + trace.on_sent[_IMPORT] > 0)
    others = set(trace.on_sent) - {_EXPORT, _IMPORT}
    outcome.check("no other ioctl touches the swapchain's buffers", not others, f"{others}")
