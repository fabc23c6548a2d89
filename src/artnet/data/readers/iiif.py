"""IIIF manifests and collections as catalogs of paintings, by what manifests say to people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from artnet.data.catalog import Record
from artnet.data.readers.collection import Collection
from artnet.sources.find import read_document
from artnet.sources.iiif import iiif_canvases
from artnet.sources.item import SourceRules

# The labels under which museums' manifests say it, the first that is there counts; IIIF itself fixes none.
STYLES = ("style", "movement", "art movement", "style / movement")
ARTISTS = ("artist", "painter", "creator", "maker", "artist/maker", "artist / maker", "author")
DATES = ("date", "date created", "created", "year")


def read_iiif(document: Collection, rules: SourceRules) -> Iterator[Record]:
    """Yield a record for each canvas; one that is missing or broken has an error.

    Raises:
        SourceError: if there is no such document
    """
    data = read_document(document.path, rules)
    for canvas in iiif_canvases(document.path, data, rules):
        yield Record(
            source=canvas.name,
            location=canvas.location,
            style=_first(canvas.metadata, STYLES) or "",
            artist=_first(canvas.metadata, ARTISTS),
            title=canvas.title or canvas.label,
            date=_first(canvas.metadata, DATES),
            error=canvas.error,
        )


def _first(facts: Mapping[str, str], labels: tuple[str, ...]) -> str | None:
    return next((facts[label] for label in labels if label in facts), None)
