"""Write answers as a table: CSV, JSON lines or Parquet, by the file's ending.

Knows nothing about how answers come about; rows are written as they come, and the file appears when it is whole.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from artnet.batch import Answer
from artnet.errors import OutputError, UsageError

_ROWS_AT_A_TIME = 1000


def check_table_path(path: Path) -> None:
    """Refuse a table that could not be written, before any picture is read."""
    if path.suffix not in _WRITERS:
        raise UsageError(f"{path}: unknown kind of table; use a name that ends in {', '.join(_WRITERS)}")
    if path.exists():
        raise OutputError(f"{path}: exists already; choose another name or remove it first")
    if not path.absolute().parent.is_dir():
        raise OutputError(f"{path}: its folder does not exist; make it first")


def write_table(path: Path, answers: Iterable[Answer], movements: Sequence[str]) -> None:
    """Write one row a source. Errors: `UsageError` for an unknown ending, `OutputError` where it cannot be written."""
    check_table_path(path)
    partial = path.with_name(path.name + ".partial")
    try:
        _WRITERS[path.suffix](partial, (table_row(answer, movements) for answer in answers), columns(movements))
        partial.replace(path)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror or error})") from error
    finally:
        partial.unlink(missing_ok=True)


def columns(movements: Sequence[str]) -> dict[str, pa.DataType]:
    """Name the columns and their types, in order."""
    scores = {score_column(movement): pa.float64() for movement in movements}
    texts = ("source", "sha256", "movement")
    return {
        **{name: pa.string() for name in texts},
        "confidence": pa.float64(),
        "decision": pa.string(),
        **scores,
        "error_kind": pa.string(),
        "error": pa.string(),
    }


def score_column(movement: str) -> str:
    """Name a movement's column: lower case, blanks as underscores."""
    return "score_" + movement.lower().replace(" ", "_")


def table_row(answer: Answer, movements: Sequence[str]) -> dict[str, Any]:
    """Spread an answer over the columns; what does not apply is None."""
    row: dict[str, Any] = dict.fromkeys(columns(movements))
    row["source"], row["sha256"] = answer.source, answer.sha256
    if answer.prediction is not None:
        found = answer.prediction
        row |= {"movement": found.movement, "confidence": found.confidence, "decision": found.decision}
        row |= {score_column(movement): found.scores[movement] for movement in movements}
    elif answer.error is not None:
        row |= {"error_kind": answer.error.kind, "error": str(answer.error)}
    return row


def _write_csv(path: Path, rows: Iterator[dict[str, Any]], names: dict[str, pa.DataType]) -> None:
    with path.open("w", newline="", encoding="utf-8", errors="backslashreplace") as file:
        writer = csv.DictWriter(file, fieldnames=list(names))
        writer.writeheader()
        writer.writerows(rows)


def _write_jsonl(path: Path, rows: Iterator[dict[str, Any]], names: dict[str, pa.DataType]) -> None:
    with path.open("w", encoding="utf-8", errors="backslashreplace") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def _write_parquet(path: Path, rows: Iterator[dict[str, Any]], names: dict[str, pa.DataType]) -> None:
    schema = pa.schema(list(names.items()))
    with pq.ParquetWriter(path, schema) as writer:
        while part := [_printable(row) for row in islice(rows, _ROWS_AT_A_TIME)]:
            writer.write_table(pa.Table.from_pylist(part, schema=schema))


def _printable(row: dict[str, Any]) -> dict[str, Any]:
    """Replace the bytes of a file name that are no UTF-8, which Arrow refuses."""
    return {
        key: value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value
        for key, value in row.items()
    }


_WRITERS: dict[str, Callable[[Path, Iterator[dict[str, Any]], dict[str, pa.DataType]], None]] = {
    ".csv": _write_csv,
    ".jsonl": _write_jsonl,
    ".parquet": _write_parquet,
}
