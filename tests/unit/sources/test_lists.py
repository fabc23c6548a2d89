"""Lists, as text or as tables, lead to images, relative to themselves."""

from __future__ import annotations

import tracemalloc
import unicodedata
from pathlib import Path
from typing import Literal

import pytest

from artnet.sources.find import find_items
from artnet.sources.item import SourceItem
from artnet.sources.lists import resolve
from fixtures.web import HERE, jpeg, serving


def items_in(path: Path, text: str | bytes) -> list[SourceItem]:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return list(find_items([str(path)], HERE))


def names(items: list[SourceItem]) -> list[str]:
    return [item.name for item in items]


def test_a_text_names_one_picture_a_line_relative_to_itself(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/a.jpg").write_bytes(b"A")
    items = items_in(tmp_path / "list.txt", "\ufeffsub/a.jpg\r\n\r\n/abs/b.jpg\nhttps://example.org/c.jpg\n# d.jpg")
    expected = [f"{tmp_path}/sub/a.jpg", "/abs/b.jpg", "https://example.org/c.jpg", f"{tmp_path}/# d.jpg"]
    assert names(items) == expected
    assert items[0].read() == b"A"


@pytest.mark.parametrize("column", ["path", "source", "url", "Filename"])
def test_a_table_names_them_in_a_column(column: str, tmp_path: Path) -> None:
    items = items_in(
        tmp_path / "list.csv", f'style,{column},label,id\nCubism,a.jpg,"One, two",7\nCubism,,x,y\n"x","b\nc.jpg"\n'
    )
    assert names(items) == [f"{tmp_path}/a.jpg", f"{tmp_path}/b\nc.jpg"]
    assert (items[0].label, items[0].id, items[1].label) == ("One, two", "7", None)


def test_a_table_without_a_known_header_is_read_by_its_first_column(tmp_path: Path) -> None:
    assert names(items_in(tmp_path / "l.tsv", "a.jpg\t1\nb.jpg\t2\n")) == [f"{tmp_path}/a.jpg", f"{tmp_path}/b.jpg"]


def test_names_between_zero_bytes_may_hold_newlines_and_any_byte(tmp_path: Path) -> None:
    (tmp_path / "a\nb.jpg").write_bytes(b"A")
    raw = tmp_path / b"\xff.jpg".decode("utf-8", "surrogateescape")
    raw.write_bytes(b"B")
    items = items_in(tmp_path / "list.txt", b"a\nb.jpg\0\xff.jpg\0")
    assert [item.read() for item in items] == [b"A", b"B"]


def test_a_name_with_pattern_characters_means_itself(tmp_path: Path) -> None:
    (tmp_path / "b.jpg").touch()
    assert names(items_in(tmp_path / "list.txt", "*.jpg\n")) == [f"{tmp_path}/*.jpg"]


def test_entries_may_be_folders_and_archives_and_documents(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/a.jpg").touch()
    with serving() as site:
        address = site.put("/manifest", {"type": "Manifest", "items": []})
        items = items_in(tmp_path / "list.txt", f"folder\n{address}\ngone.zip\n{site.put('/b?id=1', jpeg())}\n")
        assert names(items) == [f"{tmp_path}/folder/a.jpg", address, f"{tmp_path}/gone.zip", f"{site.url}/b?id=1"]
        assert [item.error is None for item in items] == [True, False, False, True]
        assert "/b?id=1" not in site.requests


@pytest.mark.parametrize("entry", [".", "..", "/", "./", "file:///", "../..", "sub/.."])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "utf-16-be"])
def test_no_entry_becomes_a_folder_that_holds_the_list(entry: str, encoding: str, tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/a.jpg").touch()
    item, other = items_in(tmp_path / "list.txt", f"{entry}\r\nsub/a.jpg\r\n".encode(encoding))
    assert "name that folder as a source of its own" in str(item.error)
    assert other.name == f"{tmp_path}/sub/a.jpg"


def test_no_entry_of_a_list_in_a_store_becomes_its_folder() -> None:
    import fsspec

    with fsspec.open("memory://lists/deep/a.txt", "wb") as file:
        file.write(b".\n..\nmemory://lists\nb.jpg\n")
    errors = [item.error for item in find_items(["memory://lists/deep/a.txt"])]
    assert [error is None for error in errors] == [False, False, False, True]


@pytest.mark.parametrize(
    "line",
    [
        "sub/\u00e9 b.jpg",
        "sub\\\u00e9 b.jpg",
        "  sub/\u00e9 b.jpg\t ",
        '"sub\\\u00e9 b.jpg"',
        "' sub/\u00e9 b.jpg'",
        "sub/e\u0301 b.jpg",
        "file://FOLDER/sub/%C3%A9%20b.jpg",
        "file://localhostFOLDER/sub/e%CC%81%20b.jpg",
    ],
)
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_a_path_is_found_however_it_is_spelt(line: str, form: Literal["NFC", "NFD"], tmp_path: Path) -> None:
    there = tmp_path / "sub" / unicodedata.normalize(form, "\u00e9 b.jpg")
    there.parent.mkdir()
    there.write_bytes(b"B")
    (item,) = items_in(tmp_path / "list.txt", line.replace("FOLDER", str(tmp_path)))
    assert (item.name, item.read()) == (str(there), b"B")


@pytest.mark.parametrize("name", [" a.jpg", "a.jpg ", "'a.jpg'", "a\\b.jpg", "a%20b.jpg"])
def test_a_file_of_the_very_name_comes_first(name: str, tmp_path: Path) -> None:
    for each in (name, "a.jpg", "a/b.jpg", "a b.jpg"):
        (tmp_path / each).parent.mkdir(exist_ok=True)
        (tmp_path / each).write_bytes(each.encode())
    (item,) = items_in(tmp_path / "list.txt", name)
    assert item.read() == name.encode()


def test_a_list_that_is_no_utf8_is_read_as_windows_1252_and_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "h\u00f6he.jpg").write_bytes(b"A")
    (item,) = items_in(tmp_path / "list.csv", "path,style\nh\u00f6he.jpg,Fl\u00e4chen\n".encode("cp1252"))
    assert (item.read(), item.label) == (b"A", "Fl\u00e4chen")
    assert [record.getMessage() for record in caplog.records] == [
        f"{tmp_path}/list.csv: is not in UTF-8; read as Windows-1252: save it as UTF-8 if letters are wrong"
    ]


