# SPDX-License-Identifier: MIT
"""screen_client (tests/screen/) on every compositor with dma-bufs: what the layer reports of each
frame is what the compositor reports by wp_presentation.

A client on Weston, sway, labwc or KWin uses the extensions that the layer provides. One guest for
each compositor runs all scenarios.
"""

from collections.abc import Iterator
from pathlib import Path

from .. import build, compositors, guest
from ..paths import BUILD_IN_ROOT
from ..say import LabError
from .outcome import Outcome

_TIMEOUT_SECONDS = 180
_VERDICTS = ("ok", "FAILED", "absent")

# The extensions of the layer's are there on every compositor. A scenario that finds them absent
# fails.
SCENARIOS = ("present_modes", "present_wait", "maintenance1", "present_timing", "display_timing",
             "shared_image", "colours", "damage_and_views")


def run(out: Path) -> Outcome:
    built = build.ensure(parts=("screen",))
    outcome = Outcome()
    for name, compositor in compositors.COMPOSITORS.items():
        if not compositor.dmabufs:
            continue
        folder = out / name
        folder.mkdir(parents=True, exist_ok=True)
        request = guest.Request(argv=["timeout", str(_TIMEOUT_SECONDS - 20),
                                      str(BUILD_IN_ROOT / "tests/screen/screen_client")],
                                compositor=name, out=folder, build=built,
                                timeout=_TIMEOUT_SECONDS)
        log = folder / "screen_client.log"
        try:
            with log.open("wb") as file:
                guest.run(request, file.write, file.write)
        except LabError as error:
            outcome.check(name, False, str(error))
            continue
        found = dict(verdicts(log.read_text(errors="replace")))
        for scenario in SCENARIOS:
            verdict, problems = found.get(scenario, ("not run", []))
            outcome.check(f"{name}: {scenario}", verdict == "ok", "; ".join([verdict, *problems]))
    return outcome


def verdicts(text: str) -> Iterator[tuple[str, tuple[str, list[str]]]]:
    """Of screen_client's output: each scenario, with its verdict and the problems found."""
    scenario: tuple[str, tuple[str, list[str]]] | None = None
    for line in text.splitlines():
        words = line.split()
        if len(words) == 2 and words[0] in _VERDICTS:
            scenario = (words[1], (words[0], []))
            yield scenario
        elif scenario and line.startswith("  "):
            scenario[1][1].append(line.strip())
