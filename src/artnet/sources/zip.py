"""Find the pictures in a zip archive without unpacking it, and read one by where it lies.

Knows nothing about what a picture holds. A member's name is only a name: nothing is ever written, so `../x` leads
nowhere. An archive within an archive is not opened.
"""

from __future__ import annotations

import bz2
import lzma
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from artnet.errors import CorruptImageError, EmptyImageError, SourceError, TooLargeError
from artnet.sources.item import Location, Names, SourceItem, SourceRules, UnreadableLocation, is_image_name
from artnet.sources.stores import open_file, read_part
from artnet.sources.torn_zip import members_from_the_front
from artnet.sources.zip_table import HEADER, Member, find_table, members_of, overlapping

BROKEN = (  # what an archive that is none, or a part of one, makes Python's own modules raise
    *(OSError, EOFError, ValueError, LookupError, NotImplementedError, RuntimeError),
    *(struct.error, zlib.error, lzma.LZMAError, zipfile.BadZipFile),
)
_ENCRYPTED = 0x1
_NAME_AND_EXTRA = 1024  # bytes that stand between a header and its member, nearly always: one request brings both


@dataclass(frozen=True)
class ZipMember:
    """A member of a zip archive, by where it begins and how it is packed, so that no table is read to find it."""

    path: str
    offset: int
    packed_bytes: int
    size_bytes: int
    method: int
    crc: int

    def read(self, name: str, rules: SourceRules) -> bytes:
        """Read and unpack it, never more than the budget or than it declares, and check its sum."""
        budget = rules.limits.size_bytes
        if self.size_bytes > budget or self.packed_bytes > budget:
            raise TooLargeError(f"{name}: over the budget of {budget / 2**20:.0f} MB; save it smaller first")
        if self.size_bytes == 0:
            raise EmptyImageError(f"{name}: the file is empty")
        packed = self._packed(name)
        try:
            data = _UNPACKERS[self.method](packed, self.size_bytes + 1)
        except BROKEN as error:
            raise CorruptImageError(f"{name}: cannot be unpacked from its archive ({error})") from error
        if len(data) != self.size_bytes or zlib.crc32(data) != self.crc:
            raise CorruptImageError(f"{name}: is not what its archive declares; make the archive again")
        return data

    def _packed(self, name: str) -> bytes:
        raw = read_part(self.path, self.offset, HEADER.size + _NAME_AND_EXTRA + self.packed_bytes, name)
        if len(raw) < HEADER.size or raw[:4] != b"PK\x03\x04":
            raise CorruptImageError(f"{name}: does not begin where its archive says; download it again")
        begins = HEADER.size + sum(HEADER.unpack_from(raw)[-2:])
        if begins > HEADER.size + _NAME_AND_EXTRA:
            raw = read_part(self.path, self.offset, begins + self.packed_bytes, name)
        packed = raw[begins : begins + self.packed_bytes]
        if len(packed) < self.packed_bytes:
            raise CorruptImageError(f"{name}: its archive was cut short within it; download it again")
        return packed


def zip_pictures(archive: str, rules: SourceRules) -> Iterator[SourceItem]:
    """Yield the pictures of a zip archive in its own order; of one that was cut short those that are whole.

    What is wrong with a part is yielded in its place. Errors: `SourceError` where nothing can be read.
    """
    names = Names()
    try:
        with open_file(archive) as file:
            table = find_table(file)
            overlaps = overlapping(members_of(file, table))  # passes through the whole of it, so it is sound
            for position, member in enumerate(members_of(file, table)):
                if is_image_name(member.name):
                    yield _found(archive, position, member, names, rules, member.offset in overlaps)
    except BROKEN as error:
        yield from _torn(archive, str(error), names, rules)


def zip_places(archive: str) -> Iterator[tuple[str, Location]]:
    """Give all members of a whole zip archive with where each lies; of two of one name the later counts, as in unzip.

    Errors: `SourceError`, `OSError`, `ValueError` and `zipfile.BadZipFile` where its table cannot be read.
    """
    with open_file(archive) as file:
        table = find_table(file)
        overlaps = overlapping(members_of(file, table))
        for member in members_of(file, table):
            fault = _fault(member, member.offset in overlaps)
            error = SourceError(f"{archive}/{member.name}: {fault}")
            if not member.name.endswith("/"):
                yield member.name, UnreadableLocation(error, archive) if fault else _place(archive, member)


def _torn(archive: str, reason: str, names: Names, rules: SourceRules) -> Iterator[SourceItem]:
    """Yield what stands before the place where an archive that has lost its table breaks off."""
    count = 0
    with open_file(archive) as file:
        for count, member in enumerate(members_from_the_front(file), start=1):
            if is_image_name(member.name):
                yield _found(archive, count - 1, member, names, rules)
    if not count:
        raise SourceError(f"{archive}: cannot be read as a zip archive ({reason}); download it again")
    message = f"{archive}: was cut short or damaged after {count} members; what followed is lost, download it again"
    yield SourceItem(f"{archive}#rest", error=SourceError(message))


def _found(
    archive: str, position: int, member: Member, names: Names, rules: SourceRules, overlaps: bool = False
) -> SourceItem:
    name = names.distinct(f"{archive}/{member.name}", position)
    fault = _fault(member, overlaps)
    return (
        SourceItem(name, error=SourceError(f"{name}: {fault}")) if fault else SourceItem(name, _place(archive, member))
    )


def _place(archive: str, member: Member) -> ZipMember:
    return ZipMember(archive, member.offset, member.packed_bytes, member.size_bytes, member.method, member.crc)


def _fault(member: Member, overlaps: bool) -> str:
    """Say what keeps a member from being read, nothing where nothing does."""
    if member.flags & _ENCRYPTED:
        return "is encrypted; unpack its archive yourself with the password"
    if overlaps:
        return "overlaps another member of its archive, as in archives made to exhaust a disk; it is not read"
    if member.method not in _UNPACKERS:
        return f"is packed by method {member.method}, which is not read; pack it by deflate"
    return ""


def _stored(packed: bytes, at_most: int) -> bytes:
    return packed[:at_most]


def _inflated(packed: bytes, at_most: int) -> bytes:
    return zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed, at_most)


def _bunzipped(packed: bytes, at_most: int) -> bytes:
    return bz2.BZ2Decompressor().decompress(packed, at_most)


def _unlzmaed(packed: bytes, at_most: int) -> bytes:
    """Zip's LZMA begins with a version and the properties, which the decoder wants as a filter (APPNOTE.TXT, 5.8.8)."""
    _, size, properties, dictionary = struct.unpack_from("<HHBI", packed)
    shape = {"lc": properties % 9, "lp": properties // 9 % 5, "pb": properties // 45}
    kept = min(dictionary, max(at_most, 4096))  # allocated at once: no more than there is to remember
    filters = [{"id": lzma.FILTER_LZMA1, "dict_size": kept, **shape}]
    return lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=filters).decompress(packed[4 + size :], at_most)


_UNPACKERS: dict[int, Callable[[bytes, int], bytes]] = {
    zipfile.ZIP_STORED: _stored,
    zipfile.ZIP_DEFLATED: _inflated,
    zipfile.ZIP_BZIP2: _bunzipped,
    zipfile.ZIP_LZMA: _unlzmaed,
}
