"""The self-check of a model folder: test views given by a formula, and the logits that they must have."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from artnet.imaging.views import WHOLE, View, square_view
from artnet.model.config import Preprocessing, SelfCheck
from artnet.model.engine import Engine
from artnet.model.preprocessing import network_input

_SQUARE_PX = 8  # small enough for many edges, large enough to be seen by deep layers


def check_views(size_px: int) -> tuple[View, ...]:
    """Return the test views: a gradient, a checkerboard and a mosaic of random colours.

    Integers alone, so that the browser (`graph/self-check.js`) makes the same bytes without a picture being stored.
    """
    y, x = np.mgrid[:size_px, :size_px]
    last = max(1, size_px - 1)
    gradient = np.stack([255 * x // last, 255 * y // last, 255 * (x + y) // (2 * last)], axis=-1)
    sides = [_SQUARE_PX * (channel + 1) for channel in range(3)]
    checkerboard = np.stack([255 * ((x // side + y // side) % 2) for side in sides], axis=-1)
    across = -(-size_px // _SQUARE_PX)
    colours = _random_bytes(3 * across * across).reshape(across, across, 3)
    patterns = (gradient, checkerboard, colours[y // _SQUARE_PX, x // _SQUARE_PX])
    return tuple(square_view(WHOLE, Image.fromarray(pattern.astype(np.uint8))) for pattern in patterns)


def measure_self_check(engine: Engine, preprocessing: Preprocessing) -> SelfCheck:
    """Compute the logits of the test views; the engine should compute in float32."""
    views = check_views(preprocessing.size_px)
    rows = (engine.run(network_input([view], preprocessing), None, ["logits"])["logits"][0] for view in views)
    return SelfCheck(tuple(tuple(round(float(logit), 4) for logit in row) for row in rows))


def _random_bytes(count: int) -> NDArray[np.uint8]:
    """Return the upper bytes of a linear congruential generator (Press et al., "Numerical recipes", 2nd ed., 7.1)."""
    state, values = 0, np.empty(count, np.uint8)
    for index in range(count):
        state = (1664525 * state + 1013904223) % 2**32
        values[index] = state >> 24
    return values
