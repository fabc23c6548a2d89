"""The routes of the API: under /v1, and those that monitor it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, PlainTextResponse

from artnet.serving.api.openapi import EXPLANATION_EXAMPLE, PREDICTION_EXAMPLE, document, json_body, responses
from artnet.serving.api.reference import html_page
from artnet.serving.api.requests import FormRoute
from artnet.serving.api.responses import PNG, SVG, classification, explanation, model_facts, preferred_format
from artnet.serving.api.schemas import (
    ClassifyForm,
    ExplainForm,
    ExplanationResponse,
    HealthResponse,
    ModelResponse,
    PredictionResponse,
)
from artnet.serving.api.state import Server

api = APIRouter(prefix="/v1", route_class=FormRoute)
monitoring = APIRouter()

_MULTIPART = Form(media_type="multipart/form-data")
_PROBLEMS = (400, 403, 413, 415, 422, 429, 502, 503)


@api.post(
    "/classify",
    response_model=PredictionResponse,
    response_model_exclude_unset=True,
    responses=responses(PREDICTION_EXAMPLE, problems=_PROBLEMS),
    openapi_extra=json_body(ClassifyForm, {"views": "all"}),
)
async def classify(form: Annotated[ClassifyForm, _MULTIPART], server: Server) -> Any:
    """Tell which movement a painting belongs to, and how sure that is."""
    image = await server.image(form)
    return await server.queue.run(lambda: classification(server.classifier, image, form.views))


@api.post(
    "/explain",
    response_model=ExplanationResponse,
    response_model_exclude_unset=True,
    responses=responses(EXPLANATION_EXAMPLE, PNG, SVG, problems=(*_PROBLEMS, 406)),
    openapi_extra=json_body(ExplainForm, {"rather_than": "Realism", "depth": 7}),
)
async def explain(form: Annotated[ExplainForm, _MULTIPART], server: Server, request: Request) -> Any:
    """Show where in a painting the evidence for a movement lies.

    `format`, or else the Accept header, chooses between numbers (`json`), the sheet of all overlays as PNG (`sheet`,
    `image/png`) or SVG (`svg`, `image/svg+xml`), and one overlay at the painting's own size, of the depth asked for or
    else the deepest (`overlay`).
    """
    chosen = form.format or preferred_format(request.headers.get("accept", ""))
    if chosen is None:
        raise HTTPException(406, "responses are application/json, image/png or image/svg+xml; accept one of them")
    image = await server.image(form)
    sampling = server.settings.sampling
    return await server.queue.run(lambda: explanation(server.classifier, image, form, chosen, sampling))


@api.get("/model", response_model=ModelResponse)
async def model(server: Server) -> Any:
    """Tell which model answers, what it can be asked, and within which limits."""
    limits = {
        "size_bytes": server.settings.limits.size_bytes,
        "pixels": server.settings.limits.pixels,
        "timeout_s": server.queue.limits.timeout_s,
        "addresses": server.settings.allow_urls,
    }
    return model_facts(server.classifier, limits)


@monitoring.get("/healthz", response_model=HealthResponse)
async def healthz(server: Server) -> Any:
    """Tell that the server answers, and how busy it is."""
    return {"status": "ok", "running": server.queue.running, "waiting": server.queue.waiting}


@monitoring.get("/metrics", response_class=PlainTextResponse)
async def metrics(server: Server) -> PlainTextResponse:
    """Return the metrics that Prometheus collects, in its text format."""
    return PlainTextResponse(generate_latest(server.metrics.registry), media_type=CONTENT_TYPE_LATEST)


@monitoring.get("/docs", include_in_schema=False)
async def docs(request: Request) -> HTMLResponse:
    """Describe the API as a page."""
    policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
    return HTMLResponse(html_page(document(request.app)), headers={"Content-Security-Policy": policy})
