"""Read bytes from addresses: http(s) by ArtNet's own rules, every other kind through the fsspec package for it.

Knows nothing about pictures, archives or manifests; a path of this machine is opened here, too, so that whoever reads
an archive need not know where it lies.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

from artnet.errors import (
    ArtNetError,
    EmptyImageError,
    MissingExtraError,
    RefusedAddressError,
    SourceError,
    TooLargeError,
)
from artnet.fetch.http import FetchRules, is_url
from artnet.fetch.retry import fetch_with_retry
from artnet.imaging.decode import Limits, read_bytes
from artnet.sources.item import SourceRules

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")  # two letters at least: C:// is a drive of Windows
_MAGIC = re.compile(r"[*?[]")
# Schemes whose address begins with a machine, rather than with a bucket of a store that its user has set up.
_HOSTS = ("ftp", "ftps", "sftp", "ssh", "smb", "hdfs", "webhdfs", "webdav", "webdavs", "jupyter", "jlab", "dav", "davs")
_LOCAL = re.compile(r"(file|local)://", re.IGNORECASE)


@dataclass(frozen=True)
class LocalFile:
    """A file of this machine, or of a disk that machines share."""

    path: str

    def read(self, name: str, rules: SourceRules) -> bytes:
        """Read it whole."""
        return read_bytes(self.path, rules.limits)


@dataclass(frozen=True)
class WebFile:
    """What lies at an http(s) address."""

    path: str

    def read(self, name: str, rules: SourceRules) -> bytes:
        """Fetch it whole."""
        return fetch_with_retry(self.path, address_rules(rules)).data


@dataclass(frozen=True)
class StoredFile:
    """A file at an fsspec address, such as s3://bucket/a.jpg."""

    path: str

    def read(self, name: str, rules: SourceRules) -> bytes:
        """Read it whole, but never more than the budget."""
        return read_stored(self.path, name, rules.limits)


def address_rules(rules: SourceRules) -> FetchRules:
    """Say the rules for sources as those for one address."""
    return FetchRules(rules.allow_private, rules.limits.size_bytes, rules.timeout_s)


def is_stored(source: str) -> bool:
    """Tell whether a source is an address for fsspec, rather than a file's name or an http(s) address."""
    return _SCHEME.match(source) is not None and not is_url(source)


def is_remote(location: str) -> bool:
    """Tell whether reading from a place means to ask a server."""
    return is_url(location) or is_stored(location)


def check_listed(address: str, rules: SourceRules) -> None:
    """Refuse what a list, which a stranger may have written, must not lead to. Errors: `RefusedAddressError`."""
    scheme = address.partition("://")[0].lower()
    if not rules.allow_private and (scheme in _HOSTS or "::" in address):
        raise RefusedAddressError(
            f"{address}: lists lead to stores and to the web, and to other machines with --allow-private alone"
        )


def without_local_scheme(source: str) -> str:
    """Turn file:///a/b.jpg into /a/b.jpg and leave everything else as it is."""
    return _LOCAL.sub("", source, count=1) if _LOCAL.match(source) else source


def has_pattern(address: str) -> bool:
    """Tell whether an address holds *, ? or [."""
    return _MAGIC.search(address) is not None


def read_stored(address: str, name: str, limits: Limits) -> bytes:
    """Read a file at an fsspec address in one request where the store allows it.

    Errors: `SourceError`, `TooLargeError`, and `MissingExtraError` where the package for this kind is not there.
    """
    with _explained(name):
        system, path = _system(address)
        try:
            data = bytes(system.cat_file(path, start=0, end=limits.size_bytes + 1))
        except Exception:
            if system.size(path) == 0:  # a range of nothing is refused by some stores
                raise EmptyImageError(f"{name}: the file is empty") from None
            raise
    if len(data) > limits.size_bytes:
        raise TooLargeError(f"{name}: over the budget of {limits.size_bytes / 2**20:.0f} MB; save it smaller first")
    return data


def is_stored_folder(address: str) -> bool:
    """Ask a store whether an address is a folder. Errors: `SourceError` where it is nothing at all."""
    if address.endswith("/"):
        return True
    with _explained(address):
        system, path = _system(address)
        return bool(system.info(path)["type"] == "directory")


def stored_below(address: str) -> Iterator[str | tuple[str, ArtNetError]]:
    """Walk a folder of a store in sorted order, one folder's names in memory at a time.

    A folder that cannot be listed is yielded with its error, and the others go on.
    """
    with _explained(address):
        system, root = _system(address)
    waiting = [str(root).rstrip("/")]
    while waiting:
        folder = waiting.pop()
        try:
            with _explained(_named(address, root, folder)):
                entries = system.ls(folder, detail=True)
        except ArtNetError as error:
            yield _named(address, root, folder), error
            continue
        names = sorted((str(entry["name"]).rstrip("/"), entry["type"]) for entry in entries)
        yield from (_named(address, root, name) for name, kind in names if kind != "directory" and name != folder)
        waiting += [name for name, kind in reversed(names) if kind == "directory" and name != folder]


