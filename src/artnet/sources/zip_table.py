"""Read the table at the end of a zip archive, entry by entry.

Knows nothing about pictures. Python's own `zipfile` keeps the whole table, 0.7 KB a member: 700 MB for a million.
Layouts: APPNOTE.TXT 6.3.10, https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, sections 4.3.12 to 4.3.16.
"""

from __future__ import annotations

import struct
import zipfile
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np

# What stands before each member: signature, version, flags, method, time, date, sum, packed, size, lengths of the
# name and of the extra field (section 4.3.7).
HEADER = struct.Struct("<4s5H3I2H")
_ENTRY = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")
_END_64_AT = struct.Struct("<4sIQI")
_END_64 = struct.Struct("<4sQ2H2I4Q")
_LONGEST_COMMENT = 2**16
_BLOCK = 2**18
_UTF8 = 0x800
_WIDE = 0xFFFFFFFF  # stands where a number does not fit, and is found in the extra field


@dataclass(frozen=True, slots=True)
class Member:
    """A member as its header or its entry describes it; `offset` is the header's."""

    name: str
    offset: int
    packed_bytes: int
    size_bytes: int
    method: int
    crc: int
    flags: int


@dataclass(frozen=True)
class Table:
    """Where a table lies, how many entries it has, and how far the archive stands behind its file's beginning."""

    start: int
    end: int
    entries: int
    shift: int


def find_table(file: BinaryIO) -> Table:
    """Find the table from the archive's end. Errors: `zipfile.BadZipFile` where there is none."""
    length = file.seek(0, 2)
    file.seek(max(0, length - _END.size - _LONGEST_COMMENT))
    tail = file.read(_END.size + _LONGEST_COMMENT)
    found = tail.rfind(b"PK\x05\x06")
    if found < 0 or len(tail) - found < _END.size:
        raise zipfile.BadZipFile("there is no table at its end")
    position = length - len(tail) + found
    _, _, _, _, entries, size, offset, _ = _END.unpack_from(tail, found)
    file.seek(max(0, position - _END_64_AT.size))
    pointer = file.read(_END_64_AT.size)
    if pointer[:4] == b"PK\x06\x07":
        position -= _END_64_AT.size + _END_64.size
        file.seek(max(0, position))
        raw = file.read(_END_64.size)
        if len(raw) < _END_64.size or raw[:4] != b"PK\x06\x06":
            raise zipfile.BadZipFile("its table's long end is broken")
        entries, size, offset = _END_64.unpack(raw)[7:]
    shift = position - size - offset
    if shift < 0:
        raise zipfile.BadZipFile("its table begins before the archive")
    return Table(position - size, position, entries, shift)


def members_of(file: BinaryIO, table: Table) -> Iterator[Member]:
    """Give the members that a table lists, in its order. Errors: `zipfile.BadZipFile` where it breaks off."""
    file.seek(table.start)
    left, buffer, at = table.end - table.start, b"", 0
    for _ in range(table.entries):
        while len(buffer) - at < _ENTRY.size or len(buffer) - at < _ENTRY.size + sum(_lengths(buffer, at)):
            block = file.read(min(_BLOCK, left))
            if not block:
                raise zipfile.BadZipFile("its table breaks off")
            buffer, at, left = buffer[at:] + block, 0, left - len(block)
        member, at = _member(buffer, at, table.shift)
        yield member


def overlapping(members: Iterator[Member]) -> frozenset[int]:
    """Give the offsets of members into which an earlier one reaches: so a small archive can unpack to any size.

    Fifield, "A better zip bomb", USENIX WOOT 2019. Costs 16 bytes a member.
    """
    offsets, ends = array("Q"), array("Q")
    for member in members:
        offsets.append(member.offset)
        ends.append(member.offset + HEADER.size + member.packed_bytes)
    begins = np.asarray(offsets)
    order = np.argsort(begins, kind="stable")
    begins = begins[order]
    return frozenset(begins[1:][np.asarray(ends)[order][:-1] > begins[1:]].tolist())


def wide(extra: bytes, *numbers: int) -> list[int]:
    """Take numbers of 4 GB and more from the extra field 1, which holds those that are marked, in order."""
    while len(extra) >= 4:
        kind, length = struct.unpack_from("<HH", extra)
        if kind == 1:
            values = iter(struct.unpack_from(f"<{min(length, len(extra) - 4) // 8}Q", extra, 4))
            return [next(values, number) if number == _WIDE else number for number in numbers]
        extra = extra[4 + length :]
    return list(numbers)


def name_of(raw: bytes, flags: int) -> str:
    """Read a name's bytes as the archive says that they are written."""
    return raw.decode("utf-8", "surrogateescape") if flags & _UTF8 else raw.decode("cp437")


def _lengths(buffer: bytes, at: int) -> tuple[int, int, int]:
    lengths: tuple[int, int, int] = struct.unpack_from("<3H", buffer, at + 28)
    return lengths


def _member(buffer: bytes, at: int, shift: int) -> tuple[Member, int]:
    entry = _ENTRY.unpack_from(buffer, at)
    if entry[0] != b"PK\x01\x02":
        raise zipfile.BadZipFile("its table is damaged")
    flags, method, crc, packed, size, offset = (entry[index] for index in (3, 4, 7, 8, 9, 16))
    name_ends = at + _ENTRY.size + entry[10]
    extra_ends = name_ends + entry[11]
    size, packed, offset = wide(buffer[name_ends:extra_ends], size, packed, offset)
    name = name_of(buffer[at + _ENTRY.size : name_ends], flags)
    return Member(name, offset + shift, packed, size, method, crc, flags), extra_ends + entry[12]
