"""Views of a collection's paintings, extracted on all processors into chunk files that are never written twice."""

from __future__ import annotations

import atexit
import hashlib
import json
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from artnet.atomic import atomic_write
from artnet.concurrency import DaemonPool
from artnet.data.catalog import Record, RecordReader
from artnet.data.dataset import Row, schema
from artnet.data.duplicates import Fingerprint, fingerprint
from artnet.data.split import SPLITS, Split
from artnet.errors import ArtNetError, WorkerError
from artnet.hardware import processor_count
from artnet.imaging.decode import decode_image
from artnet.imaging.encode import encode_jpeg
from artnet.imaging.jpeg_quality import jpeg_quality
from artnet.imaging.margins import find_margins
from artnet.imaging.views import VIEWS, Box, Fit, extract_views, without_letterbox
from artnet.sources.item import DEFAULT_RULES, SourceRules
from artnet.sources.parquet import ParquetRow
from artnet.sources.stores import is_remote
from artnet.workers import worker_processes

CHUNK_FORMAT = 2  # to be raised whenever the chunk files' columns change
JPEG_QUALITY = 95  # with 4:4:4, a second lossy copy that cannot be seen, at a third of the size of PNG
_CONCURRENT_REQUESTS = 4  # of each worker, for images on servers
_QUEUED_CHUNKS = 8  # keeps every processor busy without a list of a million tasks

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class SelectedRecord:
    """A record and the index of its movement in the taxonomy."""

    record: Record
    movement: int


@dataclass(frozen=True)
class ChunkSettings:
    """What decides the bytes of the chunk files."""

    movements: tuple[str, ...]
    size_px: int = 256
    fit: Fit = "letterbox"
    trim: bool = True
    rules: SourceRules = DEFAULT_RULES
    paintings_per_chunk: int = 32


@dataclass(frozen=True)
class PaintingFacts:
    """What is known of a painting once its image was read.

    Attributes:
        position: index among the selected records
        id: SHA-256 of the image file
        width: of the image, in pixels
        height: of the image, in pixels
        size_bytes: of the image file
        sharpness: variance of the Laplacian of the whole view in grey levels squared (Pech-Pacheco et al., "Diatom
            autofocusing in brightfield microscopy", 2000)
        jpeg_quality: 1 to 100, estimated; None for a file of another format
        fingerprint: for the search for near-duplicates
    """

    position: int
    id: str
    width: int
    height: int
    size_bytes: int
    sharpness: float
    jpeg_quality: int | None
    fingerprint: Fingerprint


@dataclass(frozen=True)
class Rejection:
    """A record that is left out, and why."""

    source: str
    style: str
    reason: str
    message: str


def write_chunks(
    selected: Sequence[SelectedRecord], folder: Path, settings: ChunkSettings, processes: int, progress: Progress
) -> list[Path]:
    """Write the chunk files that do not exist yet and return the paths of all of them, in order.

    Args:
        selected: the records to read
        folder: where the chunk files are; each appears when it is complete
        settings: the views' size and fit, among others
        processes: number of worker processes, 0 for one per processor; 1 works in this process
        progress: called with the number of records done and their total

    Raises:
        OSError: where the disk cannot be written
        WorkerError: where a worker was killed
    """
    folder.mkdir(parents=True, exist_ok=True)
    starts = range(0, len(selected), settings.paintings_per_chunk)
    paths = [folder / f"{index:06d}.parquet" for index in range(len(starts))]
    done, pending = 0, deque[tuple[int, Future[None]]]()
    with _open_pool(processes or processor_count(), settings.rules) as pool:
        try:
            for path, start in zip(paths, starts, strict=True):
                chunk = selected[start : start + settings.paintings_per_chunk]
                if path.exists():
                    done += len(chunk)
                else:
                    pending.append((len(chunk), pool.submit(_write_chunk, path, start, chunk, settings)))
                    if len(pending) <= _QUEUED_CHUNKS:
                        continue
                    done += _finish_first(pending)
                progress(done, len(selected))
            while pending:
                done += _finish_first(pending)
                progress(done, len(selected))
        except BrokenProcessPool as error:
            raise WorkerError(
                "a worker process was killed, perhaps because memory ran out; the same command continues from here"
            ) from error
        finally:
            for _, future in pending:
                future.cancel()
    return paths


def read_facts(path: Path) -> tuple[list[PaintingFacts], list[Rejection]]:
    """Return what a chunk file says of its paintings, without their views, and its rejected records."""
    with pq.ParquetFile(path) as file:
        rows = file.read(columns=["id", "width", "height", *_FACTS]).to_pylist()
        rejected = json.loads(file.schema_arrow.metadata[b"rejected"])
    for row in rows:
        row["fingerprint"] = Fingerprint(row.pop("thumbnail"), row.pop("aspect"))
    return [PaintingFacts(**row) for row in rows], [Rejection(**fields) for fields in rejected]


def read_rows(chunks: Iterable[Path], splits: Mapping[int, Split]) -> Iterator[tuple[Split, pa.Table]]:
    """Yield, chunk by chunk and split by split, the paintings as rows of a prepared dataset.

    The next chunk is read while the caller writes one.

    Args:
        chunks: paths of chunk files
        splits: the split of each painting to include, by its position
    """
    with ThreadPoolExecutor(1) as reader:
        pending: deque[Future[list[tuple[Split, pa.Table]]]] = deque()
        for path in chunks:
            pending.append(reader.submit(_read_chunk, path, splits))
            if len(pending) > 1:
                yield from pending.popleft().result()
        while pending:
            yield from pending.popleft().result()


