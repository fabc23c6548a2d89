"""The API as its clients meet it: right answers, wrong questions, broken images, URLs."""

from __future__ import annotations

import json
import struct
import zlib
from base64 import b64decode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

import pytest
from fastapi import FastAPI
from PIL import Image

from artnet.attribution.explain import explain
from artnet.attribution.methods import Sampling
from artnet.errors import UsageError
from artnet.fetch.http import FetchRules
from artnet.imaging.decode import Limits
from artnet.model.classifier import Classifier
from artnet.serving.api.app import create_app
from artnet.serving.api.schemas import (
    ExplanationResponse,
    HealthResponse,
    ModelResponse,
    PredictionResponse,
    ProblemResponse,
)
from artnet.serving.api.state import ApiSettings
from artnet.serving.work_queue import ClassifierQueue, QueueLimits
from fixtures.margins import framed, textured
from fixtures.raw_server import answering, raw_server
from fixtures.serving import FORM, Live, form, live, png, running

JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def server(classifier: Classifier) -> Iterator[Live]:
    rules = FetchRules(allow_private=True, size_bytes=300_000, timeout_s=0.5)
    settings = ApiSettings(
        limits=Limits(300_000, 2_000_000), allow_urls=True, fetch_rules=rules, sampling=Sampling(masks=8, channels=2)
    )
    with live(classifier, settings, QueueLimits(concurrency=2, queue_size=30, timeout_s=20)) as found:
        yield found


@pytest.fixture(scope="module")
def picture(painting: Image.Image) -> bytes:
    return png(painting)


def test_a_picture_is_answered_as_the_library_answers_it(
    server: Live, classifier: Classifier, painting: Image.Image, picture: bytes
) -> None:
    response = server.send("/v1/classify", picture)
    expected = classifier.classify(painting).to_dict() | {"source": "a.png"}
    assert response.status == 200
    assert response.json == json.loads(json.dumps(expected))
    PredictionResponse.model_validate(response.json)


def test_a_large_jpeg_is_answered_as_by_the_command(server: Live, classifier: Classifier, tmp_path: Path) -> None:
    with Image.open(Path(__file__).parent.parent.parent / "examples" / "pointillist.jpg") as image:
        image.resize((1600, 1200), Image.Resampling.LANCZOS).save(tmp_path / "large.jpg", quality=60)
    data, expected = (tmp_path / "large.jpg").read_bytes(), classifier.classify(tmp_path / "large.jpg").scores
    answer = server.send("/v1/classify", data).json
    assert (answer["width"], answer["height"]) == (1600, 1200)
    assert answer["scores"] == server.send("/v1/explain", data, depth="9").json["prediction"]["scores"] == expected


def test_all_views_are_answered_when_asked_for(server: Live, picture: bytes) -> None:
    assert len(server.send("/v1/classify", picture, views="all").json["views"]) == 6


def test_an_explanation_is_answered_as_the_library_answers_it(
    server: Live, classifier: Classifier, painting: Image.Image, picture: bytes
) -> None:
    response = server.send("/v1/explain", picture, movement="Cubism", rather_than="Realism", depth="7", values="true")
    expected = explain(classifier, painting, "Cubism", "Realism", depth=7)
    ExplanationResponse.model_validate(response.json)
    assert response.json["depths"][0]["peak"] == expected.to_dict()["depths"][0]["peak"]
    assert response.json["depths"][0]["values"] == expected.maps[7].grid.astype(float).round(4).tolist()
    assert len(response.json["depths"][0]["channels"]) == 5


@pytest.mark.parametrize(
    ("accept", "fields", "kind"),
    [
        ("", {}, "application/json"),
        ("*/*", {}, "application/json"),
        ("image/png", {}, "image/png"),
        ("image/svg+xml", {}, "image/svg+xml"),
        ("text/html,image/*;q=0.5,*/*;q=0.1", {}, "image/png"),
        ("application/json", {"format": "overlay"}, "image/png"),
        ("", {"format": "sheet"}, "image/png"),
        ("", {"format": "svg"}, "image/svg+xml"),
    ],
)
def test_the_answer_is_of_the_kind_that_was_asked_for(
    server: Live, picture: bytes, accept: str, fields: dict[str, str], kind: str
) -> None:
    headers = {"Content-Type": FORM, "Accept": accept}
    response = server.request("POST", "/v1/explain", form(picture, depth="8", **fields), headers)
    assert (response.status, response.headers["Content-Type"]) == (200, kind)


