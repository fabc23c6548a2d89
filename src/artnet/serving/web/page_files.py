"""Fill the page's HTML and style sheet from their files in `web`.

Knows nothing about Gradio or routes: a model's settings in, texts out.
"""

from __future__ import annotations

import json
from base64 import b64encode
from functools import cache
from html import escape
from importlib import resources
from string import Template

from artnet.model.config import ModelConfig
from artnet.render.colormap import ColormapName, colormap
from artnet.serving.web.labels import method_choices
from artnet.serving.web.samples import SAMPLES, sample_path

SCRIPTS = ("evidence.js", "intake.js", "look.js", "compare.js", "many.js")
STYLE = "page.css"
_COLORMAPS: dict[str, ColormapName] = {"only": "sequential", "for": "positive", "against": "negative"}


def look_html(settings: str, movements: tuple[str, ...]) -> str:
    """Fill the page Look."""
    return Template(read("look.html")).substitute(
        settings=escape(settings), examples=_examples(), movements=_options(movements), methods=_methods()
    )


def compare_html(settings: str, movements: tuple[str, ...]) -> str:
    """Fill the page Compare."""
    half = Template(read("half.html"))
    return Template(read("compare.html")).substitute(
        settings=escape(settings),
        movements=_options(movements),
        half_first=half.substitute(title="First painting", examples=_examples()),
        half_second=half.substitute(title="Second painting", examples=_examples()),
    )


def many_html(settings: str) -> str:
    """Fill the page Many."""
    return Template(read("many.html")).substitute(settings=escape(settings))


def page_settings(config: ModelConfig, size_bytes: int, addresses: bool, paintings: int = 0) -> str:
    """Write what the scripts must know, as JSON; `paintings` is how many there are to look among for similar ones."""
    tables = {key: b64encode(colormap(name).tobytes()).decode("ascii") for key, name in _COLORMAPS.items()}
    known = {"movements": config.movements, "methods": method_choices(), "tables": tables}
    return json.dumps({**known, "size_bytes": size_bytes, "addresses": addresses, "paintings": paintings})


@cache
def style_sheet() -> str:
    """Give the style sheet, with the scale's colours from the one colour map."""
    signed = f"{_ramp('negative', -1)}, {_ramp('positive', 1)}"
    return Template(read(STYLE)).substitute(ramp_only=_ramp("sequential", 1), ramp_signed=signed)


@cache
def read(name: str) -> str:
    """Read a file of the page."""
    return (resources.files("artnet") / "serving" / "web" / "static" / name).read_text(encoding="utf-8")


def _ramp(name: ColormapName, step: int) -> str:
    colours = colormap(name)[:: 51 * step]
    return ", ".join("#{:02x}{:02x}{:02x}".format(*colour) for colour in colours)


def _examples() -> str:
    return "".join(
        f'<li><button type="button" data-example="{sample.name}"><img src="page/examples/{sample.name}.jpg" '
        f'alt="{escape(sample.seen)}" width="200" height="200"><span>{escape(sample.title)}</span></button></li>'
        for sample in SAMPLES
        if sample_path(sample.name)
    )


def _options(movements: tuple[str, ...]) -> str:
    return "".join(f'<option value="{escape(name)}">{escape(name)}</option>' for name in movements)


def _methods() -> str:
    groups: dict[str, list[str]] = {"At nine depths": [], "On the pixels, without depths": []}
    for method in method_choices():
        takes = f", {method['takes']}" if method["takes"] else ""
        option = f'<option value="{method["name"]}">{method["label"]}{takes}</option>'
        groups["On the pixels, without depths" if method["pixels"] else "At nine depths"].append(option)
    return "".join(f'<optgroup label="{name}">{"".join(options)}</optgroup>' for name, options in groups.items())
