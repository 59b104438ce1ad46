# SPDX-License-Identifier: MIT
"""Time inside vkAcquireNextImageKHR and vkQueuePresentKHR, on the fake driver and compositor."""

from ..paths import BUILD_IN_ROOT
from . import runs
from .columns import TRANSPORTS, environment
from .numbers import microseconds, percentile
from .options import Options
from .runs import Results, Run
from .table import Section, Table

PENDING_MS = 100
CALLS = {"acquire": "vkAcquireNextImageKHR", "present": "vkQueuePresentKHR"}
_CLIENT = str(BUILD_IN_ROOT / "tests/bench/bench_calls")
_PERCENTILES = (50, 99)


def client_environment(column: str) -> dict[str, str]:
    """The environment of a client that uses the kernel's dma-bufs and fences. The fake driver and
    the fake compositor run in the client's process."""
    return environment(column) | {"FAKE_DRIVER_MEMORY": "udmabuf"}


def plan(options: Options, round_number: int) -> list[Run]:
    cases = {"latency-idle": ["times", str(options.samples)],
             "latency-pending": ["pending", str(options.pending_samples), str(PENDING_MS)]}
    return [Run(runs.name(case, column, round_number), column, [_CLIENT, *arguments],
                client_environment(column))
            for case, arguments in cases.items() for column in TRANSPORTS]


def evaluate(results: Results, _options: Options) -> Section:
    section = Section("time inside the calls, microseconds (fake driver, fake compositor)")
    table = Table("", [*TRANSPORTS])
    for case, text in (("latency-idle", "nothing pending"),
                       ("latency-pending", f"the compositor reads {PENDING_MS} ms longer")):
        for call, name in CALLS.items():
            samples = {column: [time for result in results.of(case, column)
                                for time in result.said()[call]] for column in TRANSPORTS}
            for percent in _PERCENTILES:
                found = {column: percentile(samples[column], percent) for column in TRANSPORTS}
                table.add(f"{text}: {name}, p{percent}",
                          *(microseconds(found[column]) for column in TRANSPORTS))
                section.data[f"{case}-{call}-p{percent}-ns"] = found
            section.data[f"{case}-{call}-samples"] = {column: len(samples[column])
                                                      for column in TRANSPORTS}
            if case == "latency-pending":
                waited = {column: sum(time > PENDING_MS * 1e6 / 2 for time in samples[column])
                          for column in TRANSPORTS}
                table.add(f"{text}: {name}, calls that waited", *(
                    f"{waited[column]} of {len(samples[column])}" if samples[column] else "-"
                    for column in TRANSPORTS))
                section.data[f"{case}-{call}-waited"] = waited
    section.tables.append(table)
    return section
