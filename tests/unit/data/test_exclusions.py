"""A table of paintings to leave out is read by its header, and what is wrong in it is named by its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from artnet.data.exclusions import read_exclusions
from artnet.errors import DataError, SourceError

ID = "0" * 63 + "a"


def table(folder: Path, text: str) -> Path:
    path = folder / "suspects.csv"
    path.write_bytes(text.encode())
    return path


def test_paintings_are_named_by_id_whatever_else_the_table_says(tmp_path: Path) -> None:
    found = read_exclusions(table(tmp_path, f"\ufeffsource,ID,title\r\nmuseum/a.jpg,{ID.upper()},Nude\r\n"))
    assert found.line_of(ID, "elsewhere/b.jpg") == 2
    assert found.line_of("0" * 64, "museum/a.jpg") is None


def test_without_ids_they_are_named_by_source(tmp_path: Path) -> None:
    found = read_exclusions(table(tmp_path, 'title,source\n"two\nlines",museum/a.jpg\n\n,museum/b.jpg\n'))
    assert found.line_of(ID, "museum/a.jpg") == 3
    assert found.line_of(ID, "museum/b.jpg") == 5


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "line 1: has neither a column 'id' nor 'source'.*names nothing"),
        ("sep=;\nname;title\n", "line 2: .*names name, title"),
        (f"id,title\n{ID},A\n,B\n", r"suspects\.csv, line 3: its id is empty; fill it in or delete the line"),
        (f"id\n{ID}\nmuseum/a.jpg\n", "line 3: the id 'museum/a.jpg' is not the SHA-256"),
        ("title,source\nA\n", "line 2: its source is empty"),
    ],
)
def test_what_is_wrong_is_named_by_its_line(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=message):
        read_exclusions(table(tmp_path, text))


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_a_table_that_was_edited_in_a_spreadsheet_is_read(encoding: str, separator: str, tmp_path: Path) -> None:
    path = tmp_path / "suspects.csv"
    path.write_bytes(f"title{separator}source\r\nA{separator}C\u00e9zanne.jpg\r\n".encode(encoding))
    assert read_exclusions(path).line_of(ID, "Ce\u0301zanne.jpg") == 2


def test_a_table_cut_within_a_letter_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "suspects.csv"
    path.write_bytes("source\nC\u00e9zanne.jpg\n".encode("utf-16")[:-1])
    with pytest.raises(DataError, match="save it as CSV in UTF-8"):
        read_exclusions(path)


def test_a_table_that_is_not_there_is_a_missing_source(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no such file"):
        read_exclusions(tmp_path / "suspects.csv")
