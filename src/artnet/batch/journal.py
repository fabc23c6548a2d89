"""The journal of a batch job: its finished rows in an SQLite file, from which an interrupted job resumes."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any, Literal

import numpy as np

from artnet.atomic import check_parent
from artnet.batch.table import Row, TableSchema
from artnet.errors import OutputError, UsageError, reason

Existing = Literal["refuse", "resume", "overwrite"]  # what to do where the output exists or was begun
_SUMMARY_COLUMNS = ("source", "movement", "decision", "error_kind")
# In write-ahead mode a committed row survives any end of the process, and most losses of power, without a flush of the
# disk for each. The exclusive lock keeps a second command out, on network disks and on Windows, too.
_PRAGMAS = ("locking_mode=EXCLUSIVE", "journal_mode=WAL", "synchronous=NORMAL")


class Journal:
    """Rows in the order of a job's items; each is kept as soon as `append` returns.

    Attributes:
        output: file or folder that the job will write
        path: of the journal
        row_count: rows in the journal
    """

    def __init__(self, output: Path, schema: TableSchema, connection: sqlite3.Connection) -> None:
        self.output, self.path, self.schema = output, journal_path(output), schema
        self._connection = connection
        self._columns = ", ".join(f'"{name}"' for name in schema.columns)
        self._insert = f"INSERT INTO results VALUES ({', '.join('?' * len(schema.columns))})"
        connection.execute(f"CREATE TABLE IF NOT EXISTS results ({self._columns})")
        self.row_count: int = connection.execute("SELECT count(*) FROM results").fetchone()[0]

    def append(self, row: Row) -> None:
        """Add the next row.

        Raises:
            OutputError: if it cannot be written
        """
        values = [_encoded(name, row[name]) for name in self.schema.columns]
        self.row_count += 1  # first: were it interrupted afterwards, the journal of a first row would count as empty
        try:
            self._connection.execute(self._insert, values)
        except sqlite3.Error as error:
            self.row_count -= 1
            raise OutputError(
                f"{self.output}: cannot be written ({reason(error)}); {self.row_count} rows are kept in {self.path}; "
                "make room and continue with --resume"
            ) from error

    def summary_rows(self) -> Iterator[Row]:
        """Yield source, movement, decision and error_kind of each row."""
        rows = self._connection.execute(f"SELECT {', '.join(_SUMMARY_COLUMNS)} FROM results ORDER BY rowid")
        return (dict(zip(_SUMMARY_COLUMNS, row, strict=True)) for row in rows)

    def rows(self) -> Iterator[Row]:
        """Yield each row as it was appended."""
        for row in self._connection.execute(f"SELECT {self._columns} FROM results ORDER BY rowid"):
            yield {name: _decoded(name, value) for name, value in zip(self.schema.columns, row, strict=True)}

    def delete(self) -> None:
        """Delete the journal, once its output is complete."""
        self._connection.close()
        self.path.unlink(missing_ok=True)


@contextmanager
def open_journal(
    output: Path, schema: TableSchema, settings: Mapping[str, Any], existing: Existing = "refuse"
) -> Iterator[Journal]:
    """Open the journal of an output, new or, with `existing="resume"`, as it was left; it is kept unless it is empty.

    Args:
        output: file or folder that the job will write
        schema: the columns of the rows
        existing: what to do if the output exists or was begun
        settings: all that determines the rows, as JSON; a journal is resumed only with the settings that it began with

    Raises:
        UsageError: if the settings differ
        OutputError: see `check_output`; also if another command is writing, or the file cannot be written
    """
    check_output(output, existing)
    path = journal_path(output)
    with ExitStack() as stack:
        try:
            # Without an isolation level each statement commits itself.
            connection = stack.enter_context(closing(sqlite3.connect(path, timeout=0, isolation_level=None)))
            for pragma in _PRAGMAS:
                connection.execute(f"PRAGMA {pragma}")
            if existing == "overwrite":
                connection.executescript("DROP TABLE IF EXISTS results; DROP TABLE IF EXISTS settings")
            _check_settings(connection, output, {**settings, "columns": list(schema.columns)})
            journal = Journal(output, schema, connection)
        except sqlite3.Error as error:
            if "locked" in str(error):
                message = f"{output}: another command is writing it; wait for it, or choose another name"
            else:
                message = f"{path}: cannot be used ({reason(error)}); make room, or remove it"
            raise OutputError(message) from error
        try:
            yield journal
        finally:
            if journal.row_count == 0:
                journal.delete()


def journal_path(output: Path) -> Path:
    """Return the path of the journal of an output."""
    return output.with_name(f"{output.name}.journal")


def is_complete(output: Path) -> bool:
    """Return whether an output exists and its job has nothing left to do."""
    return output.exists() and not journal_path(output).exists()


def check_output(output: Path, existing: Existing) -> None:
    """Check that an output can be written, before anything is loaded or read.

    Raises:
        OutputError: if its folder does not exist, or it exists or was begun and `existing` is "refuse"
    """
    check_parent(output)
    if existing == "refuse" and output.exists():
        raise OutputError(f"{output}: exists already; choose another name, or replace it with --overwrite")
    if existing == "refuse" and journal_path(output).exists():
        raise OutputError(
            f"{output}: was begun and not finished; continue with --resume, or start again with --overwrite"
        )


def _check_settings(connection: sqlite3.Connection, output: Path, settings: Mapping[str, Any]) -> None:
    """Store the settings of a new journal, or compare them with those that it began with."""
    connection.execute("CREATE TABLE IF NOT EXISTS settings (json)")
    stored = connection.execute("SELECT json FROM settings").fetchone()
    if stored is None:
        connection.execute("INSERT INTO settings VALUES (?)", [json.dumps(settings)])
        return
    before, now = json.loads(stored[0]), json.loads(json.dumps(settings))
    for name in {**before, **now}:
        if before.get(name) != now.get(name):
            raise UsageError(
                f"{output}: was begun with {name} {_short(before.get(name))}, now it is {_short(now.get(name))}; use "
                "the same settings to resume, or start again with --overwrite"
            )


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else text[:77] + "..."


def _encoded(name: str, value: Any) -> Any:
    if value is None:
        return None
    if name == "embedding":
        return value.tobytes()
    return json.dumps(value) if name == "views" else value


def _decoded(name: str, value: Any) -> Any:
    if value is None:
        return None
    if name == "embedding":
        return np.frombuffer(value, np.float32)
    return json.loads(value) if name == "views" else value
