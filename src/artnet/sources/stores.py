"""Files at fsspec addresses such as s3://bucket/a.jpg, and access by path or address alike."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast
from urllib.parse import unquote

from artnet.errors import (
    ArtNetError,
    EmptyImageError,
    MissingExtraError,
    RefusedAddressError,
    SourceError,
    reason,
)
from artnet.fetch.http import FetchRules, is_url
from artnet.fetch.retry import fetch_with_retry
from artnet.imaging.decode import Limits
from artnet.sources.item import SourceRules
from artnet.sources.local import is_local_folder, is_local_path, local_names

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")  # two letters at least: C:// is a drive of Windows
_MAGIC = re.compile(r"[*?[]")
# Schemes whose address begins with a machine, rather than with a bucket of a store that its user has set up.
_HOSTS = ("ftp", "ftps", "sftp", "ssh", "smb", "hdfs", "webhdfs", "webdav", "webdavs", "jupyter", "jlab", "dav", "davs")
_LOCAL = re.compile(r"(file|local)://(localhost(?=/))?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class WebFile:
    """What lies at an http(s) address."""

    path: str

    def read(self, name: str, rules: SourceRules) -> bytes:
        """Fetch it whole."""
        return fetch_with_retry(self.path, fetch_rules(rules)).data


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file at an fsspec address."""

    path: str

    def read(self, name: str, rules: SourceRules) -> bytes:
        """Read the whole file, never more than the limit."""
        return read_stored(self.path, name, rules.limits)


def fetch_rules(rules: SourceRules) -> FetchRules:
    """Return the part of the rules that fetching one address follows."""
    return FetchRules(rules.allow_private, rules.limits.size_bytes, rules.timeout_s)


def is_stored(path: str) -> bool:
    """Return whether this is an address for fsspec, rather than a path or an http(s) address."""
    return _SCHEME.match(path) is not None and not is_url(path)


def is_remote(path: str) -> bool:
    """Return whether reading from here means to contact a server."""
    return is_url(path) or is_stored(path)


def check_listed(address: str, rules: SourceRules) -> None:
    """Refuse what a list, which anybody may have written, must not lead to.

    Raises:
        RefusedAddressError: if the address names a machine and the rules do not allow private ones
    """
    scheme = address.partition("://")[0].lower()
    if not rules.allow_private and (scheme in _HOSTS or "::" in address):
        raise RefusedAddressError(
            f"{address}: lists lead to stores and to the web, and to other machines with --allow-private alone"
        )


def is_local_url(text: str) -> bool:
    """Return whether a text is the URL of a file of this machine, such as file:///a.jpg."""
    return _LOCAL.match(text) is not None


def without_local_scheme(source: str) -> str:
    """Return the path in the URL of a local file, unescaped unless there is a file of that very name; else the source.

    >>> without_local_scheme("file:///a/b%20c.jpg"), without_local_scheme("s3://a/b.jpg")
    ('/a/b c.jpg', 's3://a/b.jpg')
    """
    if not is_local_url(source):
        return source
    path = _LOCAL.sub("", source, count=1)
    return path if "%" not in path or is_local_path(path) else unquote(path, errors="surrogateescape")


def has_pattern(address: str) -> bool:
    """Return whether an address holds *, ? or [."""
    return _MAGIC.search(address) is not None


def read_stored(address: str, name: str, limits: Limits) -> bytes:
    """Read a file at an fsspec address in one request where the store allows it.

    Raises:
        SourceError: if it cannot be read
        TooLargeError: if it is over the limit
        MissingExtraError: if the package for this kind of address is not installed
    """
    with _store_errors(name):
        system, path = _system(address)
        try:
            data = bytes(system.cat_file(path, start=0, end=limits.size_bytes + 1))
        except Exception:
            if system.size(path) == 0:  # a range of nothing is refused by some stores
                raise EmptyImageError(f"{name}: the file is empty") from None
            raise
    limits.check_size(len(data), name)
    return data


def is_folder(path: str) -> bool:
    """Return whether a path or an address is a folder.

    Raises:
        SourceError: if there is nothing at an address
    """
    if not is_stored(path):
        return is_local_folder(path)
    if path.endswith("/"):
        return True
    with _store_errors(path):
        system, inner = _system(path)
        return bool(system.info(inner)["type"] == "directory")


def folder_names(folder: str) -> tuple[list[str], list[str]]:
    """Return the names of the files in a folder of this machine or of a store, and of the folders in it.

    Raises:
        SourceError: if it cannot be listed
    """
    if not is_stored(folder):
        return local_names(folder)
    with _store_errors(folder):
        system, path = _system(folder)
        entries = [(str(entry["name"]).rstrip("/"), entry["type"]) for entry in system.ls(path, detail=True)]
    listed = path.rstrip("/")  # some stores list a folder within itself
    named = [(path.rpartition("/")[2], kind == "directory") for path, kind in entries if path != listed]
    return [name for name, is_folder in named if not is_folder], [name for name, is_folder in named if is_folder]


