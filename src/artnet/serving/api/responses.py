"""The routes' results, JSON values and drawings, computed in a thread of the work queue."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import asdict, replace
from hashlib import sha256
from pathlib import PurePath
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import numpy as np
from PIL import Image
from starlette.responses import Response

from artnet import __version__
from artnet.attribution.explain import Depth, ExplainOptions, Explanation, explain
from artnet.attribution.faithfulness import STEPS, measure_maps
from artnet.attribution.methods import METHODS, Sampling, TargetScorer, available_methods
from artnet.attribution.projection import content_cells, covered_cells
from artnet.attribution.what_if import EDITS, what_if
from artnet.errors import UsageError
from artnet.imaging.decode import ImageFile
from artnet.imaging.encode import encode_jpeg, encode_png, thumbnail
from artnet.imaging.properties import measure_properties
from artnet.imaging.views import without_letterbox
from artnet.model.classifier import Classifier
from artnet.model.preprocessing import OpenedImage, network_input
from artnet.model.property_ranges import locate
from artnet.render.contact_sheet import explanation_sheet, render_image, render_svg, what_if_sheet
from artnet.render.overlay import OverlayStyle, depth_overlay
from artnet.render.writers import encode_arrays
from artnet.serving.api.report import painting_report
from artnet.serving.api.schemas import (
    ChannelsForm,
    ClassifyForm,
    ExplainForm,
    ExplanationFormat,
    FaithfulnessForm,
    PropertiesForm,
    ReportForm,
    SimilarForm,
    TargetForm,
    WhatIfForm,
)

if TYPE_CHECKING:
    from artnet.batch.index import Index

JSON, PNG, SVG, NPZ = "application/json", "image/png", "image/svg+xml", "application/x-npz"
Json = dict[str, Any]
_PNG_LEVEL = 2  # as small as Pillow's default here, in half the time
_JPEG_QUALITY = 85
_PREVIEW_PX, _THUMBNAIL_PX, _NEIGHBOUR_PX = 1600, 96, 256
_SHOWN_BY_BROWSERS = (b"\xff\xd8", b"\x89PNG")  # JPEG and PNG; for the others there is a preview
_CHANNELS = 3  # of a depth that can be drawn


def classification(classifier: Classifier, image: ImageFile, form: ClassifyForm) -> Json:
    """Return what `artnet classify --json` prints, and what the form includes."""
    opened = classifier.open(image, form.views, trim=form.trim)
    result = {**classifier.classify(opened).to_dict(), "source": image.name}
    include = form.include.split(",")
    if "view" in include:
        view = without_letterbox(opened.whole_view(), classifier.config.preprocessing.fit)
        result["view"] = _base64(encode_png(view, 1))
    if "preview" in include:
        is_shown = image.data.startswith(_SHOWN_BY_BROWSERS)
        result["preview"] = None if is_shown else _small_jpeg(opened.image, _PREVIEW_PX)
    if "thumbnail" in include:
        result["thumbnail"] = _small_jpeg(opened.image, _THUMBNAIL_PX)
    if "sha256" in include:
        result["sha256"] = sha256(image.data).hexdigest()
    return result


def explanation(
    classifier: Classifier, image: ImageFile, form: ExplainForm, format: ExplanationFormat, sampling: Sampling
) -> Json | Response:
    """Return an explanation in a format: what `artnet explain --json` prints, compact grids, drawings or arrays."""
    options = ExplainOptions(
        form.regions, form.faithfulness, form.channels if format in ("json", "npz") else 0, _sampling(form, sampling)
    )
    result = _explain(classifier, image, form, form.depth, options)
    style = OverlayStyle(form.opacity, form.colour)
    if format == "svg":
        return Response(render_svg(explanation_sheet(result, style)), media_type=SVG)
    if format == "sheet":
        return Response(encode_png(render_image(explanation_sheet(result, style)), _PNG_LEVEL), media_type=PNG)
    if format == "overlay":
        overlay = depth_overlay(result, max(result.maps), style, form.side_px)
        return Response(encode_png(overlay, _PNG_LEVEL), media_type=PNG)
    if format == "npz":
        return Response(encode_arrays(result), media_type=NPZ)
    return _grids_json(result) if format == "grids" else _explanation_json(result, image.name, form.values)


def faithfulness(classifier: Classifier, image: ImageFile, form: FaithfulnessForm, sampling: Sampling) -> Json:
    """Return the areas and gains of the maps of all depths."""
    sampling = _sampling(form, sampling)
    opened = classifier.open(image, trim=form.trim)
    result = _explain(classifier, opened, form, "all", ExplainOptions(sampling=sampling))
    scorer = TargetScorer(classifier.engine, result.target.logit_weights(classifier.config.movements))
    view = network_input((opened.whole_view(),), classifier.config.preprocessing)[0]
    grids = {depth: depth_map.grid for depth, depth_map in result.maps.items()}
    measured = measure_maps(scorer, view, grids, STEPS, sampling.seed)
    return {"depths": [{"depth": depth, **asdict(gains)} for depth, gains in measured.items()]}


def report(classifier: Classifier, image: ImageFile, form: ReportForm, sampling: Sampling) -> Response:
    """Return the report of one painting as an HTML file."""
    result = _explain(classifier, image, form, "all", ExplainOptions(sampling=_sampling(form, sampling)))
    page = painting_report(result, image.name, form.depth, OverlayStyle(form.opacity, form.colour))
    name = f"{PurePath(image.name).stem or 'painting'}-report.html"
    return Response(page, media_type="text/html", headers={"Content-Disposition": attachment(name)})


def channels(classifier: Classifier, image: ImageFile, form: ChannelsForm, ascent_steps: int) -> Json:
    """Return the channels of a depth that contribute most, and a drawing of one, after so many steps of ascent."""
    from artnet.render.channel_sheet import channel_sheet  # brings pyarrow, and 25 MB with it

    opened = classifier.open(image, trim=form.trim)
    options = ExplainOptions(channels=_CHANNELS)
    result = explain(classifier, opened, form.movement, form.rather_than, depth=form.depth, options=options)
    strongest = [share.channel for share in result.channels.get(form.depth, ())]
    channel = form.channel if form.channel is not None else next(iter(strongest), 0)
    drawing = channel_sheet(classifier, opened, f"{form.depth}:{channel}", steps=ascent_steps)
    sheet = _base64(encode_png(render_image(drawing.sheet), 1))
    return {"channels": strongest, "channel": channel, "caption": drawing.summary, "sheet": sheet}


def edited(classifier: Classifier, image: ImageFile, form: WhatIfForm) -> Json | Response:
    """Return a painting's scores after each edit, or a sheet of the edits."""
    names = form.edits.split(",") if form.edits else tuple(EDITS)
    result = what_if(classifier, classifier.open(image, trim=form.trim), names)
    if form.format == "sheet":
        return Response(encode_png(render_image(what_if_sheet(result)), _PNG_LEVEL), media_type=PNG)
    described = result.to_dict()
    described["prediction"]["source"] = image.name
    if form.images:
        for entry, outcome in zip(described["edits"], result.outcomes, strict=True):
            entry["image"] = _base64(encode_jpeg(outcome.image, _JPEG_QUALITY))
    return described


