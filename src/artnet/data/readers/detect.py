"""Recognise the layout of a collection and read it into a catalog, without opening a picture.

Knows nothing about movements, splits or pixels.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from artnet.data.catalog import KINDS, Catalog, Kind, Record
from artnet.data.readers.folders import read_folders, read_wikiart, split_tables
from artnet.data.readers.iiif import read_iiif
from artnet.data.readers.parquet import read_parquet
from artnet.data.readers.tables import PAINTER_BY_NUMBERS_TABLE, lists_pictures, read_painter_by_numbers, read_table
from artnet.errors import DataError, SourceError, UsageError
from artnet.fetch.http import is_url
from artnet.sources.item import DEFAULT_RULES, SourceRules, is_image_name
from artnet.sources.stores import is_stored, without_local_scheme
from artnet.sources.tree import Tree, folder_of, is_archive, is_folder, last_name, open_tree

# Where a kind's pictures are looked for, before the name of its folder.
_PICTURES_OF: dict[Kind, str] = {"painter-by-numbers": "train, test and their zip archives in "}
# Looser names are read when asked for, but IMG_0001 or cubism_01 must not make an artist of a camera or a style.
_WIKIART_ARTIST = re.compile(r"[^_A-Z0-9]+-[^_A-Z0-9]+_")


def read_catalog(source: str | Path, kind: str | None = None, rules: SourceRules = DEFAULT_RULES) -> Catalog:
    """Read the collection at `source`, a path or an address, recognising its layout unless `kind` names it.

    Errors: `SourceError` where nothing is there, `DataError` where no layout fits or the table is broken.
    """
    location, folder = _located(str(source))
    tree = open_tree(location) if folder else None
    chosen = _recognise(location, tree) if kind is None else _named_kind(kind)
    records = tuple(record.printable() for record in _read(chosen, location, tree, rules))
    if not records:
        raise DataError(f"{location}: read as {chosen}, but it lists no painting")
    if chosen == "iiif" and not any(record.style for record in records):
        raise DataError(
            f"{location}: its manifests name no style in their metadata; write a table with the columns path and style "
            "whose path is this address"
        )
    of_folder = chosen == "painter-by-numbers" and not folder
    return Catalog(
        name=last_name(folder_of(location) if of_folder else location) or location,
        kind=chosen,
        records=records,
        looked_in=_PICTURES_OF.get(chosen, "") + (location if folder else folder_of(location)),
    )


def _located(source: str) -> tuple[str, bool]:
    """Bring a source to one spelling and tell whether it is a folder."""
    source = without_local_scheme(source)
    if is_url(source):
        return source, False
    if is_stored(source):
        return source.rstrip("/"), is_folder(source)
    path = Path(source)
    if not path.exists():
        raise SourceError(f"{source}: no such file or folder; check the spelling")
    # "." has no name of its own; a file keeps its name, which a link into a cache of blobs would lose.
    return (str(path.resolve()), True) if path.is_dir() else (str(path.parent.resolve() / path.name), False)


def _named_kind(name: str) -> Kind:
    for kind in KINDS:
        if kind == name:
            return kind
    raise UsageError(f"unknown catalog kind {name!r}; use one of {', '.join(KINDS)}")


def _recognise(location: str, folder: Tree | None) -> Kind:
    if folder is None:
        return _recognise_file(location)
    if PAINTER_BY_NUMBERS_TABLE in folder.places:
        return "painter-by-numbers"
    if any(not lists_pictures(folder.child(table)) for table in split_tables(folder)):
        return "wikiart"
    if _parquets(folder):
        return "huggingface"
    tables = _tables(folder)
    if len(tables) == 1 and (not any("/" in name for name in folder.places) or lists_pictures(folder.child(tables[0]))):
        return "csv"
    return _recognise_names(location, folder.places)


def _recognise_file(location: str) -> Kind:
    ending = Path(location).suffix.lower()
    if is_url(location) or ending == ".json":
        return "iiif"
    if ending == ".csv":
        return "painter-by-numbers" if last_name(location) == PAINTER_BY_NUMBERS_TABLE else "csv"
    if ending == ".parquet":
        return "huggingface"
    if is_archive(location):
        return _recognise_names(location, open_tree(location).places)
    raise DataError(
        f"{location}: neither a folder, an archive, a .csv table, a .parquet file nor a IIIF document (.json)"
    )


def _recognise_names(location: str, names: Iterable[str]) -> Kind:
    pictures = [name.rpartition("/")[2] for name in names if is_image_name(name)]
    if not pictures:
        raise DataError(
            f"{location}: no catalog found; expected {PAINTER_BY_NUMBERS_TABLE}, a .csv with the columns path "
            "and style, .parquet files, or pictures in folders named by style"
        )
    named_by_artist = sum(_WIKIART_ARTIST.match(name) is not None for name in pictures)
    return "wikiart" if 2 * named_by_artist > len(pictures) else "folders"


def _read(kind: Kind, location: str, folder: Tree | None, rules: SourceRules) -> Iterator[Record]:
    if kind == "iiif":
        return read_iiif(location, rules)
    if kind == "painter-by-numbers":
        return read_painter_by_numbers(folder.child(PAINTER_BY_NUMBERS_TABLE) if folder else location)
    if kind == "csv":
        return read_table(_only_table(folder) if folder else location, rules)
    if kind == "huggingface":
        return _read_huggingface(location, folder)
    tree = folder or open_tree(location)
    return read_wikiart(tree) if kind == "wikiart" else read_folders(tree)


def _read_huggingface(location: str, folder: Tree | None) -> Iterator[Record]:
    if folder is None:
        yield from read_parquet(location, f"{last_name(folder_of(location))}/{last_name(location)}")
        return
    names = _parquets(folder)
    if not names:
        raise DataError(f"{location}: holds no .parquet file")
    for name in names:
        yield from read_parquet(folder.child(name), f"{folder.name}/{name}")


def _parquets(folder: Tree) -> list[str]:
    return [name for name in folder.places if name.endswith(".parquet")]


def _tables(folder: Tree) -> list[str]:
    return [name for name in folder.places if name.endswith(".csv") and "/" not in name]


def _only_table(folder: Tree) -> str:
    tables = _tables(folder)
    if len(tables) != 1:
        raise DataError(
            f"{folder.location}: holds {len(tables)} .csv tables where one was expected; name the table itself"
        )
    return folder.child(tables[0])
