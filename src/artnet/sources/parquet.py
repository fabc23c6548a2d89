"""Find the pictures whose bytes lie in a Parquet file, row after row.

Knows nothing about what a picture holds, nor about styles and artists that stand beside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from artnet.errors import DataError, NoImagesError, SourceError, TooLargeError
from artnet.sources.item import InMemory, Names, SourceItem, SourceRules
from artnet.sources.stores import open_file

_ROWS_AT_ONCE = 16  # some files hold thousands of pictures in one row group: no more of them in memory than needed
_BUFFER_BYTES = 2**20  # makes Arrow stream a column instead of loading the whole of it
BROKEN = (OSError, EOFError, pa.ArrowException)  # what a file that is no whole Parquet makes Arrow raise
_NAMES = ("path", "file_name", "filename", "name", "id")


def parquet_pictures(location: str, rules: SourceRules) -> Iterator[SourceItem]:
    """Yield the picture of each row; its bytes travel along, since rows can only be read in order.

    The picture is called by the `path` beside its bytes, by a column of names, or by the number of its row.
    Errors: `SourceError` and `DataError` for a file that is no such table.
    """
    try:
        with open_file(location) as raw, pq.ParquetFile(raw, buffer_size=_BUFFER_BYTES, pre_buffer=False) as file:
            column = picture_column(location, file.schema_arrow)
            called = next((name for name in _NAMES if name in file.schema_arrow.names and name != column), None)
            if not file.metadata.num_rows:
                raise NoImagesError(f"{location}: has no rows; name a file with pictures")
            yield from _rows(location, file, [column] if called is None else [column, called], rules)
    except BROKEN as error:
        raise SourceError(f"{location}: cannot be read as Parquet ({_short(error)}); download it again") from error


def _rows(location: str, file: pq.ParquetFile, columns: list[str], rules: SourceRules) -> Iterator[SourceItem]:
    """Yield the rows of one row group after the other; one that is damaged does not keep the next from being read."""
    names, first = Names(), 0
    for group in range(file.num_row_groups):
        row = first
        try:
            for batch in file.iter_batches(_ROWS_AT_ONCE, row_groups=[group], columns=columns, use_threads=False):
                for values in zip(*(batch.column(name) for name in columns), strict=True):
                    cells = [value.as_py() for value in values]
                    yield _found(location, row, cells[0], cells[1] if len(cells) > 1 else None, names, rules)
                    row += 1
        except BROKEN as error:
            name = f"{location}#row {row}"
            message = f"{name}: this and the rest of its row group cannot be read ({_short(error)}); download it again"
            yield SourceItem(name, error=SourceError(message))
        first += file.metadata.row_group(group).num_rows


def picture_column(location: str, schema: pa.Schema) -> str:
    """Name the column with pictures' bytes: `image`, or else the only one that holds bytes. Errors: `DataError`."""
    holding = [name for name in schema.names if holds_bytes(schema.field(name).type)]
    if "image" in holding:
        return "image"
    if len(holding) == 1:
        return str(holding[0])
    raise DataError(
        f"{location}: {len(holding)} columns hold bytes where one with pictures was expected, best called 'image'; "
        f"its columns are {', '.join(schema.names)}"
    )


def holds_bytes(kind: pa.DataType) -> bool:
    """Tell whether a column holds bytes, plainly or in the struct of bytes and path that `datasets` writes."""
    if pa.types.is_struct(kind):
        return kind.get_field_index("bytes") >= 0 and holds_bytes(kind.field("bytes").type)
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind))


def _found(location: str, row: int, cell: Any, called: Any, names: Names, rules: SourceRules) -> SourceItem:
    data, path = (cell.get("bytes"), cell.get("path")) if isinstance(cell, dict) else (cell, None)
    name = str(path or called or f"row {row}")
    name = names.distinct(f"{location}/{name}", row)
    if data is None:
        return SourceItem(name, error=SourceError(f"{name}: its row holds no picture's bytes"))
    budget = rules.limits.size_bytes
    if len(data) > budget:
        return SourceItem(
            name, error=TooLargeError(f"{name}: over the budget of {budget / 2**20:.0f} MB; save it smaller")
        )
    return SourceItem(name, InMemory(data))


def _short(error: BaseException) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
