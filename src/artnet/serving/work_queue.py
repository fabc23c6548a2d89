"""Let many visitors share one classifier: so many at once, a bounded queue, a time limit.

Knows nothing about HTTP, pictures or what the work is: any function without arguments.

What is promised, exactly:

- At most `at_once` pieces of work run at the same time, in threads that belong to the service; what comes later waits,
  first come, first served, and at most `waiting` of them. One more is refused at once with `BusyError`.
- The time limit runs from the call to the answer, waiting included; after it the caller gets `DeadlineError`.
- A caller who leaves while waiting (its time is up, its task is cancelled because its client hung up) gives the place
  in the queue back at once, and the work is never begun. Work that has begun cannot be stopped, because a network's
  run cannot: its caller leaves in time all the same, and its place is free when the work ends.
- What the work raises, its caller gets. No caller sees anything of another's.
"""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, wait
from dataclasses import dataclass
from typing import Any, TypeVar

from artnet.errors import BusyError, DeadlineError
from artnet.model.classifier import Classifier

T = TypeVar("T")
_LATEST_RETRY_S = 60
_REMEMBERED = 0.9  # of the mean duration, at each new one


@dataclass(frozen=True)
class QueueLimits:
    """How many run at once, how many may wait, and how long each may take from its arrival to its answer."""

    at_once: int = 2
    waiting: int = 64
    timeout_s: float = 30.0


@dataclass(eq=False)
class _Job:
    work: Callable[[], Any]
    future: Future[Any]


class WorkQueue:
    """So many places, and a queue before them; safe to call from any thread and from any event loop."""

    def __init__(self, limits: QueueLimits | None = None) -> None:
        self.limits = limits or QueueLimits()
        self._queue: deque[_Job] = deque()
        self._running = 0
        self._mean_s = 0.1
        self._closed = False
        self._changed = threading.Condition()
        self._threads = [
            threading.Thread(target=self._serve, name=f"artnet-{index}", daemon=True)
            for index in range(self.limits.at_once)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def running(self) -> int:
        """Count the pieces of work that run now."""
        return self._running

    @property
    def waiting(self) -> int:
        """Count those that wait for a place."""
        return len(self._queue)

    def run(self, work: Callable[[], T], timeout_s: float | None = None) -> T:
        """Do the work in turn and give its result; blocks the calling thread. `timeout_s` can only shorten the limit.

        Errors: `BusyError`, `DeadlineError`, and whatever the work raises.
        """
        limit_s = self._limit(timeout_s)
        job = self._enter(work)
        try:
            done = wait([job.future], limit_s).done
        except BaseException:  # Ctrl-C while waiting
            self._leave(job)
            raise
        if not done:
            self._leave(job)
            raise self._late(limit_s)
        result: T = job.future.result()
        return result

    async def run_async(self, work: Callable[[], T], timeout_s: float | None = None) -> T:
        """Do the work in turn and give its result, without blocking the event loop; cancel the task to leave.

        Errors: as `run`.
        """
        limit_s = self._limit(timeout_s)
        job = self._enter(work)
        answer = asyncio.wrap_future(job.future)
        try:
            await asyncio.wait([answer], timeout=limit_s)
            if answer.done():
                result: T = answer.result()
                return result
            raise self._late(limit_s)
        finally:
            answer.cancel()  # or an error that comes too late is called one that nobody fetched
            self._leave(job)

    def close(self) -> None:
        """Take no more work, drop what waits and return when what runs has ended."""
        with self._changed:
            self._closed = True
            dropped = list(self._queue)
            self._queue.clear()
            self._changed.notify_all()
        for job in dropped:
            job.future.set_exception(DeadlineError("the server is being stopped; ask again in a minute"))
        for thread in self._threads:
            thread.join()

    def _enter(self, work: Callable[[], Any]) -> _Job:
        job = _Job(work, Future())
        with self._changed:
            if self._closed:
                raise DeadlineError("the server is being stopped; ask again in a minute")
            inside = self._running + len(self._queue)
            if inside >= self.limits.at_once + self.limits.waiting:
                seconds = min(_LATEST_RETRY_S, math.ceil(inside * self._mean_s / self.limits.at_once))
                raise BusyError(f"{inside} requests are being answered; try again in {seconds} s", seconds)
            self._queue.append(job)
            self._changed.notify()
        return job

    def _leave(self, job: _Job) -> None:
        with self._changed:
            if job in self._queue:
                self._queue.remove(job)
        job.future.cancel()

    def _serve(self) -> None:
        while (job := self._next()) is not None:
            begun = time.monotonic()
            try:
                if job.future.set_running_or_notify_cancel():
                    _fulfil(job)
            finally:
                del job  # a painting must not stay in memory until the next one comes
                with self._changed:
                    self._running -= 1
                    self._mean_s = _REMEMBERED * self._mean_s + (1 - _REMEMBERED) * (time.monotonic() - begun)

    def _next(self) -> _Job | None:
        with self._changed:
            while not self._queue:
                if self._closed:
                    return None
                self._changed.wait()
            self._running += 1
            return self._queue.popleft()

    def _limit(self, timeout_s: float | None) -> float:
        return self.limits.timeout_s if timeout_s is None else min(timeout_s, self.limits.timeout_s)

    def _late(self, limit_s: float) -> DeadlineError:
        return DeadlineError(f"no answer within {limit_s:.3g} s; ask for less, or again when fewer others do")


class ClassifierQueue(WorkQueue):
    """A classifier that many share."""

    def __init__(self, classifier: Classifier, limits: QueueLimits | None = None) -> None:
        super().__init__(limits)
        self.classifier = classifier


def _fulfil(job: _Job) -> None:
    try:
        result = job.work()
    except BaseException as error:
        job.future.set_exception(error)
    else:
        job.future.set_result(result)
