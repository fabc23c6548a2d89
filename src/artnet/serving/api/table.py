"""Predictions that a client sends back as the table that `artnet classify --out` writes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from artnet.batch.predict import Result
from artnet.batch.table import TableSchema, table_row, write_table
from artnet.errors import ArtNetError, UsageError
from artnet.model.prediction import Prediction
from artnet.serving.api.schemas import TableRow


def parquet_table(rows: Sequence[TableRow], movements: Sequence[str]) -> bytes:
    """Return rows as a Parquet file.

    Raises:
        UsageError: If a row lacks the score of a movement.
    """
    results = [_result(row, movements) for row in rows]
    schema = TableSchema(tuple(movements))
    with TemporaryDirectory(prefix="artnet-") as folder:
        path = Path(folder, "table.parquet")
        write_table(path, (table_row(result, schema) for result in results), schema)
        return path.read_bytes()


def _result(row: TableRow, movements: Sequence[str]) -> Result:
    if row.error is not None or row.decision is None:
        error = ArtNetError(row.error.message if row.error else "")
        error.kind = row.error.kind if row.error else error.kind
        return Result(row.source, error=error)
    missing = [movement for movement in movements if movement not in row.scores]
    if missing:
        raise UsageError(f"{row.source}: has no score of {', '.join(missing)}; send what /v1/classify returned")
    scores = {movement: row.scores[movement] for movement in movements}
    movement = max(scores, key=lambda name: scores[name])
    among = None if row.set is None else tuple(row.set)
    prediction = Prediction(row.source, movement, scores[movement], row.decision, scores, (), "", 0, 0, set=among)
    return Result(row.source, row.sha256, prediction)
