"""Prepared datasets: folders of Parquet shards, one painting a row with all its views."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from artnet.data.split import SPLITS
from artnet.errors import DataError, UsageError, reason
from artnet.imaging.views import REGIONS, Fit

FORMAT = "artnet-dataset/1"
INFO_FILE = "dataset.json"
ROWS_PER_SHARD = 2000
ROWS_PER_GROUP = 32  # some 6 MB of views; making room for larger groups costs a millisecond a painting
_REPEATED = ["movement", "style", "artist", "date", "width", "height"]  # columns whose values recur


@dataclass(frozen=True)
class DatasetInfo:
    """What a prepared dataset's rows have in common; stored as dataset.json beside the shards."""

    name: str
    movements: tuple[str, ...]
    taxonomy: str
    size_px: int
    fit: Fit
    split_by: str
    ratios: tuple[float, float, float]
    seed: int
    trim: bool = False  # whether uniform margins were left out; in datasets of older versions they were not
    train_sha256: str = ""  # `digest_of_ids` of the paintings of train; empty in datasets of older versions
    format: str = FORMAT


@dataclass(frozen=True)
class Row:
    """One painting of a prepared dataset."""

    id: str
    movement: int
    style: str
    artist: str | None
    title: str | None
    date: str | None
    source: str
    width: int
    height: int
    whole: bytes  # a JPEG, as are the regions
    regions: tuple[bytes, ...]
    boxes: tuple[tuple[int, int, int, int], ...]  # of the regions: left, top, right, bottom in the painting's pixels

    def to_columns(self) -> dict[str, Any]:
        """Return the row's values as `schema` has them."""
        return {
            **vars(self),
            "whole": {"bytes": self.whole, "path": f"{self.id}.jpg"},
            "regions": [
                {"bytes": data, "path": f"{self.id}-{name}.jpg"}
                for name, data in zip(REGIONS, self.regions, strict=True)
            ],
            "boxes": [list(box) for box in self.boxes],
        }


def schema(movements: Sequence[str]) -> pa.Schema:
    """Return the shards' Arrow schema, with the features that the `datasets` library reads from its metadata."""
    image = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    columns: list[tuple[str, pa.DataType, dict[str, Any]]] = [
        ("id", pa.string(), _value("string")),
        ("movement", pa.int64(), {"names": list(movements), "_type": "ClassLabel"}),
        ("style", pa.string(), _value("string")),
        ("artist", pa.string(), _value("string")),
        ("title", pa.string(), _value("string")),
        ("date", pa.string(), _value("string")),
        ("source", pa.string(), _value("string")),
        ("width", pa.int32(), _value("int32")),
        ("height", pa.int32(), _value("int32")),
        ("whole", image, {"_type": "Image"}),
        ("regions", pa.list_(image), {"feature": {"_type": "Image"}, "_type": "List"}),
        (
            "boxes",
            pa.list_(pa.list_(pa.int32())),
            {"feature": {"feature": _value("int32"), "_type": "List"}, "_type": "List"},
        ),
    ]
    features = {name: feature for name, _, feature in columns}
    metadata = {"huggingface": json.dumps({"info": {"features": features}})}
    return pa.schema([(name, kind) for name, kind, _ in columns], metadata=metadata)


