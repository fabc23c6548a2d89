"""A gallery: the patches of a dataset that excite channels most, kept in a model folder."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from artnet.attribution.exemplars import GALLERY_FILE, read_patches
from artnet.data.dataset import iterate_rows
from artnet.errors import DataError
from artnet.evaluation.exemplars import PATCHES, write_gallery
from artnet.model.classifier import Classifier
from artnet.render.channel_sheet import channel_sheet
from artnet.render.contact_sheet import PlacedImage


@pytest.fixture(scope="module")
def folder(exported: Path, data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder with a gallery."""
    copy = Path(shutil.copytree(exported, tmp_path_factory.mktemp("gallery") / "model"))
    assert write_gallery(Classifier.load(copy, precision="f32"), copy, data) > 0
    return copy


def test_patches_come_from_paintings_of_train_and_fall_in_strength(folder: Path, data: Path) -> None:
    row = pq.read_table(folder / GALLERY_FILE).to_pylist()[0]
    patches = read_patches(folder, row["depth"], row["channel"])
    known = {each["id"] for each in iterate_rows(data, "train", ["id"])}
    strengths = [patch.strength for patch in patches]
    assert 0 < len(patches) <= PATCHES
    assert strengths == sorted(strengths, reverse=True)
    assert {patch.painting for patch in patches} <= known
    assert len({patch.painting for patch in patches}) == len(patches)


def test_a_channel_is_shown_with_its_patches(folder: Path, painting_file: Path) -> None:
    row = pq.read_table(folder / GALLERY_FILE).to_pylist()[0]
    channel = f"{row['depth']}:{row['channel']}"
    classifier = Classifier.load(folder, precision="f32")
    shown = channel_sheet(classifier, classifier.open(painting_file), channel, steps=2)
    assert len(shown.details["patches"]) > 0
    assert sum(isinstance(mark, PlacedImage) for mark in shown.sheet.marks) == 3


def test_without_a_gallery_a_channel_is_shown_all_the_same(exported: Path, painting_file: Path) -> None:
    classifier = Classifier.load(exported, precision="f32")
    shown = channel_sheet(classifier, classifier.open(painting_file), "2:1", steps=2)
    assert shown.details["patches"] == []
    assert sum(isinstance(mark, PlacedImage) for mark in shown.sheet.marks) == 2
    assert np.isfinite(shown.details["activation"]["visualization"])


def test_a_channel_is_shown_without_a_painting(exported: Path) -> None:
    shown = channel_sheet(Classifier.load(exported, precision="f32"), None, "2:1", steps=2)
    assert shown.details["activation"].keys() == {"noise", "visualization"}
    assert sum(isinstance(mark, PlacedImage) for mark in shown.sheet.marks) == 1


def test_a_gallery_needs_training_paintings(exported: Path, data: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(data, tmp_path / "data"))
    for shard in copy.glob("**/train-*.parquet"):
        shard.unlink()
    with pytest.raises(DataError, match="train"):
        write_gallery(Classifier.load(exported), tmp_path, copy)
