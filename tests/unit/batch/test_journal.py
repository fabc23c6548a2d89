"""A journal keeps every row that was appended, and is resumed with the settings that it began with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from artnet.batch.journal import Existing, is_complete, journal_path, open_journal
from artnet.batch.predict import Result
from artnet.batch.table import TableSchema, table_row
from artnet.errors import OutputError, UsageError
from fixtures.tables import missing, right, wrong

SCHEMA = TableSchema(("Cubism", "Impressionism", "Pop Art"))
ROWS = [table_row(result, SCHEMA) for result in [*(right(f"{index}.jpg") for index in range(5)), wrong(), missing()]]
SETTINGS = {"model": "drawn", "precision": "f32"}


class StopError(Exception):
    """What ends a job in these tests."""


def begin(output: Path, count: int, existing: Existing = "refuse", settings: dict[str, Any] = SETTINGS) -> None:
    """Append some rows and stop."""
    with pytest.raises(StopError), open_journal(output, SCHEMA, settings, existing) as journal:
        for row in ROWS[:count]:
            journal.append(row)
        raise StopError


def test_rows_come_back_as_they_were_appended(tmp_path: Path) -> None:
    with open_journal(tmp_path / "t.csv", SCHEMA, SETTINGS) as journal:
        for row in ROWS:
            journal.append(row)
        assert list(journal.rows()) == ROWS
        assert journal.row_count == len(ROWS)


@pytest.mark.parametrize("count", [0, 1, 5, 7])
def test_a_stopped_journal_is_resumed_with_its_rows(count: int, tmp_path: Path) -> None:
    begin(tmp_path / "t.csv", count)
    with open_journal(tmp_path / "t.csv", SCHEMA, SETTINGS, "resume") as journal:
        assert list(journal.rows()) == ROWS[:count]
        assert journal.row_count == count


def test_a_journal_without_rows_leaves_no_file(tmp_path: Path) -> None:
    begin(tmp_path / "t.csv", 0)
    assert list(tmp_path.iterdir()) == []


def test_summary_rows_hold_what_a_summary_counts(tmp_path: Path) -> None:
    with open_journal(tmp_path / "t.csv", SCHEMA, SETTINGS) as journal:
        for result in (right(), wrong(), missing("")):
            journal.append(table_row(result, SCHEMA))
        assert [list(row.values()) for row in journal.summary_rows()] == [
            ["clown.jpg", "Cubism", "confident", None],
            ["torn.jpg", None, None, "corrupt"],
            ["", None, None, "missing"],
        ]


def test_views_embeddings_and_thumbnails_come_back_to_the_last_bit(tmp_path: Path) -> None:
    schema = TableSchema(SCHEMA.movements, all_views=True, embedding=True, thumbnail=True)
    embedding = np.random.default_rng(0).normal(size=1280).astype(np.float32)
    row = table_row(Result("a", "ab", right().prediction, embedding=embedding, thumbnail=b"\x00\xff"), schema)
    row["views"] = [{"name": "whole", "box": [0, 0, 4, 3], "scores": {"Pop Art": 1 / 3}}]
    with open_journal(tmp_path / "t.csv", schema, SETTINGS) as journal:
        journal.append(row)
        (found,) = journal.rows()
    assert np.array_equal(found.pop("embedding"), row.pop("embedding"))
    assert found == row


def test_other_settings_are_refused_by_name(tmp_path: Path) -> None:
    begin(tmp_path / "t.csv", 3)
    with pytest.raises(UsageError, match=r"begun with precision f32, now it is bf16.*--overwrite"):
        begin(tmp_path / "t.csv", 3, "resume", {**SETTINGS, "precision": "bf16"})
    begin(tmp_path / "t.csv", 0, "resume")
    assert journal_path(tmp_path / "t.csv").exists()


def test_other_columns_are_refused(tmp_path: Path) -> None:
    begin(tmp_path / "t.csv", 3)
    other = TableSchema(SCHEMA.movements, embedding=True)
    with (
        pytest.raises(UsageError, match="begun with columns"),
        open_journal(tmp_path / "t.csv", other, SETTINGS, "resume"),
    ):
        pass


def test_what_was_begun_is_refused_unless_it_is_resumed_or_overwritten(tmp_path: Path) -> None:
    begin(tmp_path / "t.csv", 3)
    assert not is_complete(tmp_path / "t.csv")
    with pytest.raises(OutputError, match=r"was begun and not finished.*--resume"):
        begin(tmp_path / "t.csv", 1)
    begin(tmp_path / "t.csv", 2, "overwrite", {"other": "settings"})
    with open_journal(tmp_path / "t.csv", SCHEMA, {"other": "settings"}, "resume") as journal:
        assert journal.row_count == 2


def test_two_commands_never_write_one_output(tmp_path: Path) -> None:
    busy = pytest.raises(OutputError, match="another command is writing it")
    with open_journal(tmp_path / "t.csv", SCHEMA, SETTINGS) as journal:
        journal.append(ROWS[0])
        for existing in ("resume", "overwrite"):
            with busy, open_journal(tmp_path / "t.csv", SCHEMA, SETTINGS, existing):
                pass
        journal.append(ROWS[1])
        assert list(journal.rows()) == ROWS[:2]


def test_a_file_that_is_no_journal_is_an_error_that_says_so(tmp_path: Path) -> None:
    journal_path(tmp_path / "t.csv").write_text("my diary, which is longer than a hundred characters " * 9)
    with pytest.raises(OutputError, match=r"t\.csv\.journal: cannot be used .*remove it"):
        begin(tmp_path / "t.csv", 1, "resume")


def test_a_folder_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="its folder does not exist"):
        begin(tmp_path / "nowhere" / "t.csv", 1)
