"""Middleware that adds security headers to every response, strict ones for the API and others for the page."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

API_PATHS = ("/v1/", "/healthz", "/metrics", "/openapi.json")
COMMON_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}
API_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "Cache-Control": "no-store",
    "X-Frame-Options": "DENY",
}
# Nothing inline and nothing from elsewhere; WebAssembly is what the same page computes with where it is a static site.
PAGE_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' blob: data:; "
        "connect-src 'self'; worker-src 'self'; media-src 'self' blob:; font-src 'self'; manifest-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
    ),
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
    "Cache-Control": "no-cache",  # ask whether a file has changed before it is used again
}


class SecurityHeadersMiddleware:
    """Add the headers that a response does not have yet."""

    def __init__(self, app: ASGIApp, page_headers: Mapping[str, str]) -> None:
        self.app = app
        self.page_headers = {**PAGE_HEADERS, **page_headers}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        is_api = scope["path"].removeprefix(scope.get("root_path", "")).startswith(API_PATHS)
        headers = {**COMMON_HEADERS, **(API_HEADERS if is_api else self.page_headers)}

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                present = MutableHeaders(scope=message)
                for name, value in headers.items():
                    present.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, send_with_headers)
