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

from artnet.cli.console import say
from artnet.cli.options import Model, Precision, PrecisionChoice, Runtime, RuntimeChoice
from artnet.errors import ArtNetError, MissingExtraError

if TYPE_CHECKING:
    from artnet.batch.index import Index
    from artnet.model.classifier import Classifier
    from artnet.serving.api.app import MountPage
    from artnet.serving.work_queue import ClassifierQueue

_AFTER_THE_PAGE_S = 1.5


class LogChoice(StrEnum):
    """json: every request a line of JSON; quiet: only what went wrong; auto: quiet on a terminal."""

    auto = "auto"
    json = "json"
    quiet = "quiet"


def serve_app(
    host: Annotated[str, typer.Option("--host", help="Where to listen; 0.0.0.0 for every network.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", help="0 takes any that is free.")] = 7860,
    model: Model = None,
    api_only: Annotated[bool, typer.Option("--api-only", help="Serve without the page.")] = False,
    index: Annotated[
        Path | None, typer.Option("--index", metavar="FOLDER", help="Show similar paintings; what artnet index made.")
    ] = None,
    allow_urls: Annotated[
        bool | None,
        typer.Option("--allow-urls/--no-allow-urls", help="Fetch pictures from addresses; else only on loopback."),
    ] = None,
    at_once: Annotated[
        int | None, typer.Option("--at-once", min=1, max=64, help="Pictures at a time; else two a core, at most 8.")
    ] = None,
    waiting: Annotated[int, typer.Option("--waiting", min=0, help="How many more may wait.")] = 64,
    timeout_s: Annotated[float, typer.Option("--timeout-s", min=1, help="The longest that a request may take.")] = 30,
    max_mb: Annotated[int, typer.Option("--max-mb", min=1, max=1024, help="The largest picture, in MB.")] = 64,
    max_megapixels: Annotated[int, typer.Option("--max-megapixels", min=1, help="The largest, in pixels.")] = 100,
    logs: Annotated[LogChoice, typer.Option("--logs", help="json, quiet, or auto.")] = LogChoice.auto,
    runtime: Runtime = RuntimeChoice.openvino,
    precision: Precision = PrecisionChoice.auto,
) -> int:
    """Open the web page and the REST API."""
    from artnet.concurrency import DaemonPool
    from artnet.fetch.http import FetchRules
    from artnet.hardware import serving_concurrency
    from artnet.imaging.decode import Limits
    from artnet.serving.api.app import ApiSettings, create_api
    from artnet.serving.logs import write_logs
    from artnet.serving.server import Place, address_of, bound, serve
    from artnet.serving.work_queue import ClassifierQueue, QueueLimits

    place = Place(host, port)
    listener = bound(place)
    limits = Limits(max_mb * 2**20, max_megapixels * 1_000_000)
    rules = FetchRules(size_bytes=limits.size_bytes, timeout_s=min(20.0, timeout_s))
    fetches = place.is_loopback if allow_urls is None else allow_urls
    settings = ApiSettings(limits, fetches, rules, paintings=_paintings(index, model))
    places = at_once or serving_concurrency()
    loading = DaemonPool(1).start(_ready, model, runtime, precision, places)
    mount_page = None if api_only else _page()  # meanwhile: one waits for the disk and the compiler, one for Python
    quiet = logs == LogChoice.quiet or (logs == LogChoice.auto and sys.stderr.isatty())
    write_logs(logging.WARNING if quiet else logging.INFO)
    service = ClassifierQueue(loading.result(), QueueLimits(places, waiting, timeout_s))
    api = create_api(service, settings)
    application = api if mount_page is None else mount_page(api, service, settings)
    _warm_up_later(service)
    say(f"artnet: {address_of(listener)} (Ctrl-C stops it)")
    serve(application, listener)
    return 0


def _paintings(folder: Path | None, model: Path | None) -> Index | None:
    """Open the index that similar paintings are looked for in."""
    if folder is None:
        return None
    from artnet.batch.index import Index
    from artnet.batch.job import model_fingerprint
    from artnet.model.config import read_model

    return Index(folder, model_fingerprint(*read_model(model)))


def _page() -> MountPage:
    """Load the page and what it needs, which a server for the API alone never does."""
    try:
        page = importlib.import_module("artnet.serving.web.page")
        page.quiet_gradio()
        return cast("MountPage", page.mount_page)
    except ImportError as error:
        raise MissingExtraError(f"the page cannot be loaded ({error}); install it, or serve with --api-only") from None


def _ready(model: Path | None, runtime: RuntimeChoice, precision: PrecisionChoice, places: int) -> Classifier:
    """Load the model and compile its graph before the first visitor comes."""
    from PIL import Image

    from artnet.model.classifier import Classifier

    classifier = Classifier.load(model, runtime, precision, places)
    classifier.classify_image(Image.new("RGB", (64, 64)), "")
    return classifier


def _warm_up_later(service: ClassifierQueue) -> None:
    """Compile the graph for explanations, too, a moment after the page."""
    from PIL import Image

    from artnet.attribution.explain import explain

    classifier, blank = service.classifier, Image.new("RGB", (64, 64))

    def explained() -> None:
        with suppress(ArtNetError):  # a model without explained layers, or a server that is already stopped
            service.run(lambda: explain(classifier, blank))

    # At once, it would take the processor from the browser that loads the page: half a second on two cores.
    later = threading.Timer(_AFTER_THE_PAGE_S, explained)
    later.daemon = True
    later.start()
