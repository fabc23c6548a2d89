"""A table grows in parts that any stop leaves whole, and goes on to what it would have been."""

from __future__ import annotations

import errno
import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from artnet.batch import journal as parts
from artnet.batch.journal import ResumableTable, check_table_path, is_whole, resumable_table
from artnet.batch.table import RowSchema, table_row
from artnet.errors import OutputError, UsageError
from fixtures.tables import missing, read_back, right, wrong

SHAPE = RowSchema(("Cubism", "Impressionism", "Pop Art"))
ROWS = [table_row(answer, SHAPE) for answer in [right(f"{index}.jpg") for index in range(5)] + [wrong(), missing()]]
SETTINGS = {"model": "drawn", "precision": "f32"}
ENDINGS = pytest.mark.parametrize("ending", [".csv", ".jsonl", ".parquet"])


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two rows a part."""
    monkeypatch.setattr(parts, "_ROWS_IN_A_PART", 2)


class StopError(Exception):
    """What stops a table in these tests."""


def begin(path: Path, count: int, settings: dict[str, Any] = SETTINGS) -> None:
    """Add some rows and stop."""
    with pytest.raises(StopError), resumable_table(path, SHAPE, settings) as table:
        for row in ROWS[:count]:
            table.add(row)
        raise StopError


def go_on(path: Path, settings: dict[str, Any] = SETTINGS) -> int:
    """Add the rows that are missing and finish; gives how many were there."""
    with resumable_table(path, SHAPE, settings, resume=True) as table:
        there = len(list(table.done()))
        for row in ROWS[there:]:
            table.add(row)
        table.finish()
    return there


@ENDINGS
@pytest.mark.parametrize("count", [0, 1, 2, 5, 7])
def test_a_stopped_table_goes_on_to_the_same_rows(ending: str, count: int, tmp_path: Path) -> None:
    path = tmp_path / f"t{ending}"
    begin(path, count)
    assert not path.exists()
    assert go_on(path) == count
    assert read_back(path) == ROWS
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_stop_leaves_is_readable_as_a_table(tmp_path: Path) -> None:
    begin(tmp_path / "t.parquet", 5)
    assert pq.read_table(tmp_path / "t.parquet.parts")["source"].to_pylist() == [row["source"] for row in ROWS[:5]]
    begin(tmp_path / "t.csv", 5)
    found = [read_back(part) for part in sorted((tmp_path / "t.csv.parts").glob("*.csv"))]
    assert [row for rows in found for row in rows] == ROWS[:5]


def test_a_part_that_the_machine_left_broken_and_those_after_it_are_made_anew(tmp_path: Path) -> None:
    begin(tmp_path / "t.parquet", 6)
    second = sorted((tmp_path / "t.parquet.parts").glob("*.parquet"))[1]
    second.write_bytes(second.read_bytes()[:50])
    assert go_on(tmp_path / "t.parquet") == 2
    assert read_back(tmp_path / "t.parquet") == ROWS


def test_a_kill_after_the_table_was_joined_and_before_its_parts_went_costs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "t.csv"
    begin(path, 3)

    def killed(*_: object) -> None:
        raise StopError

    with monkeypatch.context() as patch, pytest.raises(StopError):
        patch.setattr(Path, "rename", killed)
        go_on(path)
    assert not is_whole(path)
    assert go_on(path) == len(ROWS)
    assert read_back(path) == ROWS


def test_other_settings_are_refused_by_name(tmp_path: Path) -> None:
    begin(tmp_path / "t.csv", 3)
    with pytest.raises(UsageError, match=r"begun with precision f32, now it is bf16.*--overwrite"):
        go_on(tmp_path / "t.csv", {**SETTINGS, "precision": "bf16"})
    assert go_on(tmp_path / "t.csv") == 3


def test_what_is_there_or_was_begun_is_refused_without_a_word_on_it(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("mine")
    with pytest.raises(OutputError, match=r"exists already.*--overwrite"):
        check_table_path(tmp_path / "mine.csv")
    begin(tmp_path / "t.csv", 3)
    with pytest.raises(OutputError, match=r"was begun and not finished.*--resume"):
        check_table_path(tmp_path / "t.csv")
    with pytest.raises(UsageError, match="give one of them"):
        check_table_path(tmp_path / "t.csv", resume=True, overwrite=True)
    with pytest.raises(OutputError, match="its folder does not exist"):
        check_table_path(tmp_path / "nowhere" / "t.csv")


def test_overwriting_keeps_the_old_table_until_the_new_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("mine")
    with resumable_table(path, SHAPE, SETTINGS, overwrite=True) as table:
        for row in ROWS:
            table.add(row)
            assert path.read_text() == "mine"
        table.finish()
    assert read_back(path) == ROWS


def test_a_full_disk_is_a_sentence_and_what_was_written_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "t.csv"
    written = parts.write_rows

    def full(part: Path, rows: Any, shape: RowSchema) -> None:
        if part.name.endswith("4.csv"):
            part.write_text("half a ro")
            raise OSError(errno.ENOSPC, "No space left on device")
        written(part, rows, shape)

    with monkeypatch.context() as patch:
        patch.setattr(parts, "write_rows", full)
        with pytest.raises(OutputError, match=r"No space left on device\); 4 rows are kept in .*--resume"):
            begin(path, 7)
    assert go_on(path) == 4
    assert read_back(path) == ROWS


def test_two_commands_never_write_one_table(tmp_path: Path) -> None:
    pytest.importorskip("fcntl", reason="needs locks that end with their process, as Linux and macOS have")
    busy = pytest.raises(OutputError, match="another command is writing it")
    with resumable_table(tmp_path / "t.csv", SHAPE, SETTINGS), busy:
        go_on(tmp_path / "t.csv")
    assert go_on(tmp_path / "t.csv") == 0


def test_an_empty_collection_is_an_empty_table(tmp_path: Path) -> None:
    with resumable_table(tmp_path / "t.csv", SHAPE, SETTINGS) as table:
        assert isinstance(table, ResumableTable)
        table.finish()
    assert read_back(tmp_path / "t.csv") == []
    assert json.dumps(SETTINGS) not in (tmp_path / "t.csv").read_text()


def test_rows_are_written_before_many_seconds_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "_ROWS_IN_A_PART", 1000)
    monkeypatch.setattr(parts, "_SECONDS_IN_A_PART", 0)
    with resumable_table(tmp_path / "t.csv", SHAPE, SETTINGS) as table:
        table.add(ROWS[0])
        assert table.rows == 1
