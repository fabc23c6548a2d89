"""Take a form with files (multipart/form-data, RFC 7578) apart, in memory.

Knows nothing about which fields there should be; no temporary file is ever written.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from artnet.errors import UsageError

_PARTS = 40
_TEXT_BYTES = 8 * 1024


@dataclass(frozen=True)
class Part:
    """One field of a form; `file_name` is None where it is no file."""

    name: str
    file_name: str | None
    data: bytes

    @property
    def text(self) -> str:
        """Give a field's text; bytes that are no UTF-8 are shown as such."""
        return _text(self.data)


def parts_of(content_type: str, body: bytes) -> list[Part]:
    """Take a form's body apart. Errors: `UsageError` for one that is broken, cut short, or holds too many parts."""
    boundary = parse_options_header(content_type)[1].get(b"boundary")
    if not boundary:
        raise UsageError("the form has no boundary in its Content-Type; let your HTTP library write that header")
    reader = _Reader()
    try:
        parser = MultipartParser(boundary, reader.callbacks())  # type: ignore[arg-type]
        parser.write(body)
        parser.finalize()
    except FormParserError as error:
        raise UsageError(f"the form cannot be read ({error}); send multipart/form-data") from None
    if not reader.ended:
        raise UsageError("the form is cut short; send all of it")
    return reader.parts


class _Reader:
    """What the parser has come across so far."""

    def __init__(self) -> None:
        self.parts: list[Part] = []
        self.ended = False
        self._field = self._value = b""
        self._disposition: dict[bytes, bytes] = {}
        self._data: list[bytes] = []

    def callbacks(self) -> dict[str, Callable[..., None]]:
        """Name what the parser calls."""
        names = ("part_begin", "part_data", "part_end", "header_field", "header_value", "header_end", "end")
        return {f"on_{name}": getattr(self, f"on_{name}") for name in names}

    def on_part_begin(self) -> None:
        """Begin a field."""
        if len(self.parts) == _PARTS:
            raise UsageError(f"the form has more than {_PARTS} fields; send fewer")
        self._disposition, self._data = {}, []

    def on_header_field(self, data: bytes, start: int, end: int) -> None:
        """Take a piece of a header's name."""
        self._field += data[start:end]

    def on_header_value(self, data: bytes, start: int, end: int) -> None:
        """Take a piece of its value."""
        self._value += data[start:end]

    def on_header_end(self) -> None:
        """Keep the one header that counts here."""
        if self._field.lower() == b"content-disposition":
            self._disposition = parse_options_header(self._value)[1]
        self._field = self._value = b""

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        """Take a piece of a field's content."""
        self._data.append(data[start:end])

    def on_part_end(self) -> None:
        """Keep a field that is whole."""
        name = self._disposition.get(b"name")
        if name is None:
            raise UsageError("a field of the form has no name; let your HTTP library write the form")
        file_name = self._disposition.get(b"filename")
        data = b"".join(self._data)
        if file_name is None and len(data) > _TEXT_BYTES:
            raise UsageError(
                f"a field of the form is longer than {_TEXT_BYTES // 1024} kB; send files with a file name"
            )
        self.parts.append(Part(_text(name), None if file_name is None else _text(file_name), data))

    def on_end(self) -> None:
        """Note that the form is whole."""
        self.ended = True


def _text(data: bytes) -> str:
    return data.decode("utf-8", errors="replace")
