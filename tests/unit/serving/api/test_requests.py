"""Forms read in memory, JSON read as a form, and file names made safe to show."""

from __future__ import annotations

import asyncio
import json
import tempfile

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import FormData, UploadFile
from starlette.types import Message

from artnet.errors import FormatError, UsageError
from artnet.serving.api.requests import FormRequest, display_name
from artnet.serving.middleware.limits import FORM_FIELD_BYTES, FORM_FIELDS, FORM_FILES
from fixtures.serving import BOUNDARY, FORM, form

LIMITS = {"max_files": FORM_FILES, "max_fields": FORM_FIELDS, "max_part_size": FORM_FIELD_BYTES}
WALL = f"--{BOUNDARY}\r\n".encode()
END = f"--{BOUNDARY}--\r\n".encode()


def parsed(body: bytes, content_type: str = FORM) -> FormData:
    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    scope = {"type": "http", "method": "POST", "headers": [(b"content-type", content_type.encode())]}
    return asyncio.run(FormRequest(scope, receive).form(**LIMITS))


def file_in(form_data: FormData) -> tuple[str | None, bytes]:
    upload = form_data["file"]
    assert isinstance(upload, UploadFile)
    with upload.file as file:
        return upload.filename, file.read()


@given(st.binary(max_size=300), st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=20))
def test_a_file_and_a_field_come_back_whatever_they_hold(data: bytes, text: str) -> None:
    found = parsed(form(data, views=text))
    assert found["views"] == text
    assert file_in(found) == ("a.png", data)


def test_a_large_file_never_reaches_a_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere")
    assert file_in(parsed(form(bytes(3 * 2**20)))) == ("a.png", bytes(3 * 2**20))


def test_names_in_other_letters_are_read() -> None:
    body = WALL + 'Content-Disposition: form-data; name="file"; filename="Мане.jpg"\r\n\r\nabc\r\n'.encode() + END
    assert file_in(parsed(body)) == ("Мане.jpg", b"abc")


@pytest.mark.parametrize(
    ("parameters", "name"),
    [
        ("filename*=UTF-8''Man%C3%A9%20%22x%22.jpg", 'Man\u00e9 "x".jpg'),
        ("filename*=iso-8859-1'en'Man%E9.jpg", "Man\u00e9.jpg"),
        ("filename=\"plain.jpg\"; filename*=UTF-8''Man%C3%A9.jpg", "plain.jpg"),
    ],
)
def test_a_name_in_the_extended_form_counts_where_it_stands_alone(parameters: str, name: str) -> None:
    body = WALL + f'Content-Disposition: form-data; name="file"; {parameters}\r\n\r\nabc\r\n'.encode() + END
    assert file_in(parsed(body)) == (name, b"abc")


@pytest.mark.parametrize("preamble", [b"This is a form.\r\n", b"\r\n", f"see --{BOUNDARY}, below\r\n".encode()])
def test_what_stands_before_the_first_boundary_is_passed_over(preamble: bytes) -> None:
    assert file_in(parsed(preamble + form(b"abc"))) == ("a.png", b"abc")


def test_a_form_without_its_boundary_is_refused() -> None:
    with pytest.raises(UsageError, match="the form cannot be read"):
        parsed(b"This is no form.\r\n")


def test_a_form_cut_anywhere_is_refused() -> None:
    whole = form(b"abc", views="all")
    for length in range(len(whole) - 4):
        with pytest.raises(UsageError, match="form"):
            parsed(whole[:length])


@pytest.mark.parametrize(
    ("content_type", "body", "reason"),
    [
        ("multipart/form-data", form(b"x"), "Missing boundary"),
        ("multipart/form-data; boundary=other", form(b"x"), "Invalid multipart data"),
        (FORM, b"", "cut short"),
        (FORM, b"nonsense", "Invalid multipart data"),
        (FORM, WALL + b"Content-Type: text/plain\r\n\r\nx\r\n" + END, '"name" must be provided'),
        (FORM, (WALL + b'Content-Disposition: form-data; name="a"\r\n\r\nx\r\n') * 50 + END, "Too many fields"),
        (FORM, (WALL + b'Content-Disposition: form-data; name="file"; filename="a"\r\n\r\nx\r\n') * 2 + END,
         "Too many files"),
        (FORM, form(b"x", views="y" * 9000), "Part exceeded maximum size of 8KB"),
    ],
)  # fmt: skip
def test_what_is_no_form_is_refused_in_words(content_type: str, body: bytes, reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        parsed(body, content_type)


def test_json_is_read_as_a_form() -> None:
    found = parsed(b'{"url": "https://example.org/a.jpg", "depth": 7}', "application/json; charset=utf-8")
    assert dict(found) == {"url": "https://example.org/a.jpg", "depth": 7}


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"[" * 60_000, b"[1]", b"3"])
def test_json_that_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(UsageError, match="not a JSON object"):
        parsed(body, "application/json")


def test_json_that_is_too_long_is_refused() -> None:
    with pytest.raises(UsageError, match="longer than 64 kB"):
        parsed(json.dumps({"url": "http://x/" + "a" * 70_000}).encode(), "application/json")


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/x-www-form-urlencoded", "image/png"])
def test_other_types_of_body_are_refused(content_type: str) -> None:
    with pytest.raises(FormatError, match="multipart/form-data"):
        parsed(form(b"x"), content_type)


@pytest.mark.parametrize("name", ["../../etc/passwd", "C:\\x\\passwd", "passwd", "/passwd", "x/\u202epasswd"])
def test_of_a_files_name_only_the_last_part_is_kept_and_only_what_can_be_shown(name: str) -> None:
    assert display_name(name) in ("passwd", "?passwd")
    assert display_name(None) == ""
    assert len(display_name("a" * 1000)) == 200
