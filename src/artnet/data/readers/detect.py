"""The layout of a collection, recognised by its names and tables without opening an image."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from artnet.data.catalog import KINDS, Catalog, Kind, Record
from artnet.data.readers.collection import Collection, folder_of, open_collection
from artnet.data.readers.folders import read_folders, read_wikiart, split_tables
from artnet.data.readers.iiif import read_iiif
from artnet.data.readers.parquet import read_parquet
from artnet.data.readers.tables import (
    PAINTER_BY_NUMBERS_TABLE,
    listing_tables,
    lists_images,
    read_painter_by_numbers,
    read_table,
)
from artnet.errors import DataError, UsageError
from artnet.fetch.http import is_url
from artnet.sources.item import DEFAULT_RULES, SourceRules
from artnet.sources.lists import is_list
from artnet.sources.tables import TABLE_SUFFIXES

Reader = Callable[[Collection, SourceRules], Iterator[Record]]
# One reader a layout; a new one is a function, a line here and in `Kind`, and the names by which it is recognised.
READERS: dict[Kind, Reader] = {
    "painter-by-numbers": read_painter_by_numbers,
    "wikiart": read_wikiart,
    "huggingface": read_parquet,
    "folders": read_folders,
    "csv": read_table,
    "iiif": read_iiif,
}
# Looser names are read if the kind is named, but IMG_0001 or cubism_01 must not make an artist of a camera or a style.
_WIKIART_ARTIST = re.compile(r"[^_A-Z0-9]+-[^_A-Z0-9]+_")


def read_catalog(source: str | Path, kind: str | None = None, rules: SourceRules = DEFAULT_RULES) -> Catalog:
    """Read the catalog of a collection without opening an image.

    Args:
        source: a path or an address
        kind: the layout, one of `KINDS`; None to recognise it
        rules: what reading may cost and which servers it may contact

    Raises:
        SourceError: if nothing is there
        DataError: if no layout fits, or its table or archive is broken
        UsageError: if there is no such kind
    """
    collection = open_collection(str(source), rules)
    chosen = _recognise(collection) if kind is None else _named_kind(kind)
    records = tuple(record.printable() for record in READERS[chosen](collection, rules))
    if not records:
        raise DataError(f"{collection.path}: read as {chosen}, but it lists no painting")
    if chosen == "iiif" and not any(record.style for record in records):
        raise DataError(
            f"{collection.path}: its manifests name no style in their metadata; write a table with the columns path "
            "and style whose path is this address"
        )
    folder = collection if collection.is_folder else folder_of(collection.path)
    is_kaggle = chosen == "painter-by-numbers"
    return Catalog(
        name=folder.name if is_kaggle else collection.name,
        kind=chosen,
        records=records,
        searched=f"train, test and their zip archives in {folder.path}" if is_kaggle else folder.path,
        hidden_count=collection.hidden_count,
    )


def _named_kind(name: str) -> Kind:
    for kind in KINDS:
        if kind == name:
            return kind
    raise UsageError(f"unknown catalog kind {name!r}; use one of {', '.join(KINDS)}")


def _recognise(collection: Collection) -> Kind:
    if not collection.is_folder:
        return _recognise_file(collection)
    if PAINTER_BY_NUMBERS_TABLE in collection.files:
        return "painter-by-numbers"
    if any(not lists_images(collection.child(table)) for table in split_tables(collection)):
        return "wikiart"
    if collection.named(".parquet"):
        return "huggingface"
    if listing_tables(collection):
        return "csv"
    has_folders = any("/" in name for name in collection.files)
    if not has_folders and collection.named(*TABLE_SUFFIXES):  # the reader says what its columns lack
        return "csv"
    return _recognise_names(collection)


def _recognise_file(file: Collection) -> Kind:
    suffix = Path(file.path).suffix.lower()
    if is_url(file.path) or suffix == ".json":
        return "iiif"
    if is_list(file.path):
        return "painter-by-numbers" if file.name == PAINTER_BY_NUMBERS_TABLE else "csv"
    if suffix == ".parquet":
        return "huggingface"
    if file.is_archive:
        return _recognise_names(file)
    raise DataError(f"{file.path}: neither a folder, an archive, a table, a .parquet file nor a IIIF document (.json)")


def _recognise_names(collection: Collection) -> Kind:
    names = [name.rpartition("/")[2] for name, _ in collection.images()]
    if not names:
        raise DataError(
            f"{collection.path}: no catalog found; expected {PAINTER_BY_NUMBERS_TABLE}, a .csv with the columns path "
            "and style, .parquet files, or images in folders named by style"
        )
    named_by_artist = sum(_WIKIART_ARTIST.match(name) is not None for name in names)
    return "wikiart" if 2 * named_by_artist > len(names) else "folders"
