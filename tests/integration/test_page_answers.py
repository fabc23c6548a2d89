"""What the page asks: plain values in and out, and an answer in words whatever comes."""

from __future__ import annotations

import asyncio
import threading
from base64 import b64decode, b64encode
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from artnet.attribution.explain import explain
from artnet.batch.index import Neighbour
from artnet.errors import DeadlineError
from artnet.fetch.http import FetchRules
from artnet.imaging.decode import Limits, read_file
from artnet.model.classifier import Classifier
from artnet.serving.api.state import ApiSettings
from artnet.serving.web.labels import decision_words
from artnet.serving.web.page_answers import Asked, PageAnswers, answered
from artnet.serving.work_queue import ClassifierQueue
from fixtures.serving import occupied

FACETED = Path(__file__).parent.parent.parent / "examples" / "faceted.jpg"
QUESTION = {"movement": "", "rather_than": "", "against": False, "method": "gradcam"}


@pytest.fixture(scope="module")
def answers(classifier: Classifier) -> Iterator[PageAnswers]:
    service = ClassifierQueue(classifier)
    answers = PageAnswers.over(service, ApiSettings(limits=Limits(size_bytes=2**20)))
    yield answers
    for turns in (answers.fetches, answers.slow, service):
        turns.close()


def picture(data: bytes, name: str = "picture.jpg") -> dict[str, Any]:
    return {"name": name, "data": b64encode(data).decode()}


def encoded(image: Image.Image, kind: str) -> bytes:
    stream = BytesIO()
    image.save(stream, kind)
    return stream.getvalue()


def encoded_view() -> str:
    return b64encode(encoded(Image.new("RGB", (20, 20)), "PNG")).decode()


def test_looking_gives_what_the_command_gives(answers: PageAnswers, classifier: Classifier) -> None:
    found = answers.look(picture(FACETED.read_bytes()))
    assert found["scores"] == dict(classifier.classify(FACETED).scores)
    assert found["words"] == decision_words(classifier.classify(FACETED))
    assert found["preview"] is None


def test_a_picture_that_browsers_cannot_show_comes_back_as_one_they_can(
    answers: PageAnswers, painting: Image.Image
) -> None:
    found = answers.look(picture(encoded(painting, "TIFF")))
    assert Image.open(BytesIO(b64decode(found["preview"]))).size == painting.size


def test_the_view_alone_gives_the_maps_of_the_whole_picture(answers: PageAnswers, classifier: Classifier) -> None:
    view = answers.look(picture(FACETED.read_bytes()))["view"]
    found = answers.ask({"view": view, **QUESTION})
    whole = explain(classifier, FACETED)
    assert found["movement"] == whole.target.movement
    for depth in (1, 9):
        entry = found["maps"][str(depth)]
        cells = np.frombuffer(b64decode(entry["data"]), np.int8).reshape(entry["rows"], entry["columns"])
        assert np.abs(cells / 127 - whole.maps[depth].grid).max() <= 0.5 / 127 + 1e-6


def test_what_speaks_against_is_negative(answers: PageAnswers) -> None:
    view = answers.look(picture(FACETED.read_bytes()))["view"]
    found = answers.ask({"view": view, **QUESTION, "movement": "Realism", "rather_than": "Cubism", "against": True})
    assert found["signed"]
    assert min(np.frombuffer(b64decode(entry["data"]), np.int8).min() for entry in found["maps"].values()) < 0


def test_a_map_of_pixels_is_tested_as_well_as_one_of_layers(answers: PageAnswers) -> None:
    view = answers.look(picture(FACETED.read_bytes()))["view"]
    found = answers.judge({"view": view, **QUESTION, "method": "smoothgrad"})
    assert found["0"]["words"].startswith("Tested")


