"""The API's document, its examples, and the pages written from it."""

from __future__ import annotations

import json
import re
import runpy
from pathlib import Path

import pytest
from fastapi import FastAPI

from artnet.model.classifier import Classifier
from artnet.serving.api.app import create_app
from artnet.serving.api.openapi import (
    EXPLANATION_EXAMPLE,
    KINDS,
    PREDICTION_EXAMPLE,
    PROBLEM_EXAMPLE,
    PROPERTIES_EXAMPLE,
    WHAT_IF_EXAMPLE,
    document,
)
from artnet.serving.api.reference import html_page
from artnet.serving.api.schemas import (
    ClassifyForm,
    ExplainForm,
    ExplanationResponse,
    PredictionResponse,
    ProblemResponse,
    PropertiesResponse,
    WhatIfForm,
    WhatIfResponse,
)
from artnet.serving.work_queue import ClassifierQueue

DOCS = Path(__file__).parent.parent.parent / "docs"


@pytest.fixture(scope="module")
def api(classifier: Classifier) -> FastAPI:
    service = ClassifierQueue(classifier)
    service.close()
    return create_app(service)


def test_the_page_in_docs_is_the_one_that_the_document_gives() -> None:
    page = runpy.run_path(str(DOCS / "write_api.py"))["page"]
    assert (DOCS / "api.md").read_text(encoding="utf-8") == page(), "run: python docs/write_api.py"


def test_every_route_is_described_with_an_example_of_its_use(api: FastAPI) -> None:
    page = html_page(document(api))
    for route in ("POST /v1/classify", "POST /v1/explain", "GET /v1/model", "GET /healthz", "GET /metrics"):
        assert f">{route}</h2>" in page
        assert f"http://127.0.0.1:7860{route.split()[1]}" in page


def test_the_examples_have_the_shapes_that_they_are_examples_of(api: FastAPI) -> None:
    PredictionResponse.model_validate(PREDICTION_EXAMPLE)
    ExplanationResponse.model_validate(EXPLANATION_EXAMPLE)
    ProblemResponse.model_validate(PROBLEM_EXAMPLE)
    WhatIfResponse.model_validate(WHAT_IF_EXAMPLE)
    PropertiesResponse.model_validate(PROPERTIES_EXAMPLE)
    forms = {"/v1/classify": ClassifyForm, "/v1/explain": ExplainForm, "/v1/what-if": WhatIfForm}
    for path, shape in forms.items():
        body = document(api)["paths"][path]["post"]["requestBody"]["content"]["application/json"]["example"]
        shape.model_validate(body)


def test_failures_are_problems_in_the_document(api: FastAPI) -> None:
    found = document(api)["paths"]["/v1/explain"]["post"]["responses"]
    assert set(found) == {"200", "400", "403", "406", "413", "415", "422", "429", "502", "503"}
    assert all(list(found[status]["content"]) == ["application/problem+json"] for status in found if status != "200")


def test_the_page_loads_nothing_and_runs_nothing(api: FastAPI) -> None:
    page = html_page(document(api))
    assert not re.search(r"<script|<link|<img|src=|@import|url\(|\bon\w+=", page)
    assert not re.search(r'href="(?!#)', page)


def test_problems_link_to_places_that_the_page_has(api: FastAPI) -> None:
    page = html_page(document(api))
    anchors = set(re.findall(r'id="([^"]*)"', page))
    assert set(KINDS) <= anchors
    assert set(re.findall(r'href="#([^"]*)"', page)) <= anchors


def test_what_stands_in_the_document_is_shown_and_never_obeyed(api: FastAPI) -> None:
    hostile = json.loads(json.dumps(document(api)))
    hostile["info"]["description"] = "<script>alert(1)</script> `<b>`"
    assert "<script>" not in html_page(hostile)
