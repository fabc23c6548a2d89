"""IIIF collections and manifests, walked to the image on each canvas.

Presentation API 2 and 3: https://iiif.io/api/presentation/2.1/ and https://iiif.io/api/presentation/3.0/.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from typing import Any

from artnet.concurrency import DaemonPool
from artnet.errors import ArtNetError, NoImagesError, SourceError
from artnet.fetch.http import is_url
from artnet.sources.iiif_image import (
    IiifImage,
    Json,
    WebImage,
    fetch_json,
    is_image_service,
    parse_json,
    service_base,
)
from artnet.sources.item import Location, SourceItem, SourceRules, UniqueNames

_MAX_DEPTH = 32  # collections within collections
_MAX_BARREN = 1000  # documents in a row without an image, after which a server is taken to make them up
_PREFETCH = 4  # documents fetched at a time: museums have a manifest a painting, and each costs a round trip
_MAX_NESTING = 5  # a body within a choice within a specific resource ...
_TAG = re.compile(r"<[^>]{1,200}>")
# What follows the base of a service in the address of an image: a region, a size, a rotation, quality and format.
_REQUEST = re.compile(r"/(?P<region>full|square|(?:pct:)?[\d.,]+)/[^/]+/(?P<rotation>!?[\d.]+)/\w+\.\w+")
_FRAGMENT = re.compile(r"xywh=(?P<unit>pixel:|percent:)?(?P<box>[\d.]+(?:,[\d.]+){3})")
_LANGUAGES = ("en", "none", "@none")


@dataclass(frozen=True)
class CanvasImage:
    """The image of a canvas, with what its manifest says of the whole; or, with `error`, a part that has none.

    Attributes:
        label: the label of the canvas, or else of the manifest
        id: the id of the canvas
        title: the label of the manifest
        metadata: the pairs that the manifest shows to people, their labels in lower case
    """

    name: str
    location: Location | None = None
    error: ArtNetError | None = None
    label: str | None = None
    id: str | None = None
    title: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)


def iiif_items(url: str, data: bytes, rules: SourceRules) -> Iterator[SourceItem]:
    """Yield the image of each canvas below a document, named by its canvas; see `iiif_canvases`."""
    for canvas in iiif_canvases(url, data, rules):
        yield SourceItem(canvas.name, canvas.location, canvas.error, canvas.label, canvas.id)


def iiif_canvases(url: str, data: bytes, rules: SourceRules, max_barren: int = _MAX_BARREN) -> Iterator[CanvasImage]:
    """Yield each canvas below a document, in order; a part that is missing or broken is yielded with its error.

    Each document is read once, however often it is listed.

    Args:
        url: where the document lies
        data: the document itself
        rules: limits for the documents that it leads to
        max_barren: documents in a row without an image after which a server is given up

    Raises:
        SourceError: if the document is not JSON, or a server is given up
    """
    walk = _Walk(rules, max_barren)
    walk.is_new(url)
    yield from walk.document(url, parse_json(url, data), ())


class _Walk:
    def __init__(self, rules: SourceRules, max_barren: int) -> None:
        self.rules = rules
        self.max_barren = max_barren
        self.barren = 0
        self.names = UniqueNames()
        self.pool = DaemonPool(_PREFETCH)
        self.visited: set[int] = set()  # hashes of URLs: a collection may list a million

    def is_new(self, url: str) -> bool:
        """Return whether a document was not met before, and remember it."""
        mark = hash(url.partition("#")[0])
        is_new = mark not in self.visited
        self.visited.add(mark)
        return is_new

    def document(self, url: str, content: Json, parents: tuple[str, ...]) -> Iterator[CanvasImage]:
        self.barren += 1
        if self.barren > self.max_barren:
            raise SourceError(f"{url}: {self.max_barren} IIIF documents in a row held no image; given up here")
        if _type(content) in ("manifest", "sc:manifest"):
            yield from self.manifest(url, content)
        elif _type(content) in ("collection", "sc:collection"):
            yield from self.collection(url, content, parents)
        elif is_image_service(content):
            base = service_base(content) or url.removesuffix("/info.json").rstrip("/")
            yield CanvasImage(base, IiifImage(base, f"{base}/full/max/0/default.jpg"))
        else:
            yield _failed(url, "is neither a IIIF manifest nor a collection; give the URL of one")

    def manifest(self, url: str, content: Json) -> Iterator[CanvasImage]:
        about = CanvasImage(url, title=_text(content.get("label")) or None, metadata=_metadata(content))
        position = 0
        for position, canvas in enumerate(_canvases(content), start=1):
            id = _id(canvas)
            name = self.names.unique(id if is_url(id) else f"{url}#{id or position}", position)
            label = _text(_first(canvas, "label")) or about.title
            about = replace(about, name=name, label=label, id=id or None)
            try:
                location = self.location(name, canvas)
            except ArtNetError as error:
                yield replace(about, error=error)
            else:
                self.barren = 0
                yield replace(about, location=location)
        if not position:
            yield _failed(url, "this manifest has no canvas, so no image")

    def location(self, name: str, canvas: object) -> Location:
        """Return where the image of a canvas lies: the first that is painted on it, which lies at the bottom."""
        fault = "has no image on it" if isinstance(canvas, dict) else "is not a JSON object"
        for page in _annotation_pages(canvas):
            is_reference = not isinstance(_first(page, "items", "resources"), list) and is_url(_id(page))
            location, other = _painted(fetch_json(_id(page), self.rules) if is_reference else page)
            if location is not None:
                return location
            if other:
                fault = f"shows {other}, which is not an image"
        raise NoImagesError(f"{name}: this canvas {fault}")

    def collection(self, url: str, content: Json, parents: tuple[str, ...]) -> Iterator[CanvasImage]:
        if len(parents) >= _MAX_DEPTH:
            yield _failed(url, f"lies more than {_MAX_DEPTH} collections deep; give its own URL")
            return
        page, page_url, is_empty = content, url, True
        while True:
            for member_url, member in self.prefetched(_members(page), (*parents, url)):
                is_empty = False
                if isinstance(member, CanvasImage):
                    yield member
                else:
                    yield from self.document(member_url, member, (*parents, url))
            following = _next_page(page)
            if not following:
                break
            if not self.is_new(following):
                yield _failed(following, f"follows the page {page_url}, but came before it; the pages go in a circle")
                return
            try:
                page, page_url = fetch_json(following, self.rules), following
            except ArtNetError as error:
                yield CanvasImage(following, error=error)
                return
            self.barren += 1
        if is_empty:
            yield _failed(url, "this collection lists nothing, so no image")

    def prefetched(
        self, members: Iterable[object], parents: tuple[str, ...]
    ) -> Iterator[tuple[str, Json | CanvasImage]]:
        """Yield the members of a collection with their URLs, in order, each a document or an error."""
        pending: deque[tuple[str, Json | CanvasImage | Future[Json]]] = deque()
        for position, member in enumerate(members, start=1):
            url = _id(member) or f"{parents[-1]}#{position}"
            if url in parents:
                pending.append((url, _failed(url, "this collection lies within itself; not read again")))
            elif isinstance(member, dict) and _is_embedded(member):
                pending.append((url, member))
            elif not is_url(_id(member)):
                pending.append((url, _failed(url, "is listed in a collection without an http(s) URL")))
            elif self.is_new(url):
                pending.append((url, self.pool.submit(fetch_json, url, self.rules)))
            if len(pending) > _PREFETCH:
                yield _arrived(*pending.popleft())
        while pending:
            yield _arrived(*pending.popleft())


def _arrived(url: str, member: Json | CanvasImage | Future[Json]) -> tuple[str, Json | CanvasImage]:
    if not isinstance(member, Future):
        return url, member
    try:
        return url, member.result()
    except ArtNetError as error:
        return url, CanvasImage(url, error=error)


def _failed(url: str, fault: str) -> CanvasImage:
    return CanvasImage(url, error=NoImagesError(f"{url}: {fault}"))


# Below, what documents say, in the words of either version. A part that is missing or of another shape is nothing.


def _members(collection: Json) -> Iterator[object]:
    """Yield what a collection, or a page of one, lists, in order."""
    listed = next((collection[key] for key in ("items", "members") if isinstance(collection.get(key), list)), None)
    if listed is not None:
        yield from listed
        return
    for key, kind in (("collections", "sc:Collection"), ("manifests", "sc:Manifest")):
        for member in _list(collection.get(key)):
            yield {"@id": member, "@type": kind} if isinstance(member, str) else member


def _next_page(collection: Json) -> str:
    return _id(collection.get("next") or (None if _is_embedded(collection) else collection.get("first")))


def _is_embedded(part: object) -> bool:
    """Return whether a part stands here whole, rather than as a reference."""
    return any(isinstance(_first(part, key), list) for key in ("items", "sequences", "manifests", "members"))


def _canvases(manifest: Json) -> list[object]:
    """Return a manifest's canvases; of version 2 those of its first sequence, which is the one to show."""
    listed = manifest.get("items")
    if isinstance(listed, list):
        return listed
    return _list(_first(next(iter(_list(manifest.get("sequences"))), None), "canvases"))


