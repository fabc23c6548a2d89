"""Read what a request asks: a picture as a file or an address, and the fields beside it.

Knows nothing about what the fields mean: they are checked by the shape that the caller gives.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from artnet.errors import FieldsError, FormatError, UsageError

FILE = "file"
_FIELDS = 32
_FIELD_BYTES = 8 * 1024
_JSON_BYTES = 64 * 1024
_NAME_LETTERS = 200

Fields = TypeVar("Fields", bound=BaseModel)


@dataclass(frozen=True)
class Asked(Generic[Fields]):
    """A request's fields and its picture: `data` with the name of the file, or None, and then `name` is an address."""

    fields: Fields
    data: bytes | None
    name: str


class _InMemory(MultiPartParser):
    """A parser that writes no temporary files: the whole body is in memory already, and bounded."""

    spool_max_size = 2**40


async def read_asked(request: Request, shape: type[Fields]) -> Asked[Fields]:
    """Read a form with a file (multipart/form-data) or a JSON object.

    Errors: `FormatError` for any other content type, `UsageError` for what cannot be taken apart, `FieldsError` for
    fields that do not fit the shape.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        return await _from_form(request, shape)
    if kind == "application/json":
        return _from_json(await request.body(), shape)
    raise FormatError("send the picture as multipart/form-data, or its address as application/json")


async def _from_form(request: Request, shape: type[Fields]) -> Asked[Fields]:
    parser = _InMemory(
        request.headers, request.stream(), max_files=1, max_fields=_FIELDS, max_part_size=_FIELD_BYTES
    )  # fmt: skip
    try:
        form = await parser.parse()
    except (MultiPartException, ValueError) as error:
        raise UsageError(f"the form cannot be read ({error}); send multipart/form-data with one file") from None
    try:
        return await _from_parts(form, shape)
    finally:
        await form.close()


async def _from_parts(form: FormData, shape: type[Fields]) -> Asked[Fields]:
    given: dict[str, Any] = {}
    data, name = None, ""
    for key, value in form.multi_items():
        if isinstance(value, UploadFile):
            if key != FILE:
                raise UsageError(f"the form has a file in the field {key[:40]!r}; send it in the field {FILE!r}")
            data, name = await value.read(), _shown(value.filename)
        elif key == FILE:
            raise UsageError(f"the field {FILE!r} holds a text; send it as a file, with a file name")
        elif key in given:
            raise UsageError(f"the field {key[:40]!r} is given twice; give it once")
        elif value:  # an empty field of a form is one that was left out
            given[key] = value
    if data is None:
        raise UsageError(f"the form has no picture; send one as a file in the field {FILE!r}")
    return Asked(_checked(given, shape, strict=False), data, name)


def _from_json(body: bytes, shape: type[Fields]) -> Asked[Fields]:
    if len(body) > _JSON_BYTES:
        raise UsageError(f"the JSON is longer than {_JSON_BYTES // 1024} kB; send the picture as multipart/form-data")
    try:
        given = json.loads(body)
    except (ValueError, RecursionError):
        raise UsageError('the body is not JSON; send an object such as {"url": "https://example.org/a.jpg"}') from None
    if not isinstance(given, dict):
        raise UsageError('the JSON is not an object; send one such as {"url": "https://example.org/a.jpg"}')
    address = given.pop("url", None)
    if not isinstance(address, str) or not address:
        raise UsageError('the JSON has no address; give one as a text under "url"')
    return Asked(_checked(given, shape, strict=True), None, address)


def _checked(given: dict[str, Any], shape: type[Fields], strict: bool) -> Fields:
    try:
        return shape.model_validate(given, strict=strict)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        faults = [{"field": _place(fault["loc"]), "message": _meaning(fault, shape)} for fault in found[:_FIELDS]]
        named = "; ".join(f"{fault['field']}: {fault['message']}" for fault in faults[:5])
        raise FieldsError(f"the fields cannot be meant so: {named}", faults) from None


def _place(steps: tuple[int | str, ...]) -> str:
    return ".".join(str(step) for step in steps)[:80]


def _meaning(fault: ErrorDetails, shape: type[BaseModel]) -> str:
    if fault["type"] == "extra_forbidden":
        return f"is no field here; the fields are {', '.join(shape.model_fields)}"
    return fault["msg"]


def _shown(name: str | None) -> str:
    """Keep of a client's file name what can be shown: its last part, printable, not too long."""
    last = PurePath((name or "").replace("\\", "/")).name
    return "".join(letter if letter.isprintable() else "?" for letter in last)[:_NAME_LETTERS]
