# SPDX-License-Identifier: MIT
"""In the guest: two runs of vkcube for `lab demo`, and those of another client that the plan has,
by transport. They leave these files in $OUT:

    background.png, screenshot.png   the output before, and in the middle of the run
    vkcube.log                       the run's own output
    strace.txt, strace.log           a second, shorter run under strace
    fences-TRANSPORT.json, .log      the output of the other client, and its errors
    facts.json                       versions, exit statuses, times
"""

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from lab import layerlog, strace  # noqa: E402  (the path has to be set first)

OUT = Path(os.environ["OUT"])
SCREENSHOT = str(Path(__file__).with_name("screenshot"))


def vkcube(frames: int) -> list[str]:
    return ["vkcube", "--wsi", "wayland", "--c", str(frames)]


def take(name: str) -> bytes:
    path = OUT / name
    subprocess.run([SCREENSHOT, str(path)], check=True, stdin=subprocess.DEVNULL)
    return path.read_bytes()


class Watcher(threading.Thread):
    """Copies a run's output to its log, and notes when swapchains are created and destroyed."""

    def __init__(self, stream, log: Path):
        super().__init__(daemon=True)
        self.stream = stream
        self.log = log
        self.opened = None
        self.closed = None

    def run(self):
        with self.log.open("w", encoding="utf-8") as log:
            for line in self.stream:
                now = time.monotonic()
                event = layerlog.parse(line)
                if isinstance(event, layerlog.Opened) and self.opened is None:
                    self.opened = now
                elif isinstance(event, layerlog.Closed):
                    self.closed = now
                log.write(line)


def run_with_picture(frames: int) -> dict:
    background = take("background.png")
    start = time.monotonic()
    process = subprocess.Popen(vkcube(frames), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               text=True)
    watcher = Watcher(process.stdout, OUT / "vkcube.log")
    watcher.start()
    in_time = False
    try:
        # At 60 frames per second, the run has not ended by then. The loop below checks that.
        process.wait(timeout=2.0)
    except subprocess.TimeoutExpired:
        while process.poll() is None and not in_time:
            in_time = take("screenshot.png") != background and process.poll() is None
    status = process.wait()
    seconds = time.monotonic() - start
    watcher.join()
    shown = watcher.closed - watcher.opened if watcher.opened and watcher.closed else None
    return {"status": status, "seconds": seconds, "swapchain_seconds": shown,
            "picture_in_time": in_time, "frames": frames}


def run_traced(frames: int, transport: str) -> dict:
    with (OUT / "strace.log").open("w", encoding="utf-8") as log:
        done = subprocess.run(["strace", *strace.OPTIONS, "-o", str(OUT / "strace.txt"),
                               *vkcube(frames)], stdout=log, stderr=subprocess.STDOUT, check=False,
                              env=os.environ | {"FENCEBRIDGE_SYNC": transport})
    return {"status": done.returncode, "frames": frames}


def run_with_fences(transport: str, argv: list[str]) -> dict:
    name = f"fences-{transport}"
    with (OUT / f"{name}.json").open("wb") as out, (OUT / f"{name}.log").open("wb") as log:
        done = subprocess.run(argv, stdout=out, stderr=log, check=False,
                              env=os.environ | {"FENCEBRIDGE_SYNC": transport})
    return {"status": done.returncode}


def main() -> None:
    plan = json.loads(sys.argv[1])
    os.environ["FENCEBRIDGE_LOG_LEVEL"] = "info"
    facts = {"kernel": os.uname().release,
             "compositor": subprocess.run(plan["compositor_version"], capture_output=True,
                                          text=True, check=False).stdout.strip(),
             "run": run_with_picture(plan["frames"]),
             "traced": run_traced(plan["traced_frames"], plan["traced_sync"]),
             "fences": {transport: run_with_fences(transport, argv)
                        for transport, argv in plan["fences"].items()}}
    (OUT / "facts.json").write_text(json.dumps(facts, indent=2))


main()
