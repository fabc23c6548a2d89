"""Many items to results, in order: reading, decoding and the network overlap in one bounded pipeline."""

from __future__ import annotations

import hashlib
import re
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from artnet.atomic import atomic_write
from artnet.attribution.explain import ExplainOptions, explain
from artnet.concurrency import DaemonPool
from artnet.errors import ArtNetError, OutputError, output_errors
from artnet.hardware import inference_concurrency
from artnet.imaging.decode import ImageFile
from artnet.imaging.encode import encode_jpeg, thumbnail
from artnet.model.classifier import Classifier
from artnet.model.prediction import Prediction
from artnet.model.preprocessing import OpenedImage
from artnet.render.overlay import depth_overlay
from artnet.sources.find import find_items
from artnet.sources.item import DEFAULT_RULES, InMemory, SourceItem, SourceRules

_OVERLAY_DEPTH = 9
_OVERLAY_QUALITY = 90
_STEM_LENGTH = 60
_THUMBNAIL_PX, _THUMBNAIL_QUALITY = 192, 80  # enough to tell paintings apart on a sheet; about 6 kB


@dataclass(frozen=True)
class PredictOptions:
    """What to compute for each item beside its prediction.

    Attributes:
        views: "voting" computes the views with a vote, "all" all six
        embedding: whether to keep the embedding of the whole view
        overlay_folder: folder to write an overlay of the deepest layer's heatmap to, if any
        thumbnail: whether to keep a small copy of the image, as a JPEG file's bytes
        trim: whether uniform margins are left out, by a model that does so
    """

    views: Literal["voting", "all"] = "voting"
    embedding: bool = False
    overlay_folder: Path | None = None
    thumbnail: bool = False
    trim: bool = True


@dataclass(frozen=True)
class PipelineLimits:
    """How much of the pipeline runs at a time.

    Attributes:
        workers: threads that decode and run the network; by default two more than `inference_concurrency`, since now
            and then they wait for each other
        readers: items read at a time; reading waits for disks and servers, not for processors
        held_bytes: total size of the files read and not yet classified at which no further file is read
    """

    workers: int | None = None
    readers: int = 8
    held_bytes: int = 256 * 2**20


@dataclass(frozen=True)
class ModelSpec:
    """Which model to load and how, in this process or in a worker elsewhere."""

    folder: Path | None = None
    runtime: str = "openvino"
    precision: str = "auto"

    def load(self, concurrency: int = 1, processors: int | None = None) -> Classifier:
        """Load the model; see `Classifier.load`."""
        return Classifier.load(self.folder, self.runtime, self.precision, concurrency, processors)


DEFAULT_OPTIONS, DEFAULT_LIMITS, DEFAULT_MODEL = PredictOptions(), PipelineLimits(), ModelSpec()


@dataclass(frozen=True)
class Result:
    """What became of one item: a prediction or an error.

    Attributes:
        sha256: of the file, None where it could not be read
        label: of a IIIF canvas or a list, as is `id`
        overlay: name of the file in the overlay folder, where overlays are written
        embedding: (E,), where it is kept
        thumbnail: a JPEG file's bytes, where it is kept
    """

    source: str
    sha256: str | None = None
    prediction: Prediction | None = None
    error: ArtNetError | None = None
    label: str | None = None
    id: str | None = None
    overlay: str | None = None
    embedding: NDArray[np.float32] | None = field(default=None, compare=False)
    thumbnail: bytes | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON object that `artnet classify --json` prints for this source."""
        optional = {"label": self.label, "id": self.id, "overlay": self.overlay}
        if self.embedding is not None:
            optional["embedding"] = self.embedding.tolist()
        present = {name: value for name, value in optional.items() if value is not None}
        if self.prediction is not None:
            return {**self.prediction.to_dict(), **present}
        error = self.error or ArtNetError("no prediction")
        return {"source": self.source, "error": {"kind": error.kind, "message": str(error)}, **present}


def classify_sources(
    classifier: Classifier,
    sources: Iterable[str],
    views: Literal["voting", "all"] = "voting",
    rules: SourceRules = DEFAULT_RULES,
) -> Iterator[Result]:
    """Yield one result per image that the sources name, in their order."""
    yield from predict_items(classifier, find_items(sources, rules), PredictOptions(views), rules)


def predict_items(
    classifier: Classifier,
    items: Iterable[SourceItem],
    options: PredictOptions = DEFAULT_OPTIONS,
    rules: SourceRules = DEFAULT_RULES,
    limits: PipelineLimits = DEFAULT_LIMITS,
) -> Iterator[Result]:
    """Yield one result per item, in order, while the items behind it are read and classified.

    Each item in flight has a thread of its own, which reads it, has a worker classify it, and keeps its result until
    its turn has come. An item that fails is a result with an error.

    Raises:
        OutputError: if an overlay cannot be written
    """
    workers = limits.workers or inference_concurrency() + 2
    ahead = limits.readers + 4 * workers
    # When Python ends, it waits for an executor's threads, as native code needs, but not for those of a DaemonPool,
    # which may be waiting for a slow server.
    in_flight, executor = DaemonPool(ahead), ThreadPoolExecutor(workers)
    held, read_slots = _ByteBudget(limits.held_bytes), threading.Semaphore(limits.readers)

    def read(item: SourceItem) -> bytes:
        with read_slots:
            held.wait_for_room()
            data = item.read(rules)
            held.add(len(data))
        return data

    def classify(item: SourceItem, data: bytes) -> Result:
        try:
            file = ImageFile(data, item.name, rules.limits)
            return executor.submit(_predict, classifier, item, file, options).result()
        finally:
            held.add(-len(data))

    def read_and_classify(item: SourceItem) -> Result:
        try:
            data = read(item)
        except ArtNetError as error:
            return Result(item.name, error=error, label=item.label, id=item.id)
        return classify(item, data)

    pending: deque[Future[Result]] = deque()
    try:
        for item in items:
            if isinstance(item.location, InMemory):  # its bytes are here: without room for them, no other item is found
                pending.append(in_flight.submit(classify, item, read(item)))
            else:
                pending.append(in_flight.submit(read_and_classify, item))
            while pending and (len(pending) == ahead or pending[0].done()):
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        held.close()
        executor.shutdown(wait=False, cancel_futures=True)


class BlockPredictor:
    """A model for one processor, loaded once, that classifies block after block of items in the caller's thread."""

    def __init__(self, model: ModelSpec, options: PredictOptions, rules: SourceRules, readers: int = 8) -> None:
        self._classifier = model.load(processors=1)
        self._options, self._rules = options, rules
        self._readers, self._pool = readers, DaemonPool(readers)

    def __call__(self, items: Iterable[SourceItem]) -> Iterator[Result]:
        """Yield one result per item, in order, while the next ones are read; errors as in `predict_items`."""
        for item in read_ahead(items, self._rules, self._pool, self._readers):
            try:
                file = ImageFile(item.read(self._rules), item.name, self._rules.limits)
            except ArtNetError as error:
                yield Result(item.name, error=error, label=item.label, id=item.id)
            else:
                yield _predict(self._classifier, item, file, self._options)


