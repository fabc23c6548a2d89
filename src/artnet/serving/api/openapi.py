"""What FastAPI cannot know of the API for its OpenAPI document: problems, examples and JSON bodies."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel

from artnet.serving.api.schemas import ProblemResponse
from artnet.serving.middleware.problems import MEDIA_TYPE

Json = dict[str, Any]
_REFERENCE = "#/components/schemas/{model}"
URL = "https://example.org/painting.jpg"

# The problems behind each status; KINDS describes them one by one.
STATUSES = {
    400: "a field or body that cannot be read (`usage`)",
    403: "a URL that is not fetched (`address-refused`)",
    404: "a server without an index (`not-found`)",
    406: "no format that the Accept header takes (`not-acceptable`)",
    413: "too many bytes or pixels (`too-large`)",
    415: "not an image in a supported format (`format`) or of a supported kind of it (`unsupported`), or a body of "
    "another type (`format`)",
    422: "an image that is empty or damaged (`empty`, `corrupt`), or fields that are not valid (`fields`)",
    429: "too many requests are being answered (`busy`)",
    502: "a URL that gives nothing (`address`)",
    503: "not done in time (`deadline`)",
}
KINDS = {
    "usage": "400. A field or a body that cannot be read; `detail` says which values are allowed.",
    "fields": "422. One or more fields that are not valid; `errors` lists each.",
    "empty": "422. A file of zero bytes.",
    "corrupt": "422. An image that begins well and is damaged or cut short.",
    "format": "415. Content in none of the supported formats, whatever its name; or a body that is neither a form nor "
    "JSON.",
    "unsupported": "415. A sound image of a kind that is not read, in a format of which other kinds are, such as a "
    "TIFF of floating-point colours.",
    "too-large": "413. Over the limit of bytes, noticed while they came in, or of pixels, noticed before they were "
    "decoded; /v1/model tells both limits.",
    "address-refused": "403. A URL that is not fetched: neither http nor https, a machine that is not on the public "
    "internet, or a server that fetches nothing at all.",
    "address": "502. A URL that gave nothing, or not in time.",
    "busy": "429. As many requests wait as may; try again after `Retry-After` seconds.",
    "deadline": "503. Not sent or not answered in time; ask for less, or try again after `Retry-After` seconds.",
    "not-found": "404. There is nothing at this path, or the server was started without what it needs.",
    "method-not-allowed": "405. The path does not take this method.",
    "not-acceptable": "406. The Accept header takes none of the formats of the response.",
    "internal": "500. The server failed; its log says more, under `request_id`.",
}

_VIEW_SCORES = {"Cubism": 0.04, "Impressionism": 0.324, "Expressionism": 0.266, "Realism": 0.26, "Abstract": 0.11}
PREDICTION_EXAMPLE: Json = {
    "source": "pointillist.jpg",
    "movement": "Impressionism",
    "confidence": 0.324,
    "decision": "unsure",
    "set": ["Impressionism", "Expressionism", "Realism"],
    "scores": _VIEW_SCORES,
    "views": [{"name": "whole", "box": [0, 0, 930, 620], "scores": _VIEW_SCORES}],
    "model": "artnet-mobilenet-edgetpu-100",
    "width": 930,
    "height": 620,
}
_GAINS = {"deletion": 0.209, "insertion": 0.297, "gain": 0.021, "gain_over_pixels": 0.034}
EXPLANATION_EXAMPLE: Json = {  # without nulls, which FastAPI drops from examples
    "prediction": PREDICTION_EXAMPLE,
    "movement": "Impressionism",
    "rather_than": "Realism",
    "against": False,
    "method": "gradcam",
    "chosen_depth": 7,
    "gains": {"7": _GAINS},
    "depths": [
        {
            "depth": 7,
            "group": "deep",
            "layer": "trunk.blocks.5.1",
            "grid": [7, 7],
            "peak": [199, 575],
            "regions": [],
            "channels": [{"channel": 126, "share": 0.0033}],
        }
    ],
}
FAITHFULNESS_EXAMPLE: Json = {"depths": [{"depth": 7, **_GAINS}]}
CHANNELS_EXAMPLE: Json = {
    "channels": [126, 17, 88],
    "channel": 126,
    "caption": "depth 7, channel 126 (trunk.blocks.5.1; mean activation 0.02 for noise, 1.31 for the feature "
    "visualization)",
    "sheet": "iVBORw0KGgoAAAANSUhEUgAA...",
}
WHAT_IF_EXAMPLE: Json = {
    "prediction": PREDICTION_EXAMPLE,
    "scores": _VIEW_SCORES,
    "noise": 0.031,
    "edits": [
        {
            "name": "no-colour",
            "label": "without colour",
            "property": "colour",
            "movement": "Realism",
            "confidence": 0.452,
            "decision": "unsure",
            "scores": {
                "Cubism": 0.04,
                "Impressionism": 0.212,
                "Expressionism": 0.2,
                "Realism": 0.452,
                "Abstract": 0.096,
            },
            "changes": {
                "Cubism": 0.0,
                "Impressionism": -0.112,
                "Expressionism": -0.066,
                "Realism": 0.192,
                "Abstract": -0.014,
            },
            "sentence": "Without colour it would be Realism (45%).",
        }
    ],
    "sentences": ["Without colour it would be Realism (45%).", "Noise: 3.1 points."],
}
PROPERTIES_EXAMPLE: Json = {
    "source": "pointillist.jpg",
    "properties": [
        {
            "name": "colourfulness",
            "label": "colourfulness",
            "low": "grey",
            "high": "vivid",
            "value": 62.4,
            "shares": {"Impressionism": 0.08, "Expressionism": 0.14},
            "share": 0.11,
            "words": "lies where 14% of Expressionism, 8% of Impressionism lie",
            "deciles": {
                "Impressionism": [18.2, 22.5, 26.7, 30.4, 34.1, 38.6, 43.9, 50.3, 61.0],
                "Expressionism": [19.4, 25.8, 31.3, 36.5, 42.2, 48.1, 54.7, 63.0, 75.2],
            },
        }
    ],
}
SIMILAR_EXAMPLE: Json = {
    "nearest": [
        {"name": "Les Andelys.jpg", "movement": "Impressionism", "similarity": 0.86, "thumbnail": "/9j/4AAQSkZJRg..."}
    ]
}
PROBLEM_EXAMPLE: Json = {
    "type": "/docs#corrupt",
    "title": "Corrupt",
    "status": 422,
    "detail": "painting.jpg: begins like a JPEG file but its header is damaged or truncated",
    "kind": "corrupt",
    "request_id": "0f1f4e3a9d4c4a1c8a6b2f0d1c2e3a4b",
}


def json_body(model: type[BaseModel], example: Json) -> Json:
    """Return `openapi_extra` that documents JSON with a URL as another body of a route with a form."""
    schema = {"allOf": [{"$ref": _REFERENCE.format(model=model.__name__)}, {"required": ["url"]}]}
    body = {"schema": schema, "example": {"url": URL, **example}}
    return {"requestBody": {"content": {"application/json": body}}}


def json_example(example: Json) -> Json:
    """Return `openapi_extra` with an example of a route's JSON body."""
    return {"requestBody": {"content": {"application/json": {"example": example}}}}


def responses(example: Json | None = None, *media_types: str, problems: tuple[int, ...] = ()) -> dict[int | str, Json]:
    """Return `responses` of a route: an example of its JSON, other media types, and the problems it may end in."""
    content: Json = {media_type: {"schema": {"type": "string", "format": "binary"}} for media_type in media_types}
    if example is not None:
        content["application/json"] = {"example": example}
    problem = {"schema": {"$ref": _REFERENCE.format(model="ProblemResponse")}, "example": PROBLEM_EXAMPLE}
    described: dict[int | str, Json] = {200: {"content": content}}
    for status in problems:
        described[status] = {"description": STATUSES[status], "content": {MEDIA_TYPE: problem}}
    return described


def document(app: FastAPI) -> Json:
    """Return FastAPI's OpenAPI document with the schema of problems and their kinds added; made once."""
    if app.openapi_schema is None:
        result = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
        if root_path := app.state.server.settings.root_path:
            result["servers"] = [{"url": root_path}]
        problem = ProblemResponse.model_json_schema(ref_template=_REFERENCE)
        result["components"]["schemas"] |= {**problem.pop("$defs"), "ProblemResponse": problem}
        result["x-problems"] = KINDS
        app.openapi_schema = result
    return app.openapi_schema
