"""Run functions beside the work, a few at once, in threads that nobody waits for at the end.

Knows nothing about what they do. The pools of `concurrent.futures` are waited for when Python ends, so that after
Ctrl-C a command would hang for as long as the slowest server likes.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")
_LINGER_S = 2.0  # that a thread waits for more to do; a new one for each function costs a tenth of a millisecond


class DaemonPool:
    """Places for functions that run at once; more of them wait for a place."""

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once
        self._waiting: deque[Callable[[], None]] = deque()
        self._changed = threading.Condition()
        self._threads = self._idle = 0

    def start(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        """Start a function and give what will hold its result or its exception."""
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
            elif self._threads < self._at_once:
                self._threads += 1
                threading.Thread(target=self._serve, name="artnet-background", daemon=True).start()
        return future

    def _serve(self) -> None:
        while (run := self._next()) is not None:
            run()
            del run  # nor what it was given stays in memory until the next comes

    def _next(self) -> Callable[[], None] | None:
        """Wait for a function; None where none came for a while, and the thread is to end."""
        with self._changed:
            self._idle += 1
            self._changed.wait_for(lambda: self._waiting, _LINGER_S)
            self._idle -= 1
            if self._waiting:
                return self._waiting.popleft()
            self._threads -= 1
            return None
