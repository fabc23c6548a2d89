"""Read a collection's table or folders into records: which file, which style, whose painting.

Knows nothing about movements, splits or pixels.
"""

from __future__ import annotations

import csv
import lzma
import re
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePath, PurePosixPath
from types import TracebackType
from typing import Any, Literal

from artnet.errors import DataError, SourceError, TooLargeError, UsageError
from artnet.image import DEFAULT_LIMITS, SUFFIXES, Limits, read_bytes

Kind = Literal["painter-by-numbers", "wikiart", "folders", "csv"]
KINDS: tuple[Kind, ...] = ("painter-by-numbers", "wikiart", "folders", "csv")
PAINTER_BY_NUMBERS_TABLE = "all_data_info.csv"

# artist_title-year, as the ArtGAN release of WikiArt names its files
_WIKIART_NAME = re.compile(r"(?P<artist>[^_]+)_(?P<title>.+?)(?:-(?P<date>1[0-9]{3}|20[0-9]{2}))?$")
# Looser names are read when asked for, but IMG_0001 or cubism_01 must not make an artist of a camera or a style.
_WIKIART_ARTIST = re.compile(r"[^_A-Z0-9]+-[^_A-Z0-9]+_")
_BROKEN_MEMBER = (OSError, KeyError, EOFError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, RuntimeError)
_UNKNOWN_ARTISTS = frozenset({"", "unknown artist", "unknown", "anonymous", "nan"})


@dataclass(frozen=True)
class Place:
    """Where a picture's bytes lie: a file, or a member of a zip archive."""

    path: Path
    member: str | None = None


@dataclass(frozen=True)
class Record:
    """One painting of a collection as its catalog describes it; `place` is None where its file is missing."""

    source: str
    place: Place | None
    style: str
    artist: str | None = None
    title: str | None = None
    date: str | None = None


@dataclass(frozen=True)
class Catalog:
    """A collection's records in the catalog's own order."""

    name: str
    kind: Kind
    records: tuple[Record, ...]


class RecordReader:
    """Read the bytes of records, keeping each archive open until the `with` block ends."""

    def __init__(self, limits: Limits = DEFAULT_LIMITS) -> None:
        self._limits = limits
        self._archives: dict[Path, zipfile.ZipFile] = {}

    def __enter__(self) -> RecordReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for archive in self._archives.values():
            archive.close()
        self._archives.clear()

    def read(self, record: Record) -> bytes:
        """Read one record's picture. Errors: `SourceError` where there is none or it cannot be read."""
        place = record.place
        if place is None:
            raise SourceError(f"{record.source}: the catalog lists it but there is no such file")
        if place.member is None:
            return read_bytes(place.path, self._limits)
        try:
            archive = self._archives.get(place.path)
            if archive is None:
                archive = self._archives[place.path] = zipfile.ZipFile(place.path)
            if archive.getinfo(place.member).file_size > self._limits.size_bytes:
                raise TooLargeError(f"{record.source}: over the budget of {self._limits.size_bytes} bytes")
            return archive.read(place.member)
        except _BROKEN_MEMBER as error:
            raise SourceError(f"{record.source}: cannot be read from its archive ({error})") from error


def read_catalog(source: Path, kind: str | None = None) -> Catalog:
    """Read the collection at `source`, recognising its layout unless `kind` names it.

    Errors: `SourceError` where nothing is there, `DataError` where no layout fits or the table is broken.
    """
    if not source.exists():
        raise SourceError(f"{source}: no such file or folder; check the spelling")
    source = source.resolve()  # "." has no name of its own
    chosen = _recognise(source) if kind is None else _named_kind(kind)
    records = tuple(_printable(record) for record in _READERS[chosen](source))
    if not records:
        raise DataError(f"{source}: read as {chosen}, but it lists no painting")
    return Catalog(name=source.name, kind=chosen, records=records)


def normalise_artist(artist: str | None) -> str | None:
    """Bring an artist's name to one spelling: no accents, lower case, words in alphabetical order.

    "Gogh, Vincent Van", "Vincent van Gogh" and "vincent-van-gogh" become the same; None where unknown.
    """
    if artist is None:
        return None
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", artist).casefold())
    bare = "".join(letter for letter in folded if not unicodedata.combining(letter))
    words = re.findall(r"[^\W_]+", bare)
    if " ".join(words) in _UNKNOWN_ARTISTS:
        return None
    return " ".join(sorted(words))


def _printable(record: Record) -> Record:
    """Replace the bytes of a name that are no UTF-8, which neither a table nor a shard can hold."""
    changes: dict[str, Any] = {
        name: value.encode("utf-8", "backslashreplace").decode()
        for name, value in vars(record).items()
        if isinstance(value, str)
    }
    return replace(record, **changes)


def _named_kind(name: str) -> Kind:
    for kind in KINDS:
        if kind == name:
            return kind
    raise UsageError(f"unknown catalog kind {name!r}; use one of {', '.join(KINDS)}")


