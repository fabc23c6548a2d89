"""The application: routes, middleware, the front end's files, and the pools that end with it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path

from fastapi import FastAPI
from PIL import Image
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, Response

from artnet import __version__
from artnet.attribution.explain import explain
from artnet.errors import ArtNetError
from artnet.serving.api.openapi import document
from artnet.serving.api.routes import api, monitoring
from artnet.serving.api.state import ApiSettings, ServerState
from artnet.serving.middleware.access_log import AccessLogMiddleware
from artnet.serving.middleware.head import HeadMiddleware
from artnet.serving.middleware.limits import (
    FORM_FIELD_BYTES,
    FORM_FIELDS,
    FORM_FILES,
    LimitsMiddleware,
    RequestLimits,
)
from artnet.serving.middleware.problems import UnexpectedErrorMiddleware, add_problem_handlers
from artnet.serving.middleware.root_path import RootPathMiddleware
from artnet.serving.middleware.security_headers import SecurityHeadersMiddleware
from artnet.serving.web.samples import sample_path
from artnet.serving.work_queue import ClassifierQueue

_FORM_BYTES = 64 * 1024  # of a form beside its file
_DESCRIPTION = (
    "Which modern movement is this painting, how sure is that, and what in the image supports it? An image comes as a "
    "form, with its name in `filename` or in `filename*` alone, or by its URL in JSON. Query parameters are refused as "
    "unknown fields are; HEAD is answered wherever GET is."
)


def create_app(queue: ClassifierQueue, settings: ApiSettings | None = None, front_end: Path | None = None) -> FastAPI:
    """Return the application; it closes the queue when it ends.

    Args:
        queue: The classifier behind its queue.
        settings: What a client may do.
        front_end: A folder of static files to serve at /, none to serve the API alone.
    """
    settings = settings or ApiSettings()
    server = ServerState(queue, settings)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        warming_up = asyncio.create_task(_warm_up(server))
        yield
        warming_up.cancel()
        queue.close()

    app = FastAPI(
        title="ArtNet",
        version=__version__,
        description=_DESCRIPTION,
        docs_url=None,  # FastAPI's own page loads scripts from elsewhere
        redoc_url=None,
        lifespan=lifespan,
        form_limits={"max_files": FORM_FILES, "max_fields": FORM_FIELDS, "max_part_size": FORM_FIELD_BYTES},
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.state.server = server
    app.openapi = partial(document, app)  # type: ignore[method-assign]
    size_bytes = settings.limits.size_bytes + _FORM_BYTES
    limits = RequestLimits(size_bytes, settings.memory_bytes, queue.limits.timeout_s)
    app.add_middleware(LimitsMiddleware, limits=limits)  # the last one added is the first to see a request
    app.add_middleware(UnexpectedErrorMiddleware)
    app.add_middleware(HeadMiddleware)
    app.add_middleware(SecurityHeadersMiddleware, page_headers=settings.page_headers)
    app.add_middleware(AccessLogMiddleware, metrics=server.metrics)
    app.add_middleware(RootPathMiddleware, root_path=settings.root_path)
    add_problem_handlers(app)
    app.include_router(api)
    app.include_router(monitoring)
    if front_end is not None:
        app.add_api_route("/examples/{name}.jpg", _example, include_in_schema=False)
        app.frontend("/", directory=front_end, fallback=None)
    return app


async def _example(name: str) -> Response:
    path = sample_path(name)
    if path is None:
        raise HTTPException(404)
    return FileResponse(path)


async def _warm_up(server: ServerState) -> None:
    """Compile the graph of explanations before the first request for one."""
    if server.settings.warm_up_delay_s is None:
        return
    await asyncio.sleep(server.settings.warm_up_delay_s)
    with suppress(ArtNetError):  # a model without explained layers, or a queue that is full
        await server.queue.run(lambda: explain(server.classifier, Image.new("RGB", (64, 64))))