def sharpness(view: Image.Image) -> float:
    """Return the variance of the Laplacian of an image's grey levels; 0 for a flat one."""
    grey = np.asarray(view.convert("L"), np.float32)
    inner = grey[1:-1, 1:-1]
    edges = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:] - 4 * inner
    return float(edges.var()) if edges.size else 0.0


# The columns of a chunk file besides those of a prepared dataset.
_FACTS: dict[str, pa.DataType] = {
    "position": pa.int64(),
    "size_bytes": pa.int64(),
    "sharpness": pa.float64(),
    "jpeg_quality": pa.int64(),
    "thumbnail": pa.binary(),
    "aspect": pa.float64(),
}

# A worker keeps one reader: to find the row where the last chunk ended takes longer than to extract views.
_worker = threading.local()


@contextmanager
def _open_pool(processes: int, rules: SourceRules) -> Iterator[Executor]:
    """Yield a pool of processes; for one, a thread of this process."""
    if processes == 1:
        with ThreadPoolExecutor(1, initializer=_open_reader, initargs=(rules,)) as thread:
            try:
                yield thread
            finally:
                thread.submit(lambda: _worker.reader.close())
        return
    with worker_processes(processes, _start_process, (rules,)) as pool:
        yield pool


def _open_reader(rules: SourceRules) -> None:
    _worker.reader = RecordReader(rules)


def _start_process(rules: SourceRules) -> None:
    _open_reader(rules)
    atexit.register(_worker.reader.close)


def _write_chunk(path: Path, start: int, chunk: Sequence[SelectedRecord], settings: ChunkSettings) -> None:
    """Read, extract and encode some paintings and write them as one chunk file; runs in a worker."""
    data = _read_ahead([item.record for item in chunk], settings.rules)
    results = [
        _extract(start + offset, item, each, settings)
        for offset, (item, each) in enumerate(zip(chunk, data, strict=True))
    ]
    rows = [result for result in results if not isinstance(result, Rejection)]
    rejected = [asdict(result) for result in results if isinstance(result, Rejection)]
    columns = pa.schema([*schema(settings.movements), *_FACTS.items()], {"rejected": json.dumps(rejected)})
    table = pa.Table.from_pylist(rows, schema=columns)
    # Shared: a worker that outlives its killed command must not write into what the next command writes.
    # Without dictionary and statistics, which would hash and compare every image to find that no two are alike.
    with atomic_write(path, shared=True) as partial:
        pq.write_table(table, partial, compression="none", use_dictionary=False, write_statistics=False)


def _read_ahead(records: Sequence[Record], rules: SourceRules) -> Iterator[bytes | ArtNetError]:
    """Yield the records' images in order; those on servers are requested a few at once."""
    background, pending = DaemonPool(_CONCURRENT_REQUESTS), dict[int, Future[bytes]]()
    for number, record in enumerate(records):
        for ahead in range(number, min(number + _CONCURRENT_REQUESTS, len(records))):
            if ahead not in pending and _is_on_a_server(records[ahead]):
                pending[ahead] = background.submit(RecordReader(rules).read, records[ahead])
        try:
            yield pending.pop(number).result() if number in pending else _worker.reader.read(record)
        except ArtNetError as error:
            yield error


def _is_on_a_server(record: Record) -> bool:
    location = record.location
    return location is not None and is_remote(location.path) and not isinstance(location, ParquetRow)


def _extract(
    position: int, item: SelectedRecord, data: bytes | ArtNetError, settings: ChunkSettings
) -> dict[str, Any] | Rejection:
    """Return a painting's row in its chunk file."""
    record = item.record
    try:
        if isinstance(data, ArtNetError):
            raise data
        image = decode_image(data, record.source, settings.rules.limits)
    except ArtNetError as error:
        return Rejection(record.source, record.style, error.kind, str(error))
    box = find_margins(image) if settings.trim else Box(0, 0, *image.size)
    whole, *regions = extract_views(image, settings.size_px, settings.fit, VIEWS, box)
    # Of the small view: one more pass over all pixels of a large painting takes 1.4 ms at two megapixels.
    features = fingerprint(without_letterbox(whole, settings.fit), box.width / box.height)
    row = Row(
        id=hashlib.sha256(data).hexdigest(),
        movement=item.movement,
        style=record.style,
        artist=record.artist,
        title=record.title,
        date=record.date,
        source=record.source,
        width=image.width,
        height=image.height,
        whole=_encode(whole.image),
        regions=tuple(_encode(view.image) for view in regions),
        boxes=tuple(view.box.as_tuple() for view in regions),
    )
    return {
        **row.to_columns(),
        "position": position,
        "size_bytes": len(data),
        "sharpness": sharpness(whole.image),
        "jpeg_quality": jpeg_quality(data),
        "thumbnail": features.thumbnail,
        "aspect": features.aspect,
    }


def _finish_first(pending: deque[tuple[int, Future[None]]]) -> int:
    count, future = pending.popleft()
    future.result()
    return count


def _encode(view: Image.Image) -> bytes:
    return encode_jpeg(view, JPEG_QUALITY, subsampling="4:4:4")


def _read_chunk(path: Path, splits: Mapping[int, Split]) -> list[tuple[Split, pa.Table]]:
    with pq.ParquetFile(path) as file:
        table = file.read(use_threads=False)
    row_splits = [splits.get(position) for position in table["position"].to_pylist()]
    rows = table.drop_columns(list(_FACTS))
    return [(split, rows.filter(pa.array([each == split for each in row_splits], pa.bool_()))) for split in SPLITS]
