"""What is answered with, and which methods a model can do."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from PIL import Image

from artnet.attribution.methods import METHODS, Sampling
from artnet.errors import CorruptImageError, UsageError
from artnet.imaging.decode import DEFAULT_LIMITS
from artnet.model.classifier import Classifier
from artnet.model.engine import Engine
from artnet.serving.api.responses import Given, classified, explained, json_reply, possible_methods, preferred
from artnet.serving.api.schemas import ClassifyFields, ExplainFields
from fixtures.serving import png

EXAMPLES = Path(__file__).parent.parent.parent.parent.parent / "examples"


class WithoutGradients:
    """An engine of an older graph: whatever needs a gradient is not there."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.outputs = frozenset(name for name in engine.outputs if not name.startswith("gradient"))

    def __getattr__(self, name: str) -> object:
        return getattr(self._engine, name)


@pytest.fixture
def older(classifier: Classifier) -> Classifier:
    return Classifier(classifier.config, WithoutGradients(classifier.engine))  # type: ignore[arg-type]


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
def test_an_accept_header_chooses_the_answer(accept: str, expected: str | None) -> None:
    assert preferred(accept) == expected


def test_a_large_jpeg_is_answered_over_http_as_by_the_command(classifier: Classifier, tmp_path: Path) -> None:
    with Image.open(EXAMPLES / "pointillist.jpg") as image:
        image.resize((2400, 1800), Image.Resampling.LANCZOS).save(tmp_path / "large.jpg", quality=92)
    given = Given((tmp_path / "large.jpg").read_bytes(), "large.jpg")
    expected = classifier.classify(tmp_path / "large.jpg").to_dict()["scores"]
    answer = json.loads(classified(classifier, given, ClassifyFields(), DEFAULT_LIMITS).body)
    fields = ExplainFields(answer="json", depth=9)
    explanation = json.loads(explained(classifier, given, fields, DEFAULT_LIMITS, Sampling()).body)
    assert (answer["width"], answer["height"]) == (2400, 1800)
    assert answer["scores"] == explanation["prediction"]["scores"] == expected


def test_a_picture_without_a_name_is_called_one_in_errors_alone(classifier: Classifier, painting: Image.Image) -> None:
    data = png(painting)
    answer = json.loads(classified(classifier, Given(data, ""), ClassifyFields(), DEFAULT_LIMITS).body)
    assert answer["source"] == ""
    with pytest.raises(CorruptImageError, match=r"^the picture: "):
        classified(classifier, Given(b"\xff\xd8", ""), ClassifyFields(), DEFAULT_LIMITS)


def test_a_whole_graph_can_do_every_method(classifier: Classifier) -> None:
    assert possible_methods(classifier) == list(METHODS)


def test_what_an_older_graph_cannot_do_is_the_clients_to_know(older: Classifier, painting: Image.Image) -> None:
    assert possible_methods(older) == ["eigencam", "scorecam", "occlusion", "rise"]
    with pytest.raises(UsageError, match="has not what gradcam needs; use one of eigencam"):
        explained(older, Given(png(painting), "a"), ExplainFields(answer="json"), DEFAULT_LIMITS, Sampling())


def test_channels_are_looked_for_only_where_they_are_told(classifier: Classifier, painting: Image.Image) -> None:
    given = Given(png(painting), "a")
    found = [
        json.loads(
            explained(
                classifier, given, ExplainFields(answer="json", depth=9, channels=count), DEFAULT_LIMITS, Sampling()
            ).body
        )
        for count in (0, 3)
    ]
    counts: Sequence[int] = [len(each["depths"][0]["channels"]) for each in found]
    assert counts == [0, 3]


def test_numbers_that_json_has_not_are_never_written() -> None:
    with pytest.raises(ValueError, match="JSON"):
        json_reply({"x": float("nan")})
