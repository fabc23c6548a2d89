"""The API's reference for people, made from its OpenAPI document: /docs, and docs/api.md by docs/write_api.py."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from html import escape
from typing import Any

from markupsafe import Markup

from artnet.html.render import render
from artnet.serving.middleware.problems import MEDIA_TYPE

Json = dict[str, Any]
_HOST = "http://127.0.0.1:7860"


@dataclass(frozen=True)
class Member:
    """A field of a request or a member of a response."""

    name: str
    type: str
    description: str
    default: str
    is_required: bool


@dataclass(frozen=True)
class Operation:
    """One method of one path; `responses` are pairs of a status and its meaning."""

    name: str
    description: str
    curl: str
    fields: list[Member]
    responses: list[tuple[str, str]]
    example: str


@dataclass(frozen=True)
class Model:
    """A schema that operations refer to."""

    name: str
    description: str
    members: list[Member]


@dataclass(frozen=True)
class Reference:
    """Everything that the reference says."""

    title: str
    description: str
    operations: list[Operation]
    problems: dict[str, str]
    models: list[Model]


def html_page(document: Json) -> str:
    """Return the reference as an HTML page without scripts."""
    return render("api.html.j2", reference=reference(document), inline=_inline)


def reference(document: Json) -> Reference:
    """Return what an OpenAPI document says, in the terms of the reference."""
    info, schemas = document["info"], document["components"]["schemas"]
    root_path = next((server["url"] for server in document.get("servers", [])), "")
    operations = [
        _operation(path, method.upper(), operation, schemas, f"{_HOST}{root_path}")
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    models = [
        Model(name, schema.get("description", ""), _members(schema))
        for name, schema in schemas.items()
        if not name.endswith("Form")  # their fields stand with the operations
    ]
    return Reference(f"{info['title']}: the API", info["description"], operations, document["x-problems"], models)


def _operation(path: str, method: str, operation: Json, schemas: Json, host: str) -> Operation:
    bodies = operation.get("requestBody", {}).get("content", {})
    body = next((_resolved(body["schema"], schemas) for body in bodies.values()), {})
    example = operation["responses"]["200"].get("content", {}).get("application/json", {}).get("example")
    return Operation(
        f"{method} {path}",
        operation["description"],
        _curl(f"{host}{path}", method, bodies),
        _members(body),
        [(status, _meaning(response)) for status, response in sorted(operation["responses"].items())],
        json.dumps(example, indent=2) if example else "",
    )


def _resolved(schema: Json, schemas: Json) -> Json:
    return schemas[schema["$ref"].rsplit("/", 1)[-1]] if "$ref" in schema else schema


def _curl(url: str, method: str, bodies: Json) -> str:
    if method == "GET":
        return f"curl {url}"
    lines = [f"curl -F file=@painting.jpg {url}"] if "multipart/form-data" in bodies else []
    if "application/json" in bodies:
        example = json.dumps(bodies["application/json"]["example"])
        lines.append(f"curl -H 'Content-Type: application/json' -d '{example}' {url}")
    return "\n".join(lines)


def _meaning(response: Json) -> str:
    content = response.get("content", {})
    if MEDIA_TYPE in content:
        return str(response["description"])
    names = {media_type: _type(entry.get("schema", {})) for media_type, entry in content.items()}
    return ", ".join(f"`{media}`" + (f" ({name})" if name.startswith("[") else "") for media, name in names.items())


def _members(schema: Json) -> list[Member]:
    required = schema.get("required", [])
    return [
        Member(name, _type(member), member.get("description", ""), _default(member), name in required)
        for name, member in schema.get("properties", {}).items()
    ]


def _default(schema: Json) -> str:
    return json.dumps(schema["default"]) if schema.get("default") is not None else ""


def _type(schema: Json) -> str:
    """Return a schema's type in few words, with its bounds."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[-1]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in schema:
        return " or ".join(_type(each) for each in schema["anyOf"] if each.get("type") != "null")
    if "enum" in schema or "const" in schema:
        return ", ".join(f"`{value}`" for value in schema.get("enum", [schema.get("const")]))
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    if schema.get("type") == "object":
        values = schema.get("additionalProperties")
        return f"object of {_type(values)}" if isinstance(values, dict) else "object"
    is_file = schema.get("format") == "binary" or "contentMediaType" in schema
    name = "file" if is_file else schema.get("type", "anything")
    bounds = [f"{schema[bound]:.12g}" for bound in ("minimum", "maximum") if bound in schema]
    return f"{name}, {' to '.join(bounds)}" if bounds else str(name)


def _inline(text: str) -> Markup:
    """Return the little Markdown that stands inside a line (code, links within the page) as HTML."""
    code = re.sub(r"`([^`]*)`", r"<code>\1</code>", escape(text))
    return Markup(re.sub(r"\[([^\]]*)\]\((#[^)]*)\)", r'<a href="\2">\1</a>', code))
