"""Find the pictures in a tar archive, plain or packed, without unpacking it to a disk.

Knows nothing about what a picture holds. A member's name is only a name: nothing is ever written, so `../x` leads
nowhere. An archive within an archive is not opened.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import tarfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, cast

from artnet.errors import ArtNetError, CorruptImageError, EmptyImageError, SourceError, TooLargeError
from artnet.sources.item import InMemory, Location, Names, SourceItem, SourceRules, is_image_name
from artnet.sources.stores import open_file, read_part

_ZERO_BLOCK = bytes(tarfile.BLOCKSIZE)
_BLOCK = 2**20
_LONGEST_HEADER = 2**20  # names and attributes of one member; a tar may claim any number of bytes for them
# Pictures hardly shrink: a tar that unpacks to more than this many times its own size is made to keep a reader busy.
_MOST_TIMES, _FREE_BYTES = 200, 2**30
_BROKEN = (OSError, EOFError, ValueError, LookupError, tarfile.TarError, zlib.error, lzma.LZMAError, RecursionError)


@dataclass(frozen=True)
class TarMember:
    """A member of a plain tar archive, by where its bytes lie."""

    path: str
    offset: int
    size_bytes: int

    def read(self, name: str, rules: SourceRules) -> bytes:
        """Read it."""
        _check_size(self.size_bytes, name, rules)
        return _whole(read_part(self.path, self.offset, self.size_bytes, name), self.size_bytes, name)


def is_tar(name: str) -> bool:
    """Tell by its ending whether a file is a tar archive."""
    return name.lower().endswith(tuple(_UNPACKERS))


def tar_pictures(archive: str, rules: SourceRules) -> Iterator[SourceItem]:
    """Yield the pictures of a tar archive in its own order; of one that was cut short those that are whole.

    From a plain tar each is read where it lies; a packed one can only be read from the front, so bytes travel along.
    """
    unpacker = next(found for ending, found in _UNPACKERS.items() if archive.lower().endswith(ending))
    names, count = Names(), 0
    try:
        with open_file(archive) as file:
            forward = _Forward(file, unpacker)
            try:
                for member in _members(forward):
                    count += 1
                    if is_image_name(member.name) and not member.isdir():
                        yield _found(archive, member, names.distinct(f"{archive}/{member.name}", count), forward, rules)
            finally:
                forward.close()
    except _BROKEN as error:
        reason = str(error) or "it ends too early"
        if not count:
            raise SourceError(f"{archive}: cannot be read as a tar archive ({reason}); download it again") from error
        message = f"{archive}: breaks off after {count} members ({reason}); what followed is lost, download it again"
        yield SourceItem(f"{archive}#rest", error=SourceError(message))


def _found(archive: str, member: tarfile.TarInfo, name: str, forward: _Forward, rules: SourceRules) -> SourceItem:
    try:
        if not member.isreg() or member.issparse():
            raise SourceError(f"{name}: is a link or no plain file in its archive; pack the picture itself")
        location: Location = TarMember(archive, member.offset_data, member.size)
        if forward.packed:
            _check_size(member.size, name, rules)
            forward.seek(member.offset_data)
            location = InMemory(_whole(forward.take(member.size), member.size, name))
        return SourceItem(name, location)
    except ArtNetError as error:
        return SourceItem(name, error=error)


def _members(forward: _Forward) -> Iterator[tarfile.TarInfo]:
    """Walk the headers; tarfile's own list of them is emptied all the time, so that a million cost no memory."""
    with tarfile.open(fileobj=cast(BinaryIO, forward), mode="r:") as opened:
        while (member := opened.next()) is not None:
            yield member
            opened.members.clear()  # type: ignore[attr-defined]  # not in the stubs
    if forward.last != _ZERO_BLOCK:  # tarfile takes any end for a good one
        raise EOFError("the mark at a tar's end is missing")


class _Forward:
    """A file that is only read onwards, unpacked on the way, and refuses to swell beyond reason."""

    def __init__(self, file: BinaryIO, unpacker: Callable[[BinaryIO], BinaryIO] | None) -> None:
        self._raw = file
        self._file = file if unpacker is None else unpacker(file)
        self._position = 0
        self.packed = unpacker is not None
        self.last = b""  # what was read last, which at a tar's end is a block of zeros

    def tell(self) -> int:
        return self._position

    def read(self, size: int) -> bytes:
        """Read a part of a header."""
        if size > _LONGEST_HEADER:
            raise ValueError(f"a header claims {size} bytes")
        self.last = self.take(size)
        return self.last

    def take(self, size: int) -> bytes:
        """Read a picture's bytes, or fewer where the archive ends."""
        parts = bytearray()
        while len(parts) < size and (part := self._file.read(min(size - len(parts), _BLOCK))):
            parts += part
        self._position += len(parts)
        if self.packed and self._position > _FREE_BYTES + _MOST_TIMES * self._raw.tell():
            raise ValueError(f"unpacks to more than {_MOST_TIMES} times its size; such archives are made to do harm")
        return bytes(parts)

    def seek(self, position: int) -> int:
        """Go onwards; a plain file jumps."""
        if position < self._position:  # a size below zero leads back for ever
            raise ValueError("a header leads back to what was read")
        if not self.packed:
            self._file.seek(position)
            self._position = position
        while self._position < position and self.take(min(position - self._position, _BLOCK)):
            pass
        return self._position

    def close(self) -> None:
        """Let go of the unpacker; the file below belongs to whoever opened it."""
        if self.packed:
            self._file.close()


def _check_size(size_bytes: int, name: str, rules: SourceRules) -> None:
    budget = rules.limits.size_bytes
    if size_bytes > budget:
        raise TooLargeError(f"{name}: over the budget of {budget / 2**20:.0f} MB; save it smaller first")
    if size_bytes == 0:
        raise EmptyImageError(f"{name}: the file is empty")


def _whole(data: bytes, size_bytes: int, name: str) -> bytes:
    if len(data) < size_bytes:
        raise CorruptImageError(f"{name}: its archive was cut short within it; download it again")
    return data


def _gunzip(file: BinaryIO) -> BinaryIO:
    return cast(BinaryIO, gzip.GzipFile(fileobj=file, mode="rb"))


def _bunzip(file: BinaryIO) -> BinaryIO:
    return cast(BinaryIO, bz2.BZ2File(file))


def _unxz(file: BinaryIO) -> BinaryIO:
    return cast(BinaryIO, lzma.LZMAFile(file))


def _unzstd(file: BinaryIO) -> BinaryIO:
    import pyarrow as pa  # Python has it from 3.14 on

    return cast(BinaryIO, pa.CompressedInputStream(pa.PythonFile(cast(Any, file), "r"), "zstd"))


_UNPACKERS: dict[str, Callable[[BinaryIO], BinaryIO] | None] = {
    ".tar": None,
    **dict.fromkeys((".tar.gz", ".tgz"), _gunzip),
    **dict.fromkeys((".tar.bz2", ".tbz2", ".tbz"), _bunzip),
    **dict.fromkeys((".tar.xz", ".txz"), _unxz),
    **dict.fromkeys((".tar.zst", ".tzst"), _unzstd),
}
