"""Turn a picture's bytes and what is asked into the bytes of an answer: JSON, PNG or SVG.

Knows nothing about HTTP beyond the names of media; all of it runs in one place of the service.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from PIL import Image

from artnet import __version__
from artnet.attribution.explain import ExplainOptions, Explanation, explain
from artnet.attribution.methods import METHODS, Sampling, required_outputs
from artnet.errors import UsageError
from artnet.imaging.decode import ImageFile, Limits
from artnet.imaging.encode import encode_png
from artnet.model.classifier import Classifier
from artnet.render.contact_sheet import explanation_sheet, render_image, render_svg
from artnet.render.overlay import OverlayStyle, depth_overlay
from artnet.serving.api.schemas import Answer, ClassifyFields, ExplainFields

JSON, PNG, SVG = "application/json", "image/png", "image/svg+xml"
_PNG_LEVEL = 2  # as small as the usual one here, in half the time


@dataclass(frozen=True)
class Reply:
    """An answer, ready to be sent."""

    body: bytes
    media_type: str


@dataclass(frozen=True)
class Given:
    """A picture as it came in, and what its source is called."""

    data: bytes
    name: str

    def file(self, limits: Limits) -> ImageFile:
        """Give it with a name for errors."""
        return ImageFile(self.data, self.name or "the picture", limits)


def classified(classifier: Classifier, given: Given, fields: ClassifyFields, limits: Limits) -> Reply:
    """Answer as `artnet classify --json` does."""
    answered = classifier.classify(given.file(limits), fields.views)
    return json_reply({**answered.to_dict(), "source": given.name})


def explained(classifier: Classifier, given: Given, fields: ExplainFields, limits: Limits, sampling: Sampling) -> Reply:
    """Answer as `artnet explain --json` does, or draw; `fields.answer` must be chosen."""
    _check_method(classifier, fields.method)
    channels = fields.channels if fields.answer == "json" else 0
    asking = ExplainOptions(fields.canvas, fields.faithfulness, channels, replace(sampling, seed=fields.seed))
    opened = classifier.open(given.file(limits))
    found = explain(
        classifier, opened, fields.movement, fields.rather_than, fields.method, fields.depth, fields.against, asking
    )
    look = OverlayStyle(fields.opacity, fields.colour)
    if fields.answer == "svg":
        return Reply(render_svg(explanation_sheet(found, look)).encode(), SVG)
    if fields.answer == "sheet":
        return _drawn(render_image(explanation_sheet(found, look)))
    if fields.answer == "overlay":
        return _drawn(depth_overlay(found, max(found.maps), look, fields.side_px))
    return json_reply(_described(found, given.name, fields.values))


def possible_methods(classifier: Classifier) -> list[str]:
    """Name the methods that a model's graph holds everything for."""
    layers, outputs = classifier.config.layers, classifier.engine.outputs
    return [
        name
        for name, method in METHODS.items()
        if (method.reads == "pixels" or layers) and outputs.issuperset(required_outputs(method, layers))
    ]


def model_facts(classifier: Classifier, limits: dict[str, Any]) -> Reply:
    """Say what is asked here and within which limits."""
    config = classifier.config
    scores = config.scores.get("values", {})
    return json_reply(
        {
            "version": __version__,
            "model": config.name,
            "movements": list(config.movements),
            "styles": list(config.styles),
            "taxonomy": config.taxonomy,
            "backbone": config.backbone,
            "views": list(config.voting_views),
            "methods": possible_methods(classifier),
            "layers": [
                {"depth": each.depth, "name": each.name, "channels": each.channels, "grid": list(each.grid)}
                for each in config.layers
            ],
            "scores": {name: entry["value"] for name, entry in scores.items()},
            "limits": limits,
        }
    )


def preferred(accept: str) -> Answer | None:
    """Choose what to answer with by an Accept header (RFC 9110, section 12.5.1); None where nothing would do.

    Between equals JSON comes first, then PNG.
    """
    kinds: dict[str, Answer] = {JSON: "json", PNG: "sheet", SVG: "svg"}
    wanted = {media: _weight(media, accept or "*/*") for media in kinds}
    best = max(wanted, key=lambda media: wanted[media])
    return kinds[best] if wanted[best] > 0 else None


def _weight(media: str, accept: str) -> float:
    """Give the weight of the most specific range that holds a media type."""
    ranges = {media: 3, f"{media.split('/', 1)[0]}/*": 2, "*/*": 1}
    found = (0, 0.0)
    for entry in accept.lower().split(","):
        name, *parameters = (part.strip() for part in entry.split(";"))
        if ranges.get(name, 0) > found[0]:
            found = (ranges[name], _quality(parameters))
    return found[1]


def _quality(parameters: Sequence[str]) -> float:
    given = next((each[2:] for each in parameters if each.startswith("q=")), "1")
    try:
        return float(given)
    except ValueError:
        return 0.0


def _check_method(classifier: Classifier, name: str) -> None:
    possible = possible_methods(classifier)
    if name in METHODS and name not in possible:
        raise UsageError(f"this model's graph has not what {name} needs; use one of {', '.join(possible)}")


def _described(found: Explanation, name: str, values: bool) -> dict[str, Any]:
    described = found.to_dict()
    described["prediction"]["source"] = name
    if values:
        for entry in described["depths"]:
            entry["values"] = np.round(found.maps[entry["depth"]].grid.astype(np.float64), 4).tolist()
    return described


def _drawn(image: Image.Image) -> Reply:
    return Reply(encode_png(image, _PNG_LEVEL), PNG)


def json_reply(value: dict[str, Any]) -> Reply:
    """Write a JSON object; numbers that JSON has not are a fault of ours and raise."""
    return Reply(json.dumps(value, ensure_ascii=False, allow_nan=False).encode(), JSON)
