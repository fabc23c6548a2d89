"""Methods by name: what they need, what they can explain, and their maps of one view."""

from __future__ import annotations

import numpy as np
import pytest

from artnet.attribution.cam import CAMS
from artnet.attribution.methods import METHODS, PIXELS, AttributionOptions, Sampling, TargetScorer, attribute
from artnet.errors import UsageError
from fixtures.engine import TinyEngine, tiny_classifier

FEW = Sampling(masks=6, channels=2, steps=2, samples=2, squares=3)
VIEW = np.random.default_rng(0).normal(0, 1, (3, 28, 28)).astype(np.float32)
SCORER = TargetScorer(TinyEngine(), np.array([[1, 0, -1, 0, 0]], np.float32))
LAYERS = tiny_classifier().config.layers


def test_every_cam_is_a_method() -> None:
    assert {name: METHODS[name].label for name in CAMS} == {name: cam.label for name, cam in CAMS.items()}


def test_eigencam_alone_is_the_same_for_every_target() -> None:
    assert [name for name, method in METHODS.items() if not method.class_discriminative] == ["eigencam"]


@pytest.mark.parametrize("method", METHODS)
def test_a_map_is_at_least_zero(method: str) -> None:
    maps = attribute(SCORER, VIEW, AttributionOptions(method, LAYERS, FEW))
    assert list(maps) == (list(range(1, 10)) if METHODS[method].reads == "layers" else [PIXELS])
    assert all(np.isfinite(grid).all() and grid.min() >= 0 for grid in maps.values())


@pytest.mark.parametrize("method", [name for name, method in METHODS.items() if method.signed])
def test_signed_maps_of_opposite_targets_cancel(method: str) -> None:
    options = AttributionOptions(method, LAYERS, FEW, signed=True)
    one, other = (attribute(scorer, VIEW, options) for scorer in (SCORER, SCORER.negated()))
    for depth in one:
        assert np.allclose(one[depth] + other[depth], 0, atol=1e-5)


def test_an_unknown_method_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match="use one of gradcam"):
        attribute(SCORER, VIEW, AttributionOptions("guesswork"))
