"""Lists of paths and addresses in text files and tables, and where their entries lead."""

from __future__ import annotations

import csv
import os
import unicodedata
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from artnet.errors import NoImagesError, SourceError, reason
from artnet.fetch.http import is_url
from artnet.sources.local import is_local_folder, is_local_path, is_system_file
from artnet.sources.stores import is_local_url, is_stored, join, without_local_scheme
from artnet.sources.tables import LABEL_COLUMNS, LIST_SUFFIXES, table_rows


@dataclass(frozen=True)
class ListEntry:
    """One entry: where it leads, or why nowhere.

    Attributes:
        target: a path or an address
        written: the same as the list has it, relative to the list's folder
        fields: what else its row says, by `column_name`
    """

    target: str
    written: str = ""
    error: SourceError | None = None
    fields: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_hidden(self) -> bool:
        """Return whether a system left what the entry names, as in a list of all files of a folder."""
        return not is_url(self.target) and is_system_file(self.written)

    @property
    def label(self) -> str | None:
        """Return the label, style or class that the row has."""
        return self.value(*LABEL_COLUMNS)

    @property
    def id(self) -> str | None:
        """Return the id that the row has."""
        return self.value("id")

    def value(self, *columns: str) -> str | None:
        """Return the cell of the first of these columns that the list has, None where it is empty."""
        cell = next((self.fields[column] for column in columns if column in self.fields), "")
        return cell.strip() or None


def is_list(name: str) -> bool:
    """Return by its suffix whether a file is a list of images."""
    return name.lower().endswith(LIST_SUFFIXES)


def list_entries(path: str) -> Iterator[ListEntry]:
    """Yield the entries of a list one by one, relative paths joined to its folder; see `table_rows`.

    Rows without a path are passed over. What keeps the list from being read to its end is the error of a last entry
    without fields, `LIST#rest`.

    Raises:
        SourceError: if the list cannot be opened
        NoImagesError: if it has no entry
    """
    empty = True
    try:
        for row in table_rows(path):
            if _bare(row["path"]):
                empty = False
                yield _entry(path, row)
    except (OSError, csv.Error, ValueError) as error:
        message = f"{path}: cannot be read to its end as a list ({reason(error)}); mend it and try again"
        yield ListEntry(f"{path}#rest", error=SourceError(message))
        return
    if empty:
        raise NoImagesError(f"{path}: lists no image; write a path or an address on each line")


def resolve(path: str, written: str) -> str:
    """Return where an entry of the list at `path` leads, an address or a path joined to the list's folder.

    Of the ways to read a path, as it stands, without the blanks and quotes around it, with slashes for backslashes and
    with its letters composed or decomposed, the first that is there counts.

    Raises:
        SourceError: if it is the folder of the list or one above it, or if a list in a store names a path of this
            machine
    """
    target = _target(path, written)
    if _holds(target, path):
        raise SourceError(f"{target}: is listed in {path}, which lies in it; name that folder as a source of its own")
    return target


def _entry(path: str, row: Mapping[str, str]) -> ListEntry:
    written = _bare(row["path"])
    try:
        return ListEntry(resolve(path, row["path"]), written, fields=row)
    except SourceError as error:
        return ListEntry(written, written, error, row)


def _bare(text: str) -> str:
    """Return a path without the blanks and the pair of quotes around it."""
    text = text.strip()
    return text[1:-1].strip() if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" else text


def _target(path: str, written: str) -> str:
    bare = _bare(written)
    plain = without_local_scheme(bare)
    if is_url(plain) or is_stored(plain):
        return plain
    if not is_stored(path):
        paths = {reading: join(path, reading) for reading in _readings(written, plain)}
        return next(filter(None, map(_existing, paths.values())), paths[plain])
    if plain.startswith(("/", "\\")) or is_local_url(bare):
        raise SourceError(f"{written}: a list in a store names a path of this machine; copy the list here to use it")
    return join(path, plain.replace("\\", "/"))


def _readings(written: str, plain: str) -> list[str]:
    readings = [written, plain, plain.replace("\\", "/")]
    with suppress(UnicodeEncodeError):  # the name of a file may be bytes of Windows-1252, as the list's are
        readings.append(plain.encode("cp1252", "surrogateescape").decode("utf-8", "surrogateescape"))
    return list(dict.fromkeys(readings))


def _existing(path: str) -> str | None:
    """Return a path as it exists, in whichever Unicode form each of its parts has; None where there is none."""
    if is_local_path(path):
        return path
    if path.isascii():
        return None
    found = ""
    for part in Path(path).parts:
        forms = (os.path.join(found, unicodedata.normalize(form, part)) for form in ("NFC", "NFD"))  # noqa: PTH118
        there = next(filter(is_local_path, forms), None)
        if there is None:
            return None
        found = there
    return found


def _holds(folder: str, path: str) -> bool:
    """Return whether a list lies in a folder, or below it."""
    if is_url(folder):
        return False
    if is_stored(folder):
        return path.startswith(f"{folder.rstrip('/')}/")
    if is_stored(path) or not is_local_folder(folder):
        return False
    return Path(path).resolve().is_relative_to(Path(folder).resolve())
