"""The app command: parse, put together, serve.

Knows nothing itself; every import that costs time stands inside the function that needs it.
"""

from __future__ import annotations

import importlib
import logging
import sys
import threading
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from artnet.console import say
from artnet.errors import ArtNetError, MissingPartError, UsageError
from artnet.options import EngineChoice, Model, Precision, PrecisionChoice, Runtime

if TYPE_CHECKING:
    from artnet.api import MountPage
    from artnet.service import Service
    from artnet.similar import Index

_AFTER_THE_PAGE_S = 1.5
_MOST_AT_ONCE = 8  # each has a network's memory of its own


class LogChoice(StrEnum):
    """json: every request a line of JSON; quiet: only what went wrong; auto: quiet on a terminal."""

    auto = "auto"
    json = "json"
    quiet = "quiet"


def serve_app(
    host: Annotated[str, typer.Option("--host", help="Where to listen; 0.0.0.0 for every network.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", help="0 takes any that is free.")] = 7860,
    model: Model = None,
    index: Annotated[
        Path | None,
        typer.Option("--index", metavar="FOLDER", help="Show similar paintings of what artnet index made."),
    ] = None,
    api_only: Annotated[bool, typer.Option("--api-only", help="Serve without the page.")] = False,
    allow_urls: Annotated[
        bool | None,
        typer.Option("--allow-urls/--no-allow-urls", help="Fetch pictures from addresses; else only on loopback."),
    ] = None,
    at_once: Annotated[
        int | None, typer.Option("--at-once", min=1, max=64, help="Pictures at a time; else one for each core, 2 to 8.")
    ] = None,
    waiting: Annotated[int, typer.Option("--waiting", min=0, help="How many more may wait.")] = 64,
    timeout_s: Annotated[float, typer.Option("--timeout-s", min=1, help="The longest that a request may take.")] = 30,
    max_mb: Annotated[int, typer.Option("--max-mb", min=1, max=1024, help="The largest picture, in MB.")] = 64,
    max_megapixels: Annotated[int, typer.Option("--max-megapixels", min=1, help="The largest, in pixels.")] = 100,
    logs: Annotated[LogChoice, typer.Option("--logs", help="json, quiet, or auto.")] = LogChoice.auto,
    runtime: Runtime = EngineChoice.openvino,
    precision: Precision = PrecisionChoice.auto,
) -> int:
    """Open the web page and the REST API."""
    from artnet.address import AddressRules
    from artnet.api import ApiSettings, create_api
    from artnet.classify import Classifier
    from artnet.image import Limits
    from artnet.logs import write_logs
    from artnet.processor import usable_processors
    from artnet.serve import Place, address_of, bound, serve
    from artnet.service import Service, ServiceLimits

    if index is not None and api_only:
        raise UsageError("--index is what the page shows; leave it or --api-only out")
    mount_page = None if api_only else _page()
    place = Place(host, port)
    listener = bound(place)
    limits = Limits(max_mb * 2**20, max_megapixels * 1_000_000)
    rules = AddressRules(size_bytes=limits.size_bytes, timeout_s=min(20.0, timeout_s))
    fetches = place.is_loopback if allow_urls is None else allow_urls
    settings = ApiSettings(limits, fetches, rules, index=None if index is None else _index(index, model))
    places = at_once or max(2, min(_MOST_AT_ONCE, usable_processors()))
    classifier = Classifier.load(model, runtime, precision, places)
    quiet = logs == LogChoice.quiet or (logs == LogChoice.auto and sys.stderr.isatty())
    write_logs(logging.WARNING if quiet else logging.INFO)
    service = Service(classifier, ServiceLimits(places, waiting, timeout_s))
    api = create_api(service, settings)
    application = api if mount_page is None else mount_page(api, service, settings)
    _warm_up(service)
    say(f"artnet: {address_of(listener)} (Ctrl-C stops it)")
    serve(application, listener)
    return 0


def _index(folder: Path, model: Path | None) -> Index:
    """Open an index. Errors: `DataError` for one that is none or is of another model, `MissingPartError`."""
    from artnet.collection import model_mark
    from artnet.model import read_model
    from artnet.similar import Index

    return Index(folder, model_mark(*read_model(model)))


def _page() -> MountPage:
    """Load the page, which a server for the API alone never does."""
    try:
        return cast("MountPage", importlib.import_module("artnet.app").mount_page)
    except ImportError as error:
        raise MissingPartError(f"the page cannot be loaded ({error}); install it, or serve with --api-only") from None


def _warm_up(service: Service) -> None:
    """Compile the graph before the first visitor comes; the one for explanations a moment after the page."""
    from PIL import Image

    from artnet.explain import explain

    classifier, blank = service.classifier, Image.new("RGB", (64, 64))
    service.run(lambda: classifier.classify_image(blank, ""))

    def explained() -> None:
        with suppress(ArtNetError):  # a model without explained layers, or a server that is already stopped
            service.run(lambda: explain(classifier, blank))

    # At once, it would take the processor from the browser that loads the page: half a second on two cores.
    later = threading.Timer(_AFTER_THE_PAGE_S, explained)
    later.daemon = True
    later.start()
