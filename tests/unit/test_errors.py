"""One tree of errors, and one way to say why something failed."""

from __future__ import annotations

import re

import pytest

from artnet import errors
from artnet.errors import ArtNetError, reason


def test_the_tree_in_the_docstring_has_every_error_with_its_codes() -> None:
    drawn = {
        name: (int(exit_code), int(status))
        for name, exit_code, status in re.findall(r"── (\w+)[\s│]+(\d+)  (\d{3})  ", errors.__doc__ or "")
    }
    classes = {each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, ArtNetError)}
    assert drawn == {each.__name__: (each.exit_code, each.http_status) for each in classes - {ArtNetError}}


def test_every_error_that_a_record_names_has_a_kind_of_its_own() -> None:
    subclasses = [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, ArtNetError)]
    kinds = [each.__dict__["kind"] for each in subclasses if "kind" in each.__dict__]
    assert len(set(kinds)) == len(kinds)


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (OSError(28, "No space left on device"), "No space left on device"),
        (OSError("[Errno -2] Name or service not known"), "Name or service not known"),
        (ValueError("first line\nsecond line"), "first line"),
        (RuntimeError("Exception from a.cpp:1:\nException from b.cpp:2:\nno such operator"), "no such operator"),
        (RuntimeError("only announced:"), "only announced"),
        (ValueError("  spread \t out.  "), "spread out"),
        (KeyError(), "KeyError"),
    ],
)
def test_the_reason_is_one_line(error: Exception, line: str) -> None:
    assert reason(error) == line


def test_the_reason_of_a_silent_error_is_the_class_of_its_cause() -> None:
    try:
        raise RuntimeError from TimeoutError()
    except RuntimeError as error:
        assert reason(error) == "TimeoutError"


def test_a_long_reason_is_cut_to_its_limit() -> None:
    assert reason(ValueError("x" * 500), limit=20) == "x" * 19 + "…"
