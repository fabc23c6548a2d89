"""Tables of paintings to leave out of a dataset, such as the suspects of `artnet audit-labels`."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from unicodedata import normalize

from artnet.errors import DataError, reason
from artnet.sources.tables import separated_rows

Column = Literal["id", "source"]
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Exclusions:
    """Paintings to leave out.

    Attributes:
        path: of the table
        column: what names a painting: `id`, the SHA-256 of its file, or `source`, as in rejected.csv
        lines: the line on which each is named
    """

    path: str = ""
    column: Column = "id"
    lines: Mapping[str, int] = field(default_factory=dict)

    def line_of(self, identifier: str, source: str) -> int | None:
        """Return the line that leaves a painting out, None where none does."""
        return self.lines.get(identifier if self.column == "id" else normalize("NFC", source))


NO_EXCLUSIONS = Exclusions()


def read_exclusions(path: Path) -> Exclusions:
    """Read a table with a column `id` or, without one, `source`; other columns are ignored.

    Encoding and separator may be any that spreadsheets write, since a person has edited it in one.

    Raises:
        SourceError: if there is no such file
        DataError: if it is no such table; the message names the line
    """
    try:
        rows = separated_rows(str(path))
        line, header = next(rows, (1, []))
        column, index = _name_column(header, f"{path}, line {line}")
        lines = {}
        for line, row in rows:
            if any(cell.strip() for cell in row):
                lines[_checked_name(row, index, column, f"{path}, line {line}")] = line
        return Exclusions(str(path), column, lines)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        hint = "; save it as CSV in UTF-8" if isinstance(error, UnicodeDecodeError) else ""
        raise DataError(f"{path}: cannot be read as a table ({reason(error)}){hint}") from error


def _name_column(header: list[str], where: str) -> tuple[Column, int]:
    names = [cell.strip().lower() for cell in header]
    columns: tuple[Column, ...] = ("id", "source")
    for column in columns:
        if column in names:
            return column, names.index(column)
    raise DataError(f"{where}: has neither a column 'id' nor 'source'; it names {', '.join(header) or 'nothing'}")


def _checked_name(row: list[str], index: int, column: Column, where: str) -> str:
    name = row[index].strip() if index < len(row) else ""
    if not name:
        raise DataError(f"{where}: its {column} is empty; fill it in or delete the line")
    if column == "id" and not _SHA256.fullmatch(name.lower()):
        raise DataError(
            f"{where}: the id {name!r} is not the SHA-256 of a file, 64 hexadecimal digits; copy it again, or name "
            "paintings in a column 'source' and delete the column 'id'"
        )
    return name.lower() if column == "id" else normalize("NFC", name)
