"""Images in tar archives, plain or compressed, listed by `tarfile`.

A member's name is only a name: nothing is ever written, so `../x` leads nowhere.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import tarfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any, BinaryIO, cast

from artnet.errors import ArtNetError, CorruptImageError, SourceError, reason
from artnet.sources.item import InMemory, SourceItem, SourceRules, UniqueNames
from artnet.sources.local import has_hidden_part, is_image_name
from artnet.sources.stores import open_file, read_part

_MAX_HEADER_BYTES = 2**20  # names and attributes of one member; a tar may claim any number of bytes for them
_LONG_HEADERS = (b"L", b"K", b"x", b"g", b"X")  # types whose content is read as a part of the next member's header
# Images hardly shrink: a tar that unpacks to more than this many times its own size is made to keep a reader busy.
_MAX_RATIO, _FREE_BYTES = 200, 2**30
_BROKEN = (OSError, EOFError, ValueError, LookupError, tarfile.TarError, zlib.error, lzma.LZMAError, RecursionError)


@dataclass(frozen=True, slots=True)
class TarMember:
    """A member of a plain tar archive, by where its bytes lie."""

    path: str
    offset: int
    size_bytes: int

    def read(self, name: str, rules: SourceRules) -> bytes:
        """Read the member."""
        rules.limits.check_size(self.size_bytes, name)
        data = read_part(self.path, self.offset, self.size_bytes, name)
        if len(data) < self.size_bytes:
            raise CorruptImageError(f"{name}: its archive ends within it; download it again")
        return data


def tar_items(path: str, rules: SourceRules, free_bytes: int = _FREE_BYTES) -> Iterator[SourceItem]:
    """Yield the images of a tar archive in its own order; of one that was cut short those before the cut.

    Members of a plain tar are read where they lie; a compressed one can only be read from the front, so bytes travel
    along.

    Args:
        path: the archive, whose suffix says how it is compressed
        rules: limits of the size of an image
        free_bytes: what any archive may unpack to; a larger one only to 200 times its own size

    Raises:
        SourceError: if not one member can be read
    """
    names, count = UniqueNames(), 0
    try:
        with _open_tar(path, free_bytes) as archive:
            while (member := archive.next()) is not None:
                count += 1
                archive.members.clear()  # type: ignore[attr-defined]  # tarfile's own list: a million cost no memory
                if member.isdir():
                    continue
                if has_hidden_part(member.name):
                    yield SourceItem(f"{path}/{member.name}", is_hidden=True)
                elif is_image_name(member.name):
                    yield _item(path, names.unique(f"{path}/{member.name}", count), member, archive, rules)
    except _BROKEN as error:
        if not count:
            raise SourceError(
                f"{path}: cannot be read as a tar archive ({reason(error)}); download it again"
            ) from error
        message = f"{path}: ends or breaks after {count} members ({reason(error)}); download it again"
        yield SourceItem(f"{path}#rest", error=SourceError(message))


def _item(path: str, name: str, member: tarfile.TarInfo, archive: tarfile.TarFile, rules: SourceRules) -> SourceItem:
    try:
        if not member.isreg() or member.issparse():
            raise SourceError(f"{name}: is a link or no plain file in its archive; pack the image itself")
        if _decompressor(path) is None:
            return SourceItem(name, TarMember(path, member.offset_data, member.size))
        rules.limits.check_size(member.size, name)
        return SourceItem(name, InMemory(cast(IO[bytes], archive.extractfile(member)).read()))
    except ArtNetError as error:
        return SourceItem(name, error=error)


class _Header(tarfile.TarInfo):
    """A header that raises where `tarfile` takes a broken one for the end of its archive, or would believe any size."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> _Header:
        header = super().frombuf(buf, encoding, errors)
        if header.size < 0 or (header.type in _LONG_HEADERS and header.size > _MAX_HEADER_BYTES):
            raise ValueError(f"a header claims {header.size} bytes")
        return header

    @classmethod
    def fromtarfile(cls, archive: tarfile.TarFile) -> _Header:
        try:
            header = super().fromtarfile(archive)
        except tarfile.EOFHeaderError:  # type: ignore[attr-defined]  # not in the stubs: a block of zeros, the mark of a whole archive's end
            raise
        except tarfile.HeaderError as error:
            raise EOFError(str(error)) from error
        if header.size < 0:  # as extended headers may say; it leads back for ever
            raise ValueError(f"a header claims {header.size} bytes")
        return header


class _Bounded:
    """A decompressed stream that raises where it grows out of proportion to its compressed file."""

    def __init__(self, stream: IO[bytes], compressed: BinaryIO, free_bytes: int) -> None:
        self._stream, self._compressed = stream, compressed
        self._free_bytes, self._size_bytes = free_bytes, 0

    def read(self, size: int) -> bytes:
        data = self._stream.read(size)
        self._size_bytes += len(data)
        if self._size_bytes > self._free_bytes + _MAX_RATIO * self._compressed.tell():
            raise ValueError(f"unpacks to more than {_MAX_RATIO} times its size; such archives are made to do harm")
        return data


@contextmanager
def _open_tar(path: str, free_bytes: int) -> Iterator[tarfile.TarFile]:
    decompress = _decompressor(path)
    with open_file(path) as file:
        if decompress is None:
            with tarfile.open(fileobj=file, mode="r:", tarinfo=_Header) as archive:
                yield archive
        else:
            with decompress(file) as stream:
                bounded = cast(IO[bytes], _Bounded(stream, file, free_bytes))
                with tarfile.open(fileobj=bounded, mode="r|", tarinfo=_Header) as archive:
                    yield archive


def _decompressor(path: str) -> Callable[[BinaryIO], Any] | None:
    return next(function for suffix, function in _DECOMPRESSORS.items() if path.lower().endswith(suffix))


def _unzstd(file: BinaryIO) -> Any:
    import pyarrow as pa  # Python has it from 3.14 on

    return pa.CompressedInputStream(pa.PythonFile(file, "r"), "zstd")


_DECOMPRESSORS: dict[str, Callable[[BinaryIO], Any] | None] = {
    ".tar": None,
    **dict.fromkeys((".tar.gz", ".tgz"), lambda file: gzip.GzipFile(fileobj=file)),
    **dict.fromkeys((".tar.bz2", ".tbz2", ".tbz"), bz2.BZ2File),
    **dict.fromkeys((".tar.xz", ".txz"), lzma.LZMAFile),
    **dict.fromkeys((".tar.zst", ".tzst"), _unzstd),
}
TAR_SUFFIXES = tuple(_DECOMPRESSORS)
