"""A request's picture and fields, read and checked."""

from __future__ import annotations

import json

import pytest

from artnet.errors import FieldsError, FormatError, UsageError
from artnet.serving.api.requests import asked_by_form, asked_by_json, is_form
from artnet.serving.api.schemas import ClassifyFields, ExplainFields
from fixtures.serving import BOUNDARY, FORM, form

HEAD = f"--{BOUNDARY}\r\nContent-Disposition: form-data; ".encode()
END = f"--{BOUNDARY}--\r\n".encode()


def test_a_form_gives_a_picture_its_name_and_fields() -> None:
    asked = asked_by_form(FORM, form(b"abc", depth="7", against="true", opacity="0.5", movement=""), ExplainFields)
    assert (asked.data, asked.name) == (b"abc", "a.png")
    assert (asked.fields.depth, asked.fields.against, asked.fields.opacity) == (7, True, 0.5)
    assert asked.fields.movement is None  # an empty field is one that was left out


def test_json_gives_an_address_and_fields() -> None:
    asked = asked_by_json(b'{"url": "https://example.org/a.jpg", "depth": "auto", "values": true}', ExplainFields)
    assert (asked.name, asked.fields.depth, asked.fields.values) == ("https://example.org/a.jpg", "auto", True)


@pytest.mark.parametrize("name", ["../../etc/passwd", "C:\\x\\passwd", "passwd", "/passwd", "x/\u202epasswd"])
def test_of_a_files_name_only_the_last_part_is_kept_and_only_what_can_be_shown(name: str) -> None:
    body = HEAD + f'name="file"; filename="{name}"\r\n\r\nabc\r\n'.encode() + END
    assert asked_by_form(FORM, body, ClassifyFields).name in ("passwd", "?passwd")


@pytest.mark.parametrize(
    ("part", "reason"),
    [
        (b'name="other"; filename="a"\r\n\r\nabc\r\n', "in the field 'other'"),
        (b'name="file"\r\n\r\nabc\r\n', "holds a text"),
        (b'name="views"\r\n\r\nall\r\n', "no picture"),
    ],
)
def test_a_form_without_its_picture_says_where_to_put_it(part: bytes, reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        asked_by_form(FORM, HEAD + part + END, ClassifyFields)


def test_what_is_given_twice_is_refused() -> None:
    one = HEAD + b'name="file"; filename="a"\r\n\r\nabc\r\n'
    with pytest.raises(UsageError, match="more than one file"):
        asked_by_form(FORM, one + one + END, ClassifyFields)
    two = HEAD + b'name="views"\r\n\r\nall\r\n'
    with pytest.raises(UsageError, match="given twice"):
        asked_by_form(FORM, two + two + one + END, ClassifyFields)


@pytest.mark.parametrize(
    "fields",
    [{"depth": "0"}, {"depth": "10"}, {"depth": "deepest"}, {"opacity": "nan"}, {"opacity": "2"}, {"side_px": "9999"},
     {"against": "perhaps"}, {"seed": "-1"}, {"answer": "pdf"}, {"unknown": "1"}],
)  # fmt: skip
def test_fields_that_do_not_fit_are_named(fields: dict[str, str]) -> None:
    with pytest.raises(FieldsError) as caught:
        asked_by_form(FORM, form(b"abc", **fields), ExplainFields)
    assert {fault["field"].split(".")[0] for fault in caught.value.faults} == set(fields)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[" * 60_000, "not JSON"),
        (b"[1]", "not an object"),
        (b"{}", "no address"),
        (b'{"url": 3}', "no address"),
        (b'{"url": ""}', "no address"),
        (json.dumps({"url": "http://x/" + "a" * 70_000}).encode(), "longer than 64 kB"),
    ],
)
def test_json_that_cannot_be_meant_is_refused_in_words(body: bytes, reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        asked_by_json(body, ClassifyFields)


def test_json_is_taken_by_the_letter() -> None:
    with pytest.raises(FieldsError, match="against"):
        asked_by_json(b'{"url": "http://x", "against": "true"}', ExplainFields)


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/x-www-form-urlencoded", "image/png"])
def test_other_types_of_body_are_refused(content_type: str) -> None:
    with pytest.raises(FormatError, match="multipart/form-data"):
        is_form(content_type)
    assert is_form("Multipart/Form-Data; boundary=x")
    assert not is_form("application/json; charset=utf-8")