def test_an_overlay_has_the_paintings_size_or_the_one_allowed(server: Live, picture: bytes) -> None:
    sizes = []
    for side_px in ("1600", "210"):
        response = server.send("/v1/explain", picture, format="overlay", depth="9", side_px=side_px)
        with Image.open(BytesIO(response.body)) as image:
            sizes.append(image.size)
    assert sizes == [(420, 300), (210, 150)]


def test_no_kind_of_answer_that_is_accepted_is_a_problem(server: Live, picture: bytes) -> None:
    headers = {"Content-Type": FORM, "Accept": "text/html"}
    assert server.request("POST", "/v1/explain", form(picture), headers).status == 406


@pytest.mark.parametrize("method", ["rise", "scorecam", "eigencam"])
def test_every_kind_of_method_answers(server: Live, picture: bytes, method: str) -> None:
    assert server.send("/v1/explain", picture, method=method).json["method"] == method


def test_maps_are_judged_when_asked_for(server: Live, picture: bytes) -> None:
    entry = server.send("/v1/explain", picture, depth="9", faithfulness="true").json["depths"][0]
    assert entry["passes"] in (True, False)
    assert set(entry["faithfulness"]) == {"deletion", "insertion", "gain", "gain_over_pixels"}


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"movement": "Baroque"}, "unknown movement 'Baroque'"),
        ({"movement": "Cubism", "rather_than": "Cubism"}, "explains nothing"),
        ({"method": "guess"}, "unknown method 'guess'"),
        ({"method": "eigencam", "movement": "Cubism"}, "leave the movement out"),
        ({"method": "rise", "depth": "3"}, "leave the depth out"),
    ],
)
def test_questions_that_cannot_be_meant_are_problems_of_the_client(
    server: Live, picture: bytes, fields: dict[str, str], reason: str
) -> None:
    response = server.send("/v1/explain", picture, **fields)
    assert (response.status, response.json["kind"]) == (400, "usage")
    assert reason in response.json["detail"]


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


HUGE = (
    b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)) + chunk(b"IEND", b"")
)


