"""Collections that a table lists: Painter by Numbers as downloaded, and tables of paths or addresses."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping

from artnet.data.catalog import Record
from artnet.data.readers.collection import Collection, folder_of, open_collection
from artnet.data.readers.iiif import read_iiif
from artnet.errors import DataError, SourceError, reason
from artnet.fetch.http import is_url
from artnet.sources.find import entry_holds_many, find_listed
from artnet.sources.item import DEFAULT_RULES, InMemory, SourceItem, SourceRules
from artnet.sources.lists import csv_rows, resolve
from artnet.sources.local import LocalFile, is_local_file
from artnet.sources.stores import StoredFile, WebFile, check_listed, is_stored

PAINTER_BY_NUMBERS_TABLE = "all_data_info.csv"
SPLITS = ("train", "test")
_REPLACEMENTS = "replacements_for_corrupted_files"
# Kaggle cut its training images into train_1.zip ... as well; train_info.csv.zip holds no image.
_SPLIT_ARCHIVE = re.compile(r"(train|test)(_\d+)?\.zip", re.IGNORECASE)
_STYLE, _FILE, _PATH = ("style",), ("new_filename", "filename"), ("path",)
Files = dict[str, dict[str, SourceItem]]  # by the image's name: its file in train, in test or in both


def read_painter_by_numbers(collection: Collection, rules: SourceRules = DEFAULT_RULES) -> Iterator[Record]:
    """Yield the records of the Kaggle set as downloaded: one table, images in train/ and test/ or still in their zips.

    Raises:
        DataError: if the table or an archive cannot be read
    """
    folder = collection if collection.is_folder else folder_of(collection.path)
    table = collection.child(PAINTER_BY_NUMBERS_TABLE) if collection.is_folder else collection.path
    files: Files | None = None
    for row in _rows(table, _STYLE, _FILE):
        if files is None:
            files = _painter_by_numbers_files(folder)
        name = row.get("new_filename") or row.get("filename", "")
        in_splits = files.get(name, {})
        order = reversed(SPLITS) if row.get("in_train", "").lower() in ("false", "0") else SPLITS
        item = next((in_splits[split] for split in order if split in in_splits), None)
        yield _record(f"{folder.name}/{name}", item, row)


def read_table(collection: Collection, rules: SourceRules) -> Iterator[Record]:
    """Yield the records of a table of paths and addresses, relative to it.

    A path that leads to several images gives each of them the row's style, artist, title and date.

    Raises:
        DataError: if there is no table with the columns path and style
    """
    table = _only_table(collection) if collection.is_folder else collection.path
    for row in _rows(table, _PATH, _STYLE):
        try:
            target = resolve(table, row["path"])
            if is_stored(target):
                check_listed(target, rules)
        except SourceError as error:
            yield _record(row["path"], SourceItem(row["path"], error=error), row)
            continue
        yield from _row_records(table, row, target, rules)


def lists_images(table: str) -> bool:
    """Return whether a table has the columns of a list of images."""
    try:
        next(_rows(table, _PATH, _STYLE), None)
    except DataError:
        return False
    return True


def _row_records(table: str, row: Mapping[str, str], target: str, rules: SourceRules) -> Iterator[Record]:
    if entry_holds_many(target):
        if is_url(target):
            yield from (_with_row(record, row) for record in read_iiif(Collection(target, False), rules))
        else:
            yield from (_record(item.name, _seekable(item), row) for item in find_listed(target, rules))
    elif is_url(target):
        yield _record(target, SourceItem(target, WebFile(target)), row)
    elif is_stored(target):
        name = row["path"] if is_stored(row["path"]) else f"{folder_of(table).name}/{row['path']}"
        yield _record(name, SourceItem(target, StoredFile(target)), row)
    else:
        item = SourceItem(target, LocalFile(target)) if is_local_file(target) else None
        yield _record(f"{folder_of(table).name}/{row['path']}", item, row)


def _rows(table: str, *required: tuple[str, ...]) -> Iterator[dict[str, str]]:
    """Yield a table's rows by their columns, refusing one without a column of each required group of names."""
    try:
        rows = csv_rows(table)
        columns = next(rows, [])
        for names in required:
            if not set(names) & set(columns):
                expected, present = " or ".join(map(repr, names)), ", ".join(columns) or "nothing"
                raise DataError(
                    f"{table}: has no column {expected}; its first line, read as separated by commas, names {present}"
                )
        for row in filter(None, rows):
            cells = [cell.strip() for cell in row] + [""] * len(columns)
            yield dict(zip(columns, cells, strict=False))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        hint = "; save it as UTF-8" if isinstance(error, UnicodeDecodeError) else ""
        raise DataError(f"{table}: cannot be read as a table ({reason(error)}){hint}") from error


def _only_table(folder: Collection) -> str:
    tables = [name for name in folder.named(".csv") if "/" not in name]
    if len(tables) != 1:
        raise DataError(f"{folder.path}: holds {len(tables)} .csv tables where one was expected; name the table itself")
    return folder.child(tables[0])


def _painter_by_numbers_files(folder: Collection) -> Files:
    files: Files = {}
    for name in folder.files:
        if _SPLIT_ARCHIVE.fullmatch(name):
            split = "train" if name.lower().startswith("train") else "test"
            _add(files, split, open_collection(folder.child(name)).images())
    for split in SPLITS:
        _add(files, split, folder.images(split))
    if f"{_REPLACEMENTS}.zip" in folder.files:
        _replace(files, open_collection(folder.child(f"{_REPLACEMENTS}.zip")).images())
    _replace(files, folder.images(_REPLACEMENTS))
    return files


def _add(files: Files, split: str, images: Iterator[tuple[str, SourceItem]]) -> None:
    for name, item in images:
        files.setdefault(name.rpartition("/")[2], {})[split] = item


def _replace(files: Files, images: Iterator[tuple[str, SourceItem]]) -> None:
    """Assign each replacement to the split that its own folder names, else to every image of its name."""
    for name, item in images:
        in_splits = files.setdefault(name.rpartition("/")[2], {})
        named = [split for split in SPLITS if split in name.split("/")[:-1]]
        for split in [split for split in named if split in in_splits] or list(in_splits) or named or SPLITS:
            in_splits[split] = item


def _seekable(item: SourceItem) -> SourceItem:
    """Return an item whose bytes need not be kept, or one with the error that they would have to be."""
    if not isinstance(item.location, InMemory):
        return item
    fault = "lies where only reading from the front leads; unpack it, or make it a zip or a Parquet collection"
    return SourceItem(item.name, error=SourceError(f"{item.name}: {fault}"))


def _with_row(record: Record, row: Mapping[str, str]) -> Record:
    """Return a record in which what the row says comes before what the image's own manifest says."""
    texts = {"artist": record.artist, "title": record.title, "date": record.date, "style": record.style}
    item = SourceItem(record.source, record.location, record.error)
    return _record(record.source, item, {name: row.get(name) or text or "" for name, text in texts.items()})


def _record(source: str, item: SourceItem | None, row: Mapping[str, str]) -> Record:
    """Return the record of a row; without an item its file is missing."""
    artist, title, date = (row.get(column) or None for column in ("artist", "title", "date"))
    location, error = (item.location, item.error) if item is not None else (None, None)
    return Record(source, location, row["style"], artist, title, date, error)
