"""Say what went wrong in HTTP: one exception tree to RFC 9457, application/problem+json.

Knows nothing about routes; an error that is the server's own fault is told in the log, not to the stranger.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from starlette.exceptions import HTTPException
from starlette.responses import Response

from artnet.errors import AddressError, ArtNetError, BusyError, DeadlineError, FieldsError, MissingExtraError

MEDIA_TYPE = "application/problem+json"
DOCS = "/docs"
_TOLD = (AddressError, DeadlineError, MissingExtraError)  # of the errors from 500 on, those that are no secrets


@dataclass(frozen=True)
class Problem:
    """One problem of RFC 9457; `kind` is that of the error, as `artnet classify --json` names it."""

    status: int
    kind: str
    detail: str
    errors: Sequence[Mapping[str, Any]] = ()
    headers: Mapping[str, str] = field(default_factory=dict)

    def to_dict(self, request_id: str) -> dict[str, Any]:
        """Give the members of the JSON object."""
        return {
            "type": f"{DOCS}#{self.kind}",
            "title": self.kind.replace("-", " ").capitalize(),
            "status": self.status,
            "detail": self.detail,
            "kind": self.kind,
            "request_id": request_id,
            **({"errors": list(self.errors)} if self.errors else {}),
        }

    def response(self, request_id: str) -> Response:
        """Write the problem as an answer."""
        body = json.dumps(self.to_dict(request_id), ensure_ascii=False).encode()
        return Response(body, self.status, dict(self.headers), MEDIA_TYPE)


def problem_of(error: Exception) -> Problem:
    """Describe any exception that ends a request."""
    if isinstance(error, BusyError):
        return Problem(error.http_status, error.kind, str(error), headers={"Retry-After": str(error.retry_after_s)})
    if isinstance(error, DeadlineError):
        return Problem(error.http_status, error.kind, str(error), headers={"Retry-After": "5"})
    if isinstance(error, FieldsError):
        return Problem(error.http_status, error.kind, str(error), error.faults)
    if isinstance(error, ArtNetError) and (error.http_status < 500 or isinstance(error, _TOLD)):
        return Problem(error.http_status, error.kind, str(error))
    if isinstance(error, HTTPException):
        return _of_http(error)
    status = error.http_status if isinstance(error, ArtNetError) else 500
    kind = error.kind if isinstance(error, ArtNetError) else "internal"
    return Problem(status, kind, "the server cannot answer this; its log says why, under the request's id")


def _of_http(error: HTTPException) -> Problem:
    """Describe what the framework itself refuses: a route that there is not, a method that it has not."""
    kind = HTTPStatus(error.status_code).phrase.lower().replace(" ", "-")
    known = {
        404: f"there is nothing at this address; {DOCS} says what there is",
        405: f"this address does not take that method; {DOCS} says which it does",
    }
    return Problem(error.status_code, kind, known.get(error.status_code, str(error.detail)), (), error.headers or {})
