"""Write the table of many answers that a visitor takes away, as CSV or Parquet.

Knows nothing about the web: the rows come back from the page, and nothing in them is trusted.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, get_args

from artnet.batch.predict import Result
from artnet.batch.table import TableSchema, table_row, write_table
from artnet.errors import ArtNetError, UsageError
from artnet.model.prediction import Decision, Prediction

MOST_ROWS = 10_000
KINDS = ("csv", "parquet")
_DECISIONS: tuple[Decision, ...] = get_args(Decision)


def table_of(rows: Any, kind: Any, movements: Sequence[str]) -> bytes:
    """Write rows as `artnet classify --out` does. Errors: `UsageError`."""
    if kind not in KINDS:
        raise UsageError(f"{kind!r} is no kind of table; use {' or '.join(KINDS)}")
    if not isinstance(rows, list) or len(rows) > MOST_ROWS:
        raise UsageError(f"a table here holds at most {MOST_ROWS} rows; for more use artnet classify --out FILE")
    answers = [_answer(row, movements) for row in rows]
    with TemporaryDirectory(prefix="artnet-") as folder:
        path = Path(folder, f"table.{kind}")
        schema = TableSchema(tuple(movements))
        write_table(path, (table_row(answer, schema) for answer in answers), schema)
        return path.read_bytes()


def _answer(row: Any, movements: Sequence[str]) -> Result:
    try:
        source = str(row["source"])
        if "error" in row:
            error = ArtNetError(str(row["error"]["message"]))
            error.kind = str(row["error"]["kind"])
            return Result(source, error=error)
        scores = {movement: float(row["scores"][movement]) for movement in movements}
        decision = _DECISIONS[_DECISIONS.index(row["decision"])]
        best = max(scores, key=lambda name: scores[name])
        found = Prediction(source, best, scores[best], decision, scores, (), "", 0, 0)
        return Result(source, str(row["sha256"]), found)
    except (TypeError, KeyError, ValueError) as error:
        raise UsageError(f"a row of the table cannot be read ({error}); load the page again") from None
