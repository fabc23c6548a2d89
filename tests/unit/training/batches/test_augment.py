"""Random changes: seeded, sized, and gentle with the evidence of style."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from artnet.training.batches.augment import augment, jitter_exposure, random_crop


def gradient(width: int, height: int) -> Image.Image:
    x = np.linspace(0, 255, width, dtype=np.uint8)
    return Image.fromarray(np.repeat(np.repeat(x[None, :, None], height, 0), 3, 2))


@settings(deadline=None, max_examples=40)
@given(st.integers(1, 90), st.integers(1, 90), st.integers(8, 48), st.integers(0, 2**32))
def test_any_image_becomes_a_square_of_the_size_asked(width: int, height: int, size_px: int, seed: int) -> None:
    found = augment(gradient(width, height), size_px, 0.3, True, np.random.default_rng(seed))
    assert found.size == (size_px, size_px)
    assert found.mode == "RGB"


def test_the_same_generator_gives_the_same_image(painting: Image.Image) -> None:
    first, again, other = (augment(painting, 64, 0.3, True, np.random.default_rng(seed)) for seed in (7, 7, 8))
    assert first.tobytes() == again.tobytes() != other.tobytes()


def test_a_crop_of_everything_is_a_resize_at_most_a_little_narrower() -> None:
    found = np.asarray(random_crop(gradient(256, 256), 256, 1.0, np.random.default_rng(0)), np.float32)
    assert np.abs(np.diff(found[0, :, 0])).max() < 3


def test_a_crop_never_turns_the_image_upside_down() -> None:
    image = gradient(200, 100).transpose(Image.Transpose.ROTATE_270)  # dark above, light below
    rng = np.random.default_rng(1)
    for _ in range(20):
        found = np.asarray(augment(image, 32, 0.3, False, rng), np.float32)
        assert found[:4].mean() < found[-4:].mean()


@pytest.mark.parametrize("seed", range(5))
def test_exposure_keeps_the_order_of_the_colours(seed: int) -> None:
    red = Image.new("RGB", (8, 8), (180, 90, 40))
    found = np.asarray(jitter_exposure(red, np.random.default_rng(seed)))[0, 0].astype(int)
    assert found[0] > found[1] > found[2]  # still an orange
