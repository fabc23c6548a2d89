"""A zip archive yields its images without being unpacked; a member that is damaged costs itself alone."""

from __future__ import annotations

import os
import pickle
import struct
import tracemalloc
import zipfile
import zlib
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from artnet.errors import CorruptImageError, TooLargeError
from artnet.imaging.decode import Limits
from artnet.sources.find import find_items
from artnet.sources.item import SourceRules
from artnet.sources.zip import ZipMember
from fixtures.archives import packed_zip as packed
from fixtures.sources import items_in, kinds

WORKS = {"a.jpg": b"A" * 500, "x/b.png": os.urandom(3000), "notes.txt": b"none", "x/c.tif": b"C" * 9000}


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2])
def test_members_are_read_in_the_archives_order_however_they_are_packed(method: int, tmp_path: Path) -> None:
    path = tmp_path / "all.zip"
    items = items_in(path, packed(WORKS, method))
    assert [item.name for item in items] == [f"{path}/{name}" for name in ("a.jpg", "x/b.png", "x/c.tif")]
    assert [pickle.loads(pickle.dumps(item)).read() for item in items] == [
        data for name, data in WORKS.items() if name != "notes.txt"
    ]


def test_a_long_name_and_extra_field_move_the_bytes(tmp_path: Path) -> None:
    name = "very/" * 400 + "deep.jpg"
    (item,) = items_in(tmp_path / "deep.zip", packed({name: b"picture"}))
    assert item.read() == b"picture"


@pytest.mark.parametrize("name", ["../../x.jpg", "/etc/x.jpg", "a\nb.jpg", "..\\x.jpg", "naïve.jpg"])
def test_a_name_is_only_a_name(name: str, tmp_path: Path) -> None:
    (item,) = items_in(tmp_path / "all.zip", packed({name: b"picture"}))
    assert item.name == f"{tmp_path}/all.zip/{name}"
    assert item.read() == b"picture"
    assert [path.name for path in tmp_path.iterdir()] == ["all.zip"]


def test_what_is_hidden_and_what_macos_adds_is_passed_over(tmp_path: Path) -> None:
    works = {"__MACOSX/a.jpg": b"1", ".hidden/b.jpg": b"2", "x/._c.jpg": b"3", "x/c.jpg": b"4"}
    (item,) = items_in(tmp_path / "all.zip", packed(works))
    assert item.read() == b"4"


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_members_of_one_name_are_two_pictures_of_two_names(tmp_path: Path) -> None:
    file = BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.jpg", b"first")
        archive.writestr("a.jpg", b"second")
    first, second = items_in(tmp_path / "all.zip", file.getvalue())
    assert (first.read(), second.read()) == (b"first", b"second")
    assert second.name == f"{first.name}#1"


def test_a_bomb_that_declares_its_size_is_refused_unread(tmp_path: Path) -> None:
    items = items_in(tmp_path / "b.zip", packed({"a.jpg": bytes(10**7)}))
    assert kinds(items, SourceRules(Limits(size_bytes=10**6))) == ["too-large"]


def test_a_bomb_that_lies_about_its_size_is_unpacked_no_further(tmp_path: Path) -> None:
    data = bytearray(packed({"a.jpg": bytes(10**7)}))
    table = data.index(b"PK\x01\x02")
    struct.pack_into("<I", data, table + 24, 100)
    (item,) = items_in(tmp_path / "b.zip", bytes(data))
    with pytest.raises(CorruptImageError, match="not what its archive declares"):
        item.read()


def test_members_that_overlap_are_refused(tmp_path: Path) -> None:
    data = bytearray(packed({"a.jpg": b"x" * 4000, "b.jpg": b"y" * 4000}, zipfile.ZIP_STORED))
    second = data.index(b"PK\x01\x02", data.index(b"PK\x01\x02") + 4)
    struct.pack_into("<I", data, second + 42, 100)
    assert kinds(items_in(tmp_path / "b.zip", bytes(data))) == ["read", "missing"]


