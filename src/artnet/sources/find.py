"""From what a user names (files, folders, patterns, archives, tables, lists, addresses) to single images."""

from __future__ import annotations

import glob
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from artnet.errors import ArtNetError, NoImagesError, SourceError
from artnet.fetch.http import is_url
from artnet.fetch.retry import fetch_with_retry
from artnet.sources.iiif import iiif_items
from artnet.sources.iiif_image import DOCUMENT_BYTES, WebImage
from artnet.sources.item import DEFAULT_RULES, InMemory, SourceItem, SourceRules
from artnet.sources.listing import Lister, archive_lister, list_files
from artnet.sources.lists import is_list, list_entries
from artnet.sources.local import (
    LocalFile,
    has_image_suffix,
    is_hidden_match,
    is_local_folder,
    is_local_path,
    matching_files,
)
from artnet.sources.parquet import parquet_items
from artnet.sources.stores import (
    StoredFile,
    check_listed,
    fetch_rules,
    has_pattern,
    is_folder,
    is_stored,
    open_file,
    stored_matching,
    without_local_scheme,
)
from artnet.sources.tables import LIST_SUFFIXES


def find_items(
    sources: Iterable[str], rules: SourceRules = DEFAULT_RULES, on_hidden: Callable[[str], None] = lambda name: None
) -> Iterator[SourceItem]:
    """Yield the images that sources name, lazily, in the order named and sorted within a folder.

    A file is an image whatever it is called, unless its suffix is that of an archive, a Parquet file, a list or a IIIF
    document; a folder yields the images below it (by their suffix), and a pattern with * or ? the files that match.
    An address with :// yields the same through fsspec; an http(s) address yields an image or those of a IIIF document.
    A source that holds none is yielded with its error, and the others go on. Files and folders that are hidden, or that
    systems leave, are passed over; `on_hidden` is called with the name of each.
    """
    for source in sources:
        for item in _or_error(source, _source_items(without_local_scheme(source), rules)):
            if item.is_hidden:
                on_hidden(item.name)
            else:
                yield item


def find_listed(target: str, rules: SourceRules) -> Iterator[SourceItem]:
    """Yield the images, and what is hidden, to which an entry leads; a list, which may be the same, is refused."""
    yield from _or_error(target, _entry_items(target, rules))


def holds_many(source: str) -> bool:
    """Return whether a source may name more than one image; no server is contacted for it."""
    source = without_local_scheme(source)
    if is_url(source):
        return not _is_image_url(source)
    if is_stored(source):
        return has_pattern(source) or not has_image_suffix(source)
    return is_local_folder(source) or _is_pattern(source) or _lister(source) is not None


def entry_holds_many(target: str) -> bool:
    """Return whether an entry of a list leads to several images, or to what a server has to describe."""
    if is_url(target):
        return _is_document_url(target)
    if is_stored(target):
        return not has_image_suffix(target)
    return is_local_folder(target) or _lister(target) is not None


def read_document(path: str, rules: SourceRules) -> bytes:
    """Read what may be a IIIF document, by its path or address.

    Raises:
        SourceError: if it cannot be read, or is an archive, a Parquet file or a list on the web
    """
    if not is_url(path):
        with open_file(path) as file:
            return file.read(DOCUMENT_BYTES)
    if _lister(urlsplit(path).path) not in (None, _document_items):
        raise SourceError(f"{path}: archives, Parquet files and lists are not read over http; download it first")
    return fetch_with_retry(path, fetch_rules(rules)).data


def _or_error(source: str, items: Iterator[SourceItem]) -> Iterator[SourceItem]:
    """Yield items, and the error that ends them in its place."""
    try:
        yield from items
    except ArtNetError as error:
        yield SourceItem(source, error=error)


def _source_items(source: str, rules: SourceRules) -> Iterator[SourceItem]:
    if not source:
        raise NoImagesError("a source with an empty name; name a file or a folder with images")
    if is_url(source):
        yield from _web_items(source, rules)
    elif is_stored(source) and has_pattern(source):
        yield from _require_items(source, _matching_items(stored_matching(source), source, rules), "matches no file")
    elif is_local_folder(source) or _is_stored_folder(source):
        yield from _require_items(source, _folder_items(source), "holds no image")
    elif not is_stored(source) and _is_pattern(source):
        yield from _require_items(source, _matching_items(matching_files(source), source, rules), "matches no file")
    else:
        yield from _file_items(source, rules)


