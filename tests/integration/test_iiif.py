"""IIIF documents of both versions lead to every image once, and a part that is broken is an error in its place."""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from artnet.errors import ArtNetError, SourceError
from artnet.sources.find import find_items
from artnet.sources.iiif import iiif_canvases, iiif_items
from artnet.sources.item import SourceItem
from fixtures.web import (
    HERE,
    ImageService,
    Site,
    body_3,
    collection_2,
    collection_3,
    jpeg,
    manifest_2,
    manifest_3,
    reference_2,
    reference_3,
    resource_2,
    send,
    serving,
    slow,
)


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as running:
        yield running


def items_of(url: str) -> list[SourceItem]:
    return list(find_items([url], HERE))


def size_of(item: SourceItem) -> tuple[int, int]:
    return Image.open(BytesIO(item.read(HERE))).size


def kinds(items: list[SourceItem]) -> list[str]:
    return [item.error.kind if item.error else "image" for item in items]


def test_a_manifest_of_version_3_gives_each_canvas_with_label_and_id(site: Site) -> None:
    service = ImageService().put(site, "/image")
    url = site.put("/manifest", manifest_3(f"{site.url}/manifest", [body_3(service), body_3(service)]))
    first, second = items_of(url)
    assert (first.name, first.id, first.label) == (f"{url}/canvas/1", f"{url}/canvas/1", "f. 1")
    assert second.label == "f. 2"
    assert size_of(first) == (1366, 1024)


def test_a_manifest_of_version_2_gives_the_same(site: Site) -> None:
    service = ImageService(version=2).put(site, "/image")
    url = site.put("/manifest.json", manifest_2(f"{site.url}/manifest.json", [resource_2(service)]))
    (item,) = items_of(url)
    assert (item.name, item.id, item.label) == (f"{url}/canvas/1", f"{url}/canvas/1", "p. 1")
    assert size_of(item) == (1366, 1024)


def test_a_canvas_without_a_label_has_its_manifests(site: Site) -> None:
    content = manifest_3("https://example.org/m", [body_3("https://example.org/i")])
    del content["items"][0]["label"]
    (item,) = items_of(site.put("/manifest", content))
    assert item.label == "A painting"


def test_an_image_without_a_service_is_fetched_where_it_lies(site: Site) -> None:
    picture = site.put("/a.jpg", jpeg())
    body = {"id": picture, "type": "Image", "format": "image/jpeg"}
    (item,) = items_of(site.put("/manifest", manifest_3("https://example.org/m", [body])))
    assert item.read(HERE) == jpeg()


def test_a_choice_and_a_specific_resource_lead_to_the_image_within(site: Site) -> None:
    service = ImageService().put(site, "/image")
    choice = {"type": "Choice", "items": [body_3(service), body_3(service)]}
    specific = {"type": "SpecificResource", "source": body_3(service)}
    items = items_of(site.put("/manifest", manifest_3("https://example.org/m", [choice, specific])))
    assert [size_of(item) for item in items] == [(1366, 1024)] * 2


CUT = {"region": "100,50,400,300", "rotation": "90"}


@pytest.mark.parametrize(
    ("selector", "requested"),
    [
        ({"type": "ImageApiSelector", **CUT}, "100,50,400,300/400,/90"),
        ({"@type": "iiif:ImageApiSelector", "region": "pct:0,0,50,50"}, "pct:0,0,50,50/800,/0"),
        ({"type": "ImageApiSelector", "rotation": "!180"}, "full/1366,/!180"),
        ({"type": "ImageApiSelector", "region": "square"}, "square/1024,/0"),
        ([{"type": "FragmentSelector", "value": "xywh=100,50,400,300"}], "100,50,400,300/400,/0"),
        ({"type": "FragmentSelector", "value": "xywh=percent:0,0,50,50"}, "pct:0,0,50,50/800,/0"),
    ],
)
def test_a_selected_part_is_requested(selector: object, requested: str, site: Site) -> None:
    service = ImageService().put(site, "/image")
    site.put(f"/image/{requested}/default.jpg", jpeg(77, 55))
    body = {"type": "SpecificResource", "source": body_3(service), "selector": selector}
    (item,) = items_of(site.put("/manifest", manifest_3("https://example.org/m", [body])))
    assert size_of(item) == (77, 55)


