# SPDX-License-Identifier: MIT
"""The command line of ./lab, its messages on failure and its exit status."""

import argparse
import math
import os
import re
import signal
import stat
import sys
import traceback
from contextlib import nullcontext
from pathlib import Path

from . import (build, clean, compositors, deb_root, gpu, gpu_pack, guest, guest_modules, kernels,
               kmod, logs, packages, rootfs, say)
from .bench import command as bench
from .bench.options import Options
from .paths import cache

LAB_FAILED = 125  # the exit status if the lab itself failed, as in env(1)
SYNCS = ["auto", "explicit", "kernel", "module", "cpu"]
_DEFAULT_COMPOSITOR = "weston"


def main(argv: list[str]) -> int:
    signal.signal(signal.SIGTERM, _interrupt)
    signal.signal(signal.SIGHUP, _interrupt)
    try:
        options = _parser().parse_args(argv)
        status = options.action(options)
        sys.stdout.flush()
        return status
    except guest.TimedOut as error:
        print(f"lab: {error}", file=sys.stderr)
        return guest.TIMED_OUT
    except say.LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        return LAB_FAILED
    except BrokenPipeError:
        _give_up_stdout()  # its reader is gone
        return 128 + signal.SIGPIPE
    except OSError as error:
        _give_up_stdout()  # which may be on a full disk
        print(f"lab: {say.in_one_line(error)}", file=sys.stderr)
        say.note(traceback.format_exc())
        return LAB_FAILED
    except KeyboardInterrupt:
        print("lab: interrupted", file=sys.stderr)
        return 128 + signal.SIGINT
    except say.Interrupted:
        return 128 + signal.SIGTERM


