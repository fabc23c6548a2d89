"""Collections that a table lists: Painter by Numbers as downloaded, and tables of paths or addresses."""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import replace

from artnet.data.catalog import Record
from artnet.data.readers.collection import Collection, folder_of, open_collection
from artnet.data.readers.iiif import read_iiif
from artnet.errors import ArtNetError, DataError, NoImagesError, SourceError
from artnet.fetch.http import is_url
from artnet.sources.find import entry_holds_many, find_listed
from artnet.sources.iiif_image import WebImage
from artnet.sources.item import DEFAULT_RULES, InMemory, SourceItem, SourceRules
from artnet.sources.lists import ListEntry, list_entries
from artnet.sources.local import LocalFile, is_local_file
from artnet.sources.stores import StoredFile, check_listed, is_stored
from artnet.sources.tables import TABLE_SUFFIXES, table_rows

PAINTER_BY_NUMBERS_TABLE = "all_data_info.csv"
SPLITS = ("train", "test")
_METADATA = re.compile(r"(^|/)metadata\.\w+$", re.IGNORECASE)
_REPLACEMENTS = "replacements_for_corrupted_files"
# Kaggle cut its training images into train_1.zip ... as well; train_info.csv.zip holds no image.
_SPLIT_ARCHIVE = re.compile(r"(train|test)(_\d+)?\.zip", re.IGNORECASE)
STYLES = ("style", "label", "class")  # what people call the column of styles; the first that is there counts
_FILES = ("newfilename", "filename")
Files = dict[str, dict[str, SourceItem]]  # by the image's name: its file in train, in test or in both


def read_painter_by_numbers(collection: Collection, rules: SourceRules = DEFAULT_RULES) -> Iterator[Record]:
    """Yield the records of the Kaggle set as downloaded: one table, images in train/ and test/ or still in their zips.

    Raises:
        DataError: if the table or an archive cannot be read
    """
    folder = collection if collection.is_folder else folder_of(collection.path, rules)
    table = collection.child(PAINTER_BY_NUMBERS_TABLE) if collection.is_folder else collection.path
    files: Files | None = None
    for entry in _entries(table):
        _check_columns(table, entry, ("style",), _FILES)
        if files is None:
            files = _painter_by_numbers_files(folder)
        name = entry.value("newfilename") or entry.value("filename") or ""
        in_splits = files.get(_key(name), {})
        order = reversed(SPLITS) if (entry.value("intrain") or "").lower() in ("false", "0") else SPLITS
        item = next((in_splits[split] for split in order if split in in_splits), None)
        yield _with_item(_described(entry), f"{folder.name}/{name}", item)


def read_table(collection: Collection, rules: SourceRules) -> Iterator[Record]:
    """Yield the records of a table of paths and addresses, relative to it; of a folder, those of the tables in it.

    A path that leads to several images gives each of them the row's style, artist, title and date.

    Raises:
        DataError: if there is no table with a column of paths and one of `STYLES`
    """
    for table in _tables_in(collection) if collection.is_folder else [collection.path]:
        for entry in (entry for entry in _entries(table) if not entry.is_hidden):
            _check_columns(table, entry, STYLES)
            yield from _entry_records(table, entry, rules)


def listing_tables(folder: Collection) -> list[str]:
    """Return the tables that list a folder's images with their styles: the one at its top, or all `metadata` files.

    The latter are those of the Hugging Face Hub, which has one in each folder of images.
    """
    names = [name for name in folder.named(*TABLE_SUFFIXES) if "/" not in name or _METADATA.search(name)]
    tables = [folder.child(name) for name in names if lists_images(folder.child(name))]
    metadata = [table for table in tables if _METADATA.search(table)]
    return metadata or (tables if len(tables) == 1 else [])


def lists_images(table: str) -> bool:
    """Return whether a table has the columns of a list of images and their styles."""
    try:
        row = next(table_rows(table), {})
    except (ArtNetError, OSError, ValueError, csv.Error):
        return False
    return not row.keys().isdisjoint(STYLES)


def _entry_records(table: str, entry: ListEntry, rules: SourceRules) -> Iterator[Record]:
    about, target = _described(entry), entry.target
    if entry.error is not None:
        yield _with_item(about, entry.written, SourceItem(target, error=entry.error))
    elif entry_holds_many(target):
        if is_url(target):
            yield from (_merged(about, record) for record in read_iiif(Collection(target, False), rules))
        else:
            items = (item for item in find_listed(target, rules) if not item.is_hidden)
            yield from (_with_item(about, item.name, _seekable(item)) for item in items)
    elif is_url(target):
        yield _with_item(about, target, SourceItem(target, WebImage(target)))
    elif is_stored(target):
        yield _with_item(about, _name(table, entry), _stored_item(target, rules))
    else:
        item = SourceItem(target, LocalFile(target)) if is_local_file(target) else None
        yield _with_item(about, _name(table, entry), item)


