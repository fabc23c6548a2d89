"""How a request's image and fields come in: multipart forms, held in memory, or JSON with the URL of an image."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import AsyncGenerator, Callable, Coroutine
from email.message import Message
from pathlib import PurePath
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.datastructures import FormData, Headers
from starlette.formparsers import MultiPartException, MultiPartParser

from artnet.errors import FormatError, UsageError

_NAME_LENGTH = 200
_JSON_BYTES = 64 * 1024


class FormRoute(APIRoute):
    """A route whose forms are read by `FormRequest`."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return FastAPI's handler, given a `FormRequest` in place of a `Request`."""
        handle = super().get_route_handler()

        async def handle_form(request: Request) -> Response:
            return await handle(FormRequest(request.scope, request.receive))

        return handle_form


class FormRequest(Request):
    """A request whose form stays in memory and is refused where it is cut short; a JSON object counts as a form.

    Starlette's own would write files over 1 MB to a disk, and take a form without its end for a whole one.
    """

    async def form(self, **limits: Any) -> FormData:  # type: ignore[override]
        """Return the form's fields and files.

        Raises:
            FormatError: If the body is neither a form with files nor JSON.
            UsageError: If it cannot be read, is cut short, or exceeds `limits`.
        """
        media_type = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media_type == "application/json":
            return FormData(await self._json_object())
        if media_type != "multipart/form-data":
            raise FormatError("send the image as multipart/form-data, or its URL as application/json")
        try:
            return await _FormParser(self.headers, self.stream(), **limits).parse()
        except MultiPartException as error:
            raise UsageError(f"the form cannot be read: {error.message}") from None

    async def _json_object(self) -> dict[str, Any]:
        body = await self.body()
        if len(body) > _JSON_BYTES:
            raise UsageError(f"the JSON is longer than {_JSON_BYTES // 1024} kB; send the image as multipart/form-data")
        try:
            fields = json.loads(body)
        except (ValueError, RecursionError):
            fields = None
        if not isinstance(fields, dict):
            raise UsageError('the body is not a JSON object; send one such as {"url": "https://example.org/a.jpg"}')
        return fields


async def refuse_query(request: Request) -> None:
    """Refuse query parameters as unknown fields, since what they ask for would not be done.

    Raises:
        RequestValidationError: If there are any.
    """
    if names := list(dict.fromkeys(request.query_params)):
        raise RequestValidationError([{"type": "extra_forbidden", "loc": ("query", name), "msg": ""} for name in names])


class _FormParser(MultiPartParser):
    """Starlette's parser, all in memory, since `LimitsMiddleware` has bounded the body; a form must have its end.

    It reads a file's name in `filename*` alone, which RFC 7578 forbids and some clients send, and passes over what
    stands before the first boundary, as RFC 2046 allows.
    """

    spool_max_size = sys.maxsize

    def __init__(self, headers: Headers, stream: AsyncGenerator[bytes, None], **limits: Any) -> None:
        super().__init__(headers, self._to_the_end(_without_preamble(stream, headers)), **limits)
        self._has_ended = False

    def on_header_value(self, data: bytes, start: int, end: int) -> None:
        """Read a header's value, which is whole, since `LimitsMiddleware` passes the body on in one piece."""
        value = _with_plain_file_name(data[start:end])
        super().on_header_value(value, 0, len(value))

    def on_end(self) -> None:
        self._has_ended = True

    async def _to_the_end(self, stream: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
        async for chunk in stream:
            yield chunk
        if not self._has_ended:
            raise MultiPartException("it is cut short; send all of it")


async def _without_preamble(stream: AsyncGenerator[bytes, None], headers: Headers) -> AsyncGenerator[bytes, None]:
    about = Message()
    about["content-type"] = headers["content-type"]
    boundary = str(about.get_boundary(""))
    held: bytes | None = b""
    async for chunk in stream:
        if held is None:
            yield chunk
            continue
        held += chunk
        if begin := re.search(rb"(?:\A|\r\n)(--" + re.escape(boundary.encode("latin-1")) + rb")", held):
            yield held[begin.start(1) :]
            held = None
    if held:
        yield held  # the parser says what is wrong with it


def _with_plain_file_name(value: bytes) -> bytes:
    """Return a Content-Disposition with `filename` where it has `filename*` alone (RFC 8187)."""
    if not re.search(rb"(?i);\s*filename\*", value) or re.search(rb"(?i);\s*filename\s*=", value):
        return value
    about = Message()
    about["content-disposition"] = value.decode("latin-1")
    name = str(about.get_filename("")).replace("\\", "\\\\").replace('"', '\\"')
    return value + f'; filename="{name}"'.encode("utf-8", "replace")


def display_name(file_name: str | None) -> str:
    """Return what can be shown of a client's file name: its last part, printable and not too long."""
    last = PurePath((file_name or "").replace("\\", "/")).name
    return "".join(letter if letter.isprintable() else "?" for letter in last)[:_NAME_LENGTH]