def test_a_part_that_the_images_own_address_selects_is_requested(site: Site) -> None:
    service = ImageService().put(site, "/image")
    site.put("/image/100,50,400,300/400,/90/default.jpg", jpeg(77, 55))
    body = {**body_3(service), "id": f"{service}/100,50,400,300/full/90/default.jpg"}
    (item,) = items_of(site.put("/manifest", manifest_3("https://example.org/m", [body])))
    assert size_of(item) == (77, 55)


@pytest.mark.parametrize(
    "selector", [{"type": "SvgSelector", "value": "<svg/>"}, {"type": "FragmentSelector", "value": "t=1"}]
)
def test_a_part_that_nobody_cuts_is_an_error_and_not_the_whole(selector: object, site: Site) -> None:
    bodies = [body_3(ImageService().put(site, "/image")), {"id": site.put("/a.jpg", jpeg()), "type": "Image"}]
    specific = [{"type": "SpecificResource", "source": body, "selector": selector} for body in bodies]
    items = items_of(site.put("/manifest", manifest_3("https://example.org/m", specific)))
    assert ["no image service that cuts this part" in str(item.error) for item in items] == [True, True]


@pytest.mark.parametrize("region", ["2000,0,10,10", "0,0,0,5", "1,2,3", "nan,0,5,5", "pct:-5,0,50,50"])
def test_a_part_outside_of_its_image_is_an_error(region: str, site: Site) -> None:
    service = ImageService().put(site, "/image")
    selector = {"type": "ImageApiSelector", "region": region}
    body = {"type": "SpecificResource", "source": body_3(service), "selector": selector}
    (item,) = items_of(site.put("/manifest", manifest_3("https://example.org/m", [body])))
    with pytest.raises(SourceError, match="no part of its image"):
        item.read(HERE)


def test_a_body_that_is_a_bare_address_is_an_image(site: Site) -> None:
    picture = site.put("/a%20b.jpg", jpeg())
    bodies = [picture, [picture], picture.replace("%20", " ")]
    items = items_of(site.put("/manifest", manifest_3("https://example.org/m", bodies)))
    assert [item.read(HERE) for item in items] == [jpeg()] * 3


def test_a_service_whose_base_ends_like_an_image_is_read_by_its_base(site: Site, tmp_path: Path) -> None:
    service = ImageService()
    base = service.put(site, "/image.jpg")
    site.put("/image.jpg", service.info())
    (tmp_path / "list.txt").write_text(base)
    for source in (base, f"{base}/info.json", str(tmp_path / "list.txt")):
        (item,) = items_of(source)
        assert size_of(item) == (1366, 1024)


def test_a_page_of_annotations_that_lies_elsewhere_is_fetched(site: Site) -> None:
    content = manifest_3("https://example.org/m", [body_3(ImageService().put(site, "/image"))])
    site.put("/page", content["items"][0]["items"][0])
    content["items"][0]["items"] = [{"id": f"{site.url}/page", "type": "AnnotationPage"}]
    (item,) = items_of(site.put("/manifest", content))
    assert size_of(item) == (1366, 1024)


def test_collections_within_collections_keep_their_order(site: Site) -> None:
    for name in "abc":
        site.put(f"/{name}", manifest_3(f"{site.url}/{name}", [body_3("https://example.org/i")]))
    inner = site.put("/inner", collection_3(f"{site.url}/inner", [reference_3(f"{site.url}/b")]))
    parts = [reference_3(f"{site.url}/a"), reference_3(inner, "Collection"), reference_3(f"{site.url}/c")]
    items = items_of(site.put("/all", collection_3(f"{site.url}/all", parts)))
    assert [item.name for item in items] == [f"{site.url}/{name}/canvas/1" for name in "abc"]


