"""Understand what IIIF documents say, in the words of Presentation 2 and of 3, whatever their shape.

Knows nothing about fetching. What is missing or of another shape becomes nothing or a fault, never an exception.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from artnet.fetch.http import is_url
from artnet.sources.iiif_image import IiifImage
from artnet.sources.item import Location
from artnet.sources.stores import WebFile

Json = Mapping[str, Any]
_TAG = re.compile(r"<[^>]{1,200}>")
_LANGUAGES = ("en", "none", "@none")
_NESTED = 5  # a body within a choice within a specific resource ...


@dataclass(frozen=True)
class Canvas:
    """A canvas: where its picture lies, or a `page` of annotations that says it, or the `fault` that there is none."""

    id: str = ""
    label: str = ""
    place: Location | None = None
    page: str = ""
    fault: str = ""


def identity(part: object) -> str:
    """Give the address of a part of a document, which may be the part itself."""
    found = part if isinstance(part, str) else _first(part, "id", "@id")
    return found if isinstance(found, str) else ""


def is_manifest(part: object) -> bool:
    """Tell whether this is a manifest, whole or referred to."""
    return _type(part) in ("manifest", "sc:manifest")


def is_collection(part: object) -> bool:
    """Tell whether this is a collection, one of its pages, or a reference to one."""
    return _type(part) in ("collection", "sc:collection")


def is_image_service(part: object) -> bool:
    """Tell whether this is what an image service says of a picture, or a service that can be asked for one."""
    if not isinstance(part, dict):
        return False
    about = " ".join(str(part.get(key, "")) for key in ("@context", "type", "@type", "protocol", "profile"))
    return "api/image" in about or "image-api/" in about or "ImageService" in about or about.strip().startswith("level")


def is_embedded(part: object) -> bool:
    """Tell whether a part stands here whole, rather than by its address."""
    return any(isinstance(_first(part, key), list) for key in ("items", "sequences", "manifests", "members"))


def parts(collection: Json) -> Iterator[object]:
    """Give what a collection, or a page of one, lists, in its order."""
    listed = next((collection[key] for key in ("items", "members") if isinstance(collection.get(key), list)), None)
    if listed is not None:
        yield from listed
        return
    for key, kind in (("collections", "sc:Collection"), ("manifests", "sc:Manifest")):
        for part in _list(collection.get(key)):
            yield {"@id": part, "@type": kind} if isinstance(part, str) else part


def next_page(collection: Json) -> str:
    """Give the address of the page that follows a collection or a page of one; nothing where it is the last."""
    return identity(collection.get("next") or ("" if is_embedded(collection) else collection.get("first")) or "")


def canvases(manifest: Json) -> Iterator[Canvas]:
    """Give a manifest's canvases; of version 2 those of its first sequence, which is the one to show."""
    listed = manifest.get("items")
    if not isinstance(listed, list):
        sequence = next(iter(_list(manifest.get("sequences"))), None)
        listed = _list(_first(sequence, "canvases"))
    for canvas in listed:
        yield _canvas(canvas) if isinstance(canvas, dict) else Canvas(fault="is no JSON object")


def painted(page: object) -> Canvas:
    """Find the picture that a page of annotations paints; of several the first, which lies at the bottom."""
    other = ""
    for annotation in _list(_first(page, "items", "resources")):
        motive = str(_first(annotation, "motivation") or "painting")
        if "painting" not in motive:
            continue
        body = _first(annotation, "body", "resource")
        place = _picture(body)
        if place is not None:
            return Canvas(place=place)
        other = other or str(_first(body, "type", "@type") or "something without an address")
    return Canvas(fault=f"shows {other}, which is no picture" if other else "has no picture on it")


def words(value: object, depth: int = 0) -> str:
    """Put a label in words: of several languages English, then none in particular, then the first there is."""
    if isinstance(value, str):
        return " ".join(_TAG.sub("", value).split())
    if isinstance(value, bool) or value is None or depth > _NESTED:
        return ""
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, list):
        return _of_list(value, depth)
    if isinstance(value, dict):
        if "@value" in value:
            return words(value["@value"], depth + 1)
        chosen = next((value[language] for language in _LANGUAGES if value.get(language)), None)
        return words(next(iter(value.values()), None) if chosen is None else chosen, depth + 1)
    return ""


def metadata(manifest: Json) -> dict[str, str]:
    """Give the pairs of label and value that a manifest shows to people, labels in lower case."""
    pairs = [(words(_first(pair, "label")), words(_first(pair, "value"))) for pair in _list(manifest.get("metadata"))]
    return {label.lower().rstrip(":"): value for label, value in reversed(pairs) if label and value}


def _of_list(values: list[object], depth: int) -> str:
    languages = [value.get("@language") if isinstance(value, dict) else None for value in values]
    if any(languages):  # version 2 writes the same in several languages as a list
        place = next((place for place, language in enumerate(languages) if str(language).startswith("en")), 0)
        return words(values[place], depth + 1)
    return "; ".join(text for value in values if (text := words(value, depth + 1)))


def _canvas(canvas: Json) -> Canvas:
    blank = Canvas(identity(canvas), words(canvas.get("label")), fault="has no picture on it")
    if isinstance(canvas.get("images"), list):
        found = painted({"resources": canvas["images"]})
        return replace(blank, place=found.place, fault=found.fault)
    for page in _list(canvas.get("items")):
        if isinstance(page, str) or not isinstance(_first(page, "items"), list):
            return replace(blank, page=identity(page))
        found = painted(page)
        if found.place is not None:
            return replace(blank, place=found.place, fault="")
        blank = replace(blank, fault=found.fault)
    return blank


def _picture(body: object, depth: int = 0) -> Location | None:
    """Find where a picture lies: at an image service, or plainly at an address."""
    if depth > _NESTED:
        return None
    if isinstance(body, list):
        return next((place for part in body if (place := _picture(part, depth + 1)) is not None), None)
    if not isinstance(body, dict):
        return None
    kind = _type(body)
    if kind in ("choice", "oa:choice"):
        return _picture([body.get("default"), *_list(body.get("items")), *_list(body.get("item"))], depth + 1)
    if kind in ("specificresource", "oa:specificresource"):
        whole = body.get("source", body.get("full"))
        return _picture({"id": whole, "type": "Image"} if isinstance(whole, str) else whole, depth + 1)
    address = identity(body)
    for service in _list(body.get("service")):
        base = identity(service).removesuffix("/info.json").rstrip("/")
        if is_image_service(service) and is_url(base):
            return IiifImage(base, address if is_url(address) else "")
    is_image = kind in ("image", "dctypes:image") or str(body.get("format", "")).startswith("image/")
    return WebFile(address) if is_image and is_url(address) else None


def _type(part: object) -> str:
    found = _first(part, "type", "@type")
    return found.lower() if isinstance(found, str) else ""


def _first(part: object, *keys: str) -> Any:
    return next((part[key] for key in keys if key in part), None) if isinstance(part, dict) else None


def _list(value: object) -> list[Any]:
    """Give a list, or the one thing that stands where a list may."""
    return value if isinstance(value, list) else [] if value is None else [value]