def test_a_picture_is_fetched_from_an_address_as_if_it_had_been_dropped(answers: PageAnswers) -> None:
    class Pictures(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(FACETED.read_bytes())

        def log_message(self, *_: Any) -> None:
            pass

    settings = ApiSettings(allow_urls=True, fetch_rules=FetchRules(allow_private=True))
    with HTTPServer(("127.0.0.1", 0), Pictures) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/on/the/wall.jpg?size=2"
        found = replace(answers, settings=settings).fetch({"address": address})
    assert found["name"] == "wall.jpg"
    assert answers.look(found)["scores"] == answers.look(picture(FACETED.read_bytes()))["scores"]


def test_a_quick_question_does_not_wait_for_slow_ones(answers: PageAnswers) -> None:
    view = answers.look(picture(FACETED.read_bytes()))["view"]
    with occupied(answers.slow, answers.slow.limits.concurrency):
        assert answers.ask({"view": view, **QUESTION})["maps"]
        with pytest.raises(DeadlineError):
            asyncio.run(answers.slow.run(lambda: None, timeout_s=0.01))
    for method, is_slow in (("gradcam", False), ("rise", True), ("nonsense", False)):
        assert Asked.of({**QUESTION, "method": method}).is_slow is is_slow


def test_the_nearest_paintings_come_by_name_and_without_where_they_lie(
    answers: PageAnswers, classifier: Classifier
) -> None:
    asked: list[np.ndarray] = []
    near = Neighbour(
        "/museum/cellar/bars.jpg", 0.5, "00", "Cubism", 0.9, "confident", {}, None, None, Image.new("RGB", (512, 64))
    )

    class Found:
        def nearest(self, embedding: np.ndarray, count: int) -> list[Neighbour]:
            asked.append(embedding)
            return [near, replace(near, label="Three bars")][:count]

    view = answers.look(picture(FACETED.read_bytes()))["view"]
    found = replace(answers, settings=replace(answers.settings, index=Found())).near({"view": view})["nearest"]
    assert [each["name"] for each in found] == ["bars.jpg", "Three bars"]
    assert "cellar" not in str(found)
    assert Image.open(BytesIO(b64decode(found[0]["thumb"]))).size == (256, 32)
    expected = classifier.embed(classifier.open(read_file(FACETED)).image)
    np.testing.assert_allclose(asked[0], expected, atol=0.02 * np.abs(expected).max())


def test_what_a_channel_has_learnt_is_shown(answers: PageAnswers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("artnet.serving.web.page_answers.PAGE_CLIMB", 2)
    asked = {"view": answers.look(picture(FACETED.read_bytes()))["view"], **QUESTION, "depth": 4}
    first = answers.learnt(asked)
    assert len(first["channels"]) == 3
    assert first["channel"] == first["channels"][0]
    assert Image.open(BytesIO(b64decode(first["sheet"]))).format == "PNG"
    assert answers.learnt({**asked, "channel": first["channels"][2]})["channel"] == first["channels"][2]
    assert "channel" in answered(answers.learnt, {**asked, "channel": 10**6})["error"]["message"]
    assert "load the page again" in answered(answers.learnt, {**asked, "depth": "4"})["error"]["message"]


def test_all_six_views_vote(answers: PageAnswers) -> None:
    views = answers.votes(picture(FACETED.read_bytes()))["views"]
    assert [view["name"] for view in views][:2] == ["whole", "top-left"]
    assert len(views) == 6


def test_a_row_has_a_small_picture_and_the_files_sum(answers: PageAnswers) -> None:
    found = answers.row(picture(FACETED.read_bytes()))
    assert max(Image.open(BytesIO(b64decode(found["thumb"]))).size) == 96
    assert len(found["sha256"]) == 64


@pytest.mark.parametrize(
    ("work", "asked", "kind"),
    [
        ("look", None, "usage"),
        ("look", {"name": "a.jpg"}, "usage"),
        ("look", {"name": "a.jpg", "data": "no base64!"}, "usage"),
        ("look", {"name": "a.jpg", "data": ""}, "empty"),
        ("look", picture(b"no picture"), "format"),
        ("look", picture(b"\xff\xd8\xff"), "corrupt"),
        ("look", picture(b"a" * (2**20 + 1)), "too-large"),
        ("row", picture(b"no picture"), "format"),
        ("ask", {"view": "AAAA", **QUESTION}, "format"),
        ("ask", {"view": 7, **QUESTION}, "usage"),
        ("take", {**picture(b"x"), **QUESTION, "kind": "everything", "depth": 9}, "usage"),
        ("take", {**picture(b"x"), **QUESTION, "kind": "overlay", "depth": "deep"}, "usage"),
        ("take", {**picture(b"x"), **QUESTION, "kind": "overlay", "depth": 9, "opacity": 7}, "usage"),
        ("fetch", {"address": "http://127.0.0.1/"}, "address-refused"),
        ("near", {"view": encoded_view()}, "usage"),
        ("table", {"kind": "exe", "rows": []}, "usage"),
    ],
)
def test_whatever_cannot_be_answered_is_said_in_one_sentence(
    answers: PageAnswers, work: str, asked: Any, kind: str
) -> None:
    error = answered(getattr(answers, work), asked)["error"]
    assert error["kind"] == kind
    assert error["message"]


@pytest.mark.parametrize("change", [{"method": "nonsense"}, {"movement": "Baroque"}, {"movement": ["Cubism"]}])
def test_a_question_that_there_is_not_is_refused(answers: PageAnswers, change: dict[str, Any]) -> None:
    view = answers.look(picture(FACETED.read_bytes()))["view"]
    assert answered(answers.ask, {"view": view, **QUESTION, **change})["error"]["kind"] == "usage"


def test_a_view_larger_than_the_networks_is_refused(answers: PageAnswers, painting: Image.Image) -> None:
    view = b64encode(encoded(painting, "PNG")).decode()
    assert answered(answers.ask, {"view": view, **QUESTION})["error"]["kind"] == "too-large"


def test_an_error_of_our_own_is_not_shown_to_strangers(caplog: pytest.LogCaptureFixture) -> None:
    def broken(_: Any) -> dict[str, Any]:
        raise RuntimeError("a secret path")

    assert "secret" not in answered(broken, None)["error"]["message"]
    assert "secret" in caplog.text
