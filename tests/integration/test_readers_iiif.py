"""A IIIF collection is a collection of paintings: its manifests' metadata say the style, or a table does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from artnet.data.catalog import Record, RecordReader
from artnet.data.readers.detect import read_catalog
from artnet.errors import ArtNetError, DataError
from fixtures.web import (
    HERE,
    ImageService,
    Site,
    body_3,
    collection_3,
    jpeg,
    manifest_2,
    manifest_3,
    reference_3,
    resource_2,
    serving,
)


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as site:
        yield site


def metadata(**facts: str) -> list[dict[str, Any]]:
    """Metadata in the shape of version 3."""
    return [{"label": {"en": [label.capitalize()]}, "value": {"en": [value]}} for label, value in facts.items()]


def words(record: Record) -> tuple[str | None, ...]:
    return record.style, record.artist, record.title, record.date


def test_the_metadata_of_version_3_names_style_artist_and_date(site: Site) -> None:
    facts = metadata(style="Cubism", artist="Juan Gris", date="1919", medium="oil")
    address = site.put("/m", manifest_3(f"{site.url}/m", [body_3(ImageService().put(site, "/i"))], metadata=facts))
    catalog = read_catalog(address, rules=HERE)
    (record,) = catalog.records
    assert catalog.kind == "iiif"
    assert words(record) == ("Cubism", "Juan Gris", "A painting", "1919")
    assert record.source == f"{site.url}/m/canvas/1"
    with RecordReader(HERE) as reader:
        assert reader.read(record).startswith(b"\xff\xd8")


def test_the_metadata_of_version_2_says_the_same(site: Site) -> None:
    facts = [
        {"label": "Movement:", "value": "<span>Cubism</span>"},
        {"label": [{"@value": "Creator", "@language": "en"}], "value": ["Juan Gris"]},
    ]
    address = site.put("/m", manifest_2(f"{site.url}/m", [resource_2(f"{site.url}/i")], metadata=facts))
    (record,) = read_catalog(address, rules=HERE).records
    assert words(record) == ("Cubism", "Juan Gris", "A painting", None)


def test_a_collection_without_a_style_says_how_to_give_one(site: Site) -> None:
    address = site.put("/m", manifest_3(f"{site.url}/m", [body_3(f"{site.url}/i")]))
    with pytest.raises(DataError, match="name no style in their metadata; write a table"):
        read_catalog(address, rules=HERE)


def test_a_part_that_is_missing_is_a_record_that_cannot_be_read(site: Site) -> None:
    good = site.put("/m", manifest_3(f"{site.url}/m", [body_3(f"{site.url}/i")], metadata=metadata(style="Cubism")))
    parts = [reference_3(f"{site.url}/gone"), reference_3(good)]
    gone, _ = read_catalog(site.put("/all", collection_3("x", parts)), rules=HERE).records
    with RecordReader(HERE) as reader, pytest.raises(ArtNetError, match="answered 404"):
        reader.read(gone)


def test_a_table_gives_its_style_to_every_picture_that_a_row_leads_to(site: Site, tmp_path: Path) -> None:
    facts = metadata(artist="Juan Gris", style="of no use")
    manifest = site.put("/manifest", manifest_3(f"{site.url}/manifest", [body_3(f"{site.url}/i")] * 2, metadata=facts))
    picture = site.put("/b.jpg", jpeg())
    (tmp_path / "more").mkdir()
    (tmp_path / "more/c.jpg").write_bytes(b"c")
    table = tmp_path / "mine.csv"
    table.write_text(
        f"path,style,artist\n{manifest},Cubism,\n{picture},Realism,Courbet\nmore,Fauvism,\ngone.jpg,Cubism,\n"
    )
    records = read_catalog(table, rules=HERE).records
    assert [words(record) for record in records] == [
        ("Cubism", "Juan Gris", "A painting", None),
        ("Cubism", "Juan Gris", "A painting", None),
        ("Realism", "Courbet", None, None),
        ("Fauvism", None, None, None),
        ("Cubism", None, None, None),
    ]
    assert records[2].source == picture
    with RecordReader(HERE) as reader:
        assert (reader.read(records[2]), reader.read(records[3])) == (jpeg(), b"c")
    assert records[4].location is None


def test_an_address_that_may_not_be_fetched_is_refused_when_it_is_read(site: Site, tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text(f"path,style\n{site.put('/a.jpg', jpeg())},Cubism\n")
    (record,) = read_catalog(tmp_path / "mine.csv").records
    with RecordReader() as reader, pytest.raises(ArtNetError, match="not on the public internet"):
        reader.read(record)
    assert site.requests == []


def test_a_row_that_leads_to_what_is_read_from_the_front_says_so(tmp_path: Path) -> None:
    from fixtures.archives import packed_tar as packed

    (tmp_path / "a.tgz").write_bytes(packed({"1.jpg": b"1"}, ".tgz"))
    (tmp_path / "mine.csv").write_text("path,style\na.tgz,Cubism\n")
    (record,) = read_catalog(tmp_path / "mine.csv").records
    with RecordReader() as reader, pytest.raises(ArtNetError, match="only reading from the front"):
        reader.read(record)


def test_an_archive_on_the_web_is_refused_in_words() -> None:
    with pytest.raises(ArtNetError, match="download it first"):
        read_catalog("https://example.org/all.zip")
