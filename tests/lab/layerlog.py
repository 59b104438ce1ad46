# SPDX-License-Identifier: MIT
"""Reading the layer's log about swapchains, as written with FENCEBRIDGE_LOG_LEVEL=info."""

import re
from dataclasses import dataclass

_OPENED = re.compile(r"^fencebridge: info: swapchain (?P<width>\d+)x(?P<height>\d+) (?P<rest>.*)$")
_CLOSED = re.compile(
    r"^fencebridge: info: swapchain closed: "
    r"acquired=(?P<acquired>\d+) presented=(?P<presented>\d+)")
_FIELD = re.compile(r'(\w+)=("[^"]*"|\S+)')


@dataclass(frozen=True)
class Opened:
    width: int
    height: int
    format: str
    fields: dict[str, str]  # present_mode, images, modifier, allocator, transport, reason, device


@dataclass(frozen=True)
class Closed:
    acquired: int
    presented: int


def parse(line: str) -> Opened | Closed | None:
    if match := _CLOSED.match(line):
        return Closed(int(match["acquired"]), int(match["presented"]))
    if match := _OPENED.match(line):
        fields = {name: value.strip('"') for name, value in _FIELD.findall(match["rest"])}
        return Opened(int(match["width"]), int(match["height"]), match["rest"].split()[0], fields)
    return None


def opened(text: str) -> list[Opened]:
    return [event for event in map(parse, text.splitlines()) if isinstance(event, Opened)]


def closed(text: str) -> list[Closed]:
    return [event for event in map(parse, text.splitlines()) if isinstance(event, Closed)]
