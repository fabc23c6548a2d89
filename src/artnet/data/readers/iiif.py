"""Read a IIIF manifest or collection as a collection of paintings, by what its manifests say to people.

Knows nothing about tables, nor about what a style means.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from artnet.data.catalog import Record
from artnet.fetch.http import is_url
from artnet.fetch.retry import fetch_with_retry
from artnet.sources.find import check_web
from artnet.sources.iiif import iiif_canvases
from artnet.sources.item import SourceRules, UnreadableLocation
from artnet.sources.stores import address_rules, open_file

# The labels under which museums' manifests say it, the first that is there counts; IIIF itself fixes none.
STYLES = ("style", "movement", "art movement", "style / movement")
ARTISTS = ("artist", "painter", "creator", "maker", "artist/maker", "artist / maker", "author")
DATES = ("date", "date created", "created", "year")
_DOCUMENT_BYTES = 32 * 2**20


def read_iiif(location: str, rules: SourceRules) -> Iterator[Record]:
    """Give a record for each canvas; a part that is missing or broken is a record that cannot be read.

    Errors: `SourceError` where there is no such document.
    """
    if is_url(location):
        check_web(location)
        data = fetch_with_retry(location, address_rules(rules)).data
    else:
        with open_file(location) as file:
            data = file.read(_DOCUMENT_BYTES)
    for canvas in iiif_canvases(location, data, rules):
        yield Record(
            source=canvas.name,
            location=canvas.location if canvas.error is None else UnreadableLocation(canvas.error),
            style=_first(canvas.metadata, STYLES) or "",
            artist=_first(canvas.metadata, ARTISTS),
            title=canvas.title or canvas.label,
            date=_first(canvas.metadata, DATES),
        )


def _first(facts: Mapping[str, str], labels: tuple[str, ...]) -> str | None:
    return next((facts[label] for label in labels if label in facts), None)
