"""Recognise the layout of a collection and read it into a catalog, without opening a picture.

Knows nothing about movements, splits or pixels.
"""

from __future__ import annotations

import csv
import json
import os
import re
import unicodedata
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from artnet.catalog import KINDS, Catalog, Kind, Place, Record, normalise_artist
from artnet.errors import DataError, SourceError, UsageError
from artnet.image import SUFFIXES

PAINTER_BY_NUMBERS_TABLE = "all_data_info.csv"
REPLACEMENTS = "replacements_for_corrupted_files"
SPLIT_TABLES = tuple(f"{task}_{split}.csv" for task in ("style", "artist", "genre") for split in ("train", "val"))

# Where a kind's pictures are looked for, before the name of its folder.
_PICTURES_OF: dict[Kind, str] = {"painter-by-numbers": "train, test and their zip archives in "}
_PARTS = ("train", "test")
# Kaggle cut its training pictures into train_1.zip ... as well; train_info.csv.zip holds no picture.
_PART_ARCHIVE = re.compile(r"(train|test)(_\d+)?\.zip", re.IGNORECASE)
# artist_title-year, as the ArtGAN release of WikiArt names its files; (1) tells apart two of one name
_WIKIART_NAME = re.compile(r"(?P<artist>[^_]+)_(?P<title>.+?)(?:-(?P<date>1[0-9]{3}|20[0-9]{2})(?:\(\d+\))?)?$")
# Looser names are read when asked for, but IMG_0001 or cubism_01 must not make an artist of a camera or a style.
_WIKIART_ARTIST = re.compile(r"[^_A-Z0-9]+-[^_A-Z0-9]+_")
# The release's tables and archive spell accents differently, and unzip writes some as #U00e3.
_BEYOND_ASCII = re.compile(r"#U[0-9a-f]{4}|[^\x00-\x7f]")
_STYLE, _FILE = ("style",), ("new_filename", "filename")


def read_catalog(source: Path, kind: str | None = None) -> Catalog:
    """Read the collection at `source`, recognising its layout unless `kind` names it.

    Errors: `SourceError` where nothing is there, `DataError` where no layout fits or the table is broken.
    """
    if not source.exists():
        raise SourceError(f"{source}: no such file or folder; check the spelling")
    # "." has no name of its own; a file keeps its name, which a link into a cache of blobs would lose.
    source = source.resolve() if source.is_dir() else source.parent.resolve() / source.name
    chosen = _recognise(source) if kind is None else _named_kind(kind)
    records = tuple(record.printable() for record in _READERS[chosen](source))
    if not records:
        raise DataError(f"{source}: read as {chosen}, but it lists no painting")
    of_folder = chosen == "painter-by-numbers" and source.is_file()
    return Catalog(
        name=source.parent.name if of_folder else source.name,
        kind=chosen,
        records=records,
        looked_in=_PICTURES_OF.get(chosen, "") + str(source.parent if source.is_file() else source),
    )


def _named_kind(name: str) -> Kind:
    for kind in KINDS:
        if kind == name:
            return kind
    raise UsageError(f"unknown catalog kind {name!r}; use one of {', '.join(KINDS)}")


def _recognise(source: Path) -> Kind:
    if source.is_file():
        return _recognise_file(source)
    if (source / PAINTER_BY_NUMBERS_TABLE).is_file():
        return "painter-by-numbers"
    if any(not _lists_pictures(table) for table in _split_tables(source)):
        return "wikiart"
    names = _names(source)
    if any(name.endswith(".parquet") for name in names):
        return "huggingface"
    tables = list(source.glob("*.csv"))
    if len(tables) == 1 and (not any("/" in name for name in names) or _lists_pictures(tables[0])):
        return "csv"
    return _recognise_names(source, names)


def _recognise_file(source: Path) -> Kind:
    suffix = source.suffix.lower()
    if suffix == ".csv":
        return "painter-by-numbers" if source.name == PAINTER_BY_NUMBERS_TABLE else "csv"
    if suffix == ".parquet":
        return "huggingface"
    if suffix == ".zip" or zipfile.is_zipfile(source):
        return _recognise_names(source, _names(source))
    raise DataError(f"{source}: neither a folder, a zip archive, a .csv table nor a .parquet file")


def _recognise_names(source: Path, names: Iterable[str]) -> Kind:
    pictures = [name.rpartition("/")[2] for name in names if _is_picture(name)]
    if not pictures:
        raise DataError(
            f"{source}: no catalog found; expected {PAINTER_BY_NUMBERS_TABLE}, a .csv with the columns path "
            "and style, .parquet files, or pictures in folders named by style"
        )
    named_by_artist = sum(_WIKIART_ARTIST.match(name) is not None for name in pictures)
    return "wikiart" if 2 * named_by_artist > len(pictures) else "folders"


