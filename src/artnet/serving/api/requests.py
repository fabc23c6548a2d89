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

from artnet.errors import FieldsError, FormatError, UsageError
from artnet.serving.api.forms import parts_of

FILE = "file"
_FAULTS = 20
_JSON_BYTES = 64 * 1024
_NAME_LETTERS = 200

Fields = TypeVar("Fields", bound=BaseModel)


@dataclass(frozen=True)
class Asked(Generic[Fields]):
    """A request's fields and its picture: `data` with the name of the file, or no data and `name` is an address."""

    fields: Fields
    data: bytes
    name: str


def is_form(content_type: str) -> bool:
    """Tell whether a request is a form with files. Errors: `FormatError` where it is no JSON either."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind not in ("multipart/form-data", "application/json"):
        raise FormatError("send the picture as multipart/form-data, or its address as application/json")
    return kind == "multipart/form-data"


def asked_by_form(content_type: str, body: bytes, shape: type[Fields]) -> Asked[Fields]:
    """Read a form with one file; a hostile one can take a second for each 20 MB.

    Errors: `UsageError` for what cannot be taken apart, `FieldsError` for fields that do not fit the shape.
    """
    given: dict[str, Any] = {}
    data, name = None, ""
    for part in parts_of(content_type, body):
        if part.file_name is not None:
            if part.name != FILE:
                raise UsageError(f"the form has a file in the field {part.name[:40]!r}; send it in the field {FILE!r}")
            if data is not None:
                raise UsageError("the form has more than one file; send one picture at a time")
            data, name = part.data, _shown(part.file_name)
        elif part.name == FILE:
            raise UsageError(f"the field {FILE!r} holds a text; send it as a file, with a file name")
        elif part.name in given:
            raise UsageError(f"the field {part.name[:40]!r} is given twice; give it once")
        elif part.data:  # an empty field of a form is one that was left out
            given[part.name] = part.text
    if data is None:
        raise UsageError(f"the form has no picture; send one as a file in the field {FILE!r}")
    return Asked(_checked(given, shape, strict=False), data, name)


def asked_by_json(body: bytes, shape: type[Fields]) -> Asked[Fields]:
    """Read a JSON object with an address. Errors: `UsageError` and `FieldsError`, as for a form."""
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
    return Asked(_checked(given, shape, strict=True), b"", address)


def _checked(given: dict[str, Any], shape: type[Fields], strict: bool) -> Fields:
    try:
        return shape.model_validate(given, strict=strict)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        faults = [{"field": _place(fault["loc"]), "message": _meaning(fault, shape)} for fault in found[:_FAULTS]]
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
