"""Methods by name: what they need, what they can explain, and their maps of one view."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from artnet.attribution.cam import CAMS
from artnet.attribution.methods import (
    METHODS,
    PIXELS,
    AttributionOptions,
    Sampling,
    TargetScorer,
    attribute,
    available_methods,
    check_outputs,
)
from artnet.errors import ModelError, UsageError
from artnet.model.engine import ATTENTION_MAPS, output_names
from fixtures.engine import WITHOUT_GRADIENTS, TinyEngine, tiny_classifier

FEW = Sampling(masks=6, channels=2, steps=2, samples=2, squares=3)
VIEW = np.random.default_rng(0).normal(0, 1, (3, 28, 28)).astype(np.float32)
SCORER = TargetScorer(TinyEngine(), np.array([[1, 0, -1, 0, 0]], np.float32))
LAYERS = tiny_classifier().config.layers


def test_every_cam_is_a_method() -> None:
    assert {name: METHODS[name].label for name in CAMS} == {name: cam.label for name, cam in CAMS.items()}


def test_eigencam_alone_is_the_same_for_every_target() -> None:
    assert [name for name, method in METHODS.items() if not method.class_discriminative] == ["eigencam"]


@pytest.mark.parametrize("method", [name for name in METHODS if name not in ATTENTION_MAPS])
def test_a_map_is_at_least_zero(method: str) -> None:
    maps = attribute(SCORER, VIEW, AttributionOptions(method, LAYERS, FEW))
    assert list(maps) == (list(range(1, 10)) if METHODS[method].reads == "layers" else [PIXELS])
    assert all(np.isfinite(grid).all() and grid.min() >= 0 for grid in maps.values())


@pytest.mark.parametrize(
    "method", [name for name, method in METHODS.items() if method.signed and name not in ATTENTION_MAPS]
)
def test_signed_maps_of_opposite_targets_cancel(method: str) -> None:
    options = AttributionOptions(method, LAYERS, FEW, signed=True)
    one, other = (attribute(scorer, VIEW, options) for scorer in (SCORER, SCORER.negated()))
    for depth in one:
        assert np.allclose(one[depth] + other[depth], 0, atol=1e-5)


def test_an_unknown_method_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match="use one of gradcam"):
        attribute(SCORER, VIEW, AttributionOptions("guesswork"))


class AttentiveEngine(TinyEngine):
    """Has the maps of attention, too: a target's weights of the first two logits, at each depth."""

    def run(
        self, views: np.ndarray, target: np.ndarray | None, outputs: Sequence[str], mixture: np.ndarray | None = None
    ) -> dict[str, np.ndarray]:
        """Compute the named maps."""
        assert target is not None
        return {name: np.maximum(target[:, None, :2], 0) for name in outputs}


@pytest.mark.parametrize("method", ATTENTION_MAPS)
def test_attentions_maps_are_the_graphs(method: str) -> None:
    scorer = TargetScorer(AttentiveEngine(), np.array([[2, -1, 0, 0, 0]], np.float32))
    unsigned, signed = (
        attribute(scorer, VIEW, AttributionOptions(method, LAYERS[:1], FEW, signed)) for signed in (False, True)
    )
    assert unsigned[1].tolist() == [[2, 0]]
    assert signed[1].tolist() == [[2, -1]]


def test_a_graph_without_gradients_still_has_methods() -> None:
    older = TinyEngine(outputs=WITHOUT_GRADIENTS)
    assert available_methods(LAYERS, older) == ["eigencam", "scorecam", "occlusion", "rise"]


def test_only_a_graph_with_attention_has_its_methods() -> None:
    attentive = TinyEngine(outputs=frozenset(output_names(attention=True)))
    assert set(available_methods(LAYERS, attentive)) - set(available_methods(LAYERS, TinyEngine())) == set(
        ATTENTION_MAPS
    )
    with pytest.raises(ModelError, match="legrad explains attention, which this model's graph does not have"):
        check_outputs("legrad", LAYERS, TinyEngine())