def _annotation_pages(canvas: object) -> list[Any]:
    images = _first(canvas, "images")
    return [{"resources": images}] if isinstance(images, list) else _list(_first(canvas, "items"))


def _painted(page: object) -> tuple[Location | None, str]:
    """Return where the first image of a page of annotations lies, or else the type of what it shows."""
    other = ""
    for annotation in _list(_first(page, "items", "resources")):
        if "painting" not in str(_first(annotation, "motivation") or "painting"):
            continue
        body = _first(annotation, "body", "resource")
        location = _location(body)
        if location is not None:
            return location, ""
        other = other or str(_first(body, "type", "@type") or "something without a URL")
    return None, other


def _location(body: object, depth: int = 0) -> Location | None:
    """Return where an image lies: at an image service, or at a URL, which may stand alone."""
    if depth > _MAX_NESTING:
        return None
    if isinstance(body, str):
        return WebImage(body) if is_url(body) else None
    if isinstance(body, list):
        return next((location for part in body if (location := _location(part, depth + 1)) is not None), None)
    if not isinstance(body, dict):
        return None
    kind = _type(body)
    if kind in ("choice", "oa:choice"):
        return _location([body.get("default"), *_list(body.get("items")), *_list(body.get("item"))], depth + 1)
    if kind in ("specificresource", "oa:specificresource"):
        return _selected(_location(body.get("source", body.get("full")), depth + 1), _list(body.get("selector")))
    url = _id(body) if is_url(_id(body)) else ""
    for service in _list(body.get("service")):
        base = service_base(service)
        if is_image_service(service) and is_url(base):
            request = _REQUEST.fullmatch(url.removeprefix(base)) if url.startswith(f"{base}/") else None
            return IiifImage(base, url, request["region"], request["rotation"]) if request else IiifImage(base, url)
    is_image = kind in ("image", "dctypes:image") or str(body.get("format", "")).startswith("image/")
    return WebImage(url) if is_image and url else None


