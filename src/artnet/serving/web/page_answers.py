"""Answer what the web page asks: plain JSON values in and out, nothing kept between two questions.

Knows nothing about HTML or the web; the page sends a picture once and afterwards asks about the small view of it.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, TypeVar

import numpy as np
from PIL import Image

from artnet.attribution.explain import ExplainOptions, Explanation, explain
from artnet.attribution.faithfulness import STEPS, measure_maps
from artnet.attribution.methods import Sampling, TargetScorer
from artnet.attribution.projection import content_cells, covered_cells
from artnet.errors import ArtNetError, RefusedAddressError, TooLargeError, UsageError
from artnet.fetch.http import fetch
from artnet.imaging.decode import ImageFile, Limits, decode_image
from artnet.imaging.encode import encode_jpeg, encode_png, thumbnail
from artnet.imaging.views import WHOLE, extract_views, without_letterbox
from artnet.model.prediction import Prediction
from artnet.model.preprocessing import OpenedImage, network_input
from artnet.render.channel_sheet import channel_sheet
from artnet.render.contact_sheet import render_image
from artnet.serving.api.state import ApiSettings
from artnet.serving.web.downloads import Wish, take_away
from artnet.serving.web.labels import SLOW_METHODS, decision_words, faithful_words, likely_styles
from artnet.serving.work_queue import ClassifierQueue, QueueLimits, WorkQueue

Answer = dict[str, Any]
T = TypeVar("T")
logger = logging.getLogger(__name__)

# Half the masks and channels of the command: nobody waits half a minute for a page.
PAGE_SAMPLING = Sampling(masks=250, channels=16)
PAGE_CHANNELS = 3  # of a depth that can be looked at
PAGE_CLIMB = 64  # steps towards a picture that excites one, half of the command's
_PREVIEW_PX = 1600
_THUMB_PX = 96
_NEAREST, _NEAR_PX = 12, 256
_LONGEST_NAME = 200  # letters
_SHOWN_BY_BROWSERS = (b"\xff\xd8", b"\x89PNG")  # the others are shown as a JPEG made here


@dataclass(frozen=True)
class Asked:
    """What is asked of a picture; without a movement, why it is the one that is answered."""

    movement: str | None
    rather_than: str | None
    against: bool
    method: str

    @classmethod
    def of(cls, asked: Any) -> Asked:
        """Read it out of a question. Errors: `UsageError`."""
        _string(asked, "method")
        movement, rather_than = (asked.get(key) or None for key in ("movement", "rather_than"))
        if not all(value is None or isinstance(value, str) for value in (movement, rather_than)):
            raise UsageError("a movement is named by a text; load the page again")
        return cls(movement, rather_than, bool(asked.get("against")), asked["method"])

    @property
    def is_slow(self) -> bool:
        """Tell whether the method takes seconds."""
        return self.method in SLOW_METHODS


@dataclass(frozen=True)
class PageAnswers:
    """What the page can ask, over one service, within the limits of the API."""

    service: ClassifierQueue
    settings: ApiSettings
    fetches: WorkQueue
    slow: WorkQueue

    @classmethod
    def over(cls, service: ClassifierQueue, settings: ApiSettings) -> PageAnswers:
        """Set up beside a service what else takes turns: addresses, and questions that take seconds."""
        limits, few = service.limits, settings.fetches
        half = max(1, limits.concurrency // 2)  # so that a quick question never waits for slow ones alone
        return cls(
            service,
            settings,
            WorkQueue(QueueLimits(few, 4 * few, settings.fetch_rules.timeout_s)),
            WorkQueue(QueueLimits(half, limits.queue_size, limits.timeout_s)),
        )

    @property
    def works(self) -> tuple[Callable[[Any], Answer], ...]:
        """Give all that can be asked."""
        return (
            self.look,
            self.ask,
            self.judge,
            self.learnt,
            self.votes,
            self.near,
            self.take,
            self.fetch,
            self.row,
            self.table,
        )

    @property
    def most_inside(self) -> int:
        """Count those that can be worked on or wait."""
        limits = [queue.limits for queue in (self.service, self.fetches, self.slow)]
        return sum(each.concurrency + each.queue_size for each in limits)

    @property
    def limits(self) -> Limits:
        """Give the budgets of one picture."""
        return self.settings.limits

    def look(self, asked: Any) -> Answer:
        """Answer which movement a picture is, and give the view that questions about it are asked of."""
        name, data = picture_in(asked, self.limits)
        classifier = self.service.classifier

        def work() -> Answer:
            opened = classifier.open(ImageFile(data, name, self.limits))
            prediction = classifier.classify(opened)
            view = without_letterbox(opened.whole_view(), classifier.config.preprocessing.fit)
            shown = data.startswith(_SHOWN_BY_BROWSERS)
            return {
                **described(prediction),
                "view": _text(encode_png(view, 1)),
                "preview": None if shown else _small(opened.image, _PREVIEW_PX),  # only a JPEG is opened smaller
            }

        return _result(self.service, work)

    def ask(self, asked: Any) -> Answer:
        """Give the maps of all depths for a question about a view."""
        view, wanted = self._view(asked), Asked.of(asked)
        found = self._run(lambda: self._explained(view, wanted), wanted.is_slow)
        return {
            "question": found.target.description,
            "movement": found.target.movement,
            "signed": found.target.against,
            "maps": {str(depth): _grid(found, depth) for depth in found.maps},
        }

    def judge(self, asked: Any) -> Answer:
        """Test the maps of a question: by depth, in words, whether each shows what the answer rests on."""
        view, wanted = self._view(asked), Asked.of(asked)

        def work() -> Answer:
            found = self._explained(view, wanted)
            classifier = self.service.classifier
            seen = classifier.config.preprocessing
            inputs = network_input(extract_views(view, seen.size_px, seen.fit, (WHOLE,)), seen)
            probe = TargetScorer(classifier.engine, found.target.logit_weights(classifier.config.movements))
            grids = {depth: each.grid for depth, each in found.maps.items()}
            gains = measure_maps(probe, inputs[0], grids, STEPS, PAGE_SAMPLING.seed)
            return {str(depth): {"gain": gain.gain, "words": faithful_words(gain)} for depth, gain in gains.items()}

        return self._run(work, slow=True)

    def learnt(self, asked: Any) -> Answer:
        """Show what a channel of one depth has learnt: the one named, or the one that adds most to the answer."""
        view, wanted, depth = self._view(asked), Asked.of(asked), asked.get("depth")
        classifier, channel = self.service.classifier, asked.get("channel")
        if not isinstance(depth, int) or not (channel is None or isinstance(channel, int)):
            raise UsageError("a depth and a channel are named by numbers; load the page again")

        def work() -> Answer:
            asking = ExplainOptions(channels=PAGE_CHANNELS)
            found = explain(classifier, view, wanted.movement, wanted.rather_than, depth=depth, options=asking)
            most = [each.channel for each in found.channels.get(depth, ())]
            index = channel if channel is not None else next(iter(most), 0)
            shown = channel_sheet(classifier, view, f"{depth}:{index}", steps=PAGE_CLIMB)
            return {
                "channels": most,
                "channel": index,
                "line": shown.summary,
                "sheet": _text(encode_png(render_image(shown.sheet), 1)),
            }

        return self._run(work, slow=True)

    def votes(self, asked: Any) -> Answer:
        """Give what each of the six views alone would have answered; boxes are in the picture's own pixels."""
        name, data = picture_in(asked, self.limits)
        file = ImageFile(data, name, self.limits)
        prediction = _result(self.service, lambda: self.service.classifier.classify(file, "all"))
        return {"views": prediction.to_dict()["views"]}

    def near(self, asked: Any) -> Answer:
        """Give the paintings of the server's index that are nearest to a view, the nearest first."""
        view, index = self._view(asked), self.settings.index
        if index is None:
            raise UsageError("this page has no paintings to look among; start it with --index FOLDER")
        found = _result(self.service, lambda: index.nearest(self.service.classifier.embed(view), _NEAREST))
        return {
            "nearest": [
                {
                    "name": each.label or PurePath(each.source).name,  # where it lies is nobody's business
                    "movement": each.movement,
                    "similarity": each.similarity,
                    "thumb": _small(each.thumbnail, _NEAR_PX),
                }
                for each in found
            ]
        }

    def take(self, asked: Any) -> Answer:
        """Make a file to take away: the overlay, the sheet, the report or the numbers of one picture."""
        name, data = picture_in(asked, self.limits)
        wish, wanted = Wish.of(asked), Asked.of(asked)

        def work() -> Answer:
            found = self._explained(self.service.classifier.open(ImageFile(data, name, self.limits)), wanted)
            taken = take_away(found, name, wish)
            return {"name": taken.name, "type": taken.media_type, "data": _text(taken.data)}

        return self._run(work, wanted.is_slow)

    def fetch(self, asked: Any) -> Answer:
        """Fetch the picture at an address, for the page to go on with as if it had been dropped."""
        address = _string(asked, "address")
        if not self.settings.allow_urls:
            raise RefusedAddressError("this server fetches nothing from addresses; save the picture and drop it here")
        found = _result(self.fetches, lambda: fetch(address, self.settings.fetch_rules))
        return {"name": found.url.rsplit("/", 1)[-1].split("?")[0] or "picture", "data": _text(found.data)}

    def row(self, asked: Any) -> Answer:
        """Answer one of many pictures: what a row of the table shows, with a thumbnail."""
        name, data = picture_in(asked, self.limits)

        def work() -> Answer:
            classifier = self.service.classifier
            opened = classifier.open(ImageFile(data, name, self.limits))
            found = described(classifier.classify(opened))
            return {**found, "sha256": hashlib.sha256(data).hexdigest(), "thumb": _small(opened.image, _THUMB_PX)}

        return _result(self.service, work)

    def table(self, asked: Any) -> Answer:
        """Write the rows of many answers as a table: `kind` is csv or parquet."""
        from artnet.serving.web.page_table import table_of  # brings pyarrow, which no other question needs

        kind, rows = _string(asked, "kind"), asked.get("rows")
        data = _result(self.service, lambda: table_of(rows, kind, self.service.classifier.config.movements))
        return {"name": f"artnet.{kind}", "type": "application/octet-stream", "data": _text(data)}

    def _run(self, work: Callable[[], T], slow: bool) -> T:
        return _result(self.slow, lambda: _result(self.service, work)) if slow else _result(self.service, work)

    def _view(self, asked: Any) -> Image.Image:
        size_px = self.service.classifier.config.preprocessing.size_px
        limits = Limits(8 * size_px * size_px + 2**16, size_px * size_px)
        return decode_image(_bytes(asked, "view"), "the view", limits)

    def _explained(self, image: Image.Image | OpenedImage, wanted: Asked) -> Explanation:
        return explain(
            self.service.classifier,
            image,
            wanted.movement,
            wanted.rather_than,
            wanted.method,
            against=wanted.against,
            options=ExplainOptions(sampling=PAGE_SAMPLING),
        )


