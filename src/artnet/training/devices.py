"""What a training takes of the machine: a device, a precision, several processes, and the signals that stop it.

Knows nothing about networks or data.
"""

from __future__ import annotations

import logging
import signal
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Literal

import torch
from lightning_fabric import Fabric

from artnet.errors import UsageError, WorkerError
from artnet.hardware import has_fast_bf16


@dataclass(frozen=True)
class FitOptions:
    """Where and how to run; nothing here changes what a recipe means."""

    device: str = "auto"
    devices: int = 1
    nodes: int = 1
    workers: int = 1
    resume: bool = False
    checkpoint_every_s: float = 300.0
    precision: str = "auto"

    @property
    def processes(self) -> int:
        """Count the processes that train together, one for each device of each node."""
        return self.devices * self.nodes


def open_fabric(options: FitOptions, batch: int) -> Fabric:
    """Open the devices.

    Errors: `UsageError` for a device that is not there, or a batch that cannot be divided among the processes.
    """
    if options.processes > 1 and batch % (2 * options.processes):
        raise UsageError(
            f"a batch of {batch} cannot be divided among {options.processes} processes in pairs; use a batch that "
            f"is a multiple of {2 * options.processes} (--set batch=N) or other --devices"
        )
    try:
        with _unadvised():
            return Fabric(
                accelerator=options.device,
                devices=options.devices,
                num_nodes=options.nodes,
                strategy="ddp" if options.processes > 1 else "auto",
                precision="32-true" if options.precision == "f32" else best_precision(options.device),
            )
    except (RuntimeError, ValueError) as error:
        raise UsageError(f"cannot train on device {str(options.device)!r} here ({error}); use auto or cpu") from error


@contextmanager
def _unadvised() -> Iterator[None]:
    """Keep Lightning from telling users of a GPU to call a function of PyTorch's that changes nothing in bf16."""
    log = logging.getLogger("lightning_fabric.utilities.rank_zero")
    before = log.level
    log.setLevel(logging.WARNING)
    try:
        yield
    finally:
        log.setLevel(before)


def launch(fabric: Fabric) -> None:
    """With several devices, start the running script once for each other one and join them."""
    if fabric.world_size > 1:
        fabric.launch()


def best_precision(device: str) -> Literal["32-true", "bf16-mixed"]:
    """Choose bf16 where it is faster (GPUs, AMX, AMD's AVX-512), float32 elsewhere.

    A step of MobileNet-EdgeTPU takes two thirds of the time on Zen 4; on a processor of another make with AVX-512's
    bf16 and without AMX it took twice as long.
    """
    if device in ("auto", "cuda", "gpu") and torch.cuda.is_available():
        return "bf16-mixed" if torch.cuda.is_bf16_supported() else "32-true"
    return "bf16-mixed" if has_fast_bf16() or torch.cpu._is_amx_tile_supported() else "32-true"


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed torch's global generator for what draws from it (first weights, dropout) and give it back as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


@contextmanager
def exact_convolutions(precision: str) -> Iterator[None]:
    """Let cuDNN compute the same bits each time and, where float32 was asked for, not in TF32.

    On an H100 a step of `finetune` took as long as with whatever cuDNN would choose.
    """
    with torch.backends.cudnn.flags(enabled=True, deterministic=True, allow_tf32=precision != "f32"):
        yield


@contextmanager
def explained_workers() -> Iterator[None]:
    """Say in a sentence that a process that decodes views was ended, and let go of the others after any error.

    They heed no signal, so the end of Python would wait for them for ever; only the frames that the error holds keep
    them alive. Errors: `WorkerError`.
    """
    try:
        yield
    except Exception as error:
        traceback.clear_frames(error.__traceback__)
        # Which of them depends on when it is ended: while it is waited for, or while it hands a batch over.
        died = isinstance(error, RuntimeError) and str(error).startswith("DataLoader worker")
        if died or isinstance(error, (ConnectionError, EOFError)):
            raise WorkerError(
                "a process that decodes views was ended from outside, perhaps for want of memory, in a container of "
                "shared memory (docker run --shm-size 2g); go on with --resume, if need be with fewer --workers"
            ) from error
        raise


@contextmanager
def stop_requests() -> Iterator[Callable[[], bool]]:
    """Turn Ctrl-C and SIGTERM into a question that the loop asks between two steps; a second one stops at once."""
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False  # signals reach the main thread alone
        return
    asked = threading.Event()
    numbers = (signal.SIGINT, signal.SIGTERM)

    def note(number: int, frame: FrameType | None) -> None:
        asked.set()
        restore()

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    before = {number: signal.getsignal(number) for number in numbers}
    for number in numbers:
        signal.signal(number, note)
    try:
        yield asked.is_set
    finally:
        restore()
