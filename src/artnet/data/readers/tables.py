"""Read the collections that a table lists: Painter by Numbers as downloaded, and tables of paths or addresses.

Knows nothing about how a layout is recognised.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from artnet.data.catalog import Record
from artnet.data.readers.iiif import read_iiif
from artnet.errors import DataError, SourceError
from artnet.fetch.http import is_url
from artnet.sources.find import find_listed, leads_on
from artnet.sources.item import InMemory, Location, SourceItem, SourceRules, UnreadableLocation
from artnet.sources.lists import resolve
from artnet.sources.stores import LocalFile, StoredFile, WebFile, check_listed, is_stored, open_file
from artnet.sources.tree import Tree, folder_of, last_name, open_tree

PAINTER_BY_NUMBERS_TABLE = "all_data_info.csv"
PARTS = ("train", "test")
_REPLACEMENTS = "replacements_for_corrupted_files"
# Kaggle cut its training pictures into train_1.zip ... as well; train_info.csv.zip holds no picture.
_PART_ARCHIVE = re.compile(r"(train|test)(_\d+)?\.zip", re.IGNORECASE)
_STYLE, _FILE, _PATH = ("style",), ("new_filename", "filename"), ("path",)


def read_painter_by_numbers(table: str) -> Iterator[Record]:
    """Read the Kaggle set as downloaded: one table, pictures in train/ and test/ or still in their zips."""
    folder = folder_of(table)
    places: dict[str, dict[str, Location]] | None = None
    for row in rows(table, _STYLE, _FILE):
        if places is None:
            places = _painter_by_numbers_places(open_tree(folder))
        name = row.get("new_filename") or row.get("filename", "")
        found = places.get(name, {})
        order = reversed(PARTS) if row.get("in_train", "").lower() in ("false", "0") else PARTS
        place = next((found[part] for part in order if part in found), None)
        yield _record(f"{last_name(folder)}/{name}", place, row)


def read_table(table: str, rules: SourceRules) -> Iterator[Record]:
    """Read a table of paths and addresses, relative to it; one that leads to several pictures gives each its row."""
    folder = last_name(folder_of(table))
    for row in rows(table, _PATH, _STYLE):
        path = row["path"]
        try:
            target = resolve(table, path)
            if is_stored(target):
                check_listed(target, rules)
        except SourceError as error:
            yield _record(path, UnreadableLocation(error), row)
            continue
        if is_url(target) and leads_on(target):
            yield from (_with_row(record, row) for record in read_iiif(target, rules))
        elif _leads_on(target):
            yield from (_found(found, row) for found in find_listed(target, rules))
        elif is_url(target):
            yield _record(target, WebFile(target), row)
        else:
            name = path if is_stored(path) else f"{folder}/{path}"
            yield _record(name, StoredFile(target) if is_stored(target) else _place(target), row)


def rows(table: str, *required: tuple[str, ...]) -> Iterator[dict[str, str]]:
    """Read a table's rows as dictionaries, refusing one without a column of each required group of names."""
    try:
        with open_file(table) as raw, io.TextIOWrapper(raw, encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            columns = reader.fieldnames or []
            for names in required:
                if not set(names) & set(columns):
                    wanted, there = " or ".join(map(repr, names)), ", ".join(columns) or "nothing"
                    raise DataError(
                        f"{table}: has no column {wanted}; its first line, read as separated by commas, names {there}"
                    )
            for row in reader:
                yield {key: (value or "").strip() for key, value in row.items() if isinstance(key, str)}
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        hint = "; save it as UTF-8" if isinstance(error, UnicodeDecodeError) else ""
        raise DataError(f"{table}: cannot be read as a table ({error}){hint}") from error


def lists_pictures(table: str) -> bool:
    """Tell whether a table has the columns of a list of pictures."""
    try:
        next(rows(table, _PATH, _STYLE), None)
    except DataError:
        return False
    return True


def _painter_by_numbers_places(folder: Tree) -> dict[str, dict[str, Location]]:
    """Find the pictures: for each name its place in train, in test or in both."""
    places: dict[str, dict[str, Location]] = {}
    for name in folder.places:
        if _PART_ARCHIVE.fullmatch(name):
            part = "train" if name.lower().startswith("train") else "test"
            _sort_in(places, part, open_tree(folder.child(name)).pictures())
    for part in PARTS:
        _sort_in(places, part, folder.below(part))
    if f"{_REPLACEMENTS}.zip" in folder.places:
        _replace(places, open_tree(folder.child(f"{_REPLACEMENTS}.zip")).pictures())
    _replace(places, folder.below(_REPLACEMENTS))
    return places


def _sort_in(places: dict[str, dict[str, Location]], part: str, pictures: Iterator[tuple[str, Location]]) -> None:
    for name, place in pictures:
        places.setdefault(name.rpartition("/")[2], {})[part] = place


def _replace(places: dict[str, dict[str, Location]], pictures: Iterator[tuple[str, Location]]) -> None:
    """Put a replacement where its own folder says, or for every picture of its name."""
    for name, place in pictures:
        found = places.setdefault(name.rpartition("/")[2], {})
        own = [part for part in PARTS if part in name.split("/")[:-1]]
        for part in [part for part in own if part in found] or list(found) or own or PARTS:
            found[part] = place


def _leads_on(target: str) -> bool:
    try:
        return leads_on(target)
    except (OSError, ValueError):  # a name that no file can have
        return False


def _place(path: str) -> Location | None:
    try:
        return LocalFile(path) if Path(path).is_file() else None
    except (OSError, ValueError):  # a name that no file can have
        return None


def _found(found: SourceItem, row: Mapping[str, str]) -> Record:
    place = found.location
    if found.error is not None:
        place = UnreadableLocation(found.error)
    elif isinstance(place, InMemory):  # bytes of a whole collection would have to be kept
        reason = "lies where only reading from the front leads; unpack it, or make it a zip or a Parquet collection"
        place = UnreadableLocation(SourceError(f"{found.name}: {reason}"))
    return _record(found.name, place, row)


def _with_row(record: Record, row: Mapping[str, str]) -> Record:
    """Let what the row says come before what the picture's own manifest says."""
    words = {"artist": record.artist, "title": record.title, "date": record.date, "style": record.style}
    return _record(record.source, record.location, {name: row.get(name) or word or "" for name, word in words.items()})


def _record(source: str, place: Location | None, row: Mapping[str, str]) -> Record:
    artist, title, date = (row.get(column) or None for column in ("artist", "title", "date"))
    return Record(source, place, row["style"], artist, title, date)