def _result(queue: WorkQueue, work: Callable[[], T]) -> T:
    """Wait for work in the queue, in a thread of the page's own."""
    return asyncio.run(queue.run(work))


def answered(work: Callable[[Any], Answer], asked: Any) -> Answer:
    """Do the work; an error becomes an answer that says what happened, and never more than that."""
    try:
        return work(asked)
    except ArtNetError as error:
        return {"error": {"kind": error.kind, "message": str(error)}}
    except Exception:
        logger.exception("the page's question could not be answered")
        return {"error": {"kind": "error", "message": "something went wrong on the server; try again"}}


def described(prediction: Prediction) -> Answer:
    """Describe a prediction as `artnet classify --json` does, with the words of the page."""
    return {
        **prediction.to_dict(),
        "words": decision_words(prediction),
        "likely_styles": likely_styles(prediction),
    }


def picture_in(asked: Any, limits: Limits) -> tuple[str, bytes]:
    """Read the name and the bytes of a picture out of a question; `limits` are held before they are decoded."""
    name = _string(asked, "name")[:_LONGEST_NAME] or "picture"
    if len(asked.get("data") or "") > 4 * (limits.size_bytes + 3) // 3:
        raise TooLargeError(f"{name}: over the budget of {limits.size_bytes / 2**20:.0f} MB; save it smaller first")
    return name, _bytes(asked, "data")


