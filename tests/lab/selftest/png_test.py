# SPDX-License-Identifier: MIT
"""Tests of reading PNG files, with pictures that use every filter of the format."""

import random
import struct
import tempfile
import unittest
import zlib
from pathlib import Path

from lab import png

WIDTH, HEIGHT = 7, 10


def _chunk(kind: bytes, body: bytes) -> bytes:
    return (struct.pack(">I", len(body)) + kind + body
            + struct.pack(">I", zlib.crc32(kind + body)))


def _filtered(rows: list[bytes], step: int) -> bytes:
    """Encodes row y with filter y % 5, by the formulas of the specification."""
    out = b""
    above = bytes(len(rows[0]))
    for y, row in enumerate(rows):
        kind = y % 5
        coded = bytearray([kind])
        for i, value in enumerate(row):
            a = row[i - step] if i >= step else 0
            b = above[i]
            c = above[i - step] if i >= step else 0
            p = a + b - c
            paeth = min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))[2]
            coded.append((value - [0, a, b, (a + b) // 2, paeth][kind]) % 256)
        out += coded
        above = row
    return out


def _file(rows: list[bytes], channels: int, depth: int = 8) -> bytes:
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, depth, {3: 2, 4: 6}[channels], 0, 0, 0)
    data = zlib.compress(_filtered(rows, channels))
    return (b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", data[:20])
            + _chunk(b"IDAT", data[20:]) + _chunk(b"IEND", b""))


class Reading(unittest.TestCase):
    def _read(self, data: bytes) -> png.Picture:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "picture.png"
            path.write_bytes(data)
            return png.read(path)

    def _rows(self, channels: int) -> list[bytes]:
        noise = random.Random(channels)
        return [noise.randbytes(WIDTH * channels) for _ in range(HEIGHT)]

    def test_every_filter(self):
        rows = self._rows(3)
        self.assertEqual(self._read(_file(rows, 3)).rows, rows)

    def test_alpha_is_left_out(self):
        rows = self._rows(4)
        picture = self._read(_file(rows, 4))
        self.assertEqual(picture.at(3, 9), tuple(rows[9][12:15]))

    def test_other_kinds_are_refused(self):
        with self.assertRaises(png.NotReadable):
            self._read(_file(self._rows(3), 3, depth=16))
        with self.assertRaises(png.NotReadable):
            self._read(b"GIF89a")


class Comparing(unittest.TestCase):
    def setUp(self):
        self.plain = png.Picture(WIDTH, HEIGHT, [bytes(3 * WIDTH)] * HEIGHT)

    def _with_dots(self, *dots: tuple[int, int]) -> png.Picture:
        rows = [bytearray(row) for row in self.plain.rows]
        for x, y in dots:
            rows[y][3 * x + 1] = 9
        return png.Picture(WIDTH, HEIGHT, [bytes(row) for row in rows])

    def test_equal(self):
        self.assertIsNone(png.difference(self.plain, self._with_dots()))

    def test_bounds(self):
        self.assertEqual(png.difference(self.plain, self._with_dots((2, 3), (5, 7))), (2, 3, 6, 8))

    def test_crop_and_colours(self):
        dots = self._with_dots((2, 3), (5, 7))
        self.assertEqual(dots.crop(2, 3, 4, 5).at(0, 0), (0, 9, 0))
        self.assertEqual([len(dots.colours()), len(dots.crop(0, 0, 2, 2).colours())], [2, 1])


if __name__ == "__main__":
    unittest.main()
