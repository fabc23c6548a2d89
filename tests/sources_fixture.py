"""What the tests of sources share: the pictures that are found in an archive, and what becomes of reading them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from artnet.errors import ArtNetError
from artnet.found import Found, SourceRules
from artnet.sources import find_pictures


def found(path: Path, data: bytes, rules: SourceRules | None = None) -> list[Found]:
    """Write an archive and find its pictures."""
    path.write_bytes(data)
    return list(find_pictures([str(path)], rules or SourceRules()))


def kinds(pictures: Iterable[Found]) -> list[str]:
    """Read each picture: "read", or the kind of its error."""
    answers = []
    for one in pictures:
        try:
            one.read()
            answers.append("read")
        except ArtNetError as error:
            answers.append(error.kind)
    return answers