def stored_matching(pattern: str) -> Iterator[str]:
    """Give the files of a store that match a pattern, sorted."""
    base = pattern[: pattern.rfind("/", 0, cast(Any, _MAGIC.search(pattern)).start()) + 1]
    with _explained(pattern):
        system, path = _system(pattern)
        root = _system(base)[1]
        found = sorted(str(name) for name in system.glob(path) if not system.isdir(name))
    yield from (_named(base, root, name) for name in found)


def stamp(location: str) -> tuple[int, str] | None:
    """Give a file's size and what tells its versions apart; None of the web, which tells neither.

    Errors: `SourceError`.
    """
    if is_url(location):
        return None
    with _explained(location):
        if not is_stored(location):
            state = Path(location).stat()
            return state.st_size, str(state.st_mtime_ns)
        system, path = _system(location)
        about = system.info(path)
        marks = (about.get(key) for key in ("ETag", "etag", "mtime", "LastModified", "updated", "created"))
        return int(about.get("size") or 0), str(next((mark for mark in marks if mark is not None), ""))


def read_part(location: str, offset: int, size: int, name: str) -> bytes:
    """Read some bytes of a file, fewer where it ends; of a stored one in one request. Errors: `SourceError`."""
    with _explained(name):
        if is_stored(location):
            system, path = _system(location)
            return bytes(system.cat_file(path, start=offset, end=offset + size))
        with Path(location).open("rb") as file:
            file.seek(offset)
            return file.read(size)


@contextmanager
def open_file(location: str) -> Iterator[BinaryIO]:
    """Open a path of this machine or a file at an fsspec address for reading, with seeking. Errors: `SourceError`."""
    with ExitStack() as stack:
        with _explained(location):
            if is_stored(location):
                system, path = _system(location)
                file: BinaryIO = io.BufferedReader(_Steady(stack.enter_context(system.open(path, "rb"))))
            elif Path(location).is_dir():
                raise SourceError(f"{location}: is a folder where a file was expected; name a file in it")
            else:
                file = stack.enter_context(Path(location).open("rb"))
        yield file


def join(location: str, name: str) -> str:
    """Join a name to the folder in which a path or an address lies; it never climbs above an address's first part."""
    if not is_stored(location):
        return str(Path(location).parent / name)
    scheme, _, rest = location.partition("://")
    parts = rest.split("/")[:-1]
    for part in name.split("/"):
        if part == "..":
            parts = parts[:1] if len(parts) < 2 else parts[:-1]
        elif part not in ("", "."):
            parts.append(part)
    return f"{scheme}://{'/'.join(parts)}"


def _system(address: str) -> tuple[Any, str]:
    """Find the file system for an address; fsspec keeps it for the process."""
    if "::" in address:
        raise SourceError(f"{address}: chains several addresses with ::, which is not read; name the file itself")
    from fsspec.core import url_to_fs  # a tenth of a second, which no command needs before it meets an address

    system, path = url_to_fs(address)
    return system, str(path)


def _named(address: str, root: str, path: str) -> str:
    """Write a store's path as an address, with what the user's own address began with."""
    root = root.rstrip("/")
    rest = path[len(root) :] if path.startswith(root) else path
    return f"{address.rstrip('/')}/{rest.lstrip('/')}" if rest else address


class _Steady(io.RawIOBase):
    """A store's file that raises nothing but `OSError`, as files do; the packages raise whatever theirs do."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._do(self._file.read, len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def seek(self, offset: int, whence: int = 0) -> int:
        return int(self._do(self._file.seek, offset, whence))

    def tell(self) -> int:
        return int(self._do(self._file.tell))

    def _do(self, function: Any, *args: int) -> Any:
        try:
            return function(*args)
        except OSError:
            raise
        except Exception as error:
            raise OSError(_reason(error)) from error


@contextmanager
def _explained(name: str) -> Iterator[None]:
    """Turn whatever the packages raise into one sentence; each has exceptions of its own."""
    try:
        yield
    except ArtNetError:
        raise
    except FileNotFoundError:
        raise SourceError(f"{name}: no such file or folder; check the spelling") from None
    except ImportError as error:
        raise MissingExtraError(
            f"{name}: the package for this kind of address is missing; {_reason(error)} (with pip)"
        ) from error
    except Exception as error:
        raise SourceError(f"{name}: cannot be read ({_reason(error)})") from error


def _reason(error: BaseException) -> str:
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return " ".join(str(text).split()).rstrip(".")[:300]
