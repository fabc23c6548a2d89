"""Lay answers out as rows and write rows as CSV, JSON lines or Parquet, by the file's ending.

Knows nothing about how answers come about, nor about runs that are stopped and go on (`parts`).
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from artnet.batch.predict import Result
from artnet.errors import UsageError

Row = dict[str, Any]
KNOWN = ("source", "movement", "decision", "error_kind")  # what is read back of a row that was written
_LONGEST_FIELD = 2**28
_ROWS_IN_A_GROUP = 10_000


@dataclass(frozen=True)
class RowSchema:
    """What a table's columns are: the model's movements, and what was asked for beside the answer."""

    movements: tuple[str, ...]
    all_views: bool = False
    embedding: bool = False
    overlay: bool = False
    thumbnail: bool = False

    @cached_property
    def columns(self) -> dict[str, pa.DataType]:
        """Name the columns and their types, in order."""
        scores = {score_column(movement): pa.float64() for movement in self.movements}
        texts = ("source", "sha256", "movement")
        more = {
            "views": _views_type(self.movements) if self.all_views else None,
            "overlay": pa.string() if self.overlay else None,
            "embedding": pa.list_(pa.float32()) if self.embedding else None,
            "thumbnail": pa.binary() if self.thumbnail else None,
        }
        return {
            **{name: pa.string() for name in texts},
            "confidence": pa.float64(),
            "decision": pa.string(),
            **scores,
            **dict.fromkeys(("error_kind", "error", "label", "id"), pa.string()),
            **{name: kind for name, kind in more.items() if kind is not None},
        }


def check_ending(path: Path) -> None:
    """Refuse a file whose ending says no kind of table. Errors: `UsageError`."""
    if path.suffix not in _FORMATS:
        raise UsageError(f"{path}: unknown kind of table; use a name that ends in {', '.join(_FORMATS)}")


def score_column(movement: str) -> str:
    """Name a movement's column: lower case, blanks as underscores."""
    return "score_" + movement.lower().replace(" ", "_")


def table_row(answer: Result, shape: RowSchema) -> Row:
    """Spread an answer over the columns; what does not apply is None."""
    row: Row = dict.fromkeys(shape.columns)
    row |= {"source": answer.source, "sha256": answer.sha256, "label": answer.label, "id": answer.id}
    if answer.prediction is not None:
        found = answer.prediction
        row |= {"movement": found.movement, "confidence": found.confidence, "decision": found.decision}
        row |= {score_column(movement): found.scores[movement] for movement in shape.movements}
        if shape.all_views:
            row["views"] = found.to_dict()["views"]
        if shape.embedding:
            row["embedding"] = None if answer.embedding is None else answer.embedding.tolist()
        if shape.overlay:
            row["overlay"] = answer.overlay
        if shape.thumbnail:
            row["thumbnail"] = answer.thumbnail
    elif answer.error is not None:
        row |= {"error_kind": answer.error.kind, "error": str(answer.error)}
    return {key: printable(value) if isinstance(value, str) else value for key, value in row.items()}


def printable(text: str) -> str:
    """Spell the bytes of a file name that are no UTF-8 as escapes: JSON and Arrow know no others."""
    return text.encode("utf-8", "backslashreplace").decode()


def write_rows(path: Path, rows: Sequence[Row], shape: RowSchema) -> None:
    """Write rows as a table of their own, of the kind that the ending says."""
    _FORMATS[path.suffix].write(path, rows, shape)


def read_known(path: Path) -> list[Row]:
    """Read the `KNOWN` columns of a written table. Errors: `ValueError`, `OSError` where it is damaged."""
    rows = list(_FORMATS[path.suffix].read(path))
    return [{name: row[name] or None if name != "source" else row[name] for name in KNOWN} for row in rows]


def join_tables(parts: Sequence[Path], path: Path, shape: RowSchema) -> None:
    """Write parts, which are tables of the kind that their ending says, one after the other into one file."""
    suffix = parts[0].suffix if parts else ""
    _FORMATS[suffix].join(parts, path, shape)


def _write_csv(path: Path, rows: Iterable[Row], shape: RowSchema) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(shape.columns))
        writer.writeheader()
        writer.writerows({name: _plain(value) for name, value in row.items()} for row in rows)


def _plain(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, (list, dict)) else value


def _read_csv(path: Path) -> Iterator[Row]:
    with _long_fields(), path.open(newline="", encoding="utf-8") as file:
        yield from csv.DictReader(file, strict=True)


@contextmanager
def _long_fields() -> Iterator[None]:
    """Let the module read embeddings, which are longer than the fields it expects."""
    before = csv.field_size_limit(_LONGEST_FIELD)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def _join_csv(parts: Sequence[Path], path: Path, shape: RowSchema) -> None:
    with path.open("wb") as whole:
        for index, part in enumerate(parts):
            with part.open("rb") as file:
                if index:
                    file.readline()  # its names of columns, which hold no line break
                _copy(file, whole)


def _write_jsonl(path: Path, rows: Iterable[Row], shape: RowSchema) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def _read_jsonl(path: Path) -> Iterator[Row]:
    with path.open(encoding="utf-8") as file:
        yield from map(json.loads, file)


def _join_jsonl(parts: Sequence[Path], path: Path, shape: RowSchema) -> None:
    with path.open("wb") as whole:
        for part in parts:
            with part.open("rb") as file:
                _copy(file, whole)


def _copy(file: Any, whole: Any) -> None:
    while block := file.read(2**20):
        whole.write(block)


def _write_parquet(path: Path, rows: Sequence[Row], shape: RowSchema) -> None:
    schema = pa.schema(list(shape.columns.items()))
    pq.write_table(pa.Table.from_pylist(list(rows), schema=schema), path)


def _read_parquet(path: Path) -> Iterator[Row]:
    yield from pq.read_table(path, columns=list(KNOWN), partitioning=None).to_pylist()


def _join_parquet(parts: Sequence[Path], path: Path, shape: RowSchema) -> None:
    """Gather parts into row groups, so that a reader meets few large ones."""
    schema = pa.schema(list(shape.columns.items()))
    waiting: list[pa.Table] = []
    with pq.ParquetWriter(path, schema) as writer:
        for part in parts:
            waiting.append(pq.read_table(part, partitioning=None, use_threads=False))
            if sum(map(len, waiting)) >= _ROWS_IN_A_GROUP:
                writer.write_table(pa.concat_tables(waiting))
                waiting = []
        if waiting:
            writer.write_table(pa.concat_tables(waiting))


def _views_type(movements: Sequence[str]) -> pa.DataType:
    scores = pa.struct([(movement, pa.float64()) for movement in movements])
    return pa.list_(pa.struct([("name", pa.string()), ("box", pa.list_(pa.int32())), ("scores", scores)]))


@dataclass(frozen=True)
class _Format:
    write: Callable[[Path, Sequence[Row], RowSchema], None]
    read: Callable[[Path], Iterator[Row]]
    join: Callable[[Sequence[Path], Path, RowSchema], None]


_FORMATS = {
    ".csv": _Format(_write_csv, _read_csv, _join_csv),
    ".jsonl": _Format(_write_jsonl, _read_jsonl, _join_jsonl),
    ".parquet": _Format(_write_parquet, _read_parquet, _join_parquet),
}
