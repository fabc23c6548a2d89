"""The table of many answers, from rows that a stranger sends."""

from __future__ import annotations

import csv
import io
from typing import Any

import pyarrow.parquet as pq
import pytest

from artnet.errors import UsageError
from artnet.serving.web.page_table import MOST_ROWS, table_of

MOVEMENTS = ("Cubism", "Realism")
ROW = {"source": "a.jpg", "sha256": "00", "decision": "unsure", "scores": {"Cubism": 0.4, "Realism": 0.6}}
FAILED = {"source": "b.jpg", "error": {"kind": "format", "message": "b.jpg: no picture"}}


def test_rows_become_the_table_that_the_command_writes() -> None:
    first, second = csv.DictReader(io.StringIO(table_of([ROW, FAILED], "csv", MOVEMENTS).decode()))
    assert (first["movement"], first["confidence"], first["decision"]) == ("Realism", "0.6", "unsure")
    assert (second["error_kind"], second["error"]) == ("format", "b.jpg: no picture")


def test_the_same_rows_become_parquet() -> None:
    found = pq.read_table(io.BytesIO(table_of([ROW, FAILED], "parquet", MOVEMENTS)))
    assert found["score_cubism"].to_pylist() == [0.4, None]


@pytest.mark.parametrize(
    ("rows", "kind"),
    [
        ("text", "csv"),
        ([ROW], "xlsx"),
        ([None], "csv"),
        ([{"source": "a.jpg"}], "csv"),
        ([{**ROW, "decision": "certain"}], "csv"),
        ([{**ROW, "scores": {"Cubism": "much", "Realism": 0}}], "csv"),
        ([ROW] * (MOST_ROWS + 1), "csv"),
    ],
)
def test_what_is_no_table_is_refused(rows: Any, kind: str) -> None:
    with pytest.raises(UsageError):
        table_of(rows, kind, MOVEMENTS)
