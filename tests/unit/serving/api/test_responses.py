"""What the API answers with, and which methods a model allows."""

from __future__ import annotations

from typing import Any

import pytest
from PIL import Image

from artnet.attribution.methods import Sampling
from artnet.errors import UsageError
from artnet.imaging.decode import ImageFile
from artnet.model.classifier import Classifier
from artnet.model.engine import Engine
from artnet.serving.api.responses import explanation, preferred_format
from artnet.serving.api.schemas import ExplainForm
from fixtures.serving import png


class WithoutGradients:
    """An engine of an older graph, which has no outputs for gradients."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.outputs = frozenset(name for name in engine.outputs if not name.startswith("gradient"))

    def __getattr__(self, name: str) -> object:
        return getattr(self._engine, name)


@pytest.fixture
def older(classifier: Classifier) -> Classifier:
    return Classifier(classifier.config, WithoutGradients(classifier.engine))  # type: ignore[arg-type]


def explained(classifier: Classifier, image: ImageFile, **fields: Any) -> Any:
    return explanation(classifier, image, ExplainForm(url="-", **fields), "json", Sampling())


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", "json"),
        ("*/*", "json"),
        ("application/*", "json"),
        ("image/*", "sheet"),
        ("image/png;q=0.2, image/svg+xml", "svg"),
        ("IMAGE/PNG", "sheet"),
        ("application/json;q=0, */*", "sheet"),
        ("application/json;q=0.1, image/png;q=0.9", "sheet"),
        ("image/png;q=nonsense", None),
        ("text/html", None),
        ("*/*;q=0", None),
        (",;,=", None),
    ],
)
def test_an_accept_header_chooses_the_format(accept: str, expected: str | None) -> None:
    assert preferred_format(accept) == expected


def test_what_an_older_graph_lacks_is_said(older: Classifier, painting: Image.Image) -> None:
    with pytest.raises(UsageError, match="lacks what gradcam needs; use one of eigencam"):
        explained(older, ImageFile(png(painting), "a"))


@pytest.mark.parametrize("count", [0, 3])
def test_as_many_channels_are_listed_as_were_asked_for(
    classifier: Classifier, painting: Image.Image, count: int
) -> None:
    found = explained(classifier, ImageFile(png(painting), "a"), depth=9, channels=count)
    assert len(found["depths"][0]["channels"]) == count
