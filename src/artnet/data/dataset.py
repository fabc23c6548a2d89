"""Write and read prepared datasets: Parquet, one painting a row with all its views, one folder.

Knows nothing about networks; the three splits come from `split`, the views from `views`.
"""

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
from artnet.errors import DataError, UsageError
from artnet.imaging.views import REGIONS, Fit

FORMAT = "artnet-dataset/1"
INFO_FILE = "dataset.json"
ROWS_PER_SHARD = 2000
_REPEATED = ["movement", "style", "artist", "date", "width", "height"]  # columns whose values come again
ROWS_PER_GROUP = 32  # some 6 MB of views; making room for larger groups costs a millisecond a painting


@dataclass(frozen=True)
class DatasetInfo:
    """What a prepared dataset's rows have in common; kept as dataset.json beside the shards.

    `train_sha256` names the paintings of train (see `digest_of_ids`); empty in datasets made before it was kept.
    """

    name: str
    movements: tuple[str, ...]
    taxonomy: str
    size_px: int
    fit: Fit
    split_by: str
    ratios: tuple[float, float, float]
    seed: int
    train_sha256: str = ""
    format: str = FORMAT


@dataclass(frozen=True)
class Row:
    """One painting of a prepared dataset; pictures are encoded JPEGs, boxes are in the painting's pixels."""

    id: str
    movement: int
    style: str
    artist: str | None
    title: str | None
    date: str | None
    source: str
    width: int
    height: int
    whole: bytes
    regions: tuple[bytes, ...]
    boxes: tuple[tuple[int, int, int, int], ...]


def schema(movements: Sequence[str]) -> pa.Schema:
    """Give the shards' Arrow schema, with the features that the `datasets` library reads from its metadata."""
    picture = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
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
        ("whole", picture, {"_type": "Image"}),
        ("regions", pa.list_(picture), {"feature": {"_type": "Image"}, "_type": "List"}),
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
    """Name the shards that hold `rows` paintings of a split, as the Hugging Face Hub names them."""
    count = -(-rows // rows_per_shard)
    return [f"{split}-{index:05d}-of-{count:05d}.parquet" for index in range(count)]


class SplitWriter:
    """Write a split's shards, given how many rows it will hold; memory holds one row group.

    How the rows come, one by one or many at once, does not show in the bytes.
    """

    def __init__(
        self, folder: Path, split: str, rows: int, movements: Sequence[str], rows_per_shard: int = ROWS_PER_SHARD
    ) -> None:
        self._paths = [folder / name for name in shard_names(split, rows, rows_per_shard)]
        self._schema = schema(movements)
        self._rows_per_shard = self._room = rows_per_shard  # room: the rows that the shard at hand still takes
        self._file: pq.ParquetWriter | None = None
        self._waiting: list[pa.Table] = []

    def __enter__(self) -> SplitWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self._flush()
        self._close()

    def write(self, rows: pa.Table) -> None:
        """Add paintings, in the columns of `schema`."""
        while rows.num_rows:
            missing = min(ROWS_PER_GROUP, self._room) - sum(map(len, self._waiting))
            self._waiting.append(rows.slice(0, missing))
            if rows.num_rows >= missing:
                self._flush()
            rows = rows.slice(missing)

    def _flush(self) -> None:
        if not self._waiting:
            return
        group = pa.concat_tables(self._waiting).cast(self._schema).combine_chunks()
        self._waiting = []
        if self._file is None:
            # The pictures are compressed already, and no two are alike: neither compress, tabulate nor compare them.
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
    """Name the collection that a painting came from: the first part of its `source`."""
    return source.split("/")[0]


def digest_of_ids(ids: Iterable[str]) -> str:
    """Name a set of paintings, whatever their order: the SHA-256 of their sorted ids, a line each."""
    return hashlib.sha256("".join(f"{each}\n" for each in sorted(ids)).encode()).hexdigest()


def write_info(folder: Path, info: DatasetInfo) -> None:
    """Write dataset.json, the file by which a prepared dataset is recognised."""
    (folder / INFO_FILE).write_text(json.dumps(asdict(info), indent=2) + "\n", encoding="utf-8")


def read_info(folder: Path) -> DatasetInfo:
    """Read a prepared dataset's description. Errors: `DataError` where `folder` holds none."""
    path = folder / INFO_FILE
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
        if fields.get("format") != FORMAT:
            raise DataError(f"{path}: format {fields.get('format')!r}, this version reads {FORMAT}")
        return DatasetInfo(**{**fields, "movements": tuple(fields["movements"]), "ratios": tuple(fields["ratios"])})
    except FileNotFoundError:
        raise DataError(f"{folder}: not a prepared dataset (no {INFO_FILE}); make one with artnet prepare") from None
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise DataError(f"{path}: cannot be read ({error}); prepare the dataset again") from error


def read_columns(folder: Path, split: str, columns: Sequence[str]) -> pa.Table:
    """Read some columns of a whole split, in the shards' order."""
    try:
        tables = [pq.read_table(shard, columns=list(columns)) for shard in _shards(folder, split)]
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"{folder}: the {split} split cannot be read ({error})") from error
    return pa.concat_tables(tables)


def iterate_rows(folder: Path, split: str, columns: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Yield a split's rows one by one; memory holds one row group, however large the dataset."""
    for shard in _shards(folder, split):
        try:
            with pq.ParquetFile(shard) as file:
                for batch in file.iter_batches(batch_size=64, columns=list(columns)):
                    yield from batch.to_pylist()
        except (OSError, pa.ArrowException) as error:
            raise DataError(f"{shard}: cannot be read ({error}); prepare the dataset again") from error


def spread_rows(folder: Path, split: str, columns: Sequence[str], wanted: int) -> Iterator[dict[str, Any]]:
    """Yield `wanted` of a split's rows, taken evenly from it; all of them where there are no more."""
    total = count_rows(folder, split)
    places = set(np.linspace(0, total - 1, min(wanted, total)).round().astype(int).tolist())
    return (row for place, row in enumerate(iterate_rows(folder, split, columns)) if place in places)


def count_rows(folder: Path, split: str) -> int:
    """Count a split's paintings from the shards' footers."""
    try:
        return sum(pq.read_metadata(shard).num_rows for shard in _shards(folder, split))
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"{folder}: the {split} split cannot be read ({error}); prepare the dataset again") from error


def _shards(folder: Path, split: str) -> list[Path]:
    if split not in SPLITS:
        raise UsageError(f"unknown split {split!r}; use one of {', '.join(SPLITS)}")
    shards = sorted(folder.glob(f"{split}-*-of-*.parquet"))
    if not shards:
        raise DataError(f"{folder}: holds no {split} split; prepare it with a share for {split} in --ratios")
    expected = shard_names(split, len(shards), rows_per_shard=1)
    if [shard.name for shard in shards] != expected:
        raise DataError(f"{folder}: {split} shards are missing or mixed; prepare the dataset again")
    return shards


def as_columns(row: Row) -> dict[str, Any]:
    """Spread a painting over the columns of a shard."""
    columns = {name: getattr(row, name) for name in Row.__dataclass_fields__}
    columns["whole"] = {"bytes": row.whole, "path": f"{row.id}.jpg"}
    columns["regions"] = [
        {"bytes": data, "path": f"{row.id}-{name}.jpg"} for name, data in zip(REGIONS, row.regions, strict=True)
    ]
    columns["boxes"] = [list(box) for box in row.boxes]
    return columns


def _value(dtype: str) -> dict[str, Any]:
    return {"dtype": dtype, "_type": "Value"}