def test_an_archive_within_an_archive_is_not_opened(tmp_path: Path) -> None:
    (item,) = items_in(tmp_path / "outer.zip", packed({"inner.zip": packed(WORKS)}))
    assert item.error is not None
    assert item.error.kind == "no-images"


def test_an_encrypted_member_is_told_and_the_others_are_read(tmp_path: Path) -> None:
    data = bytearray(packed({"a.jpg": b"1", "b.jpg": b"2"}))
    struct.pack_into("<H", data, data.index(b"PK\x01\x02") + 8, 1)
    items = items_in(tmp_path / "all.zip", bytes(data))
    assert kinds(items) == ["missing", "read"]
    assert "encrypted" in str(items[0].error)


def test_a_damaged_member_is_told_and_the_others_are_read(tmp_path: Path) -> None:
    data = bytearray(packed({"a.jpg": b"1" * 50, "b.jpg": b"2"}, zipfile.ZIP_STORED))
    data[data.index(b"1111")] = 0
    assert kinds(items_in(tmp_path / "all.zip", bytes(data))) == ["corrupt", "read"]


def test_an_empty_member_is_an_empty_picture(tmp_path: Path) -> None:
    assert kinds(items_in(tmp_path / "all.zip", packed({"a.jpg": b""}))) == ["empty"]


@pytest.mark.parametrize("share", [0.3, 0.99])
def test_an_archive_cut_short_is_one_clear_error(share: float, tmp_path: Path) -> None:
    data = packed({f"{number}.jpg": os.urandom(1000) for number in range(5)})
    (item,) = items_in(tmp_path / "cut.zip", data[: int(len(data) * share)])
    assert item.name == f"{tmp_path}/cut.zip"
    assert "it was cut short or damaged, download it again" in str(item.error)


def name_in(path: Path, data: bytes, encoding: str = "cp437") -> str:
    (item,) = items_in(path, data, SourceRules(zip_encoding=encoding))
    assert item.read() == b"x"
    return item.name.removeprefix(f"{path}/")


def test_a_name_that_is_not_in_the_utf8_that_it_declares_costs_nothing(tmp_path: Path) -> None:
    data = packed({"\u00e9.jpg": b"x", "\u00fc.jpg": b"y"}).replace(b"\xc3\xa9", b"\xc3\xff")
    items = items_in(tmp_path / "all.zip", data)
    assert [item.name for item in items] == [f"{tmp_path}/all.zip/{name}.jpg" for name in ("\u251c\u00a0", "\u00fc")]
    assert kinds(items) == ["read", "read"]


def unflagged(name: bytes, extra: bytes = b"") -> bytes:
    """Pack a member whose name is these bytes, without a word on their encoding, as stock `zip -r` does."""
    file = BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        member = zipfile.ZipInfo("x" * len(name))
        member.extra = extra
        archive.writestr(member, b"x")
    return file.getvalue().replace(b"x" * len(name), name)


@pytest.mark.parametrize(
    "name", ["andr\u00e9.jpg", "andre\u0301.jpg", "\u8461\u98fe.jpg", "\u0418\u0432\u0430\u043d.jpg"]
)
def test_a_name_that_is_utf8_without_saying_so_is_read_as_such(name: str, tmp_path: Path) -> None:
    assert name_in(tmp_path / "all.zip", unflagged(name.encode())) == name


@pytest.mark.parametrize(
    ("name", "encoding"),
    [("andr\u00e9.jpg", "cp437"), ("\u8461\u98fe.jpg", "cp932"), ("\u0418\u0432\u0430\u043d.jpg", "cp866")],
)
def test_a_name_in_an_old_encoding_is_read_by_the_one_that_is_named(name: str, encoding: str, tmp_path: Path) -> None:
    assert name_in(tmp_path / "all.zip", unflagged(name.encode(encoding)), encoding) == name


def test_a_name_that_cannot_be_in_the_named_encoding_is_in_code_page_437(tmp_path: Path) -> None:
    assert name_in(tmp_path / "all.zip", unflagged(b"\xff\x81.jpg"), "ascii") == "\u00a0\u00fc.jpg"


