"""Run functions beside the work, a few at once, in threads that nobody waits for at the end.

Knows nothing about what they do. The pools of `concurrent.futures` are waited for when Python ends, so that after
Ctrl-C a command would hang for as long as the slowest server likes.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


class Background:
    """Places for functions that run at once; more of them wait for a place."""

    def __init__(self, at_once: int) -> None:
        self._places = threading.Semaphore(at_once)

    def start(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        """Start a function and give what will hold its result or its exception."""
        future: Future[R] = Future()

        def run() -> None:
            with self._places:
                if not future.set_running_or_notify_cancel():
                    return
                try:
                    future.set_result(function(*args, **kwargs))
                except BaseException as error:
                    future.set_exception(error)

        threading.Thread(target=run, name="artnet-background", daemon=True).start()
        return future
