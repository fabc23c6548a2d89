"""A table has one row a source, the same in every format, and is there whole or not at all."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from artnet.batch import Answer
from artnet.classify import Prediction
from artnet.errors import CorruptImageError, OutputError, SourceError, UsageError
from artnet.table import check_table_path, columns, score_column, table_row, write_table

MOVEMENTS = ("Cubism", "Impressionism", "Pop Art")
# DESIGN, section 5, Predictions
COLUMNS = [
    *("source", "sha256", "movement", "confidence", "decision"),
    *("score_cubism", "score_impressionism", "score_pop_art"),
    *("error_kind", "error"),
]
ENDINGS = pytest.mark.parametrize("ending", [".csv", ".jsonl", ".parquet"])


def right(source: str = "clown.jpg", cubism: float = 0.75) -> Answer:
    scores = {"Impressionism": 1 - cubism, "Pop Art": 0.0, "Cubism": cubism}
    movement = max(scores, key=lambda name: scores[name])
    found = Prediction(source, movement, scores[movement], "confident", scores, (), "drawn", 48, 40)
    return Answer(source, "ab" * 32, found)


def wrong(source: str = "torn.jpg") -> Answer:
    return Answer(source, "cd" * 32, error=CorruptImageError(f"{source}: cannot be decoded, says 'the decoder'"))


def missing(source: str = "gone.jpg") -> Answer:
    return Answer(source, error=SourceError(f"{source}: no such file"))


AWKWARD = [right(), wrong(), missing(), right('a "b", c\nd.jpg', 1 / 3), right("Lé 小丑.jpg", 0.1)]


def read_back(path: Path) -> list[dict[str, Any]]:
    """Read any of the three formats; what CSV cannot say (None, numbers) is given back to it."""
    if path.suffix == ".parquet":
        return list(pq.read_table(path).to_pylist())
    with path.open(newline="", encoding="utf-8") as file:
        if path.suffix == ".jsonl":
            return [json.loads(line) for line in file]
        return [{name: typed(name, text) for name, text in row.items()} for row in csv.DictReader(file)]


def typed(name: str, text: str) -> str | float | None:
    if text == "":
        return None
    return float(text) if name == "confidence" or name.startswith("score_") else text


@ENDINGS
def test_the_columns_are_the_documented_ones_in_order(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"table{ending}"
    write_table(path, [right(), wrong()], MOVEMENTS)
    assert [list(row) for row in read_back(path)] == [COLUMNS, COLUMNS]


@ENDINGS
def test_every_format_holds_the_same_rows(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"table{ending}"
    write_table(path, iter(AWKWARD), MOVEMENTS)
    assert read_back(path) == [table_row(answer, MOVEMENTS) for answer in AWKWARD]


def test_a_prediction_fills_everything_but_the_error() -> None:
    assert table_row(right(), MOVEMENTS) == {
        "source": "clown.jpg",
        "sha256": "ab" * 32,
        "movement": "Cubism",
        "confidence": 0.75,
        "decision": "confident",
        "score_cubism": 0.75,
        "score_impressionism": 0.25,
        "score_pop_art": 0.0,
        "error_kind": None,
        "error": None,
    }


def test_a_failure_has_its_kind_and_its_message_and_nothing_more() -> None:
    filled = {name: value for name, value in table_row(missing(), MOVEMENTS).items() if value is not None}
    assert filled == {"source": "gone.jpg", "error_kind": "missing", "error": "gone.jpg: no such file"}
    assert table_row(wrong(), MOVEMENTS)["error_kind"] == "corrupt"
    assert table_row(wrong(), MOVEMENTS)["sha256"] == "cd" * 32


@given(st.text(), st.floats(0, 1), st.sampled_from([right, wrong, missing]))
def test_any_row_has_every_column_and_either_a_movement_or_an_error(source: str, score: float, make: Any) -> None:
    row = table_row(make(source, score) if make is right else make(source), MOVEMENTS)
    assert list(row) == list(columns(MOVEMENTS)) == COLUMNS
    assert (row["movement"] is None) != (row["error_kind"] is None)
    assert row["source"] == source


@given(st.text("abcXYZ ÉÖ", min_size=1))
def test_a_score_column_has_no_blank_and_no_capital(movement: str) -> None:
    name = score_column(movement)
    assert name.startswith("score_")
    assert " " not in name
    assert name == name.lower()


@ENDINGS
def test_a_table_of_no_answers_is_a_table(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"table{ending}"
    write_table(path, [], MOVEMENTS)
    assert read_back(path) == []


def test_an_empty_csv_and_an_empty_parquet_still_name_their_columns(tmp_path: Path) -> None:
    for ending in (".csv", ".parquet"):
        write_table(tmp_path / f"table{ending}", [], MOVEMENTS)
    assert (tmp_path / "table.csv").read_text(encoding="utf-8").strip() == ",".join(COLUMNS)
    assert pq.read_schema(tmp_path / "table.parquet").names == COLUMNS


@ENDINGS
def test_a_file_name_that_is_no_utf8_costs_no_table(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"table{ending}"
    write_table(path, [right("caf\udce9.jpg"), right()], MOVEMENTS)
    first, second = read_back(path)
    assert first["source"].replace("\udce9", "\\udce9") == "caf\\udce9.jpg"
    assert second["source"] == "clown.jpg"


def test_more_answers_than_are_written_at_a_time_lose_none(tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    write_table(path, (missing(f"{number}.jpg") for number in range(2001)), MOVEMENTS)
    assert pq.read_table(path)["source"].to_pylist() == [f"{number}.jpg" for number in range(2001)]


@pytest.mark.parametrize("name", ["table.xlsx", "table", "table.csv.gz", ".csv"])
def test_an_unknown_ending_is_refused_with_those_there_are(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"ends in \.csv, \.jsonl, \.parquet"):
        write_table(tmp_path / name, [right()], MOVEMENTS)
    assert list(tmp_path.iterdir()) == []


@ENDINGS
def test_an_existing_table_is_refused_and_left_as_it_was(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"table{ending}"
    path.write_text("a month's work", encoding="utf-8")
    with pytest.raises(OutputError, match=f"table{ending}: exists already"):
        write_table(path, [right()], MOVEMENTS)
    assert path.read_text(encoding="utf-8") == "a month's work"


def test_a_table_is_refused_before_any_answer_is_asked_for(tmp_path: Path) -> None:
    asked = iter([right()])
    with pytest.raises(OutputError, match="its folder does not exist"):
        write_table(tmp_path / "nowhere" / "table.csv", asked, MOVEMENTS)
    assert next(asked) == right()


def test_a_good_place_passes_and_nothing_is_made_yet(tmp_path: Path) -> None:
    check_table_path(tmp_path / "table.csv")
    assert list(tmp_path.iterdir()) == []


@ENDINGS
@pytest.mark.parametrize("failure", [RuntimeError, KeyboardInterrupt])
def test_nothing_is_left_behind_when_the_answers_break_off(
    ending: str, failure: type[BaseException], tmp_path: Path
) -> None:
    def answers() -> Iterator[Answer]:
        yield right()
        raise failure("the line went dead")

    with pytest.raises(failure, match="the line went dead"):
        write_table(tmp_path / f"table{ending}", answers(), MOVEMENTS)
    assert list(tmp_path.iterdir()) == []


@ENDINGS
def test_the_table_is_not_there_before_it_is_whole(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"table{ending}"
    seen = []

    def answers() -> Iterator[Answer]:
        for answer in AWKWARD:
            seen.append(path.exists())
            yield answer

    write_table(path, answers(), MOVEMENTS)
    assert seen == [False] * len(AWKWARD)
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_is_an_output_error_with_nothing_left_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OutputError, match=r"table\.csv: cannot be written \(No space left on device\)"):
        write_table(tmp_path / "table.csv", [right()], MOVEMENTS)
    assert list(tmp_path.iterdir()) == []
