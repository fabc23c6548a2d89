"""Files of this machine, and which names of files and members count as images."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from artnet.errors import SourceError, reason
from artnet.imaging.decode import SUFFIXES, read_bytes
from artnet.sources.item import SourceRules

# os.path answers False for a name that no file can have, where pathlib raises.
is_local_folder, is_local_file, is_local_path = os.path.isdir, os.path.isfile, os.path.exists
# Of macOS, Windows (thumbnails, settings, trash), Linux, and Synology's and QNAP's stations (thumbnails, trash).
_SYSTEM_NAMES = {
    *("__macosx", ".ds_store", "thumbs.db", "ehthumbs.db", "desktop.ini", "$recycle.bin", "system volume information"),
    *("lost+found", "@eadir", "#recycle", "@recycle", ".@__thumb"),
}
_SEPARATORS = re.compile(r"[/\\]")  # archives made on Windows hold both


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file of this machine, or of a disk that machines share."""

    path: str

    def read(self, name: str, rules: SourceRules) -> bytes:
        """Read the whole file."""
        return read_bytes(self.path, rules.limits)


def is_hidden(name: str) -> bool:
    """Return whether a file or folder is passed over: a hidden one, or what systems and disk stations leave.

    >>> [is_hidden(name) for name in (".git", "._a.jpg", "__MACOSX", "Thumbs.db", "a.jpg", "..")]
    [True, True, True, True, False, False]
    """
    return (name.startswith(".") and name not in (".", "..")) or name.lower() in _SYSTEM_NAMES


def has_hidden_part(name: str) -> bool:
    """Return whether a name below a folder or in an archive has a part that is passed over."""
    return any(map(is_hidden, _SEPARATORS.split(name)))


def is_system_file(name: str) -> bool:
    """Return whether a system left a file, or the folder in which it lies; nobody means those even by their name.

    >>> [is_system_file(name) for name in ("x/._a.jpg", "@eaDir/a.jpg", ".DS_Store", ".thumbs/a.jpg")]
    [True, True, True, False]
    """
    return any(part.startswith("._") or part.lower() in _SYSTEM_NAMES for part in _SEPARATORS.split(name))


def has_image_suffix(name: str) -> bool:
    """Return whether a name ends as those of images do."""
    return name[name.rfind(".") :].lower() in SUFFIXES


def is_image_name(name: str) -> bool:
    """Return whether a name below a folder or in an archive is an image's, with no hidden part.

    >>> [is_image_name(name) for name in ("x/a.JPG", "x/._a.jpg", "__MACOSX/a.jpg", "a.txt")]
    [True, False, False, False]
    """
    return has_image_suffix(name) and not has_hidden_part(name)


def local_names(folder: str) -> tuple[list[str], list[str]]:
    """Return the names of a folder's files and of its folders; links to folders are neither, so circles end.

    Raises:
        SourceError: if the folder cannot be listed
    """
    files, folders = [], []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if not entry.is_dir():
                    files.append(entry.name)
                elif not entry.is_symlink():
                    folders.append(entry.name)
    except OSError as error:
        raise SourceError(f"{folder}: cannot be listed ({reason(error)}); check its permissions") from error
    return files, folders


def matching_files(pattern: str) -> Iterator[str]:
    """Yield the files that match a pattern with `*`, `?` or `**`, sorted, hidden ones among them."""
    deep = "**" in Path(pattern).parts
    names = map(str, _any_depth(Path(pattern)) if deep else map(Path, glob.glob(pattern)))
    return (name for name in sorted(names) if is_local_file(name))


def is_hidden_match(name: str, pattern: str) -> bool:
    """Return whether a match has a hidden part that its pattern does not name.

    >>> is_hidden_match("x/.git/a.jpg", "x/**/*.jpg"), is_hidden_match("x/.git/a.jpg", "x/.g*/*.jpg")
    (True, False)
    """
    requested = [part for part in _SEPARATORS.split(pattern) if is_hidden(part)]
    hidden = filter(is_hidden, _SEPARATORS.split(name))
    return any(not any(fnmatchcase(part, each) for each in requested) for part in hidden)


def _any_depth(pattern: Path) -> Iterator[Path]:
    """Expand ** without following links to folders: glob would, and two that lead back never end."""
    start = Path(pattern.anchor)
    rest = pattern.relative_to(start)
    try:
        yield from start.glob(str(rest / "*" if rest.name == "**" else rest))
    except (OSError, ValueError):  # a name that no file can have
        return