def shard_names(split: str, rows: int, rows_per_shard: int = ROWS_PER_SHARD) -> list[str]:
    """Return the names of the shards for `rows` paintings of a split, as the Hugging Face Hub names them."""
    count = -(-rows // rows_per_shard)
    return [f"{split}-{index:05d}-of-{count:05d}.parquet" for index in range(count)]


class SplitWriter:
    """A writer of a split's shards that holds one row group in memory.

    How many rows each call of `write` brings does not change the bytes.
    """

    def __init__(
        self,
        folder: Path,
        split: str,
        rows: int,
        movements: Sequence[str],
        rows_per_shard: int = ROWS_PER_SHARD,
        rows_per_group: int = ROWS_PER_GROUP,
    ) -> None:
        """Prepare to write `rows` rows in all; the first shard is opened by the first of them."""
        self._paths = [folder / name for name in shard_names(split, rows, rows_per_shard)]
        self._schema = schema(movements)
        self._rows_per_group, self._rows_per_shard = rows_per_group, rows_per_shard
        self._room = rows_per_shard  # rows that the current shard still takes
        self._file: pq.ParquetWriter | None = None
        self._buffer: list[pa.Table] = []

    def __enter__(self) -> SplitWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self._flush()
        self._close()

    def write(self, rows: pa.Table) -> None:
        """Append paintings, in the columns of `schema`."""
        while rows.num_rows:
            missing = min(self._rows_per_group, self._room) - sum(map(len, self._buffer))
            self._buffer.append(rows.slice(0, missing))
            if rows.num_rows >= missing:
                self._flush()
            rows = rows.slice(missing)

    def _flush(self) -> None:
        if not self._buffer:
            return
        group = pa.concat_tables(self._buffer).cast(self._schema).combine_chunks()
        self._buffer = []
        if self._file is None:
            # Images are compressed already, and no two are alike: no compression, dictionary or statistics for them.
            self._file = pq.ParquetWriter(
                self._paths.pop(0),
                self._schema,
                compression="none",
                use_dictionary=_REPEATED,
                write_statistics=_REPEATED,
            )
        self._file.write_table(group)
        self._room -= group.num_rows
        if not self._room:
            self._close()

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
            self._room = self._rows_per_shard


def collection_of(source: str) -> str:
    """Return the name of a painting's collection: the first part of its `source`.

    >>> collection_of("museum/a/1.jpg")
    'museum'
    """
    return source.split("/")[0]


def digest_of_ids(ids: Iterable[str]) -> str:
    """Return the SHA-256 of paintings' ids, sorted, a line each: it identifies a set of paintings in any order."""
    return hashlib.sha256("".join(f"{each}\n" for each in sorted(ids)).encode()).hexdigest()


def write_info(folder: Path, info: DatasetInfo) -> None:
    """Write dataset.json, which makes a folder a prepared dataset."""
    (folder / INFO_FILE).write_text(json.dumps(asdict(info), indent=2) + "\n", encoding="utf-8")


def read_info(folder: Path) -> DatasetInfo:
    """Read dataset.json.

    Raises:
        DataError: where `folder` is not a prepared dataset, or its file is damaged
    """
    path = folder / INFO_FILE
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
        if fields.get("format") != FORMAT:
            raise DataError(
                f"{path}: has the format {fields.get('format')!r}, this version reads {FORMAT!r}; prepare it again"
            )
        return DatasetInfo(**{**fields, "movements": tuple(fields["movements"]), "ratios": tuple(fields["ratios"])})
    except FileNotFoundError:
        raise DataError(f"{folder}: not a prepared dataset (no {INFO_FILE}); make one with artnet prepare") from None
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise _unreadable(f"{path}:", error) from error


def read_columns(folder: Path, split: str, columns: Sequence[str]) -> pa.Table:
    """Return some columns of a whole split, in the shards' order; raise `DataError` where it cannot be read."""
    try:
        tables = [pq.read_table(shard, columns=list(columns)) for shard in _shards(folder, split)]
    except (OSError, pa.ArrowException) as error:
        raise _unreadable(f"{folder}: the {split} split", error) from error
    return pa.concat_tables(tables)


def iterate_rows(folder: Path, split: str, columns: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Yield a split's rows one by one, holding one row group in memory."""
    for shard in _shards(folder, split):
        try:
            with pq.ParquetFile(shard) as file:
                for batch in file.iter_batches(batch_size=64, columns=list(columns)):
                    yield from batch.to_pylist()
        except (OSError, pa.ArrowException) as error:
            raise _unreadable(f"{shard}:", error) from error


def spread_rows(folder: Path, split: str, columns: Sequence[str], count: int) -> Iterator[dict[str, Any]]:
    """Yield `count` of a split's rows, evenly spaced, or all where there are no more."""
    total = count_rows(folder, split)
    chosen = set(np.linspace(0, total - 1, min(count, total)).round().astype(int).tolist())
    return (row for index, row in enumerate(iterate_rows(folder, split, columns)) if index in chosen)


def count_rows(folder: Path, split: str) -> int:
    """Return the number of a split's paintings, read from the shards' footers."""
    try:
        return sum(pq.read_metadata(shard).num_rows for shard in _shards(folder, split))
    except (OSError, pa.ArrowException) as error:
        raise _unreadable(f"{folder}: the {split} split", error) from error


def _unreadable(subject: str, error: Exception) -> DataError:
    return DataError(f"{subject} cannot be read ({reason(error)}); prepare the dataset again")


def _shards(folder: Path, split: str) -> list[Path]:
    if split not in SPLITS:
        raise UsageError(f"unknown split {split!r}; use one of {', '.join(SPLITS)}")
    shards = sorted(folder.glob(f"{split}-*-of-*.parquet"))
    if not shards:
        raise DataError(f"{folder}: has no {split} split; prepare it with a share for {split} in --ratios")
    expected = shard_names(split, len(shards), rows_per_shard=1)
    if [shard.name for shard in shards] != expected:
        raise DataError(f"{folder}: {split} shards are missing or mixed; prepare the dataset again")
    return shards


def _value(dtype: str) -> dict[str, Any]:
    return {"dtype": dtype, "_type": "Value"}
