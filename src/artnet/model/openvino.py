"""Open OpenVINO, once for the process, and find where it keeps what it compiles.

Knows nothing about graphs.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from platformdirs import user_cache_path

_one_at_a_time = threading.Lock()


def open_core() -> Any:
    """Keep one OpenVINO core for the process: with the last one go its libraries, whose fork handlers stay behind."""
    with _one_at_a_time:
        return _only_core()


@cache
def _only_core() -> Any:
    """Make the core and a tensor that becomes an array.

    The first such tensor sets up how OpenVINO speaks with NumPy; where two threads have their first at the same moment,
    each waits for what the other holds, for ever (seen with 2026.4.1).
    """
    with _unreported():
        import openvino as ov
    core = ov.Core()
    np.asarray(ov.Tensor(np.zeros(1, np.float32)).data)
    return core


@contextmanager
def _unreported() -> Iterator[None]:
    """Keep OpenVINO from telling its makers, unasked and from a forked process, that it was imported."""
    name = "openvino_telemetry"
    before = {name: sys.modules[name]} if name in sys.modules else {}
    sys.modules[name] = None  # type: ignore[assignment]  # it takes a stand-in then, which does nothing
    try:
        yield
    finally:
        del sys.modules[name]
        sys.modules.update(before)


def cache_folder() -> Path | None:
    """Make and give the folder that keeps compiled graphs, in the user's cache directory.

    None where the folder cannot be made: graphs are then compiled anew each time.
    """
    folder = user_cache_path("artnet", appauthor=False) / "openvino"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return folder if os.access(folder, os.W_OK) else None
