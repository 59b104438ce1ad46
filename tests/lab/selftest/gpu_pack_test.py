# SPDX-License-Identifier: MIT
"""Tests of the archive for machines with a GPU, and of the script that runs there, on programs that
pretend to present."""

import argparse
import subprocess
import tarfile
import tempfile
import unittest
from pathlib import Path

from lab import gpu_pack
from lab.paths import SOURCE
from lab.say import LabError

_LDD = """/usr/bin/weston:
\tlinux-vdso.so.1 (0x00007ffe)
\tlibexec_weston.so.0 => /usr/lib/x86_64-linux-gnu/weston/libexec_weston.so.0 (0x00007f01)
\tlibm.so.6 => /lib/x86_64-linux-gnu/libm.so.6 (0x00007f02)
\t/lib64/ld-linux-x86-64.so.2 (0x00007f03)
/usr/bin/vulkaninfo:
\tlibmd.so.0 => /lib/x86_64-linux-gnu/libmd.so.0 (0x00007f04)
\tlibmd.so.0 => /lib/x86_64-linux-gnu/libmd.so.0 (0x00007f05)
"""

_HEADERS = """
/bin/a:     file format elf64-x86-64

Version definitions:
1 0x01 0x0a3cbbf2 GLIBC_9.9

Version References:
  required from libc.so.6:
    0x09691a75 0x00 03 GLIBC_2.2.5
    0x069691b4 0x00 02 GLIBC_2.34

/bin/b:     file format elf64-x86-64

Version References:
  required from libstdc++.so.6:
    0x0297f871 0x00 05 GLIBCXX_3.4.30
  required from libc.so.6:
    0x069691b9 0x00 04 GLIBC_2.38
"""


class Archive(unittest.TestCase):
    def test_libraries_are_those_of_ldd_without_glibc(self):
        self.assertEqual(gpu_pack.libraries_of(_LDD),
                         ["/usr/lib/x86_64-linux-gnu/weston/libexec_weston.so.0",
                          "/lib/x86_64-linux-gnu/libmd.so.0"])

    def test_a_missing_library_is_an_error(self):
        with self.assertRaisesRegex(LabError, "lacks libfoo.so.1"):
            gpu_pack.libraries_of("a:\n\tlibfoo.so.1 => not found\n")

    def test_the_newest_glibc_is_compared_by_number(self):
        self.assertEqual(gpu_pack.newest_glibc(_HEADERS), "2.38")
        with self.assertRaisesRegex(LabError, "/bin/b needs glibc 2.38.* 2.36"):
            gpu_pack.newest_glibc(_HEADERS, (2, 36))

    def test_a_manifest_names_the_library_beside_it(self):
        manifest = {"file_format_version": "1.2.0",
                    "layer": {"name": "L", "library_path": "/lab/build/layer/libL.so"}}
        self.assertEqual(gpu_pack.relocated(manifest),
                         {"file_format_version": "1.2.0",
                          "layer": {"name": "L", "library_path": "./libL.so"}})

    def test_an_archive_is_complete_or_not_there(self):
        with tempfile.TemporaryDirectory() as name:
            folder, archive = Path(name) / "packed", Path(name) / "new" / "a.tar.gz"
            folder.mkdir()
            (folder / "run").write_text("echo")
            with self.assertRaisesRegex(LabError, "more than 10"):
                gpu_pack._write(archive, folder, 10)
            self.assertEqual(list(archive.parent.iterdir()), [])
            self.assertEqual(gpu_pack._write(archive, folder), archive.stat().st_size)
            with tarfile.open(archive) as tar:
                self.assertEqual([(member.name, member.uname) for member in tar],
                                 [("fencebridge-gpu", "root"), ("fencebridge-gpu/run", "root")])

    def test_names_of_archives(self):
        self.assertEqual(gpu_pack.archive_name("a/b.tar.gz"), Path("a/b.tar.gz"))
        with self.assertRaises(argparse.ArgumentTypeError):
            gpu_pack.archive_name("b.zip")