def test_a_collection_of_version_2_lists_collections_manifests_and_pages(site: Site) -> None:
    for name in "abc":
        site.put(f"/{name}", manifest_2(f"{site.url}/{name}", [resource_2("https://example.org/i")]))
    site.put("/sub", collection_2(f"{site.url}/sub", manifests=[reference_2(f"{site.url}/a")]))
    site.put("/2", collection_2(f"{site.url}/2", manifests=[reference_2(f"{site.url}/c")]))
    first = collection_2(
        f"{site.url}/1",
        collections=[reference_2(f"{site.url}/sub", "sc:Collection")],
        manifests=[f"{site.url}/b"],
        next=f"{site.url}/2",
    )
    site.put("/1", first)
    items = items_of(site.put("/top", collection_2(f"{site.url}/top", total=3, first=f"{site.url}/1")))
    assert [item.name for item in items] == [f"{site.url}/{name}/canvas/1" for name in "abc"]


def test_a_manifest_that_is_listed_twice_is_read_once(site: Site) -> None:
    one = site.put("/a", manifest_3(f"{site.url}/a", [body_3("https://example.org/i")]))
    items = items_of(site.put("/all", collection_3(f"{site.url}/all", [reference_3(one), reference_3(one)])))
    assert len(items) == 1
    assert site.requests.count("/a") == 1


def test_a_collection_within_itself_ends_with_an_error_for_the_circle(site: Site) -> None:
    one = site.put("/a", manifest_3(f"{site.url}/a", [body_3("https://example.org/i")]))
    site.put("/inner", collection_3("x", [reference_3(f"{site.url}/all", "Collection"), reference_3(one)]))
    items = items_of(site.put("/all", collection_3("x", [reference_3(f"{site.url}/inner", "Collection")])))
    assert kinds(items) == ["no-images", "image"]
    assert "lies within itself" in str(items[0].error)


def test_pages_that_go_in_a_circle_end_with_an_error(site: Site) -> None:
    one = reference_2(site.put("/a", manifest_2(f"{site.url}/a", [resource_2("https://example.org/i")])))
    items = items_of(site.put("/all", collection_2("x", manifests=[one], next=f"{site.url}/all")))
    assert kinds(items) == ["image", "no-images"]
    assert "go in a circle" in str(items[1].error)


def test_a_server_that_makes_up_pages_for_ever_is_given_up(site: Site) -> None:
    def more(handler: BaseHTTPRequestHandler) -> None:
        number = int(handler.path.rpartition("/")[2])
        nested = [reference_3(f"{site.url}/c/{number + 1}", "Collection")]
        send(handler, json.dumps(collection_3("x", nested)).encode())

    site.put("/c/*", more)
    first = json.dumps(collection_3("x", [reference_3(f"{site.url}/c/1", "Collection")])).encode()
    with pytest.raises(SourceError, match="20 IIIF documents in a row"):
        list(iiif_canvases(f"{site.url}/c/0", first, HERE, max_barren=20))
    assert len(site.requests) < 30


def test_missing_and_broken_parts_are_reported_and_the_others_go_on(site: Site) -> None:
    service = ImageService().put(site, "/image")
    site.put("/text", b"<html>no manifest</html>")
    site.put("/list", [1, 2])
    site.put("/good", manifest_3(f"{site.url}/good", [body_3(service)]))
    parts = [reference_3(f"{site.url}/{name}") for name in ("gone", "text", "list", "good")]
    parts += [reference_3("ftp://example.org/m"), {"type": "Manifest"}, 7]  # type: ignore[list-item]
    items = items_of(site.put("/all", collection_3("https://example.org/all", parts)))
    assert kinds(items) == ["address", "missing", "missing", "image", *["no-images"] * 3]
    assert len({item.name for item in items}) == 7


