# SPDX-License-Identifier: MIT
"""Running commands in the root by chroot, on the host's kernel: builds, native tests, apt.

The root is read-only. Folders that a command may write to are mounted into the root, in a mount
namespace that ends with the command. An ordinary user needs a user namespace for that.
"""

import os
import shlex
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from . import artefact, host, rootfs
from .paths import IN_ROOT

_PASSED_ON = ("http_proxy", "https_proxy", "no_proxy", "TERM")


@dataclass
class Sandbox:
    """A root, and the folders that are mounted into it, most of them in /lab."""

    root: Path
    writable: dict[str, Path] = field(default_factory=dict)  # name in /lab: folder of the host
    readonly: dict[str, Path] = field(default_factory=dict)
    over: dict[str, Path] = field(default_factory=dict)      # path in the root: folder of the host
    environment: dict[str, str] = field(default_factory=dict)

    def command(self, argv: list[str], cwd: str = "/") -> list[str]:
        """The command on the host that runs argv in the root."""
        unshare = ["unshare", "--mount", "--propagation", "private"]
        if not host.is_root():
            unshare.append("--map-root-user")
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/tmp", "LANG": "C.UTF-8",
                       "DEBIAN_FRONTEND": "noninteractive",
                       **{name: os.environ[name] for name in _PASSED_ON if name in os.environ},
                       **self.environment}
        assignments = [f"{name}={value}" for name, value in environment.items()]
        return [*unshare, "sh", "-ec", self._mounts() + '\nexec chroot "$0" "$@"', str(self.root),
                "/usr/bin/env", "-i", *assignments,
                "/bin/sh", "-c", 'cd "$0" && exec "$@"', cwd, *argv]

    def run(self, argv: list[str], cwd: str = "/", **options) -> subprocess.CompletedProcess:
        options.setdefault("stdin", subprocess.DEVNULL)
        return subprocess.run(self.command(argv, cwd), check=False,
                              preexec_fn=host.die_with_parent, **options)

    def _mounts(self) -> str:
        """A shell script; $0 is the root."""
        lines = ['mount --bind "$0" "$0"',
                 # In a user namespace, changing the flags of a bind mount may be refused.
                 'mount -o remount,bind,ro "$0" 2>/dev/null || true']
        for system in ("proc", "sys", "dev"):
            lines.append(f'mount --rbind /{system} "$0/{system}"')
        for scratch in ("tmp", "run", "var/tmp", IN_ROOT.name):
            lines.append(f'mount -t tmpfs -o mode=1777 lab "$0/{scratch}"')
        lines.append('mount --bind /etc/resolv.conf "$0/etc/resolv.conf" 2>/dev/null || true')
        for name, folder in (self.writable | self.readonly).items():
            point = f'"$0{IN_ROOT}/{name}"'
            lines += [f"mkdir -p {point}", f"mount --rbind {shlex.quote(str(folder))} {point}"]
            if name in self.readonly:
                lines.append(f"mount -o remount,bind,ro {point} 2>/dev/null || true")
        for path, folder in self.over.items():
            lines.append(f'mount --bind {shlex.quote(str(folder))} "$0{path}"')
        return "\n".join(lines)


def apt_state(artefact_folder: Path) -> Path:
    return artefact_folder / "apt"


def with_apt(artefact_folder: Path, **mounts: Path) -> Sandbox:
    """A sandbox for apt, whose lists and cache are beside the root, which is read-only."""
    state = apt_state(artefact_folder)
    for name in ("lists/partial", "cache/archives/partial"):
        (state / name).mkdir(parents=True, exist_ok=True)
    return Sandbox(artefact_folder / "root", writable=mounts,
                   over={"/var/lib/apt/lists": state / "lists", "/var/cache/apt": state / "cache"})


def apt_update(sandbox: Sandbox, log: Path, ticker) -> None:
    host.run_logged(sandbox.command(["apt-get", *apt_options(), "update"]), log, ticker)


def apt_options() -> list[str]:
    # apt's binary caches would take 100 MB, and save one second.
    options = rootfs.APT_OPTIONS | {"Dir::Cache::pkgcache": "", "Dir::Cache::srcpkgcache": ""}
    return [part for name, value in options.items() for part in ("-o", f"{name}={value}")]


def in_use(folder: Path):
    """Context: the artefact is in use, and no other lab removes it."""
    return artefact.locked(artefact.lock_of(folder), shared=True)
