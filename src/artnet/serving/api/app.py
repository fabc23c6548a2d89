"""Answer over HTTP what `artnet classify` and `artnet explain` answer: routes, and what stands around them.

Knows nothing about servers, sockets or the page.

A page joins the same application: `mount_page(api, service, settings)` in `artnet.serving.web.page` is given what
`create_api` made and returns the application to serve (`MountPage`); its routes then have the same limits and log.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Protocol, TypeAlias, TypeVar

from fastapi import FastAPI, Request
from fastapi.routing import APIRoute
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from artnet import __version__
from artnet.attribution.methods import Sampling
from artnet.errors import ArtNetError, RefusedAddressError
from artnet.fetch.http import FetchRules, fetch
from artnet.imaging.decode import DEFAULT_LIMITS, Limits
from artnet.serving.api.api_page import html_page
from artnet.serving.api.openapi import answers, body_of, document, problems
from artnet.serving.api.requests import Asked, asked_by_form, asked_by_json, is_form
from artnet.serving.api.responses import (
    PNG,
    SVG,
    Given,
    Reply,
    classified,
    explained,
    json_reply,
    model_facts,
    preferred,
)
from artnet.serving.api.schemas import (
    ClassifyFields,
    ExplainFields,
    ExplanationResponse,
    HealthResponse,
    ModelResponse,
    PredictionResponse,
)
from artnet.serving.middleware.access_log import AccessLogMiddleware, Metrics
from artnet.serving.middleware.limits import LimitsMiddleware, RequestLimits
from artnet.serving.middleware.problems import problem_of
from artnet.serving.work_queue import ClassifierQueue, QueueLimits, WorkQueue

if TYPE_CHECKING:
    from artnet.batch.index import Index

ALL_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
API_PATHS = ("/v1/", "/healthz", "/metrics", "/openapi.json")
log = logging.getLogger("artnet.serving.api.app")
_Fields = TypeVar("_Fields", bound=BaseModel)
_Reply: TypeAlias = Callable[[Asked[_Fields]], Reply]
_FORM_BYTES = 64 * 1024  # of a form beside its file


@dataclass(frozen=True)
class ApiSettings:
    """What a client may do. `page_bytes` is for a request to the page, where several files come at once.

    `memory_bytes` is for all requests' bodies together; `fetches` are pictures fetched from addresses at once.
    `page_headers` are added to the answers of everything that is not the API. `paintings` are those that the page
    shows the nearest of.
    """

    limits: Limits = DEFAULT_LIMITS
    allow_urls: bool = False
    address: FetchRules = field(default_factory=FetchRules)
    fetches: int = 8
    sampling: Sampling = field(default_factory=Sampling)
    memory_bytes: int = 512 * 2**20
    page_bytes: int = 256 * 2**20
    page_headers: Mapping[str, str] = field(default_factory=dict)
    paintings: Index | None = None


class MountPage(Protocol):
    """What `artnet.serving.web.page.mount_page` is: it puts the page at / of an application."""

    def __call__(self, api: FastAPI, service: ClassifierQueue, settings: ApiSettings) -> FastAPI:
        """Give the application to serve; it may be `api` itself."""


def create_api(service: ClassifierQueue, settings: ApiSettings | None = None) -> FastAPI:
    """Make the application: routes under /v1, /healthz, /metrics, /docs and /openapi.json.

    The service is closed when the application is shut down.
    """
    settings = settings or ApiSettings()
    routes = _Routes(service, settings)
    off = {"tracing": False, "metrics": False, "logs": False, "operation_spans": False, "auto_configure": False}

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        service.close()
        routes.fetches.close()

    api = FastAPI(
        title="ArtNet",
        version=__version__,
        description="Which modern movement is this painting, how sure can one be, and what in the picture says so?",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        telemetry=off,  # type: ignore[arg-type]
    )
    metrics = Metrics(lambda: service.running, lambda: service.waiting)
    size_bytes = settings.limits.size_bytes + _FORM_BYTES
    guard = RequestLimits(size_bytes, settings.page_bytes, settings.memory_bytes, service.limits.timeout_s)
    api.add_middleware(LimitsMiddleware, limits=guard)
    api.add_middleware(AccessLogMiddleware, metrics=metrics, page_headers=settings.page_headers, api=API_PATHS)
    api.add_exception_handler(ArtNetError, _told)
    api.add_exception_handler(HTTPException, _told)
    api.openapi = partial(document, api)  # type: ignore[method-assign]
    _add_answers(api, routes)
    _add_facts(api, service, metrics)
    return api


class _WholeRoute(APIRoute):
    """A route whose function takes the request and gives the response, with nothing of FastAPI's in between.

    That saves a seventh of what a request costs beside the network.
    """

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request of this route; errors go to the application's handlers."""
        if scope["method"] not in (self.methods or ()):
            await super().handle(scope, receive, send)
            return
        response: Response = await self.endpoint(Request(scope, receive, send))
        await response(scope, receive, send)


