"""A collection's files are listed alike, wherever they lie."""

from __future__ import annotations

import zipfile
from pathlib import Path

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem

from artnet.data.catalog import RecordReader
from artnet.data.readers.detect import read_catalog
from artnet.errors import ArtNetError, DataError
from artnet.sources.find import find_items
from artnet.sources.item import SourceRules
from fixtures.archives import packed_tar as packed
from fixtures.archives import packed_zip
from fixtures.collections import (
    WORKS,
    draw_csv,
    draw_huggingface,
    draw_painter_by_numbers,
    draw_style_folders,
    draw_wikiart,
    upload,
)

DRAWERS = {
    "painter-by-numbers": lambda folder: draw_painter_by_numbers(folder, WORKS),
    "painter-by-numbers zipped": lambda folder: draw_painter_by_numbers(folder, WORKS, zipped=True),
    "wikiart": lambda folder: draw_wikiart(folder, WORKS),
    "folders": lambda folder: draw_style_folders(folder, WORKS),
    "csv": lambda folder: draw_csv(folder, WORKS).parent,
    "huggingface": lambda folder: draw_huggingface(folder, WORKS),
}


@pytest.mark.parametrize("layout", DRAWERS)
def test_a_collection_in_a_store_is_read_as_it_is_here(layout: str, store: str, tmp_path: Path) -> None:
    folder = DRAWERS[layout](tmp_path / "mine")
    here, there = read_catalog(folder), read_catalog(upload(folder, f"{store}/mine"))
    assert (here.name, here.kind) == (there.name, there.kind)
    words = [(record.source, record.style, record.artist, record.title) for record in here.records]
    assert words == [(record.source, record.style, record.artist, record.title) for record in there.records]
    with RecordReader() as reader:
        assert [reader.read(record) for record in here.records] == [reader.read(record) for record in there.records]


SEEN = {"Cubism/1.jpg": b"1", "Cubism/2.TIF": b"2", "Realism/x/3.png": b"3", "Realism/4.jpg": b"4"}
PASSED_OVER = (
    *("Cubism/._1.jpg", "Cubism/.hidden.jpg", ".thumbs/Cubism/1.jpg", "__MACOSX/Cubism/1.jpg", "Realism/.x/3.png"),
    *("Cubism/notes.txt", "Cubism/1.jpg.part"),
)


def lay_out(where: str, folder: Path, address: str) -> str:
    """Write the same files into a folder, an archive or a store and return where they lie."""
    files = {**SEEN, **dict.fromkeys(PASSED_OVER, b"none")}
    if where.startswith("mine."):
        data = packed_zip(files) if where.endswith("zip") else packed(files, where.removeprefix("mine"))
        (folder / where).write_bytes(data)
        return str(folder / where)
    for name, content in files.items():
        (folder / "mine" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "mine" / name).write_bytes(content)
    return upload(folder / "mine", f"{address}/mine") if where == "store" else str(folder / "mine")


@pytest.mark.parametrize("where", ["folder", "store", "mine.zip", "mine.tar"])
def test_classify_and_prepare_see_the_same_files(where: str, store: str, tmp_path: Path) -> None:
    source = lay_out(where, tmp_path, store)
    items = list(find_items([source]))
    catalog = read_catalog(source, "folders")
    assert sorted(item.name.removeprefix(f"{source}/") for item in items) == sorted(SEEN)
    assert {record.location for record in catalog.records} == {item.location for item in items}
    assert [record.source.removeprefix(f"{catalog.name}/") for record in catalog.records] == sorted(SEEN)


@pytest.mark.parametrize("name", ["mine.zip", "mine.tar"])
def test_an_archive_in_a_store_is_a_collection(name: str, store: str) -> None:
    members = {f"Cubism/{number}.jpg": b"%d" % number for number in range(3)}
    with fsspec.open(f"{store}/{name}", "wb") as file:
        if name.endswith("tar"):
            file.write(packed(members))
        else:
            with zipfile.ZipFile(file, "w") as archive:
                for member, data in members.items():
                    archive.writestr(member, data)
    catalog = read_catalog(f"{store}/{name}")
    assert (catalog.kind, catalog.name) == ("folders", name)
    with RecordReader() as reader:
        assert [reader.read(record) for record in catalog.records] == [b"0", b"1", b"2"]


def test_a_packed_tar_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "mine.tar.gz").write_bytes(packed({"Cubism/1.jpg": b"1"}, ".tar.gz"))
    with pytest.raises(DataError, match="can only be read sequentially; make it a zip or a plain tar"):
        read_catalog(tmp_path / "mine.tar.gz")


def test_a_tar_that_was_cut_short_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.tar").write_bytes(packed({"Cubism/1.jpg": b"1", "Cubism/2.jpg": b"2"})[:1024])
    with pytest.raises(DataError, match="download it again"):
        read_catalog(tmp_path / "mine.tar")


def test_a_member_that_cannot_be_read_is_an_error_of_its_own(tmp_path: Path) -> None:
    data = packed({"Cubism/1.jpg": b"1" * 50, "Cubism/2.jpg": b"2"})
    (tmp_path / "mine.tar").write_bytes(data)
    large, small = read_catalog(tmp_path / "mine.tar").records
    from artnet.imaging.decode import Limits

    with RecordReader(SourceRules(Limits(size_bytes=10))) as reader:
        assert reader.read(small) == b"2"
        with pytest.raises(ArtNetError):
            reader.read(large)


def test_a_store_that_is_not_there_is_told(store: str) -> None:
    with pytest.raises(ArtNetError, match="no such file or folder"):
        read_catalog(f"{store}/gone")


def test_a_folder_that_cannot_be_listed_is_a_record_with_an_error(store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    list_folder = MemoryFileSystem.ls

    def refuse(system: MemoryFileSystem, path: str, **options: object) -> object:
        if path.endswith("private"):
            raise PermissionError("not yours")
        return list_folder(system, path, **options)

    for name in ("Cubism/1.jpg", "Cubism/private/2.jpg", "private/3.jpg"):
        MemoryFileSystem().pipe(f"{store}/{name}", b"x")
    monkeypatch.setattr(MemoryFileSystem, "ls", refuse)
    records = read_catalog(store, "folders").records
    assert [(record.source, record.style, record.error is None) for record in records] == [
        ("bucket/Cubism/1.jpg", "Cubism", True),
        ("bucket/Cubism/private", "Cubism", False),
        ("bucket/private", "", False),
    ]