def _recognise(source: Path) -> Kind:
    if source.suffix.lower() == ".csv":
        return "csv"
    if source.is_dir() and (source / PAINTER_BY_NUMBERS_TABLE).is_file():
        return "painter-by-numbers"
    tables = list(source.glob("*.csv")) if source.is_dir() else []
    if len(tables) == 1 and (not _style_folders(source) or _lists_pictures(tables[0])):
        return "csv"
    if source.is_dir() or zipfile.is_zipfile(source):
        names = [PurePosixPath(name).stem for name, _ in _pictures(source)]
        if not names:
            raise DataError(
                f"{source}: no catalog found; expected {PAINTER_BY_NUMBERS_TABLE}, a .csv with the columns path "
                "and style, or pictures in folders named by style"
            )
        named_by_artist = sum(_WIKIART_ARTIST.match(name) is not None for name in names)
        return "wikiart" if 2 * named_by_artist > len(names) else "folders"
    raise DataError(f"{source}: neither a folder, a zip archive nor a .csv table")


def _read_painter_by_numbers(source: Path) -> Iterator[Record]:
    """Read the Kaggle set as downloaded: one table, pictures in train/ and test/ or still in their zips."""
    folder = source if source.is_dir() else source.parent
    table = folder / PAINTER_BY_NUMBERS_TABLE
    places = {PurePosixPath(name).name: place for name, place in _painter_by_numbers_files(folder)}
    for row in _rows(table, required=("style", "new_filename")):
        name = row["new_filename"]
        yield Record(
            source=f"{folder.name}/{name}",
            place=places.get(name),
            style=row["style"],
            artist=row.get("artist") or None,
            title=row.get("title") or None,
            date=row.get("date") or None,
        )


def _painter_by_numbers_files(folder: Path) -> Iterator[tuple[str, Place]]:
    for part in ("train", "test"):
        if (folder / part).is_dir():
            yield from _pictures(folder / part)
        for archive in sorted(folder.glob(f"{part}*.zip")):
            yield from _pictures(archive)


def _read_wikiart(source: Path) -> Iterator[Record]:
    for record in _read_folders(source):
        match = _WIKIART_NAME.match(PurePosixPath(record.source).stem)
        if match is None:
            yield record
            continue
        yield Record(
            source=record.source,
            place=record.place,
            style=record.style,
            artist=match["artist"] if normalise_artist(match["artist"]) else None,
            title=match["title"],
            date=match["date"],
        )


def _read_folders(source: Path) -> Iterator[Record]:
    for name, place in _pictures(source):
        parent = PurePosixPath(name).parent.name
        if parent:
            yield Record(source=f"{source.name}/{name}", place=place, style=parent)


def _read_csv(source: Path) -> Iterator[Record]:
    tables = [source] if source.is_file() else sorted(source.glob("*.csv"))
    if len(tables) != 1:
        raise DataError(f"{source}: holds {len(tables)} .csv tables where one was expected; name the table itself")
    table = tables[0]
    for row in _rows(table, required=("path", "style")):
        path = table.parent / row["path"]
        yield Record(
            source=f"{table.parent.name}/{row['path']}",
            place=_place(path),
            style=row["style"],
            artist=row.get("artist") or None,
            title=row.get("title") or None,
            date=row.get("date") or None,
        )


def _place(path: Path) -> Place | None:
    try:
        return Place(path) if path.is_file() else None
    except (OSError, ValueError):  # a name that no file can have
        return None


_READERS: dict[Kind, Callable[[Path], Iterator[Record]]] = {
    "painter-by-numbers": _read_painter_by_numbers,
    "wikiart": _read_wikiart,
    "folders": _read_folders,
    "csv": _read_csv,
}


def _rows(table: Path, required: tuple[str, ...]) -> Iterator[dict[str, str]]:
    """Read a table's rows as dictionaries, refusing one without the required columns."""
    try:
        with table.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            columns = reader.fieldnames or []
            missing = [column for column in required if column not in columns]
            if missing:
                raise DataError(
                    f"{table}: has no column {missing[0]!r}; its first line names {', '.join(columns) or 'nothing'}"
                )
            for row in reader:
                yield {key: (value or "").strip() for key, value in row.items() if isinstance(key, str)}
    except FileNotFoundError:
        raise SourceError(f"{table}: no such file") from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{table}: cannot be read as a table ({error})") from error


def _pictures(source: Path) -> Iterator[tuple[str, Place]]:
    """List the pictures below a folder or in a zip archive, sorted by name."""
    if source.is_dir():
        for path in sorted(source.rglob("*")):
            below = path.relative_to(source)
            if _is_picture(below) and path.is_file():
                yield below.as_posix(), Place(path)
        return
    try:
        with zipfile.ZipFile(source) as archive:
            names = sorted(archive.namelist())
    except (OSError, zipfile.BadZipFile) as error:
        raise DataError(f"{source}: cannot be read as a zip archive ({error}); download it again") from error
    for name in names:
        if _is_picture(PurePosixPath(name)) and not name.endswith("/"):
            yield name, Place(source, name)


def _is_picture(name: PurePath) -> bool:
    """Go by the ending; hidden files and what macOS adds to archives are none."""
    hidden = any(part.startswith(".") or part == "__MACOSX" for part in name.parts)
    return name.suffix.lower() in SUFFIXES and not hidden


def _lists_pictures(table: Path) -> bool:
    try:
        next(_rows(table, required=("path", "style")), None)
    except DataError:
        return False
    return True


def _style_folders(source: Path) -> list[Path]:
    return [path for path in source.iterdir() if path.is_dir()]
