"""A bounded queue of blocking work, done by a fixed number of threads for asyncio callers.

What is promised, exactly:

- At most `concurrency` pieces of work run at the same time. Later callers wait, first come, first served, at most
  `queue_size` of them; one more gets `BusyError` at once.
- Slow work runs on at most half of the threads, so that quick work never waits for slow work alone; a single thread
  does both.
- The time limit runs from the call to the result, waiting included; after it the caller gets `DeadlineError`.
- A caller that leaves while it waits (its time is up, or its task is cancelled because the client hung up) frees its
  slot at once, and the work never begins. Work that has begun cannot be stopped, since a run of the network cannot:
  its caller leaves in time all the same, and the slot is free when the work ends.
"""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from artnet.errors import BusyError, DeadlineError
from artnet.model.classifier import Classifier

T = TypeVar("T")
_MAX_RETRY_S = 60
_MEAN_DECAY = 0.9  # weight of the former mean duration at each new one
_STOPPING = "the server is shutting down; try again in a minute"


@dataclass(frozen=True)
class QueueLimits:
    """Limits of a `WorkQueue`: work that runs at the same time, callers that wait, and seconds to a result."""

    concurrency: int = 2
    queue_size: int = 64
    timeout_s: float = 30.0


class WorkQueue:
    """Threads that run blocking work, and the callers that wait for them."""

    def __init__(self, limits: QueueLimits | None = None) -> None:
        self.limits = limits or QueueLimits()
        self._pool = ThreadPoolExecutor(self.limits.concurrency, thread_name_prefix="artnet")
        self._slow = asyncio.Semaphore(max(1, self.limits.concurrency // 2))
        self._lock = threading.Lock()
        self._admitted = self._running = 0
        self._mean_s = 0.1
        self._closed = False

    @property
    def running(self) -> int:
        """Number of pieces of work that run now."""
        return self._running

    @property
    def waiting(self) -> int:
        """Number of callers that wait for a thread."""
        return self._admitted - self._running

    async def run(self, work: Callable[[], T], *, slow: bool = False, timeout_s: float | None = None) -> T:
        """Return the result of `work`, called in a thread when its turn comes; cancel the task to leave.

        Args:
            work: A function without arguments; what it raises, this raises.
            slow: Whether the work takes seconds.
            timeout_s: A limit shorter than the queue's own.

        Raises:
            BusyError: If as many callers wait as may.
            DeadlineError: If there is no result in time, or the server is shutting down.
        """
        limit_s = min(timeout_s or self.limits.timeout_s, self.limits.timeout_s)
        loop = asyncio.get_running_loop()
        pending, slots = [work], ExitStack()
        try:
            async with asyncio.timeout(limit_s) as deadline:
                slots.enter_context(self._slot())
                if slow:
                    await self._slow.acquire()
                    slots.callback(loop.call_soon_threadsafe, self._slow.release)
                future = self._pool.submit(self._work, pending)
                future.add_done_callback(partial(_close, slots.pop_all()))
                result: T = await asyncio.wrap_future(future)
                return result
        except TimeoutError:
            if not deadline.expired():
                raise
            raise DeadlineError(f"no result within {limit_s:.3g} s; ask for less, or try again later") from None
        finally:
            slots.close()  # of work that was never submitted; otherwise its future closes them
            pending.clear()  # an image must not stay in memory until a thread gets to a future that was cancelled

    def close(self) -> None:
        """Refuse new work, drop what waits, and return when what runs has ended."""
        self._closed = True
        self._pool.shutdown(wait=True, cancel_futures=True)

    @contextmanager
    def _slot(self) -> Iterator[None]:
        with self._lock:
            if self._closed:
                raise DeadlineError(_STOPPING)
            admitted, limits = self._admitted, self.limits
            if admitted >= limits.concurrency + limits.queue_size:
                retry_s = min(_MAX_RETRY_S, math.ceil(admitted * self._mean_s / limits.concurrency))
                raise BusyError(f"{admitted} requests are being answered; try again in {retry_s} s", retry_s)
            self._admitted += 1
        try:
            yield
        finally:
            with self._lock:
                self._admitted -= 1

    def _work(self, pending: list[Callable[[], T]]) -> T:
        begin_s = time.monotonic()
        with self._lock:
            self._running += 1
        try:
            return pending.pop()()
        finally:
            with self._lock:
                self._running -= 1
                self._mean_s = _MEAN_DECAY * self._mean_s + (1 - _MEAN_DECAY) * (time.monotonic() - begin_s)


class ClassifierQueue(WorkQueue):
    """A work queue with the classifier that its work uses."""

    def __init__(self, classifier: Classifier, limits: QueueLimits | None = None) -> None:
        super().__init__(limits)
        self.classifier = classifier


def _close(slots: ExitStack, _: object) -> None:
    slots.close()
