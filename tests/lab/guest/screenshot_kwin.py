# SPDX-License-Identifier: MIT
"""screenshot_kwin.py OUT.png: saves a picture of KWin's workspace.

KWin's D-Bus method org.kde.KWin.ScreenShot2.CaptureWorkspace takes a pipe as its argument, returns
the size and the format of the picture, and writes its pixels to the pipe. busctl and dbus-send
cannot pass file descriptors, so this program calls the D-Bus client of libsystemd.
"""

import ctypes
import os
import struct
import sys
import zlib
from ctypes import byref, c_char_p, c_int, c_uint32, c_void_p

# Values of QImage::Format with 32-bit words and blue in the lowest byte. A workspace is opaque, so
# that alpha, or the unused byte in its place, does not matter.
FORMATS_BGRX = {4: "RGB32", 5: "ARGB32", 6: "ARGB32_Premultiplied"}


class BusError(ctypes.Structure):
    _fields_ = [("name", c_char_p), ("message", c_char_p), ("need_free", c_int)]


class Bus:
    """The session bus. A call of the library that fails raises OSError."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL("libsystemd.so.0")
        self._bus = c_void_p()
        self.check(self._library.sd_bus_open_user(byref(self._bus)), "connecting to the bus")

    @staticmethod
    def check(result: int, doing: str) -> int:
        if result < 0:
            raise OSError(-result, f"{doing}: {os.strerror(-result)}")
        return result

    def capture_workspace(self, pipe: int) -> dict[str, int]:
        """The unsigned numbers in the answer: width, height, stride, format."""
        error = BusError()
        reply = c_void_p()
        result = self._library.sd_bus_call_method(
            self._bus, b"org.kde.KWin", b"/org/kde/KWin/ScreenShot2", b"org.kde.KWin.ScreenShot2",
            b"CaptureWorkspace", byref(error), byref(reply),
            b"a{sv}h", c_int(0), c_int(pipe))  # no options
        if result < 0 and error.message:
            raise OSError(-result, error.message.decode())
        self.check(result, "CaptureWorkspace")
        return self._numbers(reply)

    def _numbers(self, message: c_void_p) -> dict[str, int]:
        library = self._library
        numbers = {}
        self.check(library.sd_bus_message_enter_container(message, c_int(ord("a")), b"{sv}"),
                   "reading the answer")
        while self.check(library.sd_bus_message_enter_container(message, c_int(ord("e")), b"sv"),
                         "reading an entry"):
            key = c_char_p()
            self.check(library.sd_bus_message_read(message, b"s", byref(key)), "reading a name")
            number = c_uint32()
            # Fails without reading on if the variant has another type.
            if library.sd_bus_message_read(message, b"v", b"u", byref(number)) >= 0:
                numbers[key.value.decode()] = number.value
            else:
                self.check(library.sd_bus_message_skip(message, b"v"), "skipping a value")
            self.check(library.sd_bus_message_exit_container(message), "leaving an entry")
        return numbers


def capture() -> tuple[dict[str, int], bytes]:
    read_end, write_end = os.pipe()
    with open(read_end, "rb") as pixels:
        try:
            numbers = Bus().capture_workspace(write_end)
        finally:
            os.close(write_end)  # read() then returns when KWin closes its write end
        return numbers, pixels.read()


def rgb_rows(numbers: dict[str, int], pixels: bytes) -> list[bytes]:
    width, height, stride = (numbers[name] for name in ("width", "height", "stride"))
    if numbers["format"] not in FORMATS_BGRX:
        raise ValueError(f"unknown pixel format: QImage::Format {numbers['format']}")
    if len(pixels) != stride * height:
        raise ValueError(f"{len(pixels)} bytes for {height} rows of {stride} bytes")
    rows = []
    for start in range(0, len(pixels), stride):
        row = pixels[start:start + 4 * width]
        rgb = bytearray(3 * width)
        rgb[0::3], rgb[1::3], rgb[2::3] = row[2::4], row[1::4], row[0::4]
        rows.append(bytes(rgb))
    return rows


def png(width: int, rows: list[bytes]) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return (struct.pack(">I", len(data)) + kind + data
                + struct.pack(">I", zlib.crc32(kind + data)))

    header = struct.pack(">IIBBBBB", width, len(rows), 8, 2, 0, 0, 0)  # 8 bits, RGB
    unfiltered = b"".join(b"\0" + row for row in rows)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
            + chunk(b"IDAT", zlib.compress(unfiltered, 1)) + chunk(b"IEND", b""))


def main() -> int:
    try:
        numbers, pixels = capture()
        picture = png(numbers["width"], rgb_rows(numbers, pixels))
    except (OSError, ValueError) as error:
        print(f"screenshot: {error}", file=sys.stderr)
        return 1
    with open(sys.argv[1], "wb") as out:
        out.write(picture)
    return 0


sys.exit(main())
