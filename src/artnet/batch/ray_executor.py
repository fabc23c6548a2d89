"""Answer pictures on the machines of a Ray cluster, with the same answers in the same order as here.

Knows nothing about tables: answers come back to where the names went out, so one file is written in one place, goes on
after a stop as any other, and no machine needs a disk that the others see.
"""

from __future__ import annotations

import logging
import os
import pickle
import socket
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa

from artnet.batch.predict import ModelOptions, Result, ResultOptions, predict_items
from artnet.errors import MissingExtraError, WorkerError
from artnet.sources.item import DEFAULT_RULES, SourceItem, SourceRules
from artnet.sources.stores import is_remote

_PICTURES_IN_A_BLOCK = 64  # some seconds of one processor: long against Ray's cost of a task, short to repeat
# A slice is found, then answered: the first is short, so that a museum's hundred thousand manifests need not all be
# read before the first picture is looked at, and each later one twice as long, since workers start anew for each.
_SECONDS_IN_THE_FIRST = 10.0
_BYTES_IN_A_SLICE = 2**30  # of names, or of pictures that travel themselves, in Ray's store at a time
_QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",  # it would report to Ray's makers
    "RAY_BACKEND_LOG_LEVEL": "fatal",  # what a user needs said, our errors say
    "RAY_DATA_DISABLE_PROGRESS_BARS": "1",
}
_BLOCKS_AT_ONCE = 2  # of a worker that has one processor: the next begins while the last of one are answered
_REACHED_S = 10.0
_THREADS = 2  # of a block: one reads and decodes while the other's view is computed


class RayPredictor:
    """What lives on a machine of the cluster: a model, loaded once, and one processor."""

    def __init__(self, loading: ModelOptions, wanted: ResultOptions, rules: SourceRules) -> None:
        self._classifier = loading.load(processors=1)
        self._wanted, self._rules = wanted, rules

    def __call__(self, block: pa.Table) -> pa.Table:
        """Answer a block of pictures."""
        pictures = [pickle.loads(each) for each in block["picture"].to_pylist()]
        answers = predict_items(self._classifier, pictures, self._wanted, _THREADS, self._rules)
        return pa.table({"answer": pa.array([pickle.dumps(answer) for answer in answers], pa.binary())})


def predict_on_ray(
    pictures: Iterable[SourceItem], loading: ModelOptions, wanted: ResultOptions, rules: SourceRules = DEFAULT_RULES
) -> Iterator[Result]:
    """Yield an answer for every picture, in order, computed by all processors of the cluster.

    `RAY_ADDRESS` names the cluster; without it one is started on this machine and ended again. A machine that dies
    costs the blocks that were on it, which others compute again. Errors: `MissingExtraError` without Ray, `WorkerError`
    where there is no cluster or it gives up.
    """
    try:
        import ray
    except ImportError:
        raise MissingExtraError("Ray is not installed; install it with: pip install 'artnet[ray]'") from None
    rest, loading, wanted = map(_absolute, pictures), _absolute_model(loading), _absolute_overlays(wanted)
    with _cluster():
        seconds = _SECONDS_IN_THE_FIRST
        while blocks := list(first_blocks(_blocks(rest), _BYTES_IN_A_SLICE, seconds)):
            seconds *= 2
            try:
                yield from _answers([ray.put(block) for block in blocks], loading, wanted, rules)
            except ray.exceptions.RayError as error:
                raise WorkerError(f"the Ray cluster gave up ({_first_line(error)}); --resume goes on") from error


def _answers(blocks: list[Any], loading: ModelOptions, wanted: ResultOptions, rules: SourceRules) -> Iterator[Result]:
    """Run one slice through Ray Data."""
    import ray

    processors = max(1, int(ray.cluster_resources().get("CPU", 1)))
    pool = ray.data.ActorPoolStrategy(
        min_size=1,  # so that a machine's death leaves no worker waiting for a processor that is gone
        initial_size=processors,
        max_size=processors,
        max_concurrent_calls_per_actor=_BLOCKS_AT_ONCE,
        enable_true_multi_threading=True,
    )
    answered = ray.data.from_arrow_refs(blocks).map_batches(
        RayPredictor,
        fn_constructor_args=(loading, wanted, rules),
        batch_format="pyarrow",
        batch_size=None,
        compute=pool,
        num_cpus=1,
    )
    tables: Iterable[Any] = answered.iter_batches(batch_size=None, batch_format="pyarrow")
    for table in tables:
        for answer in table["answer"].to_pylist():
            yield pickle.loads(answer)


def _absolute(found: SourceItem) -> SourceItem:
    """Name a place on a disk as every machine that has that disk can: each works in a folder of its own."""
    location: Any = found.location  # each kind is a frozen dataclass
    if location is None or not location.path or is_remote(location.path):
        return found
    return replace(found, location=replace(location, path=str(Path(location.path).absolute())))


def _absolute_model(loading: ModelOptions) -> ModelOptions:
    return loading if loading.model is None else replace(loading, model=loading.model.absolute())


def _absolute_overlays(wanted: ResultOptions) -> ResultOptions:
    return wanted if wanted.overlays is None else replace(wanted, overlays=wanted.overlays.absolute())


def _blocks(pictures: Iterator[SourceItem]) -> Iterator[pa.Table]:
    while part := list(islice(pictures, _PICTURES_IN_A_BLOCK)):
        yield pa.table({"picture": pa.array([pickle.dumps(found) for found in part], pa.binary())})


def first_blocks(blocks: Iterator[pa.Table], limit_bytes: int, limit_s: float) -> Iterator[pa.Table]:
    """Pass blocks on until they hold `limit_bytes` together or `limit_s` have passed; at least one, if there is any."""
    size, ends = 0, time.monotonic() + limit_s
    for block in blocks:
        yield block
        size += block.nbytes
        if size >= limit_bytes or time.monotonic() >= ends:
            return


@contextmanager
def _cluster() -> Iterator[None]:
    """Be connected to the cluster while the block runs, with order kept and nothing printed or reported."""
    import ray

    own = not ray.is_initialized()
    if own:
        for name, value in _QUIET.items():
            os.environ.setdefault(name, value)
        _check_reached(os.environ.get("RAY_ADDRESS", ""))
        try:
            ray.init(log_to_driver=False, logging_level=logging.ERROR)
        except (ConnectionError, RuntimeError, ValueError) as error:
            raise WorkerError(f"no Ray cluster could be joined or started ({_first_line(error)})") from error
    options, logger = ray.data.DataContext.get_current(), logging.getLogger("ray.data")
    before = options.execution_options.preserve_order, options.enable_progress_bars, logger.level
    options.execution_options.preserve_order, options.enable_progress_bars = True, False
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        options.execution_options.preserve_order, options.enable_progress_bars = before[:2]
        logger.setLevel(before[2])
        if own:
            ray.shutdown()


def _check_reached(address: str) -> None:
    """Refuse a cluster where nobody listens at once; Ray itself would try for minutes. Errors: `WorkerError`."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not host or not port.isdecimal():
        return  # "auto" and "local", which Ray looks into by itself
    try:
        socket.create_connection((host.strip("[]"), int(port)), _REACHED_S).close()
    except OSError as error:
        reason = error.strerror or str(error)
        message = f"no Ray cluster answers at RAY_ADDRESS={address} ({reason}); start it, or unset RAY_ADDRESS"
        raise WorkerError(message) from error


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
