"""A pool of daemon threads, which nobody waits for when Python ends.

The pools of `concurrent.futures` are waited for, so that after Ctrl-C a command would hang for as long as the slowest
server likes.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


class DaemonPool:
    """At most `threads` daemon threads that run functions; more functions wait.

    A thread ends after `idle_s` without work. A new one for each function costs a tenth of a millisecond.
    """

    def __init__(self, threads: int, idle_s: float = 2.0) -> None:
        self._max_threads, self._idle_s = threads, idle_s
        self._waiting: deque[Callable[[], None]] = deque()
        self._changed = threading.Condition()
        self._threads = self._idle = 0

    def submit(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        """Run a function in a thread and return the future of its result."""
        future: Future[R] = Future()

        def run() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(function(*args, **kwargs))
            except BaseException as error:
                future.set_exception(error)

        with self._changed:
            self._waiting.append(run)
            if len(self._waiting) <= self._idle:
                self._changed.notify()
            elif self._threads < self._max_threads:
                self._threads += 1
                threading.Thread(target=self._work, name="artnet-background", daemon=True).start()
        return future

    def _work(self) -> None:
        while (run := self._next()) is not None:
            run()
            del run  # nor do its arguments stay in memory until the next comes

    def _next(self) -> Callable[[], None] | None:
        """Wait for a function; None where none came in time, and the thread is to end."""
        with self._changed:
            self._idle += 1
            self._changed.wait_for(lambda: self._waiting, self._idle_s)
            self._idle -= 1
            if self._waiting:
                return self._waiting.popleft()
            self._threads -= 1
            return None
