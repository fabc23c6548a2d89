"""Python ends cleanly while the network computes.

A daemon thread that is in native code when the interpreter ends is unwound through frames that must not throw, which
aborts the process ("terminate called without an active exception"). So the network runs in threads that are waited for.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parent.parent.parent / "examples"

BATCH = """
import sys
from artnet import Classifier
from artnet.batch.predict import classify_sources
results = classify_sources(Classifier.load(precision="f32"), sys.argv[1:] * 3)
print(next(results).prediction.movement)
"""
SERVER = """
import asyncio, sys
from artnet import Classifier
from artnet.serving.work_queue import QueueLimits, WorkQueue
classifier, queue = Classifier.load(precision="f32"), WorkQueue(QueueLimits(timeout_s=0.2))
async def main():
    work = lambda: [classifier.classify(path) for path in sys.argv[1:] * 4]
    results = await asyncio.gather(*(queue.run(work) for _ in range(3)), return_exceptions=True)
    print(type(results[0]).__name__)
asyncio.run(main())
"""


@pytest.mark.parametrize(
    ("script", "printed"), [(BATCH, "Realism"), (SERVER, "DeadlineError")], ids=["batch", "server"]
)
def test_a_process_that_ends_while_images_are_classified_ends_cleanly(script: str, printed: str) -> None:
    command = [sys.executable, "-c", script, *map(str, sorted(EXAMPLES.glob("*.jpg")))]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stdout.strip()) == (0, printed), done.stderr
