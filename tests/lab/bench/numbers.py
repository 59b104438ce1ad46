# SPDX-License-Identifier: MIT
"""Medians, ranges, percentiles, and their notation."""

import math
import statistics


def median(values: list[float]) -> float | None:
    return statistics.median(values) if values else None


def percentile(values: list[float], percent: float) -> float | None:
    """The percentile by nearest rank: the smallest value that `percent` of all do not exceed."""
    if not values:
        return None
    ranked = sorted(values)
    return ranked[max(0, math.ceil(len(ranked) * percent / 100) - 1)]


def short(value: float | None) -> str:
    """A number with about three significant digits."""
    if value is None:
        return "-"
    if value == int(value) and abs(value) < 100_000:
        return str(int(value))
    if abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def spread(values: list[float]) -> str:
    """The median, and the range unless both of its ends are printed alike: `60 (59.8-60.1)`."""
    if not values:
        return "-"
    middle, low, high = short(median(values)), short(min(values)), short(max(values))
    return middle if low == high else f"{middle} ({low}-{high})"


def microseconds(nanoseconds: float | None) -> str:
    return "-" if nanoseconds is None else short(nanoseconds / 1000)
