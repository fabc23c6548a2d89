"""Render the Jinja2 templates of `html/templates`: self-contained HTML pages, and Markdown cards."""

from __future__ import annotations

import math
from base64 import b64encode
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined


def render(template: str, **context: object) -> str:
    """Render a template of `html/templates`.

    Args:
        template: The file's name. In `NAME.html.j2` every value is escaped that is not `markupsafe.Markup`; in
            `NAME.md.j2` none is.
        context: The template's variables; one that the template names and the context lacks is an error.
    """
    return environment().get_template(template).render(context)


@cache
def environment() -> Environment:
    """Return the environment of all templates, with its filters `number` and `data_url`."""
    result = Environment(
        loader=PackageLoader("artnet.html"),
        autoescape=lambda name: name is None or not name.endswith(".md.j2"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    result.filters |= {"number": format_number, "data_url": data_url}
    return result


def format_number(value: float | None, spec: str = ".3f", missing: str = "none") -> str:
    """Format `value`, or return `missing` for None and NaN.

    >>> format_number(0.25, ".0%"), format_number(None)
    ('25%', 'none')
    """
    return missing if value is None or math.isnan(value) else format(value, spec)


def data_url(jpeg: bytes) -> str:
    """Return the bytes of a JPEG as a `data:` URL."""
    return f"data:image/jpeg;base64,{b64encode(jpeg).decode('ascii')}"
