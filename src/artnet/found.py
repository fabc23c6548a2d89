"""Say what a source yields: a picture's name and how its bytes are read, here, in another process or elsewhere.

Knows nothing about files, archives or addresses: each kind of place reads itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from artnet.errors import ArtNetError, SourceError
from artnet.image import DEFAULT_LIMITS, Limits


@dataclass(frozen=True)
class SourceRules:
    """What reading may cost and where it may go; it travels with every picture that is found.

    `timeout_s` is for one answer of a server; `shorter_side_px` is what is asked of servers that scale pictures
    (IIIF): the shorter side, in pixels, that the views need.
    """

    limits: Limits = DEFAULT_LIMITS
    allow_private: bool = False
    timeout_s: float = 30.0
    shorter_side_px: int = 1024


DEFAULT_RULES = SourceRules()


class Place(Protocol):
    """Where a picture's bytes lie: small, picklable, and no open file."""

    def read(self, name: str, rules: SourceRules) -> bytes:
        """Read the bytes; `name` is what errors call the picture. Errors: an `ArtNetError`."""
        ...


@dataclass(frozen=True)
class Bytes:
    """Bytes that travel themselves, since they lay where only reading from the beginning leads."""

    data: bytes

    def read(self, name: str, rules: SourceRules) -> bytes:
        """Give them."""
        return self.data


@dataclass(frozen=True)
class Found:
    """One picture that a source names, or, with `error`, a source or a part of one that yields none.

    Two different pictures never share a `name`; a picture that is named twice is found twice. `label` and `id` are
    those of a IIIF canvas.
    """

    name: str
    place: Place | None = None
    rules: SourceRules = DEFAULT_RULES
    label: str | None = None
    id: str | None = None
    error: ArtNetError | None = None

    def read(self) -> bytes:
        """Read the picture's bytes, in any thread, process or machine that sees the same files and addresses.

        Errors: an `ArtNetError`, the one in `error` where there is no picture.
        """
        if self.error is not None:
            raise self.error
        if self.place is None:
            raise SourceError(f"{self.name}: nothing says where its picture lies")
        return self.place.read(self.name, self.rules)
