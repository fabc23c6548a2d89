"""The `ray` executor: items classified on the machines of a Ray cluster, with the results of the local one."""

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

from artnet.batch.predict import BlockPredictor, ModelSpec, PredictOptions, Result
from artnet.errors import MissingExtraError, WorkerError, reason
from artnet.extras import install_command
from artnet.sources.item import DEFAULT_RULES, SourceItem, SourceRules
from artnet.sources.stores import is_remote

# A slice is found, then classified: the first is short, so that a museum's hundred thousand manifests need not all be
# read before the first image is looked at, and each later one twice as long, since workers start anew for each.
_FIRST_SLICE_S = 10.0
_SLICE_BYTES = 2**30  # of locations, or of images that travel themselves, in Ray's store at a time
_ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",  # it would report to Ray's makers
    "RAY_BACKEND_LOG_LEVEL": "fatal",  # our own errors say what a user needs
    "RAY_DATA_DISABLE_PROGRESS_BARS": "1",
}
_BLOCKS_PER_WORKER = 2  # a worker has one processor: the next block begins while the last items of one are classified
_CONNECT_TIMEOUT_S = 10.0


class RayPredictor:
    """A worker of the cluster: a model, loaded once, and one processor."""

    def __init__(self, model: ModelSpec, options: PredictOptions, rules: SourceRules) -> None:
        self._predict = BlockPredictor(model, options, rules)

    def __call__(self, block: pa.Table) -> pa.Table:
        """Classify a block of pickled items; the result holds pickled results in their order."""
        items = [pickle.loads(item) for item in block["item"].to_pylist()]
        return pa.table({"result": pa.array([pickle.dumps(result) for result in self._predict(items)], pa.binary())})


def predict_on_ray(
    items: Iterable[SourceItem],
    model: ModelSpec,
    options: PredictOptions,
    rules: SourceRules = DEFAULT_RULES,
    block_items: int = 64,
) -> Iterator[Result]:
    """Yield one result per item, in order, computed by all processors of the cluster.

    `RAY_ADDRESS` names the cluster; without it one is started on this machine and ended again. A machine that dies
    costs the blocks that were on it, which others compute again.

    Args:
        items: to classify; a file's path must mean the same file on every machine
        model: loaded once by each worker
        options: what to compute for each item
        rules: for reading the items
        block_items: items in a block, the unit of work; 64 take some seconds of one processor, long against Ray's cost
            of a task and short to repeat

    Raises:
        MissingExtraError: if Ray is not installed
        WorkerError: if the cluster cannot be reached or gives up
    """
    try:
        import ray
    except ImportError:
        raise MissingExtraError(f"Ray is not installed; install it with: {install_command('ray')}") from None
    worker_arguments = (_absolute_model(model), _absolute_overlays(options), rules)
    blocks = _blocks(map(absolute_item, items), block_items)
    with _cluster():
        slice_s = _FIRST_SLICE_S
        while first := list(first_blocks(blocks, _SLICE_BYTES, slice_s)):
            slice_s *= 2
            try:
                yield from _predict_slice([ray.put(block) for block in first], worker_arguments)
            except ray.exceptions.RayError as error:
                raise WorkerError(f"the Ray cluster gave up ({reason(error)}); continue with --resume") from error


def _predict_slice(block_refs: list[Any], worker_arguments: tuple[Any, ...]) -> Iterator[Result]:
    """Stream the blocks of one slice through Ray Data."""
    import ray

    processors = max(1, int(ray.cluster_resources().get("CPU", 1)))
    workers = ray.data.ActorPoolStrategy(
        min_size=1,  # so that a machine's death leaves no worker waiting for a processor that is gone
        initial_size=processors,
        max_size=processors,
        max_concurrent_calls_per_actor=_BLOCKS_PER_WORKER,
        enable_true_multi_threading=True,
    )
    predicted = ray.data.from_arrow_refs(block_refs).map_batches(
        RayPredictor,
        fn_constructor_args=worker_arguments,
        batch_format="pyarrow",
        batch_size=None,
        compute=workers,
        num_cpus=1,
    )
    tables: Iterable[Any] = predicted.iter_batches(batch_size=None, batch_format="pyarrow")
    for table in tables:
        for result in table["result"].to_pylist():
            yield pickle.loads(result)


def absolute_item(item: SourceItem) -> SourceItem:
    """Return the item with the absolute path of its file, since each worker runs in a folder of its own."""
    location: Any = item.location  # each kind is a frozen dataclass
    if location is None or not location.path or is_remote(location.path):
        return item
    return replace(item, location=replace(location, path=str(Path(location.path).absolute())))


def _absolute_model(model: ModelSpec) -> ModelSpec:
    return model if model.folder is None else replace(model, folder=model.folder.absolute())


def _absolute_overlays(options: PredictOptions) -> PredictOptions:
    folder = options.overlay_folder
    return options if folder is None else replace(options, overlay_folder=folder.absolute())


def _blocks(items: Iterator[SourceItem], block_items: int) -> Iterator[pa.Table]:
    while block := list(islice(items, block_items)):
        yield pa.table({"item": pa.array([pickle.dumps(item) for item in block], pa.binary())})


def first_blocks(blocks: Iterator[pa.Table], limit_bytes: int, limit_s: float) -> Iterator[pa.Table]:
    """Yield blocks until they hold `limit_bytes` together or `limit_s` seconds have passed; at least one, if any."""
    size, ends = 0, time.monotonic() + limit_s
    for block in blocks:
        yield block
        size += block.nbytes
        if size >= limit_bytes or time.monotonic() >= ends:
            return


@contextmanager
def _cluster() -> Iterator[None]:
    """Connect to the cluster, with order kept and nothing printed or reported."""
    import ray

    is_ours = not ray.is_initialized()
    if is_ours:
        for name, value in _ENVIRONMENT.items():
            os.environ.setdefault(name, value)
        _check_reachable(os.environ.get("RAY_ADDRESS", ""))
        try:
            ray.init(log_to_driver=False, logging_level=logging.ERROR)
        except (ConnectionError, RuntimeError, ValueError) as error:
            raise WorkerError(f"no Ray cluster could be joined or started ({reason(error)})") from error
    context, logger = ray.data.DataContext.get_current(), logging.getLogger("ray.data")
    before = context.execution_options.preserve_order, context.enable_progress_bars, logger.level
    context.execution_options.preserve_order, context.enable_progress_bars = True, False
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        context.execution_options.preserve_order, context.enable_progress_bars = before[:2]
        logger.setLevel(before[2])
        if is_ours:
            ray.shutdown()


def _check_reachable(address: str) -> None:
    """Raise a `WorkerError` at once where nobody listens; Ray itself would try for minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not host or not port.isdecimal():
        return  # "auto" and "local", which Ray resolves itself
    try:
        socket.create_connection((host.strip("[]"), int(port)), _CONNECT_TIMEOUT_S).close()
    except OSError as error:
        message = f"no Ray cluster answers at RAY_ADDRESS={address} ({reason(error)}); start it, or unset RAY_ADDRESS"
        raise WorkerError(message) from error
