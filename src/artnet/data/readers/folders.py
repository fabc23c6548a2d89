"""Collections that folders and file names describe: WikiArt's, and plain folders named by style."""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import replace

from artnet.data.artists import normalise_artist
from artnet.data.catalog import Record
from artnet.data.readers.collection import Collection
from artnet.errors import DataError, reason
from artnet.sources.item import DEFAULT_RULES, SourceRules
from artnet.sources.local import is_image_name
from artnet.sources.tables import csv_rows

SPLIT_TABLES = tuple(f"{task}_{split}.csv" for task in ("style", "artist", "genre") for split in ("train", "val"))
# artist_title-year, as the ArtGAN release of WikiArt names its files; (1) tells apart two of one name
_WIKIART_NAME = re.compile(r"(?P<artist>[^_]+)_(?P<title>.+?)(?:-(?P<date>1[0-9]{3}|20[0-9]{2})(?:\(\d+\))?)?$")
# The release's tables and archive spell accents differently, and unzip writes some as #U00e3.
_BEYOND_ASCII = re.compile(r"#U[0-9a-f]{4}|[^\x00-\x7f]")


def read_folders(collection: Collection, rules: SourceRules = DEFAULT_RULES) -> Iterator[Record]:
    """Yield a record for each image in a folder named by its style, and for a folder that cannot be listed."""
    for name, item in collection.images():
        style = f"/{name}".split("/")[-2].removeprefix(".")
        if style or item.error is not None:  # what lies in no folder has no style
            yield Record(f"{collection.name}/{name}", item.location, style, error=item.error)


def read_wikiart(collection: Collection, rules: SourceRules = DEFAULT_RULES) -> Iterator[Record]:
    """Yield records of style folders by their file names; what only the style tables list comes last, as missing."""
    keys = set()
    for record in read_folders(collection):
        keys.add(_key(record.source))
        yield _described(record)
    tables = [name for name in split_tables(collection) if _last(name).startswith("style_")]
    for name in (name for table in tables for name in _listed(collection.child(table))):
        if _key(name) not in keys:
            keys.add(_key(name))
            yield _described(Record(f"{collection.name}/{name}", None, name.split("/")[-2]))


def split_tables(collection: Collection) -> list[str]:
    """Return the names of ArtGAN's csv splits, beside the style folders or in a folder of their own."""
    return [name for name in collection.named(*SPLIT_TABLES) if name.count("/") <= 1 and _last(name) in SPLIT_TABLES]


def _described(record: Record) -> Record:
    """Return a record with what its file's name says of artist, title and date."""
    match = _WIKIART_NAME.match(_last(record.source).rpartition(".")[0])
    if match is None:
        return record
    artist = match["artist"] if normalise_artist(match["artist"]) else None
    return replace(record, artist=artist, title=match["title"], date=match["date"])


def _listed(table: str) -> Iterator[str]:
    """Yield images' names from rows such as `Cubism/juan-gris_clown-1919.jpg,7`, without a header."""
    try:
        for row in csv_rows(table):
            name = ",".join(row[:-1]).strip()
            if "/" in name and is_image_name(name):
                yield name
    except (OSError, ValueError, csv.Error) as error:
        raise DataError(f"{table}: cannot be read ({reason(error)})") from error


def _key(name: str) -> str:
    """Return an image's style and file name as the tables and every way of unpacking agree on them."""
    return _BEYOND_ASCII.sub("", unicodedata.normalize("NFC", "/".join(name.split("/")[-2:])))


def _last(name: str) -> str:
    return name.rpartition("/")[2]
