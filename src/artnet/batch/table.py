"""The table of predictions: its columns, and its files in CSV, JSON Lines and Parquet."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from artnet.batch.predict import Result
from artnet.errors import UsageError
from artnet.sources.item import printable

Row = dict[str, Any]
_ROW_GROUP = 10_000


@dataclass(frozen=True)
class TableSchema:
    """The columns of a table: those of the model's movements, and the optional ones."""

    movements: tuple[str, ...]
    all_views: bool = False
    embedding: bool = False
    overlay: bool = False
    thumbnail: bool = False

    @cached_property
    def columns(self) -> dict[str, pa.DataType]:
        """The columns' types by name, in order."""
        optional = {
            "views": _views_type(self.movements) if self.all_views else None,
            "overlay": pa.string() if self.overlay else None,
            "embedding": pa.list_(pa.float32()) if self.embedding else None,
            "thumbnail": pa.binary() if self.thumbnail else None,
        }
        return {
            **dict.fromkeys(("source", "sha256", "movement"), pa.string()),
            "confidence": pa.float64(),
            **dict.fromkeys(("decision", "set"), pa.string()),
            **{score_column(movement): pa.float64() for movement in self.movements},
            **dict.fromkeys(("error_kind", "error", "label", "id"), pa.string()),
            **{name: kind for name, kind in optional.items() if kind is not None},
        }


def score_column(movement: str) -> str:
    """Return the name of a movement's column.

    >>> score_column("Pop Art")
    'score_pop_art'
    """
    return "score_" + movement.lower().replace(" ", "_")


def set_field(movements: Sequence[str]) -> str:
    """Return a set of movements as the one text of its column, which every format can hold.

    >>> set_field(["Impressionism", "Realism"])
    'Impressionism; Realism'
    """
    return "; ".join(movements)


def table_row(result: Result, schema: TableSchema) -> Row:
    """Return the row of a result: a value for each column, None where it does not apply."""
    row: Row = dict.fromkeys(schema.columns)
    row |= {"source": result.source, "sha256": result.sha256, "label": result.label, "id": result.id}
    if result.prediction is not None:
        prediction = result.prediction
        row |= {
            "movement": prediction.movement,
            "confidence": prediction.confidence,
            "decision": prediction.decision,
            "set": None if prediction.set is None else set_field(prediction.set),
            **{score_column(movement): prediction.scores[movement] for movement in schema.movements},
        }
        optional = {
            "views": prediction.to_dict()["views"] if schema.all_views else None,
            "overlay": result.overlay,
            "embedding": result.embedding,
            "thumbnail": result.thumbnail,
        }
        row |= {name: value for name, value in optional.items() if name in schema.columns}
    elif result.error is not None:
        row |= {"error_kind": result.error.kind, "error": str(result.error)}
    return {name: printable(value) if isinstance(value, str) else value for name, value in row.items()}


def check_suffix(path: Path) -> None:
    """Raise a `UsageError` unless the suffix of `path` names a table format."""
    if path.suffix not in _WRITERS:
        raise UsageError(f"{path}: unknown table format; use a name that ends in {', '.join(_WRITERS)}")


def write_table(path: Path, rows: Iterable[Row], schema: TableSchema) -> None:
    """Write rows in the format of the path's suffix, a few at a time."""
    _WRITERS[path.suffix](path, rows, schema)


def record_batches(rows: Iterable[Row], schema: TableSchema, size: int = _ROW_GROUP) -> Iterator[pa.RecordBatch]:
    """Yield rows as Arrow batches of `size`, the last one smaller."""
    arrow_schema, remaining = pa.schema(list(schema.columns.items())), iter(rows)
    while batch := list(islice(remaining, size)):
        yield pa.RecordBatch.from_pylist(batch, schema=arrow_schema)


def _write_csv(path: Path, rows: Iterable[Row], schema: TableSchema) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(schema.columns)
        writer.writerows([_csv_field(row[name]) for name in schema.columns] for row in rows)


def _csv_field(value: Any) -> Any:
    return _json(value) if isinstance(value, (list, np.ndarray)) else value


def _write_jsonl(path: Path, rows: Iterable[Row], schema: TableSchema) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.writelines(_json(row) + "\n" for row in rows)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=np.ndarray.tolist)


def _write_parquet(path: Path, rows: Iterable[Row], schema: TableSchema) -> None:
    with pq.ParquetWriter(path, pa.schema(list(schema.columns.items()))) as writer:
        for batch in record_batches(rows, schema):
            writer.write_batch(batch)


def _views_type(movements: Sequence[str]) -> pa.DataType:
    scores = pa.struct([(movement, pa.float64()) for movement in movements])
    return pa.list_(pa.struct([("name", pa.string()), ("box", pa.list_(pa.int32())), ("scores", scores)]))


_WRITERS = {".csv": _write_csv, ".jsonl": _write_jsonl, ".parquet": _write_parquet}
