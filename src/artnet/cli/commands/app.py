"""The `app` command: the web page and the REST API."""

from __future__ import annotations

import logging
import sys
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from artnet.cli.console import print_message
from artnet.cli.options import Model, Precision, Runtime

if TYPE_CHECKING:
    from artnet.batch.index import Index
    from artnet.model.classifier import Classifier

# Earlier, compiling would take the processor from the browser that loads the page: half a second on two cores.
_WARM_UP_DELAY_S = 1.5
AllowUrls = Annotated[
    bool | None,
    typer.Option("--allow-urls/--no-allow-urls", help="Fetch images by URL; by default only on loopback."),
]
Concurrency = Annotated[
    int | None,
    typer.Option("--concurrency", min=1, max=64, help="Requests computed at a time; by default two a core, up to 8."),
]
RootPath = Annotated[
    str, typer.Option("--root-path", metavar="PATH", help="Path below which a proxy serves this, such as /artnet.")
]


def serve_app(
    host: Annotated[str, typer.Option("--host", help="Address to listen on; 0.0.0.0 for every network.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", help="0 takes any free port.")] = 7860,
    model: Model = None,
    api_only: Annotated[bool, typer.Option("--api-only", help="Serve the REST API without the page.")] = False,
    index: Annotated[
        Path | None,
        typer.Option("--index", metavar="FOLDER", help="Show similar paintings from an index of artnet index."),
    ] = None,
    allow_urls: AllowUrls = None,
    concurrency: Concurrency = None,
    waiting: Annotated[int, typer.Option("--waiting", min=0, help="Requests that may wait for their turn.")] = 64,
    timeout_s: Annotated[float, typer.Option("--timeout-s", min=1, help="Time limit of a request.")] = 30,
    max_mb: Annotated[int, typer.Option("--max-mb", min=1, max=1024, help="Largest image file, in megabytes.")] = 64,
    max_megapixels: Annotated[int, typer.Option("--max-megapixels", min=1, help="Largest image, in megapixels.")] = 100,
    ascent_steps: Annotated[int, typer.Option("--ascent-steps", min=1, help="Steps towards a channel's image.")] = 64,
    logs: Annotated[
        Literal["auto", "json", "quiet"],
        typer.Option("--logs", help="json: one line a request; quiet: failures only; auto: quiet on a terminal."),
    ] = "auto",
    root_path: RootPath = "",
    runtime: Runtime = "openvino",
    precision: Precision = "auto",
) -> int:
    """Serve the web page and the REST API."""
    from artnet.concurrency import DaemonPool
    from artnet.fetch.http import FetchRules
    from artnet.hardware import serving_concurrency
    from artnet.imaging.decode import Limits
    from artnet.serving.api.app import create_app
    from artnet.serving.api.state import ApiSettings
    from artnet.serving.logs import write_logs
    from artnet.serving.server import ListenAddress, open_listener, serve, url_of
    from artnet.serving.work_queue import ClassifierQueue, QueueLimits

    address = ListenAddress(host, port)
    listener = open_listener(address)
    limits = Limits(max_mb * 2**20, max_megapixels * 1_000_000)
    rules = FetchRules(size_bytes=limits.size_bytes, timeout_s=min(20.0, timeout_s))
    fetches = address.is_loopback if allow_urls is None else allow_urls
    settings = ApiSettings(
        limits,
        fetches,
        rules,
        ascent_steps=ascent_steps,
        warm_up_delay_s=_WARM_UP_DELAY_S,
        index=_index(index, model),
        root_path=root_path,
    )
    callers = concurrency or serving_concurrency()
    loading = DaemonPool(1).submit(_ready, model, runtime, precision, callers)
    quiet = logs == "quiet" or (logs == "auto" and sys.stderr.isatty())
    write_logs(logging.WARNING if quiet else logging.INFO)
    service = ClassifierQueue(loading.result(), QueueLimits(callers, waiting, timeout_s))
    application = create_app(service, settings, None if api_only else _front_end())
    print_message(f"artnet: {url_of(listener)} (Ctrl-C stops it)")
    serve(application, listener)
    return 0


def _index(folder: Path | None, model: Path | None) -> Index | None:
    """Open the index of similar paintings."""
    if folder is None:
        return None
    from artnet.batch.index import Index
    from artnet.batch.job import model_fingerprint
    from artnet.model.config import read_model

    return Index(folder, model_fingerprint(*read_model(model)))


def _front_end() -> Path:
    return Path(str(resources.files("artnet") / "serving" / "web" / "static"))


def _ready(model: Path | None, runtime: str, precision: str, concurrency: int) -> Classifier:
    """Load the model and compile its graph before the first request."""
    from PIL import Image

    from artnet.model.classifier import Classifier

    classifier = Classifier.load(model, runtime, precision, concurrency)
    classifier.classify(Image.new("RGB", (64, 64)))
    return classifier
