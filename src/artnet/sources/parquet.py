"""Images in Parquet files: the items of a file, and single rows by their position."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from artnet.errors import ArtNetError, DataError, NoImagesError, SourceError, reason
from artnet.sources.item import InMemory, SourceItem, SourceRules, UniqueNames
from artnet.sources.stores import open_file

_ROWS_AT_ONCE = 16  # some files hold thousands of images in one row group: no more of them in memory than needed
_BUFFER_BYTES = 2**20  # makes Arrow stream a column instead of loading the whole of it
_BROKEN = (OSError, EOFError, pa.ArrowException)  # what a file that is no whole Parquet makes Arrow raise
_NAMES = ("path", "file_name", "filename", "name", "id")


@dataclass(frozen=True, slots=True)
class ParquetRow:
    """An image in the column `image` of a Parquet file, by its row group and its row counted from the group's first."""

    path: str
    group: int
    row: int

    def read(self, name: str, rules: SourceRules) -> bytes:
        """Read the image alone, many times slower than a `ParquetReader` that goes on from row to row."""
        with ParquetReader(rules) as reader:
            return reader.read(name, self)


class ParquetReader:
    """A reader of rows that keeps the last row group open until the `with` block ends.

    Rows are read fastest in the order of the file, in one pass through it.
    """

    def __init__(self, rules: SourceRules) -> None:
        self._rules = rules
        self._open_group: tuple[str, int] | None = None
        self._rows: Iterator[tuple[Any, ...]] = iter(())
        self._next = 0
        self._stack = ExitStack()

    def __enter__(self) -> ParquetReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._stack.close()
        self._open_group, self._rows = None, iter(())

    def read(self, name: str, row: ParquetRow) -> bytes:
        """Read the image of a row; `name` is what errors call it.

        Raises:
            SourceError: if the row cannot be read or holds no image
            TooLargeError: if the image is over the limit
        """
        try:
            (cell,) = self._seek(row)
        except (*_BROKEN, ArtNetError, LookupError) as error:
            self.close()
            raise SourceError(f"{name}: cannot be read from its Parquet file ({reason(error)})") from error
        data = _image_bytes(cell)
        if data is None:
            raise SourceError(f"{name}: its row holds no image")
        self._rules.limits.check_size(len(data), name)
        return data

    def _seek(self, row: ParquetRow) -> tuple[Any, ...]:
        if self._open_group != (row.path, row.group) or row.row < self._next:
            self.close()
            self._rows = _rows(self._stack.enter_context(open_parquet(row.path)), row.group, ["image"])
            self._open_group, self._next = (row.path, row.group), 0
        for cells in islice(self._rows, row.row - self._next, None):
            self._next = row.row + 1
            return cells
        raise IndexError(f"there is no row {row.row}")


def parquet_items(path: str, rules: SourceRules) -> Iterator[SourceItem]:
    """Yield the image of each row; its bytes travel along, since rows can only be read in order.

    The image is called by the `path` beside its bytes, by a column of names, or by the number of its row. A row group
    that is damaged is one item with an error, and the next is read.

    Raises:
        SourceError: if the file is no Parquet or has no rows
        DataError: if no column, or more than one, may hold images
    """
    with open_parquet(path) as file:
        columns = [image_column(path, file.schema_arrow)]
        columns += [name for name in _NAMES if name in file.schema_arrow.names and name not in columns][:1]
        if not file.metadata.num_rows:
            raise NoImagesError(f"{path}: has no rows; name a file with images")
        names, first = UniqueNames(), 0
        for group in range(file.num_row_groups):
            row = first
            try:
                for cells in _rows(file, group, columns):
                    yield _item(path, row, cells, names, rules)
                    row += 1
            except _BROKEN as error:
                name = f"{path}#row {row}"
                fault = f"this and the rest of its row group cannot be read ({reason(error)}); download it again"
                yield SourceItem(name, error=SourceError(f"{name}: {fault}"))
            first += file.metadata.row_group(group).num_rows


@contextmanager
def open_parquet(path: str) -> Iterator[pq.ParquetFile]:
    """Open a Parquet file, here or in a store, to be read column by column as a stream.

    Raises:
        SourceError: if it is no whole Parquet file
    """
    try:
        with open_file(path) as raw, pq.ParquetFile(raw, buffer_size=_BUFFER_BYTES, pre_buffer=False) as file:
            yield file
    except _BROKEN as error:
        raise SourceError(f"{path}: cannot be read as Parquet ({reason(error)}); download it again") from error


def image_column(path: str, schema: pa.Schema) -> str:
    """Return the name of the column with images' bytes: `image`, or else the only one that holds bytes.

    Raises:
        DataError: if there is none, or more than one
    """
    columns = [str(name) for name in schema.names if holds_bytes(schema.field(name).type)]
    if "image" in columns:
        return "image"
    if len(columns) == 1:
        return columns[0]
    raise DataError(
        f"{path}: {len(columns)} columns hold bytes where one with images was expected, best called 'image'; "
        f"its columns are {', '.join(schema.names)}"
    )


def holds_bytes(kind: pa.DataType) -> bool:
    """Return whether a column holds bytes, plainly or in the struct of bytes and path that `datasets` writes."""
    if pa.types.is_struct(kind):
        return kind.get_field_index("bytes") >= 0 and holds_bytes(kind.field("bytes").type)
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind))


def _rows(file: pq.ParquetFile, group: int, columns: list[str]) -> Iterator[tuple[Any, ...]]:
    for batch in file.iter_batches(_ROWS_AT_ONCE, row_groups=[group], columns=columns, use_threads=False):
        for values in zip(*(batch.column(name) for name in columns), strict=True):
            yield tuple(value.as_py() for value in values)


def _image_bytes(cell: Any) -> bytes | None:
    data: bytes | None = cell.get("bytes") if isinstance(cell, dict) else cell
    return data


def _item(path: str, row: int, cells: tuple[Any, ...], names: UniqueNames, rules: SourceRules) -> SourceItem:
    image, *named = cells
    name = (isinstance(image, dict) and image.get("path")) or next(iter(named), None) or f"row {row}"
    name = names.unique(f"{path}/{name}", row)
    data = _image_bytes(image)
    try:
        if data is None:
            raise SourceError(f"{name}: its row holds no image")
        rules.limits.check_size(len(data), name)
        return SourceItem(name, InMemory(data))
    except ArtNetError as error:
        return SourceItem(name, error=error)
