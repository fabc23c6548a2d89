"""Worker processes: they leave signals to the process that starts them, and end with it."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager, suppress
from multiprocessing import get_context, resource_tracker
from multiprocessing.connection import Connection
from typing import Any, TypeVar

R = TypeVar("R")
_STOPS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def signals_held_back() -> Iterator[None]:
    """Hold back SIGINT and SIGTERM in the block; the processes and threads that start in it never get them.

    Ctrl-C reaches all processes of a terminal. Workers leave it to the process that started them.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    came: list[int] = []
    # Blocking them is for the processes: here another thread may take a signal, whose handler runs in the main one.
    is_main = threading.current_thread() is threading.main_thread()
    handlers = {number: handler for number in _STOPS if is_main and callable(handler := signal.getsignal(number))}
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, _STOPS)
    for number in handlers:
        signal.signal(number, lambda got, frame: came.append(got))
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for got in came:
            signal.raise_signal(got)


class _WorkerPool(ProcessPoolExecutor):
    """A pool whose processes, which are started when work is submitted, get no signals."""

    def submit(self, fn: Callable[..., R], /, *args: Any, **kwargs: Any) -> Future[R]:
        with signals_held_back():
            return super().submit(fn, *args, **kwargs)


@contextmanager
def worker_processes(count: int, initializer: Callable[..., None], arguments: tuple[Any, ...]) -> Iterator[Executor]:
    """Yield a pool of processes, spawned since Arrow's threads survive no fork.

    They end at once, whatever they do, where the block raises or this process ends, even if it is killed.
    """
    context = get_context("spawn")
    with signals_held_back():
        resource_tracker.ensure_running()  # later it would let the signals in
    ours, theirs = context.Pipe()
    pool = _WorkerPool(count, context, initializer=_start_worker, initargs=(theirs, initializer, arguments))
    with ours, theirs, pool:
        try:
            yield pool
        except BaseException:
            ours.close()
            raise


def _start_worker(parent: Connection, initializer: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    """End this process as soon as the parent's end of a pipe is closed, which its death does, too."""

    def wait_and_exit() -> None:
        with suppress(EOFError, OSError):
            parent.recv()
        os._exit(1)

    threading.Thread(target=wait_and_exit, daemon=True).start()
    initializer(*arguments)