# What every client does that presents through the layer.
_CLIENT = r"""#!/bin/sh
echo 'LAYER: vkCreateInstance layer callstack setup to:'
echo "$VK_INSTANCE_LAYERS" | tr : '\n' | sed 's/^/LAYER:    /'
echo 'LAYER: <Drivers>'
[ -z "${FENCEBRIDGE_HEADLESS_CAPTURE-}" ] || for frame in 1 61; do
    echo picture >"$FENCEBRIDGE_HEADLESS_CAPTURE/fencebridge-9-1-$frame.pam"
done
echo 'fencebridge: info: swapchain 5x5 F allocator=copy modifier=0x0 transport=cpu reason="x"'
while [ $# -gt 0 ]; do
    case $1 in
    --ready-file) : >"$2" && cat ;;
    esac
    shift
done
echo '60.0 frames a second, acquire 0.0100 ms, present 0.0200 ms (medians), on "a GPU"'
echo 'fencebridge: info: swapchain closed: acquired=9 presented=9'
"""
_PROGRAMS = {
    "fencebridge-still": _CLIENT, "vkcube-wayland": _CLIENT, "gpu_frames": _CLIENT,
    "gpu_copy_limit": "#!/bin/sh\necho '100.0 frames a second with a copy, 200.0 without'\n",
    "vulkaninfo": "#!/bin/sh\necho '        deviceName        = a GPU'\n",
    "weston": '#!/bin/sh\n: >"$XDG_RUNTIME_DIR/$WAYLAND_DISPLAY"\n'
              'echo $$ >"${0%/bin/*}/weston-process"\nexec sleep 600\n',
}


class Target(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.packed = Path(folder.name)
        for name in ("bin", "lib/if-missing", "weston"):
            (self.packed / name).mkdir(parents=True)
        (self.packed / "run").write_bytes((SOURCE / "tests/gpu/target.sh").read_bytes())
        (self.packed / "about").write_text("glibc: 2.17\n")
        # Each picture differs from the others.
        (self.packed / "screenshot").write_text('echo "$1" >"$1"\n')
        for name, text in _PROGRAMS.items():
            self.program(name, text)

    def program(self, name: str, text: str) -> None:
        path = self.packed / "bin" / name
        path.write_text(text)
        path.chmod(0o755)

    def run_steps(self) -> tuple[int, dict[str, str], str]:
        """The exit status, the result of each step, and what was printed."""
        done = subprocess.run(["sh", self.packed / "run", "--out", self.packed / "out"],
                              capture_output=True, text=True, check=False, timeout=120,
                              stdin=subprocess.DEVNULL)
        rows = (line.split(maxsplit=1) for line in done.stdout.splitlines()
                if line[28:].startswith(("ok", "FAILED")))
        return done.returncode, dict(rows), done.stdout + done.stderr

    def test_every_step_succeeds_and_is_compared_with_the_limit(self):
        status, steps, text = self.run_steps()
        self.assertEqual(status, 0, text)
        self.assertEqual({result.split()[0] for result in steps.values()}, {"ok"}, text)
        self.assertEqual(len(steps), 16, text)
        self.assertIn("allocator=copy transport=cpu", steps["cube"])
        self.assertIn("window-mailbox: 60 % of the copy limit", text)
        # Nothing that was started goes on.
        process = (self.packed / "weston-process").read_text().strip()
        self.assertFalse(Path(f"/proc/{process}").exists())

    def test_every_kind_of_failure_is_named(self):
        passes_through = "fencebridge: warning: using the driver's own swapchains for a surface: X"
        self.program("vkcube-wayland", f'#!/bin/sh\necho "{passes_through}"\n')
        self.program("gpu_copy_limit", "#!/bin/sh\necho 'gpu_copy_limit: lacks X' >&2\nexit 77\n")
        self.program("fencebridge-still", _CLIENT + "echo 'Validation Error: [ VUID-1 ]'\n")
        (self.packed / "screenshot").write_text('echo the same >"$1"\n')
        status, steps, text = self.run_steps()
        self.assertEqual(status, 1, text)
        self.assertEqual(steps["cube"], f"FAILED  presented without the layer: {passes_through}")
        self.assertEqual(steps["copy-limit"], "FAILED  status 77: gpu_copy_limit: lacks X")
        self.assertEqual(steps["still"], "FAILED  the screenshot shows nothing")
        self.assertEqual(steps["still-validation-below"],
                         "FAILED  validation messages, the first: Validation Error: [ VUID-1 ]")
        self.assertNotIn("% of the copy limit", text)

    def test_an_older_glibc_is_refused(self):
        (self.packed / "about").write_text("glibc: 99.1\n")
        status, _, text = self.run_steps()
        self.assertEqual(status, 2)
        self.assertIn("the programs need glibc 99.1; this machine has ", text)


if __name__ == "__main__":
    unittest.main()
