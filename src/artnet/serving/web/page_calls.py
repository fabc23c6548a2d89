"""Take the page's calls: a name and a JSON value come in, the answer's JSON goes out.

Knows nothing about what is answered. Gradio has a route of its own for this; it keeps something of every visitor,
writes forms to the disk, reads JSON where all others wait for it, and shares its threads with the page's files.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from artnet.errors import ArtNetError, FormatError, UsageError
from artnet.serving.middleware.problems import problem_of
from artnet.serving.web.page_answers import Answer, answered

if TYPE_CHECKING:
    from anyio import CapacityLimiter
    from fastapi import FastAPI, Request, Response

Work = Callable[[Any], Answer]
PATHS = ("/gradio_api/component_server/", "/gradio_api/component_server")  # where Gradio's script sends calls


def add_calls(app: FastAPI, works: Mapping[str, Work], threads: int) -> None:
    """Add the route that answers the calls in `works`, before Gradio's own; `threads` may work or wait at once.

    There should be more threads than can wait for anything, so that one too many is refused and not left standing.
    """
    from anyio import CapacityLimiter

    limiter = CapacityLimiter(threads)

    async def call(request: Request) -> Response:
        return await _called(request, works, limiter)

    for path in PATHS:
        app.add_route(path, call, ["POST"], include_in_schema=False)


async def _called(request: Request, works: Mapping[str, Work], limiter: CapacityLimiter) -> Response:
    from anyio import to_thread
    from fastapi import Response

    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    body = await request.body()
    try:
        if kind != "application/json":  # the one kind that a page of another site cannot send unasked
            raise FormatError("a call of the page is application/json; load the page again")
        answer = await to_thread.run_sync(answer_bytes, works, body, limiter=limiter)
    except ArtNetError as error:
        return problem_of(error).response(request.scope)
    return Response(answer, media_type="application/json", headers={"cache-control": "no-store"})


def answer_bytes(works: Mapping[str, Work], body: bytes) -> bytes:
    """Answer one call, as JSON; its body is {"fn_name": text, "data": anything}. Errors: `UsageError`."""
    try:
        asked = json.loads(body)
        work, data = works[asked["fn_name"]], asked["data"]
    except (ValueError, TypeError, LookupError, RecursionError):
        raise UsageError("that is no call of the page; load the page again") from None
    return json.dumps(answered(work, data)).encode()