def _give_up_stdout() -> None:
    """The flush at exit must not fail as well."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _interrupt(_number, _frame):
    raise say.Interrupted


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./lab", description="A kernel, Wayland compositors and a Vulkan driver for "
        "fencebridge, without a GPU. docs/lab.md tells how it works.")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    setup = commands.add_parser("setup", help="make the root file system, the kernels and their "
                                "toolchains, once, and build the tree")
    setup.add_argument("--all", action="store_true",
                       help="also the kernels that only `lab test --all` needs")
    setup.set_defaults(action=_setup)

    demo = commands.add_parser("demo", help="300 frames of vkcube through the layer, with a "
                               "screenshot and a report")
    demo.add_argument("--out", type=Path, default=Path("out/demo"), metavar="DIR",
                      help="where screenshot.png and report.json go (default: %(default)s)")
    demo.add_argument("--gpu", default=gpu.NONE, choices=[*gpu.NAMES, gpu.NONE], metavar="G",
                      help=f"{', '.join([*gpu.NAMES, gpu.NONE])} (default: %(default)s): with a "
                      "GPU, on sway and the newest stock kernel instead of Weston and uml, with a "
                      "count of pending fences")
    demo.add_argument("--no-layer", action="store_true", help=argparse.SUPPRESS)
    demo.set_defaults(action=_demo)

    run = commands.add_parser(
        "run", help="run a command in the guest, with the layer active",
        description="Runs COMMAND in the guest. Output, error output and exit status of `lab run` "
        f"are those of COMMAND. Exit status {LAB_FAILED} means that the lab could not run COMMAND, "
        f"and {guest.TIMED_OUT} that COMMAND took too long.")
    _guest_options(run)
    run.add_argument("command", nargs="+", metavar="COMMAND", help="the command, after --")
    run.set_defaults(action=_run, terminal=False)

    shell = commands.add_parser("shell", help="a prompt in the guest")
    _guest_options(shell)
    shell.set_defaults(action=_run, command=None)

    measure = commands.add_parser(
        "bench", help="what a frame costs with the layer, beside the driver's own swapchains",
        description="Measures the driver's own swapchains (\"native\") and the layer with every "
        "transport, alternately. docs/performance.md describes the measurements. Prints tables, "
        "and writes them and all numbers to DIR.")
    _bench_options(measure)
    measure.set_defaults(action=_bench)

    tidy = commands.add_parser(
        "clean", help="remove from the cache what is not needed any more",
        description="Removes incomplete folders that killed labs have left, builds of trees that "
        "do not exist any more, builds of other trees that were not used for N days, and artefacts "
        "whose ingredients are not those that this tree's lab would use today. Folders that a "
        "running lab uses are kept.")
    tidy.add_argument("--days", type=_days, default=clean.DAYS, metavar="N",
                      help="remove builds of other trees that were not used for N days (default: "
                      "%(default)s)")
    tidy.add_argument("--dry-run", action="store_true", help="only tell what would be removed")
    tidy.set_defaults(action=lambda options: clean.run(options.days, options.dry_run))

    pack = commands.add_parser(
        "gpu-pack", help="pack the layer, clients and a compositor for a machine with a GPU",
        description="Builds one archive with all that tests/gpu/run needs on a machine with a GPU "
        "driver, which need not have a compositor or a network. docs/gpu-machines.md tells how to "
        "use it.")
    pack.add_argument("archive", type=gpu_pack.archive_name, metavar="OUT.tar.xz",
                      help="or OUT.tar.gz, for a machine without xz")
    pack.set_defaults(action=lambda options: gpu_pack.run(options.archive))

    test = commands.add_parser(
        "test", help="run the tests", description="Runs the named suites. Without names, runs "
        "every suite that has a short form, in that form. --list prints how long each takes.")
    test.add_argument("suites", nargs="*", metavar="SUITE")
    test.add_argument("--all", action="store_true", help="all suites, in full: on all kernels, "
                      "with the long soak, and with the suites programs, mutations and "
                      "kmod-mutations")
    test.add_argument("--only", default="", metavar="TEXT", help="of the suites mutations and "
                      "kmod-mutations, the mutations with TEXT in their name")
    test.add_argument("--list", action="store_true",
                      help="name the suites, how long each takes and what it shows")
    test.add_argument("--out", type=Path, metavar="DIR", help="where the suites' logs go")
    test.set_defaults(action=_test)
    return parser


def _bench_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--quick", action="store_true", help="one round, with fewer windows, frames and samples")
    add("--only", type=_measurements, metavar="M,...",
        help=f"what to measure: {', '.join(bench.MEASUREMENTS)} (default: all that the kernel "
             "allows)")
    _kernel_options(parser)
    add("--compositor", action="append", choices=list(compositors.COMPOSITORS), metavar="C",
        help=f"{', '.join(compositors.COMPOSITORS)}; repeatable (default: "
             f"{', '.join(Options.compositors)}; with a GPU: {', '.join(gpu.COMPOSITORS)})")
    add("--rounds", type=_count, metavar="N",
        help=f"how often each is measured (default: {Options.rounds}; 1 with --quick)")
    add("--out", type=Path, default=Path("out/bench"), metavar="DIR",
        help="the folder for bench.txt, bench.json and the raw results (default: %(default)s)")


def _kernel_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--kernel", metavar="K",
                        help=f"the guest's kernel: {', '.join(kernels.KERNELS)} (default: "
                        f"{kernels.DEFAULT}; with a GPU: {gpu.KERNEL})")
    parser.add_argument("--gpu", default=gpu.NONE, choices=[*gpu.NAMES, gpu.NONE], metavar="G",
                        help=f"{', '.join([*gpu.NAMES, gpu.NONE])} (default: %(default)s)")


def _kernel(options) -> str:
    return options.kernel or kernels.default_for(options.gpu)


def _measurements(text: str) -> list[str]:
    names = _names(text)
    if unknown := [name for name in names if name not in bench.MEASUREMENTS]:
        raise argparse.ArgumentTypeError(f"no measurement {', '.join(unknown)}; there are: "
                                         f"{', '.join(bench.MEASUREMENTS)}")
    return names


def _count(text: str) -> int:
    value = int(text)
    if value <= 0:
        raise argparse.ArgumentTypeError("must be more than 0")
    return value


def _guest_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    _kernel_options(parser)
    add("--compositor", metavar="C",
        help=f"{', '.join([*compositors.COMPOSITORS, compositors.NONE])} (default: "
        f"{_DEFAULT_COMPOSITOR}; with a GPU: {gpu.COMPOSITORS[0]})")
    add("--output", type=_size, default=compositors.OUTPUT, metavar="WxH",
        help="the size of the compositor's output (default: %(default)s)")
    add("--no-layer", action="store_true", help="leave the layer out")
    add("--sync", choices=SYNCS, metavar="T",
        help=f"the transport the layer is to use: {', '.join(SYNCS)}")
    add("--mask", default="", metavar="M,...",
        help="hide features of the driver by the layer of tests/mask")
    add("--module", action="store_true",
        help="with the kernel module loaded; --sync module does that, too")
    add("--no-udmabuf", action="store_true",
        help="without the module udmabuf, which the lab adds to Debian's kernels before 6.12")
    add("--install", type=_names, default=[], metavar="PKG,...",
        help="Debian packages to add, in an overlay")
    add("--env", action="append", type=_assignment, default=[], metavar="K=V",
        help="an environment variable for COMMAND; repeatable")
    add("--mount", action="append", type=_mount, default=[], metavar="HOSTDIR:GUESTDIR",
        help="make a folder of this machine writable in the guest; repeatable")
    add("--out", type=Path, metavar="DIR", help="writable as $OUT in the guest; logs go there too")
    add("--tests", action="store_true", help="build the tests too, for use from $BUILD/tests")
    add("--timeout", type=_seconds, metavar="S", help="kill the guest after S seconds")


def _names(text: str) -> list[str]:
    return sorted({name for name in text.split(",") if name})


def _assignment(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier():
        raise argparse.ArgumentTypeError(f"not of the form NAME=VALUE: {text!r}")
    return name, value


def _mount(text: str) -> tuple[Path, str]:
    folder, colon, point = text.rpartition(":")
    path = Path(folder).resolve()
    if not colon or not point.startswith("/") or any(c.isspace() for c in point):
        raise argparse.ArgumentTypeError(f"not of the form HOSTDIR:/GUESTDIR: {text!r}")
    if not path.is_dir():
        raise argparse.ArgumentTypeError(f"no folder {folder!r}")
    return path, point


def _days(text: str) -> float:
    value = _number(text)
    if value < 0:
        raise argparse.ArgumentTypeError("must not be negative")
    return value


def _size(text: str) -> compositors.Size:
    match = re.fullmatch(r"([1-9]\d{0,4})x([1-9]\d{0,4})", text)
    if not match:
        raise argparse.ArgumentTypeError(f"not of the form WIDTHxHEIGHT: {text!r}")
    return compositors.Size(int(match[1]), int(match[2]))


def _seconds(text: str) -> float:
    value = _number(text)
    if value <= 0:
        raise argparse.ArgumentTypeError("must be more than 0")
    return value


def _number(text: str) -> float:
    """A number in the usual notation. float() accepts `nan` and `inf`, too."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"not a number: {text!r}")
    return value