def _name(table: str, entry: ListEntry) -> str:
    """Return what a record is called: by the name of the table's folder where its image lies there."""
    folder = folder_of(table)
    start = f"{folder.path.rstrip('/')}/"
    return f"{folder.name}/{entry.target.removeprefix(start)}" if entry.target.startswith(start) else entry.written


def _stored_item(target: str, rules: SourceRules) -> SourceItem:
    try:
        check_listed(target, rules)
    except SourceError as error:
        return SourceItem(target, error=error)
    return SourceItem(target, StoredFile(target))


def _entries(table: str) -> Iterator[ListEntry]:
    """Yield a table's entries, refusing one that cannot be read to its end."""
    try:
        for entry in list_entries(table):
            if not entry.fields:
                raise DataError(str(entry.error))
            yield entry
    except NoImagesError as error:
        raise DataError(str(error)) from error


def _check_columns(table: str, entry: ListEntry, *required: tuple[str, ...]) -> None:
    """Refuse a table without a column of each required group of names."""
    for names in required:
        if entry.fields.keys().isdisjoint(names):
            expected, present = " or ".join(map(repr, names)), ", ".join(entry.fields)
            raise DataError(f"{table}: has no column {expected}; those that were read are {present}")


def _tables_in(folder: Collection) -> list[str]:
    tables = listing_tables(folder) or [folder.child(name) for name in folder.named(*TABLE_SUFFIXES) if "/" not in name]
    if not tables or (len(tables) > 1 and not _METADATA.search(tables[0])):
        raise DataError(f"{folder.path}: holds {len(tables)} tables where one was expected; name the table itself")
    return tables


def _painter_by_numbers_files(folder: Collection) -> Files:
    files: Files = {}
    for name in folder.files:
        if _SPLIT_ARCHIVE.fullmatch(name):
            split = "train" if name.lower().startswith("train") else "test"
            _add(files, split, open_collection(folder.child(name), folder.rules).images())
    for split in SPLITS:
        _add(files, split, folder.images(split))
    if f"{_REPLACEMENTS}.zip" in folder.files:
        _replace(files, open_collection(folder.child(f"{_REPLACEMENTS}.zip"), folder.rules).images())
    _replace(files, folder.images(_REPLACEMENTS))
    return files


def _key(name: str) -> str:
    """Return the last part of a name in one Unicode form: tables and archives compose letters differently."""
    return unicodedata.normalize("NFC", name.rpartition("/")[2])


def _add(files: Files, split: str, images: Iterator[tuple[str, SourceItem]]) -> None:
    for name, item in images:
        files.setdefault(_key(name), {})[split] = item


def _replace(files: Files, images: Iterator[tuple[str, SourceItem]]) -> None:
    """Assign each replacement to the split that its own folder names, else to every image of its name."""
    for name, item in images:
        in_splits = files.setdefault(_key(name), {})
        named = [split for split in SPLITS if split in name.split("/")[:-1]]
        for split in [split for split in named if split in in_splits] or list(in_splits) or named or SPLITS:
            in_splits[split] = item


def _seekable(item: SourceItem) -> SourceItem:
    """Return an item whose bytes need not be kept, or one with the error that they would have to be."""
    if not isinstance(item.location, InMemory):
        return item
    fault = "lies where only reading from the front leads; unpack it, or make it a zip or a Parquet collection"
    return SourceItem(item.name, error=SourceError(f"{item.name}: {fault}"))


def _described(entry: ListEntry) -> Record:
    """Return a record of what a row says, without an image."""
    return Record(
        source="",
        location=None,
        style=entry.value(*STYLES) or "",
        artist=entry.value("artist", "painter", "creator", "author"),
        title=entry.value("title"),
        date=entry.value("date", "year"),
    )


def _with_item(about: Record, source: str, item: SourceItem | None) -> Record:
    """Return a record with its image; without an item its file is missing."""
    location, error = (item.location, item.error) if item is not None else (None, None)
    return replace(about, source=source, location=location, error=error)


def _merged(about: Record, record: Record) -> Record:
    """Return a record in which what the row says comes before what the image's own manifest says."""
    style, artist, title = about.style or record.style, about.artist or record.artist, about.title or record.title
    return replace(record, style=style, artist=artist, title=title, date=about.date or record.date)
