"""Parquet files as the Hugging Face Hub keeps them; images stay where they are until they are read."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

import pyarrow as pa

from artnet.data.catalog import Record
from artnet.data.readers.collection import Collection, folder_of
from artnet.errors import DataError, SourceError
from artnet.sources.item import SourceRules
from artnet.sources.parquet import ParquetRow, holds_bytes, open_parquet


def read_parquet(collection: Collection, rules: SourceRules) -> Iterator[Record]:
    """Yield a record for each row of a Parquet file, or of all in a folder.

    Raises:
        DataError: if there is no such file, or it has not the columns that are needed
    """
    folder = collection if collection.is_folder else folder_of(collection.path)
    names = collection.named(".parquet") if collection.is_folder else [collection.name]
    if not names:
        raise DataError(f"{collection.path}: holds no .parquet file")
    for name in names:
        yield from _file_records(folder.child(name), f"{folder.name}/{name}")


def _file_records(path: str, name: str) -> Iterator[Record]:
    try:
        with open_parquet(path) as file:
            labels = _class_labels(file.schema_arrow)
            columns = _text_columns(path, file.schema_arrow, labels)
            before = 0
            for group in range(file.num_row_groups):
                rows = file.read_row_group(group, columns, use_threads=False).to_pylist()
                for row, values in enumerate(rows):
                    texts = {column: _text(value, labels.get(column)) for column, value in values.items()}
                    artist, title, date = (texts.get(column) or None for column in ("artist", "title", "date"))
                    location = ParquetRow(path, group, row)
                    yield Record(f"{name}/{before + row}", location, texts["style"], artist, title, date)
                before += len(rows)
    except SourceError as error:
        raise DataError(str(error)) from error


def _class_labels(schema: pa.Schema) -> dict[str, list[str]]:
    """Return the names behind the numbers, which the `datasets` library keeps as JSON in the schema's metadata."""
    try:
        features = json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"]
        return {
            column: [str(name) for name in feature["names"]]
            for column, feature in features.items()
            if isinstance(feature, dict) and isinstance(feature.get("names"), list)
        }
    except (ValueError, KeyError, TypeError, AttributeError):  # not there, or of another shape
        return {}


def _text_columns(path: str, schema: pa.Schema, labels: Mapping[str, list[str]]) -> list[str]:
    """Verify that a file has what is needed and return its columns of text."""
    for column in ("image", "style"):
        if column not in schema.names:
            raise DataError(f"{path}: has no column {column!r}; its columns are {', '.join(schema.names)}")
    image, style = schema.field("image").type, schema.field("style").type
    if not holds_bytes(image):
        raise DataError(f"{path}: the column 'image' holds {image} where an image's bytes were expected")
    if pa.types.is_integer(style) and "style" not in labels:
        raise DataError(f"{path}: the column 'style' holds numbers, and the file's metadata does not name them")
    return [column for column in ("style", "artist", "title", "date") if column in schema.names]


def _text(value: object, names: list[str] | None) -> str:
    """Return a cell as text; a class label that means none is -1."""
    if isinstance(value, int) and names is not None:
        return names[value] if 0 <= value < len(names) else ""
    return "" if value is None else str(value).strip()
