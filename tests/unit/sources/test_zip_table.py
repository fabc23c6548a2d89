"""The table of a zip archive is read as Python's own module reads it, without being kept."""

from __future__ import annotations

import struct
import tracemalloc
import zipfile
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from artnet.sources.find import find_items
from artnet.sources.zip_table import find_table, members_of, overlapping
from fixtures.archives import Onwards
from fixtures.archives import packed_zip as packed


def listed(data: bytes) -> list[tuple[object, ...]]:
    file = BytesIO(data)
    return [
        (m.name, m.offset, m.packed_bytes, m.size_bytes, m.method, m.crc, m.flags)
        for m in members_of(file, find_table(file))
    ]


def by_python(data: bytes) -> list[tuple[object, ...]]:
    with zipfile.ZipFile(BytesIO(data)) as archive:
        return [
            (i.filename, i.header_offset, i.compress_size, i.file_size, i.compress_type, i.CRC, i.flag_bits)
            for i in archive.infolist()
        ]


names = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=30)


@given(st.dictionaries(names, st.binary(max_size=40), max_size=8), st.booleans(), st.binary(max_size=20))
@settings(deadline=None, max_examples=150)
def test_every_entry_is_what_python_reads(works: dict[str, bytes], piped: bool, before: bytes) -> None:
    data = packed(works, piped=piped)
    assert listed(data) == by_python(data)
    assert listed(before + data) == by_python(before + data)  # as behind a program that unpacks itself


def test_a_comment_at_the_end_is_passed_over() -> None:
    file = BytesIO(packed({"a.jpg": b"1"}))
    with zipfile.ZipFile(file, "a") as archive:
        archive.comment = b"made in Paris" * 3000
    assert listed(file.getvalue()) == by_python(file.getvalue())


def test_large_archives_have_a_long_end_and_wide_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 100)
    monkeypatch.setattr(zipfile, "ZIP_FILECOUNT_LIMIT", 2)
    data = packed({f"{number}.jpg": bytes(500) for number in range(5)}, zipfile.ZIP_STORED)
    assert b"PK\x06\x06" in data
    assert listed(data) == by_python(data)
    assert listed(data)[4][2:4] == (500, 500)


def test_more_entries_than_a_block_holds_are_read() -> None:
    data = packed({f"{'long' * 50}/{number}.jpg": b"" for number in range(3000)})
    assert listed(data) == by_python(data)


@pytest.mark.parametrize("data", [b"", b"PK\x05\x06", b"PK\x05\x06" + b"\xff" * 18, b"x" * 100_000])
def test_what_has_no_table_is_refused(data: bytes) -> None:
    with pytest.raises(zipfile.BadZipFile):
        listed(data)


def test_a_table_that_declares_more_entries_than_it_has_is_refused() -> None:
    data = bytearray(packed({"a.jpg": b"1"}))
    struct.pack_into("<H", data, data.rindex(b"PK\x05\x06") + 10, 2)
    with pytest.raises(zipfile.BadZipFile, match="breaks off"):
        listed(bytes(data))


def test_members_that_follow_each_other_do_not_overlap() -> None:
    data = packed({"a.jpg": b"1", "b.jpg": b"", "c.jpg": b"3" * 99}, zipfile.ZIP_STORED)
    file = BytesIO(data)
    assert overlapping(members_of(file, find_table(file))) == frozenset()


def test_many_members_cost_little_memory(tmp_path: Path) -> None:
    file = Onwards()
    with zipfile.ZipFile(file, "w") as archive:
        for number in range(5000):
            archive.writestr(f"folder/{number}.jpg", b"")
    (tmp_path / "all.zip").write_bytes(file.getvalue())
    next(find_items([str(tmp_path / "all.zip")]))
    pictures = find_items([str(tmp_path / "all.zip")])
    tracemalloc.start()
    count = sum(1 for _ in pictures)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 5000
    assert peak < 7_000_000  # four of them the filter for names, the rest does not grow
