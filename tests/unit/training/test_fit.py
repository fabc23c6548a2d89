"""What a training refuses before it starts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from artnet.errors import DataError
from artnet.training.fit import check_movements


def test_a_movement_that_a_split_lacks_is_named() -> None:
    with pytest.raises(DataError, match="the val split holds no painting of Realism, Abstract"):
        check_movements(np.array([0, 1, 1, 2]), "Cubism Impressionism Expressionism Realism Abstract".split(),
                        Path("data"), "val")  # fmt: skip
