"""Places, the queue and the time limit of a shared classifier."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from artnet.errors import BusyError, CorruptImageError, DeadlineError
from artnet.model.classifier import Classifier
from artnet.serving.work_queue import ClassifierQueue, QueueLimits


@contextmanager
def serving(
    classifier: Classifier, at_once: int = 1, waiting: int = 2, timeout_s: float = 20
) -> Iterator[ClassifierQueue]:
    service = ClassifierQueue(classifier, QueueLimits(at_once, waiting, timeout_s))
    yield service
    service.close()


def until(condition: Callable[[], bool]) -> None:
    """Wait for something that another thread is about to bring about."""
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.002)


@contextmanager
def occupied(service: ClassifierQueue, count: int) -> Iterator[None]:
    """Fill places with work that ends when the block does."""
    ended = threading.Event()
    with ThreadPoolExecutor(count) as pool:
        held = [pool.submit(service.run, ended.wait) for _ in range(count)]
        until(lambda: service.running + service.waiting == count)
        try:
            yield
        finally:
            ended.set()
    assert all(each.result() for each in held)


def test_work_is_done_and_its_result_comes_back(classifier: Classifier) -> None:
    with serving(classifier) as service:
        assert service.run(lambda: 6 * 7) == 42
        assert asyncio.run(service.run_async(lambda: 6 * 7)) == 42


def test_what_the_work_raises_its_caller_gets_and_the_next_is_answered(classifier: Classifier) -> None:
    def broken() -> None:
        raise CorruptImageError("x.jpg: broken")

    with serving(classifier) as service:
        with pytest.raises(CorruptImageError, match=r"x\.jpg"):
            service.run(broken)
        with pytest.raises(CorruptImageError, match=r"x\.jpg"):
            asyncio.run(service.run_async(broken))
        assert service.run(lambda: 1) == 1


def test_no_more_run_at_once_than_are_allowed(classifier: Classifier) -> None:
    running, most, lock = [0], [0], threading.Lock()

    def work() -> None:
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        time.sleep(0.01)
        with lock:
            running[0] -= 1

    with serving(classifier, at_once=2, waiting=30) as service, ThreadPoolExecutor(12) as pool:
        list(pool.map(lambda _: service.run(work), range(12)))
    assert most[0] == 2


def test_one_more_than_can_wait_is_refused_at_once_with_a_time_to_come_again(classifier: Classifier) -> None:
    with serving(classifier) as service, occupied(service, 3):
        begun = time.monotonic()
        with pytest.raises(BusyError, match="3 requests") as caught:
            service.run(lambda: 1)
        assert time.monotonic() - begun < 1
        assert 1 <= caught.value.retry_after_s <= 60


def test_who_waits_too_long_leaves_the_queue_and_the_work_is_never_begun(classifier: Classifier) -> None:
    begun: list[int] = []
    with serving(classifier) as service:
        with occupied(service, 1):
            with pytest.raises(DeadlineError, match=r"0\.05 s"):
                service.run(lambda: begun.append(1), timeout_s=0.05)
            with pytest.raises(DeadlineError):
                asyncio.run(service.run_async(lambda: begun.append(1), timeout_s=0.05))
            assert service.waiting == 0
        assert service.run(lambda: 1) == 1
    assert not begun


def test_begun_work_keeps_its_place_until_it_ends_while_its_caller_leaves_in_time(classifier: Classifier) -> None:
    ended = threading.Event()
    with serving(classifier) as service:
        with pytest.raises(DeadlineError):
            service.run(ended.wait, timeout_s=0.05)
        assert service.running == 1
        ended.set()
        until(lambda: service.running == 0)


def test_a_cancelled_task_gives_its_place_in_the_queue_back(classifier: Classifier) -> None:
    async def leave(service: ClassifierQueue) -> None:
        task = asyncio.create_task(service.run_async(lambda: 1))
        await asyncio.sleep(0.02)
        assert service.waiting == 1
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    with serving(classifier) as service, occupied(service, 1):
        asyncio.run(leave(service))
        assert service.waiting == 0


def test_an_error_that_comes_too_late_disturbs_nobody(classifier: Classifier, caplog: pytest.LogCaptureFixture) -> None:
    ended = threading.Event()

    def broken() -> None:
        ended.wait()
        raise CorruptImageError("x.jpg: broken")

    async def leave(service: ClassifierQueue) -> None:
        with pytest.raises(DeadlineError):
            await service.run_async(broken, timeout_s=0.05)
        ended.set()
        while service.running:
            await asyncio.sleep(0.002)

    with serving(classifier) as service:
        asyncio.run(leave(service))
    assert not caplog.records


def test_first_come_is_first_served(classifier: Classifier) -> None:
    order: list[int] = []
    with serving(classifier, waiting=9) as service, ThreadPoolExecutor(4) as pool:
        with occupied(service, 1):
            for index in range(4):
                pool.submit(service.run, lambda index=index: order.append(index))
                until(lambda index=index: service.waiting == index + 1)
        until(lambda: len(order) == 4)
    assert order == [0, 1, 2, 3]


def test_a_stopped_service_drops_what_waits_and_takes_no_more(classifier: Classifier) -> None:
    ended = threading.Event()
    with ThreadPoolExecutor(3) as pool:
        service = ClassifierQueue(classifier, QueueLimits(at_once=1))
        held = pool.submit(service.run, ended.wait)
        until(lambda: service.running == 1)
        waiting = pool.submit(service.run, lambda: 1)
        until(lambda: service.waiting == 1)
        closing = pool.submit(service.close)
        with pytest.raises(DeadlineError, match="being stopped"):
            waiting.result(timeout=10)
        ended.set()
        closing.result(timeout=10)
        assert held.result()
    with pytest.raises(DeadlineError, match="being stopped"):
        service.run(lambda: 1)
