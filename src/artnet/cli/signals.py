"""SIGINT and SIGTERM: the first unwinds a command, and one that does not unwind in time is ended."""

from __future__ import annotations

import atexit
import os
import signal
import socket
import sys
import threading
import time
from contextlib import suppress
from types import FrameType
from typing import NoReturn

GRACE_S = 2.4  # to write what can be resumed; with the rest of the way out a command ends within 3 s
_NAMES = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated"}
_SHOW_CURSOR = b"\x1b[?25h\r\x1b[K"  # which a progress bar hides, on a line that it may have begun
_SLOWEST_WAKE_S = 0.5
_PARENT_POLL_S = 0.1


class StopSignals:
    """The first SIGINT or SIGTERM raises `KeyboardInterrupt` in the main thread, so that its `finally` blocks run.

    Further ones change nothing: they would only disturb those blocks. Python runs a handler between two instructions
    of the main thread, which may be in native code for minutes or wait for threads that are, and a library may catch
    what is raised. So a thread, which is woken without the main thread, ends the process after `GRACE_S`.

    Attributes:
        number: the first signal that came, 0 while none has
    """

    def __init__(self) -> None:
        self.number = 0
        self._is_installed = self._is_raised = self._is_finished = self._is_following = False
        self._came, self._told = threading.Event(), threading.Lock()

    def install(self) -> None:
        """Handle the signals from now on, those excepted that a shell had this process ignore, as `nohup` does.

        To be called before anything else registers a function with `atexit`.
        """
        self._is_installed = True
        atexit.register(self._end_after_all)
        self._woken, waking = socket.socketpair()
        waking.setblocking(False)
        signal.set_wakeup_fd(waking.detach(), warn_on_full_buffer=False)
        threading.Thread(target=self._end_after_grace, name="artnet-signals", daemon=True).start()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._leave_to_parent)
        for number in _NAMES:
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._handle)

    def report(self, message: str = "") -> int:
        """Print the one line that says that the command was stopped; return its exit code."""
        if self._is_installed:
            self._came.wait(_SLOWEST_WAKE_S)  # where another handler was told, as in a training
        if self._told.acquire(blocking=False):
            print(f"artnet: {message or _NAMES[self._known]}", file=sys.stderr, flush=True)
        return self._exit_code

    def follow(self) -> None:
        """Print no line and report no failure, which the first of several processes does; end when the parent does.

        Where this process failed, the first one's launcher would kill the first one, too.
        """
        self._told.acquire(blocking=False)
        self._is_following, parent = True, os.getppid()

        def watch() -> None:
            while os.getppid() == parent:
                time.sleep(_PARENT_POLL_S)
            os._exit(1)

        threading.Thread(target=watch, name="artnet-parent", daemon=True).start()

    def finish(self) -> None:
        """Make the next signal end the process at once, as the command has ended and the interpreter is about to."""
        self._is_finished = True

    @property
    def _exit_code(self) -> int:
        return 0 if self._is_following else 128 + self._known

    @property
    def _known(self) -> signal.Signals:
        return signal.Signals(self.number or signal.SIGINT)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self.number = self.number or number
        if self._is_finished:
            self._end()
        if not self._is_raised:
            self._is_raised = True
            self._silence_tracebacks()
            raise KeyboardInterrupt

    def _silence_tracebacks(self) -> None:
        """Whatever fails because of the stop, in a thread and in a destructor too, has no more to say."""
        sys.excepthook = lambda *_: None
        sys.unraisablehook = lambda _: None
        threading.excepthook = lambda _: None

    def _end_after_grace(self) -> None:
        while not (came := [number for number in self._woken.recv(256) if number in _NAMES]):
            pass
        self.number = self.number or came[0]
        self._silence_tracebacks()
        self._came.set()
        time.sleep(GRACE_S)
        self._end()

    def _end_after_all(self) -> None:
        """End a stopped process here, as the last function that `atexit` runs.

        The interpreter's own end, and the destructors of native libraries after it, would meet threads that the stop
        has left in native code, such as OpenVINO's while it compiles a model, and abort.
        """
        if self.number:
            with suppress(OSError, ValueError):  # of an output that is closed
                sys.stdout.flush()
            self._end()
        for number in _NAMES:  # all is done, and from here on Python would let a signal kill it
            signal.signal(number, signal.SIG_IGN)

    def _end(self) -> NoReturn:
        """End the worker processes and this one; what they have finished is on disk."""
        with suppress(Exception):
            for worker in sys.modules["multiprocessing"].active_children():
                worker.kill()
        if self._told.acquire(blocking=False):
            with suppress(OSError):  # of a standard error that is closed; its buffer may be locked
                os.write(2, (_SHOW_CURSOR if os.isatty(2) else b"") + f"artnet: {_NAMES[self._known]}\n".encode())
        os._exit(self._exit_code)

    def _leave_to_parent(self) -> None:
        """In a forked process, which is the parent's to end, restore what was there before."""
        signal.set_wakeup_fd(-1)
        atexit.unregister(self._end_after_all)
        for number in _NAMES:
            if signal.getsignal(number) == self._handle:
                signal.signal(number, signal.SIG_DFL)


STOP = StopSignals()
