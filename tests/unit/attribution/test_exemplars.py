"""Exemplars as a model folder's gallery holds them."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from artnet.attribution.exemplars import GALLERY_FILE, read_patches
from artnet.errors import DataError
from artnet.imaging.encode import encode_jpeg


def test_the_patches_of_a_channel_are_read_strongest_first(tmp_path: Path) -> None:
    patch = encode_jpeg(Image.new("RGB", (8, 8), "red"), 88)
    columns = {
        "depth": [2, 2, 2, 3],
        "channel": [5, 5, 6, 5],
        "strength": [0.1, 0.9, 0.5, 0.7],
        "painting": ["a", "b", "c", "d"],
        "patch": [patch] * 4,
    }
    pq.write_table(pa.table(columns), tmp_path / GALLERY_FILE)
    patches = read_patches(tmp_path, 2, 5)
    assert [(patch.painting, patch.strength) for patch in patches] == [("b", 0.9), ("a", 0.1)]
    assert patches[0].image.size == (8, 8)
    assert read_patches(tmp_path, 9, 9) == []


def test_a_model_folder_without_a_gallery_has_no_patches(tmp_path: Path) -> None:
    assert read_patches(tmp_path, 1, 1) == []


def test_a_damaged_gallery_is_named(tmp_path: Path) -> None:
    (tmp_path / GALLERY_FILE).write_bytes(b"no parquet")
    with pytest.raises(DataError, match=r"gallery\.parquet"):
        read_patches(tmp_path, 1, 1)
