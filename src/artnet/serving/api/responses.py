"""What the routes answer: JSON values and drawings, computed in a thread of the work queue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from PIL import Image
from starlette.responses import Response

from artnet import __version__
from artnet.attribution.explain import ExplainOptions, Explanation, explain
from artnet.attribution.methods import METHODS, Sampling, required_outputs
from artnet.errors import UsageError
from artnet.imaging.decode import ImageFile
from artnet.imaging.encode import encode_png
from artnet.model.classifier import Classifier
from artnet.render.contact_sheet import explanation_sheet, render_image, render_svg
from artnet.render.overlay import OverlayStyle, depth_overlay
from artnet.serving.api.schemas import ExplainForm, ExplanationFormat

JSON, PNG, SVG = "application/json", "image/png", "image/svg+xml"
Json = dict[str, Any]
_PNG_LEVEL = 2  # as small as Pillow's default here, in half the time


def classification(classifier: Classifier, image: ImageFile, views: Any) -> Json:
    """Return what `artnet classify --json` prints."""
    return {**classifier.classify(image, views).to_dict(), "source": image.name}


def explanation(
    classifier: Classifier, image: ImageFile, form: ExplainForm, format: ExplanationFormat, sampling: Sampling
) -> Json | Response:
    """Return what `artnet explain --json` prints, or a drawing."""
    _check_method(classifier, form.method)
    channels = form.channels if format == "json" else 0
    asking = ExplainOptions(form.canvas, form.faithfulness, channels, replace(sampling, seed=form.seed))
    opened = classifier.open(image)
    found = explain(classifier, opened, form.movement, form.rather_than, form.method, form.depth, form.against, asking)
    style = OverlayStyle(form.opacity, form.colour)
    if format == "svg":
        return Response(render_svg(explanation_sheet(found, style)), media_type=SVG)
    if format == "sheet":
        return _png(render_image(explanation_sheet(found, style)))
    if format == "overlay":
        return _png(depth_overlay(found, max(found.maps), style, form.side_px))
    return _explanation_json(found, image.name, form.values)


def available_methods(classifier: Classifier) -> list[str]:
    """Return the methods for which a model's graph has every output that they need."""
    layers, outputs = classifier.config.layers, classifier.engine.outputs
    return [
        name
        for name, method in METHODS.items()
        if (method.reads == "pixels" or layers) and outputs.issuperset(required_outputs(method, layers))
    ]


def model_facts(classifier: Classifier, limits: Json) -> Json:
    """Return what GET /v1/model answers."""
    config = classifier.config
    scores = config.scores.get("values", {})
    return {
        "version": __version__,
        "model": config.name,
        "movements": list(config.movements),
        "styles": list(config.styles),
        "taxonomy": config.taxonomy,
        "backbone": config.backbone,
        "views": list(config.voting_views),
        "methods": available_methods(classifier),
        "layers": [
            {"depth": layer.depth, "name": layer.name, "channels": layer.channels, "grid": list(layer.grid)}
            for layer in config.layers
        ],
        "scores": {name: entry["value"] for name, entry in scores.items()},
        "limits": limits,
    }


def preferred_format(accept: str) -> ExplanationFormat | None:
    """Choose a format by an Accept header (RFC 9110, section 12.5.1); None where none is acceptable.

    Between equals JSON comes first, then PNG.
    """
    formats: dict[str, ExplanationFormat] = {JSON: "json", PNG: "sheet", SVG: "svg"}
    weights = {media_type: _weight(media_type, accept or "*/*") for media_type in formats}
    best = max(weights, key=lambda media_type: weights[media_type])
    return formats[best] if weights[best] > 0 else None


def _weight(media_type: str, accept: str) -> float:
    """Return the weight of the most specific range that holds a media type."""
    ranges = {media_type: 3, f"{media_type.split('/', 1)[0]}/*": 2, "*/*": 1}
    best = (0, 0.0)
    for entry in accept.lower().split(","):
        name, *parameters = (parameter.strip() for parameter in entry.split(";"))
        if ranges.get(name, 0) > best[0]:
            best = (ranges[name], _quality(parameters))
    return best[1]


def _quality(parameters: Sequence[str]) -> float:
    text = next((parameter[2:] for parameter in parameters if parameter.startswith("q=")), "1")
    try:
        return float(text)
    except ValueError:
        return 0.0


def _check_method(classifier: Classifier, name: str) -> None:
    available = available_methods(classifier)
    if name in METHODS and name not in available:
        raise UsageError(f"this model's graph lacks what {name} needs; use one of {', '.join(available)}")


def _explanation_json(found: Explanation, name: str, values: bool) -> Json:
    described = found.to_dict()
    described["prediction"]["source"] = name
    if values:
        for entry in described["depths"]:
            entry["values"] = np.round(found.maps[entry["depth"]].grid.astype(np.float64), 4).tolist()
    return described


def _png(image: Image.Image) -> Response:
    return Response(encode_png(image, _PNG_LEVEL), media_type=PNG)
