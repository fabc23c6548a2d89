"""Tables and lists are read in the encodings, separators and headers that spreadsheets and shells write."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from artnet.errors import NoImagesError
from artnet.sources.tables import PATH_COLUMNS, open_text, table_rows

ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252")


def rows(path: Path, text: str, encoding: str = "utf-8") -> list[dict[str, str]]:
    path.write_bytes(text.encode(encoding))
    return list(table_rows(str(path)))


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("name", ["list.csv", "list.tsv", "list.txt"])
def test_every_encoding_and_separator_gives_the_same_rows(
    name: str, separator: str, encoding: str, tmp_path: Path
) -> None:
    text = f"Style{separator}File Name\r\nR\u00e9alisme{separator}\u00e9.jpg\r\n"
    (row,) = rows(tmp_path / name, text, encoding)
    assert (row["path"], row["style"]) == ("\u00e9.jpg", "R\u00e9alisme")


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-16"])
def test_names_in_utf_16_are_not_taken_for_names_between_zeros(encoding: str, tmp_path: Path) -> None:
    assert rows(tmp_path / "l.txt", "\u4e00\u0100.jpg\r\na.jpg\r\n", encoding) == [
        {"path": "\u4e00\u0100.jpg"},
        {"path": "a.jpg"},
    ]


@given(st.lists(st.text(st.characters(exclude_characters="\0", codec="utf-8"), min_size=3, max_size=12), min_size=1))
def test_names_between_zeros_are_kept_to_the_letter(names: list[str]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        found = rows(Path(folder) / "list.txt", "".join(f"{name}\0" for name in names))
    assert [row["path"] for row in found if row["path"]] == names


@pytest.mark.parametrize("first", ["sep=;", '"sep=;"', "SEP=;"])
def test_the_separator_that_excel_names_counts(first: str, tmp_path: Path) -> None:
    text = f'{first}\r\npath;label\r\n"a;b.jpg";"x, y"\r\n'
    assert rows(tmp_path / "l.csv", text) == [{"path": "a;b.jpg", "label": "x, y"}]


@pytest.mark.parametrize("header", ["path", "FILE", "file_name", "Image Path", "image.path", "ImageURL", "FullName"])
def test_a_header_alone_is_no_image_in_a_text(header: str, tmp_path: Path) -> None:
    assert rows(tmp_path / "l.txt", f"{header}\na.jpg\n") == [{"path": "a.jpg"}]


@pytest.mark.parametrize("first", ["image/", "./image", "file:///", "image.jpg"])
def test_a_path_that_resembles_a_header_is_a_path(first: str, tmp_path: Path) -> None:
    assert rows(tmp_path / "l.txt", f"{first}\na.jpg\n") == [{"path": first}, {"path": "a.jpg"}]


@pytest.mark.parametrize("column", PATH_COLUMNS)
def test_a_column_of_images_is_found_under_each_name_wherever_it_stands(column: str, tmp_path: Path) -> None:
    (row,) = rows(tmp_path / "l.csv", f"id,{column.upper()},style\n7,x,Cubism\n")
    assert (row["path"], row["id"], row["style"]) == ("x", "7", "Cubism")


def test_of_two_such_columns_the_one_that_looks_like_images_counts(tmp_path: Path) -> None:
    (row,) = rows(tmp_path / "l.csv", "image,source,file_name\n17,Wikipedia,a.jpg\n")
    assert row["path"] == "a.jpg"


def test_headers_in_another_language_are_no_images(tmp_path: Path) -> None:
    (row,) = rows(tmp_path / "l.csv", "Stil;Bild\nKubismus;a.jpg\n")
    assert row == {"stil": "Kubismus", "bild": "a.jpg", "path": "a.jpg"}


def test_without_a_header_every_row_is_an_image(tmp_path: Path) -> None:
    found = rows(tmp_path / "l.csv", "Cubism;a.jpg\nRealism;b.jpg\n")
    assert found == [{"path": "a.jpg"}, {"path": "b.jpg"}]


def test_columns_without_images_are_told(tmp_path: Path) -> None:
    with pytest.raises(NoImagesError, match=r"none of its columns \(title, year\) holds images"):
        rows(tmp_path / "l.csv", "title,year\nClown,1919\n")


def test_a_table_of_powershell_is_read(tmp_path: Path) -> None:
    text = '#TYPE System.IO.FileInfo\r\n"Mode","FullName","Length"\r\n"-a----","C:\\x\\a.jpg","9"\r\n'
    (row,) = rows(tmp_path / "l.csv", text, "utf-16")
    assert row["path"] == "C:\\x\\a.jpg"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_end_as_on_every_system(end: str, tmp_path: Path) -> None:
    for name in ("l.txt", "l.csv"):
        assert rows(tmp_path / name, f"path{end}a.jpg{end}b.jpg") == [{"path": "a.jpg"}, {"path": "b.jpg"}]


def test_json_lines_are_objects_or_paths(tmp_path: Path) -> None:
    text = '{"file_name": "a.jpg", "label": 3, "more": null}\n\n"b.jpg"\n{"label": 4}\n'
    assert rows(tmp_path / "l.jsonl", text) == [
        {"filename": "a.jpg", "label": "3", "more": "", "path": "a.jpg"},
        {"path": ""},
        {"path": "b.jpg"},
        {"label": "4", "path": ""},
    ]


@pytest.mark.parametrize("line", ["[1]", "{", "7"])
def test_a_line_that_is_no_object_is_an_error(line: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"line 2|Expecting"):
        rows(tmp_path / "l.jsonl", f'"a.jpg"\n{line}\n')


@pytest.mark.parametrize("encoding", ENCODINGS[:-1])
def test_an_encoding_that_is_certain_is_not_told(
    encoding: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "l.txt").write_bytes("h\u00f6he.jpg".encode(encoding))
    with open_text(str(tmp_path / "l.txt")) as text:
        assert text.read() == "h\u00f6he.jpg"
    assert not caplog.records
