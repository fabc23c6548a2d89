"""The `local` executor: a small job is classified in this process, a large one by a worker process a processor."""

from __future__ import annotations

import logging
import multiprocessing
import signal
import time
import traceback
import warnings
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from logging.handlers import QueueHandler
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from queue import SimpleQueue
from typing import Any

from artnet.batch.predict import BlockPredictor, ModelSpec, PredictOptions, Result, predict_items, read_ahead
from artnet.concurrency import DaemonPool
from artnet.errors import WorkerError
from artnet.hardware import inference_concurrency, processor_count
from artnet.sources.item import InMemory, SourceItem, SourceRules
from artnet.sources.stores import is_remote
from artnet.workers import signals_held_back

_STOP_S = 1.0  # for a worker to finish the image that it is at, so that it leaves no half of an overlay


@dataclass(frozen=True)
class LocalLimits:
    """When worker processes begin, and how much is on its way to and from them.

    Attributes:
        processes: worker processes; by default one a processor
        in_process: items classified in this process before workers are started, each of which takes a second of a
            processor to start; they save that much over some 700 images of a megapixel
        block_items: items sent at a time: an eighth of a second's work, and as much to repeat if a worker is killed
        block_bytes: total size at which a block of items that carry their bytes ends
        blocks_per_worker: blocks on their way or waiting for an earlier one
        held_bytes: total size of the bytes on their way at which no further block is sent
        readers: items on servers read at a time, and as many more that wait for a worker
    """

    processes: int | None = None
    in_process: int = 200
    block_items: int = 16
    block_bytes: int = 2**20
    blocks_per_worker: int = 3
    held_bytes: int = 256 * 2**20
    readers: int = 8


class LocalPredictor:
    """A model loaded in this process and, once a job has shown to be large, in each of its worker processes.

    Workers read files themselves. Items on servers are read here, so that what a busy server asks is heeded by all.
    """

    def __init__(
        self, model: ModelSpec, options: PredictOptions, rules: SourceRules, limits: LocalLimits | None = None
    ) -> None:
        self._arguments = (model, options, rules)
        self._limits = limits or LocalLimits()
        self._classifier = model.load(inference_concurrency())

    def __call__(self, items: Iterable[SourceItem]) -> Iterator[Result]:
        """Yield one result per item, in order; see `predict_items`.

        Raises:
            OutputError: if an overlay cannot be written
            WorkerError: if workers are killed
        """
        _, options, rules = self._arguments
        remaining, readers = iter(items), self._limits.readers
        blocks = _blocks(read_ahead(remaining, rules, DaemonPool(readers), 2 * readers, _is_on_server), self._limits)
        with closing(_Workers(blocks, self._arguments, self._limits)) as workers:
            yield from predict_items(self._classifier, self._first(remaining, workers), options, rules)
            yield from workers.results()

    def _first(self, items: Iterator[SourceItem], workers: _Workers) -> Iterator[SourceItem]:
        """Yield the items to classify in this process: all of a small job, of a large one until a worker is ready."""
        for count, item in enumerate(items, start=1):
            yield item
            if count == self._limits.in_process:
                workers.start()
            if count >= self._limits.in_process and workers.fill():
                return


@dataclass
class _Block:
    """Consecutive items, and their results once a worker has returned them."""

    items: list[SourceItem]
    size_bytes: int
    results: list[Result] | None = None
    repeated: bool = False


class _Worker:
    """A worker process, this end of the pipe to it, and the block that it is at."""

    def __init__(self, arguments: tuple[Any, ...]) -> None:
        context = multiprocessing.get_context("spawn")  # OpenVINO's and Arrow's threads survive no fork
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=_work, args=(theirs, *arguments), daemon=True)
        with signals_held_back():
            self.process.start()
        theirs.close()
        self.is_ready = False
        self.block: _Block | None = None


