# SPDX-License-Identifier: MIT
"""Above our layer, the validation layer checks what ours returns; below, what ours calls."""

import re
from pathlib import Path

from .. import build, guest, layerlog
from ..paths import SOURCE_IN_ROOT
from .outcome import Outcome

# `screen` enables every extension that the layer provides.
_CLIENTS = ("cube", "mailbox", "still", "windows", "resizing", "screen")
_MISTAKE = "VUID-VkInstanceCreateInfo-flags-parameter"  # the mistake of invalid.py
_VALIDATION = "VK_LAYER_KHRONOS_validation"
_ORDER = {"above": [_VALIDATION, guest.LAYER], "below": [guest.LAYER, _VALIDATION]}


def run(out: Path) -> Outcome:
    for old in out.glob("*.messages"):
        old.unlink()
    request = guest.Request(
        argv=["sh", str(SOURCE_IN_ROOT / "tests/lab/guest/validation.sh")],
        compositor="weston", layer=False, out=out, build=build.ensure(parts=("screen",)),
        timeout=420)
    with (out / "script.log").open("wb") as log:
        guest.run(request, log.write, log.write)
    outcome = Outcome()
    for chain in ("alone", *_ORDER):
        messages = _messages(out, f"{chain}-invalid")
        outcome.check(f"{chain}-invalid: a client's mistake is reported",
                      any(_MISTAKE in message for message in messages), f"{messages}")
    for client in _CLIENTS:
        known = _messages(out, f"alone-{client}")
        for chain, order in _ORDER.items():
            _check(outcome, out, f"{chain}-{client}", order, known)
    return outcome


def _check(outcome: Outcome, out: Path, name: str, order: list[str], known: set[str]) -> None:
    log = _text(out / f"{name}.log")
    chained = _chain(log)
    outcome.check(f"{name}: the layers are chained in this order: {', '.join(order)}",
                  chained == order, f"{chained}")
    opened, closed = layerlog.opened(log), layerlog.closed(log)
    outcome.check(f"{name}: presents and ends well",
                  _text(out / f"{name}.status").strip() == "0" and len(opened) == len(closed) > 0
                  and all(swapchain.presented for swapchain in closed),
                  f"status {_text(out / f'{name}.status').strip()}, {closed}")
    new = _messages(out, name) - known
    outcome.check(f"{name}: every message also appears in the run without our layer", not new,
                  "\n" + "\n".join(f"     {message}" for message in sorted(new)))


def _chain(log: str) -> list[str]:
    """The two layers in the instance's chain that the loader logs, from the application down."""
    drawing = re.search(r"vkCreateInstance layer callstack setup to:(.*?)<Drivers?>", log,
                        re.DOTALL)
    return [name for name in re.findall(r"VK_LAYER_\w+", drawing[1] if drawing else "")
            if name in (_VALIDATION, guest.LAYER)]


def _messages(out: Path, name: str) -> set[str]:
    """The messages, each once. Handles are left out, since they differ from run to run."""
    text = _text(out / f"{name}.messages")
    lines = [line for line in text.splitlines()
             if re.search(r"VUID-|SYNC-|WARNING|Validation", line)]
    return {re.sub(r"0x[0-9a-f]+", "0x...", line).strip() for line in lines}


def _text(path: Path) -> str:
    return path.read_text(errors="replace") if path.exists() else ""
