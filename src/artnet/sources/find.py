"""Turn what a user names (files, folders, patterns, archives, tables, lists, addresses) into single pictures.

Knows nothing about decoding: it yields where pictures lie, lazily, in the order named and sorted within a folder.
"""

from __future__ import annotations

import glob
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from artnet.errors import ArtNetError, NoImagesError, SourceError
from artnet.fetch.http import is_url
from artnet.fetch.retry import fetch_with_retry
from artnet.imaging.decode import SUFFIXES
from artnet.sources.iiif import iiif_items
from artnet.sources.item import DEFAULT_RULES, InMemory, SourceItem, SourceRules
from artnet.sources.lists import is_list, lines
from artnet.sources.parquet import parquet_pictures
from artnet.sources.stores import (
    LocalFile,
    StoredFile,
    WebFile,
    address_rules,
    check_listed,
    has_pattern,
    is_stored,
    is_stored_folder,
    open_file,
    stored_below,
    stored_matching,
    without_local_scheme,
)
from artnet.sources.tar import is_tar, tar_pictures
from artnet.sources.zip import zip_pictures

_DOCUMENT_BYTES = 32 * 2**20
_WEB_CONTAINERS = (".zip", ".parquet", ".csv", ".tsv", ".txt")


def find_items(sources: Iterable[str], rules: SourceRules = DEFAULT_RULES) -> Iterator[SourceItem]:
    """Yield each picture; a source that holds none is yielded with its error, and the others go on.

    A file is taken whatever it is called, unless its ending is that of an archive, a Parquet file, a list or a IIIF
    document; a folder gives the pictures below it (by their ending), and a pattern with * or ? the files that match.
    An address with :// gives the same through fsspec; an http(s) address gives a picture or a IIIF document's.
    """
    for source in sources:
        yield from _guarded(source, _from_source, rules)


def holds_many(source: str) -> bool:
    """Tell whether a source may name more than one picture; nothing is asked of a server for it."""
    source = without_local_scheme(source)
    if is_url(source):
        return not _is_picture_address(source)
    if is_stored(source):
        return has_pattern(source) or Path(source).suffix.lower() not in SUFFIXES
    path = Path(source)
    return _is_folder(path) or (glob.has_magic(source) and not _exists(path)) or _reader(source) is not None


def find_listed(target: str, rules: SourceRules) -> Iterator[SourceItem]:
    """Yield what an entry of a list leads to; a list within a list is refused, since it may be the same."""
    yield from _guarded(target, _from_entry, rules)


def leads_on(target: str) -> bool:
    """Tell whether an entry of a list leads to several pictures, or to what must be asked."""
    if is_url(target):
        return _is_document_address(target)
    if is_stored(target):
        return Path(target).suffix.lower() not in SUFFIXES
    return _is_folder(target) or _reader(target) is not None


def _guarded(
    source: str, read: Callable[[str, SourceRules], Iterator[SourceItem]], rules: SourceRules
) -> Iterator[SourceItem]:
    """Yield what a source gives, and the error that ends it in its place."""
    try:
        yield from read(source, rules)
    except ArtNetError as error:
        yield SourceItem(source, error=error)


def _from_source(source: str, rules: SourceRules) -> Iterator[SourceItem]:
    source = without_local_scheme(source)
    if not source:
        raise NoImagesError("an empty name was given; name a file or a folder with pictures")
    if is_url(source):
        yield from _from_web(source, rules)
    elif is_stored(source):
        yield from _from_store(source, rules)
    elif _is_folder(source):
        yield from _or_error(source, _below(Path(source), rules), "holds no picture")
    elif glob.has_magic(source) and not _exists(source):
        yield from _or_error(source, _matching(source, rules), "matches no file")
    else:
        yield from _from_file(str(Path(source)), rules)


def _from_file(location: str, rules: SourceRules) -> Iterator[SourceItem]:
    """Yield what a file holds, here or in a store, by its ending; one of any other ending is a picture itself."""
    read = _reader(location)
    if read is None:
        yield SourceItem(location, StoredFile(location) if is_stored(location) else LocalFile(location))
        return
    try:
        yield from _or_error(location, read(location, rules), "holds no picture")
    except ArtNetError as error:
        yield SourceItem(location, error=error)


def _reader(location: str) -> Callable[[str, SourceRules], Iterator[SourceItem]] | None:
    ending = location[location.rfind(".") :].lower()
    by_ending = {".zip": zip_pictures, ".parquet": parquet_pictures, ".json": _from_document}
    if is_tar(location):
        return tar_pictures
    return _from_list if is_list(location) else by_ending.get(ending)


def _from_document(location: str, rules: SourceRules) -> Iterator[SourceItem]:
    with open_file(location) as file:
        data = file.read(_DOCUMENT_BYTES)
    yield from iiif_items(location, data, rules)


