"""Images of a IIIF image service, requested at the size that the views need.

Image API 2 and 3: https://iiif.io/api/image/2.1/ and https://iiif.io/api/image/3.0/.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from artnet.errors import ArtNetError, RetryLaterError, SourceError
from artnet.fetch.retry import fetch_with_retry
from artnet.sources.item import SourceRules
from artnet.sources.stores import WebFile, fetch_rules

Json = Mapping[str, Any]
DOCUMENT_BYTES = 32 * 2**20


@dataclass(frozen=True)
class IiifImage:
    """An image of a service of Image API 2 or 3.

    Attributes:
        path: the base URL of the service
        full_url: where the image lies whole, for a service that does not scale it
    """

    path: str
    full_url: str = ""

    def read(self, name: str, rules: SourceRules) -> bytes:
        """Return the image, scaled down so that its shorter side has `rules.shorter_side_px`.

        A width is what every service from level 1 on scales to. Where this one does not, the image is fetched whole.
        """
        try:
            width = self._width(rules)
            return WebFile(f"{self.path}/full/{width},/0/default.jpg").read(name, rules)
        except RetryLaterError:
            raise
        except ArtNetError:
            if not self.full_url:
                raise
        return WebFile(self.full_url).read(name, rules)

    def _width(self, rules: SourceRules) -> int:
        url = f"{self.path}/info.json"
        info = fetch_json(url, rules)
        width, height = info.get("width"), info.get("height")
        if not (isinstance(width, int) and isinstance(height, int) and 0 < min(width, height) <= width < 2**31):
            raise SourceError(f"{url}: holds no width and height; name the URL of the image itself")
        return math.ceil(width * min(1.0, rules.shorter_side_px / min(width, height)))


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
