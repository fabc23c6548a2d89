"""Turn collections into one prepared dataset: select, divide, cut, write, audit.

Knows nothing about what the dataset is used for; each step is another module's job.
"""

from __future__ import annotations

import atexit
import csv
import hashlib
import json
import os
import shutil
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from io import BytesIO
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from PIL import Image

from artnet.audit import Entry, audit
from artnet.card import dataset_card
from artnet.catalog import Catalog, Record, RecordReader, normalise_artist
from artnet.dataset import ROWS_PER_SHARD, DatasetInfo, Row, ShardWriter, shard_names, write_info
from artnet.errors import ArtNetError, DataError, OutputError
from artnet.image import DEFAULT_LIMITS, Limits, decode_image
from artnet.split import SPLITS, Ratios, Split, assign_split, group_of
from artnet.taxonomy import Taxonomy
from artnet.views import VIEWS, Fit, cut_views

JPEG_QUALITY = 95  # with 4:4:4, a second lossy copy that cannot be seen, at a third of the size of PNG
_CHUNK = 64
_CHUNKS_UNDER_WAY = 8  # bounds memory: about 100 MB of finished views at the most

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class PrepareOptions:
    """How to cut and divide; the defaults are the 2020 project's views and an honest split."""

    size_px: int = 256
    fit: Fit = "letterbox"
    split_by: str = "artist"
    ratios: Ratios = field(default_factory=Ratios)
    seed: int = 0
    limits: Limits = DEFAULT_LIMITS
    processes: int = 0  # 0: one for each processor this process may use


@dataclass(frozen=True)
class Chosen:
    """A record that belongs to a movement and can be read."""

    record: Record
    id: str
    movement: str
    artist: str | None
    split: Split


@dataclass(frozen=True)
class Rejection:
    """A record that was left out, and why."""

    source: str
    style: str
    reason: str
    message: str


def prepare(
    catalogs: Sequence[Catalog],
    out: Path,
    taxonomy: Taxonomy,
    options: PrepareOptions,
    progress: Progress = lambda done, total: None,
) -> dict[str, Any]:
    """Write a prepared dataset to `out` and return its audit.

    Everything is written to `out` with ".partial" appended and renamed at the end, so that a dataset is either
    whole or not there. Errors: `OutputError` where `out` exists, `DataError` where too little is left.
    """
    _check_free(out)
    unmapped, chosen, rejected = _select(catalogs, taxonomy, options)
    _check_enough(chosen, taxonomy)
    _check_splits(chosen, options)
    info = DatasetInfo(
        name=" + ".join(catalog.name for catalog in catalogs),
        movements=taxonomy.movements,
        taxonomy=taxonomy.name,
        size_px=options.size_px,
        fit=options.fit,
        split_by=options.split_by,
        ratios=(options.ratios.train, options.ratios.val, options.ratios.test),
        seed=options.seed,
    )
    with _whole_or_nothing(out) as folder:
        kept, broken = _write_splits(folder, chosen, info, options, progress)
        _check_enough(kept, taxonomy)
        _check_splits(kept, options)
        rejected = [*rejected, *broken]
        summary = audit(
            [Entry(item.movement, item.record.style, item.artist, item.split) for item in kept],
            unmapped,
            Counter(rejection.reason for rejection in rejected),
        )
        _write_rejected(folder / "rejected.csv", rejected)
        (folder / "audit.json").write_text(json.dumps(summary, indent=2, ensure_ascii=False) + "\n", "utf-8")
        (folder / "README.md").write_text(dataset_card(info, summary), "utf-8")
        write_info(folder, info)
    return summary


def _select(
    catalogs: Sequence[Catalog], taxonomy: Taxonomy, options: PrepareOptions
) -> tuple[Counter[str], list[Chosen], list[Rejection]]:
    """Keep the records whose style has a movement and whose bytes are there, each file once."""
    unmapped: Counter[str] = Counter()
    readable: list[tuple[Record, str, str]] = []
    rejected: list[Rejection] = []
    with RecordReader(options.limits) as reader:
        for record in (record for catalog in catalogs for record in catalog.records):
            movement = taxonomy.movement_of(record.style)
            if movement is None:
                unmapped[record.style] += 1
                continue
            try:
                digest = hashlib.sha256(reader.read(record)).hexdigest()
            except ArtNetError as error:
                rejected.append(Rejection(record.source, record.style, error.kind, str(error)))
                continue
            readable.append((record, digest, movement))
    unique, repeated = _without_copies(readable)
    return unmapped, [_place(*item, options) for item in unique], rejected + repeated


def _without_copies(
    readable: Sequence[tuple[Record, str, str]],
) -> tuple[list[tuple[Record, str, str]], list[Rejection]]:
    """Keep the first of identical files; drop all of them where they stand under two movements."""
    movements: dict[str, set[str]] = {}
    for _, digest, movement in readable:
        movements.setdefault(digest, set()).add(movement)
    first: dict[str, str] = {}
    unique, rejected = [], []
    for record, digest, movement in readable:
        if len(movements[digest]) > 1:
            message = f"the same file stands under {' and '.join(sorted(movements[digest]))}"
            rejected.append(Rejection(record.source, record.style, "conflict", message))
        elif digest in first:
            message = f"the same file as {first[digest]}"
            rejected.append(Rejection(record.source, record.style, "duplicate", message))
        else:
            first[digest] = record.source
            unique.append((record, digest, movement))
    return unique, rejected


