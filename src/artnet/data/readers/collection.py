"""What a collection lies in: a folder, an archive or a single file, with the files below it."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from operator import itemgetter
from pathlib import Path

from artnet.errors import DataError, SourceError
from artnet.fetch.http import is_url
from artnet.sources.item import DEFAULT_RULES, InMemory, SourceItem, SourceRules
from artnet.sources.listing import Lister, archive_lister, list_files
from artnet.sources.local import is_image_name
from artnet.sources.stores import below, is_folder, is_stored, last_name, parent, without_local_scheme
from artnet.sources.zip import zip_items


@dataclass(frozen=True)
class Collection:
    """A folder, an archive or a single file, here or in a store."""

    path: str
    is_folder: bool
    rules: SourceRules = DEFAULT_RULES

    @property
    def name(self) -> str:
        """Return the collection's own name."""
        return last_name(self.path) or self.path

    @property
    def is_archive(self) -> bool:
        """Return whether this is a zip or tar archive, by its suffix; a local zip also by its content."""
        return not self.is_folder and self._lister is not None

    @cached_property
    def files(self) -> Mapping[str, SourceItem]:
        """Return a folder's files, or an archive's images, by their names below it, sorted; none of a single file.

        Raises:
            DataError: if an archive is broken or can only be read from its front
            SourceError: if a folder cannot be listed
        """
        start = len(self.path.rstrip("/")) + 1
        named = ((item.name[start:].replace(os.sep, "/"), item) for item in self._items if not item.is_hidden)
        return dict(sorted(named, key=itemgetter(0)))

    @property
    def hidden_count(self) -> int:
        """Return how many files and folders are hidden, or left by a system, and so passed over."""
        return sum(item.is_hidden for item in self._items)

    def child(self, name: str) -> str:
        """Return the path or address of a file below a folder."""
        return below(self.path, name)

    def images(self, folder: str = "") -> Iterator[tuple[str, SourceItem]]:
        """Yield the images below `folder`, named from there, sorted; a folder that cannot be listed has an error."""
        start = f"{folder}/" if folder else ""
        for name, item in self.files.items():
            # What an archive yields are images, two of one name told apart behind their suffix.
            is_image = not self.is_folder or is_image_name(name) or item.error is not None
            if is_image and name.startswith(start):
                yield name.removeprefix(start), item

    def named(self, *suffixes: str) -> list[str]:
        """Return the names of a folder's files that end in one of `suffixes`, in any case."""
        return [name for name in self.files if name.lower().endswith(suffixes)] if self.is_folder else []

    @property
    def _lister(self) -> Lister | None:
        is_zip = not is_stored(self.path) and zipfile.is_zipfile(self.path)
        return archive_lister(self.path) or (zip_items if is_zip else None)

    @cached_property
    def _items(self) -> tuple[SourceItem, ...]:
        return tuple(self._listed())

    def _listed(self) -> Iterator[SourceItem]:
        if self.is_folder:
            for item in list_files(self.path):
                if item.error is not None and item.name == self.path:
                    raise item.error
                yield item
        elif (lister := self._lister) is not None:
            try:
                for item in lister(self.path, self.rules):
                    _check_member(self.path, item)
                    yield item
            except SourceError as error:
                raise DataError(str(error)) from error


def open_collection(source: str, rules: SourceRules = DEFAULT_RULES) -> Collection:
    """Return the collection at a path or URL, its path normalised.

    Raises:
        SourceError: if nothing is there
    """
    source = without_local_scheme(source)
    if is_url(source):
        return Collection(source, False, rules)
    if is_stored(source):
        return Collection(source.rstrip("/"), is_folder(source), rules)
    path = Path(source)
    if not path.exists():
        raise SourceError(f"{source}: no such file or folder; check the spelling")
    # "." has no name of its own; a file keeps its name, which a link into a cache of blobs would lose.
    spelt = path.resolve() if path.is_dir() else path.parent.resolve() / path.name
    return Collection(str(spelt), path.is_dir(), rules)


def folder_of(file: str, rules: SourceRules = DEFAULT_RULES) -> Collection:
    """Return the folder in which a file lies."""
    return Collection(parent(file), True, rules)


def _check_member(path: str, item: SourceItem) -> None:
    if isinstance(item.location, InMemory):  # the bytes of a whole collection would have to be kept
        raise DataError(f"{path}: a compressed tar can only be read sequentially; make it a zip or a plain tar")
    if item.error is not None and item.name == f"{path}#rest":
        raise item.error