def properties(classifier: Classifier, image: ImageFile, form: PropertiesForm) -> Json:
    """Return the measured properties of a painting and where they lie among the training paintings."""
    opened = classifier.open(image, trim=form.trim)
    measured = locate(measure_properties(opened.painting()), classifier.ranges)
    return {"source": image.name, "properties": [each.to_dict() for each in measured]}


def similar(classifier: Classifier, index: Index, image: ImageFile, form: SimilarForm) -> Json:
    """Return the paintings of an index that are most similar, by name and not by where they lie."""
    opened = classifier.open(image, trim=form.trim)
    nearest = [
        {
            "name": neighbour.label or PurePath(neighbour.source).name,
            "movement": neighbour.movement,
            "similarity": neighbour.similarity,
            "thumbnail": _small_jpeg(neighbour.thumbnail, _NEIGHBOUR_PX),
        }
        for neighbour in index.nearest(classifier.embed(opened), form.count)
    ]
    return {"nearest": nearest}


def is_slow(method: str) -> bool:
    """Return whether a method takes seconds: those that run the network again and again."""
    return method == "scorecam" or (method in METHODS and METHODS[method].reads == "pixels")


def attachment(name: str) -> str:
    """Return a Content-Disposition header (RFC 6266) that saves a response as a file of that name."""
    return f"attachment; filename*=UTF-8''{quote(name)}"


