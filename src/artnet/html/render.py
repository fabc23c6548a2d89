"""Render the Jinja2 templates of `html/templates`: self-contained HTML pages, and Markdown cards."""

from __future__ import annotations

import math
from base64 import b64encode
from collections.abc import Sequence
from functools import cache
from html import escape

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
    found = Environment(
        loader=PackageLoader("artnet.html"),
        autoescape=lambda name: name is None or not name.endswith(".md.j2"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    found.filters |= {"number": format_number, "data_url": data_url}
    return found


def format_number(value: float | None, spec: str = ".3f", missing: str = "none") -> str:
    """Return `value` by a format specification, or `missing` for None and NaN.

    >>> format_number(0.25, ".0%"), format_number(None)
    ('25%', 'none')
    """
    return missing if value is None or math.isnan(value) else format(value, spec)


def data_url(jpeg: bytes) -> str:
    """Return the bytes of a JPEG as a `data:` URL."""
    return f"data:image/jpeg;base64,{b64encode(jpeg).decode('ascii')}"


# Blue and orange stay apart for every kind of colour blindness; text keeps a contrast of 4.5 on all of them.
_STYLE = """
:root { --ink: #262422; --quiet: #625d56; --line: #dedad2; --paper: #faf9f6; --sheet: #f1eee8;
        --right: #2f6f9f; --wrong: #c2611f; color-scheme: light dark }
@media (prefers-color-scheme: dark) { :root { --ink: #eceae5; --quiet: #b5b0a7; --line: #45423d; --paper: #1d1c1a;
        --sheet: #282623; --right: #6cb0e0; --wrong: #eb9a5c } }
* { box-sizing: border-box }
body { font: 16px/1.55 system-ui, sans-serif; margin: 3rem auto 5rem; max-width: 58rem; padding: 0 1.25rem;
       color: var(--ink); background: var(--paper); -webkit-print-color-adjust: exact; print-color-adjust: exact }
h1 { font-weight: 500; font-size: 2rem; line-height: 1.2; margin: 0 0 .75rem }
h2 { font-weight: 500; font-size: 1.3rem; margin: 3rem 0 .5rem;
     border-top: 1px solid var(--line); padding-top: 1.25rem }
p { max-width: 46rem } .note { color: var(--quiet); font-size: .9rem }
.warning { border-left: 4px solid var(--wrong); background: var(--sheet); padding: .7rem 1rem }
.wide { overflow-x: auto }
table { border-collapse: collapse; margin: 1rem 0 2rem; font-variant-numeric: tabular-nums }
th, td { padding: .35rem .8rem; text-align: right; border-bottom: 1px solid var(--line); vertical-align: middle }
th { font-weight: 500 } tr:first-child th { color: var(--quiet); font-size: .9rem }
th:first-child, td:first-child { text-align: left; padding-left: 0 }
caption { text-align: left; color: var(--quiet); padding: .3rem 0 }
small { color: var(--quiet); font-size: .82em; white-space: nowrap }
td.heat { text-align: center; min-width: 5.5rem; border: 2px solid var(--paper); border-radius: 5px;
          background: color-mix(in oklab, var(--tone) calc(var(--share) * 50%), var(--sheet)) }
td.sum { text-align: center } td.words, th.words { text-align: left }
td.heat small { display: block; color: inherit } td.right { --tone: var(--right) } td.wrong { --tone: var(--wrong) }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(12rem, 1fr)); gap: 1rem; margin: 1.5rem 0 }
.tile { background: var(--sheet); border-radius: 8px; padding: .9rem 1.1rem }
.tile small { white-space: normal }
.tile b { display: block; font-weight: 500; font-size: 1.9rem; line-height: 1.2 }
.pair { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(24rem, 100%), 1fr)); gap: 1.5rem }
figure { margin: 1rem 0 } figcaption { color: var(--quiet); font-size: .9rem; max-width: 46rem }
svg { display: block; width: 100%; height: auto; overflow: visible } svg.inline { width: 9rem; display: inline-block;
      vertical-align: middle }
svg text { fill: var(--quiet); font: 12px system-ui, sans-serif } svg .grid { stroke: var(--line) }
svg .even { stroke: var(--quiet); stroke-dasharray: 4 4 }
svg .curve { stroke: var(--right); stroke-width: 2.5; fill: none }
svg .bar { fill: var(--right); fill-opacity: .75 } svg .faint { fill: var(--quiet); fill-opacity: .35 }
svg .mark { fill: var(--wrong) } svg .mark-line { stroke: var(--wrong); stroke-dasharray: 3 3 }
svg .span { stroke: var(--right); stroke-width: 5; stroke-opacity: .4; stroke-linecap: round }
svg .dot { fill: var(--right) }
.pictures { display: grid; grid-template-columns: repeat(auto-fill, minmax(10.5rem, 1fr)); gap: 1.4rem 1rem;
            padding: 0 }
.pictures li { list-style: none; font-size: .85rem; line-height: 1.4; break-inside: avoid; overflow-wrap: anywhere }
.pictures img { display: block; height: 10.5rem; max-width: 100%; object-fit: contain; object-position: left bottom;
                margin-bottom: .4rem }
.pictures .answer { color: var(--wrong) }
@media print { body { margin: 0; max-width: none; font-size: 11pt } figure, table, .tile { break-inside: avoid }
               h2 { break-after: avoid } .pictures { grid-template-columns: repeat(5, 1fr) } }
""".strip()


class Html(str):
    """Text that is HTML already and must not be escaped again."""

    __slots__ = ()


def shown(text: str) -> str:
    """Escape plain text; leave HTML as it is."""
    return text if isinstance(text, Html) else escape(text)


def page(title: str, intro: str, sections: Sequence[str]) -> str:
    """Compose a page; `sections` are HTML, `title` and `intro` are plain text."""
    body = "\n".join(sections)
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>\n'
        f'<meta name="viewport" content="width=device-width">\n<style>{_STYLE}</style></head>\n<body><main>\n'
        f"<h1>{escape(title)}</h1>\n<p>{escape(intro)}</p>\n{body}\n</main></body></html>\n"
    )


def section(heading: str, parts: Sequence[str]) -> Html:
    """Compose a section; `heading` is plain text, `parts` are HTML."""
    return Html(f"<section><h2>{escape(heading)}</h2>\n" + "\n".join(parts) + "\n</section>")


def paragraph(text: str, kind: str = "") -> Html:
    """Compose a paragraph from plain text; `kind` is a class of the style sheet: note or warning."""
    return Html(f'<p class="{kind}">{escape(text)}</p>' if kind else f"<p>{escape(text)}</p>")


def figure(drawing: Html, caption: str) -> Html:
    """Put a caption of plain text under a drawing."""
    return Html(f"<figure>{drawing}<figcaption>{escape(caption)}</figcaption></figure>")


def group(kind: str, parts: Sequence[str]) -> Html:
    """Lay HTML parts side by side; `kind` is a class of the style sheet: tiles or pair."""
    return Html(f'<div class="{kind}">' + "\n".join(parts) + "</div>")


def table(
    caption: str, head: Sequence[str], rows: Sequence[Sequence[str]], words: frozenset[str] = frozenset()
) -> Html:
    """Compose a table from plain texts or HTML; the first cell of a row is its heading.

    Columns hold numbers, set to the right; those whose head is among `words` hold words.
    """
    kinds = {index: ' class="words"' for index, name in enumerate(head) if name in words}
    cells = "".join(f'<th scope="col"{kinds.get(index, "")}>{shown(text)}</th>' for index, text in enumerate(head))
    lines = [
        f'<tr><th scope="row">{shown(first)}</th>'
        + "".join(f"<td{kinds.get(index, '')}>{shown(text)}</td>" for index, text in enumerate(rest, start=1))
        + "</tr>"
        for first, *rest in rows
    ]
    return _wide(
        f"<table><caption>{escape(caption)}</caption>\n<tr>{cells}</tr>\n" + "\n".join(lines) + "\n</table>", caption
    )


def heat_table(caption: str, names: Sequence[str], counts: Sequence[Sequence[int]]) -> Html:
    """Compose a confusion matrix: counts, and under them and as colour each one's share of its row."""
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in names)
    lines = []
    for row, name in enumerate(names):
        total = sum(counts[row])
        cells = "".join(_heat(count, total, row == column) for column, count in enumerate(counts[row]))
        lines.append(f'<tr><th scope="row">{escape(name)}</th>{cells}<td>{total}</td></tr>')
    answered = "".join(f'<td class="sum">{sum(column)}</td>' for column in zip(*counts, strict=True))
    lines.append(f'<tr><th scope="row">answered</th>{answered}<td>{sum(map(sum, counts))}</td></tr>')
    return _wide(
        f'<table><caption>{escape(caption)}</caption>\n<tr><th></th>{head}<th scope="col">paintings</th></tr>\n'
        + "\n".join(lines)
        + "\n</table>",
        caption,
    )


def _heat(count: int, total: int, right: bool) -> str:
    share = count / total if total else 0.0
    tone = "right" if right else "wrong"
    return f'<td class="heat {tone}" style="--share:{share:.3f}">{count}<small>{share:.0%}</small></td>'


def _wide(text: str, caption: str) -> Html:
    """Let a table be scrolled sideways where the page is narrow, with the keyboard, too."""
    named = f' role="group" aria-label="{escape(caption)}"' if caption else ""
    return Html(f'<div class="wide" tabindex="0"{named}>{text}</div>')
