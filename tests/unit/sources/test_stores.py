"""Stores are read through fsspec: folders, patterns, files and archives in them, with one sentence for what fails."""

from __future__ import annotations

import sys
import zipfile
from io import BytesIO

import fsspec
import pytest

from artnet.imaging.decode import Limits
from artnet.sources.find import find_items, holds_many
from artnet.sources.item import SourceItem, SourceRules
from artnet.sources.stores import is_stored, join, stamp, without_local_scheme
from fixtures.archives import packed_tar as tar_of


def put(address: str, data: bytes = b"picture") -> str:
    with fsspec.open(address, "wb") as file:
        file.write(data)
    return address


def items_in(*sources: str, rules: SourceRules | None = None) -> list[SourceItem]:
    return list(find_items(sources, rules or SourceRules()))


def names(items: list[SourceItem]) -> list[str]:
    return [item.name for item in items]


def test_a_folder_gives_the_pictures_below_it_sorted(store: str) -> None:
    for name in ("b/2.png", "b/10.png", "c.jpg", "a.jpg", "notes.txt", "b/inner/deep.webp"):
        put(f"{store}/x/{name}")
    expected = [f"{store}/x/{name}" for name in ("a.jpg", "c.jpg", "b/10.png", "b/2.png", "b/inner/deep.webp")]
    assert names(items_in(f"{store}/x")) == names(items_in(f"{store}/x/")) == expected
    assert [item.read() for item in items_in(f"{store}/x")] == [b"picture"] * 5


def test_a_pattern_gives_the_files_that_match(store: str) -> None:
    for name in ("a1.jpg", "a2.jpg", "b1.jpg", "sub/a3.jpg"):
        put(f"{store}/{name}")
    assert names(items_in(f"{store}/a*.jpg")) == [f"{store}/a1.jpg", f"{store}/a2.jpg"]
    assert names(items_in(f"{store}/**/*.jpg"))[-1] == f"{store}/sub/a3.jpg"
    assert "matches no file" in str(items_in(f"{store}/*.png")[0].error)


def test_archives_lists_and_tables_are_read_where_they_lie(store: str) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    file, table = BytesIO(), BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.jpg", b"zipped")
    pq.write_table(pa.table({"image": [b"row"]}), table)
    put(f"{store}/a.zip", file.getvalue())
    put(f"{store}/a.tar", tar_of({"a.jpg": b"tarred"}))
    put(f"{store}/a.parquet", table.getvalue())
    put(f"{store}/x/b.jpg", b"listed")
    put(f"{store}/a.txt", b"x/b.jpg\n")
    items = items_in(*(f"{store}/a.{ending}" for ending in ("zip", "tar", "parquet", "txt")))
    assert [item.read() for item in items] == [b"zipped", b"tarred", b"row", b"listed"]
    assert items[3].name == f"{store}/x/b.jpg"


def test_what_is_missing_is_told(store: str) -> None:
    (folder, file) = items_in(f"{store}/gone", f"{store}/gone.jpg")
    assert "no such file or folder" in str(folder.error)
    with pytest.raises(Exception, match="no such file or folder"):
        file.read()


def test_a_file_over_the_budget_is_refused(store: str) -> None:
    (item,) = items_in(put(f"{store}/a.jpg", bytes(100)))
    with pytest.raises(Exception, match="over the limit"):
        item.read(SourceRules(Limits(size_bytes=99)))


def test_a_store_without_its_package_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "adlfs", None)
    (item,) = items_in("az://bucket/folder/")
    assert item.error is not None
    assert item.error.kind == "missing-extra"
    assert "adlfs" in str(item.error)


@pytest.mark.parametrize("ending", ["zip", "tar", "tar.gz", "parquet", "csv", "json"])
def test_a_store_that_raises_what_nobody_knows_costs_its_source_alone(
    ending: str, store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class OddError(Exception):
        pass

    def refuse(*_: object) -> bytes:
        raise OddError("payload is not complete")

    put(f"{store}/a.{ending}")
    put(f"{store}/b.jpg")
    monkeypatch.setattr("fsspec.implementations.memory.MemoryFile.read", refuse)
    monkeypatch.setattr("fsspec.implementations.memory.MemoryFile.seek", refuse)
    first, second = items_in(f"{store}/a.{ending}", f"{store}/b.jpg")
    assert "payload is not complete" in str(first.error)
    assert second.error is None


@pytest.mark.parametrize("address", ["nothing-like-it://a/b", "zip://a.jpg::memory://x.zip", "memory://"])
def test_an_address_that_leads_nowhere_is_told(address: str, store: str) -> None:
    (item,) = items_in(address)
    assert item.error is not None
    assert str(item.error).startswith(address)


def test_addresses_are_told_from_names() -> None:
    assert is_stored("s3://a/b") and is_stored("gs://a") and is_stored("hf://datasets/a/b")
    assert not any(map(is_stored, ["https://a/b", "HTTP://a", "C:/a.jpg", "C://a.jpg", "a.jpg", "://", "a/b://c"]))
    assert without_local_scheme("file:///a/b.jpg") == "/a/b.jpg"


def test_a_stored_picture_is_one_and_a_folder_may_be_many() -> None:
    assert not holds_many("s3://a/b.jpg")
    assert holds_many("s3://a/b") and holds_many("s3://a/*.jpg") and holds_many("s3://a/b.zip")


def test_joining_never_climbs_out_of_a_bucket() -> None:
    assert join("s3://bucket/a.txt", "../../../other/x.jpg") == "s3://bucket/other/x.jpg"
    assert join("s3://bucket/x/a.txt", "/y/./b.jpg") == "s3://bucket/x/y/b.jpg"


def test_a_stamp_changes_with_the_file(store: str) -> None:
    before = stamp(put(f"{store}/a.jpg", b"1"))
    assert before[0] == 1
    assert before == stamp(f"{store}/a.jpg")
    assert before != stamp(put(f"{store}/a.jpg", b"2"))
