"""Say what a collection's records are, read their bytes, and bring artists' names to one spelling.

Knows nothing about layouts, movements, splits or pixels.
"""

from __future__ import annotations

import re
import unicodedata
from contextlib import ExitStack
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq

from artnet.errors import SourceError, TooLargeError
from artnet.sources.item import DEFAULT_RULES, Location, SourceRules
from artnet.sources.stores import open_file

Kind = Literal["painter-by-numbers", "wikiart", "huggingface", "folders", "csv", "iiif"]
KINDS: tuple[Kind, ...] = ("painter-by-numbers", "wikiart", "huggingface", "folders", "csv", "iiif")

_BROKEN_ROWS = (OSError, KeyError, IndexError, pa.ArrowException)
# UTF-8 read as code page 437 or 866: WikiArt's releases hold André Lhote with box-drawing characters for his accent.
_MOJIBAKE = re.compile(r"[^\x00-\x7f]*[\u2500-\u257f][^\x00-\x7f]*")
# Names in our collections that no rule of spelling brings together, in alphabetical order of their words.
_SAME_ARTIST = {
    "auguste renoir": "auguste pierre renoir",
    "baptiste camille corot jean": "camille corot",
    "ivan kramskoi": "ivan kramskoy",
    "kandinskiy vasiliy": "kandinsky wassily",
    "алексеи венецианов": "alexey venetsianov",
    "константин маковскии": "konstantin makovsky",
    "мане эдуард": "edouard manet",
}
_UNKNOWN_ARTISTS = frozenset({"", "unknown artist", "unknown", "anonymous", "nan"})
_ROWS_AT_ONCE = 16  # some files hold thousands of pictures in one row group: no more of them in memory than needed


@dataclass(frozen=True)
class ParquetRow:
    """A picture in a row of a Parquet file's row group, counted from the group's first."""

    path: str
    group: int
    row: int

    def read(self, name: str, rules: SourceRules) -> bytes:
        """Read it alone, which a reader that goes on from row to row does many times faster."""
        with RecordReader(rules) as reader:
            return reader.read_row(name, self)


@dataclass(frozen=True)
class Record:
    """One painting of a collection as its catalog describes it; `location` is None where its file is missing."""

    source: str
    location: Location | None
    style: str
    artist: str | None = None
    title: str | None = None
    date: str | None = None

    def printable(self) -> Record:
        """Replace the bytes of a name that are no UTF-8, which neither a table nor a shard can hold."""
        try:
            "".join((self.source, self.style, self.artist or "", self.title or "", self.date or "")).encode()
            return self
        except UnicodeEncodeError:
            changes: dict[str, Any] = {
                name: value.encode("utf-8", "backslashreplace").decode()
                for name, value in vars(self).items()
                if isinstance(value, str)
            }
            return replace(self, **changes)


@dataclass(frozen=True)
class Catalog:
    """A collection's records in the catalog's own order; `looked_in` says where their pictures were looked for."""

    name: str
    kind: Kind
    records: tuple[Record, ...]
    looked_in: str = ""

    @property
    def missing(self) -> int:
        """Count the records whose file is not there."""
        return sum(record.location is None for record in self.records)


class RecordReader:
    """Read the bytes of records, keeping the last Parquet file open until the `with` block ends.

    Rows of a Parquet file are read fastest in the catalog's order, which takes one pass through the file.
    """

    def __init__(self, rules: SourceRules = DEFAULT_RULES) -> None:
        self._rules = rules
        self._rows: _RowGroup | None = None

    def __enter__(self) -> RecordReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close every file."""
        if self._rows is not None:
            self._rows.close()
            self._rows = None

    def read(self, record: Record) -> bytes:
        """Read one record's picture. Errors: an `ArtNetError` where there is none or it cannot be read."""
        place = record.location
        if place is None:
            raise SourceError(f"{record.source}: the catalog lists it but there is no such file")
        if isinstance(place, ParquetRow):
            return self.read_row(record.source, place)
        return place.read(record.source, self._rules)

    def read_row(self, source: str, place: ParquetRow) -> bytes:
        """Read the picture of a row. Errors: `SourceError`, `TooLargeError`."""
        try:
            if self._rows is None or not self._rows.leads_to(place):
                self.close()
                self._rows = _RowGroup(place)
            data = self._rows.picture(place.row)
        except _BROKEN_ROWS as error:
            self.close()
            raise SourceError(f"{source}: cannot be read from its Parquet file ({error})") from error
        if data is None:
            raise SourceError(f"{source}: its row holds no picture")
        if len(data) > self._rules.limits.size_bytes:
            raise TooLargeError(f"{source}: over the budget of {self._rules.limits.size_bytes} bytes")
        return data


class _RowGroup:
    """Walk forward through the pictures of one row group, holding only a few."""

    def __init__(self, place: ParquetRow) -> None:
        self._at = (place.path, place.group)
        with ExitStack() as stack:
            raw = stack.enter_context(open_file(place.path))
            # A buffer makes Arrow stream the column instead of loading the whole of it.
            self._file = stack.enter_context(pq.ParquetFile(raw, buffer_size=2**20, pre_buffer=False))
            self._batches = self._file.iter_batches(
                _ROWS_AT_ONCE, row_groups=[place.group], columns=["image"], use_threads=False
            )
            self._close = stack.pop_all()
        self._start = 0  # the row with which `_pictures` begins
        self._pictures: pa.Array = pa.array([])

    def leads_to(self, place: ParquetRow) -> bool:
        """Say whether a row is here and has not been passed already."""
        return self._at == (place.path, place.group) and place.row >= self._start

    def picture(self, row: int) -> bytes | None:
        """Give a row's bytes, None where it has none. Errors: `IndexError` behind the last row, Arrow's."""
        while row >= self._start + len(self._pictures):
            self._start += len(self._pictures)
            batch = next(self._batches, None)
            if batch is None:
                raise IndexError(f"there is no row {row}")
            self._pictures = batch.column(0)
        value = self._pictures[row - self._start].as_py()
        data: bytes | None = value["bytes"] if isinstance(value, dict) else value
        return data

    def close(self) -> None:
        """Close the file."""
        self._close.close()


def normalise_artist(artist: str | None) -> str | None:
    """Bring an artist's name to one spelling: no accents, lower case, words in alphabetical order.

    "Gogh, Vincent Van", "Vincent van Gogh" and "vincent-van-gogh" become the same; None where unknown.
    """
    if artist is None:
        return None
    artist = _MOJIBAKE.sub(" ", artist)
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", artist).casefold())
    bare = "".join(letter for letter in folded if not unicodedata.combining(letter))
    words = re.findall(r"[^\W_]+", bare)
    if " ".join(words) in _UNKNOWN_ARTISTS:
        return None
    name = " ".join(sorted(words))
    return _SAME_ARTIST.get(name, name)