def _from_list(location: str, rules: SourceRules) -> Iterator[SourceItem]:
    for line in lines(location):
        if line.error is not None:
            yield SourceItem(line.target, error=line.error)
            continue
        for found in find_listed(line.target, rules):
            named = found.label is None and found.id is None and (line.label or line.id)
            yield replace(found, label=line.label, id=line.id) if named else found


def _from_entry(target: str, rules: SourceRules) -> Iterator[SourceItem]:
    """Take an entry of a list; its characters mean themselves, and a plain address is not asked what it is."""
    if is_stored(target):
        check_listed(target, rules)
    if is_url(target) and not _is_document_address(target):
        yield SourceItem(target, WebFile(target))
    elif is_list(target):
        raise SourceError(f"{target}: is a list within a list; name it as a source of its own")
    elif is_url(target) or is_stored(target) or _is_folder(target):
        yield from _from_source(target, rules)
    else:
        yield from _from_file(target, rules)


def _from_web(address: str, rules: SourceRules) -> Iterator[SourceItem]:
    """Take a picture where the address ends like one; else ask what is there, a picture or a IIIF document."""
    if _is_picture_address(address):
        yield SourceItem(address, WebFile(address))
        return
    check_web(address)
    data = fetch_with_retry(address, address_rules(rules)).data
    if data[:64].lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"["):
        yield from _or_error(address, iiif_items(address, data, rules), "holds no picture")
    else:
        yield SourceItem(address, InMemory(data))


def check_web(address: str) -> None:
    """Refuse what is not read over http. Errors: `SourceError`."""
    path = urlsplit(address).path.lower()
    if is_tar(path) or path.endswith(_WEB_CONTAINERS):
        raise SourceError(f"{address}: archives, Parquet files and lists are not read over http; download it first")


def _from_store(address: str, rules: SourceRules) -> Iterator[SourceItem]:
    if has_pattern(address):
        matching = (found for name in stored_matching(address) for found in _from_file(name, rules))
        yield from _or_error(address, matching, "matches no file")
    elif Path(address).suffix.lower() not in SUFFIXES and _reader(address) is None and is_stored_folder(address):
        yield from _or_error(address, _stored_pictures(address, rules), "holds no picture")
    else:
        yield from _from_file(address, rules)


def _stored_pictures(address: str, rules: SourceRules) -> Iterator[SourceItem]:
    for name in stored_below(address):
        if isinstance(name, tuple):
            yield SourceItem(name[0], error=name[1])
        elif Path(name).suffix.lower() in SUFFIXES:
            yield SourceItem(name, StoredFile(name))


def _or_error(source: str, pictures: Iterator[SourceItem], fault: str) -> Iterator[SourceItem]:
    empty = True
    for found in pictures:
        empty = False
        yield found
    if empty:
        raise NoImagesError(f"{source}: {fault}; name a file or a folder with pictures")


def _below(folder: Path, rules: SourceRules) -> Iterator[SourceItem]:
    """Walk a folder in sorted order, one directory's names in memory at a time; links to folders are not followed."""
    for directory, folders, files in os.walk(folder):
        folders.sort()
        for name in sorted(files):
            if Path(name).suffix.lower() in SUFFIXES:
                path = str(Path(directory, name))
                yield SourceItem(path, LocalFile(path))


def _matching(pattern: str, rules: SourceRules) -> Iterator[SourceItem]:
    deep = "**" in Path(pattern).parts
    names = _any_depth(Path(pattern)) if deep else map(Path, glob.glob(pattern))
    for name in sorted(names):
        if _is_file(name):
            yield from _from_file(str(name), rules)


def _any_depth(pattern: Path) -> Iterator[Path]:
    """Expand ** without following links to folders: glob would, and two that lead back never end."""
    start = Path(pattern.anchor)
    rest = pattern.relative_to(start)
    try:
        yield from start.glob(str(rest / "*" if rest.name == "**" else rest))
    except (OSError, ValueError):  # a name that no file can have
        return


def _is_picture_address(address: str) -> bool:
    path = address.partition("#")[0].partition("?")[0]
    return path[path.rfind(".") :].lower() in SUFFIXES


def _is_document_address(address: str) -> bool:
    """Tell by its words whether an address in a list is that of a IIIF document."""
    if _is_picture_address(address):
        return False
    parts = address.lower().partition("#")[0].partition("?")[0].split("/")[3:]
    return address.lower().endswith(".json") or any(part in ("manifest", "collection", "collections") for part in parts)


# os.path answers False for a name that no file can have; pathlib raises.
_is_folder, _is_file, _exists = os.path.isdir, os.path.isfile, os.path.exists
