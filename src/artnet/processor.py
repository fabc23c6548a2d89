"""Say what this machine's processor offers.

Knows nothing about what is computed on it.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path


def usable_processors() -> int:
    """Count the processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@cache
def has_amx() -> bool:
    """Say whether this processor multiplies matrices in bf16 (AMX); only Linux tells, elsewhere the answer is no.

    With AVX-512's bf16 but without AMX, OpenVINO takes 1.7 times as long in bf16 as in float32 (MobileNet-EdgeTPU).
    """
    try:
        return "amx_bf16" in Path("/proc/cpuinfo").read_text(encoding="utf-8").split()
    except OSError:
        return False
