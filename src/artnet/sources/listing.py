"""The files of a folder or archive, here or in a store: one lister for `classify`, `index` and `prepare`.

Another archive format is a module beside `zip` and one line in `ARCHIVES`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from artnet.errors import ArtNetError
from artnet.sources.item import SourceItem, SourceRules
from artnet.sources.local import LocalFile, is_hidden
from artnet.sources.stores import StoredFile, below, folder_names, is_stored
from artnet.sources.tar import TAR_SUFFIXES, tar_items
from artnet.sources.zip import zip_items

Lister = Callable[[str, SourceRules], Iterator[SourceItem]]
ARCHIVES: dict[str, Lister] = {".zip": zip_items, **dict.fromkeys(TAR_SUFFIXES, tar_items)}


def archive_lister(path: str) -> Lister | None:
    """Return what lists the images of an archive, by the suffix of its name; None where it names no archive."""
    return next((lister for suffix, lister in ARCHIVES.items() if path.lower().endswith(suffix)), None)


def list_files(folder: str) -> Iterator[SourceItem]:
    """Yield each file below a folder, sorted, a folder's own files first; a hidden folder is an item and not walked.

    The names of one folder are in memory at a time; links to folders are not followed. A folder that cannot be listed
    is yielded with its error, and the others go on.
    """
    location = StoredFile if is_stored(folder) else LocalFile
    pending = [folder]
    while pending:
        folder = pending.pop()
        try:
            files, folders = folder_names(folder)
        except ArtNetError as error:
            yield SourceItem(folder, error=error)
            continue
        for name in sorted(files):
            path = below(folder, name)
            yield SourceItem(path, location(path), is_hidden=is_hidden(name))
        hidden = sorted(filter(is_hidden, folders))
        yield from (SourceItem(below(folder, name), is_hidden=True) for name in hidden)
        pending += [below(folder, name) for name in sorted(set(folders) - set(hidden), reverse=True)]
