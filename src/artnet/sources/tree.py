"""List the files of a collection, a folder or an archive, here or in a store, with where each lies.

Knows nothing about layouts: a name below the collection leads to a place, and that is all.
"""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path

from artnet.errors import DataError
from artnet.sources.item import DEFAULT_RULES, InMemory, Location, UnreadableLocation, is_image_name
from artnet.sources.stores import LocalFile, StoredFile, is_stored, is_stored_folder, stored_below
from artnet.sources.tar import is_tar, tar_pictures
from artnet.sources.zip import BROKEN, zip_places

_by_name = itemgetter(0)


@dataclass(frozen=True)
class Tree:
    """A collection's files by their names below it, sorted; hidden ones are none."""

    location: str
    is_folder: bool
    places: Mapping[str, Location]

    @property
    def name(self) -> str:
        """Give the collection's own name."""
        return last_name(self.location)

    def child(self, name: str) -> str:
        """Give the path or address of a file below a folder."""
        return f"{self.location}/{name}" if is_stored(self.location) else str(Path(self.location, name))

    def pictures(self) -> Iterator[tuple[str, Location]]:
        """Give names and places of the pictures, sorted."""
        return ((name, place) for name, place in self.places.items() if is_image_name(name))

    def below(self, folder: str) -> Iterator[tuple[str, Location]]:
        """Give those of the pictures in one folder, named from there."""
        start = f"{folder}/"
        return ((name.removeprefix(start), place) for name, place in self.pictures() if name.startswith(start))


def open_tree(location: str) -> Tree:
    """List a folder or an archive. Errors: `DataError` for an archive that is broken, `SourceError`."""
    if not is_folder(location):
        return Tree(location, False, dict(sorted(_archived(location), key=_by_name)))
    if is_stored(location):
        return Tree(location, True, dict(sorted(_stored(location), key=_by_name)))
    return Tree(location, True, {name: LocalFile(str(Path(location, name))) for name in sorted(_files(Path(location)))})


def is_folder(location: str) -> bool:
    """Tell whether a path or an address is a folder. Errors: `SourceError` for an address that is nothing."""
    return is_stored_folder(location) if is_stored(location) else Path(location).is_dir()


def is_archive(location: str) -> bool:
    """Tell whether a file is a zip or tar archive, a file of this machine by its content, too."""
    return (
        location.lower().endswith(".zip")
        or is_tar(location)
        or (not is_stored(location) and zipfile.is_zipfile(location))
    )


def last_name(location: str) -> str:
    """Give the last part of a path or an address."""
    return location.rstrip("/").rpartition("/")[2] if is_stored(location) else Path(location).name


def folder_of(location: str) -> str:
    """Give the folder in which a file lies."""
    return location.rpartition("/")[0] if is_stored(location) else str(Path(location).parent)


def _archived(location: str) -> Iterator[tuple[str, Location]]:
    if is_tar(location):
        for found in tar_pictures(location, DEFAULT_RULES):
            if isinstance(found.location, InMemory):
                raise DataError(
                    f"{location}: a packed tar can only be read from its front; make it a zip or a plain tar"
                )
            if found.error is not None and found.name.endswith("#rest"):
                raise DataError(str(found.error))
            place = UnreadableLocation(found.error) if found.error is not None else found.location
            if place is not None:
                yield found.name.removeprefix(f"{location}/"), place
        return
    try:
        places = list(zip_places(location))
    except BROKEN as error:
        raise DataError(f"{location}: cannot be read as a zip archive ({error}); download it again") from error
    yield from places


def _stored(location: str) -> Iterator[tuple[str, Location]]:
    for address in stored_below(location):
        if isinstance(address, tuple):
            raise address[1]
        name = address.removeprefix(f"{location}/")
        if not any(part.startswith(".") for part in name.split("/")):
            yield name, StoredFile(address)


def _files(folder: Path) -> Iterator[str]:
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        below = Path(parent).relative_to(folder)
        for name in names:
            if not name.startswith(".") and Path(parent, name).is_file():
                yield (below / name).as_posix()