class _Workers:
    """Worker processes to which blocks are sent, one at a time to each, and their results in the blocks' order."""

    def __init__(self, blocks: Iterator[_Block], arguments: tuple[Any, ...], limits: LocalLimits) -> None:
        self._blocks, self._arguments, self._limits = blocks, arguments, limits
        self._workers: dict[Any, _Worker] = {}  # by connection, of which Windows has a class of its own
        self._pending, self._repeated = deque[_Block](), list[_Block]()

    def start(self) -> None:
        """Start the processes, and wait for none."""
        resource_tracker.ensure_running()  # later it would let the signals in
        for _ in range(self._limits.processes or processor_count()):
            worker = _Worker(self._arguments)
            self._workers[worker.connection] = worker

    def fill(self) -> bool:
        """Send a block to each worker that is ready; return whether there is one."""
        self._receive(0)
        ready = [worker for worker in self._workers.values() if worker.is_ready]
        for worker in ready:
            block = self._repeated.pop() if self._repeated else self._next_block()
            if block is None:
                break
            worker.is_ready, worker.block = False, block
            with suppress(OSError):  # it was killed, as `_receive` will find
                worker.connection.send(block.items)
        return bool(ready)

    def results(self) -> Iterator[Result]:
        """Yield the results of all blocks."""
        while self._pending:
            if (results := self._pending[0].results) is None:
                self._receive(None)
            else:
                self._pending.popleft()
                yield from results
            self.fill()
        if self._workers == {} and self._next_block() is not None:
            raise _killed()

    def close(self) -> None:
        """End the processes."""
        workers, ends = self._workers.values(), time.monotonic() + _STOP_S
        for worker in workers:
            worker.connection.close()
        for worker in workers:
            if worker.block is not None:
                worker.process.join(max(0.0, ends - time.monotonic()))
            worker.process.kill()
            worker.process.join()
        self._workers = {}

    def _next_block(self) -> _Block | None:
        """Return the next block, or None where there is none or the limits are reached."""
        held = sum(block.size_bytes for block in self._pending)
        limit = self._limits.blocks_per_worker * len(self._workers)
        if self._workers and (len(self._pending) >= limit or held >= self._limits.held_bytes):
            return None
        block = next(self._blocks, None)
        if block is not None:
            self._pending.append(block)
        return block

    def _receive(self, timeout_s: float | None) -> None:
        """Receive what workers have sent, waiting up to `timeout_s` seconds for the first."""
        if not self._workers and self._pending:
            raise _killed()
        for connection in wait(list(self._workers), timeout_s):
            worker = self._workers[connection]
            try:
                results, log = worker.connection.recv()
            except (EOFError, OSError):
                self._bury(worker)
                continue
            for record in log:
                logging.getLogger(record.name).handle(record)
            if isinstance(results, BaseException):
                raise results
            if worker.block is not None:
                worker.block.results = results
            worker.is_ready, worker.block = True, None

    def _bury(self, worker: _Worker) -> None:
        """Have the block of a worker that was killed repeated by another, once."""
        del self._workers[worker.connection]
        worker.connection.close()
        worker.process.join()
        if worker.block is None:
            return
        if worker.block.repeated:
            raise _killed()
        worker.block.repeated = True
        self._repeated.append(worker.block)


def _killed() -> WorkerError:
    return WorkerError(
        "worker processes were killed, perhaps because memory ran out; what is written is kept, and --resume continues"
    )


def _blocks(items: Iterable[SourceItem], limits: LocalLimits) -> Iterator[_Block]:
    block, size_bytes = list[SourceItem](), 0
    for item in items:
        block.append(item)
        size_bytes += len(item.location.data) if isinstance(item.location, InMemory) else 0
        if len(block) == limits.block_items or size_bytes >= limits.block_bytes:
            yield _Block(block, size_bytes)
            block, size_bytes = [], 0
    if block:
        yield _Block(block, size_bytes)


def _is_on_server(item: SourceItem) -> bool:
    return item.location is not None and is_remote(item.location.path)


def _work(connection: Connection, model: ModelSpec, options: PredictOptions, rules: SourceRules) -> None:
    """Load the model and classify the blocks that come, until the other end of the pipe is closed or dead."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Windows holds no signals back
    warnings.filterwarnings("ignore", module="PIL")  # as in the command line's own process
    log: SimpleQueue[logging.LogRecord] = SimpleQueue()
    logging.getLogger("artnet").addHandler(QueueHandler(log))

    def reply(results: list[Result] | Exception | None) -> None:
        connection.send((results, [log.get() for _ in range(log.qsize())]))

    with suppress(EOFError, OSError):
        try:
            predict = BlockPredictor(model, options, rules)
        except Exception as error:
            return reply(error)
        reply(None)
        while True:
            block, results = connection.recv(), []
            try:
                for result in predict(block):
                    results.append(result)
                    if connection.poll():  # nothing is sent to a worker that is at work: this is the end
                        return None
                reply(results)
            except Exception as error:
                error.add_note(traceback.format_exc())
                reply(error)
