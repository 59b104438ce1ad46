# SPDX-License-Identifier: MIT
"""The output of screen_client (tests/screen/), which uses the extensions that the layer provides:
what the layer reports of each frame is what the compositor reports by wp_presentation.
"""

from collections.abc import Iterator
_VERDICTS = ("ok", "FAILED", "absent")

# The extensions of the layer's are there on every compositor. A scenario that finds them absent
# fails.
SCENARIOS = ("present_modes", "present_wait", "maintenance1", "present_timing", "display_timing",
             "shared_image", "colours", "damage_and_views")


def checks(text: str) -> Iterator[tuple[str, str]]:
    """Of screen_client's output: each scenario, and what is wrong."""
    found = dict(verdicts(text))
    for scenario in SCENARIOS:
        verdict, problems = found.get(scenario, ("not run", []))
        yield scenario, "" if verdict == "ok" else "; ".join([verdict, *problems])


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