def _read_painter_by_numbers(source: Path) -> Iterator[Record]:
    """Read the Kaggle set as downloaded: one table, pictures in train/ and test/ or still in their zips."""
    table = source if source.is_file() else source / PAINTER_BY_NUMBERS_TABLE
    folder = table.parent
    places = _painter_by_numbers_places(folder)
    for row in _rows(table, _STYLE, _FILE):
        name = row.get("new_filename") or row.get("filename", "")
        found = places.get(name, {})
        order = reversed(_PARTS) if row.get("in_train", "").lower() in ("false", "0") else _PARTS
        place = next((found[part] for part in order if part in found), None)
        yield _record(f"{folder.name}/{name}", place, row)


def _painter_by_numbers_places(folder: Path) -> dict[str, dict[str, Place]]:
    """Find the pictures: for each name its place in train, in test or in both."""
    places: dict[str, dict[str, Place]] = {}
    archives = sorted(path for path in folder.iterdir() if _PART_ARCHIVE.fullmatch(path.name))
    for source in [*archives, *(folder / part for part in _PARTS if (folder / part).is_dir())]:
        part = "train" if source.name.lower().startswith("train") else "test"
        for name, place in _pictures(source):
            places.setdefault(name.rpartition("/")[2], {})[part] = place
    for source in (folder / f"{REPLACEMENTS}.zip", folder / REPLACEMENTS):
        for name, place in _pictures(source) if source.exists() else ():
            _replace(places.setdefault(name.rpartition("/")[2], {}), name, place)
    return places


def _replace(found: dict[str, Place], name: str, place: Place) -> None:
    """Put a replacement where its own folder says, or for every picture of its name."""
    own = [part for part in _PARTS if part in name.split("/")[:-1]]
    for part in [part for part in own if part in found] or list(found) or own or _PARTS:
        found[part] = place


def _read_wikiart(source: Path) -> Iterator[Record]:
    """Read style folders by their file names; what only the style tables list comes last, without a place."""
    there = set()
    for record in _read_folders(source):
        there.add(_style_and_name(record.source))
        yield _wikiart_record(record.source, record.place)
    tables = [table for table in _split_tables(source) if table.name.startswith("style_")]
    for name in (name for table in tables for name in _listed(table)):
        if _style_and_name(name) not in there:
            there.add(_style_and_name(name))
            yield _wikiart_record(f"{source.name}/{name}", None)


def _wikiart_record(source: str, place: Place | None) -> Record:
    style, name = source.split("/")[-2:]
    match = _WIKIART_NAME.match(name.rpartition(".")[0])
    if match is None:
        return Record(source, place, style)
    artist = match["artist"] if normalise_artist(match["artist"]) else None
    return Record(source, place, style, artist, match["title"], match["date"])


def _split_tables(source: Path) -> list[Path]:
    """Find the csv splits of the ArtGAN release, beside the style folders or in a folder of their own."""
    if not source.is_dir():
        return []
    return [table for name in SPLIT_TABLES for table in sorted([*source.glob(name), *source.glob(f"*/{name}")])]


def _listed(table: Path) -> Iterator[str]:
    """Read the pictures' names from rows such as `Cubism/juan-gris_clown-1919.jpg,7`; there is no header."""
    try:
        with table.open(encoding="utf-8", errors="replace") as file:
            for line in file:
                name = line.rpartition(",")[0].strip().strip('"')
                if "/" in name and _is_picture(name):
                    yield name
    except OSError as error:
        raise DataError(f"{table}: cannot be read ({error.strerror or error})") from error


def _style_and_name(name: str) -> str:
    """Bring a picture's name to what the tables and every way of unpacking agree on."""
    return _BEYOND_ASCII.sub("", unicodedata.normalize("NFC", "/".join(name.split("/")[-2:])))


def _read_folders(source: Path) -> Iterator[Record]:
    for name, place in _pictures(source):
        style = f"/{name}".split("/")[-2]
        if style not in ("", "."):  # what lies in no folder has no style
            yield Record(source=f"{source.name}/{name}", place=place, style=style)


def _read_csv(source: Path) -> Iterator[Record]:
    tables = [source] if source.is_file() else sorted(source.glob("*.csv"))
    if len(tables) != 1:
        raise DataError(f"{source}: holds {len(tables)} .csv tables where one was expected; name the table itself")
    table = tables[0]
    for row in _rows(table, ("path",), _STYLE):
        yield _record(f"{table.parent.name}/{row['path']}", _place(table.parent / row["path"]), row)


def _read_huggingface(source: Path) -> Iterator[Record]:
    """Read Parquet files of the Hugging Face Hub; the pictures stay where they are until they are asked for."""
    folder = source.parent if source.is_file() else source
    names = [source.name] if source.is_file() else [name for name in _names(source) if name.endswith(".parquet")]
    if not names:
        raise DataError(f"{source}: holds no .parquet file")
    for name in names:
        yield from _read_parquet(folder / name, f"{folder.name}/{name}")


