# SPDX-License-Identifier: MIT
"""Reading PNG screenshots with 8 bits a channel, with or without alpha, not interlaced."""

import struct
import zlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CHANNELS = {2: 3, 6: 4}  # by colour type: RGB and RGBA


class NotReadable(Exception):
    pass


@dataclass(frozen=True)
class Picture:
    width: int
    height: int
    rows: list[bytes]  # 3 bytes a pixel: red, green, blue

    def at(self, x: int, y: int) -> tuple[int, int, int]:
        return tuple(self.rows[y][3 * x:3 * x + 3])

    def colours(self) -> set[bytes]:
        """Every colour of the picture, as red, green and blue."""
        return {row[i:i + 3] for row in self.rows for i in range(0, len(row), 3)}

    def crop(self, left: int, top: int, right: int, bottom: int) -> "Picture":
        return Picture(right - left, bottom - top,
                       [row[3 * left:3 * right] for row in self.rows[top:bottom]])


def read(path: Path) -> Picture:
    """Raises NotReadable, also for a file that is cut off."""
    try:
        return _read(path)
    except (IndexError, struct.error, zlib.error) as error:
        raise NotReadable(f"{path}: {error}") from error


def _read(path: Path) -> Picture:
    data = path.read_bytes()
    if not data.startswith(_SIGNATURE):
        raise NotReadable(f"{path} is not a PNG file")
    header, compressed = b"", b""
    position = len(_SIGNATURE)
    while position < len(data):
        length, kind = struct.unpack_from(">I4s", data, position)
        body = data[position + 8:position + 8 + length]
        position += 12 + length
        if kind == b"IHDR":
            header = body
        elif kind == b"IDAT":
            compressed += body
    width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", header)
    if depth != 8 or colour not in _CHANNELS or interlaced:
        raise NotReadable(f"{path}: depth {depth}, colour type {colour}, interlace {interlaced}")
    channels = _CHANNELS[colour]
    rows = _unfilter(zlib.decompress(compressed), width * channels, height, channels)
    if channels == 4:
        rows = [_without_alpha(row) for row in rows]
    return Picture(width, height, rows)


def difference(one: Picture, other: Picture) -> tuple[int, int, int, int] | None:
    """The smallest rectangle (left, top, right, bottom) with all pixels that differ."""
    if (one.width, one.height) != (other.width, other.height):
        return 0, 0, max(one.width, other.width), max(one.height, other.height)
    left, right = one.width, 0
    changed = []
    for y, (a, b) in enumerate(zip(one.rows, other.rows)):
        if a == b:
            continue
        changed.append(y)
        first = next(i for i in range(len(a)) if a[i] != b[i])
        last = next(i for i in range(len(a) - 1, -1, -1) if a[i] != b[i])
        left, right = min(left, first // 3), max(right, last // 3 + 1)
    return (left, changed[0], right, changed[-1] + 1) if changed else None


def largest_difference(one: Picture, other: Picture) -> int:
    """The largest difference of a colour's part in any pixel, of pictures of the same size."""
    return max((max(abs(a - b) for a, b in zip(*rows)) for rows in zip(one.rows, other.rows)
                if rows[0] != rows[1]), default=0)


def common_colours(one: Picture, other: Picture) -> float:
    """The share of pixels, from 0 to 1, whose colours are roughly those of as many pixels of the
    other picture, wherever they are."""
    counts = [Counter(bytes(value & 0xe0 for value in row[i:i + 3])
                      for row in picture.rows for i in range(0, len(row), 3))
              for picture in (one, other)]
    return (counts[0] & counts[1]).total() / max(count.total() for count in counts)


def _without_alpha(row: bytes) -> bytes:
    out = bytearray(len(row) // 4 * 3)
    for channel in range(3):
        out[channel::3] = row[channel::4]
    return bytes(out)


def _unfilter(data: bytes, stride: int, height: int, step: int) -> list[bytes]:
    """Decodes rows of differences to neighbouring pixels (PNG specification, clause 9)."""
    rows = []
    above = bytes(stride)
    for y in range(height):
        start = y * (stride + 1)
        kind, row = data[start], bytearray(data[start + 1:start + 1 + stride])
        _UNFILTER[kind](row, above, step)
        above = bytes(row)
        rows.append(above)
    return rows


def _none(_row, _above, _step):
    pass


def _sub(row, _above, step):
    for i in range(step, len(row)):
        row[i] = (row[i] + row[i - step]) & 255


def _up(row, above, _step):
    for i, value in enumerate(above):
        row[i] = (row[i] + value) & 255


def _average(row, above, step):
    for i, value in enumerate(above):
        before = row[i - step] if i >= step else 0
        row[i] = (row[i] + (before + value) // 2) & 255


def _paeth(row, above, step):
    for i, b in enumerate(above):
        a, c = (row[i - step], above[i - step]) if i >= step else (0, 0)
        pa, pb, pc = abs(b - c), abs(a - c), abs(a + b - 2 * c)
        nearest = a if pa <= pb and pa <= pc else b if pb <= pc else c
        row[i] = (row[i] + nearest) & 255


_UNFILTER = [_none, _sub, _up, _average, _paeth]