def _setup(options) -> int:
    rootfs.ensure()
    for name in kernels.for_tests(options.all):
        kmod.builder_for(name)
        guest_modules.fences(name)
        guest_modules.render_node(name)
    gpu.parts()
    for suite in deb_root.SUITES if options.all else ():
        deb_root.ensure(suite)
    clean.remove_outdated()
    # Every command builds what has changed, but the first build takes minutes.
    for variant in (build.PLAIN, build.SANITIZERS, build.THREADS):
        build.ensure(variant, tests=True)
    print(f"ready, in {cache()}")
    return 0


def _demo(options) -> int:
    from . import demo
    return demo.run(options.out, layer=not options.no_layer, with_gpu=options.gpu)


def _bench(options) -> int:
    chosen = tuple(options.compositor or
                   (Options.compositors if options.gpu == gpu.NONE else gpu.COMPOSITORS))
    rounds = options.rounds or (1 if options.quick else Options.rounds)
    return bench.run(Options(_kernel(options), chosen, rounds, options.quick, options.gpu),
                     options.only, options.out)


def _test(options) -> int:
    from .suites import runner
    if options.list:
        return runner.list_suites()
    with logs.run_folder("test") if options.out is None else nullcontext(options.out) as out:
        return runner.run(options.suites, options.all, out, options.only)


def _run(options) -> int:
    with logs.run_folder("run") if options.out is None else nullcontext(options.out) as folder:
        return _run_with_logs(options, folder / "logs")


def _run_with_logs(options, folder: Path) -> int:
    compositor = options.compositor or (
        _DEFAULT_COMPOSITOR if options.gpu == gpu.NONE else gpu.COMPOSITORS[0])
    guest.check(_kernel(options), compositor, options.gpu)
    interactive = options.command is None and sys.stdin.isatty()
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lab.log").open("w", encoding="utf-8") as log:
        say.quiet_into(log)
        make = build.try_ensure if options.no_layer else build.ensure
        built = make(tests=options.tests, parts=("mask",) if options.mask else ())
        with packages.layers(options.install) as layers:
            request = guest.Request(
                argv=options.command or ["bash", "-l", *([] if interactive else ["-s"])],
                compositor=compositor, output=options.output, kernel=_kernel(options),
                layer=not options.no_layer, sync=options.sync, mask=options.mask,
                layers=layers,
                env=dict(options.env), mounts=options.mount, out=options.out, logs=folder,
                timeout=options.timeout, terminal=interactive, build=built, module=options.module,
                gpu=options.gpu, udmabuf=not options.no_udmabuf)
            say.note(f"{request}")
            return guest.run(request, _writer(sys.stdout), _writer(sys.stderr), _own_stdin())


def _writer(stream) -> guest.Sink:
    def write(data: bytes) -> None:
        stream.buffer.write(data)
        stream.buffer.flush()
    return write


def _own_stdin():
    """Our standard input, or None if it is closed, a terminal or /dev/null."""
    try:
        mode = os.fstat(0).st_mode
    except OSError:
        return None
    if os.isatty(0) or (stat.S_ISCHR(mode) and os.path.samestat(os.fstat(0), os.stat(os.devnull))):
        return None
    return sys.stdin.buffer
