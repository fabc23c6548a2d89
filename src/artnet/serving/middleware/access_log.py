"""Middleware that gives each request an id, the log a line and the metrics a count.

Neither the address of a client nor a query is written down.
"""

from __future__ import annotations

import logging
import re
import time
import uuid
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

logger = logging.getLogger(__name__)

_VALID_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_CLIENT_GONE = 499  # nginx's status for a client that hung up before its response
_BUCKETS_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Metrics:
    """Metrics for Prometheus, in a registry of their own: two servers in one process do not share counts."""

    def __init__(self, running: Callable[[], float], waiting: Callable[[], float]) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.requests = Counter(
            "artnet_requests", "Requests answered.", ("method", "route", "status"), registry=self.registry
        )
        self.seconds = Histogram(
            "artnet_request_seconds", "From a request's first byte to the end of its response.", ("route",),
            registry=self.registry, buckets=_BUCKETS_S,
        )  # fmt: skip
        Gauge("artnet_running", "Pieces of work in the model.", registry=self.registry).set_function(running)
        Gauge("artnet_waiting", "Pieces of work in the queue.", registry=self.registry).set_function(waiting)

    def count(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request; `route` is a pattern, so that clients cannot invent ever more of them."""
        self.requests.labels(method if method in _METHODS else "other", route, str(status)).inc()
        self.seconds.labels(route).observe(seconds)


class AccessLogMiddleware:
    """Log and count each request, under the `X-Request-ID` that a proxy gave it or one made here."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app = app
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        begin_s, status, size_bytes = time.perf_counter(), _CLIENT_GONE, 0

        async def send_counted(message: Message) -> None:
            nonlocal status, size_bytes
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-ID"] = request_id
            size_bytes += len(message.get("body", b""))
            await send(message)

        try:
            await self.app(scope, receive, send_counted)
        finally:
            seconds = time.perf_counter() - begin_s
            self.metrics.count(scope["method"], _route(scope), status, seconds)
            fields = {
                "request_id": request_id, "method": scope["method"], "path": scope["path"], "status": status,
                "seconds": round(seconds, 4), "bytes": size_bytes,
            }  # fmt: skip
            logger.info("request", extra={"fields": fields})


def _request_id(scope: Scope) -> str:
    """Return the id that a proxy gave, unless it could be anything but an id; else a new one."""
    proxied = Headers(scope=scope).get("x-request-id", "")
    return proxied if _VALID_ID.fullmatch(proxied) else uuid.uuid4().hex


def _route(scope: Scope) -> str:
    """Return the pattern of the request's route; whatever matched none counts as one."""
    path = getattr(scope.get("route"), "path", None)
    return path if isinstance(path, str) and path else "other"
