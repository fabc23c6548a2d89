"""Measure commands from the shell: median wall time, processor time and peak memory over some runs.

    python benchmarks/startup.py [RUNS]

Uses the `artnet` of the environment that runs it. The first run of each command, which fills caches, is not counted.
The ratio beside each command is against an interpreter that starts and does nothing, measured in turn with it.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
ARTNET = Path(sys.executable).with_name("artnet")
PICTURE = ROOT / "examples" / "pointillist.jpg"

COMMANDS = {
    "artnet --help": [str(ARTNET), "--help"],
    "artnet classify one.jpg --json": [str(ARTNET), "classify", str(PICTURE), "--json"],
    "artnet explain one.jpg": [str(ARTNET), "explain", str(PICTURE), "--json"],
}
NOTHING = [sys.executable, "-c", "pass"]


@dataclass(frozen=True)
class Cost:
    """What one run took."""

    wall_s: float
    processor_s: float
    memory_mb: float


def run_apart(command: list[str]) -> Cost:
    """Run a command from a small process: a peak of memory counts what the process that starts it holds."""
    program = "import json, sys, dataclasses, startup; print(json.dumps(dataclasses.asdict(startup.run(sys.argv[1:]))))"
    started = [sys.executable, "-c", program, *command]
    done = subprocess.run(started, cwd=Path(__file__).parent, check=True, capture_output=True, text=True)
    return Cost(**json.loads(done.stdout))


def run(command: list[str]) -> Cost:
    """Run a command to its end and read its cost from the operating system."""
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    seconds = time.perf_counter() - started
    return Cost(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def main() -> None:
    """Measure every command and print a table."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    print(f"{'command':32} {'wall s':>8} {'cpu s':>8} {'MB':>6} {'times an empty Python':>22}")
    for name, command in COMMANDS.items():
        run(command)
        pairs = [(run(command), run(NOTHING)) for _ in range(runs)]
        wall, processor, memory = (
            statistics.median(getattr(cost, field) for cost, _ in pairs)
            for field in ("wall_s", "processor_s", "memory_mb")
        )
        ratio = statistics.median(cost.wall_s / empty.wall_s for cost, empty in pairs)
        print(f"{name:32} {wall:8.2f} {processor:8.2f} {memory:6.0f} {ratio:22.1f}")


if __name__ == "__main__":
    main()
