"""A dataset is made of pictures that lie in a store or at a museum's IIIF service, to the same bytes each time."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import fsspec
import pytest

from artnet.data.catalog import Catalog
from artnet.data.prepare import PrepareOptions, check_out, prepare
from artnet.data.readers.detect import read_catalog
from artnet.data.split import Ratios
from artnet.taxonomy import load_taxonomy
from fixtures.collections import Work, draw_style_folders, paint, upload
from fixtures.web import HERE, Site, body_3, collection_3, manifest_3, reference_3, serving

OPTIONS = PrepareOptions(
    size_px=32, ratios=Ratios(0.5, 0.25, 0.25), processes=1, rules=replace(HERE, shorter_side_px=128)
)
TAXONOMY = load_taxonomy()
STYLES = ("Cubism", "Pointillism", "Fauvism", "Realism", "Abstract Art")


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as found:
        yield found


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def painted(site: Site, number: int) -> str:
    """Serve a manifest of one painting at a IIIF image service; gives the manifest's address."""
    from fixtures.web import ImageService, send

    service = ImageService(width=400, height=300)
    base = service.put(site, f"/image/{number}")

    def scaled(handler: Any) -> None:
        width = handler.path.split("/full/")[1].split("/")[0].rstrip(",")
        from PIL import Image

        picture = Image.open(BytesIO(paint(number))).resize((int(width), int(width) * 3 // 4))
        buffer = BytesIO()
        picture.save(buffer, "JPEG")
        send(handler, buffer.getvalue())

    site.put(f"/image/{number}/full/*", scaled)
    style = STYLES[number % len(STYLES)]
    facts = [
        {"label": {"en": ["Style"]}, "value": {"none": [style]}},
        {"label": {"en": ["Artist"]}, "value": {"none": [f"Painter {number}"]}},
    ]
    address = f"{site.url}/manifest/{number}"
    return site.put(f"/manifest/{number}", manifest_3(address, [body_3(base)], metadata=facts))


def museum(site: Site) -> Catalog:
    parts = [reference_3(painted(site, number)) for number in range(40)] + [reference_3(f"{site.url}/gone")]
    return read_catalog(site.put("/collection", collection_3(f"{site.url}/collection", parts)), rules=HERE)


def test_a_store_gives_the_dataset_that_the_same_files_give_here(tmp_path: Path) -> None:
    works = [Work(style, "", f"{n}", "", paint(n)) for n, style in enumerate(STYLES * 6)]
    folder = draw_style_folders(tmp_path / "mine", works)
    system = fsspec.filesystem("memory")
    try:
        catalogs = [read_catalog(folder), read_catalog(upload(folder, "memory://bucket/mine"))]
        for name, catalog in zip(("here", "there"), catalogs, strict=True):
            prepare([catalog], tmp_path / name, TAXONOMY, OPTIONS)
    finally:
        system.store.clear()
    assert bytes_of(tmp_path / "here") == bytes_of(tmp_path / "there")


def test_a_iiif_collection_becomes_a_dataset_and_what_is_missing_is_listed(site: Site, tmp_path: Path) -> None:
    summary = prepare([museum(site)], tmp_path / "out", TAXONOMY, OPTIONS)
    assert summary["paintings"] == 40
    with (tmp_path / "out/rejected.csv").open(newline="", encoding="utf-8") as file:
        rejected = list(csv.DictReader(file))
    assert [(row["source"], row["reason"]) for row in rejected] == [(f"{site.url}/gone", "address")]
    assert all("full/171," in path for path in site.requests if "/full/" in path)


def test_a_picture_that_fails_is_rejected_with_its_reason(site: Site, tmp_path: Path) -> None:
    catalog = museum(site)
    site.pages["/image/7/full/*"] = lambda handler: handler.send_error(500)
    prepare([catalog], tmp_path / "out", TAXONOMY, OPTIONS)
    with (tmp_path / "out/rejected.csv").open(newline="", encoding="utf-8") as file:
        reasons = {row["source"]: row["reason"] for row in csv.DictReader(file)}
    assert reasons == {f"{site.url}/gone": "address", f"{site.url}/manifest/7/canvas/1": "address"}


def test_a_stopped_preparation_goes_on_and_asks_for_nothing_twice(site: Site, tmp_path: Path) -> None:
    def stop_at_the_end(done: int, total: int) -> None:
        if done == total:
            raise KeyboardInterrupt

    catalog = museum(site)
    prepare([catalog], tmp_path / "whole", TAXONOMY, OPTIONS)
    site.requests.clear()
    with pytest.raises(KeyboardInterrupt):
        prepare([catalog], tmp_path / "out", TAXONOMY, OPTIONS, stop_at_the_end)
    count = len(site.requests)
    later = replace(OPTIONS, rules=replace(OPTIONS.rules, timeout_s=9.0))
    prepare([catalog], tmp_path / "out", TAXONOMY, later)
    assert len(site.requests) == count
    assert bytes_of(tmp_path / "out") == bytes_of(tmp_path / "whole")


def test_an_address_is_no_folder_in_which_a_dataset_could_lie(tmp_path: Path) -> None:
    check_out(tmp_path / "out", ["s3://bucket", "https://example.org/manifest"])
