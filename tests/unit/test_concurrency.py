"""Functions run in a few daemon threads, which hold up nobody at the end."""

from __future__ import annotations

import subprocess
import sys
import threading
import time

import pytest

from artnet.concurrency import DaemonPool


def test_results_and_exceptions_come_back() -> None:
    pool = DaemonPool(2)
    assert pool.submit(divmod, 7, 2).result() == (3, 1)
    with pytest.raises(ZeroDivisionError):
        pool.submit(divmod, 7, 0).result()


def test_no_more_run_at_a_time_than_there_are_threads() -> None:
    pool, running, most = DaemonPool(2), [], []

    def work() -> None:
        running.append(1)
        most.append(len(running))
        time.sleep(0.02)
        running.pop()

    for future in [pool.submit(work) for _ in range(8)]:
        future.result()
    assert max(most) == 2


def test_threads_are_used_again_and_end_without_work() -> None:
    pool = DaemonPool(3, idle_s=0.2)
    used = {pool.submit(threading.get_ident).result() for _ in range(20)}
    assert len(used) == 1
    time.sleep(0.5)
    assert not any(thread.ident in used for thread in threading.enumerate())
    assert pool.submit(divmod, 7, 2).result() == (3, 1)


def test_functions_that_wait_for_each_other_all_have_a_thread() -> None:
    pool, all_here = DaemonPool(4), threading.Barrier(4)
    for _ in range(50):
        for future in [pool.submit(all_here.wait, 10) for _ in range(4)]:
            future.result()


def test_a_function_that_still_waits_can_be_cancelled() -> None:
    pool, free = DaemonPool(1), threading.Event()
    first, second = pool.submit(free.wait), pool.submit(free.wait)
    assert second.cancel() or first.cancel()
    free.set()


def test_a_program_ends_without_waiting() -> None:
    script = "import time; from artnet.concurrency import DaemonPool; DaemonPool(1).submit(time.sleep, 60)"
    began = time.monotonic()
    subprocess.run([sys.executable, "-c", script], check=True)
    assert time.monotonic() - began < 20
