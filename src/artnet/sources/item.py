"""Say what a source yields: a picture's name and how its bytes are read, here, in another process or elsewhere.

Knows nothing about files, archives or addresses: each kind of place reads itself.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import blake2b
from typing import Protocol

from artnet.errors import ArtNetError, SourceError
from artnet.imaging.decode import DEFAULT_LIMITS, SUFFIXES, Limits

_SEPARATORS = re.compile(r"[/\\]")  # archives made on Windows hold both


@dataclass(frozen=True)
class SourceRules:
    """What reading may cost and where it may go.

    `timeout_s` is for one answer of a server; `shorter_side_px` is what is asked of servers that scale pictures
    (IIIF): the shorter side, in pixels, that the views need.
    """

    limits: Limits = DEFAULT_LIMITS
    allow_private: bool = False
    timeout_s: float = 30.0
    shorter_side_px: int = 1024


DEFAULT_RULES = SourceRules()


def needed_side(size_px: int, regions: bool = True) -> int:
    """Say how many pixels the shorter side of a picture needs that is made for views of `size_px`.

    For the whole view three times its side: over 23 pictures of 720 px and more, scaled and saved as JPEG of quality
    85, the largest change of one of the embedded model's scores was 0.056 on average at the side itself, 0.012 at twice
    and 0.004 at three times.
    A region is cut at the picture's own resolution, so no size gives what the full one does; at four times the side,
    a thousand pixels, it shows a quarter of the shorter side, as in the web copies of which collections for training
    are made.
    """
    return size_px * (4 if regions else 3)


class Location(Protocol):
    """Where a picture's bytes lie: small, picklable, and no open file."""

    @property
    def path(self) -> str:
        """Return the path or address of the file in which they lie."""
        ...

    def read(self, name: str, rules: SourceRules) -> bytes:
        """Read the bytes; `name` is what errors call the picture. Errors: an `ArtNetError`."""
        ...


@dataclass(frozen=True)
class InMemory:
    """Bytes that travel themselves, since they lay where only reading from the beginning leads."""

    data: bytes
    path: str = ""

    def read(self, name: str, rules: SourceRules) -> bytes:
        """Give them."""
        return self.data


@dataclass(frozen=True)
class UnreadableLocation:
    """A place of which it is known already that it gives nothing, and why."""

    error: ArtNetError
    path: str = ""

    def read(self, name: str, rules: SourceRules) -> bytes:
        """Raise the error."""
        raise self.error


@dataclass(frozen=True)
class SourceItem:
    """One picture that a source names, or, with `error`, a source or a part of one that yields none.

    Two different pictures never share a `name`; a picture that is named twice is found twice. `label` and `id` are
    those of a IIIF canvas.
    """

    name: str
    location: Location | None = None
    error: ArtNetError | None = None
    label: str | None = None
    id: str | None = None

    def read(self, rules: SourceRules = DEFAULT_RULES) -> bytes:
        """Read the picture's bytes, in any thread, process or machine that sees the same files and addresses.

        Errors: an `ArtNetError`, the one in `error` where there is no picture.
        """
        if self.error is not None:
            raise self.error
        if self.location is None:
            raise SourceError(f"{self.name}: nothing says where its picture lies")
        return self.location.read(self.name, rules)


class Names:
    """Tell apart the names of one container that come more than once, in four megabytes however many there are.

    A Bloom filter (Bloom, "Space/time trade-offs in hash coding with allowable errors", 1970) with eight bits a name:
    among a million names four in a million are taken for known ones, and merely get their position as well.
    """

    _BITS = 2**25

    def __init__(self) -> None:
        self._seen = bytearray(self._BITS // 8)

    def distinct(self, name: str, position: int) -> str:
        """Give the name itself the first time, afterwards the name with its position in the container."""
        digest = blake2b(name.encode("utf-8", "surrogatepass"), digest_size=32).digest()
        known = True
        for start in range(0, 32, 4):
            place, bit = divmod(int.from_bytes(digest[start : start + 4], "big") % self._BITS, 8)
            known = known and bool(self._seen[place] >> bit & 1)
            self._seen[place] |= 1 << bit
        return f"{name}#{position}" if known else name


def is_image_name(name: str) -> bool:
    """Go by a name's ending; hidden files and what macOS adds to archives are none."""
    hidden = any(
        (part.startswith(".") and part not in (".", "..")) or part == "__MACOSX" for part in _SEPARATORS.split(name)
    )
    return not hidden and name[name.rfind(".") :].lower() in SUFFIXES
