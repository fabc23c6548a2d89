"""Explanations: every method and question, on the painting's own pixels."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import artnet
from artnet.attribution.explain import Depth, ExplainOptions, explain
from artnet.attribution.methods import METHODS, Sampling
from artnet.attribution.projection import scaled
from artnet.errors import ModelError, UsageError
from artnet.model.classifier import Classifier

FEW = Sampling(masks=6, channels=2, steps=2, samples=2, squares=3)


def test_the_public_name_is_the_function_even_after_the_module_was_imported() -> None:
    assert artnet.explain is explain


def test_nine_maps_of_the_answer(classifier: Classifier, painting: Image.Image) -> None:
    found = explain(classifier, painting)
    assert list(found.maps) == list(range(1, 10))
    assert found.movement == found.prediction.movement
    for depth in found.maps:
        heatmap = found.heatmap(depth)
        assert heatmap.shape == (300, 420)
        assert heatmap.dtype == np.float32
        assert np.isfinite(heatmap).all()
        assert 0 <= heatmap.min() and heatmap.max() <= 1


def test_the_maps_are_the_gradients_of_the_logit(classifier: Classifier, painting: Image.Image) -> None:
    """Numerically: raising the activation along the gradient is what Grad-CAM's weights measure.

    For the deepest layer the head is linear (pooling, batch normalisation, dense), so the logit equals its bias
    plus the sum of gradient times activation, exactly.
    """
    config, engine = classifier.config, classifier.engine
    view = np.random.default_rng(1).normal(0, 0.5, (1, 3, *[config.preprocessing.size_px] * 2)).astype(np.float32)
    target = np.eye(5, dtype=np.float32)[[3]]
    found = engine.run(view, target, ["logits", "activation_9", "gradient_9"])
    half = engine.run(view * 0.5, target, ["logits", "activation_9", "gradient_9"])
    linear = float((found["gradient_9"] * (found["activation_9"] - half["activation_9"])).sum())
    assert linear == pytest.approx(float(found["logits"][0, 3] - half["logits"][0, 3]), rel=1e-3, abs=1e-3)


def test_one_depth_equals_that_of_all(classifier: Classifier, painting: Image.Image) -> None:
    every, single = explain(classifier, painting), explain(classifier, painting, depth=9)
    assert list(single.maps) == [9]
    assert np.allclose(single.heatmap(9), every.heatmap(9), atol=1e-4)
    with pytest.raises(UsageError, match="depth 3 was not computed"):
        single.heatmap(3)


@pytest.mark.parametrize(("group", "depths"), [("shallow", [1, 2, 3]), ("middle", [4, 5, 6]), ("deep", [7, 8, 9])])
def test_nine_depths_stand_in_three_groups(
    exported: Path, painting: Image.Image, group: Depth, depths: list[int]
) -> None:
    found = explain(Classifier.load(exported, precision="f32"), painting, depth=group)
    assert list(found.maps) == depths
    assert {entry["group"] for entry in found.to_dict()["depths"]} == {group}


def test_a_constant_picture_gives_no_nan(classifier: Classifier) -> None:
    found = explain(classifier, Image.new("RGB", (64, 64), "white"))
    assert all(np.isfinite(found.heatmap(depth)).all() for depth in found.maps)


def test_a_peak_lies_where_the_map_is_strongest(classifier: Classifier, painting: Image.Image) -> None:
    found = explain(classifier, painting, depth=9)
    x, y = found.to_dict()["depths"][0]["peak"]
    assert found.heatmap(9)[y, x] > 0.9


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        ({"movement": "Dada"}, "unknown movement 'Dada'; this model knows Cubism"),
        ({"movement": "Realism", "rather_than": "Realism"}, "asks nothing"),
        ({"method": "guesswork"}, "use one of gradcam"),
        ({"method": "eigencam", "movement": "Realism"}, "the same whatever the movement"),
        ({"method": "eigencam", "rather_than": "Realism"}, "the same whatever the movement"),
        ({"method": "smoothgrad", "against": True}, "what speaks for from what speaks against"),
        ({"method": "rise", "depth": 3}, "has no depths"),
        ({"depth": 0}, "1 .shallow. to 9"),
        ({"depth": 10}, "1 .shallow. to 9"),
        ({"depth": "deepest"}, "all, auto, shallow, middle, deep"),
    ],
)
def test_a_question_that_cannot_be_meant_is_refused(
    classifier: Classifier, painting: Image.Image, arguments: dict[str, object], fault: str
) -> None:
    with pytest.raises(UsageError, match=fault):
        explain(classifier, painting, **arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize("method", METHODS)
def test_every_method_gives_maps_of_the_paintings_size(exported: Path, painting: Image.Image, method: str) -> None:
    classifier = Classifier.load(exported, precision="f32")
    found = explain(classifier, painting, method=method, asking=ExplainOptions(sampling=FEW))
    assert list(found.maps) == (list(range(1, 10)) if METHODS[method].reads == "layers" else [0])
    for depth in found.maps:
        heatmap = found.heatmap(depth)
        assert heatmap.shape == (300, 420)
        assert np.isfinite(heatmap).all()
        assert 0 <= heatmap.min() and heatmap.max() <= 1


@pytest.mark.parametrize("method", METHODS)
def test_a_constant_picture_gives_no_nan_by_any_method(exported: Path, method: str) -> None:
    classifier = Classifier.load(exported, precision="f32")
    found = explain(classifier, Image.new("RGB", (64, 64)), method=method, asking=ExplainOptions(sampling=FEW))
    assert all(np.isfinite(found.heatmap(depth)).all() for depth in found.maps)


@pytest.mark.parametrize("method", [name for name, each in METHODS.items() if each.directed])
def test_a_rather_than_b_and_b_rather_than_a_cancel(exported: Path, painting: Image.Image, method: str) -> None:
    classifier, asking = Classifier.load(exported, precision="f32"), ExplainOptions(sampling=FEW)
    one, other = (
        explain(classifier, painting, *pair, method=method, against=True, asking=asking)
        for pair in (("Cubism", "Realism"), ("Realism", "Cubism"))
    )
    for depth in one.maps:
        assert np.allclose(one.maps[depth].grid + other.maps[depth].grid, 0, atol=2e-3)


def test_what_speaks_for_and_against_is_drawn_apart(classifier: Classifier, painting: Image.Image) -> None:
    plain, both = explain(classifier, painting, depth=4), explain(classifier, painting, depth=4, against=True)
    grid = both.maps[4].grid
    assert np.abs(grid).max() == 1
    assert np.allclose(scaled(np.maximum(grid, 0)), plain.maps[4].grid, atol=1e-4)
    assert both.question.startswith("what speaks for and against")


def test_the_most_faithful_depth_is_chosen_and_said(classifier: Classifier, painting: Image.Image) -> None:
    found = explain(classifier, painting, depth="auto")
    assert list(found.gains) == list(range(1, 10))
    assert found.chosen == max(found.gains, key=lambda depth: found.gains[depth].gain)
    assert list(found.maps) == [found.chosen]
    assert found.to_dict()["chosen_depth"] == found.chosen


def test_verdicts_are_part_of_what_is_said(classifier: Classifier, painting: Image.Image) -> None:
    entry = explain(classifier, painting, depth=9, asking=ExplainOptions(verdicts=True)).to_dict()["depths"][0]
    assert entry["faithfulness"].keys() == {"deletion", "insertion", "gain", "gain_over_pixels"}
    assert -1 <= entry["shuffled_correlation"] <= 1
    assert isinstance(entry["passes"], bool)


def test_a_large_painting_has_its_regions_looked_at(classifier: Classifier, painting: Image.Image) -> None:
    large = painting.resize((900, 640))
    found = explain(classifier, large, depth=4, asking=ExplainOptions(canvas=True))
    assert len(found.maps[4].regions) == 5
    assert found.heatmap(4).shape == (640, 900)
    assert not explain(classifier, painting, depth=4, asking=ExplainOptions(canvas=True)).maps[4].regions


@pytest.mark.parametrize("method", ["integrated", "smoothgrad"])
def test_a_model_of_before_says_which_output_it_lacks(
    classifier: Classifier, painting: Image.Image, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(classifier.engine), "outputs", classifier.engine.outputs - {"gradient_views"})
    with pytest.raises(ModelError, match=r"'gradient_views'.*occlusion, rise"):
        explain(classifier, painting, method=method)


@pytest.mark.parametrize("method", ["occlusion", "rise", "scorecam"])
def test_methods_of_forward_passes_need_no_gradients(
    classifier: Classifier, painting: Image.Image, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    forward = frozenset(name for name in classifier.engine.outputs if not name.startswith("gradient"))
    monkeypatch.setattr(type(classifier.engine), "outputs", forward)
    assert explain(classifier, painting, method=method, asking=ExplainOptions(sampling=FEW)).maps
    with pytest.raises(ModelError, match="gradcam needs the output 'gradient_1'"):
        explain(classifier, painting)


def test_a_model_without_explained_layers_says_so(classifier: Classifier, painting: Image.Image) -> None:
    bare = Classifier(dataclasses.replace(classifier.config, layers=()), classifier.engine)
    with pytest.raises(ModelError, match="no explained layers"):
        explain(bare, painting)
