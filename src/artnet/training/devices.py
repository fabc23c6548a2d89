"""Devices, precision, processes and signals of a training."""

from __future__ import annotations

import logging
import signal
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Literal

import torch
from lightning_fabric import Fabric

from artnet.errors import UsageError, WorkerError, reason
from artnet.hardware import has_fast_bf16


@dataclass(frozen=True)
class FitOptions:
    """Where and how to train; nothing here changes what a recipe means."""

    device: str = "auto"
    devices: int = 1
    nodes: int = 1
    workers: int = 1
    checkpoint_every_s: float = 300.0
    precision: str = "auto"

    @property
    def processes(self) -> int:
        """Number of processes that train together: one for each device of each node."""
        return self.devices * self.nodes


def open_fabric(options: FitOptions, batch: int) -> Fabric:
    """Return the Fabric of the devices.

    Raises:
        UsageError: for a device that is not available, or a batch that cannot be divided among the processes
    """
    if options.processes > 1 and batch % (2 * options.processes):
        raise UsageError(
            f"a batch of {batch} cannot be divided among {options.processes} processes in pairs; use a batch that "
            f"is a multiple of {2 * options.processes} (--set batch=N) or other --devices"
        )
    try:
        with _quiet_lightning():
            return Fabric(
                accelerator=options.device,
                devices=options.devices,
                num_nodes=options.nodes,
                strategy="ddp" if options.processes > 1 else "auto",
                precision="32-true" if options.precision == "f32" else best_precision(options.device),
            )
    except (RuntimeError, ValueError) as error:
        raise UsageError(
            f"cannot train on device {str(options.device)!r} here ({reason(error)}); use auto or cpu"
        ) from error


@contextmanager
def _quiet_lightning() -> Iterator[None]:
    """Silence Lightning's advice to GPU users to call a function of PyTorch's that changes nothing in bf16."""
    log = logging.getLogger("lightning_fabric.utilities.rank_zero")
    before = log.level
    log.setLevel(logging.WARNING)
    try:
        yield
    finally:
        log.setLevel(before)


def launch(fabric: Fabric) -> None:
    """With several devices, start the running script once for each of the others and join them."""
    if fabric.world_size > 1:
        fabric.launch()


def best_precision(device: str) -> Literal["32-true", "bf16-mixed"]:
    """Return bf16 where it is faster (GPUs, AMX, AMD's AVX-512), float32 elsewhere.

    A step of MobileNet-EdgeTPU takes two thirds of the time on Zen 4; on a processor of another make with AVX-512's
    bf16 and without AMX it took twice as long.
    """
    if device in ("auto", "cuda", "gpu") and torch.cuda.is_available():
        return "bf16-mixed" if torch.cuda.is_bf16_supported() else "32-true"
    return "bf16-mixed" if has_fast_bf16() or torch.cpu._is_amx_tile_supported() else "32-true"


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed torch's global generators (initial weights, dropout) within the block and restore them after it."""
    devices = [torch.cuda.current_device()] if torch.cuda.is_initialized() else []  # type: ignore[no-untyped-call]
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        yield


@contextmanager
def deterministic_convolutions(precision: str) -> Iterator[None]:
    """Make cuDNN compute the same bits each time and, where `precision` is f32, without TF32.

    On an H100 a step of `finetune` took as long as with the algorithms that cuDNN would choose.
    """
    with torch.backends.cudnn.flags(enabled=True, deterministic=True, allow_tf32=precision != "f32"):
        yield


@contextmanager
def worker_errors() -> Iterator[None]:
    """Release the workers on any error, and raise a `WorkerError` where one of them was killed.

    They ignore signals, so Python's exit would wait for them forever; only the frames that the error holds keep them
    alive.
    """
    try:
        yield
    except Exception as error:
        traceback.clear_frames(error.__traceback__)
        # Which error it is depends on when it was killed: while it was waited for, or while it handed a batch over.
        killed = isinstance(error, RuntimeError) and str(error).startswith("DataLoader worker")
        if killed or isinstance(error, (ConnectionError, EOFError)):
            raise WorkerError(
                "a worker process that decodes views was killed, perhaps because memory ran out, in a container shared "
                "memory (docker run --shm-size 2g); continue with --resume, if necessary with fewer --workers"
            ) from error
        raise


@contextmanager
def stop_requests(patience_s: float = 3.0) -> Iterator[Callable[[], bool]]:
    """Yield a function that returns whether Ctrl-C or SIGTERM came.

    Outside the main thread, which alone receives signals, it always returns False.

    Args:
        patience_s: after this time since the first, another one takes effect at once
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    came_s: list[float] = []
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def handle(number: int, frame: FrameType | None) -> None:
        came_s.append(time.monotonic())
        if len(came_s) > 1 and came_s[-1] - came_s[0] >= patience_s:
            restore()
            signal.raise_signal(number)

    for number in before:
        signal.signal(number, handle)
    try:
        yield lambda: bool(came_s)
    finally:
        restore()
