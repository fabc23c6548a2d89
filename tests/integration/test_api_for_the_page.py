"""What a front end asks of the API beside a classification and an explanation."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from artnet.attribution.explain import explain
from artnet.attribution.methods import Sampling
from artnet.attribution.what_if import what_if
from artnet.batch.index import Neighbour
from artnet.fetch.http import FetchRules
from artnet.imaging.decode import read_file
from artnet.imaging.properties import PROPERTIES
from artnet.model.classifier import Classifier
from artnet.serving.api.state import ApiSettings
from artnet.serving.work_queue import QueueLimits
from fixtures.raw_server import answering, raw_server
from fixtures.serving import Live, live

JSON = {"Content-Type": "application/json"}
FACETED = (Path(__file__).parent.parent.parent / "examples" / "faceted.jpg").read_bytes()
NEIGHBOUR = Neighbour(
    "/museum/cellar/bars.jpg", 0.5, "00", "Cubism", 0.9, "confident", {}, None, None, Image.new("RGB", (512, 64))
)


class FoundIndex:
    """An index that finds two paintings near to anything."""

    count = 2

    def __init__(self) -> None:
        self.queries: list[np.ndarray] = []

    def nearest(self, embedding: np.ndarray, count: int) -> list[Neighbour]:
        self.queries.append(embedding)
        return [NEIGHBOUR, replace(NEIGHBOUR, label="Three bars")][:count]


@pytest.fixture(scope="module")
def index() -> FoundIndex:
    return FoundIndex()


@pytest.fixture(scope="module")
def server(classifier: Classifier, index: FoundIndex) -> Iterator[Live]:
    settings = ApiSettings(
        allow_urls=True,
        fetch_rules=FetchRules(allow_private=True),
        sampling=Sampling(masks=8, channels=2, samples=2, steps=2),
        ascent_steps=2,
        index=index,  # type: ignore[arg-type]
    )
    with live(classifier, settings, QueueLimits(concurrency=2, queue_size=30, timeout_s=30)) as found:
        yield found


@pytest.fixture(scope="module")
def view(server: Live) -> bytes:
    return b64decode(server.send("/v1/classify", FACETED, include="view").json["view"])


def decoded(text: str) -> Image.Image:
    return Image.open(BytesIO(b64decode(text)))


def test_a_classification_includes_what_was_asked_for(server: Live, classifier: Classifier) -> None:
    found = server.send("/v1/classify", FACETED, include="view,preview,thumbnail,sha256").json
    assert found["scores"] == dict(classifier.classify(_file()).scores)
    assert found["preview"] is None
    assert max(decoded(found["thumbnail"]).size) == 96
    assert found["sha256"] == sha256(FACETED).hexdigest()
    assert decoded(found["view"]).format == "PNG"
    assert "view" not in server.send("/v1/classify", FACETED).json


def test_an_image_that_browsers_cannot_show_comes_back_as_one_they_can(server: Live, painting: Image.Image) -> None:
    stream = BytesIO()
    painting.save(stream, "TIFF")
    found = server.send("/v1/classify", stream.getvalue(), include="preview").json
    assert decoded(found["preview"]).size == painting.size


def test_the_view_alone_gives_the_maps_of_the_whole_image(server: Live, classifier: Classifier, view: bytes) -> None:
    found = server.send("/v1/explain", view, format="grids").json
    whole = explain(classifier, _file())
    assert found["movement"] == whole.target.movement
    assert [entry["depth"] for entry in found["depths"]] == list(range(1, 10))
    for entry in (found["depths"][0], found["depths"][8]):
        cells = np.frombuffer(b64decode(entry["data"]), np.int8).reshape(entry["rows"], entry["columns"])
        assert np.abs(cells / 127 - whole.maps[entry["depth"]].grid).max() <= 0.5 / 127 + 1e-6


def test_what_speaks_against_is_negative(server: Live, view: bytes) -> None:
    found = server.send("/v1/explain", view, format="grids", movement="Realism", rather_than="Cubism", against="true")
    assert found.json["against"]
    assert min(np.frombuffer(b64decode(each["data"]), np.int8).min() for each in found.json["depths"]) < 0


def test_the_view_alone_gives_the_what_if_of_the_whole_image(server: Live, classifier: Classifier, view: bytes) -> None:
    found = server.send("/v1/what-if", view, edits="mirrored,no-colour", images="true").json
    whole = what_if(classifier, _file(), ["no-colour", "mirrored"])
    assert [entry["name"] for entry in found["edits"]] == ["no-colour", "mirrored"]
    assert found["sentences"] == list(whole.sentences)
    assert found["edits"][0]["scores"] == dict(whole.outcomes[0].scores)
    assert decoded(found["edits"][1]["image"]).size == (224, 224)


def test_what_if_comes_as_a_sheet_or_without_images(server: Live, view: bytes) -> None:
    sheet = server.send("/v1/what-if", view, edits="mirrored", format="sheet")
    assert Image.open(BytesIO(sheet.body)).format == "PNG"
    assert "image" not in server.send("/v1/what-if", view, edits="mirrored").json["edits"][0]
    assert server.send("/v1/what-if", view, edits="sepia").status == 422


def test_the_view_alone_has_the_properties_of_the_whole_image(server: Live, view: bytes) -> None:
    of_view, of_file = (server.send("/v1/properties", data).json["properties"] for data in (view, FACETED))
    assert of_view == of_file
    assert [each["name"] for each in of_view] == list(PROPERTIES)


def test_an_explanation_comes_as_arrays(server: Live, view: bytes) -> None:
    response = server.send("/v1/explain", view, format="npz", depth="7")
    with np.load(BytesIO(response.body)) as arrays:
        assert json.loads(str(arrays["about"]))["depths"][0]["depth"] == 7
        assert arrays["depth7"].ndim == 2


@pytest.mark.parametrize(("method", "depths"), [("gradcam", list(range(1, 10))), ("smoothgrad", [0])])
def test_the_maps_of_every_depth_are_tested(server: Live, view: bytes, method: str, depths: list[int]) -> None:
    found = server.send("/v1/faithfulness", view, method=method).json["depths"]
    assert [entry["depth"] for entry in found] == depths
    assert all(-1 <= entry["gain"] <= 1 for entry in found)


def test_half_the_masks_take_part_in_a_map_with_half_sampling(server: Live, view: bytes) -> None:
    full, half = (server.send("/v1/explain", view, format="grids", method="rise", sampling=s) for s in ("full", "half"))
    assert full.json["depths"][0]["data"] != half.json["depths"][0]["data"]


def test_what_a_channel_has_learnt_is_shown(server: Live, view: bytes) -> None:
    first = server.send("/v1/channels", view, depth="4").json
    assert len(first["channels"]) == 3
    assert first["channel"] == first["channels"][0]
    assert decoded(first["sheet"]).format == "PNG"
    assert server.send("/v1/channels", view, depth="4", channel="1000000").json["kind"] == "usage"


def test_the_most_similar_paintings_come_by_name_and_without_where_they_lie(
    server: Live, classifier: Classifier, index: FoundIndex, view: bytes
) -> None:
    found = server.send("/v1/similar", view).json["nearest"]
    assert [each["name"] for each in found] == ["bars.jpg", "Three bars"]
    assert "cellar" not in str(found)
    assert decoded(found[0]["thumbnail"]).size == (256, 32)
    expected = classifier.embed(_file())
    np.testing.assert_allclose(index.queries[-1], expected, atol=0.02 * np.abs(expected).max())
    assert len(server.send("/v1/similar", view, count="1").json["nearest"]) == 1


def test_a_server_without_an_index_or_urls_says_so(classifier: Classifier, view: bytes) -> None:
    with live(classifier) as server:
        response = server.send("/v1/similar", view)
        fetched = server.request("POST", "/v1/fetch", json.dumps({"url": "http://example.org/a.jpg"}), JSON)
        assert server.request("GET", "/v1/model").json["features"] == {"addresses": False, "similar": 0}
    assert (response.status, response.json["kind"]) == (404, "not-found")
    assert "--index" in response.json["detail"]
    assert (fetched.status, fetched.json["kind"]) == (403, "address-refused")


def test_a_report_is_a_file_that_stands_alone(server: Live) -> None:
    response = server.send("/v1/report", FACETED, rather_than="Realism", depth="7")
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    assert response.headers["Content-Disposition"] == "attachment; filename*=UTF-8''a-report.html"
    assert b"depth 7 of 9" in response.body
    assert b"<script" not in response.body


def test_a_file_is_fetched_and_named(server: Live, classifier: Classifier) -> None:
    with raw_server(answering("200 OK", "Content-Type: text/html\r\n", FACETED)) as raw:
        body = json.dumps({"url": f"{raw.url}/on/the%20wall.jpg?size=2"})
        response = server.request("POST", "/v1/fetch", body, JSON)
    assert response.body == FACETED
    assert response.headers["Content-Type"] == "application/octet-stream"
    assert response.headers["Content-Disposition"] == "attachment; filename*=UTF-8''the%20wall.jpg"


def test_predictions_become_a_table(server: Live) -> None:
    prediction = server.send("/v1/classify", FACETED, include="sha256").json
    rows = [prediction, {"source": "b.jpg", "error": {"kind": "corrupt", "message": "cut short"}}]
    response = server.request("POST", "/v1/table", json.dumps({"rows": rows}), JSON)
    table = pq.read_table(BytesIO(response.body)).to_pylist()
    assert response.headers["Content-Type"] == "application/vnd.apache.parquet"
    assert [row["source"] for row in table] == ["a.png", "b.jpg"]
    assert (table[0]["movement"], table[0]["sha256"]) == (prediction["movement"], prediction["sha256"])
    assert (table[1]["error_kind"], table[1]["error"]) == ("corrupt", "cut short")


@pytest.mark.parametrize(
    ("rows", "status"),
    [
        ([{"source": "a"}], 422),
        ([{"source": "a", "decision": "sure", "scores": {}}], 422),
        ([{"source": "a", "decision": "unsure", "scores": {"Cubism": 1}}], 400),
        ([{"source": "a", "error": {"kind": "x", "message": "y"}}] * 10_001, 422),
        ("rows", 422),
    ],
)
def test_rows_that_are_no_predictions_are_refused(server: Live, rows: Any, status: int) -> None:
    assert server.request("POST", "/v1/table", json.dumps({"rows": rows}), JSON).status == status


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/v1/classify", {"include": "view,everything"}),
        ("/v1/channels", {}),
        ("/v1/channels", {"depth": "10"}),
        ("/v1/similar", {"count": "0"}),
        ("/v1/report", {"opacity": "7"}),
        ("/v1/faithfulness", {"sampling": "none"}),
    ],
)
def test_fields_that_are_not_valid_are_told(server: Live, view: bytes, path: str, fields: dict[str, str]) -> None:
    response = server.send(path, view, **fields)
    assert (response.status, response.json["kind"]) == (422, "fields")
    assert response.json["errors"]


def test_the_model_tells_what_a_page_must_know(server: Live, classifier: Classifier) -> None:
    found = server.request("GET", "/v1/model").json
    assert found["features"] == {"addresses": True, "similar": 2}
    assert [each["name"] for each in found["method_details"]] == found["methods"]
    assert {each["name"] for each in found["method_details"] if each["slow"]} >= {"scorecam", "rise", "occlusion"}
    assert found["config"]["preprocessing"]["size_px"] == classifier.config.preprocessing.size_px


def _file() -> Any:
    return read_file(Path(__file__).parent.parent.parent / "examples" / "faceted.jpg")