def stored_matching(pattern: str) -> Iterator[str]:
    """Yield the files of a store that match a pattern, sorted, hidden ones among them."""
    base = pattern[: pattern.rfind("/", 0, cast(Any, _MAGIC.search(pattern)).start()) + 1]
    with _store_errors(pattern):
        system, path = _system(pattern)
        root = _system(base)[1].rstrip("/")
        matches = sorted(str(name) for name in system.glob(path) if not system.isdir(name))
    names = (name.removeprefix(root).lstrip("/") for name in matches)
    return (base + name for name in names)


def stamp(path: str) -> tuple[int, str] | None:
    """Return a file's size and what tells its versions apart; None for the web, which tells neither.

    Raises:
        SourceError: if there is no such file
    """
    if is_url(path):
        return None
    with _store_errors(path):
        if not is_stored(path):
            status = Path(path).stat()
            return status.st_size, str(status.st_mtime_ns)
        system, inner = _system(path)
        about = system.info(inner)
        marks = (about.get(key) for key in ("ETag", "etag", "mtime", "LastModified", "updated", "created"))
        return int(about.get("size") or 0), str(next((mark for mark in marks if mark is not None), ""))


def read_part(path: str, offset: int, size: int, name: str) -> bytes:
    """Read `size` bytes of a file from `offset`, fewer where it ends; of a stored one in one request.

    Raises:
        SourceError: if it cannot be read
    """
    with _store_errors(name):
        if is_stored(path):
            system, inner = _system(path)
            return bytes(system.cat_file(inner, start=offset, end=offset + size))
        with Path(path).open("rb") as file:
            file.seek(offset)
            return file.read(size)


@contextmanager
def open_file(path: str) -> Iterator[BinaryIO]:
    """Open a path or a file at an fsspec address for reading, with seeking.

    Raises:
        SourceError: if it cannot be opened
    """
    with ExitStack() as stack:
        with _store_errors(path):
            if is_stored(path):
                system, inner = _system(path)
                file: BinaryIO = io.BufferedReader(_OSErrors(stack.enter_context(system.open(inner, "rb"))))
            elif Path(path).is_dir():
                raise SourceError(f"{path}: is a folder where a file was expected; name a file in it")
            else:
                file = stack.enter_context(Path(path).open("rb"))
        yield file


def last_name(path: str) -> str:
    """Return the last part of a path or an address."""
    return path.rstrip("/").rpartition("/")[2] if is_stored(path) else Path(path).name


def parent(path: str) -> str:
    """Return the folder in which a file lies."""
    return path.rpartition("/")[0] if is_stored(path) else str(Path(path).parent)


def below(folder: str, name: str) -> str:
    """Return the path or address of what is called `name` in a folder.

    >>> below("s3://museum/x", "a.jpg"), below("./x", "a.jpg")
    ('s3://museum/x/a.jpg', 'x/a.jpg')
    """
    if not is_stored(folder):
        return str(Path(folder, name))
    return f"{folder}{'' if folder.endswith('/') else '/'}{name}"


def join(path: str, name: str) -> str:
    """Join a name to the folder in which a file lies; it never climbs above an address's first part.

    >>> join("s3://bucket/x/list.txt", "../../../a.jpg")
    's3://bucket/a.jpg'
    """
    if not is_stored(path):
        return str(Path(path).parent / name)
    scheme, _, rest = path.partition("://")
    parts = rest.split("/")[:-1]
    for part in name.split("/"):
        if part == "..":
            parts = parts[:1] if len(parts) < 2 else parts[:-1]
        elif part not in ("", "."):
            parts.append(part)
    return f"{scheme}://{'/'.join(parts)}"


def _system(address: str) -> tuple[Any, str]:
    """Return the file system for an address, which fsspec keeps for the process, and the path in it."""
    if "::" in address:
        raise SourceError(f"{address}: chains several addresses with ::, which is not read; name the file itself")
    from fsspec.core import url_to_fs  # a tenth of a second, which no command needs before it meets an address

    system, path = url_to_fs(address)
    return system, str(path)


class _OSErrors(io.RawIOBase):
    """A store's file that raises nothing but `OSError`, as files do; the packages raise whatever theirs do."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._call(self._file.read, len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def seek(self, offset: int, whence: int = 0) -> int:
        return int(self._call(self._file.seek, offset, whence))

    def tell(self) -> int:
        return int(self._call(self._file.tell))

    def _call(self, function: Any, *args: int) -> Any:
        try:
            return function(*args)
        except OSError:
            raise
        except Exception as error:
            raise OSError(reason(error)) from error


@contextmanager
def _store_errors(name: str) -> Iterator[None]:
    """Raise an `ArtNetError` about `name` for whatever the packages raise; each has exceptions of its own."""
    try:
        yield
    except ArtNetError:
        raise
    except FileNotFoundError:
        raise SourceError(f"{name}: no such file or folder; check the spelling") from None
    except ImportError as error:
        message = f"{name}: the package for this kind of address is missing; {reason(error)} (with pip)"
        raise MissingExtraError(message) from error
    except Exception as error:
        raise SourceError(f"{name}: cannot be read ({reason(error)})") from error
