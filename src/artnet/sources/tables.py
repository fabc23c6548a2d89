"""Rows of tables and lists, in the encodings and with the separators that spreadsheets and shells write."""

from __future__ import annotations

import codecs
import csv
import json
import logging
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from io import TextIOWrapper
from itertools import chain
from typing import BinaryIO, TextIO

from artnet.errors import NoImagesError
from artnet.fetch.http import is_url
from artnet.sources.listing import archive_lister
from artnet.sources.local import has_image_suffix
from artnet.sources.stores import is_local_url, is_stored, open_file

logger = logging.getLogger(__name__)

TABLE_SUFFIXES = (".csv", ".tsv", ".jsonl", ".ndjson")
LIST_SUFFIXES = (*TABLE_SUFFIXES, ".txt", ".lst")
# The headers under which tables keep images, as `column_name` spells them, the best first. FullName is PowerShell's.
PATH_COLUMNS = (
    *("path", "filepath", "imagepath", "imgpath", "fullname", "newfilename", "filename", "imagefilename", "imagefile"),
    *("file", "image", "img", "imagename", "imageurl", "imgurl", "url", "uri", "address", "source", "src"),
)
LABEL_COLUMNS = ("label", "style", "class")
_SEPARATORS = ",;\t|"
_BLOCK_BYTES = 2**16
_MAX_LINE_LENGTH = 2**20  # characters
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # begins as that of UTF-16 does
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Latin letters in UTF-16, each with a zero byte; between zero bytes these would be three names of one byte.
_UTF16_LETTERS = re.compile(rb"(?:[^\0]\0){3}")
_SEPARATOR_LINE = re.compile(r'"?sep=(.)"?', re.IGNORECASE)  # of Excel
_NO_HEADER = re.compile(r"[/\\:]")  # image/ is a folder
_ROOTED = re.compile(r"\.{0,2}[/\\]|[A-Za-z]:[/\\]")


def column_name(header: str) -> str:
    """Return a header without case, blanks and marks, which people set as they like.

    >>> [column_name(header) for header in ("file_name", "File Name", "image.path", "FullName")]
    ['filename', 'filename', 'imagepath', 'fullname']
    """
    return re.sub(r"[\W_]+", "", header.casefold())


def table_rows(path: str) -> Iterator[dict[str, str]]:
    """Yield the rows of a table or list by `column_name`, each with its image under `path`.

    The column of images is the one whose header is among `PATH_COLUMNS` and whose first cell looks like an image's
    path or address; without such a header, any column whose cells do. A text has a row a line, or, as
    `find -print0` writes it, between zero bytes. A line of JSON Lines is an object, or a path.

    Raises:
        SourceError: if the file cannot be opened
        NoImagesError: if no column holds images
        OSError, ValueError, csv.Error: if it cannot be read on
    """
    with open_text(path) as text:
        suffix = path[path.rfind(".") :].lower()
        if suffix in (".jsonl", ".ndjson"):
            yield from _json_rows(path, lines(text))
        elif suffix in TABLE_SUFFIXES:
            yield from _table_rows(path, lines(text), "\t" if suffix == ".tsv" else ",")
        else:
            yield from _text_rows(path, text)


