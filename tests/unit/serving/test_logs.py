"""Log records as JSON lines."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator
from io import StringIO

import pytest

from artnet.serving.logs import LOGGERS, JsonLines, write_logs


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    known = [(logger, logger.handlers, logger.level, logger.propagate) for logger in map(logging.getLogger, LOGGERS)]
    yield
    for logger, handlers, level, propagate in known:
        logger.handlers, logger.propagate = handlers, propagate
        logger.setLevel(level)


def test_a_record_is_one_line_of_json_with_its_fields() -> None:
    stream = StringIO()
    write_logs(logging.INFO, stream)
    logging.getLogger("artnet.serving.middleware.access_log").info("two\nlines", extra={"fields": {"status": 200}})
    [line] = stream.getvalue().splitlines()
    entry = json.loads(line)
    assert (entry["message"], entry["status"], entry["level"]) == ("two\nlines", 200, "info")
    assert entry["time"].endswith("+00:00")


def test_an_exception_brings_its_traceback() -> None:
    try:
        raise ValueError("broken")
    except ValueError:
        record = logging.getLogger("x").makeRecord("x", logging.ERROR, "f", 1, "failed", (), sys.exc_info())
    assert "ValueError: broken" in json.loads(JsonLines().format(record))["traceback"]


def test_what_lies_under_the_level_is_not_written() -> None:
    stream = StringIO()
    write_logs(logging.WARNING, stream)
    logging.getLogger("artnet.serving.middleware.access_log").info("request")
    logging.getLogger("uvicorn.error").info("started")
    assert not stream.getvalue()
