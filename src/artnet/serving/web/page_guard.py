"""Let through only those of Gradio's routes that the page needs, and keep other hosts out of its first answer.

Knows nothing about the page. Gradio can store uploads, serve files and proxy addresses: here nothing of that is open.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

_OPEN = {
    "GET": re.compile(r"/(|config|theme\.css|(assets|static)/[\w./@-]+)"),
    "HEAD": re.compile(r"/"),
}
_PREVIEWS = re.compile(rb'<meta\s+(?:property|name)="(?:og|twitter):[^>]*>')  # pictures on other hosts, for other sites
_MARKS = re.compile(rb'<link rel="manifest"[^>]*>')  # of an application with Gradio's own marks
_HEAD = re.compile(rb'<base href="[^"]*"\s*/?>')


# Gradio compiles its templates in the browser and styles elements one by one, hence the two unsafe words; everything
# else comes from this very host or from the page itself.
HEADERS = {
    "content-security-policy": (
        "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' blob: data:; media-src 'self' blob:; font-src 'self' data:; object-src 'none'; "
        "base-uri 'self'; form-action 'self'; frame-ancestors 'self'"
    ),
    "permissions-policy": "camera=(self), microphone=(), geolocation=()",
}


class PageGuard:
    """Stand before Gradio: an ASGI application around an ASGI application; `headers` replace some of `HEADERS`."""

    def __init__(self, app: App, head: str, headers: Mapping[str, str]) -> None:
        self._app = app
        self._head = head.encode()
        own = {**HEADERS, **{name.lower(): value for name, value in headers.items()}}
        self._headers = [(name.encode(), value.encode()) for name, value in own.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 404 to all that the page does not need, and put `head` into the page itself."""
        if scope["type"] != "http":
            return
        path = scope["path"].removeprefix(scope.get("root_path", "")) or "/"
        known = _OPEN.get(scope["method"])

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], *self._headers]}
            await send(message)

        if known is None or not known.fullmatch(path) or ".." in path:
            await _not_found(send, path)
        elif path == "/" and scope["method"] == "GET":
            await self._app(scope, receive, _Rewriter(sending, self._head))
        else:
            await self._app(scope, receive, sending)


class _Rewriter:
    """Hold an answer back until it is whole, change it, and send it with its new length."""

    def __init__(self, send: Send, head: bytes) -> None:
        self._send, self._head = send, head
        self._start: Message = {}
        self._body = b""

    async def __call__(self, message: Message) -> None:
        """Take the next part of the answer."""
        if message["type"] == "http.response.start":
            self._start = message
            return
        self._body += message.get("body", b"")
        if message.get("more_body"):
            return
        body = _MARKS.sub(b"", _PREVIEWS.sub(b"", self._body))
        body = _HEAD.sub(lambda found: found.group() + self._head, body, count=1)
        kept = [(name, value) for name, value in self._start["headers"] if name.lower() != b"content-length"]
        await self._send({**self._start, "headers": [*kept, (b"content-length", str(len(body)).encode())]})
        await self._send({"type": "http.response.body", "body": body})


async def _not_found(send: Send, path: str) -> None:
    problem = {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": f"there is nothing at {path[:200]}",
    }
    headers = [(b"content-type", b"application/problem+json")]
    await send({"type": "http.response.start", "status": 404, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps(problem).encode()})
