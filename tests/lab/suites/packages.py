# SPDX-License-Identifier: MIT
"""Building the .debs on two Debian suites, installing, using, upgrading and purging them."""

from pathlib import Path

from .. import deb_root, debs, guest, kernels, layerlog, stock
from ..paths import SOURCE_IN_ROOT
from .outcome import Outcome

# Stock kernels whose headers are installed: one that needs the module, and one that has its ioctls.
_NEEDS, _HAS = "debian-5.10", "debian-6.1"

_STEPS = {
    "install": "dpkg installs version {}",
    "installed": "all packages have version {}",
    "loader": "the loader finds the layer of version {}",
    "off": "a client runs without the layer of version {}",
    "on": "a client runs with the layer of version {}",
    "module": f"DKMS builds the module of version {{}} for {_NEEDS} and not for {_HAS}",
}
_LAST_STEPS = {"purge": "dpkg purges all packages", "nothing-left": "nothing is left of them"}


def run(out: Path) -> Outcome:
    outcome = Outcome()
    for suite in deb_root.SUITES:
        _run_on(suite, out / suite, outcome)
    return outcome


def _run_on(suite: str, out: Path, outcome: Outcome) -> None:
    out.mkdir(parents=True, exist_ok=True)
    for old in [*out.glob("*.status"), *out.glob("*.log")]:
        old.unlink()
    built = debs.build(suite, out / "debs", out / "build.log")
    complaints = debs.lintian(suite, built)
    outcome.check(f"{suite}: lintian complains of nothing", not complaints, "\n".join(complaints))
    folders = {name: kernels.find(name).ensure() for name in (_NEEDS, _HAS)}
    request = guest.Request(
        argv=["sh", str(SOURCE_IN_ROOT / "tests/lab/guest/packages.sh")], compositor="none",
        layer=False, root=deb_root.ensure(suite), out=out, timeout=600,
        layers=[folder / "build" for folder in folders.values()],
        env={"old": debs.OLD, "new": built.version, "needs": stock.about(folders[_NEEDS]).release,
             "has": stock.about(folders[_HAS]).release})
    with (out / "script.log").open("wb") as log:
        guest.run(request, log.write, log.write)
    for version in (debs.OLD, built.version):
        for step, what in _STEPS.items():
            _check(outcome, out, suite, f"{version}-{step}", what.format(version))
    for step, what in _LAST_STEPS.items():
        _check(outcome, out, suite, step, what)


def _check(outcome: Outcome, out: Path, suite: str, step: str, what: str) -> None:
    path = out / f"{step}.status"
    status = path.read_text().strip() if path.exists() else "none"
    log = (out / f"{step}.log").read_text(errors="replace") if path.exists() else "it did not run"
    holds = status == "0"
    if step.endswith(("-on", "-off")):
        holds = holds and bool(layerlog.opened(log)) == step.endswith("-on")
    outcome.check(f"{suite}: {what}", holds, f"status {status}: {log[-600:]}")
