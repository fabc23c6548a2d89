"""Which images the detector learns to tell from paintings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from artnet.errors import UsageError
from artnet.model.config import Preprocessing
from artnet.training.export.outliers import outlier_views, synthetic_views

PREPROCESSING = Preprocessing(32, "stretch", (0.5,) * 3, (0.5,) * 3)


def draw(folder: Path, names: list[str]) -> str:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (500, 300), "navy").save(folder / name)
    return str(folder)


def test_of_a_collection_the_styles_of_no_movement_are_outliers(tmp_path: Path) -> None:
    folder = draw(tmp_path, ["Cubism/a.png", "Ukiyo-e/b.png", "Rococo/c.png", "Op Art/d.png"])
    views = list(outlier_views(folder, PREPROCESSING, styles=["op_art"]))
    assert len(views) == 2 * 2  # two paintings of other periods, at two sizes each
    assert {view.image.size for view in views} == {(32, 32)}


def test_of_a_folder_without_styles_every_image_is_one_and_broken_files_are_left_out(tmp_path: Path) -> None:
    folder = draw(tmp_path, ["a.png", "b.png"])
    (tmp_path / "c.png").write_bytes(b"no image")
    assert len(list(outlier_views(folder, PREPROCESSING, styles=[]))) == 2 * 2


def test_a_folder_of_the_movements_alone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="belongs to no movement"):
        list(outlier_views(draw(tmp_path, ["Cubism/a.png"]), PREPROCESSING, styles=[]))


def test_drawn_images_become_views() -> None:
    views = list(synthetic_views("chart", PREPROCESSING))
    assert len(views) == 40
    assert np.asarray(views[0].image).shape == (32, 32, 3)
