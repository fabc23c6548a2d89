"""Ids, headers, log lines and counts of every request."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from PIL import Image

from artnet.model.classifier import Classifier
from artnet.serving.api.state import ApiSettings
from fixtures.serving import FORM, Live, form, live, occupied, png, until

PAGE = {"Content-Security-Policy": "default-src 'self'"}


@pytest.fixture(scope="module")
def server(classifier: Classifier) -> Iterator[Live]:
    with live(classifier, ApiSettings(page_headers=PAGE)) as found:

        async def broken() -> None:
            raise RuntimeError("secret")

        found.api.add_api_route("/v1-broken", broken, include_in_schema=False)
        yield found


def fields(caplog: pytest.LogCaptureFixture, path: str) -> dict:
    """Wait for the line of a request for `path`: it is written after the answer, perhaps in the next test's time."""

    def found() -> list[dict]:
        records = [record for record in caplog.records if record.getMessage() == "request"]
        return [record.fields for record in records if record.fields["path"] == path]  # type: ignore[attr-defined]

    until(lambda: bool(found()))
    return found()[0]


@pytest.mark.parametrize("given", ["abc-1.2_3", "f" * 64])
def test_a_sane_id_is_kept(server: Live, given: str) -> None:
    assert server.request("GET", "/healthz", headers={"X-Request-ID": given}).headers["X-Request-ID"] == given


@pytest.mark.parametrize("given", ["", "f" * 65, "a b", "a;b", "é", "<script>", "a\tb"])
def test_any_other_id_is_replaced(server: Live, given: str) -> None:
    response = server.request("GET", "/nowhere", headers={"X-Request-ID": given})
    assert len(response.headers["X-Request-ID"]) == 32
    assert response.json["request_id"] == response.headers["X-Request-ID"]


def test_every_answer_has_the_security_headers(server: Live) -> None:
    for path in ("/v1/model", "/healthz", "/v1/nowhere"):
        headers = server.request("GET", path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert headers["Cache-Control"] == "no-store"
        assert "server" not in headers


def test_answers_outside_the_api_have_the_headers_of_the_page(server: Live) -> None:
    assert server.request("GET", "/nowhere").headers["Content-Security-Policy"] == "default-src 'self'"
    assert "'unsafe-inline'" in server.request("GET", "/docs").headers["Content-Security-Policy"]


def test_a_request_is_logged_without_its_query(server: Live, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "artnet.serving.middleware.access_log"):
        server.request("GET", "/healthz?secret=1", headers={"X-Request-ID": "one"})
        found = fields(caplog, "/healthz")
    assert (found["request_id"], found["path"], found["status"]) == ("one", "/healthz", 200)
    assert found["bytes"] > 10
    assert "secret" not in str(found)


def test_a_fault_of_ours_is_logged_and_not_told(server: Live, caplog: pytest.LogCaptureFixture) -> None:
    response = server.request("GET", "/v1-broken", headers={"X-Request-ID": "two"})
    assert (response.status, response.json["kind"]) == (500, "internal")
    assert "secret" not in response.body.decode()
    failure = next(record for record in caplog.records if record.getMessage() == "failed")
    assert failure.fields["request_id"] == "two"  # type: ignore[attr-defined]
    assert "secret" in str(failure.exc_info)


def test_a_client_that_hung_up_is_logged_as_such(server: Live, caplog: pytest.LogCaptureFixture) -> None:
    body = form(png(Image.new("RGB", (9, 9))))
    head = f"POST /v1/classify HTTP/1.1\r\nHost: x\r\nContent-Type: {FORM}\r\nContent-Length: {len(body)}\r\n\r\n"
    with caplog.at_level(logging.INFO, "artnet.serving.middleware.access_log"), occupied(server.service, 1):
        with server.raw() as connection:
            connection.sendall(head.encode() + body)
            until(lambda: server.service.waiting == 1)
        assert fields(caplog, "/v1/classify")["status"] == 499


def test_requests_are_counted_by_route_and_strangers_invent_none(server: Live) -> None:
    server.request("GET", "/invented-1")
    server.request("PURGE", "/invented-2")
    server.request("GET", "/v1/model")
    told = server.request("GET", "/metrics")
    assert told.headers["Content-Type"].startswith("text/plain")
    text = told.body.decode()
    assert 'artnet_requests_total{method="GET",route="/v1/model",status="200"} ' in text
    assert 'artnet_request_seconds_bucket{le="0.05",route="/v1/model"}' in text
    assert 'method="other"' in text
    assert "invented" not in text
    assert "artnet_running 0.0" in text
