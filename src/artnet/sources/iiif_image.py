"""Images of a IIIF image service, requested at the size that the views need.

Image API 2 and 3: https://iiif.io/api/image/2.1/ and https://iiif.io/api/image/3.0/.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from PIL import Image

from artnet.errors import ArtNetError, RetryLaterError, SourceError
from artnet.fetch.http import is_url
from artnet.fetch.retry import fetch_with_retry
from artnet.imaging.decode import decode_image
from artnet.imaging.encode import encode_png
from artnet.sources.item import SourceRules
from artnet.sources.stores import WebFile, fetch_rules

Json = Mapping[str, Any]
DOCUMENT_BYTES = 32 * 2**20
_MAX_TILES = 144  # requests for one image: 12 x 12 tiles of 256 pixels


@dataclass(frozen=True, slots=True)
class WebImage:
    """An image at an http(s) address, or that of the image service that answers there."""

    path: str

    def read(self, name: str, rules: SourceRules) -> bytes:
        """Fetch it; of a service, at the size that the views need."""
        data = WebFile(self.path).read(name, rules)
        if not data[:64].lstrip().startswith(b"{"):
            return data
        content = parse_json(self.path, data)
        base = service_base(content)
        if not (is_image_service(content) and is_url(base)):
            raise SourceError(f"{self.path}: is a JSON document where an image was expected; name it as a source")
        return IiifImage(base).read(name, rules)


@dataclass(frozen=True)
class IiifImage:
    """An image of a service of Image API 2 or 3, or a part of it.

    Attributes:
        path: the base URL of the service
        full_url: where the image lies whole, for a service that does not scale it
        region: the part, as the Image API writes it: full, square, x,y,w,h or pct:x,y,w,h
        rotation: degrees clockwise, after ! where the image is mirrored first
    """

    path: str
    full_url: str = ""
    region: str = "full"
    rotation: str = "0"

    def read(self, name: str, rules: SourceRules) -> bytes:
        """Return the image, scaled down so that its shorter side has `rules.shorter_side_px`.

        A width is what every service from level 1 on scales to. Where this one does not, the image is fetched whole, or
        in tiles, which are put together.
        """
        try:
            info = _Info.fetch(self.path, rules)
        except RetryLaterError:
            raise
        except ArtNetError:
            if not (self.full_url and self._is_whole):
                raise
            return WebFile(self.full_url).read(name, rules)
        try:
            return _first_of(self._urls(info, rules), name, rules)
        except RetryLaterError:
            raise
        except ArtNetError:
            if not (info.tiles and self._is_whole):
                raise
        return _from_tiles(self.path, info, name, rules)

    @property
    def _is_whole(self) -> bool:
        return (self.region, self.rotation) == ("full", "0")

    def _urls(self, info: _Info, rules: SourceRules) -> Iterator[str]:
        """Yield where the image may lie, the smallest that is large enough first."""
        width, height = region_size(self.region, info.width, info.height, self.path)
        width_px = math.ceil(width * min(1.0, rules.shorter_side_px / min(width, height)))
        yield f"{self.path}/{self.region}/{width_px},/{self.rotation}/default.jpg"
        if self._is_whole:
            large = [size for size in info.sizes if min(size) >= rules.shorter_side_px]
            yield from (f"{self.path}/full/{info.size(*size)}/0/default.jpg" for size in sorted(large)[:1])
            yield from filter(None, [self.full_url])


@dataclass(frozen=True)
class _Info:
    """What a service says of its image: its size, the sizes it has ready, and (tile width, height, scale factors)."""

    width: int
    height: int
    version: int
    sizes: tuple[tuple[int, int], ...]
    tiles: tuple[tuple[int, int, tuple[int, ...]], ...]

    @classmethod
    def fetch(cls, base: str, rules: SourceRules) -> _Info:
        url = f"{base}/info.json"
        info = fetch_json(url, rules)
        size = _size(info)
        if size is None:
            raise SourceError(f"{url}: holds no width and height; name the URL of the image itself")
        sizes = tuple(filter(None, map(_size, _objects(info.get("sizes")))))
        is_third = "image/3" in str(info.get("@context")) or info.get("type") == "ImageService3"
        return cls(*size, 3 if is_third else 2, sizes, tuple(_tiles(info)))

    def size(self, width: int, height: int) -> str:
        """Return a size as this version writes it in addresses; a service of files has no other."""
        return f"{width},{height}" if self.version == 3 else f"{width},"


def region_size(region: str, width: int, height: int, name: str) -> tuple[float, float]:
    """Return the size in pixels of a region of an image, as far as it lies in the image.

    >>> region_size("pct:10,10,50,100", 200, 100, "a"), region_size("square", 200, 100, "a")
    ((100.0, 90.0), (100, 100))

    Raises:
        SourceError: if it is no region of the Image API, or lies outside of the image
    """
    if region == "full":
        return width, height
    if region == "square":
        return min(width, height), min(width, height)
    scale_x, scale_y = (width / 100, height / 100) if region.startswith("pct:") else (1, 1)
    try:
        x, y, w, h = (float(number) for number in region.removeprefix("pct:").split(","))
        size = min(w * scale_x, width - x * scale_x), min(h * scale_y, height - y * scale_y)
    except ValueError:
        size = (0.0, 0.0)
    if not (min(size) >= 1 and min(x, y) >= 0):
        raise SourceError(f"{name}: shows the region {region!r}, which is no part of its image; check its manifest")
    return size


def _first_of(urls: Iterator[str], name: str, rules: SourceRules) -> bytes:
    """Return what the first of several addresses yields that yields anything; raise the first error if none does."""
    first: ArtNetError | None = None
    for url in urls:
        try:
            return WebFile(url).read(name, rules)
        except RetryLaterError:
            raise
        except ArtNetError as error:
            first = first or error
    raise first or SourceError(f"{name}: has no address; check its manifest")


def _from_tiles(base: str, info: _Info, name: str, rules: SourceRules) -> bytes:
    """Return an image put together from the tiles of a service that has nothing else, as a PNG file.

    Raises:
        SourceError: if it has too many
    """
    width, height, factors = info.tiles[0]
    enough = [factor for factor in factors if min(info.width, info.height) / factor >= rules.shorter_side_px]
    scale = max(enough, default=min(factors))
    columns, rows = (math.ceil(side / (tile * scale)) for side, tile in ((info.width, width), (info.height, height)))
    if columns * rows > _MAX_TILES:
        raise SourceError(f"{name}: its server has it in {columns * rows} tiles alone; download the image yourself")
    whole = Image.new("RGB", (math.ceil(info.width / scale), math.ceil(info.height / scale)))
    for row in range(rows):
        for column in range(columns):
            x, y = column * width * scale, row * height * scale
            w, h = min(width * scale, info.width - x), min(height * scale, info.height - y)
            region = "full" if (w, h) == (info.width, info.height) else f"{x},{y},{w},{h}"
            size = info.size(math.ceil(w / scale), math.ceil(h / scale))
            data = WebFile(f"{base}/{region}/{size}/0/default.jpg").read(name, rules)
            whole.paste(decode_image(data, name, rules.limits), (column * width, row * height))
    return encode_png(whole)


def _tiles(info: Json) -> Iterator[tuple[int, int, tuple[int, ...]]]:
    for tile in _objects(info.get("tiles")):
        width, factors = tile.get("width"), tile.get("scaleFactors")
        size = _size({"width": width, "height": tile.get("height", width)})
        numbers = [each for each in factors if isinstance(each, int) and each > 0] if isinstance(factors, list) else []
        if size is not None and numbers:
            yield *size, tuple(numbers)


def _objects(value: object) -> list[Json]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _size(part: Json) -> tuple[int, int] | None:
    width, height = part.get("width"), part.get("height")
    if isinstance(width, int) and isinstance(height, int) and 0 < min(width, height) <= max(width, height) < 2**31:
        return width, height
    return None


def is_image_service(part: object) -> bool:
    """Return whether this describes an image service of version 2 or 3: a reference to one, or its own info.json."""
    if not isinstance(part, dict):
        return False
    about = " ".join(str(part.get(key, "")) for key in ("@context", "type", "@type", "protocol", "profile"))
    return "api/image" in about or "ImageService" in about or about.strip().startswith("level")


def service_base(service: object) -> str:
    """Return the base URL of a service as its description has it, empty where it has none."""
    id = service.get("id", service.get("@id")) if isinstance(service, dict) else service
    return id.removesuffix("/info.json").rstrip("/") if isinstance(id, str) else ""


def fetch_json(url: str, rules: SourceRules) -> Json:
    """Fetch a JSON object.

    Raises:
        SourceError: if the URL yields anything else, or nothing
    """
    fetched = fetch_with_retry(url, replace(fetch_rules(rules), size_bytes=DOCUMENT_BYTES))
    return parse_json(url, fetched.data)


def parse_json(url: str, data: bytes) -> Json:
    """Parse a JSON object; `url` is what errors call it.

    Raises:
        SourceError: if the data is anything else
    """
    try:
        content = json.loads(data)
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        raise SourceError(f"{url}: is not a JSON object, so not a IIIF document")
    return content
