"""Whatever the API's document allows, and what it does not: never a fault of the server, always as documented."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, reject, settings
from hypothesis import strategies as st
from PIL import Image
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from artnet.attribution.methods import Sampling
from artnet.model.classifier import Classifier
from artnet.serving.api.openapi import document
from artnet.serving.api.state import ApiSettings
from artnet.serving.work_queue import QueueLimits
from fixtures.serving import Live, live, png

CHECKS = [status_code_conformance, content_type_conformance, response_schema_conformance]
PICTURES = [png(Image.new("RGB", size, "teal")) for size in ((1, 1), (40, 30), (3, 200))]
POSITIVE, NEGATIVE = schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE
PATHS = (
    *("classify", "explain", "what-if", "properties", "faithfulness", "channels", "similar", "report", "fetch"),
    "table",
)
QUESTIONS = [  # what nothing can be wrong about cannot be asked wrongly
    *((f"/v1/{name}", "POST", POSITIVE, 15) for name in PATHS),
    *((f"/v1/{name}", "POST", NEGATIVE, 40) for name in PATHS),
    ("/v1/model", "GET", POSITIVE, 5),
    ("/healthz", "GET", POSITIVE, 5),
]
THIN = Sampling(masks=4, channels=1, steps=2, samples=2, squares=2)


@pytest.fixture(scope="module")
def server(exported: Path) -> Iterator[Live]:
    """A server of a tiny model: what is asked matters here, not how long it is thought about."""
    classifier = Classifier.load(exported, precision="f32")
    resolve = socket.getaddrinfo

    def nobody(host: str, *rest: object, **more: object) -> object:
        if host == "127.0.0.1":
            return resolve(host, *rest, **more)  # type: ignore[arg-type]
        raise socket.gaierror(socket.EAI_NONAME, "tests ask no resolver")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("socket.getaddrinfo", nobody)
        settings_ = ApiSettings(allow_urls=True, sampling=THIN, ascent_steps=2)
        with live(classifier, settings_, QueueLimits(concurrency=2, queue_size=8, timeout_s=20)) as found:
            yield found


@st.composite
def judged(draw: st.DrawFn, cases: st.SearchStrategy[schemathesis.Case]) -> schemathesis.Case:
    """Leave out the cases of which schemathesis cannot tell whether bytes break a schema that it has mutated."""
    try:
        return draw(cases)
    except ValueError as error:
        if "Unsupported type: 'Binary'" not in str(error):
            raise
        reject()


@pytest.mark.parametrize(("path", "method", "mode", "count"), QUESTIONS)
def test_no_request_makes_a_fault(
    server: Live, path: str, method: str, mode: schemathesis.GenerationMode, count: int
) -> None:
    cut = st.builds(lambda data, length: data[:length], st.sampled_from(PICTURES), st.integers(0, 300))
    schemathesis.openapi.format("binary", st.one_of(st.sampled_from(PICTURES), cut, st.binary(max_size=64)))
    operation = schemathesis.openapi.from_dict(document(server.api))[path][method]

    @given(case=judged(operation.as_strategy(generation_mode=mode)))
    @settings(
        max_examples=count, deadline=None, phases=[Phase.generate], suppress_health_check=[*HealthCheck], database=None
    )
    def ask(case: schemathesis.Case) -> None:
        response = case.call(base_url=f"http://127.0.0.1:{server.port}")
        assert response.status_code != 500
        case.validate_response(response, checks=CHECKS)

    ask()
