"""Walk IIIF collections and manifests, of Presentation 2 and 3, to the pictures on their canvases.

Knows nothing about how an image service is asked for pixels. https://iiif.io/api/presentation/3.0/ and /2.1/.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import Any

from artnet.concurrency import DaemonPool
from artnet.errors import ArtNetError, NoPicturesError, SourceError
from artnet.fetch.http import is_url
from artnet.fetch.retry import fetch_with_retry
from artnet.sources.iiif_image import IiifImage
from artnet.sources.iiif_words import (
    Canvas,
    Json,
    canvases,
    identity,
    is_collection,
    is_embedded,
    is_image_service,
    is_manifest,
    metadata,
    next_page,
    painted,
    parts,
    words,
)
from artnet.sources.item import Location, Names, SourceItem, SourceRules
from artnet.sources.stores import address_rules

_DEEPEST = 32  # collections within collections
_BARREN = 1000  # documents in a row without a picture, after which a server is taken to make them up
_AHEAD = 4  # documents asked for at once: museums have a manifest a painting, and each costs a round trip
_DOCUMENT_BYTES = 32 * 2**20


@dataclass(frozen=True)
class Shown:
    """A canvas with its picture's place, or an error, and what its manifest says of the whole."""

    name: str
    place: Location | None = None
    label: str | None = None
    id: str | None = None
    title: str | None = None
    facts: dict[str, str] = field(default_factory=dict)
    error: ArtNetError | None = None


def iiif_pictures(address: str, data: bytes, rules: SourceRules) -> Iterator[SourceItem]:
    """Yield the picture of each canvas below a document; what is missing or broken is yielded with its error.

    A picture is called by its canvas. Errors: `SourceError` for a document that is none of IIIF.
    """
    for shown in iiif_canvases(address, data, rules):
        yield SourceItem(shown.name, shown.place, shown.error, shown.label, shown.id)


def iiif_canvases(address: str, data: bytes, rules: SourceRules) -> Iterator[Shown]:
    """Yield each canvas below a document, in its order, each document read once however often it is listed."""
    walk = _Walk(rules, Names(), DaemonPool(_AHEAD))
    walk.is_new(address)
    yield from walk.document(address, _parsed(address, data), ())


@dataclass
class _Walk:
    """What is remembered on the way: the documents that were read, and how long no picture was seen."""

    rules: SourceRules
    names: Names
    background: DaemonPool
    read: set[bytes] = field(default_factory=set)
    barren: int = 0

    def is_new(self, address: str) -> bool:
        """Tell whether a document was not met before, and remember it."""
        mark = blake2b(address.partition("#")[0].encode("utf-8", "surrogatepass"), digest_size=8).digest()
        met = mark in self.read
        self.read.add(mark)
        return not met

    def document(self, address: str, content: Json, above: tuple[str, ...]) -> Iterator[Shown]:
        """Go on with whatever a document is."""
        self.barren += 1
        if self.barren > _BARREN:
            raise SourceError(f"{address}: {_BARREN} IIIF documents in a row held no picture; given up here")
        if is_manifest(content):
            yield from self.manifest(address, content)
        elif is_collection(content):
            yield from self.collection(address, content, above)
        elif is_image_service(content):
            base = (identity(content) or address).removesuffix("/info.json").rstrip("/")
            yield Shown(base, IiifImage(base))
        else:
            yield _failed(address, "is neither a IIIF manifest nor a collection; give the address of one")

    def manifest(self, address: str, content: Json) -> Iterator[Shown]:
        """Yield the canvases of a manifest."""
        title, facts = words(content.get("label")), metadata(content)
        position = 0
        for position, canvas in enumerate(canvases(content), start=1):
            name = canvas.id if is_url(canvas.id) else f"{address}#{canvas.id or position}"
            name = self.names.distinct(name, position)
            label = canvas.label or title or None
            try:
                place = self._place(name, canvas)
                self.barren = 0
                yield Shown(name, place, label, canvas.id or None, title or None, facts)
            except ArtNetError as error:
                yield Shown(name, None, label, canvas.id or None, title or None, facts, error)
        if not position:
            yield _failed(address, "this manifest has no canvas; there is no picture to take")

    def _place(self, name: str, canvas: Canvas) -> Location:
        found = canvas
        if canvas.page:
            found = painted(self._load(canvas.page))
        if found.place is None:
            raise NoPicturesError(f"{name}: this canvas {found.fault}")
        return found.place

    def collection(self, address: str, content: Json, above: tuple[str, ...]) -> Iterator[Shown]:
        """Yield what lies below a collection, page after page."""
        if len(above) >= _DEEPEST:
            yield _failed(address, f"lies more than {_DEEPEST} collections deep; give its own address")
            return
        page, here, listed = content, address, False
        while True:
            for part, loaded in self._ahead(parts(page), (*above, address)):
                listed = True
                if isinstance(loaded, Shown):
                    yield loaded
                else:
                    yield from self.document(part, loaded, (*above, address))
            link = next_page(page)
            if not link:
                break
            if not self.is_new(link):
                yield _failed(link, f"is named as the page after {here}, but came before; its pages go in a circle")
                return
            try:
                page, here = self._load(link), link
            except ArtNetError as error:
                yield Shown(link, error=error)
                return
            self.barren += 1
        if not listed:
            yield _failed(address, "this collection lists nothing; there is no picture to take")

    def _ahead(self, listed: Iterable[object], above: tuple[str, ...]) -> Iterator[tuple[str, Json | Shown]]:
        """Load the parts of a collection, a few at once, and give them in order."""
        waiting: deque[tuple[str, Json | Shown | Future[Json]]] = deque()
        for position, part in enumerate(listed, start=1):
            address = identity(part) or f"{above[-1]}#{position}"
            if address in above:
                waiting.append((address, _failed(address, "this collection lies within itself; not read again")))
            elif isinstance(part, dict) and is_embedded(part):
                waiting.append((address, part))
            elif not is_url(address) or not identity(part):
                waiting.append((address, _failed(address, "is listed in a collection without an http(s) address")))
            elif self.is_new(address):
                waiting.append((address, self.background.start(self._load, address)))
            if len(waiting) > _AHEAD:
                yield _arrived(*waiting.popleft())
        while waiting:
            yield _arrived(*waiting.popleft())

    def _load(self, address: str) -> Json:
        rules = replace(address_rules(self.rules), size_bytes=_DOCUMENT_BYTES)
        return _parsed(address, fetch_with_retry(address, rules).data)


def _arrived(address: str, part: Json | Shown | Future[Json]) -> tuple[str, Json | Shown]:
    if not isinstance(part, Future):
        return address, part
    try:
        return address, part.result()
    except ArtNetError as error:
        return address, Shown(address, error=error)


def _parsed(address: str, data: bytes) -> Json:
    try:
        content: Any = json.loads(data)
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        raise SourceError(f"{address}: is no JSON object, so neither a IIIF manifest nor a collection")
    return content


def _failed(address: str, fault: str) -> Shown:
    return Shown(address, error=NoPicturesError(f"{address}: {fault}"))
