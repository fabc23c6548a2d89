"""Cut a collection's paintings into views on all processors, in chunk files that are never made twice.

Knows nothing about splits or duplicates: it keeps, beside the views, the facts by which others decide.
"""

from __future__ import annotations

import atexit
import hashlib
import json
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass
from functools import cache
from multiprocessing import get_context, parent_process
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from artnet.concurrency import DaemonPool
from artnet.data.catalog import Record, RecordReader
from artnet.data.dataset import Row, as_columns, schema
from artnet.data.duplicates import Fingerprint, fingerprint
from artnet.data.split import SPLITS, Split
from artnet.errors import ArtNetError, WorkerError
from artnet.hardware import processor_count
from artnet.imaging.decode import decode_image
from artnet.imaging.encode import encode_jpeg
from artnet.imaging.views import VIEWS, Fit, extract_views, without_letterbox
from artnet.sources.item import DEFAULT_RULES, SourceRules
from artnet.sources.parquet import ParquetRow
from artnet.sources.stores import is_remote

JPEG_QUALITY = 95  # with 4:4:4, a second lossy copy that cannot be seen, at a third of the size of PNG
PAINTINGS_PER_CHUNK = 32  # a kill costs a few seconds, and the processors finish nearly together
_REQUESTS_AT_ONCE = 4  # by each worker, of pictures that lie on servers
_CHUNKS_UNDER_WAY = 8  # keeps every processor busy without listing a million tasks

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Selected:
    """A record that belongs to a movement; `movement` is its place in the taxonomy's order."""

    record: Record
    movement: int


@dataclass(frozen=True)
class CutSettings:
    """What decides the bytes of the views."""

    movements: tuple[str, ...]
    size_px: int = 256
    fit: Fit = "letterbox"
    rules: SourceRules = DEFAULT_RULES


@dataclass(frozen=True)
class Facts:
    """What is known of one painting once its picture was read; `position` is its place among the selected.

    `sharpness` is the variance of the Laplacian of the whole view in grey levels squared (Pech-Pacheco et al.,
    "Diatom autofocusing in brightfield microscopy", 2000); `size_bytes` is the file's.
    """

    position: int
    id: str
    width: int
    height: int
    size_bytes: int
    sharpness: float
    fingerprint: Fingerprint


@dataclass(frozen=True)
class Rejection:
    """A record that was left out, and why."""

    source: str
    style: str
    reason: str
    message: str


def cut_collection(
    selected: Sequence[Selected], folder: Path, settings: CutSettings, pool: Executor, progress: Progress
) -> list[Path]:
    """Make the chunk files that are not there yet and return all of them, in order.

    Each is written beside its name and renamed, so that a kill leaves only whole ones. Errors: `OSError` for a disk
    that cannot be written, `WorkerError` where a worker was killed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    chunks = [selected[start : start + PAINTINGS_PER_CHUNK] for start in range(0, len(selected), PAINTINGS_PER_CHUNK)]
    paths = [folder / f"{index:06d}.parquet" for index in range(len(chunks))]
    done = 0
    under_way: deque[tuple[int, Future[None]]] = deque()
    try:
        for index, (path, chunk) in enumerate(zip(paths, chunks, strict=True)):
            if path.exists():
                done += len(chunk)
                progress(done, len(selected))
                continue
            under_way.append((len(chunk), pool.submit(cut_chunk, path, index * PAINTINGS_PER_CHUNK, chunk, settings)))
            if len(under_way) > _CHUNKS_UNDER_WAY:
                done += _finished(under_way)
                progress(done, len(selected))
        while under_way:
            done += _finished(under_way)
            progress(done, len(selected))
    except BrokenProcessPool as error:
        raise WorkerError(
            "a worker process was ended from outside, perhaps for want of memory; the same command goes on from here"
        ) from error
    finally:
        for _, future in under_way:
            future.cancel()
    return paths


def cut_chunk(path: Path, first: int, chunk: Sequence[Selected], settings: CutSettings) -> None:
    """Read, cut and encode some paintings and write them as one chunk file; runs in a worker process."""
    reader = _worker_reader(settings.rules)
    read = _read_ahead([item.record for item in chunk], reader, settings.rules)
    results = [
        _cut(first + offset, item, data, settings) for offset, (item, data) in enumerate(zip(chunk, read, strict=True))
    ]
    rows = [result for result in results if not isinstance(result, Rejection)]
    rejected = [asdict(result) for result in results if isinstance(result, Rejection)]
    kept = chunk_schema(settings.movements).with_metadata({"rejected": json.dumps(rejected)})
    # Of its own name: a worker that outlives its killed command must not write into what the next command writes.
    partial = path.with_suffix(f".{os.getpid()}.partial")
    # Without dictionary and statistics, which would hash and compare every picture to find that no two are alike.
    table = pa.Table.from_pylist(rows, schema=kept)
    pq.write_table(table, partial, compression="none", use_dictionary=False, write_statistics=False)
    partial.replace(path)


def read_facts(path: Path) -> tuple[list[Facts], list[Rejection]]:
    """Read what a chunk knows of its paintings, without their views."""
    with pq.ParquetFile(path) as file:
        rows = file.read(columns=["id", "width", "height", *_FACTS]).to_pylist()
        rejected = json.loads(file.schema_arrow.metadata[b"rejected"])
    return [_facts(row) for row in rows], [Rejection(**fields) for fields in rejected]


def read_rows(chunks: Iterable[Path], sides: Mapping[int, Split]) -> Iterator[tuple[Split, pa.Table]]:
    """Give chunks' paintings as rows of a prepared dataset, for each split those whose position `sides` names.

    The next chunk is read while the caller writes one.
    """
    with ThreadPoolExecutor(1) as reader:
        coming: deque[Future[list[tuple[Split, pa.Table]]]] = deque()
        for path in chunks:
            coming.append(reader.submit(_read_chunk, path, sides))
            if len(coming) > 1:
                yield from coming.popleft().result()
        while coming:
            yield from coming.popleft().result()


def _read_chunk(path: Path, sides: Mapping[int, Split]) -> list[tuple[Split, pa.Table]]:
    with pq.ParquetFile(path) as file:
        table = file.read(use_threads=False)
    splits = [sides.get(position) for position in table["position"].to_pylist()]
    rows = table.drop_columns(list(_FACTS))
    return [(split, rows.filter(pa.array([each == split for each in splits], pa.bool_()))) for split in SPLITS]


def open_pool(processes: int = 0) -> ProcessPoolExecutor:
    """Start worker processes, by default one for each processor; spawned, since Arrow's threads survive no fork."""
    return ProcessPoolExecutor(
        processes or processor_count(), mp_context=get_context("spawn"), initializer=_end_with_parent
    )


