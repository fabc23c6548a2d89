"""Make what a visitor takes away of one painting: an overlay, a sheet, a report that stands alone, the numbers.

Knows nothing about the web: an explanation in, the bytes of a file out.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from pathlib import PurePath
from typing import Any

from PIL import Image

from artnet.attribution.explain import Explanation
from artnet.errors import UsageError
from artnet.html.render import Html, figure, group, page, paragraph, section, table
from artnet.imaging.encode import encode_jpeg, encode_png, thumbnail
from artnet.render.contact_sheet import explanation_sheet, render_image
from artnet.render.overlay import OverlayStyle, depth_overlay
from artnet.serving.web.labels import METHOD_WORDS, decision_words

KINDS = ("overlay", "sheet", "report", "numbers")
_OVERLAY_PX = 4096  # of the longest side: over it, a PNG takes longer to write than the network to answer
_REPORT_PX = 1000
_PNG_LEVEL, _JPEG_QUALITY = 2, 88


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
        text = report_of(found, name, depth, wish.look)
        return Taken(f"{stem}-report.html", "text/html", text.encode())
    numbers = {**found.to_dict(), "prediction": {**found.prediction.to_dict(), "source": name}}
    text = json.dumps(numbers, ensure_ascii=False, indent=1)
    return Taken(f"{stem}.json", "application/json", text.encode())


def report_of(found: Explanation, name: str, depth: int, look: OverlayStyle) -> str:
    """Compose the report of one painting as one page that stands alone."""
    prediction = found.prediction
    method = METHOD_WORDS[found.method].label
    small = thumbnail(found.image, _REPORT_PX)
    place = f"depth {depth} of 9, 1 is shallow" if depth else "on the pixels"
    pictures = [
        figure(_embedded(small, f"The painting {name}"), f"{name}, {prediction.width} x {prediction.height} pixels"),
        figure(
            _embedded(depth_overlay(found, depth, look, _REPORT_PX), f"The evidence for {found.target.description}"),
            f"{found.target.description.capitalize()}? {method}, {place}. The brighter, the more evidence.",
        ),
    ]
    ranked = sorted(prediction.scores.items(), key=lambda item: -item[1])
    scores = table("Scores add up to 1", ["movement", "score"], [[key, f"{value:.1%}"] for key, value in ranked])
    styles = table(
        "Each scored for itself",
        ["style", "score"],
        [[key, f"{value:.1%}"] for key, value in sorted(prediction.styles.items(), key=lambda item: -item[1])[:8]],
    )
    parts = [
        group("pair", pictures),
        section("How sure", [scores]),
        *([section("Fine styles", [styles])] if prediction.styles else []),
        *([section("All nine depths", [_depths(found, look)])] if len(found.maps) > 1 else []),
        section("What to make of it", [paragraph(sentence) for sentence in _CAUTIONS]),
        paragraph(f"Answered by {prediction.model}, with ArtNet.", "note"),
    ]
    title = f"{prediction.movement}, {prediction.confidence:.0%}"
    return page(title, decision_words(prediction), parts)


_CAUTIONS = (
    "The network saw a reproduction, a few hundred pixels wide, and knows five movements. It answers with one of them "
    "whatever it is shown.",
    "A map says which places mattered more than others, not that the rest did not matter. Each depth is scaled by its "
    "own maximum.",
)


def _depths(found: Explanation, look: OverlayStyle) -> Html:
    tiles = [
        figure(_embedded(depth_overlay(found, each, look, 320), f"The evidence at depth {each}"), f"depth {each}")
        for each in found.maps
    ]
    return group("pair", tiles)


def _embedded(image: Image.Image, words: str) -> Html:
    data = b64encode(encode_jpeg(image, _JPEG_QUALITY)).decode("ascii")
    return Html(f'<img style="max-width:100%" alt="{escape(words)}" src="data:image/jpeg;base64,{data}">')
