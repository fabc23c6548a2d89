"""Make what a visitor takes away of one painting: an overlay, a sheet, a report that stands alone, the numbers.

Knows nothing about the web: an explanation in, the bytes of a file out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from artnet.attribution.explain import Explanation
from artnet.errors import UsageError
from artnet.imaging.encode import encode_png
from artnet.render.contact_sheet import explanation_sheet, render_image
from artnet.render.overlay import OverlayStyle, depth_overlay
from artnet.serving.api.report import painting_report

KINDS = ("overlay", "sheet", "report", "numbers")
_OVERLAY_PX = 4096  # of the longest side: over it, a PNG takes longer to write than the network to answer
_PNG_LEVEL = 2


@dataclass(frozen=True)
class Wish:
    """What is wanted, of which depth, and how strong the evidence is drawn."""

    kind: str
    depth: int
    look: OverlayStyle

    @classmethod
    def of(cls, asked: Mapping[str, Any]) -> Wish:
        """Read a wish out of a question. Errors: `UsageError`."""
        kind, depth, opacity = asked.get("kind"), asked.get("depth"), asked.get("opacity", 0.75)
        if kind not in KINDS:
            raise UsageError(f"{kind!r} cannot be taken away; ask for one of {', '.join(KINDS)}")
        if not isinstance(depth, int) or not isinstance(opacity, int | float) or not 0 <= opacity <= 1:
            raise UsageError("a depth is a whole number and an opacity goes from 0 to 1; load the page again")
        return cls(kind, depth, OverlayStyle(float(opacity), bool(asked.get("in_colour"))))


@dataclass(frozen=True)
class Taken:
    """A file to take away."""

    name: str
    media_type: str
    data: bytes


def take_away(found: Explanation, name: str, wish: Wish) -> Taken:
    """Make the wished file of an explanation; `name` is what the picture is called."""
    stem = PurePath(name).stem or "painting"
    depth = wish.depth if wish.depth in found.maps else max(found.maps)
    if wish.kind == "overlay":
        picture = depth_overlay(found, depth, wish.look, _OVERLAY_PX)
        return Taken(f"{stem}-depth{depth}.png", "image/png", encode_png(picture, _PNG_LEVEL))
    if wish.kind == "sheet":
        return Taken(
            f"{stem}-explained.png",
            "image/png",
            encode_png(render_image(explanation_sheet(found, wish.look)), _PNG_LEVEL),
        )
    if wish.kind == "report":
        text = painting_report(found, name, depth, wish.look)
        return Taken(f"{stem}-report.html", "text/html", text.encode())
    numbers = {**found.to_dict(), "prediction": {**found.prediction.to_dict(), "source": name}}
    text = json.dumps(numbers, ensure_ascii=False, indent=1)
    return Taken(f"{stem}.json", "application/json", text.encode())
