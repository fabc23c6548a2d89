"""Open the web page: Gradio's blocks over the page's files, mounted on a FastAPI application.

Knows nothing about pictures or answers. Each visitor's painting lives in that visitor's browser alone: the server
keeps no state between two questions, and the page asks no other host for anything.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from artnet.about_page import about_html
from artnet.api import ApiSettings
from artnet.page_answers import Answer, PageAnswers, answered
from artnet.page_files import SCRIPTS, compare_html, look_html, many_html, page_settings, read, style_sheet
from artnet.page_guard import PageGuard
from artnet.quick_gradio import import_gradio
from artnet.samples import sample_path
from artnet.service import Service, ServiceLimits, Turns

if TYPE_CHECKING:
    from fastapi import FastAPI, Response

_HEAD = '<title>ArtNet</title><link rel="stylesheet" href="page/page.css">' + "".join(
    f'<script defer src="page/{name}"></script>' for name in SCRIPTS
)
_MASTHEAD = (
    '<header class="masthead"><h1>ArtNet</h1><p>Which modern movement is this painting, '
    "and what in it says so?</p></header>"
)
_OFF = ("GRADIO_ANALYTICS_ENABLED", "GRADIO_MCP_SERVER", "GRADIO_SSR_MODE")
_PAPER = {"body_background_fill": "#faf9f6", "body_background_fill_dark": "#1b1a18"}


def mount_page(app: FastAPI, service: Service, settings: ApiSettings) -> FastAPI:
    """Mount the page at / of an application whose other routes are there already, and give the application."""
    gradio = _quiet_gradio()
    app.get("/page/{name}", include_in_schema=False)(_page_file)
    app.get("/page/examples/{name}.jpg", include_in_schema=False)(_example)
    blocks = _blocks(gradio, service, settings)
    blocks.state_session_capacity = 100  # no visitor has any state, and each empty one would take 16 KB for good
    theme = gradio.themes.Base(font=["sans-serif"], font_mono=["monospace"]).set(**_PAPER)
    gradio.mount_gradio_app(
        app,
        blocks,
        path="/",
        theme=theme,
        footer_links=[],
        run_history=False,
        show_error=False,
        blocked_paths=[Path.cwd().anchor],  # the guard lets no path through; should it ever, this does not
        ssr_mode=False,
        enable_monitoring=False,
        mcp_server=False,
        pwa=False,
    )
    mounted: Any = app.router.routes[-1]
    mounted.app = PageGuard(mounted.app, _HEAD, settings.page_headers)
    return app


def _quiet_gradio() -> Any:
    """Import Gradio with all that would reach for other hosts switched off."""
    for name in _OFF:
        os.environ[name] = "False"
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    return import_gradio()


def _blocks(gradio: Any, service: Service, settings: ApiSettings) -> Any:
    config = service.classifier.config
    turns = ServiceLimits(settings.fetches, 4 * settings.fetches, settings.address.timeout_s)
    answers = PageAnswers(service, settings, Turns(turns))
    indexed = 0 if settings.index is None else settings.index.count
    known = page_settings(config, settings.limits.size_bytes, settings.allow_urls, indexed)
    with gradio.Blocks(title="ArtNet", analytics_enabled=False) as blocks:
        _part(gradio, _MASTHEAD)
        with gradio.Tabs(elem_id="pages"):
            with gradio.Tab("Look", elem_id="look"):
                works = [answers.look, answers.ask, answers.judge, answers.votes, answers.take, answers.fetch]
                works += [answers.near] if indexed else []
                _part(gradio, look_html(known, config.movements), "Look", works)
            with gradio.Tab("Compare", elem_id="compare"):
                _part(
                    gradio, compare_html(known, config.movements), "Compare", [answers.look, answers.ask, answers.fetch]
                )
            with gradio.Tab("Many", elem_id="many"):
                _part(gradio, many_html(known), "Many", [answers.row, answers.table, answers.fetch])
            with gradio.Tab("About", elem_id="about"):
                _part(gradio, about_html(config))
    return blocks


def _part(gradio: Any, html: str, script: str = "", works: Sequence[Callable[[Any], Answer]] = ()) -> None:
    """Add one piece of HTML, with the class of the scripts that brings it to life and what that may ask."""
    gradio.HTML(
        html,
        js_on_load=f"new artnet.{script}(element.querySelector('.artnet'), server)" if script else None,
        apply_default_css=False,
        server_functions=[_exposed(work) for work in works] or None,
    )


def _exposed(work: Callable[[Any], Answer]) -> Callable[[Any], Answer]:
    """Make a plain function of a method, as Gradio wants it; no error leaves it."""

    def exposed(asked: Any) -> Answer:
        return answered(work, asked)

    exposed.__name__ = work.__name__
    return exposed


def _page_file(name: str) -> Response:
    from fastapi import Response

    if name == "page.css":
        return Response(style_sheet(), media_type="text/css", headers={"cache-control": "no-cache"})
    if name in SCRIPTS:
        return Response(read(name), media_type="text/javascript", headers={"cache-control": "no-cache"})
    return Response(status_code=404)


def _example(name: str) -> Response:
    from fastapi import Response

    path = sample_path(name)
    if path is None:
        return Response(status_code=404)
    return Response(path.read_bytes(), media_type="image/jpeg", headers={"cache-control": "max-age=86400"})
