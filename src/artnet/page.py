"""Compose pages that stand alone: a heading, a sentence and tables, with no address of any other host.

Knows nothing about what the tables say.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; margin: 3rem auto; max-width: 52rem; padding: 0 1rem;
       color: #262422; background: #faf9f6 }
h1 { font-weight: 500 } table { border-collapse: collapse; margin: 1rem 0 2rem }
th, td { padding: .35rem .8rem; text-align: right; border-bottom: 1px solid #dedad2 }
th:first-child, td:first-child { text-align: left } caption { text-align: left; color: #5f5b55; padding: .3rem 0 }
@media (prefers-color-scheme: dark) { body { color: #eceae5; background: #1d1c1a }
  th, td { border-color: #45423d } caption { color: #b5b0a7 } }
""".strip()


def page(title: str, intro: str, sections: Sequence[str]) -> str:
    """Compose a page; `sections` are HTML, `title` and `intro` are plain text."""
    body = "\n".join(sections)
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>\n'
        f'<meta name="viewport" content="width=device-width">\n<style>{_STYLE}</style></head>\n<body><main>\n'
        f"<h1>{escape(title)}</h1>\n<p>{escape(intro)}</p>\n{body}\n</main></body></html>\n"
    )


def table(caption: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Compose a table from plain texts; the first cell of a row is its heading."""
    cells = "".join(f'<th scope="col">{escape(text)}</th>' for text in head)
    lines = [
        f'<tr><th scope="row">{escape(first)}</th>' + "".join(f"<td>{escape(text)}</td>" for text in rest) + "</tr>"
        for first, *rest in rows
    ]
    return f"<table><caption>{escape(caption)}</caption>\n<tr>{cells}</tr>\n" + "\n".join(lines) + "\n</table>"
