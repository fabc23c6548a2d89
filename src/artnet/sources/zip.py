"""Images in zip archives: listed by `zipfile`, each read by its offset without the archive's directory.

A member's name is only a name: nothing is ever written, so `../x` leads nowhere.
"""

from __future__ import annotations

import bz2
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from typing import IO, Any, BinaryIO, cast

from artnet.errors import CorruptImageError, SourceError, reason
from artnet.sources.item import SourceItem, SourceRules, UniqueNames
from artnet.sources.local import has_hidden_part, is_image_name
from artnet.sources.stores import open_file, read_part

# What stands before each member: signature, version, flags, method, time, date, checksum, packed size, size, lengths of
# the name and of the extra field. https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT, section 4.3.7
_HEADER = struct.Struct("<4s5H3I2H")
_NAME_AND_EXTRA = 1024  # bytes that stand between a header and its member, nearly always: one request brings both
_ENCRYPTED, _UTF8 = 0x1, 0x800  # flags of a member
_UNICODE_PATH = 0x7075  # the extra field of Info-ZIP for the name in UTF-8: APPNOTE.TXT, section 4.6.9
# An entry of the directory: signature, flags at 8, lengths of the name, the extra field and the comment, which follow.
_ENTRY = struct.Struct("<4s4xH18x3H12x")
_DECOMPRESSORS: dict[int, Callable[[], Any]] = {
    zipfile.ZIP_DEFLATED: lambda: zlib.decompressobj(-zlib.MAX_WBITS),
    zipfile.ZIP_BZIP2: bz2.BZ2Decompressor,
}
# What `zipfile` raises for an archive that is none, or only a part of one.
_BROKEN = (OSError, EOFError, ValueError, LookupError, ArithmeticError, RuntimeError, struct.error, zipfile.BadZipFile)


@dataclass(frozen=True, slots=True)
class ZipMember:
    """A member of a zip archive by where its header begins and how it is packed."""

    path: str
    offset: int
    packed_bytes: int
    size_bytes: int
    method: int
    crc: int

    def read(self, name: str, rules: SourceRules) -> bytes:
        """Read and unpack the member, never more than the limit or than it declares, and verify its checksum."""
        for size_bytes in (self.size_bytes, self.packed_bytes):
            rules.limits.check_size(size_bytes, name)
        data = packed = self._packed(name)
        if self.method != zipfile.ZIP_STORED:
            try:
                data = _DECOMPRESSORS[self.method]().decompress(packed, self.size_bytes + 1)
            except (OSError, ValueError, zlib.error) as error:
                raise CorruptImageError(f"{name}: cannot be unpacked from its archive ({reason(error)})") from error
        if len(data) != self.size_bytes or zlib.crc32(data) != self.crc:
            raise CorruptImageError(f"{name}: is not what its archive declares; make the archive again")
        return data

    def _packed(self, name: str) -> bytes:
        raw = read_part(self.path, self.offset, _HEADER.size + _NAME_AND_EXTRA + self.packed_bytes, name)
        if len(raw) < _HEADER.size or raw[:4] != b"PK\x03\x04":
            raise CorruptImageError(f"{name}: does not begin where its archive says; download it again")
        begin = _HEADER.size + sum(_HEADER.unpack_from(raw)[-2:])
        if begin > _HEADER.size + _NAME_AND_EXTRA:
            raw = read_part(self.path, self.offset, begin + self.packed_bytes, name)
        packed = raw[begin : begin + self.packed_bytes]
        if len(packed) < self.packed_bytes:
            raise CorruptImageError(f"{name}: its archive ends within it; download it again")
        return packed


