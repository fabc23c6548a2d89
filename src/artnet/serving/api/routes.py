"""The routes of the API: under /v1, and those that monitor it."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import unquote, urlsplit

from fastapi import APIRouter, Depends, Form, Request
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, PlainTextResponse, Response

from artnet.serving.api.openapi import (
    CHANNELS_EXAMPLE,
    EXPLANATION_EXAMPLE,
    FAITHFULNESS_EXAMPLE,
    PREDICTION_EXAMPLE,
    PROPERTIES_EXAMPLE,
    SIMILAR_EXAMPLE,
    URL,
    WHAT_IF_EXAMPLE,
    document,
    json_body,
    json_example,
    responses,
)
from artnet.serving.api.reference import html_page
from artnet.serving.api.requests import FormRoute, display_name, refuse_query
from artnet.serving.api.responses import (
    NPZ,
    PNG,
    SVG,
    attachment,
    channels,
    classification,
    edited,
    explanation,
    faithfulness,
    is_slow,
    model_facts,
    preferred_format,
    properties,
    report,
    similar,
)
from artnet.serving.api.schemas import (
    ChannelsForm,
    ChannelsResponse,
    ClassifyForm,
    ExplainForm,
    ExplanationResponse,
    FaithfulnessForm,
    FaithfulnessListResponse,
    FetchRequest,
    GridsResponse,
    HealthResponse,
    ModelResponse,
    PredictionResponse,
    PropertiesForm,
    PropertiesResponse,
    ReportForm,
    SimilarForm,
    SimilarResponse,
    TableRequest,
    WhatIfForm,
    WhatIfResponse,
)
from artnet.serving.api.state import Server

api = APIRouter(prefix="/v1", route_class=FormRoute, dependencies=[Depends(refuse_query)])
monitoring = APIRouter()

_MULTIPART = Form(media_type="multipart/form-data")


class BinaryResponse(Response):
    """A file of unknown type."""

    media_type = "application/octet-stream"


class ParquetResponse(Response):
    """A Parquet file."""

    media_type = "application/vnd.apache.parquet"


_PROBLEMS = (400, 403, 413, 415, 422, 429, 502, 503)


@api.post(
    "/classify",
    response_model=PredictionResponse,
    response_model_exclude_unset=True,
    responses=responses(PREDICTION_EXAMPLE, problems=_PROBLEMS),
    openapi_extra=json_body(ClassifyForm, {"views": "all"}),
)
async def classify(form: Annotated[ClassifyForm, _MULTIPART], server: Server) -> Any:
    """Classify a painting: which movement it belongs to, and how sure that is.

    The other routes take the `view` that `include=view` adds in place of the image: it is a few kilobytes, and what is
    said of it holds for the image.
    """
    image = await server.image(form)
    return await server.queue.run(lambda: classification(server.classifier, image, form))


@api.post(
    "/explain",
    response_model=ExplanationResponse | GridsResponse,
    response_model_exclude_unset=True,
    responses=responses(EXPLANATION_EXAMPLE, PNG, SVG, NPZ, problems=(*_PROBLEMS, 406)),
    openapi_extra=json_body(ExplainForm, {"rather_than": "Realism", "depth": 7}),
)
async def explain(form: Annotated[ExplainForm, _MULTIPART], server: Server, request: Request) -> Any:
    """Show where in a painting the support for a movement lies.

    `format`, or else the Accept header, chooses between numbers (`json`), every map in compact form (`grids`), the
    sheet of all overlays as PNG (`sheet`, `image/png`) or SVG (`svg`, `image/svg+xml`), one overlay at the painting's
    own size, of the requested depth or else the deepest (`overlay`), and arrays for NumPy (`npz`).
    """
    chosen = form.format or preferred_format(request.headers.get("accept", ""))
    if chosen is None:
        raise HTTPException(406, "responses are application/json, image/png or image/svg+xml; accept one of them")
    image = await server.image(form)
    slow = is_slow(form.method) or form.faithfulness or form.depth == "auto"
    return await server.queue.run(
        lambda: explanation(server.classifier, image, form, chosen, server.settings.sampling), slow=slow
    )


@api.post(
    "/faithfulness",
    response_model=FaithfulnessListResponse,
    responses=responses(FAITHFULNESS_EXAMPLE, problems=_PROBLEMS),
    openapi_extra=json_body(FaithfulnessForm, {"method": "layercam"}),
)
async def measure_faithfulness(form: Annotated[FaithfulnessForm, _MULTIPART], server: Server) -> Any:
    """Test the maps of all depths: whether covering what they mark changes the score more than covering at random."""
    image = await server.image(form)
    sampling = server.settings.sampling
    return await server.queue.run(lambda: faithfulness(server.classifier, image, form, sampling), slow=True)


@api.post(
    "/channels",
    response_model=ChannelsResponse,
    responses=responses(CHANNELS_EXAMPLE, problems=_PROBLEMS),
    openapi_extra=json_body(ChannelsForm, {"depth": 7}),
)
async def show_channels(form: Annotated[ChannelsForm, _MULTIPART], server: Server) -> Any:
    """Show what a channel of one depth has learnt: the one chosen, or the one that contributes most."""
    image = await server.image(form)
    steps = server.settings.ascent_steps
    return await server.queue.run(lambda: channels(server.classifier, image, form, steps), slow=True)


@api.post(
    "/what-if",
    response_model=WhatIfResponse,
    response_model_exclude_unset=True,
    responses=responses(WHAT_IF_EXAMPLE, PNG, problems=_PROBLEMS),
    openapi_extra=json_body(WhatIfForm, {"edits": "no-colour,mirrored"}),
)
async def ask_what_if(form: Annotated[WhatIfForm, _MULTIPART], server: Server) -> Any:
    """Classify a painting again with one property changed at a time: without colour, its strokes smoothed away ...

    Only changes that are larger than those of small changes that mean nothing are told in words.
    """
    image = await server.image(form)
    return await server.queue.run(lambda: edited(server.classifier, image, form), slow=True)


@api.post(
    "/properties",
    response_model=PropertiesResponse,
    responses=responses(PROPERTIES_EXAMPLE, problems=_PROBLEMS),
    openapi_extra=json_body(PropertiesForm, {}),
)
async def measure(form: Annotated[PropertiesForm, _MULTIPART], server: Server) -> Any:
    """Measure a painting: colour, light, edges and composition, beside the paintings that the model was trained on.

    The properties describe the painting; they do not explain the prediction.
    """
    image = await server.image(form)
    return await server.queue.run(lambda: properties(server.classifier, image, form))


@api.post(
    "/similar",
    response_model=SimilarResponse,
    responses=responses(SIMILAR_EXAMPLE, problems=(*_PROBLEMS, 404)),
    openapi_extra=json_body(SimilarForm, {"count": 3}),
)
async def find_similar(form: Annotated[SimilarForm, _MULTIPART], server: Server) -> Any:
    """Find the paintings of the server's index that are most similar; 404 where it was started without `--index`."""
    index = server.settings.index
    if index is None:
        raise HTTPException(404, "this server has no index of paintings; start it with artnet app --index FOLDER")
    image = await server.image(form)
    return await server.queue.run(lambda: similar(server.classifier, index, image, form))