def _string(asked: Any, key: str) -> str:
    value = asked.get(key) if isinstance(asked, dict) else None
    if not isinstance(value, str):
        raise UsageError(f"the question has no {key}; load the page again")
    return value


def _bytes(asked: Any, key: str) -> bytes:
    try:
        return b64decode(_string(asked, key), validate=True)
    except ValueError:
        raise UsageError(f"{key} of the question is no base64; load the page again") from None


def _grid(found: Explanation, depth: int) -> Answer:
    """Give one depth's map as bytes of -127 to 127, cut to the painting, and where in it the painting lies."""
    grid = found.maps[depth].grid
    left, top, right, bottom = covered_cells(grid, found.placement)
    x0, y0, x1, y1 = content_cells(grid, found.placement)
    cut = np.ascontiguousarray(grid[top:bottom, left:right])
    return {
        "rows": cut.shape[0],
        "columns": cut.shape[1],
        "box": [x0 - left, y0 - top, x1 - left, y1 - top],
        "data": _text((cut * 127).round().astype(np.int8).tobytes()),
    }


def _text(data: bytes) -> str:
    return b64encode(data).decode("ascii")


def _small(image: Image.Image, longest_px: int) -> str:
    return _text(encode_jpeg(thumbnail(image, longest_px), 85))
