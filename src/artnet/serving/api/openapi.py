"""Describe the API as an OpenAPI document, with examples.

Knows nothing about answering: routes name what is described here.
"""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel

from artnet.serving.api.requests import FILE
from artnet.serving.api.schemas import ProblemResponse
from artnet.serving.middleware.problems import MEDIA_TYPE

Json = dict[str, Any]
_ADDRESS = "https://example.org/painting.jpg"

# What the statuses of a route mean; the kinds of problem are told one by one.
PROBLEMS = {
    400: "a field or body that cannot be meant (`usage`)",
    403: "an address that is not fetched (`address-refused`)",
    406: "no kind of answer that the Accept header takes (`not-acceptable`)",
    413: "too many bytes or pixels (`too-large`)",
    415: "no picture in a format read here, or a body of another type (`format`)",
    422: "a picture that is empty or damaged (`empty`, `corrupt`), or fields that do not fit (`fields`)",
    429: "too many requests are being answered (`busy`)",
    502: "an address that gives nothing (`address`)",
    503: "not done in time (`deadline`)",
}
KINDS = {
    "usage": "400. A field or a body that cannot be meant; `detail` says which values are allowed.",
    "fields": "422. One or more fields that do not fit; `errors` names each.",
    "empty": "422. A file of zero bytes.",
    "corrupt": "422. A picture that begins well and is damaged or cut short.",
    "format": "415. Content that is none of the formats read here, whatever it is called; or a body that is neither a "
    "form nor JSON.",
    "too-large": "413. Over the budget of bytes, noticed while they came in, or of pixels, noticed before they were "
    "decoded; /v1/model tells both budgets.",
    "address-refused": "403. An address that is not fetched: no http or https, a machine that is not on the public "
    "internet, or a server that fetches nothing at all.",
    "address": "502. An address that gave nothing, or not in time.",
    "busy": "429. As many requests wait as may; come again after `Retry-After` seconds.",
    "deadline": "503. Not sent or not answered in time; ask for less, or come again after `Retry-After` seconds.",
    "not-found": "404. There is nothing at this path.",
    "method-not-allowed": "405. The path does not take this method.",
    "not-acceptable": "406. The Accept header takes none of the kinds of answer that there are.",
    "internal": "500. The server's own fault; its log tells more, under `request_id`.",
}

_VIEW_SCORES = {"Cubism": 0.04, "Impressionism": 0.324, "Expressionism": 0.266, "Realism": 0.26, "Abstract": 0.11}
PREDICTION_EXAMPLE: Json = {
    "source": "pointillist.jpg",
    "movement": "Impressionism",
    "confidence": 0.324,
    "decision": "unsure",
    "scores": _VIEW_SCORES,
    "views": [{"name": "whole", "box": [0, 0, 930, 620], "scores": _VIEW_SCORES}],
    "model": "artnet-mobilenet-edgetpu-100",
    "width": 930,
    "height": 620,
}
EXPLANATION_EXAMPLE: Json = {
    "prediction": PREDICTION_EXAMPLE,
    "movement": "Impressionism",
    "rather_than": "Realism",
    "against": False,
    "method": "gradcam",
    "chosen_depth": None,
    "gains": {},
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
EXAMPLES = {"/v1/classify": PREDICTION_EXAMPLE, "/v1/explain": EXPLANATION_EXAMPLE}
PROBLEM_EXAMPLE: Json = {
    "type": "/docs#corrupt",
    "title": "Corrupt",
    "status": 422,
    "detail": "painting.jpg: begins like a JPEG picture but its header is broken or cut short",
    "kind": "corrupt",
    "request_id": "0f1f4e3a9d4c4a1c8a6b2f0d1c2e3a4b",
}


def body_of(shape: type[BaseModel], example: Json) -> Json:
    """Describe a request's body: a form with a file, or a JSON object with an address; the other fields are alike."""
    picture = {"type": "string", "format": "binary", "description": "the picture, with a file name"}
    address = {
        "type": "string", "minLength": 1, "maxLength": 4096,
        "description": "where the picture lies: http or https; only where the server allows it",
    }  # fmt: skip
    by_address = {"schema": _with(shape, "url", address), "example": {"url": _ADDRESS, **example}}
    content = {"multipart/form-data": {"schema": _with(shape, FILE, picture)}, "application/json": by_address}
    return {"requestBody": {"required": True, "content": content}}


def problems(*statuses: int) -> dict[int | str, Json]:
    """Describe the problems that a route can end in."""
    return {status: {"description": PROBLEMS[status], "model": ProblemResponse} for status in statuses}


def answers(description: str, model: type[BaseModel], *others: str) -> dict[int | str, Json]:
    """Describe what a route answers with: a model as JSON, perhaps other types of media instead."""
    content = {media: {"schema": {"type": "string", "format": "binary"}} for media in others}
    return {200: {"description": description, "model": model, "content": content}}


def document(api: FastAPI) -> Json:
    """Give the API's OpenAPI document; made once."""
    if api.openapi_schema is None:
        made = get_openapi(title=api.title, version=api.version, description=api.description, routes=api.routes)
        for path, operation in ((path, each) for path, all_ in made["paths"].items() for each in all_.values()):
            for status, response in operation["responses"].items():
                if int(status) >= 400:  # the framework knows no other type than JSON here
                    schema = response["content"]["application/json"]["schema"]
                    response["content"] = {MEDIA_TYPE: {"schema": schema, "example": PROBLEM_EXAMPLE}}
                elif path in EXAMPLES:  # given earlier, they would lose what is null in them
                    response["content"]["application/json"]["example"] = EXAMPLES[path]
        made["x-problems"] = KINDS
        api.openapi_schema = made
    return api.openapi_schema


def _with(shape: type[BaseModel], name: str, schema: Json) -> Json:
    """Put one required property before those of a shape."""
    given = shape.model_json_schema()
    return {**given, "properties": {name: schema, **given.get("properties", {})}, "required": [name]}
