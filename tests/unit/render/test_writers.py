"""Files: overlays of the painting's own size, sheets as PNG and SVG, arrays."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from artnet.attribution.explain import ExplainOptions, explain
from artnet.errors import OutputError, UsageError
from artnet.render.contact_sheet import tile_sheet
from artnet.render.writers import check_output_path, write_explanation, write_sheet
from fixtures.engine import tiny_classifier


def test_all_depths_give_a_sheet_and_nine_overlays(painting: Image.Image, tmp_path: Path) -> None:
    written = write_explanation(tmp_path / "why.png", explain(tiny_classifier(), painting))
    assert [path.name for path in written] == ["why.png", *(f"why-depth{depth}.png" for depth in range(1, 10))]
    for path in written[1:]:
        with Image.open(path) as image:
            assert image.size == painting.size


def test_one_depth_gives_one_overlay(painting: Image.Image, tmp_path: Path) -> None:
    explanation = explain(tiny_classifier(), painting, depth=9)
    assert write_explanation(tmp_path / "why.png", explanation) == [tmp_path / "why.png"]
    with Image.open(tmp_path / "why.png") as image:
        assert image.size == painting.size


def test_what_cannot_be_written_is_refused(painting: Image.Image, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot be written"):
        write_explanation(tmp_path / "nowhere" / "why.png", explain(tiny_classifier(), painting, depth=9))


@pytest.mark.parametrize(
    ("name", "fault"),
    [("why.jpg", ".png or"), ("nowhere/why.png", "folder"), ("p.png", "painting itself")],
)
def test_a_path_that_cannot_be_written_is_refused_beforehand(tmp_path: Path, name: str, fault: str) -> None:
    with pytest.raises((UsageError, OutputError), match=fault):
        check_output_path(tmp_path / name, tmp_path / "p.png")


def test_a_sheet_never_replaces_a_painting_of_an_overlays_name(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="painting itself"):
        check_output_path(tmp_path / "p.png", tmp_path / "p-depth4.png")


def test_an_svg_is_one_file_with_texts_and_images(painting: Image.Image, tmp_path: Path) -> None:
    explanation = explain(tiny_classifier(), painting, "Realism", "Cubism")
    assert write_explanation(tmp_path / "why.svg", explanation) == [tmp_path / "why.svg"]
    root = ElementTree.parse(tmp_path / "why.svg").getroot()
    texts = [each.text or "" for each in root.iter("{http://www.w3.org/2000/svg}text")]
    assert any("why Realism rather than Cubism?" in text for text in texts)
    assert len(list(root.iter("{http://www.w3.org/2000/svg}image"))) == 11  # the painting, nine overlays, the scale


def test_arrays_hold_the_maps_and_what_was_asked(painting: Image.Image, tmp_path: Path) -> None:
    explanation = explain(tiny_classifier(), painting, depth=4, against=True, options=ExplainOptions(regions=True))
    write_explanation(tmp_path / "why.npz", explanation)
    with np.load(tmp_path / "why.npz") as arrays:
        assert np.array_equal(arrays["depth4"], explanation.maps[4].grid)
        assert arrays["depth4_region4_box"].tolist() == list(explanation.maps[4].regions[4].box.as_tuple())
        assert json.loads(str(arrays["about"]))["against"] is True


def test_a_sheet_is_no_table_of_arrays(painting: Image.Image, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"\.png or \.svg$"):
        write_sheet(tmp_path / "a.npz", tile_sheet("title", "note", [("one", painting)]))
