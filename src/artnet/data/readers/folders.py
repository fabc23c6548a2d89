"""Read the collections that folders and file names describe: WikiArt's, and plain folders named by style.

Knows nothing about how a layout is recognised.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from artnet.data.catalog import Record, normalise_artist
from artnet.errors import DataError
from artnet.sources.item import Location, is_image_name
from artnet.sources.stores import open_file
from artnet.sources.tree import Tree

SPLIT_TABLES = tuple(f"{task}_{split}.csv" for task in ("style", "artist", "genre") for split in ("train", "val"))
# artist_title-year, as the ArtGAN release of WikiArt names its files; (1) tells apart two of one name
_WIKIART_NAME = re.compile(r"(?P<artist>[^_]+)_(?P<title>.+?)(?:-(?P<date>1[0-9]{3}|20[0-9]{2})(?:\(\d+\))?)?$")
# The release's tables and archive spell accents differently, and unzip writes some as #U00e3.
_BEYOND_ASCII = re.compile(r"#U[0-9a-f]{4}|[^\x00-\x7f]")


def read_wikiart(source: Tree) -> Iterator[Record]:
    """Read style folders by their file names; what only the style tables list comes last, without a place."""
    there = set()
    for record in read_folders(source):
        there.add(_style_and_name(record.source))
        yield _wikiart_record(record.source, record.location)
    tables = [name for name in split_tables(source) if name.rpartition("/")[2].startswith("style_")]
    for name in (name for table in tables for name in _listed(source.child(table))):
        if _style_and_name(name) not in there:
            there.add(_style_and_name(name))
            yield _wikiart_record(f"{source.name}/{name}", None)


def read_folders(source: Tree) -> Iterator[Record]:
    """Read pictures in folders named by style."""
    for name, place in source.pictures():
        style = f"/{name}".split("/")[-2]
        if style not in ("", "."):  # what lies in no folder has no style
            yield Record(source=f"{source.name}/{name}", location=place, style=style)


def split_tables(source: Tree) -> list[str]:
    """Find the csv splits of the ArtGAN release, beside the style folders or in a folder of their own."""
    if not source.is_folder:
        return []
    return [name for name in source.places if name.count("/") <= 1 and name.rpartition("/")[2] in SPLIT_TABLES]


def _wikiart_record(source: str, place: Location | None) -> Record:
    style, name = source.split("/")[-2:]
    match = _WIKIART_NAME.match(name.rpartition(".")[0])
    if match is None:
        return Record(source, place, style)
    artist = match["artist"] if normalise_artist(match["artist"]) else None
    return Record(source, place, style, artist, match["title"], match["date"])


def _listed(table: str) -> Iterator[str]:
    """Read the pictures' names from rows such as `Cubism/juan-gris_clown-1919.jpg,7`; there is no header."""
    try:
        with open_file(table) as file:
            for raw in file:
                line = raw.decode("utf-8", "replace")
                name = line.rpartition(",")[0].strip().strip('"')
                if "/" in name and is_image_name(name):
                    yield name
    except OSError as error:
        raise DataError(f"{table}: cannot be read ({error.strerror or error})") from error


def _style_and_name(name: str) -> str:
    """Bring a picture's name to what the tables and every way of unpacking agree on."""
    return _BEYOND_ASCII.sub("", unicodedata.normalize("NFC", "/".join(name.split("/")[-2:])))
