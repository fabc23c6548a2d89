"""What the routes share: the classifier behind its queue, the settings, and how an image is obtained."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Request

from artnet.attribution.methods import Sampling
from artnet.errors import BusyError, RefusedAddressError, UsageError
from artnet.fetch.http import Fetched, FetchRules, fetch_async
from artnet.imaging.decode import DEFAULT_LIMITS, ImageFile, Limits
from artnet.serving.api.requests import display_name
from artnet.serving.api.schemas import ImageForm
from artnet.serving.middleware.access_log import Metrics
from artnet.serving.work_queue import ClassifierQueue

if TYPE_CHECKING:
    from artnet.batch.index import Index

_MAX_FETCHES = 5  # times as many as are fetched at the same time: those that are fetched or wait
_RETRY_S = 5
_ROOT_PATH = re.compile(r"(/[\w.~-]+)+", re.ASCII)


@dataclass(frozen=True)
class ApiSettings:
    """What a client may do.

    Attributes:
        limits: Bytes and pixels of one image.
        allow_urls: Whether images are fetched from URLs, by `fetch_rules`.
        fetches: Number of URLs that are fetched at the same time.
        sampling: How often the methods that sample do so.
        ascent_steps: Steps of gradient ascent towards an image that activates a channel.
        memory_bytes: Size of all requests' bodies together.
        page_headers: Headers that replace some of the page's.
        warm_up_delay_s: When to compile the graph of explanations, after the start; never where it is None.
        index: Where similar paintings are looked up, if anywhere.
        root_path: The path below which a proxy serves the application, such as /artnet; empty for the root.

    Raises:
        UsageError: If `root_path` is no such path.
    """

    limits: Limits = DEFAULT_LIMITS
    allow_urls: bool = False
    fetch_rules: FetchRules = field(default_factory=FetchRules)
    fetches: int = 8
    sampling: Sampling = field(default_factory=Sampling)
    ascent_steps: int = 64  # half of the command's, since somebody waits
    memory_bytes: int = 512 * 2**20
    page_headers: Mapping[str, str] = field(default_factory=dict)
    warm_up_delay_s: float | None = None
    index: Index | None = None
    root_path: str = ""

    def __post_init__(self) -> None:
        if self.root_path and not _ROOT_PATH.fullmatch(self.root_path):
            raise UsageError(
                f"the root path {self.root_path!r} is no path; write it as /artnet, without a slash at its end"
            )


class ServerState:
    """The classifier, settings and counts of one application."""

    def __init__(self, queue: ClassifierQueue, settings: ApiSettings) -> None:
        self.queue = queue
        self.classifier = queue.classifier
        self.settings = settings
        self.metrics = Metrics(lambda: queue.running, lambda: queue.waiting)
        self._fetching = asyncio.Semaphore(settings.fetches)
        self._fetches = 0

    async def image(self, form: ImageForm) -> ImageFile:
        """Return the image that was sent, or fetch it from its URL; see `fetch` for the errors."""
        limits = self.settings.limits
        if form.file is not None:
            return ImageFile(await form.file.read(), display_name(form.file.filename) or "the image", limits)
        url = form.url or ""
        return ImageFile((await self.fetch(url)).data, url, limits)

    async def fetch(self, url: str) -> Fetched:
        """Fetch a URL, which takes no slot of the work queue.

        Raises:
            RefusedAddressError: If this server fetches nothing, or not from there.
            AddressError: If the URL gives nothing.
            BusyError: If too many others are being fetched.
        """
        if not self.settings.allow_urls:
            raise RefusedAddressError("this server fetches nothing from URLs; send the image as a file")
        if self._fetches >= _MAX_FETCHES * self.settings.fetches:
            raise BusyError(f"{self._fetches} URLs are being fetched; try again in {_RETRY_S} s", _RETRY_S)
        self._fetches += 1
        try:
            async with self._fetching:
                return await fetch_async(url, self.settings.fetch_rules)
        finally:
            self._fetches -= 1


async def server_state(request: Request) -> ServerState:
    """Return the state of the application that a request came to."""
    state: ServerState = request.app.state.server
    return state


Server = Annotated[ServerState, Depends(server_state)]