def model_facts(classifier: Classifier) -> Json:
    """Return what GET /v1/model says of the model."""
    config = classifier.config
    scores, methods = config.scores.get("values", {}), available_methods(config.layers, classifier.engine)
    return {
        "version": __version__,
        "model": config.name,
        "movements": list(config.movements),
        "styles": list(config.styles),
        "taxonomy": config.taxonomy,
        "backbone": config.backbone,
        "views": list(config.voting_views),
        "methods": methods,
        "method_details": [_method_json(name) for name in methods],
        "layers": [
            {"depth": layer.depth, "name": layer.name, "channels": layer.channels, "grid": list(layer.grid)}
            for layer in config.layers
        ],
        "scores": {name: entry["value"] for name, entry in scores.items() if entry["value"] is not None},
        "config": asdict(config),
    }


def _method_json(name: str) -> Json:
    method = METHODS[name]
    traits = {key: getattr(method, key) for key in ("label", "reads", "class_discriminative", "signed")}
    return {"name": name, **traits, "slow": is_slow(name)}


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


def _explain(
    classifier: Classifier, image: ImageFile | OpenedImage, form: TargetForm, depth: Depth, options: ExplainOptions
) -> Explanation:
    available = available_methods(classifier.config.layers, classifier.engine)
    if form.method in METHODS and form.method not in available:
        raise UsageError(f"this model's graph lacks what {form.method} needs; use one of {', '.join(available)}")
    opened = image if isinstance(image, OpenedImage) else classifier.open(image, trim=form.trim)
    return explain(classifier, opened, form.movement, form.rather_than, form.method, depth, form.against, options)


def _sampling(form: TargetForm, sampling: Sampling) -> Sampling:
    share = 2 if form.sampling == "half" else 1
    masks, channels = (-(-count // share) for count in (sampling.masks, sampling.channels))
    return replace(sampling, seed=form.seed, masks=masks, channels=channels)


def _explanation_json(result: Explanation, name: str, values: bool) -> Json:
    described = result.to_dict()
    described["prediction"]["source"] = name
    if values:
        for entry in described["depths"]:
            entry["values"] = np.round(result.maps[entry["depth"]].grid.astype(np.float64), 4).tolist()
    return described


def _grids_json(result: Explanation) -> Json:
    target = result.target
    return {
        "movement": target.movement,
        "rather_than": target.rather_than,
        "against": target.against,
        "description": target.description,
        "method": result.method,
        "depths": [_grid_json(result, depth) for depth in result.maps],
    }


def _grid_json(result: Explanation, depth: int) -> Json:
    depth_map = result.maps[depth]
    left, top, right, bottom = covered_cells(depth_map.grid, result.placement)
    x0, y0, x1, y1 = content_cells(depth_map.grid, result.placement)
    cells = np.ascontiguousarray(depth_map.grid[top:bottom, left:right])
    return {
        "depth": depth,
        "group": depth_map.layer.group,
        "rows": cells.shape[0],
        "columns": cells.shape[1],
        "box": [x0 - left, y0 - top, x1 - left, y1 - top],
        "data": _base64((cells * 127).round().astype(np.int8).tobytes()),
    }


def _base64(data: bytes) -> str:
    return b64encode(data).decode("ascii")


def _small_jpeg(image: Image.Image, longest_px: int) -> str:
    return _base64(encode_jpeg(thumbnail(image, longest_px), _JPEG_QUALITY))
