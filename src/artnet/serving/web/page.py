"""Open the web page: Gradio's blocks over the page's files, mounted on a FastAPI application.

Knows nothing about pictures or answers. Each visitor's painting lives in that visitor's browser alone: the server
keeps no state between two questions, and the page asks no other host for anything.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from artnet.serving.api.state import ApiSettings
from artnet.serving.web.about import about_html
from artnet.serving.web.page_answers import PageAnswers
from artnet.serving.web.page_calls import Work, add_calls
from artnet.serving.web.page_files import SCRIPTS, compare_html, look_html, many_html, page_settings, read, style_sheet
from artnet.serving.web.page_guard import PageGuard
from artnet.serving.web.quick_gradio import import_gradio, without_servers
from artnet.serving.web.samples import sample_path
from artnet.serving.work_queue import ClassifierQueue

if TYPE_CHECKING:
    from fastapi import FastAPI, Response

_MARK = (  # a picture in its frame
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Cpath fill='%23262422' "
    "d='M1 1h14v14H1z'/%3E%3Cpath fill='%23faf9f6' d='M3 3h10v10H3z'/%3E%3Cpath fill='%232f6f9f' d='M4 4h8v4l-8 4z'/%3E"
    "%3Cpath fill='%23c2611f' d='M4 12l8-4v4z'/%3E%3C/svg%3E"
)
_HEAD = f'<title>ArtNet</title><link rel="icon" href="{_MARK}"><link rel="stylesheet" href="page/page.css">' + "".join(
    f'<script defer src="page/{name}"></script>' for name in SCRIPTS
)
_MASTHEAD = (
    '<header class="masthead"><h1>ArtNet</h1><p>Which modern movement is this painting, '
    "and what in it says so?</p></header>"
)
_OFF = ("GRADIO_ANALYTICS_ENABLED", "GRADIO_MCP_SERVER", "GRADIO_SSR_MODE")
_SPARE_THREADS = 8  # for calls that need no turn, or are refused one
_PAPER = {"body_background_fill": "#faf9f6", "body_background_fill_dark": "#1b1a18"}


class MountPage(Protocol):
    """`mount_page`, loaded by name."""

    def __call__(self, app: FastAPI, service: ClassifierQueue, settings: ApiSettings) -> FastAPI:
        """Return the application to serve."""


def mount_page(app: FastAPI, service: ClassifierQueue, settings: ApiSettings) -> FastAPI:
    """Mount the page at / of an application whose other routes are there already, and give the application."""
    gradio = quiet_gradio()
    app.get("/page/{name}", include_in_schema=False)(_page_file)
    app.get("/page/examples/{name}.jpg", include_in_schema=False)(_example)
    answers = PageAnswers.over(service, settings)
    works = {work.__name__: work for work in answers.works}
    add_calls(app, works, _SPARE_THREADS + answers.most_inside)
    with without_servers():
        blocks = _blocks(gradio, answers, works)
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
    mounted: Any = app.router.routes.pop()
    app.router.default = PageGuard(mounted.app, _HEAD, settings.page_headers)  # after the API's 405
    return app


def quiet_gradio() -> Any:
    """Import Gradio, once, with all that would reach for other hosts switched off."""
    for name in _OFF:
        os.environ[name] = "False"
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    return import_gradio()


def _blocks(gradio: Any, answers: PageAnswers, works: Mapping[str, Work]) -> Any:
    config, settings = answers.service.classifier.config, answers.settings
    paintings = settings.index.count if settings.index else 0
    known = page_settings(config, settings.limits.size_bytes, settings.allow_urls, paintings)
    with gradio.Blocks(title="ArtNet", analytics_enabled=False) as blocks:
        _part(gradio, _MASTHEAD)
        with gradio.Tabs(elem_id="pages"):
            with gradio.Tab("Look", elem_id="look"):
                _part(gradio, look_html(known, config.movements), "Look", works)
            with gradio.Tab("Compare", elem_id="compare"):
                _part(gradio, compare_html(known, config.movements), "Compare", works)
            with gradio.Tab("Many", elem_id="many"):
                _part(gradio, many_html(known), "Many", works)
            with gradio.Tab("About", elem_id="about"):
                _part(gradio, about_html(config))
    return blocks


def _part(gradio: Any, html: str, script: str = "", works: Mapping[str, Work] | None = None) -> None:
    """Add one piece of HTML, with the class of the scripts that brings it to life and what that may ask."""
    gradio.HTML(
        html,
        js_on_load=f"new artnet.{script}(element.querySelector('.artnet'), server)" if script else None,
        apply_default_css=False,
        server_functions=[_named(name) for name in works or ()] or None,
    )


def _named(name: str) -> Callable[[], None]:
    """Make a function for Gradio to learn a call's name from; the calls themselves never come to Gradio."""

    def named() -> None:
        return None

    named.__name__ = name
    return named


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