def _read_parquet(path: Path, name: str) -> Iterator[Record]:
    try:
        with pq.ParquetFile(path) as file:
            labels = _class_labels(file.schema_arrow)
            columns = _text_columns(path, file.schema_arrow, labels)
            before = 0
            for group in range(file.num_row_groups):
                rows = file.read_row_group(group, columns, use_threads=False).to_pylist()
                for row, values in enumerate(rows):
                    words = {column: _word(value, labels.get(column)) for column, value in values.items()}
                    yield _record(f"{name}/{before + row}", Place(path, row_group=group, row=row), words)
                before += len(rows)
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"{path}: cannot be read as Parquet ({error}); download it again") from error


def _class_labels(schema: pa.Schema) -> dict[str, list[str]]:
    """Find the names behind the numbers, which the `datasets` library keeps as JSON in the schema's metadata."""
    try:
        features = json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"]
        return {
            column: [str(name) for name in feature["names"]]
            for column, feature in features.items()
            if isinstance(feature, dict) and isinstance(feature.get("names"), list)
        }
    except (ValueError, KeyError, TypeError, AttributeError):  # not there, or of another shape
        return {}


def _text_columns(path: Path, schema: pa.Schema, labels: Mapping[str, list[str]]) -> list[str]:
    """Check that a file has what is needed and name its columns of words."""
    for column in ("image", "style"):
        if column not in schema.names:
            raise DataError(f"{path}: has no column {column!r}; its columns are {', '.join(schema.names)}")
    image, style = schema.field("image").type, schema.field("style").type
    if pa.types.is_struct(image):
        image = image.field("bytes").type if image.get_field_index("bytes") >= 0 else image
    if not (pa.types.is_binary(image) or pa.types.is_large_binary(image)):
        raise DataError(f"{path}: the column 'image' holds {image} where a picture's bytes were expected")
    if pa.types.is_integer(style) and "style" not in labels:
        raise DataError(f"{path}: the column 'style' holds numbers, and the file's metadata does not name them")
    return [column for column in ("style", "artist", "title", "date") if column in schema.names]


def _word(value: object, names: list[str] | None) -> str:
    """Write a cell as text; a class label that means none is -1."""
    if isinstance(value, int) and names is not None:
        return names[value] if 0 <= value < len(names) else ""
    return "" if value is None else str(value).strip()


_READERS: dict[Kind, Callable[[Path], Iterator[Record]]] = {
    "painter-by-numbers": _read_painter_by_numbers,
    "wikiart": _read_wikiart,
    "huggingface": _read_huggingface,
    "folders": _read_folders,
    "csv": _read_csv,
}


def _record(source: str, place: Place | None, row: Mapping[str, str]) -> Record:
    artist, title, date = (row.get(column) or None for column in ("artist", "title", "date"))
    return Record(source, place, row["style"], artist, title, date)


def _rows(table: Path, *required: tuple[str, ...]) -> Iterator[dict[str, str]]:
    """Read a table's rows as dictionaries, refusing one without a column of each required group of names."""
    try:
        with table.open(newline="", encoding="utf-8-sig") as file:
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
    except FileNotFoundError:
        raise SourceError(f"{table}: no such file") from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        hint = "; save it as UTF-8" if isinstance(error, UnicodeDecodeError) else ""
        raise DataError(f"{table}: cannot be read as a table ({error}){hint}") from error


def _lists_pictures(table: Path) -> bool:
    try:
        next(_rows(table, ("path",), _STYLE), None)
    except DataError:
        return False
    return True


def _place(path: Path) -> Place | None:
    try:
        return Place(path) if path.is_file() else None
    except (OSError, ValueError):  # a name that no file can have
        return None


def _pictures(source: Path) -> Iterator[tuple[str, Place]]:
    """List the pictures below a folder or in a zip archive, sorted by name."""
    archive = not source.is_dir()
    for name in _names(source):
        if _is_picture(name):
            yield name, Place(source, name) if archive else Place(source / name)


def _names(source: Path) -> list[str]:
    """List the files below a folder or in a zip archive, sorted; a name that an archive has twice counts once."""
    if source.is_dir():
        return sorted(_files_below(source))
    try:
        with zipfile.ZipFile(source) as archive:
            return sorted({name for name in archive.namelist() if not name.endswith("/")})
    except (OSError, zipfile.BadZipFile) as error:
        raise DataError(f"{source}: cannot be read as a zip archive ({error}); download it again") from error


def _files_below(folder: Path) -> Iterator[str]:
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        below = Path(parent).relative_to(folder)
        for name in names:
            if not name.startswith(".") and Path(parent, name).is_file():
                yield (below / name).as_posix()


def _is_picture(name: str) -> bool:
    """Go by the ending; hidden files and what macOS adds to archives are none."""
    hidden = any((part.startswith(".") and part != ".") or part == "__MACOSX" for part in name.split("/"))
    return not hidden and name[name.rfind(".") :].lower() in SUFFIXES