@pytest.mark.parametrize(
    ("data", "status", "kind"),
    [
        (b"", 422, "empty"),
        (b"\xff\xd8\xff\xe0", 422, "corrupt"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 100, 422, "corrupt"),
        (b"RIFF\x10\0\0\0WEBPVP8 ", 422, "corrupt"),
        (b"GIF89a", 422, "corrupt"),
        (HUGE, 413, "too-large"),
        (b"%PDF-1.7\n", 415, "format"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 415, "format"),
        (b"<?xml version='1.0'?><!DOCTYPE x SYSTEM 'file:///etc/passwd'>", 415, "format"),
        (b"\x80\x04\x95cos\nsystem\n", 415, "format"),
        (b"PK\x03\x04", 415, "format"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", 415, "format"),
    ],
)
@pytest.mark.parametrize("path", ["/v1/classify", "/v1/explain"])
def test_broken_pictures_of_every_class_are_problems_of_their_kind(
    server: Live, path: str, data: bytes, status: int, kind: str
) -> None:
    response = server.send(path, data)
    assert (response.status, response.json["kind"]) == (status, kind)
    assert response.headers["Content-Type"] == "application/problem+json"
    ProblemResponse.model_validate(response.json)


def test_a_picture_cut_anywhere_is_a_problem_and_never_a_fault(server: Live, picture: bytes) -> None:
    for length in range(1, len(picture) - 20, len(picture) // 12):
        assert server.send("/v1/classify", picture[:length]).status in (415, 422)


def test_a_picture_without_a_painting_on_it_is_answered(server: Live) -> None:
    for size in [(1, 1), (1, 1000), (1000, 1), (64, 64)]:
        assert server.send("/v1/explain", png(Image.new("RGB", size)), depth="9").status == 200


def test_a_picture_is_fetched_from_an_address(server: Live, picture: bytes) -> None:
    headers = f"Content-Type: text/plain\r\nContent-Length: {len(picture)}\r\n"
    with raw_server(answering("200 OK", headers, picture)) as raw:
        response = server.request("POST", "/v1/classify", json.dumps({"url": raw.url}), JSON)
    assert (response.status, response.json["source"]) == (200, raw.url)


@pytest.mark.parametrize(
    ("answer", "status", "kind"),
    [
        (answering("404 Not Found"), 502, "address"),
        (answering("200 OK", "", b"x" * 400_000), 413, "too-large"),
        (answering("200 OK", "", b"no picture"), 415, "format"),
        (answering("302 Found", "Location: file:///etc/passwd\r\n"), 403, "address-refused"),
        (lambda connection, _: connection.recv(1), 502, "address"),
    ],
)
def test_an_address_that_gives_no_picture_is_a_problem_in_time(  # type: ignore[no-untyped-def]
    server: Live, answer, status: int, kind: str
) -> None:
    with raw_server(answer) as raw:
        response = server.request("POST", "/v1/classify", json.dumps({"url": raw.url}), JSON)
    assert (response.status, response.json["kind"]) == (status, kind)


def test_private_addresses_are_refused_also_behind_a_redirect(
    classifier: Classifier, monkeypatch: pytest.MonkeyPatch, picture: bytes
) -> None:
    with (
        raw_server(answering("200 OK", "", picture)) as inner,
        raw_server(answering("302 Found", f"Location: {inner.url.replace('127.0.0.1', '127.0.0.2')}\r\n")) as outer,
        live(classifier, ApiSettings(allow_urls=True)) as server,
    ):
        for url in (inner.url, "http://169.254.169.254/latest/meta-data", "http://0x7f000001/", "http://[::1]/"):
            assert server.request("POST", "/v1/classify", json.dumps({"url": url}), JSON).status == 403
        monkeypatch.setattr("artnet.fetch.backend.is_public", lambda host: host == "127.0.0.1")
        assert server.request("POST", "/v1/classify", json.dumps({"url": outer.url}), JSON).status == 403
        assert (len(inner.requests), len(outer.requests)) == (0, 1)


def test_addresses_are_off_unless_allowed(classifier: Classifier) -> None:
    with live(classifier) as server:
        response = server.request("POST", "/v1/classify", json.dumps({"url": "http://example.org/a.jpg"}), JSON)
        assert not server.request("GET", "/v1/model").json["limits"]["addresses"]
    assert (response.status, response.json["kind"]) == (403, "address-refused")


def test_the_model_and_the_health_are_told(server: Live) -> None:
    model, health = server.request("GET", "/v1/model"), server.request("GET", "/healthz")
    assert ModelResponse.model_validate(model.json).movements[0] == "Cubism"
    assert HealthResponse.model_validate(health.json).status == "ok"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("GET", "/v1/", 404),
        ("GET", "/v1/../../etc/passwd", 404),
        ("GET", "/%2e%2e/%2e%2e/etc/passwd", 404),
        ("GET", "/v1/classify", 405),
        ("DELETE", "/v1/model", 405),
        ("POST", "/v1/classify", 415),
        ("OPTIONS", "/v1/classify", 405),
    ],
)
def test_what_is_not_there_is_a_problem_too(server: Live, method: str, path: str, status: int) -> None:
    response = server.request(method, path)
    assert (response.status, response.headers["Content-Type"]) == (status, "application/problem+json")
    assert ("Allow" in response.headers) == (status == 405)
    ProblemResponse.model_validate(response.json)


