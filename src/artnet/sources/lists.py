"""Lists of paths and addresses in text files and tables, and the rows of CSV files."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import BinaryIO

from artnet.errors import NoImagesError, SourceError, reason
from artnet.fetch.http import is_url
from artnet.sources.stores import is_stored, join, open_file, without_local_scheme

LIST_SUFFIXES = (".csv", ".tsv", ".txt", ".lst")
COLUMNS = ("path", "source", "address", "url", "image", "file", "file_name", "filename", "new_filename")
_BLOCK_BYTES = 2**16
_MAX_LINE_BYTES = 2**20


@dataclass(frozen=True)
class ListEntry:
    """One entry: where it leads, or why nowhere, and what its table says of it."""

    target: str
    label: str | None = None
    id: str | None = None
    error: SourceError | None = None


def is_list(name: str) -> bool:
    """Return by its suffix whether a file is a list of images."""
    return name.lower().endswith(LIST_SUFFIXES)


def list_entries(path: str) -> Iterator[ListEntry]:
    """Yield the entries of a list one by one, relative paths joined to its folder.

    A table's column is the first of `COLUMNS` that its header names; without a header, the first column. Entries of a
    text stand on a line each, or between zero bytes as `find -print0` writes them. What keeps the list from being read
    to its end is the error of a last entry, `LIST#rest`.

    Raises:
        SourceError: if the list cannot be opened
        NoImagesError: if it has no entry
    """
    is_table = path.lower().endswith((".csv", ".tsv"))
    empty = True
    try:
        for entry in _table_entries(path) if is_table else _text_entries(path):
            empty = False
            yield _resolved(path, entry)
    except (OSError, csv.Error, ValueError) as error:
        message = f"{path}: cannot be read to its end as a list ({reason(error)}); mend it and try again"
        yield ListEntry(f"{path}#rest", error=SourceError(message))
        return
    if empty:
        raise NoImagesError(f"{path}: lists no image; write a path or an address on each line")


def csv_rows(path: str, errors: str = "strict") -> Iterator[list[str]]:
    """Yield the rows of a table, the header first: separated by tabs where its name ends in .tsv, else by commas.

    Args:
        path: a path or an address
        errors: what becomes of bytes that are no UTF-8, as for `open`

    Raises:
        SourceError: if the file cannot be opened
        OSError, ValueError, csv.Error: if it cannot be read on
    """
    with open_file(path) as file, io.TextIOWrapper(file, "utf-8-sig", errors, newline="") as text:
        yield from csv.reader(text, delimiter="\t" if path.lower().endswith(".tsv") else ",")


def resolve(path: str, target: str) -> str:
    """Return where an entry of the list at `path` leads.

    Raises:
        SourceError: if a list in a store names a path of this machine
    """
    plain = without_local_scheme(target)
    if is_url(plain) or is_stored(plain):
        return plain
    if is_stored(path) and (plain.startswith(("/", "\\")) or plain != target):
        raise SourceError(f"{target}: a list in a store names a path of this machine; copy the list here to use it")
    return join(path, plain)


def _resolved(path: str, entry: ListEntry) -> ListEntry:
    try:
        target = resolve(path, entry.target)
        return entry if target == entry.target else replace(entry, target=target)
    except SourceError as error:
        return replace(entry, error=error)


def _text_entries(path: str) -> Iterator[ListEntry]:
    """Yield a text's entries; bytes of a name that are no UTF-8 are kept, as the system takes them."""
    with open_file(path) as file:
        start = file.read(_BLOCK_BYTES)
        file.seek(len(codecs.BOM_UTF8) if start.startswith(codecs.BOM_UTF8) else 0)
        for line in _lines(file, b"\0" if b"\0" in start else b"\n"):
            if line.strip():
                yield ListEntry(line.removesuffix(b"\r").decode("utf-8", "surrogateescape"))


def _lines(file: BinaryIO, end: bytes) -> Iterator[bytes]:
    rest = b""
    while block := file.read(_BLOCK_BYTES):
        *lines, rest = (rest + block).split(end)
        yield from lines
        if len(rest) > _MAX_LINE_BYTES:
            raise ValueError(f"a line of more than {_MAX_LINE_BYTES} bytes")
    yield rest


def _table_entries(path: str) -> Iterator[ListEntry]:
    rows = csv_rows(path, "surrogateescape")
    header = next(rows, [])
    names = [cell.strip().lower() for cell in header]
    column = next((names.index(name) for name in COLUMNS if name in names), None)
    if column is None and header and header[0].strip():
        yield ListEntry(header[0])
    label, id_ = (names.index(name) if column is not None and name in names else None for name in ("label", "id"))
    for row in rows:
        if target := _cell(row, column or 0):
            yield ListEntry(target, _cell(row, label), _cell(row, id_))


def _cell(row: list[str], column: int | None) -> str | None:
    return (row[column] if row[column].strip() else None) if column is not None and column < len(row) else None