@api.post(
    "/report",
    response_class=HTMLResponse,
    responses=responses(problems=_PROBLEMS),
    openapi_extra=json_body(ReportForm, {"rather_than": "Realism"}),
)
async def write_report(form: Annotated[ReportForm, _MULTIPART], server: Server) -> Any:
    """Report on a painting in one self-contained HTML file: scores, overlays of all depths, cautions."""
    image = await server.image(form)
    sampling = server.settings.sampling
    return await server.queue.run(lambda: report(server.classifier, image, form, sampling), slow=is_slow(form.method))


@api.post(
    "/fetch",
    response_class=BinaryResponse,
    responses=responses(problems=(400, 403, 413, 422, 429, 502, 503)),
    openapi_extra=json_example({"url": URL}),
)
async def fetch(body: FetchRequest, server: Server) -> Any:
    """Return the file at a URL, under its name there, without looking at what it is."""
    fetched = await server.fetch(body.url)
    name = display_name(unquote(urlsplit(fetched.url).path)) or "image"
    return BinaryResponse(fetched.data, headers={"Content-Disposition": attachment(name)})


@api.post(
    "/table",
    response_class=ParquetResponse,
    responses=responses(problems=(400, 413, 422, 429, 503)),
    openapi_extra=json_example({"rows": [PREDICTION_EXAMPLE]}),
)
async def write_table(body: TableRequest, server: Server) -> Any:
    """Write predictions that /v1/classify returned as the Parquet table of `artnet classify --out`."""
    from artnet.serving.api.table import parquet_table  # brings pyarrow, which no other route needs

    movements = server.classifier.config.movements
    table = await server.queue.run(lambda: parquet_table(body.rows, movements))
    return ParquetResponse(table, headers={"Content-Disposition": attachment("artnet.parquet")})


@api.get("/model", response_model=ModelResponse, responses=responses(problems=(422,)))
async def model(server: Server) -> Any:
    """Describe the model that answers, what it can do, and the limits of a request."""
    settings = server.settings
    limits = {
        "size_bytes": settings.limits.size_bytes,
        "pixels": settings.limits.pixels,
        "timeout_s": server.queue.limits.timeout_s,
        "addresses": settings.allow_urls,
    }
    features = {"addresses": settings.allow_urls, "similar": settings.index.count if settings.index else 0}
    return {**model_facts(server.classifier), "limits": limits, "features": features}


@monitoring.get("/healthz", response_model=HealthResponse)
async def healthz(server: Server) -> Any:
    """Report that the server answers, and how busy it is."""
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
