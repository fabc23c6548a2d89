"""See every request pass: give it an id, its answer the security headers, the log a line and the metrics a count.

Knows nothing about what is asked or answered; no address of a client and no query is written down.
"""

from __future__ import annotations

import logging
import re
import time
import uuid
from collections.abc import Callable, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from artnet.serving.middleware.problems import problem_of

log = logging.getLogger("artnet.serving.middleware.access_log")

_SANE_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_GONE = 499  # nginx's number for a client that hung up before its answer
_BUCKETS_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)

ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}
API_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "Cache-Control": "no-store",
    "X-Frame-Options": "DENY",
}


class Metrics:
    """What Prometheus asks for; a registry of its own, so that two servers in one process do not share counts."""

    def __init__(self, running: Callable[[], float], waiting: Callable[[], float]) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.requests = Counter(
            "artnet_requests", "Requests answered.", ("method", "route", "status"), registry=self.registry
        )
        self.seconds = Histogram(
            "artnet_request_seconds", "From a request's beginning to its answer.", ("route",),
            registry=self.registry, buckets=_BUCKETS_S,
        )  # fmt: skip
        Gauge("artnet_running", "Pieces of work in the engine.", registry=self.registry).set_function(running)
        Gauge("artnet_waiting", "Pieces of work in the queue.", registry=self.registry).set_function(waiting)

    def count(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request; `route` is a pattern, so that clients cannot invent ever more of them."""
        self.requests.labels(method if method in _METHODS else "other", route, str(status)).inc()
        self.seconds.labels(route).observe(seconds)


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class AccessLogMiddleware:
    """ASGI middleware around everything else; an error that nobody caught ends here, as a problem without details."""

    def __init__(self, app: ASGIApp, metrics: Metrics, page_headers: Mapping[str, str], api: tuple[str, ...]) -> None:
        self.app = app
        self.metrics = metrics
        self.page_headers = page_headers
        self.api = api

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        headers = {**ALWAYS, **(API_HEADERS if scope["path"].startswith(self.api) else self.page_headers)}
        begun, status, size_bytes = time.perf_counter(), 0, 0

        async def sending(message: Message) -> None:
            nonlocal status, size_bytes
            if message["type"] == "http.response.start":
                status = message["status"]
                given = MutableHeaders(scope=message)
                given["X-Request-ID"] = request_id
                for name, value in headers.items():
                    given.setdefault(name, value)
            size_bytes += len(message.get("body", b""))
            await send(message)

        try:
            await self.app(scope, receive, sending)
        except Exception as error:
            log.exception("failed", extra={"fields": {"request_id": request_id}})
            if not status:
                await problem_of(error).response(request_id)(scope, receive, sending)
        finally:
            seconds, route = time.perf_counter() - begun, _route(scope)
            self.metrics.count(scope["method"], route, status or _GONE, seconds)
            fields = {
                "request_id": request_id, "method": scope["method"], "path": scope["path"], "status": status or _GONE,
                "seconds": round(seconds, 4), "bytes": size_bytes,
            }  # fmt: skip
            log.info("request", extra={"fields": fields})


def _request_id(scope: Scope) -> str:
    """Take the id that a proxy gave, unless it could be anything but an id; else make one."""
    given = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"")
    return given.decode("ascii") if _SANE_ID.fullmatch(given) else uuid.uuid4().hex


def _route(scope: Scope) -> str:
    """Name the route's pattern; what matched none is one and the same."""
    path = getattr(scope.get("route"), "path", None)
    return path if isinstance(path, str) and path else "other"
