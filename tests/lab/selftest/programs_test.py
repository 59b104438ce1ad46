# SPDX-License-Identifier: MIT
"""How the suite `programs` compares what programs print, and reads WAYLAND_DEBUG."""

import unittest

from lab import packages, png
from lab.suites import programs


def _picture(*pixels: tuple[int, int, int]) -> png.Picture:
    return png.Picture(len(pixels), 1, [b"".join(map(bytes, pixels))])


class Lines(unittest.TestCase):
    def test_numbers_and_colours_do_not_matter(self):
        self.assertEqual(programs.new_lines("\x1b[31m1.5 fps at 0x7f00\n", "30 fps at 0xabc\n"), [])

    def test_how_long_something_takes_does_not_matter(self):
        self.assertEqual(programs.new_lines("", "Spent 3 ms on it (slow!)\n"), [])

    def test_a_new_line_is_found_once(self):
        self.assertEqual(programs.new_lines("a\nb\n", "a\nwarning: 1\nb\nwarning: 1\n"),
                         ["warning: 1"])

    def test_of_the_layers_lines_only_complaints_count(self):
        layer = ("fencebridge: info: swapchain 1x1\nfencebridge: debug: x\n"
                 "fencebridge: warning: y\nfencebridge: error: z\n")
        self.assertEqual(programs.new_lines("", layer),
                         ["fencebridge: warning: y", "fencebridge: error: z"])


class Damage(unittest.TestCase):
    OPENED = "fencebridge: info: swapchain 10x10 VK_FORMAT_B8G8R8A8_UNORM present_mode=fifo\n"

    def count(self, *requests: str) -> int:
        return programs.partial_commits(
            self.OPENED + "\n".join(f"[1.0] {{q}}  -> wl_surface#{request}"
                                    for request in requests))

    def test_less_than_the_swapchain_is_partial(self):
        self.assertEqual(self.count("3.damage_buffer(0, 0, 5, 5)", "3.commit()"), 1)
        self.assertEqual(self.count("3.damage_buffer(0, 0, 5, 5)", "3.damage(5, 5, 2, 2)",
                                    "3.commit()"), 1)

    def test_all_and_nothing_are_not(self):
        self.assertEqual(self.count("3.damage_buffer(0, 0, 2147483647, 2147483647)", "3.commit()"),
                         0)
        self.assertEqual(self.count("3.damage_buffer(0, 0, 10, 5)", "3.damage_buffer(0, 5, 10, 5)",
                                    "3.commit()"), 0)
        self.assertEqual(self.count("3.commit()", "3.commit()"), 0)

    def test_the_last_swapchain_counts(self):
        text = self.OPENED.replace("10x10", "1x1")
        requests = "wl_surface#3.damage_buffer(0, 0, 5, 5)\nwl_surface#3.commit()\n"
        self.assertEqual(programs.partial_commits(text + requests), 0)
        self.assertEqual(programs.partial_commits(text + self.OPENED + requests), 1)

    def test_surfaces_are_apart(self):
        self.assertEqual(self.count("3.damage_buffer(0, 0, 5, 5)", "4.commit()"), 0)

    def test_without_a_swapchain_nothing_counts(self):
        self.assertEqual(programs.partial_commits("wl_surface#3.damage(0, 0, 1, 1)\n"
                                                  "wl_surface#3.commit()\n"), 0)


class Colours(unittest.TestCase):
    def test_the_largest_difference_is_found(self):
        one = _picture((0, 9, 0), (5, 0, 200))
        self.assertEqual(png.largest_difference(one, one), 0)
        self.assertEqual(png.largest_difference(one, _picture((1, 9, 0), (5, 0, 193))), 7)

    def test_places_do_not_matter(self):
        one = _picture((0, 0, 0), (255, 0, 0), (0, 0, 255))
        other = _picture((255, 1, 1), (0, 0, 255), (0, 0, 0))
        self.assertEqual(png.common_colours(one, other), 1)

    def test_other_colours_do(self):
        one = _picture((0, 0, 0), (255, 0, 0), (255, 0, 0), (0, 0, 0))
        self.assertEqual(png.common_colours(one, _picture(*[(0, 0, 0)] * 4)), 0.5)
        self.assertEqual(png.common_colours(one, _picture(*[(0, 0, 255)] * 4)), 0)


class Packages(unittest.TestCase):
    def test_those_of_other_suites_are_apart(self):
        self.assertEqual(packages.by_suite(["a", "b/sid", "c", "d/sid", "e/trixie"]),
                         (["a", "c"], {"sid": ["b", "d"], "trixie": ["e"]}))


class Table(unittest.TestCase):
    def test_names_are_unique(self):
        names = [program.name for program in programs.PROGRAMS]
        self.assertEqual(len(names), len(set(names)))

    def test_the_mode_depends_on_fifo_v1(self):
        program = programs.Program("p", (), "fifo", "mailbox")
        self.assertEqual([program.mode_on(name) for name in ("weston", "sway")],
                         ["fifo", "mailbox"])
        self.assertEqual(programs.Program("p", ()).mode_on("sway"), "fifo")

    def test_some_program_shows_each_kind_of_check(self):
        for what in ("still", "damage"):
            self.assertTrue(any(getattr(program, what) for program in programs.PROGRAMS), what)


if __name__ == "__main__":
    unittest.main()
