"""Write the API's OpenAPI document out for people: as Markdown, and as one HTML page that loads nothing.

Knows nothing about the API beyond that document.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from artnet.serving.middleware.problems import MEDIA_TYPE

Json = dict[str, Any]
_HOST = "http://127.0.0.1:7860"
_STYLE = (
    ":root{color-scheme:light dark}body{max-width:60rem;margin:2rem auto;padding:0 1rem;font:1rem/1.5 sans-serif}"
    "table{border-collapse:collapse;margin:1rem 0}td,th{border:1px solid #8888;padding:.3rem .6rem;text-align:left;"
    "vertical-align:top}pre{overflow-x:auto;border:1px solid #8888;padding:.6rem}"
)


@dataclass(frozen=True)
class Heading:
    """A heading of a level, 1 to 3; `anchor` is where links lead to."""

    level: int
    words: str
    anchor: str = ""


@dataclass(frozen=True)
class Code:
    """Lines that are shown as they are."""

    text: str


@dataclass(frozen=True)
class Table:
    """Rows of cells under a head."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


Block = Heading | Code | Table | str


def markdown(document: Json) -> str:
    """Write the document as Markdown."""
    return "\n\n".join(_markdown_block(block) for block in _blocks(document)) + "\n"


def html_page(document: Json) -> str:
    """Write the document as an HTML page without scripts."""
    body = "\n".join(_html_block(block) for block in _blocks(document))
    title = escape(document["info"]["title"])
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}: the API</title>'
    page = f'<!doctype html><html lang="en"><head>{head}<style>{_STYLE}</style></head>'
    return f"{page}<body><main>\n{body}\n</main></body></html>\n"


def _blocks(document: Json) -> Iterator[Block]:
    info = document["info"]
    yield Heading(1, f"{info['title']}: the API")
    yield info["description"]
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            yield from _operation(path, method.upper(), operation, document)
    yield Heading(2, "Problems")
    yield "What goes wrong is told as `application/problem+json` (RFC 9457), a [ProblemAnswer](#problemanswer)."
    for kind, meaning in document["x-problems"].items():
        yield Heading(3, kind, kind)
        yield meaning
    yield Heading(2, "Shapes")
    yield "Each member that is not marked `?` is always there."
    for name, schema in document["components"]["schemas"].items():
        yield Heading(3, name, name.lower())
        yield schema.get("description", "")
        yield _members(schema)


def _operation(path: str, method: str, operation: Json, document: Json) -> Iterator[Block]:
    yield Heading(2, f"{method} {path}", path.strip("/").replace("/", "-"))
    yield str(operation["description"])
    bodies = operation.get("requestBody", {}).get("content", {})
    yield Code(_curl(path, method, bodies))
    if bodies:
        yield "A form (multipart/form-data) has the picture in `file`; a JSON object has its address in `url`:"
        yield _merged([body["schema"] for body in bodies.values()])
    yield Table(
        ("status", "meaning"),
        tuple((status, _meaning(response)) for status, response in sorted(operation["responses"].items())),
    )
    example = operation["responses"]["200"].get("content", {}).get("application/json", {}).get("example")
    if example:
        yield Code(json.dumps(example, indent=2))


def _curl(path: str, method: str, bodies: Json) -> str:
    if method == "GET":
        return f"curl {_HOST}{path}"
    example = json.dumps(bodies["application/json"]["example"])
    header = "-H 'Content-Type: application/json'"
    return f"curl -F file=@painting.jpg {_HOST}{path}\ncurl {header} -d '{example}' {_HOST}{path}"


def _meaning(response: Json) -> str:
    content = response.get("content", {})
    names = {media: _type(entry.get("schema", {})) for media, entry in content.items()}
    kinds = ", ".join(f"`{media}`" + (f" ({name})" if name.startswith("[") else "") for media, name in names.items())
    return str(response["description"]) + (f" {kinds}" if kinds and MEDIA_TYPE not in content else "")


def _merged(schemas: Sequence[Json]) -> Table:
    """Put the fields of a form and of a JSON object into one table: they differ in one."""
    properties = {name: schema for each in schemas for name, schema in each["properties"].items()}
    first = [name for each in schemas for name in each["required"]]
    names = [*first, *(name for name in properties if name not in first)]
    rows = (
        (f"`{name}`", _type(properties[name]), _default(properties[name]), _told(properties[name])) for name in names
    )
    return Table(("field", "type", "default", "meaning"), tuple(rows))


def _members(schema: Json) -> Table:
    needed = schema.get("required", [])
    rows = (
        (f"`{name}`" + ("" if name in needed else " ?"), _type(member), _told(member))
        for name, member in schema.get("properties", {}).items()
    )
    return Table(("member", "type", "meaning"), tuple(rows))


def _told(schema: Json) -> str:
    return str(schema.get("description", ""))


def _default(schema: Json) -> str:
    return f"`{json.dumps(schema['default'])}`" if schema.get("default") is not None else ""


def _type(schema: Json) -> str:
    """Name a schema's type in few words, with its bounds."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[-1]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in schema:
        return " or ".join(_type(each) for each in schema["anyOf"])
    if "enum" in schema or "const" in schema:
        return ", ".join(f"`{value}`" for value in schema.get("enum", [schema.get("const")]))
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    if schema.get("type") == "object":
        return f"object of {_type(schema.get('additionalProperties', {}))}"
    name = "file" if schema.get("format") == "binary" else schema.get("type", "anything")
    bounds = [f"{schema[each]:.12g}" for each in ("minimum", "maximum") if each in schema]
    return f"{name}, {' to '.join(bounds)}" if bounds else str(name)


def _markdown_block(block: Block) -> str:
    if isinstance(block, Heading):
        return "#" * block.level + " " + block.words
    if isinstance(block, Code):
        return "\n".join(f"    {line}" for line in block.text.splitlines())
    if isinstance(block, Table):
        rows = [block.head, tuple("---" for _ in block.head), *block.rows]
        return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows)
    return block


def _html_block(block: Block) -> str:
    if isinstance(block, Heading):
        return f'<h{block.level} id="{escape(block.anchor)}">{escape(block.words)}</h{block.level}>'
    if isinstance(block, Code):
        return f"<pre>{escape(block.text)}</pre>"
    if isinstance(block, Table):
        head = "".join(f"<th>{escape(cell)}</th>" for cell in block.head)
        rows = "".join("<tr>" + "".join(f"<td>{_inline(cell)}</td>" for cell in row) + "</tr>" for row in block.rows)
        return f"<table><tr>{head}</tr>{rows}</table>"
    return "".join(f"<p>{_inline(part)}</p>" for part in block.split("\n\n"))


def _inline(text: str) -> str:
    """Turn the little Markdown that stands inside a line into HTML."""
    plain = re.sub(r"`([^`]*)`", r"<code>\1</code>", escape(text))
    return re.sub(r"\[([^\]]*)\]\((#[^)]*)\)", r'<a href="\2">\1</a>', plain)