def _place(record: Record, digest: str, movement: str, options: PrepareOptions) -> Chosen:
    artist = normalise_artist(record.artist)
    group = group_of(digest, artist, options.split_by)
    split = assign_split(group, options.ratios, options.seed)
    return Chosen(record, digest, movement, artist, split)


def _check_enough(chosen: Sequence[Chosen], taxonomy: Taxonomy) -> None:
    counts = Counter(item.movement for item in chosen)
    poor = [movement for movement in taxonomy.movements if counts[movement] < 2]
    if poor:
        raise DataError(
            f"fewer than two paintings of {', '.join(poor)} were found; add pictures of them, or give a "
            "taxonomy without them"
        )


def _check_splits(kept: Sequence[Chosen], options: PrepareOptions) -> None:
    counts = Counter(item.split for item in kept)
    empty = [split for split in SPLITS if getattr(options.ratios, split) > 0 and not counts[split]]
    if empty:
        raise DataError(
            f"no painting fell into {' and '.join(empty)}: {len(kept)} paintings are too few groups for these "
            "ratios; add paintings by more artists, try another --seed or --split-by painting"
        )


def _write_splits(
    folder: Path, chosen: Sequence[Chosen], info: DatasetInfo, options: PrepareOptions, progress: Progress
) -> tuple[list[Chosen], list[Rejection]]:
    """Cut every painting's views on all processors and write the shards in order."""
    kept: list[Chosen] = []
    rejected: list[Rejection] = []
    with _pool(options.processes) as pool:
        for split in SPLITS:
            items = [item for item in chosen if item.split == split]
            results = _cut_all(pool, items, info, options)
            for name in shard_names(split, len(items)):
                with ShardWriter(folder / name, info.movements) as shard:
                    for item, result in islice(results, ROWS_PER_SHARD):
                        if isinstance(result, Rejection):
                            rejected.append(result)
                        else:
                            shard.write(result)
                            kept.append(item)
                        progress(len(kept) + len(rejected), len(chosen))
    return kept, rejected


def _cut_all(
    pool: ProcessPoolExecutor, items: Sequence[Chosen], info: DatasetInfo, options: PrepareOptions
) -> Iterator[tuple[Chosen, Row | Rejection]]:
    """Yield each painting with its row, in order, with only a few chunks under way at a time."""
    chunks = (items[start : start + _CHUNK] for start in range(0, len(items), _CHUNK))
    under_way: deque[tuple[Sequence[Chosen], Future[list[Row | Rejection]]]] = deque()
    for chunk in chunks:
        under_way.append((chunk, pool.submit(cut_chunk, chunk, info, options.limits)))
        if len(under_way) > _CHUNKS_UNDER_WAY:
            yield from _finished(*under_way.popleft())
    while under_way:
        yield from _finished(*under_way.popleft())


def _finished(
    chunk: Sequence[Chosen], future: Future[list[Row | Rejection]]
) -> Iterator[tuple[Chosen, Row | Rejection]]:
    yield from zip(chunk, future.result(), strict=True)


def cut_chunk(items: Sequence[Chosen], info: DatasetInfo, limits: Limits) -> list[Row | Rejection]:
    """Read, cut and encode some paintings in one worker process."""
    reader = _worker_reader(limits)
    return [_cut(item, reader, info, limits) for item in items]


@cache
def _worker_reader(limits: Limits) -> RecordReader:
    """Keep one reader for a worker's life: listing a large archive anew for each chunk takes longer than cutting."""
    reader = RecordReader(limits)
    atexit.register(reader.close)
    return reader


def _cut(item: Chosen, reader: RecordReader, info: DatasetInfo, limits: Limits) -> Row | Rejection:
    record = item.record
    try:
        image = decode_image(reader.read(record), record.source, limits)
    except ArtNetError as error:
        return Rejection(record.source, record.style, error.kind, str(error))
    whole, *regions = cut_views(image, info.size_px, info.fit, VIEWS)
    return Row(
        id=item.id,
        movement=info.movements.index(item.movement),
        style=record.style,
        artist=record.artist,
        title=record.title,
        date=record.date,
        source=record.source,
        width=image.width,
        height=image.height,
        whole=_jpeg(whole.image),
        regions=tuple(_jpeg(view.image) for view in regions),
        boxes=tuple(view.box.as_tuple() for view in regions),
    )


def _jpeg(image: Image.Image) -> bytes:
    buffer = BytesIO()
    image.save(buffer, "JPEG", quality=JPEG_QUALITY, subsampling="4:4:4")
    return buffer.getvalue()


def _pool(processes: int) -> ProcessPoolExecutor:
    # Spawned, not forked: Arrow's threads do not survive a fork.
    return ProcessPoolExecutor(processes or usable_processors(), mp_context=get_context("spawn"))


def usable_processors() -> int:
    """Count the processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _check_free(out: Path) -> None:
    if out.exists():
        raise OutputError(f"{out}: exists already; choose another folder or remove it first")


@contextmanager
def _whole_or_nothing(out: Path) -> Iterator[Path]:
    """Give a folder to write into that becomes `out` only when everything has been written."""
    _check_free(out)
    partial = out.with_name(out.name + ".partial")
    try:
        if partial.exists():
            shutil.rmtree(partial)
        partial.mkdir(parents=True)
        yield partial
        partial.rename(out)
    except OSError as error:
        raise OutputError(f"{out}: cannot be written ({error.strerror or error})") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _write_rejected(path: Path, rejected: Iterable[Rejection]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["source", "style", "reason", "message"])
        writer.writerows((item.source, item.style, item.reason, item.message) for item in rejected)
