"""Classify many pictures, one answer each: a failed picture is an answer with its error, never a stop.

Knows nothing about the command line or files of results. Reading, decoding, cutting and the network overlap in threads
(all of them leave Python's lock while they work); memory holds the pictures that are under way and no more.
"""

from __future__ import annotations

import hashlib
import re
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from artnet.attribution.explain import ExplainOptions, explain
from artnet.concurrency import DaemonPool
from artnet.errors import ArtNetError, OutputError
from artnet.hardware import inference_concurrency
from artnet.imaging.decode import ImageFile
from artnet.imaging.encode import encode_jpeg
from artnet.model.classifier import Classifier
from artnet.model.prediction import Prediction
from artnet.model.preprocessing import OpenedImage
from artnet.render.overlay import overlay
from artnet.sources.find import find_items
from artnet.sources.item import DEFAULT_RULES, InMemory, SourceItem, SourceRules

_READERS = 8  # reading waits for disks and servers, not for processors
_HELD_BYTES = 256 * 2**20  # of files that are read and not yet decoded
_OVERLAY_DEPTH = 9
_OVERLAY_QUALITY = 90
_STEM_LENGTH = 60
_THUMBNAIL_PX, _THUMBNAIL_QUALITY = 192, 80  # enough to be told apart on a sheet; about 6 kB


@dataclass(frozen=True)
class ResultOptions:
    """What is asked of each picture: the votes of all views, the whole's embedding, an overlay in a folder.

    `thumbnail` asks for a small copy, as a JPEG file's bytes.
    """

    views: Literal["voting", "all"] = "voting"
    embedding: bool = False
    overlays: Path | None = None
    thumbnail: bool = False


DEFAULT_RESULT_OPTIONS = ResultOptions()


@dataclass(frozen=True)
class ModelOptions:
    """How the model is loaded, in this process or by a worker elsewhere."""

    model: Path | None = None
    runtime: str = "openvino"
    precision: str = "auto"

    def load(self, at_once: int = 1, processors: int | None = None) -> Classifier:
        """Load it. Errors: those of `Classifier.load`."""
        return Classifier.load(self.model, self.runtime, self.precision, at_once, processors)


DEFAULT_MODEL_OPTIONS = ModelOptions()


