"""Find the members of a zip archive from its front, for one that has lost the table at its end.

Knows nothing about pictures, and keeps no member's bytes.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import replace
from typing import BinaryIO

from artnet.sources.zip_table import HEADER, Member, name_of, wide

_SIZES_BEHIND = 0x8
_BLOCK = 2**18


def members_from_the_front(file: BinaryIO) -> Iterator[Member]:
    """Give one member after the other until what follows is no member; the last may be cut short."""
    position = 0
    while (found := _member(file, position)) is not None:
        member, begins = found
        behind = member.flags & _SIZES_BEHIND and not member.packed_bytes
        if not behind:
            yield member
            position = begins + member.packed_bytes
            continue
        measured = _measured(file, member, begins)
        if measured is None:
            return
        yield measured
        position = _next(file, begins + measured.packed_bytes)


def _member(file: BinaryIO, position: int) -> tuple[Member, int] | None:
    """Read a header; give its member and where the member's bytes begin."""
    file.seek(position)
    raw = file.read(HEADER.size)
    if len(raw) < HEADER.size or raw[:4] != b"PK\x03\x04":
        return None
    _, _, flags, method, _, _, crc, packed, size, name_length, extra_length = HEADER.unpack(raw)
    name, extra = file.read(name_length), file.read(extra_length)
    if len(name) + len(extra) < name_length + extra_length:
        return None
    size, packed = wide(extra, size, packed)
    member = Member(name_of(name, flags), position, packed, size, method, crc, flags)
    return member, position + HEADER.size + name_length + extra_length


def _measured(file: BinaryIO, member: Member, begins: int) -> Member | None:
    """Find the sizes that stand only behind a member's bytes, by unpacking it block by block and keeping nothing.

    None where it is packed in a way that does not tell its own end, or is cut short.
    """
    if member.method != zipfile.ZIP_DEFLATED:
        return None
    file.seek(begins)
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
    size, crc, taken = 0, 0, 0
    try:
        while not unpacker.eof:
            block = unpacker.unconsumed_tail or file.read(_BLOCK)
            if not block:
                return None
            taken += 0 if unpacker.unconsumed_tail else len(block)
            part = unpacker.decompress(block, _BLOCK)
            size, crc = size + len(part), zlib.crc32(part, crc)
    except zlib.error:
        return None
    return replace(member, packed_bytes=taken - len(unpacker.unused_data), size_bytes=size, crc=crc)


def _next(file: BinaryIO, end: int) -> int:
    """Say where the next header is: the sizes behind a member take 12 to 24 bytes, and nothing says which."""
    file.seek(end)
    behind = file.read(24 + 4)
    return end + next((skip for skip in (16, 12, 24, 20) if behind[skip : skip + 2] == b"PK"), len(behind))
