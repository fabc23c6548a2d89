"""What this machine's processors offer: their number, how many callers keep them busy, fast bf16."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path


def processor_count() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def inference_concurrency() -> int:
    """Return how many callers of a network keep all processors busy: one more than there are.

    While one of them decodes an image, another computes in its place; two cores classify 5 % more than with two.
    """
    return processor_count() + 1


def serving_concurrency() -> int:
    """Return how many callers a server lets in at the same time: two a processor, at most eight, each having memory.

    On two processors 164 requests a second; with two callers in all 138, with six 155.
    """
    return min(8, 2 * processor_count())


@cache
def has_fast_bf16(cpuinfo: Path = Path("/proc/cpuinfo")) -> bool:
    """Return whether this processor multiplies faster in bf16; False where it is not known, outside Linux.

    AMX does, and AMD's AVX-512 (Zen 4: half the time of float32, MobileNet-EdgeTPU). On another processor with
    AVX-512's bf16 and without AMX, OpenVINO took 1.7 times as long in bf16.
    """
    try:
        flags = set(cpuinfo.read_text(encoding="utf-8").split())
    except OSError:
        return False
    return "amx_bf16" in flags or {"AuthenticAMD", "avx512_bf16"} <= flags
