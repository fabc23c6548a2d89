"""The page's calls: what may come, and that those who wait stand in nobody's way."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from artnet.errors import UsageError
from artnet.model.classifier import Classifier
from artnet.serving.api.app import create_app
from artnet.serving.web.page_calls import PATHS, add_calls, answer_bytes
from artnet.serving.work_queue import ClassifierQueue
from fixtures.serving import FORM, Live, form, running, until

JSON = {"Content-Type": "application/json"}
ENDED = threading.Event()


def double(asked: Any) -> dict[str, Any]:
    return {"twice": 2 * asked}


def held(_: Any) -> dict[str, Any]:
    ENDED.wait(20)
    return {}


def broken(_: Any) -> dict[str, Any]:
    raise RuntimeError("a secret path")


@pytest.fixture(scope="module")
def server(classifier: Classifier) -> Iterator[Live]:
    service = ClassifierQueue(classifier)
    api = create_app(service)
    api.get("/page/file")(lambda: {"here": True})  # as the page's files are: in the threads that all share
    add_calls(api, {"double": double, "held": held, "broken": broken}, 60)
    with running(api) as port:
        yield Live(port, service, api)


def body(name: str, data: Any = 21, **more: Any) -> bytes:
    return json.dumps({"fn_name": name, "data": data, **more}).encode()


@pytest.mark.parametrize("path", PATHS)
def test_a_call_is_answered(server: Live, path: str) -> None:
    said = server.ask("POST", path, body("double", session_hash="x" * 10_000_000), JSON)
    assert (said.status, said.json) == (200, {"twice": 42})
    assert said.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "sent", [b"", b"{", b"[]", b"7", b'{"fn_name": []}', b"[" * 100_000, b"\xff", body("__class__"), body("")]
)
def test_what_is_no_call_is_refused(server: Live, sent: bytes) -> None:
    said = server.ask("POST", PATHS[0], sent, JSON)
    assert (said.status, said.json["kind"]) == (400, "usage")


@pytest.mark.parametrize("kind", [FORM, "text/plain", "application/x-www-form-urlencoded", ""])
def test_what_another_sites_page_could_send_unasked_is_refused(server: Live, kind: str) -> None:
    sent = form(b"picture") if kind == FORM else body("double")
    assert server.ask("POST", PATHS[0], sent, {"Content-Type": kind}).status == 415


def test_a_fault_of_ours_is_told_without_its_words(server: Live) -> None:
    said = server.ask("POST", PATHS[0], body("broken"), JSON)
    assert said.status == 200
    assert "secret" not in said.json["error"]["message"]


def test_more_that_wait_than_there_are_common_threads_do_not_keep_the_next_visitor_waiting(server: Live) -> None:
    asking = [threading.Thread(target=server.ask, args=("POST", PATHS[0], body("held"), JSON)) for _ in range(50)]
    for thread in asking:
        thread.start()
    try:
        until(lambda: sum(each.name.startswith("AnyIO") for each in threading.enumerate()) >= 50)
        assert server.ask("GET", "/page/file").status == 200
        assert server.ask("POST", PATHS[0], body("double"), JSON).json == {"twice": 42}
    finally:
        ENDED.set()
        for thread in asking:
            thread.join()


def test_an_answer_is_json_and_a_name_is_looked_up_and_nothing_more() -> None:
    assert answer_bytes({"double": double}, body("double", 1)) == b'{"twice": 2}'
    with pytest.raises(UsageError):
        answer_bytes({"double": double}, body("double.__globals__"))
