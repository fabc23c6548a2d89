"""Images drawn by code are the same for the same seed, and of every kind."""

from __future__ import annotations

import numpy as np
import pytest

from artnet.training.export.synthetic import KINDS, draw_outliers


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_is_drawn_alike_for_a_seed_and_each_image_is_another(kind: str) -> None:
    first, again, other = (list(draw_outliers(kind, 3, seed)) for seed in (1, 1, 2))
    assert [image.tobytes() for image in first] == [image.tobytes() for image in again]
    assert first[0].tobytes() != other[0].tobytes()
    assert len({image.tobytes() for image in first}) == 3
    assert all(image.mode == "RGB" and min(image.size) >= 240 for image in first)


def test_a_plain_page_is_one_colour_and_a_page_of_text_is_not() -> None:
    assert max(np.asarray(image, float).std((0, 1)).max() for image in draw_outliers("plain", 20)) < 3
    assert min(np.asarray(image, float).std((0, 1)).max() for image in draw_outliers("text", 20)) > 3