def _selected(location: Location | None, selectors: list[Any]) -> Location | None:
    """Return the part of an image that selectors choose, the first that is an object.

    Raises:
        SourceError: if it is chosen otherwise than by a rectangle, or nobody cuts it
    """
    selector = next((each for each in selectors if isinstance(each, dict)), None)
    if location is None or selector is None:
        return location
    region, rotation = str(selector.get("region") or "full"), str(selector.get("rotation") or "0")
    if _type(selector) == "fragmentselector":
        fragment = _FRAGMENT.fullmatch(str(selector.get("value")))
        region = f"{'pct:' if fragment['unit'] == 'percent:' else ''}{fragment['box']}" if fragment else ""
    elif not {"region", "rotation"} & selector.keys() and not _type(selector).endswith("imageapiselector"):
        region = ""
    if region == "full" and rotation == "0":
        return location
    if not (region and isinstance(location, IiifImage)):
        raise SourceError(
            f"{location.path}: a part of it is shown, and no image service that cuts this part; cut it yourself"
        )
    return replace(location, region=region, rotation=rotation)


def _metadata(manifest: Json) -> dict[str, str]:
    pairs = [(_text(_first(pair, "label")), _text(_first(pair, "value"))) for pair in _list(manifest.get("metadata"))]
    return {label.lower().rstrip(":"): value for label, value in reversed(pairs) if label and value}


def _text(value: object, depth: int = 0) -> str:
    """Return a label as text: of several languages English, then no language in particular, then the first."""
    if isinstance(value, str):
        return " ".join(_TAG.sub("", value).split())
    if isinstance(value, bool) or value is None or depth > _MAX_NESTING:
        return ""
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, list):
        return _text_of_list(value, depth)
    if isinstance(value, dict):
        if "@value" in value:
            return _text(value["@value"], depth + 1)
        chosen = next((value[language] for language in _LANGUAGES if value.get(language)), None)
        return _text(next(iter(value.values()), None) if chosen is None else chosen, depth + 1)
    return ""


def _text_of_list(values: list[object], depth: int) -> str:
    languages = [str(_first(value, "@language") or "") for value in values]
    if any(languages):  # version 2 writes the same in several languages as a list
        index = next((index for index, language in enumerate(languages) if language.startswith("en")), 0)
        return _text(values[index], depth + 1)
    return "; ".join(text for value in values if (text := _text(value, depth + 1)))


def _id(part: object) -> str:
    """Return the URL of a part of a document, which may be the part itself."""
    id = part if isinstance(part, str) else _first(part, "id", "@id")
    return id if isinstance(id, str) else ""


def _type(part: object) -> str:
    kind = _first(part, "type", "@type")
    return kind.lower() if isinstance(kind, str) else ""


def _first(part: object, *keys: str) -> Any:
    return next((part[key] for key in keys if key in part), None) if isinstance(part, dict) else None


def _list(value: object) -> list[Any]:
    """Return a list, or a list of the one thing that stands where a list may."""
    return value if isinstance(value, list) else [] if value is None else [value]
