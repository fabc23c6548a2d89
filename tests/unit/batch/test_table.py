"""A table has one row an item, the same in every format."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from artnet.batch.predict import Result
from artnet.batch.table import TableSchema, check_suffix, score_column, table_row, write_table
from artnet.errors import UsageError
from artnet.imaging.views import Box
from artnet.model.prediction import Prediction, ViewScores
from fixtures.tables import MOVEMENTS, missing, read_back, right, wrong

# DESIGN, section 5, Predictions
COLUMNS = [
    *("source", "sha256", "movement", "confidence", "decision", "set"),
    *("score_cubism", "score_impressionism", "score_pop_art"),
    *("error_kind", "error", "label", "id"),
]
SCHEMA = TableSchema(MOVEMENTS)
EVERYTHING = TableSchema(MOVEMENTS, all_views=True, embedding=True, overlay=True)
ENDINGS = pytest.mark.parametrize("ending", [".csv", ".jsonl", ".parquet"])
AWKWARD = [right(), wrong(), missing(), right('a "b", c\nd.jpg', 1 / 3), right("Lé 小丑.jpg", 0.1)]


def rows_of(results: list[Result], schema: TableSchema = SCHEMA) -> list[dict[str, Any]]:
    return [table_row(result, schema) for result in results]


@ENDINGS
def test_the_columns_are_the_documented_ones_in_order(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"table{ending}"
    write_table(path, rows_of([right(), wrong()]), SCHEMA)
    assert [list(row) for row in read_back(path)] == [COLUMNS, COLUMNS]


@ENDINGS
def test_every_format_holds_the_same_rows(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"table{ending}"
    write_table(path, rows_of(AWKWARD), SCHEMA)
    assert read_back(path) == rows_of(AWKWARD)


def test_a_prediction_fills_everything_but_the_error() -> None:
    assert table_row(right(), SCHEMA) == {
        "source": "clown.jpg",
        "sha256": "ab" * 32,
        "movement": "Cubism",
        "confidence": 0.75,
        "decision": "confident",
        "set": None,
        "score_cubism": 0.75,
        "score_impressionism": 0.25,
        "score_pop_art": 0.0,
        **dict.fromkeys(("error_kind", "error", "label", "id")),
    }


def test_a_failure_has_its_kind_and_its_message_and_nothing_more() -> None:
    filled = {name: value for name, value in table_row(missing(), SCHEMA).items() if value is not None}
    assert filled == {"source": "gone.jpg", "error_kind": "missing", "error": "gone.jpg: no such file"}
    assert table_row(wrong(), SCHEMA)["error_kind"] == "corrupt"
    assert table_row(wrong(), SCHEMA)["sha256"] == "cd" * 32


@given(st.text(st.characters(exclude_categories=("Cs",))), st.floats(0, 1), st.sampled_from([right, wrong, missing]))
def test_any_row_has_every_column_and_either_a_movement_or_an_error(source: str, score: float, make: Any) -> None:
    row = table_row(make(source, score) if make is right else make(source), SCHEMA)
    assert list(row) == list(SCHEMA.columns) == COLUMNS
    assert (row["movement"] is None) != (row["error_kind"] is None)
    assert row["source"] == source


@given(st.text("abcXYZ ÉÖ", min_size=1))
def test_a_score_column_has_no_blank_and_no_capital(movement: str) -> None:
    name = score_column(movement)
    assert name.startswith("score_")
    assert " " not in name
    assert name == name.lower()


def everything() -> Result:
    found = right().prediction
    assert found is not None
    views = (ViewScores("whole", Box(0, 0, 48, 40), {"Cubism": 0.5, "Impressionism": 0.25, "Pop Art": 0.25}),)
    prediction = Prediction("a.jpg", "Cubism", 0.75, "unsure", found.scores, views, "drawn", 48, 40)
    return Result("a.jpg", "ab" * 32, prediction, overlay="a.jpg", embedding=np.array([0.1, 3e-9], np.float32))


@ENDINGS
def test_views_embeddings_and_overlays_have_columns_where_they_are_requested(ending: str, tmp_path: Path) -> None:
    write_table(tmp_path / f"t{ending}", rows_of([everything(), wrong()], EVERYTHING), EVERYTHING)
    row, failed = read_back(tmp_path / f"t{ending}")
    views, embedding = row["views"], row["embedding"]
    if ending == ".csv":
        views, embedding = json.loads(views), json.loads(embedding)
    assert views[0]["box"] == [0, 0, 48, 40]
    assert views[0]["scores"]["Pop Art"] == 0.25
    assert np.array_equal(np.array(embedding, np.float32), np.array([0.1, 3e-9], np.float32))
    assert row["overlay"] == "a.jpg"
    assert failed["embedding"] is failed["views"] is None


def test_a_large_parquet_table_has_few_row_groups(tmp_path: Path) -> None:
    row = table_row(right(), SCHEMA)
    write_table(tmp_path / "t.parquet", (row for _ in range(12_000)), SCHEMA)
    assert pq.read_metadata(tmp_path / "t.parquet").num_row_groups == 2


@ENDINGS
def test_an_empty_table_names_its_columns(ending: str, tmp_path: Path) -> None:
    write_table(tmp_path / f"table{ending}", [], SCHEMA)
    assert read_back(tmp_path / f"table{ending}") == []
    if ending == ".parquet":
        assert pq.read_schema(tmp_path / "table.parquet").names == COLUMNS


@ENDINGS
def test_a_file_name_that_is_no_utf8_costs_no_table(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"table{ending}"
    write_table(path, rows_of([right("caf\udce9.jpg"), right()]), SCHEMA)
    assert [row["source"] for row in read_back(path)] == ["caf\\udce9.jpg", "clown.jpg"]


@pytest.mark.parametrize("name", ["table.xlsx", "table", "table.csv.gz", ".csv"])
def test_an_unknown_suffix_is_refused_with_the_known_ones(name: str) -> None:
    with pytest.raises(UsageError, match=r"ends in \.csv, \.jsonl, \.parquet"):
        check_suffix(Path(name))
