"""Say what this machine's processor offers.

Knows nothing about what is computed on it.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path


def processor_count() -> int:
    """Count the processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def inference_concurrency() -> int:
    """Count the callers of a network that keep all processors busy: one more than there are.

    While one of them decodes a picture, another computes in its place; two cores answer 5 % more than with two callers.
    """
    return processor_count() + 1


def serving_concurrency() -> int:
    """Count the callers that a server lets in at once: two a processor, at most eight, for each has memory of its own.

    On two processors 164 requests a second; with two callers in all 138, with six 155.
    """
    return min(8, 2 * processor_count())


@cache
def has_fast_bf16() -> bool:
    """Say whether this processor multiplies faster in bf16; only Linux tells, elsewhere the answer is no.

    AMX does, and AMD's AVX-512 (Zen 4: half the time of float32, MobileNet-EdgeTPU). On another processor with
    AVX-512's bf16 and without AMX, OpenVINO took 1.7 times as long in bf16.
    """
    try:
        words = set(Path("/proc/cpuinfo").read_text(encoding="utf-8").split())
    except OSError:
        return False
    return "amx_bf16" in words or {"AuthenticAMD", "avx512_bf16"} <= words
