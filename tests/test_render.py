"""Drawing: an even colour map, overlays that leave the painting alone, sheets of every shape."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from artnet.classify import Classifier
from artnet.errors import OutputError, UsageError
from artnet.explain import explain
from artnet.render import check_picture_path, colour, colour_table, contact_sheet, overlay, write_pictures


def lightness(rgb: np.ndarray) -> np.ndarray:
    """Give CIE L* of sRGB bytes (..., 3), by the formulas of IEC 61966-2-1 and CIE 1976."""
    values = rgb / 255
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    luminance = linear @ np.array([0.2126, 0.7152, 0.0722])
    return np.where(luminance > 0.008856, 116 * np.cbrt(luminance) - 16, 903.3 * luminance)


def test_the_colour_map_grows_lighter_in_even_steps() -> None:
    steps = np.diff(lightness(colour_table().astype(float))[::15])
    assert (steps > 0).all()
    assert steps.max() < 2 * steps.min()


def test_no_colour_of_the_map_is_out_of_gamut() -> None:
    assert len(np.unique(colour_table(), axis=0)) > 250  # clipped colours would repeat


def test_colours_are_looked_up_at_both_ends() -> None:
    assert colour(np.array([0.0, 1.0, 7.0], np.float32)).tolist() == colour_table()[[0, 255, 255]].tolist()


def test_where_there_is_no_evidence_the_painting_stays(painting: Image.Image) -> None:
    heatmap = np.zeros((300, 420), np.float32)
    assert overlay(painting, heatmap).tobytes() == painting.tobytes()


def test_an_overlay_worked_by_hand() -> None:
    # Evidence 1 at opacity 0.5 on black is half of the map's last colour.
    found = np.asarray(overlay(Image.new("RGB", (1, 1)), np.ones((1, 1), np.float32), 0.5))
    assert found[0, 0] == pytest.approx(colour_table()[255] / 2, abs=0.5)


@pytest.mark.parametrize("size", [(420, 300), (1, 1), (900, 3), (3, 900)])
def test_a_sheet_is_drawn_for_any_shape(classifier: Classifier, size: tuple[int, int]) -> None:
    sheet = contact_sheet(explain(classifier, Image.new("RGB", size, (90, 120, 60))))
    assert sheet.mode == "RGB"
    assert sheet.width > 1000


def test_all_depths_give_a_sheet_and_nine_overlays(
    classifier: Classifier, painting: Image.Image, tmp_path: Path
) -> None:
    written = write_pictures(tmp_path / "why.png", explain(classifier, painting))
    assert [path.name for path in written] == ["why.png", *(f"why-depth{depth}.png" for depth in range(1, 10))]
    for path in written[1:]:
        with Image.open(path) as drawn:
            assert drawn.size == painting.size


def test_one_depth_gives_one_overlay(classifier: Classifier, painting: Image.Image, tmp_path: Path) -> None:
    assert write_pictures(tmp_path / "why.png", explain(classifier, painting, depth=9)) == [tmp_path / "why.png"]
    with Image.open(tmp_path / "why.png") as drawn:
        assert drawn.size == painting.size


def test_what_cannot_be_written_is_refused(classifier: Classifier, painting: Image.Image, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot be written"):
        write_pictures(tmp_path / "nowhere" / "why.png", explain(classifier, painting, depth=9))


@pytest.mark.parametrize(
    ("name", "fault"), [("why.jpg", "PNG"), ("nowhere/why.png", "folder"), ("p.png", "painting itself")]
)
def test_a_bad_place_for_pictures_is_refused_beforehand(tmp_path: Path, name: str, fault: str) -> None:
    with pytest.raises((UsageError, OutputError), match=fault):
        check_picture_path(tmp_path / name, tmp_path / "p.png")


def test_a_sheet_never_replaces_a_painting_of_an_overlays_name(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="painting itself"):
        check_picture_path(tmp_path / "p.png", tmp_path / "p-depth4.png")


def test_an_overlay_in_bands_equals_one_of_the_whole(painting: Image.Image) -> None:
    tall = painting.resize((30, 1000))
    heatmap = np.random.default_rng(0).random((1000, 30)).astype(np.float32)
    lower = overlay(tall.crop((0, 300, 30, 1000)), heatmap[300:])
    assert np.asarray(overlay(tall, heatmap))[300:].tolist() == np.asarray(lower).tolist()