def _entry_items(target: str, rules: SourceRules) -> Iterator[SourceItem]:
    """Yield the images of a list's entry; it is no pattern, and a plain URL is taken for that of an image."""
    if is_stored(target):
        check_listed(target, rules)
    if is_url(target) and not _is_document_url(target):
        yield SourceItem(target, WebImage(target))
    elif is_list(target):
        raise SourceError(f"{target}: is a list within a list; name it as a source of its own")
    elif is_url(target) or is_stored(target) or is_local_folder(target):
        yield from _source_items(target, rules)
    else:
        yield from _file_items(target, rules)


def _file_items(path: str, rules: SourceRules) -> Iterator[SourceItem]:
    """Yield what a file holds, here or in a store, by its suffix; one of any other suffix is an image itself."""
    path = path if is_stored(path) else str(Path(path))
    lister = _lister(path)
    if lister is not None:
        yield from _or_error(path, _require_items(path, lister(path, rules), "holds no image"))
    elif is_stored(path):
        yield SourceItem(path, StoredFile(path))
    else:
        yield SourceItem(path, LocalFile(path))


def _matching_items(paths: Iterable[str], pattern: str, rules: SourceRules) -> Iterator[SourceItem]:
    for path in paths:
        if is_hidden_match(path, pattern):
            yield SourceItem(path, is_hidden=True)
        else:
            yield from _file_items(path, rules)


def _folder_items(folder: str) -> Iterator[SourceItem]:
    return (item for item in list_files(folder) if item.error or item.is_hidden or has_image_suffix(item.name))


def _require_items(source: str, items: Iterator[SourceItem], fault: str) -> Iterator[SourceItem]:
    """Yield items, or raise `fault` where there is none."""
    empty = True
    for item in items:
        empty = empty and item.is_hidden
        yield item
    if empty:
        raise NoImagesError(f"{source}: {fault}; name a file or a folder with images")


def _lister(path: str) -> Lister | None:
    return archive_lister(path) or _LISTERS.get(path[path.rfind(".") :].lower())


def _document_items(path: str, rules: SourceRules) -> Iterator[SourceItem]:
    yield from iiif_items(path, read_document(path, rules), rules)


def _list_items(path: str, rules: SourceRules) -> Iterator[SourceItem]:
    for entry in list_entries(path):
        if entry.error is not None:
            yield SourceItem(entry.target, error=entry.error)
            continue
        if entry.is_hidden:
            yield SourceItem(entry.target, is_hidden=True)
            continue
        for item in find_listed(entry.target, rules):
            unnamed = item.label is None and item.id is None and (entry.label or entry.id)
            yield replace(item, label=entry.label, id=entry.id) if unnamed else item


def _web_items(url: str, rules: SourceRules) -> Iterator[SourceItem]:
    """Yield the image where the address ends like one; else fetch what is there, an image or a IIIF document."""
    if _is_image_url(url):
        yield SourceItem(url, WebImage(url))
        return
    data = read_document(url, rules)
    if data[:64].lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"["):
        yield from _require_items(url, iiif_items(url, data, rules), "holds no image")
    else:
        yield SourceItem(url, InMemory(data))


def _is_image_url(url: str) -> bool:
    return has_image_suffix(url.partition("#")[0].partition("?")[0])


def _is_document_url(url: str) -> bool:
    """Return by its words whether an address in a list is that of a IIIF document."""
    if _is_image_url(url):
        return False
    parts = url.lower().partition("#")[0].partition("?")[0].split("/")[3:]
    return url.lower().endswith(".json") or any(part in ("manifest", "collection", "collections") for part in parts)


def _is_stored_folder(source: str) -> bool:
    return is_stored(source) and not has_image_suffix(source) and _lister(source) is None and is_folder(source)


def _is_pattern(source: str) -> bool:
    return glob.has_magic(source) and not is_local_path(source)


_LISTERS: dict[str, Lister] = {
    ".parquet": parquet_items,
    ".json": _document_items,
    **dict.fromkeys(LIST_SUFFIXES, _list_items),
}