@pytest.mark.parametrize(
    "body",
    [None, 7, [], {}, {"type": "Video", "id": "https://example.org/v.mp4"}, {"type": "Image"}, "a caption"],
)
def test_a_canvas_without_an_image_is_reported(body: object, site: Site) -> None:
    good = body_3("https://example.org/i")
    items = items_of(site.put("/manifest", manifest_3("https://example.org/m", [body, good])))
    assert kinds(items) == ["no-images", "image"]


@pytest.mark.parametrize("change", [{"items": []}, {"items": None}, {"items": "x"}, {"type": "Range"}, {"type": None}])
def test_a_manifest_of_bad_shape_is_reported(change: dict[str, object], site: Site) -> None:
    items = items_of(site.put("/manifest", {**manifest_3("https://example.org/m", []), **change}))
    assert kinds(items) == ["no-images"]


def test_canvases_of_one_id_have_two_names(site: Site) -> None:
    content = manifest_3("https://example.org/m", [body_3("https://example.org/i")] * 3)
    content["items"][2]["id"] = content["items"][1]["id"] = content["items"][0]["id"]
    items = items_of(site.put("/manifest", content))
    assert len({item.name for item in items}) == 3
    assert len({item.id for item in items}) == 1


def test_canvases_without_a_url_are_named_by_their_manifest(site: Site) -> None:
    content = manifest_3("https://example.org/m", [body_3("https://example.org/i")] * 2)
    content["items"][0]["id"], content["items"][1]["id"] = "first", None
    items = items_of(site.put("/manifest", content))
    assert [item.name for item in items] == [f"{site.url}/manifest#first", f"{site.url}/manifest#2"]


def test_a_canvas_is_read_in_another_process(site: Site) -> None:
    service = ImageService().put(site, "/image")
    (item,) = items_of(site.put("/manifest", manifest_3("https://example.org/m", [body_3(service)])))
    assert size_of(pickle.loads(pickle.dumps(item))) == (1366, 1024)


def test_a_manifest_may_lie_in_a_file(site: Site, tmp_path: object) -> None:
    path = tmp_path / "manifest.json"  # type: ignore[operator]
    path.write_text(json.dumps(manifest_3("https://example.org/m", [body_3("https://example.org/i")])))
    (item,) = items_of(str(path))
    assert item.name == "https://example.org/m/canvas/1"


def test_what_an_image_service_says_of_itself_names_one_image(site: Site) -> None:
    service = ImageService().put(site, "/image")
    (item,) = items_of(f"{service}/info.json")
    assert item.name == service
    assert size_of(item) == (1366, 1024)


def test_a_slow_part_of_a_collection_becomes_an_error(site: Site) -> None:
    site.put("/slow", slow)
    good = site.put("/good", manifest_3(f"{site.url}/good", [body_3("https://example.org/i")]))
    url = site.put("/all", collection_3("x", [reference_3(f"{site.url}/slow"), reference_3(good)]))
    items = list(find_items([url], replace(HERE, timeout_s=0.3)))
    assert kinds(items) == ["address", "image"]
    assert "longer than" in str(items[0].error)


anything = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5) | st.sampled_from(["Manifest", "Image", "sc:Canvas"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                "id @id type @type items sequences canvases images resource body service label source full default "
                "manifests collections members next first motivation metadata value @value profile format".split()
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(st.sampled_from(["Manifest", "sc:Manifest", "Collection", "sc:Collection"]), anything, anything)
@settings(deadline=None, max_examples=150)
def test_a_document_of_any_shape_gives_images_or_errors(kind: str, items: object, images: object) -> None:
    canvases = [{"images": images}, {"items": images}, images]
    content = {"type": kind, "items": items, "sequences": [{"canvases": canvases}], "manifests": items}
    for document in (content, {**content, "items": canvases}):
        try:
            for item in iiif_items("https://example.org/m", json.dumps(document).encode(), HERE):
                assert item.error is not None or item.location is not None
        except ArtNetError:
            pass
