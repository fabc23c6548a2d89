"""Forms taken apart in memory."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from artnet.errors import UsageError
from artnet.serving.api.forms import Part, parts_of
from fixtures.serving import BOUNDARY, FORM, form

WALL = f"--{BOUNDARY}\r\n".encode()
END = f"--{BOUNDARY}--\r\n".encode()


@given(st.binary(max_size=300), st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=20))
def test_a_file_and_a_field_come_back_whatever_they_hold(data: bytes, text: str) -> None:
    expected = [Part("views", None, text.encode()), Part("file", "a.png", data)]
    assert parts_of(FORM, form(data, views=text)) == expected


def test_names_in_other_letters_are_read() -> None:
    body = WALL + 'Content-Disposition: form-data; name="file"; filename="Мане.jpg"\r\n\r\nabc\r\n'.encode() + END
    assert parts_of(FORM, body) == [Part("file", "Мане.jpg", b"abc")]


def test_a_form_cut_anywhere_is_refused() -> None:
    whole = form(b"abc", views="all")
    for length in range(len(whole) - 4):
        with pytest.raises(UsageError, match="form"):
            parts_of(FORM, whole[:length])


@pytest.mark.parametrize(
    ("content_type", "body", "reason"),
    [
        ("multipart/form-data", form(b"x"), "no boundary"),
        ("multipart/form-data; boundary=", form(b"x"), "no boundary"),
        ("multipart/form-data; boundary=other", form(b"x"), "cannot be read"),
        ("multipart/form-data; boundary=" + "x" * 500, b"", "cannot be read"),
        (FORM, b"", "cut short"),
        (FORM, b"nonsense", "cannot be read"),
        (FORM, WALL + b"Content-Type: text/plain\r\n\r\nx\r\n" + END, "has no name"),
        (FORM, WALL + b"X: y\r\n" * 500 + b"\r\nx\r\n" + END, "cannot be read"),
        (FORM, WALL + b"X: " + b"y" * 100_000 + b"\r\n\r\nx\r\n" + END, "cannot be read"),
        (FORM, (WALL + b'Content-Disposition: form-data; name="a"\r\n\r\nx\r\n') * 50 + END, "more than 40 fields"),
        (FORM, form(b"x", views="y" * 9000), "longer than 8 kB"),
    ],
)
def test_what_is_no_form_is_refused_in_words(content_type: str, body: bytes, reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        parts_of(content_type, body)