class _Routes:
    """The routes that answer, with what they share."""

    def __init__(self, service: ClassifierQueue, settings: ApiSettings) -> None:
        self.service = service
        self.settings = settings
        self.fetches = WorkQueue(QueueLimits(settings.fetches, 4 * settings.fetches, service.limits.timeout_s))

    async def classify(self, request: Request) -> Response:
        """Say which movement a painting belongs to, and how sure one can be."""
        return await self._answer(request, ClassifyFields, self._classified)

    async def explain(self, request: Request) -> Response:
        """Show where in a painting the evidence for an answer lies.

        `answer`, or else the Accept header, chooses between figures (`json`), the sheet of all overlays as PNG
        (`sheet`, `image/png`) or SVG (`svg`, `image/svg+xml`), and one overlay at the painting's own size, of the depth
        asked for or else the deepest (`overlay`).
        """
        accept = request.headers.get("accept", "")
        return await self._answer(request, ExplainFields, partial(self._explained, accept))

    async def model(self) -> Response:
        """Say what model answers, what it can be asked, and within which limits."""
        limits = {
            "size_bytes": self.settings.limits.size_bytes,
            "pixels": self.settings.limits.pixels,
            "timeout_s": self.service.limits.timeout_s,
            "addresses": self.settings.allow_urls,
        }
        return _sent(model_facts(self.service.classifier, limits))

    async def _answer(self, request: Request, shape: type[_Fields], reply: _Reply[_Fields]) -> Response:
        """Answer a form wholly in one place of the engine, since even taking it apart can take long.

        A picture from an address is fetched before, which takes no place.
        """
        content_type, body = request.headers.get("content-type", ""), await request.body()
        if is_form(content_type):
            return _sent(await self.service.run_async(lambda: reply(asked_by_form(content_type, body, shape))))
        asked = asked_by_json(body, shape)
        if not self.settings.allow_urls:
            raise RefusedAddressError("this server fetches nothing from addresses; send the picture as a file")
        fetched = await self.fetches.run_async(partial(fetch, asked.name, self.settings.address))
        return _sent(await self.service.run_async(lambda: reply(replace(asked, data=fetched.data))))

    def _classified(self, asked: Asked[ClassifyFields]) -> Reply:
        return classified(self.service.classifier, Given(asked.data, asked.name), asked.fields, self.settings.limits)

    def _explained(self, accept: str, asked: Asked[ExplainFields]) -> Reply:
        answer = asked.fields.answer or preferred(accept)
        if answer is None:
            raise HTTPException(406, "answers are application/json, image/png or image/svg+xml; accept one of them")
        fields, given = asked.fields.model_copy(update={"answer": answer}), Given(asked.data, asked.name)
        return explained(self.service.classifier, given, fields, self.settings.limits, self.settings.sampling)


def _add_answers(api: FastAPI, routes: _Routes) -> None:
    """Add the routes under /v1."""
    failures = problems(400, 403, 413, 415, 422, 429, 502, 503)
    api.router.add_api_route(
        "/v1/classify",
        routes.classify,
        methods=["POST"],
        route_class_override=_WholeRoute,
        responses={**answers("The answer.", PredictionResponse), **failures},
        openapi_extra=body_of(ClassifyFields, {"views": "all"}),
    )
    api.router.add_api_route(
        "/v1/explain",
        routes.explain,
        methods=["POST"],
        route_class_override=_WholeRoute,
        responses={
            **answers("Figures, or a picture.", ExplanationResponse, PNG, SVG),
            **problems(406),
            **failures,
        },
        openapi_extra=body_of(ExplainFields, {"rather_than": "Realism", "depth": 7}),
    )
    api.add_api_route("/v1/model", routes.model, methods=["GET"], responses=answers("Facts.", ModelResponse))


def _add_facts(api: FastAPI, service: ClassifierQueue, metrics: Metrics) -> None:
    """Add the routes that tell how the server is, and what it can do."""

    async def healthz() -> Response:
        """Tell that the server answers, and how busy it is."""
        return _sent(json_reply({"status": "ok", "running": service.running, "waiting": service.waiting}))

    async def prometheus() -> PlainTextResponse:
        """Give the metrics that Prometheus collects, in its text format."""
        return PlainTextResponse(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)

    async def docs() -> HTMLResponse:
        """Describe the API as a page."""
        policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
        return HTMLResponse(html_page(document(api)), headers={"Content-Security-Policy": policy})

    api.add_api_route("/healthz", healthz, methods=["GET"], responses=answers("It does.", HealthResponse))
    api.add_api_route("/metrics", prometheus, methods=["GET"], response_class=PlainTextResponse)
    api.add_api_route("/docs", docs, methods=["GET"], include_in_schema=False)
    api.add_route("/v1/{rest:path}", _unknown, ALL_METHODS, include_in_schema=False)  # or a page at / would answer


async def _unknown(request: Request) -> Response:
    """Refuse what is under the API's address and no route of it."""
    known = [route for route in request.app.routes if getattr(route, "path", None) == request.url.path]
    allowed = sorted({method for route in known for method in route.methods})
    raise HTTPException(405, headers={"Allow": ", ".join(allowed)}) if allowed else HTTPException(404)


def _sent(reply: Reply) -> Response:
    return Response(reply.body, media_type=reply.media_type)


async def _told(request: Request, error: Exception) -> Response:
    """Answer with the problem that an error is; what is our own fault goes to the log."""
    problem = problem_of(error)
    if problem.status == 500:
        log.error("%s", error, extra={"fields": {"request_id": request.state.request_id, "kind": problem.kind}})
    return problem.response(request.state.request_id)
