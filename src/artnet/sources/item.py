"""What a source yields: an item's name and the location of its bytes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from artnet.errors import ArtNetError, SourceError
from artnet.imaging.decode import DEFAULT_LIMITS, Limits


@dataclass(frozen=True)
class SourceRules:
    """How sources are read: what it may cost, which servers it may contact, and what archives do not say themselves.

    Attributes:
        timeout_s: for one fetch, redirects included
        shorter_side_px: what the views need of an image, requested from servers that scale images (IIIF)
        zip_encoding: of names in zip archives that neither declare an encoding nor are UTF-8
    """

    limits: Limits = DEFAULT_LIMITS
    allow_private: bool = False
    timeout_s: float = 30.0
    shorter_side_px: int = 1024
    zip_encoding: str = "cp437"


DEFAULT_RULES = SourceRules()


def needed_side(size_px: int, regions: bool = True) -> int:
    """Return how many pixels the shorter side of an image needs for views of `size_px`.

    For the whole view three times its side: over 23 images of 720 px and more, scaled and saved as JPEG of quality
    85, the largest change of one of the embedded model's scores was 0.056 on average at the side itself, 0.012 at twice
    and 0.004 at three times.
    A region is cut at the image's own resolution, so no size gives what the full one does; at four times the side,
    a thousand pixels, it shows a quarter of the shorter side, as in the web copies of which collections for training
    are made.
    """
    return size_px * (4 if regions else 3)


class Location(Protocol):
    """Where an image's bytes lie: small, picklable, without an open file."""

    @property
    def path(self) -> str:
        """Return the path or address of the file that holds them; empty where they lie in memory."""
        ...

    def read(self, name: str, rules: SourceRules) -> bytes:
        """Read the bytes.

        Args:
            name: what errors call the image
            rules: limits of size and time, and which servers may be contacted

        Raises:
            ArtNetError: if they cannot be read, or not within the rules
        """
        ...


@dataclass(frozen=True)
class InMemory:
    """Bytes that travel with their item, from where only reading from the front leads."""

    data: bytes
    path: str = ""

    def read(self, name: str, rules: SourceRules) -> bytes:
        """Return the bytes."""
        return self.data


@dataclass(frozen=True, slots=True)
class SourceItem:
    """One image that a source names or, with `error`, a source or a part of one that yields none.

    What is passed over, hidden or left by a system, is an item with `is_hidden`; `find_items` counts and drops those.
    Two different images never share a `name`; an image that is named twice is yielded twice. `label` and `id` are
    those of a IIIF canvas or of a row of a list.
    """

    name: str
    location: Location | None = None
    error: ArtNetError | None = None
    label: str | None = None
    id: str | None = None
    is_hidden: bool = False

    def read(self, rules: SourceRules = DEFAULT_RULES) -> bytes:
        """Read the bytes, in any thread, process or machine that sees the same files and addresses.

        Raises:
            ArtNetError: `error` where there is one, or whatever keeps the bytes from being read
        """
        if self.error is not None:
            raise self.error
        if self.location is None:
            raise SourceError(f"{self.name}: nothing says where its bytes lie")
        return self.location.read(self.name, rules)


def printable(text: str) -> str:
    """Return text with the bytes of a file name that are not UTF-8 as escapes, since JSON and Arrow have none."""
    return text.encode("utf-8", "backslashreplace").decode()


class UniqueNames:
    """Names of one container's items, told apart by position where one repeats."""

    def __init__(self) -> None:
        self._names: set[str] = set()

    def unique(self, name: str, position: int) -> str:
        """Return `name` the first time, afterwards with its position in the container.

        >>> names = UniqueNames()
        >>> [names.unique(name, position) for position, name in enumerate(["a", "b", "a"])]
        ['a', 'b', 'a#2']
        """
        unique = f"{name}#{position}" if name in self._names else name
        self._names.add(unique)
        return unique