def sharpness(view: Image.Image) -> float:
    """Give the variance of the Laplacian of a picture's grey levels; 0 for a flat one."""
    grey = np.asarray(view.convert("L"), np.float32)
    inner = grey[1:-1, 1:-1]
    edges = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:] - 4 * inner
    return float(edges.var()) if edges.size else 0.0


_FACTS: dict[str, pa.DataType] = {
    "position": pa.int64(),
    "size_bytes": pa.int64(),
    "sharpness": pa.float64(),
    "thumbnail": pa.binary(),
    "aspect": pa.float64(),
}


def chunk_schema(movements: Sequence[str]) -> pa.Schema:
    """Give the columns of a chunk file: those of a prepared dataset and the facts."""
    return pa.schema([*schema(movements), *_FACTS.items()])


def _facts(row: dict[str, Any]) -> Facts:
    return Facts(
        position=row["position"],
        id=row["id"],
        width=row["width"],
        height=row["height"],
        size_bytes=row["size_bytes"],
        sharpness=row["sharpness"],
        fingerprint=Fingerprint(row["thumbnail"], row["aspect"]),
    )


def _read_ahead(records: Sequence[Record], reader: RecordReader, rules: SourceRules) -> Iterator[bytes | ArtNetError]:
    """Read pictures one after the other; those that lie elsewhere a few at once, since each waits for its server."""
    background, waiting = DaemonPool(_REQUESTS_AT_ONCE), dict[int, Future[bytes]]()
    for number, record in enumerate(records):
        for ahead in range(number, min(number + _REQUESTS_AT_ONCE, len(records))):
            if ahead not in waiting and _is_elsewhere(records[ahead]):
                waiting[ahead] = background.submit(RecordReader(rules).read, records[ahead])
        try:
            yield waiting.pop(number).result() if number in waiting else reader.read(record)
        except ArtNetError as error:
            yield error


def _is_elsewhere(record: Record) -> bool:
    return (
        record.location is not None and is_remote(record.location.path) and not isinstance(record.location, ParquetRow)
    )


def _cut(position: int, item: Selected, data: bytes | ArtNetError, settings: CutSettings) -> dict[str, Any] | Rejection:
    record = item.record
    try:
        if isinstance(data, ArtNetError):
            raise data
        image = decode_image(data, record.source, settings.rules.limits)
    except ArtNetError as error:
        return Rejection(record.source, record.style, error.kind, str(error))
    whole, *regions = extract_views(image, settings.size_px, settings.fit, VIEWS)
    # Of the small view: to pass over all pixels of a large painting once more takes 1.4 ms at two megapixels.
    kept = fingerprint(without_letterbox(whole, settings.fit), image.width / image.height)
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
        whole=_stored(whole.image),
        regions=tuple(_stored(view.image) for view in regions),
        boxes=tuple(view.box.as_tuple() for view in regions),
    )
    return {
        **as_columns(row),
        "position": position,
        "size_bytes": len(data),
        "sharpness": sharpness(whole.image),
        "thumbnail": kept.thumbnail,
        "aspect": kept.aspect,
    }


def _end_with_parent() -> None:
    """Make a worker process end when its command is killed; it would otherwise wait for work for ever."""
    parent = parent_process()
    if parent is not None:

        def wait_and_end() -> None:
            parent.join()
            os._exit(1)

        Thread(target=wait_and_end, daemon=True).start()


def _finished(under_way: deque[tuple[int, Future[None]]]) -> int:
    count, future = under_way.popleft()
    future.result()
    return count


def _stored(view: Image.Image) -> bytes:
    return encode_jpeg(view, JPEG_QUALITY, subsampling="4:4:4")


@cache
def _worker_reader(rules: SourceRules) -> RecordReader:
    """Keep one reader for a worker's life: to find the row where the last chunk ended takes longer than cutting."""
    reader = RecordReader(rules)
    atexit.register(reader.close)
    return reader
