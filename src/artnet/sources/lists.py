"""Read a list of paths and addresses from a text file or a table, a line at a time.

Knows nothing about what they lead to.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import BinaryIO

from artnet.errors import NoImagesError, SourceError
from artnet.fetch.http import is_url
from artnet.sources.stores import is_stored, join, open_file, without_local_scheme

TABLES = {".csv": ",", ".tsv": "\t"}
TEXTS = (".txt", ".lst")
COLUMNS = ("path", "source", "address", "url", "image", "file", "file_name", "filename", "new_filename")
_PEEKED_BYTES = 2**16
_LONGEST_BYTES = 2**20


@dataclass(frozen=True)
class Line:
    """One entry: where it leads, or why nowhere, and what its table says of it."""

    target: str
    label: str | None = None
    id: str | None = None
    error: SourceError | None = None


def is_list(name: str) -> bool:
    """Tell by its ending whether a file is a list of pictures."""
    return name.lower().endswith((*TABLES, *TEXTS))


def lines(location: str) -> Iterator[Line]:
    """Give the entries of a list one by one, relative paths joined to its folder.

    A table's column is the first of `COLUMNS` that its header names; without a header, the first column. Entries of a
    text stand on a line each, or between zero bytes as `find -print0` writes them. Errors: `SourceError`.
    """
    delimiter = next((mark for ending, mark in TABLES.items() if location.lower().endswith(ending)), None)
    empty = True
    try:
        with open_file(location) as file:
            for entry in _entries(file) if delimiter is None else _rows(file, delimiter):
                empty = False
                yield _line(location, entry)
    except (OSError, csv.Error, ValueError) as error:
        fault = SourceError(f"{location}: cannot be read to its end as a list ({error}); mend it and try again")
        yield Line(f"{location}#rest", error=fault)
        return
    if empty:
        raise NoImagesError(f"{location}: lists no picture; write a path or an address on each line")


def resolve(location: str, target: str) -> str:
    """Say where an entry of a list leads. Errors: `SourceError` for one that a list in a store must not name."""
    plain = without_local_scheme(target)
    if is_url(plain) or is_stored(plain):
        return plain
    if is_stored(location) and (plain.startswith(("/", "\\")) or plain != target):
        raise SourceError(f"{target}: a list in a store names a path of this machine; copy the list here to use it")
    return join(location, plain)


def _line(location: str, entry: Line) -> Line:
    try:
        return replace(entry, target=resolve(location, entry.target))
    except SourceError as error:
        return replace(entry, error=error)


def _entries(file: BinaryIO) -> Iterator[Line]:
    end = b"\0" if b"\0" in file.read(_PEEKED_BYTES) else b"\n"
    file.seek(0)
    rest = b""
    first = True
    while block := file.read(_PEEKED_BYTES):
        *whole, rest = (rest + block).split(end)
        for raw in whole:
            yield from _entry(raw, first)
            first = False
        if len(rest) > _LONGEST_BYTES:
            raise ValueError(f"a line of more than {_LONGEST_BYTES} bytes")
    yield from _entry(rest, first)


def _entry(raw: bytes, first: bool) -> Iterator[Line]:
    """Take a name's bytes as the system does; those that are no UTF-8 are kept."""
    raw = (raw.removeprefix(b"\xef\xbb\xbf") if first else raw).removesuffix(b"\r")
    if raw.strip():
        yield Line(raw.decode("utf-8", "surrogateescape"))


def _rows(file: BinaryIO, delimiter: str) -> Iterator[Line]:
    text = io.TextIOWrapper(file, encoding="utf-8-sig", errors="surrogateescape", newline="")
    rows = csv.reader(text, delimiter=delimiter)
    header = next(rows, [])
    named = [cell.strip().lower() for cell in header]
    column = next((named.index(name) for name in COLUMNS if name in named), None)
    if column is None and header and header[0].strip():
        yield Line(header[0])
    label, identity = (named.index(name) if column is not None and name in named else None for name in ("label", "id"))
    for row in rows:
        if len(row) > (column or 0) and row[column or 0].strip():
            yield Line(row[column or 0], _cell(row, label), _cell(row, identity))
    text.detach()


def _cell(row: list[str], column: int | None) -> str | None:
    return row[column] or None if column is not None and column < len(row) else None