@dataclass(frozen=True)
class Result:
    """What became of one source: either a prediction or an error; `sha256` is of the file, where it was read.

    `embedding` (E,), `thumbnail` and `overlay`, a file's name, are there where they were asked for; `label` and `id`
    are those of a IIIF canvas.
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
        """Give the JSON object that `artnet classify --json` prints for this source."""
        more = {"label": self.label, "id": self.id, "overlay": self.overlay}
        if self.embedding is not None:
            more["embedding"] = self.embedding.tolist()
        known = {name: value for name, value in more.items() if value is not None}
        if self.prediction is not None:
            return {**self.prediction.to_dict(), **known}
        error = self.error or ArtNetError("no answer")
        return {"source": self.source, "error": {"kind": error.kind, "message": str(error)}, **known}


def classify_sources(
    classifier: Classifier,
    sources: Iterable[str],
    views: Literal["voting", "all"] = "voting",
    rules: SourceRules = DEFAULT_RULES,
) -> Iterator[Result]:
    """Yield an answer for every picture that the sources name, in their order."""
    yield from predict_items(classifier, find_items(sources, rules), ResultOptions(views), rules=rules)


def predict_items(
    classifier: Classifier,
    pictures: Iterable[SourceItem],
    wanted: ResultOptions = DEFAULT_RESULT_OPTIONS,
    workers: int | None = None,
    rules: SourceRules = DEFAULT_RULES,
) -> Iterator[Result]:
    """Yield an answer for every picture, in order, while those behind it are under way already.

    `workers` threads decode, cut and run the network; as they wait for each other now and then, by default two more
    than places in the engine. Errors: `OutputError` for an overlay that cannot be written.
    """
    threads = workers or inference_concurrency() + 2
    ahead = _READERS + 4 * threads
    held, under_way = _Held(), deque[Future[Future[Result]]]()
    readers, answerers = DaemonPool(_READERS), ThreadPoolExecutor(threads)

    def answer(found: SourceItem, data: bytes | ArtNetError) -> Future[Result]:
        size = len(data) if isinstance(data, bytes) else 0
        held.add(size)
        future = answerers.submit(_answer, classifier, found, data, wanted, rules)
        future.add_done_callback(lambda _: held.add(-size))
        return future

    def read(found: SourceItem) -> Future[Result]:
        held.wait_for_room()
        return answer(found, _read(found, rules))

    try:
        for found in pictures:
            if isinstance(
                found.location, InMemory
            ):  # held already: with no room for more, the next is not even looked for
                held.wait_for_room()
                under_way.append(_there(answer(found, _read(found, rules))))
            else:
                under_way.append(readers.start(read, found))
            while under_way and (len(under_way) >= ahead or _is_done(under_way[0])):
                yield under_way.popleft().result().result()
        while under_way:
            yield under_way.popleft().result().result()
    finally:
        held.give_up()
        for reading in under_way:
            reading.cancel()
        answerers.shutdown(wait=False, cancel_futures=True)


class _Held:
    """Count the bytes that wait to be decoded, and make readers wait where they are many."""

    def __init__(self) -> None:
        self._bytes, self._changed = 0, threading.Condition()
        self._given_up = False

    def wait_for_room(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._given_up or self._bytes < _HELD_BYTES)

    def add(self, size: int) -> None:
        with self._changed:
            self._bytes += size
            self._changed.notify_all()

    def give_up(self) -> None:
        with self._changed:
            self._given_up = True
            self._changed.notify_all()


def _there(answer: Future[Result]) -> Future[Future[Result]]:
    reading: Future[Future[Result]] = Future()
    reading.set_result(answer)
    return reading


def _is_done(reading: Future[Future[Result]]) -> bool:
    return reading.done() and (reading.exception() is not None or reading.result().done())


def _read(found: SourceItem, rules: SourceRules) -> bytes | ArtNetError:
    try:
        return found.read(rules)
    except ArtNetError as error:
        return error


def _answer(
    classifier: Classifier, found: SourceItem, data: bytes | ArtNetError, wanted: ResultOptions, rules: SourceRules
) -> Result:
    if isinstance(data, ArtNetError):
        return Result(found.name, None, None, data, found.label, found.id)
    sha256 = hashlib.sha256(data).hexdigest()
    try:
        opened = classifier.open(ImageFile(data, found.name, rules.limits), wanted.views)
        seen = classifier.infer(opened.views, wanted.embedding)
        prediction = classifier.predict(opened, seen)
        drawn = None
        if wanted.overlays is not None:
            drawn = _write_overlay(classifier, opened, prediction, wanted.overlays / overlay_name(found.name, sha256))
    except OutputError:
        raise
    except ArtNetError as error:
        return Result(found.name, sha256, None, error, found.label, found.id)
    embedding = seen.embedding if wanted.embedding else None
    small = _thumbnail(opened.image) if wanted.thumbnail else None
    return Result(found.name, sha256, prediction, None, found.label, found.id, drawn, embedding, small)


def _thumbnail(image: Image.Image) -> bytes:
    small = image.copy()
    small.thumbnail((_THUMBNAIL_PX, _THUMBNAIL_PX), Image.Resampling.BICUBIC)
    return encode_jpeg(small, _THUMBNAIL_QUALITY)


def overlay_name(name: str, sha256: str) -> str:
    """Name a picture's overlay by the end of its own name and its content, so that no order changes it."""
    stem = PurePosixPath(name.replace("\\", "/").rstrip("/")).stem
    plain = re.sub(r"[^\w-]+", "-", stem, flags=re.ASCII).strip("-")[:_STEM_LENGTH]
    return f"{plain or 'picture'}-{sha256[:12]}.jpg"


def _write_overlay(classifier: Classifier, opened: OpenedImage, prediction: Prediction, path: Path) -> str:
    """Draw the evidence of the deepest layer over the painting; written beside its name, then renamed."""
    partial = path.with_name(f"{path.name}.{threading.get_ident()}.partial")
    found = explain(classifier, opened, depth=_OVERLAY_DEPTH, options=ExplainOptions(prediction=prediction))
    drawn = overlay(found.image, found.heatmap())
    try:
        drawn.save(partial, "JPEG", quality=_OVERLAY_QUALITY)
        partial.replace(path)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror or error}); make room, then go on") from error
    finally:
        partial.unlink(missing_ok=True)
    return path.name
