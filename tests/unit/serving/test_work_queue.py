"""Threads, callers that wait, and the time limit of a work queue."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import pytest

from artnet.errors import BusyError, CorruptImageError, DeadlineError
from artnet.serving.work_queue import QueueLimits, WorkQueue
from fixtures.serving import occupied, until

T = TypeVar("T")


@contextmanager
def open_queue(concurrency: int = 1, queue_size: int = 2, timeout_s: float = 20) -> Iterator[WorkQueue]:
    queue = WorkQueue(QueueLimits(concurrency, queue_size, timeout_s))
    yield queue
    queue.close()


def run(awaited: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(awaited)


def broken() -> None:
    raise CorruptImageError("x.jpg: broken")


def test_work_is_done_and_its_result_returned() -> None:
    with open_queue() as queue:
        assert run(queue.run(lambda: 6 * 7)) == 42
        assert run(queue.run(lambda: 6 * 7, slow=True)) == 42


def test_what_the_work_raises_its_caller_gets_and_the_next_is_answered() -> None:
    with open_queue() as queue:
        with pytest.raises(CorruptImageError, match=r"x\.jpg"):
            run(queue.run(broken))
        assert run(queue.run(lambda: 1)) == 1


def test_a_timeout_of_the_work_itself_is_not_taken_for_the_queues() -> None:
    def late() -> None:
        raise TimeoutError("of a socket")

    with open_queue() as queue, pytest.raises(TimeoutError, match="of a socket"):
        run(queue.run(late))


@pytest.mark.parametrize(("slow", "expected"), [(False, 4), (True, 2)])
def test_no_more_run_at_the_same_time_than_are_allowed(slow: bool, expected: int) -> None:
    running, most, lock = [0], [0], threading.Lock()

    def work() -> None:
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        time.sleep(0.01)
        with lock:
            running[0] -= 1

    async def all_of(queue: WorkQueue) -> None:
        await asyncio.gather(*(queue.run(work, slow=slow) for _ in range(12)))

    with open_queue(concurrency=4, queue_size=30) as queue:
        run(all_of(queue))
    assert most[0] == expected


def test_quick_work_does_not_wait_for_slow_work() -> None:
    ended = threading.Event()

    async def both(queue: WorkQueue) -> int:
        slow = [asyncio.create_task(queue.run(ended.wait, slow=True)) for _ in range(3)]
        await asyncio.sleep(0.01)
        found = await queue.run(lambda: 1)
        ended.set()
        await asyncio.gather(*slow)
        return found

    with open_queue(concurrency=2, queue_size=9) as queue:
        assert run(both(queue)) == 1


def test_one_more_than_can_wait_is_refused_at_once_with_a_time_to_try_again() -> None:
    with open_queue() as queue, occupied(queue, 3):
        begin_s = time.monotonic()
        with pytest.raises(BusyError, match="3 requests") as caught:
            run(queue.run(lambda: 1))
        assert time.monotonic() - begin_s < 1
        assert 1 <= caught.value.retry_after_s <= 60


@pytest.mark.parametrize("slow", [False, True])
def test_who_waits_too_long_leaves_the_queue_and_the_work_never_begins(slow: bool) -> None:
    begun: list[int] = []
    with open_queue() as queue:
        with occupied(queue, 1):
            with pytest.raises(DeadlineError, match=r"0\.05 s"):
                run(queue.run(lambda: begun.append(1), slow=slow, timeout_s=0.05))
            assert queue.waiting == 0
        assert run(queue.run(lambda: 1)) == 1
    assert not begun


def test_begun_work_keeps_its_place_until_it_ends_while_its_caller_leaves_in_time() -> None:
    ended = threading.Event()
    with open_queue() as queue:
        with pytest.raises(DeadlineError):
            run(queue.run(ended.wait, timeout_s=0.05))
        assert queue.running == 1
        ended.set()
        until(lambda: queue.running == 0)


@pytest.mark.parametrize("slow", [False, True])
def test_a_cancelled_task_frees_its_place_in_the_queue(slow: bool) -> None:
    async def leave(queue: WorkQueue) -> None:
        task = asyncio.create_task(queue.run(lambda: 1, slow=slow))
        await asyncio.sleep(0.02)
        assert queue.waiting == 1
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    with open_queue() as queue, occupied(queue, 1):
        run(leave(queue))
        assert queue.waiting == 0


def test_an_error_that_comes_too_late_disturbs_nobody(caplog: pytest.LogCaptureFixture) -> None:
    ended = threading.Event()

    def late() -> None:
        ended.wait()
        broken()

    async def leave(queue: WorkQueue) -> None:
        with pytest.raises(DeadlineError):
            await queue.run(late, timeout_s=0.05)
        ended.set()
        while queue.running:
            await asyncio.sleep(0.002)

    with open_queue() as queue:
        run(leave(queue))
    assert not caplog.records


def test_first_come_is_first_served() -> None:
    order: list[int] = []

    async def all_of(queue: WorkQueue) -> None:
        await asyncio.gather(*(queue.run(lambda index=index: order.append(index)) for index in range(9)))

    with open_queue(queue_size=9) as queue:
        run(all_of(queue))
    assert order == [*range(9)]


def test_a_closed_queue_takes_no_more() -> None:
    with open_queue() as queue:
        pass
    with pytest.raises(DeadlineError, match="shutting down"):
        run(queue.run(lambda: 1))
