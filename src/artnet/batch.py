"""Classify many pictures, one answer each: a failed picture is an answer with its error, never a stop.

Knows nothing about the command line or files of results; memory holds one picture at a time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from artnet.classify import Classifier, Prediction
from artnet.errors import ArtNetError
from artnet.found import DEFAULT_RULES, Found, SourceRules
from artnet.image import decode_image
from artnet.sources import find_pictures


@dataclass(frozen=True)
class Answer:
    """What became of one source: either a prediction or an error; `sha256` is of the file, where it was read."""

    source: str
    sha256: str | None = None
    prediction: Prediction | None = None
    error: ArtNetError | None = None

    def to_dict(self) -> dict[str, Any]:
        """Give the JSON object that `artnet classify --json` prints for this source."""
        if self.prediction is not None:
            return self.prediction.to_dict()
        error = self.error or ArtNetError("no answer")
        return {"source": self.source, "error": {"kind": error.kind, "message": str(error)}}


def classify_all(
    classifier: Classifier,
    sources: Iterable[str],
    views: Literal["voting", "all"] = "voting",
    rules: SourceRules = DEFAULT_RULES,
) -> Iterator[Answer]:
    """Yield an answer for every picture that the sources name, in their order."""
    for found in find_pictures(sources, rules):
        yield _answer(classifier, found, views)


def _answer(classifier: Classifier, found: Found, views: Literal["voting", "all"]) -> Answer:
    sha256 = None
    try:
        data = found.read()
        sha256 = hashlib.sha256(data).hexdigest()
        image = decode_image(data, found.name, found.rules.limits)
        return Answer(found.name, sha256, classifier.classify_image(image, found.name, views))
    except ArtNetError as error:
        return Answer(found.name, sha256, error=error)