@pytest.mark.parametrize("path", ["/v1/model", "/healthz", "/metrics", "/docs", "/openapi.json"])
def test_head_is_answered_as_get_without_the_body(server: Live, path: str) -> None:
    with server.raw() as connection:
        connection.sendall(f"HEAD {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
        head, _, body = b"".join(iter(lambda: connection.recv(65536), b"")).partition(b"\r\n\r\n")
    got = server.request("GET", path)
    assert (head.split()[1], body) == (b"200", b"")
    assert f"content-type: {got.headers['Content-Type']}".encode() in head.lower()
    assert b"content-length: " in head.lower()


def test_head_is_counted_by_its_route(server: Live) -> None:
    server.request("HEAD", "/healthz")
    assert (
        b'artnet_requests_total{method="HEAD",route="/healthz",status="200"}' in server.request("GET", "/metrics").body
    )


def test_head_of_what_has_no_get_is_refused(server: Live) -> None:
    assert [server.request("HEAD", path).status for path in ("/v1/classify", "/nowhere")] == [405, 404]


def test_query_parameters_are_refused_as_unknown_fields_are(server: Live, picture: bytes) -> None:
    for response in (
        server.send("/v1/classify?views=all&x=1&x=2", picture),
        server.request("GET", "/v1/model?views=&x"),
    ):
        assert (response.status, response.json["kind"]) == (422, "fields")
        assert [each["field"] for each in response.json["errors"]] == ["views", "x"]
    assert server.request("GET", "/healthz?probe=7").status == 200


@pytest.mark.parametrize("prefix", ["", "/tools/artnet"])
def test_below_a_path_everything_is_told_by_that_path(classifier: Classifier, prefix: str, tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("a page")
    queue = ClassifierQueue(classifier)
    with running(create_app(queue, ApiSettings(root_path="/tools/artnet"), tmp_path)) as port:
        server = Live(port, queue, FastAPI())  # a proxy may strip the path or leave it
        assert server.request("GET", f"{prefix}/").body == b"a page"
        assert server.request("GET", f"{prefix}/v1/model").headers["Cache-Control"] == "no-store"
        assert server.request("GET", f"{prefix}/nowhere").json["type"] == "/tools/artnet/docs#not-found"
        assert server.request("GET", f"{prefix}/openapi.json").json["servers"] == [{"url": "/tools/artnet"}]
        assert b"http://127.0.0.1:7860/tools/artnet/v1/model" in server.request("GET", f"{prefix}/docs").body


def test_the_path_itself_leads_to_the_page_below_it(classifier: Classifier, tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("a page")
    queue = ClassifierQueue(classifier)
    with running(create_app(queue, ApiSettings(root_path="/artnet"), tmp_path)) as port:
        response = Live(port, queue, FastAPI()).request("GET", "/artnet")
        assert (response.status, response.headers["Location"]) == (307, f"http://127.0.0.1:{port}/artnet/")


@pytest.mark.parametrize("path", ["artnet", "/artnet/", "/", "/a b", "//a", "https://example.org/artnet"])
def test_what_is_no_path_is_refused(path: str) -> None:
    with pytest.raises(UsageError, match="write it as /artnet"):
        ApiSettings(root_path=path)


def test_other_sites_may_not_read_answers(server: Live) -> None:
    response = server.request("GET", "/v1/model", headers={"Origin": "https://elsewhere.example"})
    assert not [name for name in response.headers if name.lower().startswith("access-control")]


def test_a_hundred_pictures_at_once_are_answered_or_told_to_wait(server: Live, picture: bytes) -> None:
    with ThreadPoolExecutor(40) as pool:
        found = list(pool.map(lambda _: server.send("/v1/classify", picture).status, range(100)))
    assert set(found) <= {200, 429}
    assert found.count(200) >= 30
    assert server.send("/v1/classify", picture).status == 200


def test_a_front_end_at_the_root_leaves_the_apis_paths_alone(classifier: Classifier, tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("a page")
    (tmp_path / "script.js").write_text("1")
    queue = ClassifierQueue(classifier)
    with running(create_app(queue, front_end=tmp_path)) as port:
        server = Live(port, queue, FastAPI())
        response = server.request("GET", "/")
        assert (response.body, response.headers["Cache-Control"]) == (b"a page", "no-cache")
        assert "script-src 'self' 'wasm-unsafe-eval';" in response.headers["Content-Security-Policy"]
        assert server.request("GET", "/script.js").headers["Content-Type"].startswith("text/javascript")
        paths = ("/v1/nowhere", "/v1/classify", "/v1/model", "/nowhere.js", "/../test_api.py")
        assert [server.request("GET", path).status for path in paths] == [404, 405, 200, 404, 404]
        assert server.request("GET", "/nowhere").json["kind"] == "not-found"


def test_margins_are_left_out_unless_a_form_keeps_them_and_a_view_has_none(server: Live) -> None:
    image = framed(textured(300, 240), 60, 30, 40, 30)
    trimmed = server.send("/v1/classify", png(image), include="view").json
    assert trimmed["views"][0]["box"] == [60, 30, 360, 270]
    assert server.send("/v1/classify", png(image), trim="false").json["views"][0]["box"] == [0, 0, 400, 300]
    view = server.send("/v1/explain", b64decode(trimmed["view"]), format="grids", depth="9", trim="false")
    assert view.json == server.send("/v1/explain", png(image), format="grids", depth="9").json
