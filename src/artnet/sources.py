"""Turn what a user names (files, folders, globs) into single pictures.

Knows nothing about decoding: it yields paths, lazily, in the order named and sorted within a folder.
"""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from artnet.errors import ArtNetError, NoPicturesError
from artnet.image import SUFFIXES


def find_pictures(sources: Iterable[str]) -> Iterator[Path | tuple[str, ArtNetError]]:
    """Yield each picture's path; a source that holds none is yielded with its error, and the others go on.

    A file is taken whatever it is called, a folder gives the pictures below it (by their suffix), and a pattern
    with * or ? gives the files that match.
    """
    for source in sources:
        path = Path(source)
        if path.is_dir():
            yield from _or_error(source, _below(path), "holds no picture")
        elif holds_many(source):
            yield from _or_error(source, _matching(source), "matches no file")
        else:
            yield path


def holds_many(source: str) -> bool:
    """Tell whether a source may name more than one picture."""
    path = Path(source)
    return path.is_dir() or (glob.has_magic(source) and not path.exists())


def _or_error(source: str, paths: Iterator[Path], fault: str) -> Iterator[Path | tuple[str, ArtNetError]]:
    empty = True
    for path in paths:
        empty = False
        yield path
    if empty:
        yield source, NoPicturesError(f"{source}: {fault}; name a file or a folder with pictures")


def _below(folder: Path) -> Iterator[Path]:
    """Walk a folder in sorted order, one directory's names in memory at a time; links to folders are not followed."""
    for directory, folders, files in os.walk(folder):
        folders.sort()
        for name in sorted(files):
            if Path(name).suffix.lower() in SUFFIXES:
                yield Path(directory, name)


def _matching(pattern: str) -> Iterator[Path]:
    yield from (Path(name) for name in sorted(glob.glob(pattern, recursive=True)) if Path(name).is_file())