def test_a_name_of_other_bytes_than_its_letters_is_found(tmp_path: Path) -> None:
    raw = tmp_path / b"h\xf6he.jpg".decode("utf-8", "surrogateescape")
    raw.write_bytes(b"A")
    assert [item.read() for item in items_in(tmp_path / "list.txt", b"h\xf6he.jpg\n")] == [b"A"]


def test_a_list_within_a_list_is_refused(tmp_path: Path) -> None:
    (item, other) = items_in(tmp_path / "list.txt", "list.txt\na.jpg\n")
    assert "list within a list" in str(item.error)
    assert other.error is None


@pytest.mark.parametrize("text", ["", "\n \n", "path,style\n"])
def test_an_empty_list_is_an_error(text: str, tmp_path: Path) -> None:
    (item,) = items_in(tmp_path / "list.csv", text)
    assert item.error is not None
    assert item.error.kind == "no-images"


@pytest.mark.parametrize("text", [b"a.jpg\n" + b"x" * 2_000_000, b"path\na.jpg\n" + b"x" * 200_000])
def test_a_line_without_end_ends_the_list_with_an_error(text: bytes, tmp_path: Path) -> None:
    items = items_in(tmp_path / ("l.csv" if text.startswith(b"path") else "l.txt"), text)
    assert [item.error is None for item in items] == [True, False]


def test_a_list_in_a_store_names_what_lies_in_the_store() -> None:
    base = "memory://bucket/lists/a.txt"
    assert resolve(base, "x/b.jpg") == "memory://bucket/lists/x/b.jpg"
    assert resolve(base, "../../../c.jpg") == "memory://bucket/c.jpg"
    assert resolve(base, "https://example.org/d.jpg") == "https://example.org/d.jpg"


@pytest.mark.parametrize("target", ["/etc/x.jpg", "file:///etc/x.jpg", "\\x.jpg"])
def test_a_list_in_a_store_names_no_file_of_this_machine(target: str) -> None:
    import fsspec

    with fsspec.open("memory://lists/a.txt", "wb") as file:
        file.write(target.encode())
    (item,) = find_items(["memory://lists/a.txt"])
    assert "names a path of this machine" in str(item.error)


@pytest.mark.parametrize("target", ["ftp://10.0.0.1/a.jpg", "sftp://host/a/", "memory://a::ftp://10.0.0.1/a.jpg"])
def test_a_list_leads_to_no_other_machine_unless_that_is_allowed(target: str, tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text(target)
    (item,) = find_items([str(tmp_path / "list.txt")])
    assert item.error is not None
    assert item.error.kind == "address-refused"


def test_many_lines_cost_no_memory(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("".join(f"https://example.org/{number}.jpg\n" for number in range(5_000)))
    items = find_items([str(tmp_path / "list.txt")])
    next(items)
    tracemalloc.start()
    count = sum(1 for _ in items)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 4_999
    assert peak < 300_000
