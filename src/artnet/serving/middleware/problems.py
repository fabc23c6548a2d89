"""Every error as `application/problem+json` (RFC 9457): ours, the framework's, and the unexpected."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from artnet.errors import AddressError, ArtNetError, BusyError, DeadlineError, MissingExtraError

MEDIA_TYPE = "application/problem+json"
DOCS = "/docs"
logger = logging.getLogger(__name__)

_PUBLIC = (AddressError, DeadlineError, MissingExtraError)  # of the errors from 500 on, those that are no secrets
_RETRY_S = 5
_MAX_FIELDS = 20
_KINDS = {400: "usage", 413: "too-large", 415: "format"}  # of what the framework refuses, where errors of ours have one
_DETAILS = {
    404: "there is nothing at this address; the page that `type` names lists what there is",
    405: "this address does not take that method; the page that `type` names lists those that it takes",
}


@dataclass(frozen=True)
class Problem:
    """One problem of RFC 9457; `kind` is that of the error, as `artnet classify --json` names it."""

    status: int
    kind: str
    detail: str
    errors: Sequence[Mapping[str, Any]] = ()
    headers: Mapping[str, str] = field(default_factory=dict)

    def to_dict(self, request_id: str, root_path: str = "") -> dict[str, Any]:
        """Return the members of the JSON object."""
        return {
            "type": f"{root_path}{DOCS}#{self.kind}",
            "title": self.kind.replace("-", " ").capitalize(),
            "status": self.status,
            "detail": self.detail,
            "kind": self.kind,
            "request_id": request_id,
            **({"errors": list(self.errors)} if self.errors else {}),
        }

    def response(self, scope: Scope) -> Response:
        """Return the problem as the response to a request."""
        members = self.to_dict(scope.get("state", {}).get("request_id", ""), scope.get("root_path", ""))
        body = json.dumps(members, ensure_ascii=False).encode()
        return Response(body, self.status, dict(self.headers), MEDIA_TYPE)


def problem_of(error: Exception) -> Problem:
    """Describe any exception that ends a request; one that is the server's own fault is not explained to the client."""
    if isinstance(error, RequestValidationError):
        return _of_validation(error)
    if isinstance(error, HTTPException):
        return _of_http(error)
    if not isinstance(error, ArtNetError):
        return _internal(500, "internal")
    if error.http_status >= 500 and not isinstance(error, _PUBLIC):
        return _internal(error.http_status, error.kind)
    headers = {}
    if isinstance(error, BusyError | DeadlineError):
        headers["Retry-After"] = str(error.retry_after_s if isinstance(error, BusyError) else _RETRY_S)
    return Problem(error.http_status, error.kind, str(error), headers=headers)


def _of_validation(error: RequestValidationError) -> Problem:
    """Describe a body that FastAPI refuses, field by field."""
    entries = error.errors()[:_MAX_FIELDS]
    if any(entry["type"] == "json_invalid" for entry in entries):
        return Problem(400, "usage", "the body is not JSON; send an object")
    faults = [{"field": _field_of(entry["loc"]), "message": _message_of(entry)} for entry in entries]
    listed = "; ".join(f"{fault['field']}: {fault['message']}" for fault in faults[:5])
    return Problem(422, "fields", f"the fields are not valid: {listed}", faults)


def _field_of(location: Sequence[int | str]) -> str:
    return ".".join(str(step) for step in location[1:])[:80] or str(location[0])


def _message_of(entry: Mapping[str, Any]) -> str:
    if entry["type"] == "extra_forbidden":
        return "unknown field; the page that `type` names lists the known ones"
    return str(entry["msg"]).removeprefix("Value error, ")  # pydantic's words before ours


def _of_http(error: HTTPException) -> Problem:
    """Describe what the framework itself refuses, such as a route that does not exist."""
    if isinstance(error.__cause__, ArtNetError):  # FastAPI wraps what reading a form raises
        return problem_of(error.__cause__)
    status = error.status_code
    kind = _KINDS.get(status) or HTTPStatus(status).phrase.lower().replace(" ", "-")
    is_own = error.detail != HTTPStatus(status).phrase
    detail = str(error.detail) if is_own else _DETAILS.get(status, str(error.detail))
    return Problem(status, kind, detail, headers=error.headers or {})


def _internal(status: int, kind: str) -> Problem:
    return Problem(status, kind, "the server failed; its log says why, under the request's id")


def add_problem_handlers(app: FastAPI) -> None:
    """Register handlers that turn every error of a route into a problem."""
    for error_class in (ArtNetError, HTTPException, RequestValidationError):
        app.add_exception_handler(error_class, _handle)


async def _handle(request: Request, error: Exception) -> Response:
    problem = problem_of(error)
    if problem.status == 500:
        logger.error("%s", error, extra={"fields": {"request_id": request.state.request_id, "kind": problem.kind}})
    return problem.response(request.scope)


class UnexpectedErrorMiddleware:
    """Turn an exception that nothing else handled into a problem without details, and log it."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        has_started = False

        async def send_noted(message: Message) -> None:
            nonlocal has_started
            has_started = True
            await send(message)

        try:
            await self.app(scope, receive, send_noted)
        except Exception as error:
            request_id = scope.get("state", {}).get("request_id", "")
            logger.exception("failed", extra={"fields": {"request_id": request_id}})
            if not has_started:
                await problem_of(error).response(scope)(scope, receive, send)
