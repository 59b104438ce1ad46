# SPDX-License-Identifier: MIT
"""In the guest: runs the programs that $OUT/plan.json lists, one after the other.

Each leaves its output (NAME.log), the end of its run (NAME.json) and a screenshot (NAME.png) in
$OUT. background.png is a screenshot from before the first one.
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

OUT = Path(os.environ["OUT"])
SCREENSHOT = str(Path(__file__).with_name("screenshot"))
LIMIT_SECONDS = 180  # for each step of a run
EQUAL_PICTURES = 3  # in a row, of a program that stands still


def take(name: str) -> bytes:
    path = OUT / f"{name}.png"
    subprocess.run([SCREENSHOT, str(path)], check=True, stdin=subprocess.DEVNULL)
    return path.read_bytes()


class Background:
    """The output without a window. That of KWin is made grey: it is black, as some windows are."""

    def __init__(self):
        self.picture = take("background")
        if os.environ["LAB_COMPOSITOR"] == "kwin":
            black = self.picture
            subprocess.Popen(["swaybg", "--color", "#28323c"], stdin=subprocess.DEVNULL)
            deadline = time.monotonic() + LIMIT_SECONDS
            while self.picture == black and time.monotonic() < deadline:
                self.picture = take("background")

    def wait(self) -> bool:
        """Waits until the windows of earlier programs are gone; returns whether they are."""
        deadline = time.monotonic() + LIMIT_SECONDS
        while time.monotonic() < deadline:
            if take("between") == self.picture:
                return True
        return False


def take_picture(process: subprocess.Popen, plan: dict, background: Background) -> bool:
    """Takes the picture of a window; returns whether the program was still running then."""
    deadline = time.monotonic() + LIMIT_SECONDS
    wanted = EQUAL_PICTURES if plan["still"] else 1
    last, equal = b"", 0
    while process.poll() is None and time.monotonic() < deadline:
        picture = take(plan["name"])
        if process.poll() is not None or picture == background.picture:
            continue
        equal = equal + 1 if picture == last else 1
        last = picture
        if equal >= wanted:
            return True
    return False


def wait_for_commits(process: subprocess.Popen, count: int, log: Path) -> None:
    """Waits until WAYLAND_DEBUG has printed so many commits, or the program ends."""
    deadline = time.monotonic() + LIMIT_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        if log.read_bytes().count(b".commit()") >= count:
            return
        time.sleep(0.1)


def end(process: subprocess.Popen, quit_by: list[str] | None) -> int | str:
    """The exit status; "killed" if the program does not end."""
    if quit_by:
        subprocess.run(quit_by, check=False, stdin=subprocess.DEVNULL)
    elif quit_by is not None:
        process.send_signal(signal.SIGTERM)
    try:
        return process.wait(LIMIT_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return "killed"


def run(plan: dict, background: Background) -> None:
    facts = {"alone": background.wait()}
    environment = os.environ | plan["environment"]
    if not plan["layer"]:
        environment.pop("VK_INSTANCE_LAYERS", None)
    log_file = OUT / f"{plan['name']}.log"
    with log_file.open("wb") as log:
        process = subprocess.Popen(plan["command"], env=environment, stdin=subprocess.DEVNULL,
                                   stdout=log, stderr=subprocess.STDOUT)
        facts["picture"] = take_picture(process, plan, background)
        wait_for_commits(process, plan["commits"], log_file)
        facts["status"] = end(process, plan["quit"])
    (OUT / f"{plan['name']}.json").write_text(json.dumps(facts))


def main() -> int:
    os.environ["FENCEBRIDGE_LOG_LEVEL"] = "info"
    background = Background()
    for plan in json.loads((OUT / "plan.json").read_text()):
        run(plan, background)
    return 0


sys.exit(main())