@pytest.mark.parametrize("of", [b"?????.jpg", b"other.jpg"])
def test_the_field_for_a_name_in_utf8_counts_where_it_is_of_that_name(of: bytes, tmp_path: Path) -> None:
    content = struct.pack("<BI", 1, zlib.crc32(of)) + "Ren\u00e9e.jpg".encode()
    field = struct.pack("<HHB", 0x5455, 1, 0) + struct.pack("<HH", 0x7075, len(content)) + content
    expected = "Ren\u00e9e.jpg" if of == b"?????.jpg" else "?????.jpg"
    assert name_in(tmp_path / "all.zip", unflagged(b"?????.jpg", field)) == expected


def test_a_member_packed_by_a_method_that_is_not_read_is_told(tmp_path: Path) -> None:
    (item,) = items_in(tmp_path / "all.zip", packed(WORKS | {"y.jpg": b"y"}, zipfile.ZIP_LZMA))[-1:]
    assert "is packed by method 14, which is not read; pack it by deflate" in str(item.error)


def test_an_archive_with_long_numbers_and_a_program_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 100)
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 2)
    works = {f"{number}.jpg": os.urandom(500) for number in range(5)}
    data = packed(works, zipfile.ZIP_STORED)
    assert b"PK\x06\x06" in data
    assert [item.read() for item in items_in(tmp_path / "all.zip", b"#!/bin/sh" + data)] == list(works.values())


def test_sizes_that_stand_behind_the_members_are_read(tmp_path: Path) -> None:
    items = items_in(tmp_path / "piped.zip", packed(WORKS, piped=True))
    assert kinds(items) == ["read"] * 3


def test_members_that_follow_each_other_do_not_overlap(tmp_path: Path) -> None:
    works = {"a.jpg": b"1", "b.jpg": b"2" * 99, "c.jpg": b"3"}
    assert kinds(items_in(tmp_path / "all.zip", packed(works, zipfile.ZIP_STORED))) == ["read"] * 3


def test_a_member_costs_less_than_two_kilobytes_of_memory(tmp_path: Path) -> None:
    path = tmp_path / "all.zip"
    path.write_bytes(packed({f"folder/{number}.jpg": b"" for number in range(1000)}))
    tracemalloc.start()
    count = sum(1 for _ in find_items([str(path)]))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 1000
    assert peak < 2_000_000


@pytest.mark.parametrize("data", [b"", b"no archive", b"PK\x03\x04", b"PK\x05\x06" + bytes(18)])
def test_what_is_no_archive_is_an_error(data: bytes, tmp_path: Path) -> None:
    assert len(items_in(tmp_path / "bad.zip", data)) == 1
    assert kinds(items_in(tmp_path / "bad.zip", data))[0] in ("missing", "no-images")


def test_a_member_is_read_no_matter_what_becomes_of_the_table(tmp_path: Path) -> None:
    (item, *_) = items_in(tmp_path / "all.zip", packed({"a.jpg": b"A"}))
    assert isinstance(item.location, ZipMember)
    (tmp_path / "all.zip").write_bytes(b"something else")
    with pytest.raises(CorruptImageError):
        item.read()


def test_a_member_over_the_budget_is_refused_by_its_packed_size_too() -> None:
    location = ZipMember("nowhere.zip", 0, 10**9, 10, zipfile.ZIP_STORED, 0)
    with pytest.raises(TooLargeError):
        location.read("item", SourceRules())


@given(st.integers(0, 2000), st.binary(max_size=4), st.booleans(), st.booleans())
@settings(deadline=None, max_examples=80)
def test_an_archive_damaged_anywhere_raises_nothing_else(at: int, new: bytes, cut: bool, piped: bool) -> None:
    path = Path(os.environ["XDG_CACHE_HOME"]) / "fuzz.zip"
    data = packed({"a.jpg": b"A" * 500, "b.jpg": os.urandom(500)}, piped=piped)
    at %= len(data)
    for item in items_in(path, data[:at] + new + (b"" if cut else data[at + len(new) :])):
        kinds([item])
