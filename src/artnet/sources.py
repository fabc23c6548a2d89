"""Turn what a user names (files, folders, globs) into single pictures.

Knows nothing about decoding: it yields where pictures lie, lazily, in the order named and sorted within a folder.
"""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from artnet.errors import NoPicturesError
from artnet.found import DEFAULT_RULES, Found, SourceRules
from artnet.image import SUFFIXES, read_bytes


@dataclass(frozen=True)
class File:
    """A file of this machine, or of a disk that machines share."""

    path: str

    def read(self, name: str, rules: SourceRules) -> bytes:
        """Read it whole."""
        return read_bytes(self.path, rules.limits)


def find_pictures(sources: Iterable[str], rules: SourceRules = DEFAULT_RULES) -> Iterator[Found]:
    """Yield each picture; a source that holds none is yielded with its error, and the others go on.

    A file is taken whatever it is called, a folder gives the pictures below it (by their suffix), and a pattern
    with * or ? gives the files that match.
    """
    for source in sources:
        if not source:
            yield Found(source, error=NoPicturesError("an empty name was given; name a file or a folder with pictures"))
            continue
        path = Path(source)
        if _is_folder(path):
            yield from _or_error(source, _below(path), "holds no picture", rules)
        elif holds_many(source):
            yield from _or_error(source, _matching(source), "matches no file", rules)
        else:
            yield _file(path, rules)


def holds_many(source: str) -> bool:
    """Tell whether a source may name more than one picture."""
    path = Path(source)
    return _is_folder(path) or (glob.has_magic(source) and not _exists(path))


def _file(path: Path, rules: SourceRules) -> Found:
    return Found(str(path), File(str(path)), rules)


def _or_error(source: str, paths: Iterator[Path], fault: str, rules: SourceRules) -> Iterator[Found]:
    empty = True
    for path in paths:
        empty = False
        yield _file(path, rules)
    if empty:
        yield Found(source, error=NoPicturesError(f"{source}: {fault}; name a file or a folder with pictures"))


def _below(folder: Path) -> Iterator[Path]:
    """Walk a folder in sorted order, one directory's names in memory at a time; links to folders are not followed."""
    for directory, folders, files in os.walk(folder):
        folders.sort()
        for name in sorted(files):
            if Path(name).suffix.lower() in SUFFIXES:
                yield Path(directory, name)


def _matching(pattern: str) -> Iterator[Path]:
    deep = "**" in Path(pattern).parts
    names = _any_depth(Path(pattern)) if deep else map(Path, glob.glob(pattern))
    yield from (name for name in sorted(names) if _is_file(name))


def _any_depth(pattern: Path) -> Iterator[Path]:
    """Expand ** without following links to folders: glob would, and two that lead back never end."""
    start = Path(pattern.anchor)
    rest = pattern.relative_to(start)
    try:
        yield from start.glob(str(rest / "*" if rest.name == "**" else rest))
    except (OSError, ValueError):  # a name that no file can have
        return


# os.path answers False for a name that no file can have; pathlib raises.
_is_folder, _is_file, _exists = os.path.isdir, os.path.isfile, os.path.exists
