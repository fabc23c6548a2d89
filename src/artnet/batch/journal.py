"""Let a table grow in atomic parts beside its name, so that a stop at any moment loses nothing that was written.

Knows nothing about pictures: rows come in, and one file comes out when the last of them is there.

While it grows, OUT.csv is a folder OUT.csv.parts: `_state.json` says by what settings, and each file there is a whole
table of the rows from the number that it is called. All are written beside their names and renamed.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from artnet.batch.table import Row, RowSchema, check_ending, join_tables, read_known, write_rows
from artnet.errors import OutputError, UsageError

_STATE = "_state.json"  # Arrow and Spark leave out what begins so when they read the folder
_ROWS_IN_A_PART = 1000
_SECONDS_IN_A_PART = 4.0
_SECONDS_IN_THE_FIRST = 0.25  # and twice as long in each after it: a short run, too, has something to go on with


def check_table_path(path: Path, resume: bool = False, overwrite: bool = False) -> None:
    """Refuse a table that could not be written, before anything is loaded or read.

    Errors: `UsageError` for an unknown ending or for both ways of treating what is there, `OutputError` for a table
    that is there already or was begun.
    """
    check_ending(path)
    if resume and overwrite:
        raise UsageError("--resume keeps what is there and --overwrite begins anew; give one of them")
    if not path.absolute().parent.is_dir():
        raise OutputError(f"{path}: its folder does not exist; make it first")
    if resume or overwrite:
        return
    if path.exists():
        raise OutputError(f"{path}: exists already; choose another name, or replace it with --overwrite")
    if _parts_of(path).exists():
        raise OutputError(f"{path}: was begun and not finished; go on with --resume, or begin anew with --overwrite")


def is_whole(path: Path) -> bool:
    """Say whether a table is there to its last row, so that there is nothing to go on with."""
    return path.exists() and not _parts_of(path).exists()


class ResumableTable:
    """A table under way: `add` rows, then `finish`; what was added survives any stop from its part on."""

    def __init__(self, path: Path, shape: RowSchema, parts: list[Path], rows: int) -> None:
        self.path, self.shape = path, shape
        self.folder = _parts_of(path)
        self.rows = rows  # in parts
        self._parts = parts
        self._waiting: list[Row] = []
        self._since, self._pause_s = time.monotonic(), min(_SECONDS_IN_THE_FIRST, _SECONDS_IN_A_PART)

    def done(self) -> Iterator[Row]:
        """Give what is known of the rows that are in parts already: source, movement, decision, error_kind."""
        for part in list(self._parts):
            yield from read_known(part)

    def add(self, row: Row) -> None:
        """Add the next row. Errors: `OutputError` where its part cannot be written."""
        self._waiting.append(row)
        if len(self._waiting) >= _ROWS_IN_A_PART or time.monotonic() - self._since >= self._pause_s:
            self.flush()
            self._pause_s = min(2 * self._pause_s, _SECONDS_IN_A_PART)

    def flush(self) -> None:
        """Write the rows that wait as a part."""
        if self._waiting or not self._parts:
            # Its name is its first row's number: stopped between these lines, it would be written again as it is.
            part = self.folder / f"{self.rows:012d}{self.path.suffix}"
            with self._writing():
                _write_whole(part, lambda partial: write_rows(partial, self._waiting, self.shape))
            if part not in self._parts:
                self._parts.append(part)
            self.rows += len(self._waiting)
            self._waiting = []
        self._since = time.monotonic()

    def finish(self) -> None:
        """Join the parts to the table and take them away. Errors: `OutputError`; the parts are there then."""
        self.flush()
        with self._writing():
            _write_whole(self.path, lambda partial: join_tables(self._parts, partial, self.shape))
        gone = _given_up(self.folder)  # in one step: half a folder would be half a table
        self.folder.rename(gone)
        shutil.rmtree(gone, ignore_errors=True)

    def close(self) -> None:
        """Write what waits as a part; a finished table has nothing that waits."""
        if self._waiting:
            self.flush()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise OutputError(
                f"{self.path}: cannot be written ({error.strerror or error}); {self.rows} rows are kept in "
                f"{self.folder}; make room and go on with --resume"
            ) from error


@contextmanager
def resumable_table(
    path: Path, shape: RowSchema, settings: Mapping[str, Any], resume: bool = False, overwrite: bool = False
) -> Iterator[ResumableTable]:
    """Open a table to add rows to; whatever ends the block, the rows that were added are written as parts.

    `settings` is what decides the rows, as JSON can say it: a table is gone on with by the same settings only.
    Errors: those of `check_table_path`; `UsageError` for other settings; `OutputError`.
    """
    check_table_path(path, resume, overwrite)
    folder = _parts_of(path)
    with ExitStack() as lent:
        try:
            shutil.rmtree(_given_up(folder), ignore_errors=True)
            if overwrite:
                shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(exist_ok=True)
            lent.enter_context(_alone(folder, path))
            _begin(folder, path, json.loads(json.dumps(settings)))
            parts, rows = _whole_parts(folder, path.suffix)
        except OSError as error:
            raise OutputError(f"{path}: cannot be written ({error.strerror or error}); see that it can be") from error
        table = ResumableTable(path, shape, parts, rows)
        try:
            yield table
        finally:
            table.close()


def _parts_of(path: Path) -> Path:
    return path.with_name(path.name + ".parts")


def _given_up(folder: Path) -> Path:
    return folder.with_name(folder.name + ".done")


def _whole_parts(folder: Path, suffix: str) -> tuple[list[Path], int]:
    """Find the parts that follow each other and can be read, and remove what a crash of the machine left else."""
    parts: list[Path] = []
    rows = 0
    for stale in folder.glob(".partial*"):
        stale.unlink()
    for part in sorted(folder.glob("[0-9]*")):
        with suppress(ValueError, KeyError, OSError):
            if part.suffix == suffix and int(part.stem) == rows:
                rows += len(read_known(part))
                parts.append(part)
                continue
        part.unlink()
    return parts, rows


def _begin(folder: Path, path: Path, settings: Mapping[str, Any]) -> None:
    """Note the settings, or check that they are those by which the table was begun."""
    try:
        before = json.loads((folder / _STATE).read_text("utf-8"))
    except (FileNotFoundError, ValueError):
        for part in folder.glob("[0-9]*"):
            part.unlink()
        _write_whole(folder / _STATE, lambda partial: partial.write_text(json.dumps(settings), "utf-8"))
        return
    _check_same(path, before, settings)


def _check_same(path: Path, before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    for name in {**before, **now}:
        if before.get(name) != now.get(name):
            raise UsageError(
                f"{path}: was begun with {name} {_short(before.get(name))}, now it is {_short(now.get(name))}; give "
                "the same again to go on, or begin anew with --overwrite"
            )


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else text[:77] + "..."


def _write_whole(path: Path, write: Callable[[Path], Any]) -> None:
    """Write beside a name, see it on the disk, then rename."""
    partial = path.with_name(f".partial.{path.name}")
    try:
        write(partial)
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def _alone(folder: Path, path: Path) -> Iterator[None]:
    """Keep a second command from the same table, where the system has locks that end with their process."""
    try:
        import fcntl
    except ImportError:
        yield
        return
    with (folder / ".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise OutputError(f"{path}: another command is writing it; wait for it, or choose another name") from None
        yield