def zip_items(path: str, rules: SourceRules) -> Iterator[SourceItem]:
    """Yield the images of a zip archive in its own order; a member that cannot be read is yielded with its error.

    The archive's directory is held while its items are yielded, 0.7 kB a member.

    Raises:
        SourceError: if the archive has no sound directory, as when it was cut short
    """
    try:
        with open_file(path) as file, zipfile.ZipFile(cast(IO[bytes], _SoundFlags(file))) as archive:
            members = archive.infolist()
    except _BROKEN as error:
        raise SourceError(
            f"{path}: cannot be read as a zip archive ({reason(error)}): it was cut short or damaged, download it again"
        ) from error
    names, overlapping = UniqueNames(), _overlapping(members)
    for position, member in enumerate(members):
        inner = member_name(member, rules.zip_encoding)
        if has_hidden_part(inner) and not member.is_dir():
            yield SourceItem(f"{path}/{inner}", is_hidden=True)
        elif is_image_name(inner):
            name = names.unique(f"{path}/{inner}", position)
            fault = _fault(member, overlapping)
            if fault:
                yield SourceItem(name, error=SourceError(f"{name}: {fault}"))
            else:
                yield SourceItem(name, _location(path, member))


def member_name(member: zipfile.ZipInfo, encoding: str = "cp437") -> str:
    """Return a member's name.

    It is UTF-8 where a flag or Info-ZIP's extra field says so, and where it can be: `zip -r` says nothing. Else it is
    in `encoding` or, where it cannot be, in code page 437, which the format prescribes.
    """
    if member.flag_bits & _UTF8:
        return member.filename
    raw = member.orig_filename.partition("\0")[0].encode("cp437")  # as zipfile decoded it
    for data, each in ((_unicode_path(member.extra, raw), "utf-8"), (raw, "utf-8"), (raw, encoding)):
        with suppress(UnicodeDecodeError):
            if data:
                return data.decode(each)
    return raw.decode("cp437")


def _unicode_path(extra: bytes, raw: bytes) -> bytes:
    """Return the name in the extra field for it, empty where there is none or where it is not of this name."""
    while len(extra) >= 4:
        kind, size = struct.unpack_from("<HH", extra)
        version_and_crc, name = extra[4:9], extra[9 : 4 + size]
        if kind == _UNICODE_PATH and version_and_crc == struct.pack("<BI", 1, zlib.crc32(raw)):
            return name
        extra = extra[4 + size :]
    return b""


class _SoundFlags:
    """A zip archive without the flags that call a name UTF-8 that is not: zipfile refuses the whole for one."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.seek, self.tell = file.seek, file.tell

    def read(self, size: int = -1) -> bytes:
        return _with_sound_flags(self._file.read(size))


def _with_sound_flags(data: bytes) -> bytes:
    sound, at = bytearray(data), 0
    while data.startswith(b"PK\x01\x02", at) and at + _ENTRY.size <= len(data):
        _, flags, *lengths = _ENTRY.unpack_from(data, at)
        name = data[at + _ENTRY.size : at + _ENTRY.size + lengths[0]]
        if flags & _UTF8 and not _is_utf8(name):
            struct.pack_into("<H", sound, at + 8, flags & ~_UTF8)
        at += _ENTRY.size + sum(lengths)
    return bytes(sound)


def _is_utf8(name: bytes) -> bool:
    try:
        name.decode()
    except UnicodeDecodeError:
        return False
    return True


def _location(path: str, member: zipfile.ZipInfo) -> ZipMember:
    sizes = member.compress_size, member.file_size
    return ZipMember(path, member.header_offset, *sizes, member.compress_type, member.CRC)


def _fault(member: zipfile.ZipInfo, overlapping: set[int]) -> str:
    if member.flag_bits & _ENCRYPTED:
        return "is encrypted; unpack its archive yourself with the password"
    if member.header_offset in overlapping:
        return "overlaps another member of its archive, as in archives made to exhaust a disk; it is not read"
    if member.compress_type != zipfile.ZIP_STORED and member.compress_type not in _DECOMPRESSORS:
        return f"is packed by method {member.compress_type}, which is not read; pack it by deflate"
    return ""


def _overlapping(members: Sequence[zipfile.ZipInfo]) -> set[int]:
    """Return the offsets of members into which an earlier one reaches: so a small archive can unpack to any size.

    Fifield, "A better zip bomb", USENIX WOOT 2019. Python refuses such members from 3.11.8 on, but only those that its
    own `ZipFile` opens.
    """
    ordered = sorted(members, key=lambda member: member.header_offset)
    return {
        after.header_offset
        for before, after in pairwise(ordered)
        if before.header_offset + _HEADER.size + before.compress_size > after.header_offset
    }
