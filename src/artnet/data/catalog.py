"""A collection's catalog: its records, and their images' bytes."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, Literal, get_args

from artnet.errors import ArtNetError, SourceError
from artnet.sources.item import DEFAULT_RULES, Location, SourceItem, SourceRules, printable
from artnet.sources.parquet import ParquetReader, ParquetRow

Kind = Literal["painter-by-numbers", "wikiart", "huggingface", "folders", "csv", "iiif"]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True, slots=True)
class Record:
    """One painting of a collection as its catalog describes it.

    `location` is None where there is no such file; `error` says why an image is known to be unreadable.
    """

    source: str
    location: Location | None
    style: str
    artist: str | None = None
    title: str | None = None
    date: str | None = None
    error: ArtNetError | None = None

    def printable(self) -> Record:
        """Return the record with the bytes of a name that are no UTF-8 escaped; no table or shard can hold them."""
        texts = {field.name: getattr(self, field.name) for field in fields(self)}
        changes: dict[str, Any] = {name: printable(text) for name, text in texts.items() if isinstance(text, str)}
        return replace(self, **changes) if any(texts[name] != text for name, text in changes.items()) else self


@dataclass(frozen=True)
class Catalog:
    """A collection's records in the catalog's own order.

    `searched` says where their images were looked for, `hidden_count` how many files and folders were passed over.
    """

    name: str
    kind: Kind
    records: tuple[Record, ...]
    searched: str = ""
    hidden_count: int = 0

    @property
    def missing(self) -> int:
        """Return how many records have no file."""
        return sum(record.location is None and record.error is None for record in self.records)


class RecordReader:
    """A reader of records' images that keeps the last Parquet file open until the `with` block ends."""

    def __init__(self, rules: SourceRules = DEFAULT_RULES) -> None:
        self._rules = rules
        self._rows = ParquetReader(rules)

    def __enter__(self) -> RecordReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close every file."""
        self._rows.close()

    def read(self, record: Record) -> bytes:
        """Read one record's image.

        Raises:
            ArtNetError: if there is none, or it cannot be read
        """
        if isinstance(record.location, ParquetRow):
            return self._rows.read(record.source, record.location)
        if record.location is None and record.error is None:
            raise SourceError(f"{record.source}: the catalog lists it but there is no such file")
        return SourceItem(record.source, record.location, record.error).read(self._rules)