def read_ahead(
    items: Iterable[SourceItem],
    rules: SourceRules,
    pool: DaemonPool,
    ahead: int,
    needed: Callable[[SourceItem], bool] = lambda _: True,
) -> Iterator[SourceItem]:
    """Yield the items in order, those that are `needed` with their bytes, or with the error that reading ended in."""
    pending = deque[Future[SourceItem]]()

    def read(item: SourceItem) -> SourceItem:
        try:
            return replace(item, location=InMemory(item.read(rules)))
        except ArtNetError as error:
            return replace(item, location=None, error=error)

    for item in items:
        if needed(item):
            pending.append(pool.submit(read, item))
        else:
            pending.append(Future())
            pending[-1].set_result(item)
        while pending and (pending[0].done() or len(pending) > ahead):
            yield pending.popleft().result()
    while pending:
        yield pending.popleft().result()


class _ByteBudget:
    """Bytes held at a time; `wait_for_room` blocks while they are `limit_bytes` or more."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit, self._held, self._closed = limit_bytes, 0, False
        self._changed = threading.Condition()

    def wait_for_room(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._held < self._limit)
            if self._closed:
                raise CancelledError

    def add(self, size: int) -> None:
        with self._changed:
            self._held += size
            self._changed.notify_all()

    def close(self) -> None:
        """Cancel whoever waits for room, now or later."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()


def _predict(classifier: Classifier, item: SourceItem, file: ImageFile, options: PredictOptions) -> Result:
    sha256 = hashlib.sha256(file.data).hexdigest()
    overlay_file, folder = None, options.overlay_folder
    try:
        opened = classifier.open(file, options.views, trim=options.trim)
        outputs = classifier.infer(opened.views, options.embedding)
        prediction = classifier.predict(opened, outputs)
        if folder is not None:
            overlay_file = overlay_name(item.name, sha256)
            _write_overlay(classifier, opened, prediction, folder / overlay_file)
    except OutputError:
        raise
    except ArtNetError as error:
        return Result(item.name, sha256, error=error, label=item.label, id=item.id)
    return Result(
        source=item.name,
        sha256=sha256,
        prediction=prediction,
        label=item.label,
        id=item.id,
        overlay=overlay_file,
        embedding=outputs.embedding if options.embedding else None,
        thumbnail=_thumbnail(opened) if options.thumbnail else None,
    )


def _thumbnail(opened: OpenedImage) -> bytes:
    return encode_jpeg(thumbnail(opened.image, _THUMBNAIL_PX), _THUMBNAIL_QUALITY)


def overlay_name(name: str, sha256: str) -> str:
    """Return the file name of an item's overlay: the end of the item's name and its content, whatever the order.

    >>> overlay_name("museum.zip/Guernica (1937).tif", "ab" * 32)
    'Guernica-1937-abababababab.jpg'
    """
    stem = PurePosixPath(name.replace("\\", "/").rstrip("/")).stem
    plain = re.sub(r"[^\w-]+", "-", stem, flags=re.ASCII).strip("-")[:_STEM_LENGTH]
    return f"{plain or 'image'}-{sha256[:12]}.jpg"


def _write_overlay(classifier: Classifier, opened: OpenedImage, prediction: Prediction, path: Path) -> None:
    explanation = explain(classifier, opened, depth=_OVERLAY_DEPTH, options=ExplainOptions(prediction=prediction))
    image = depth_overlay(explanation, _OVERLAY_DEPTH)
    # Two items of the same name and content, or a machine that repeats a lost block, write the same file.
    with output_errors(path, "make room, then go on with --resume"), atomic_write(path, shared=True) as partial:
        image.save(partial, "JPEG", quality=_OVERLAY_QUALITY)
