# SPDX-License-Identifier: MIT
"""Tests of stock kernels (order of versions, packages of a kernel, order of modules), and of the
module's sources (changes of them, and complaints about them)."""

import tempfile
import unittest
from pathlib import Path

from lab import archive, initramfs, kmod, stock
from lab.say import LabError


class Versions(unittest.TestCase):
    def test_order(self):
        ordered = ["5.10.223-1", "6.1.9-1", "6.1.176~rc1-1", "6.1.176-1~bpo11+1", "6.1.176-1",
                   "6.1.176-1+b1", "6.12.3-1", "7.2.13-1", "7.3.4-1~bpo13+1", "7.3.4-1", "7.10-1",
                   "1:4.9-1"]
        self.assertEqual(sorted(reversed(ordered), key=archive.version_key), ordered)

    def test_the_newest_may_be_in_any_suite(self):
        packages = [archive.Package("linux-image-amd64", version, suite) for version, suite in
                    [("7.3.4-1~bpo13+1", "backports"), ("7.2.13-1", "sid"), ("7.10.1-1", "forky")]]
        self.assertEqual(archive.newest(packages).suite, "forky")


class Parts(unittest.TestCase):
    def test_of_an_image_in_pieces(self):
        depends = ("dracut | initramfs-tools (>= 0.120+deb8u2) | linux-initramfs-tool, "
                   "linux-base-7.3.4+deb13-amd64 (= 7.3.4-1~bpo13+1), "
                   "linux-binary-7.3.4+deb13-amd64 (= 7.3.4-1~bpo13+1), "
                   "linux-modules-7.3.4+deb13-amd64 (= 7.3.4-1~bpo13+1), linux-base (>= 4.12~)")
        self.assertEqual(stock.part_names(depends), [
            f"linux-{part}-7.3.4+deb13-amd64" for part in ("base", "binary", "modules")])

    def test_of_headers(self):
        depends = "linux-kbuild-7.3.4+deb13, gcc-14-for-host, libc6 (>= 2.38), pahole"
        self.assertEqual(stock.part_names(depends), ["linux-kbuild-7.3.4+deb13"])
        self.assertEqual(stock.tool_names(depends), ["gcc-14", "libc6", "pahole"])

    def test_of_nothing(self):
        self.assertEqual(stock.part_names("") + stock.tool_names(""), [])


class LoadOrder(unittest.TestCase):
    DEP = """kernel/fs/9p/9p.ko.xz: kernel/net/9p/9pnet.ko.xz kernel/fs/netfs/netfs.ko.xz
kernel/net/9p/9pnet.ko.xz:
kernel/fs/netfs/netfs.ko.xz:
kernel/net/9p/9pnet_virtio.ko.xz: kernel/net/9p/9pnet.ko.xz kernel/drivers/virtio/virtio-ring.ko.xz
kernel/drivers/virtio/virtio-ring.ko.xz: kernel/drivers/virtio/virtio.ko.xz
kernel/drivers/virtio/virtio.ko.xz:
"""

    def test_dependencies_come_first_and_once(self):
        order = initramfs.load_order(self.DEP, "", ["9pnet_virtio", "9p"])
        self.assertEqual([initramfs.module_name(path) for path in order],
                         ["virtio", "virtio_ring", "9pnet", "9pnet_virtio", "netfs", "9p"])

    def test_what_is_built_in_is_not_loaded(self):
        self.assertEqual(initramfs.load_order(self.DEP, "kernel/fs/overlayfs/overlay.ko",
                                              ["overlay"]), [])

    def test_what_is_nowhere_is_an_error(self):
        with self.assertRaisesRegex(LabError, "no module overlay"):
            initramfs.load_order(self.DEP, "", ["overlay"])


class Sources(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        for name, text in (("a.c", "one two\n"), ("b.h", "two three\n"), ("Kbuild", ""),
                           ("a.o", "one\n"), ("kernel-has.h", "one\n"), ("a.mod.c", "one\n")):
            (self.folder / name).write_text(text)

    def test_are_not_what_a_build_leaves(self):
        self.assertEqual([path.name for path in kmod.sources_of(self.folder)],
                         ["Kbuild", "a.c", "b.h"])

    def test_may_be_changed(self):
        texts = kmod._texts_of(self.folder, {"b.h": "2\n"})
        self.assertEqual((texts["kmod/a.c"], texts["kmod/b.h"]), ("one two\n", "2\n"))
        self.assertIn("kernel-uapi/fencebridge.h", texts)
        kmod._write_sources(texts, self.folder)
        self.assertEqual((self.folder / "kmod" / "b.h").read_text(), "2\n")

    def test_a_change_of_a_source_that_is_not_there_is_an_error(self):
        with self.assertRaisesRegex(LabError, "no source c.c"):
            kmod._texts_of(self.folder, {"c.c": ""})

    def test_complaints_are_about_these_files(self):
        ours = ["/lab/module/kmod/a.c:10:3: warning: no previous prototype",
                "a.c:11:3: warning: shown relative",
                "/lab/module/kmod/b.h:7: error: too bad",
                "/usr/src/linux/include/x.h:4:5: error: not even read",
                "/usr/src/linux/include/x.h:6:7: warning: too many warnings"]
        others = ["  CC [M]  /lab/module/kmod/a.o",
                  "/usr/src/linux/include/x.h:1:2: warning: not ours",
                  "/lab/module/kmod/aa.c:11:3: warning: another file",
                  "/usr/src/linux/Makefile:1311: C=2 specified, but sparse is not up to date"]
        log = "\n".join([*others, *ours, *others])
        self.assertEqual(kmod.complaints_about(log, ["a.c", "b.h"]), ours)


if __name__ == "__main__":
    unittest.main()
