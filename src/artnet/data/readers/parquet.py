"""Read Parquet files as the Hugging Face Hub keeps them; the pictures stay where they are until they are asked for.

Knows nothing about how a layout is recognised.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

import pyarrow as pa
import pyarrow.parquet as pq

from artnet.data.catalog import ParquetRow, Record
from artnet.errors import DataError
from artnet.sources.parquet import BROKEN, holds_bytes
from artnet.sources.stores import open_file


def read_parquet(location: str, name: str) -> Iterator[Record]:
    """Give a record for each row of a file that is called `name`. Errors: `DataError` for one that cannot be used."""
    try:
        with open_file(location) as raw, pq.ParquetFile(raw) as file:
            labels = _class_labels(file.schema_arrow)
            columns = _text_columns(location, file.schema_arrow, labels)
            before = 0
            for group in range(file.num_row_groups):
                rows = file.read_row_group(group, columns, use_threads=False).to_pylist()
                for row, values in enumerate(rows):
                    words = {column: _word(value, labels.get(column)) for column, value in values.items()}
                    artist, title, date = (words.get(column) or None for column in ("artist", "title", "date"))
                    place = ParquetRow(location, group, row)
                    yield Record(f"{name}/{before + row}", place, words["style"], artist, title, date)
                before += len(rows)
    except BROKEN as error:
        raise DataError(f"{location}: cannot be read as Parquet ({error}); download it again") from error


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


def _text_columns(location: str, schema: pa.Schema, labels: Mapping[str, list[str]]) -> list[str]:
    """Check that a file has what is needed and name its columns of words."""
    for column in ("image", "style"):
        if column not in schema.names:
            raise DataError(f"{location}: has no column {column!r}; its columns are {', '.join(schema.names)}")
    image, style = schema.field("image").type, schema.field("style").type
    if not holds_bytes(image):
        raise DataError(f"{location}: the column 'image' holds {image} where a picture's bytes were expected")
    if pa.types.is_integer(style) and "style" not in labels:
        raise DataError(f"{location}: the column 'style' holds numbers, and the file's metadata does not name them")
    return [column for column in ("style", "artist", "title", "date") if column in schema.names]


def _word(value: object, names: list[str] | None) -> str:
    """Write a cell as text; a class label that means none is -1."""
    if isinstance(value, int) and names is not None:
        return names[value] if 0 <= value < len(names) else ""
    return "" if value is None else str(value).strip()
