"""Ask a IIIF image service for a picture at the size that is needed, and no larger.

Knows nothing about manifests. IIIF Image API 3.0, 2.1 and 1.1: https://iiif.io/api/image/3.0/ and its predecessors.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from artnet.errors import ArtNetError, RetryLaterError, SourceError
from artnet.fetch.retry import fetch_with_retry
from artnet.imaging.decode import Limits
from artnet.sources.item import SourceRules
from artnet.sources.stores import WebFile, address_rules

_LEVEL = re.compile(r"level(\d)")
_INFO_BYTES = 2**20
# A size that the server keeps ready is taken when it has no more than so many times the pixels that are needed.
_MOST_TIMES = 4.0


@dataclass(frozen=True)
class IiifImage:
    """A picture of a IIIF image service; `plain` is where its manifest says that the whole lies, if it says so."""

    path: str
    plain: str = ""

    def read(self, name: str, rules: SourceRules) -> bytes:
        """Ask what the service can do, then for the picture at the size that `rules` want.

        Where the service says or gives nothing, the picture is fetched as its manifest names it.
        """
        try:
            info = self._info(rules)
            url = image_request(self.path, info, rules.shorter_side_px, rules.limits)
            return WebFile(url).read(name, rules)
        except ArtNetError as error:
            if not self.plain or isinstance(error, RetryLaterError):
                raise
        return WebFile(self.plain).read(name, rules)

    def _info(self, rules: SourceRules) -> Mapping[str, Any]:
        url = f"{self.path}/info.json"
        data = fetch_with_retry(url, replace(address_rules(rules), size_bytes=_INFO_BYTES)).data
        try:
            info = json.loads(data)
        except (ValueError, RecursionError):
            info = None
        if not isinstance(info, dict):
            raise SourceError(f"{url}: is no JSON object, so not what a IIIF image service says of a picture")
        return info


def image_request(service: str, info: Mapping[str, Any], shorter_side_px: int, limits: Limits) -> str:
    """Write the address of a whole picture whose shorter side has at least the pixels wanted, or all it has.

    A size that the service lists as ready comes first, where it is large enough and not four times too large; else
    one is computed, which every service from level 1 on can do by its width. A service of level 0 gives its listed
    sizes alone: the smallest that is enough, or else its largest. Errors: `SourceError` where no size is said.
    """
    width, height = _pixels(info, "width"), _pixels(info, "height")
    if not width or not height:
        raise SourceError(f"{service}/info.json: says no width and height; name the picture's own address")
    wanted = _wanted(width, height, shorter_side_px, _allowed(info, width, height, limits))
    ready = sorted(
        (size for size in _sizes(info) if size[0] * size[1] <= limits.pixels), key=lambda size: size[0] * size[1]
    )
    enough = [size for size in ready if size[0] >= wanted[0] and size[1] >= wanted[1] - 1]
    level = _level(info)
    if level == 0 and ready:
        return _address(service, info, enough[0] if enough else ready[-1])
    if enough and enough[0][0] * enough[0][1] <= _MOST_TIMES * wanted[0] * wanted[1]:
        return _address(service, info, enough[0])
    if level == 0 or (wanted == (width, height) and not _is_limited(info)):
        return _address(service, info, None)
    return _address(service, info, wanted, computed=True)


def _wanted(width: int, height: int, shorter_side_px: int, allowed: float) -> tuple[int, int]:
    """Scale to the shorter side wanted, never up, and never over the share of its sides that the server allows."""
    scale = min(1.0, shorter_side_px / min(width, height), allowed)
    if scale == allowed < 1:
        return max(1, math.floor(width * scale)), max(1, math.floor(height * scale))
    return math.ceil(width * scale), math.ceil(height * scale)


def _allowed(info: Mapping[str, Any], width: int, height: int, limits: Limits) -> float:
    """Give the share of its sides up to which a picture may be asked for; 1 where nothing limits it."""
    most_wide = _limit(info, "maxWidth")
    most_high = _limit(info, "maxHeight") or most_wide  # both specifications: maxWidth alone is for both sides
    most_pixels = min(_limit(info, "maxArea") or limits.pixels, limits.pixels)
    shares = [math.sqrt(most_pixels / (width * height))]
    shares += [most_wide / width] if most_wide else []
    shares += [most_high / height] if most_high else []
    return min(1.0, *shares)


def _is_limited(info: Mapping[str, Any]) -> bool:
    return any(_limit(info, name) for name in ("maxWidth", "maxHeight", "maxArea"))


def _limit(info: Mapping[str, Any], name: str) -> int:
    """Read a limit, which version 3 says of the picture and version 2 within its profile."""
    return next((found for part in (info, *_profiles(info)) if (found := _pixels(part, name))), 0)


def _profiles(info: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    profile = info.get("profile")
    return [part for part in profile if isinstance(part, dict)] if isinstance(profile, list) else []


def _pixels(part: Mapping[str, Any], name: str) -> int:
    value = part.get(name)
    return int(value) if isinstance(value, int | float) and 1 <= value < 2**31 else 0


def _sizes(info: Mapping[str, Any]) -> list[tuple[int, int]]:
    listed = info.get("sizes")
    sizes = [(_pixels(size, "width"), _pixels(size, "height")) for size in _dicts(listed)]
    return [size for size in sizes if all(size)]


def _dicts(value: object) -> Sequence[Mapping[str, Any]]:
    return [part for part in value if isinstance(part, dict)] if isinstance(value, list) else []


def _level(info: Mapping[str, Any]) -> int:
    """Read the level of compliance; a service that says none is taken for one of level 1, as most are at least."""
    profile = info.get("profile")
    texts = [part for part in (profile if isinstance(profile, list) else [profile]) if isinstance(part, str)]
    found = next((match for text in texts if (match := _LEVEL.search(text))), None)
    return int(found[1]) if found else 1


def version(info: Mapping[str, Any]) -> int:
    """Read the Image API's version from what a service says of itself, 2 where it says none."""
    for text in (str(info.get(key, "")) for key in ("@context", "type", "@type", "profile")):
        if "image/3" in text or "ImageService3" in text:
            return 3
        if "image-api/1" in text or "image/1" in text or "ImageService1" in text:
            return 1
    return 2


def _address(service: str, info: Mapping[str, Any], size: tuple[int, int] | None, computed: bool = False) -> str:
    """Write a request for the whole picture. By its width alone every level from 1 on can scale, in every version;
    sizes that are ready have the canonical form, which is `w,h` in version 3 and `w,` before.
    """
    number = version(info)
    if size is None:
        part = "max" if number == 3 else "full"
    elif computed or number < 3:
        part = f"{size[0]},"
    else:
        part = f"{size[0]},{size[1]}"
    quality = "native" if number == 1 else "default"
    return f"{service}/full/{part}/0/{quality}.jpg"