def separated_rows(path: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows of a table with any separator, the header first, each with the line on which it ends.

    Raises:
        SourceError: if the file cannot be opened
        OSError, ValueError, csv.Error: if it cannot be read on
    """
    with open_text(path) as text:
        yield from _separated(lines(text), "\t" if path.lower().endswith(".tsv") else ",")


def csv_rows(path: str) -> Iterator[list[str]]:
    """Yield the rows of a table separated by commas, cell by cell, the first like all others.

    Raises:
        SourceError: if the file cannot be opened
        OSError, ValueError, csv.Error: if it cannot be read on
    """
    with open_text(path) as text:
        yield from csv.reader(lines(text))


@contextmanager
def open_text(path: str) -> Iterator[TextIO]:
    """Open a text in the encoding that its bytes tell; bytes that are not in it are kept as surrogates.

    What is neither UTF-8 nor UTF-16 is read as Windows-1252, the encoding of Western Windows, with a warning.

    Raises:
        SourceError: if it cannot be opened
    """
    with open_file(path) as file:
        encoding = _encoding(file)
        file.seek(0)
        if encoding == "cp1252":
            logger.warning("%s: is not in UTF-8; read as Windows-1252: save it as UTF-8 if letters are wrong", path)
        # UTF-16 has no bytes of a name to keep.
        errors = "surrogateescape" if encoding in ("utf-8", "utf-8-sig", "cp1252") else "strict"
        with TextIOWrapper(file, encoding, errors, newline="") as text:
            yield text


def lines(text: TextIO) -> Iterator[str]:
    """Yield the lines of a text with their ends.

    Raises:
        ValueError: if a line is so long that the text cannot be a list
    """
    while line := text.readline(_MAX_LINE_LENGTH):
        if len(line) == _MAX_LINE_LENGTH:
            raise ValueError(f"a line of more than {_MAX_LINE_LENGTH} characters")
        yield line


def is_location(text: str) -> bool:
    """Return whether a text looks like a path or an address, rather than like a header or a style.

    >>> [is_location(text) for text in ("a.jpg", "s3://b/c/", "x/y", "./y", "Artist / Maker", "Cubism")]
    [True, True, False, True, False, False]
    """
    text = text.strip().strip("\"'")
    if is_url(text) or is_stored(text) or is_local_url(text) or _ROOTED.match(text):
        return True
    return has_image_suffix(text) or archive_lister(text) is not None or text.lower().endswith((".parquet", ".json"))


def _encoding(file: BinaryIO) -> str:
    start = file.read(_BLOCK_BYTES)
    marked = next((encoding for mark, encoding in _BYTE_ORDER_MARKS if start.startswith(mark)), None)
    if marked is not None:
        return marked
    if letters := _UTF16_LETTERS.search(start):
        return "utf-16-be" if letters.start() % 2 else "utf-16-le"
    return "utf-8" if b"\0" in start or _is_utf8(start, file) else "cp1252"


def _is_utf8(start: bytes, file: BinaryIO) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for block in chain([start], iter(lambda: file.read(_BLOCK_BYTES), b"")):
            decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _text_rows(path: str, text: TextIO) -> Iterator[dict[str, str]]:
    """Yield a row a line, unless the first says that they are those of a table, as in the "Unicode text" of Excel."""
    start = text.read(_BLOCK_BYTES)
    text.seek(0)
    if "\0" in start:
        yield from ({"path": name} for name in _between_zeros(text))
        return
    first = next(each_line := lines(text), "")
    separator = next((each for each in _SEPARATORS if each in first and _has_path_header(first.split(each))), None)
    if separator is not None or "\t" in first:
        yield from _table_rows(path, chain([first], each_line), separator or "\t")
        return
    if not _has_path_header([first]):
        yield {"path": first.rstrip("\r\n")}
    yield from ({"path": line.rstrip("\r\n")} for line in each_line)


def _has_path_header(row: Sequence[str]) -> bool:
    return any(column_name(cell) in PATH_COLUMNS and _NO_HEADER.search(cell) is None for cell in row)


def _between_zeros(text: TextIO) -> Iterator[str]:
    rest = ""
    while block := text.read(_BLOCK_BYTES):
        *names, rest = (rest + block).split("\0")
        yield from names
        if len(rest) > _MAX_LINE_LENGTH:
            raise ValueError(f"a name of more than {_MAX_LINE_LENGTH} characters")
    yield rest


def _table_rows(path: str, text: Iterator[str], separator: str) -> Iterator[dict[str, str]]:
    rows = (row for _, row in _separated(text, separator) if any(row))
    first = next(rows, [])
    names = [column_name(cell) for cell in first]
    column = next((index for index, cell in enumerate(first) if is_location(cell)), None)
    if column is not None and not _has_path_header(first):
        yield from ({"path": _cell(row, column)} for row in chain([first], rows))
        return
    for number, row in enumerate(rows):
        column = _path_column(names, row) if number == 0 else column
        if column is None:
            raise _no_column(path, first)
        yield {**{name: _cell(row, index) for index, name in enumerate(names)}, "path": _cell(row, column)}


def _separated(text: Iterator[str], separator: str) -> Iterator[tuple[int, list[str]]]:
    """Yield rows with the lines on which they end, in the separator that a first line names or that fits best."""
    skipped, first = 0, next(text, "")
    while first and (not first.strip() or first.startswith("#TYPE ")):  # PowerShell's Export-Csv
        skipped, first = skipped + 1, next(text, "")
    if named := _SEPARATOR_LINE.fullmatch(first.rstrip("\r\n")):
        separator, head, skipped = named[1], [], skipped + 1
    elif head := [line for line in (first, next(text, "")) if line]:
        separator = max(separator + _SEPARATORS, key=lambda each: _merit(head, each))
    rows = csv.reader(chain(head, text), delimiter=separator, skipinitialspace=True)
    for row in rows:
        yield skipped + rows.line_num, row


def _merit(head: Sequence[str], separator: str) -> tuple[bool, bool, int]:
    """Return how well a separator fits a table's first lines: it finds a known header, a path, or many columns."""
    first, *others = csv.reader(head, delimiter=separator, skipinitialspace=True)
    widths = {len(row) for row in (first, *others)}
    return (
        _has_path_header(first),
        any(map(is_location, first)),
        len(first) if len(widths) == 1 else 1,
    )


def _path_column(names: Sequence[str], row: Sequence[str]) -> int | None:
    known = sorted((PATH_COLUMNS.index(name), index) for index, name in enumerate(names) if name in PATH_COLUMNS)
    columns = [index for _, index in known] or list(range(len(names)))
    likely = (index for index in columns if is_location(_cell(row, index)))
    return next(likely, columns[0] if known else None)


def _json_rows(path: str, text: Iterable[str]) -> Iterator[dict[str, str]]:
    images: str | None = None
    for number, line in enumerate(text, start=1):
        value = json.loads(line) if line.strip() else ""
        if isinstance(value, str):
            yield {"path": value}
            continue
        if not isinstance(value, dict):
            raise ValueError(f"line {number} is no JSON object")
        cells = {column_name(name): "" if cell is None else str(cell) for name, cell in value.items()}
        if images is None:
            column = _path_column(list(cells), list(cells.values()))
            if column is None:
                raise _no_column(path, list(value))
            images = list(cells)[column]
        yield {**cells, "path": cells.get(images, "")}


def _no_column(path: str, columns: Sequence[str]) -> NoImagesError:
    names = ", ".join(columns)
    return NoImagesError(f"{path}: none of its columns ({names}) holds images; call the one with their paths 'path'")


def _cell(row: Sequence[str], column: int) -> str:
    return row[column] if column < len(row) else ""
