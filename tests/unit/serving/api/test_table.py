"""Predictions that come back as a table."""

from __future__ import annotations

from io import BytesIO

import pyarrow.parquet as pq
import pytest

from artnet.errors import UsageError
from artnet.serving.api.schemas import TableRow
from artnet.serving.api.table import parquet_table

MOVEMENTS = ("Cubism", "Realism")


def test_predictions_and_errors_are_rows() -> None:
    rows = [
        TableRow(source="a.jpg", sha256="00", decision="unsure", scores={"Cubism": 0.4, "Realism": 0.6}),
        TableRow.model_validate({"source": "b.jpg", "error": {"kind": "corrupt", "message": "cut short"}}),
    ]
    first, second = pq.read_table(BytesIO(parquet_table(rows, MOVEMENTS))).to_pylist()
    assert (first["movement"], first["confidence"], first["score_cubism"]) == ("Realism", 0.6, 0.4)
    assert (second["source"], second["error_kind"], second["movement"]) == ("b.jpg", "corrupt", None)


def test_a_row_without_a_movements_score_is_refused() -> None:
    with pytest.raises(UsageError, match=r"a\.jpg: has no score of Realism"):
        parquet_table([TableRow(source="a.jpg", decision="unsure", scores={"Cubism": 1.0})], MOVEMENTS)
