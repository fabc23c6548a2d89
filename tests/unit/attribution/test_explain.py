"""Explanations: every depth and target, on the image's own pixels."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from PIL import Image

import artnet
from artnet.attribution.explain import Depth, ExplainOptions, explain
from artnet.attribution.methods import METHODS, Sampling
from artnet.attribution.projection import normalise
from artnet.errors import ModelError, UsageError
from artnet.model.classifier import Classifier
from artnet.model.engine import ATTENTION_MAPS, output_names
from fixtures.engine import WITHOUT_GRADIENTS, TinyEngine, tiny_classifier
from fixtures.margins import framed, textured

WITHOUT_ATTENTION = [name for name in METHODS if name not in ATTENTION_MAPS]  # as the test's network is
FEW = ExplainOptions(sampling=Sampling(masks=6, channels=2, steps=2, samples=2, squares=3))


def test_the_public_name_is_the_function_even_after_the_module_was_imported() -> None:
    assert artnet.explain is explain


def test_the_prediction_is_explained_at_nine_depths(painting: Image.Image) -> None:
    explanation = explain(tiny_classifier(), painting)
    assert list(explanation.maps) == list(range(1, 10))
    assert explanation.target.movement == explanation.prediction.movement
    for depth in explanation.maps:
        heatmap = explanation.heatmap(depth)
        assert heatmap.shape == (300, 420)
        assert heatmap.dtype == np.float32
        assert 0 <= heatmap.min() and heatmap.max() <= 1


def test_one_depth_equals_that_of_all(painting: Image.Image) -> None:
    classifier = tiny_classifier()
    every, single = explain(classifier, painting), explain(classifier, painting, depth=9)
    assert list(single.maps) == [9]
    assert np.array_equal(single.heatmap(9), every.heatmap(9))
    with pytest.raises(UsageError, match="depth 3 was not computed"):
        single.heatmap(3)


@pytest.mark.parametrize(("group", "depths"), [("shallow", [1, 2, 3]), ("middle", [4, 5, 6]), ("deep", [7, 8, 9])])
def test_nine_depths_stand_in_three_groups(painting: Image.Image, group: Depth, depths: list[int]) -> None:
    explanation = explain(tiny_classifier(), painting, depth=group)
    assert list(explanation.maps) == depths
    assert {entry["group"] for entry in explanation.to_dict()["depths"]} == {group}


def test_a_peak_lies_where_the_map_is_strongest() -> None:
    image = Image.new("RGB", (560, 280))
    image.paste("white", (240, 80, 320, 120))  # one of 7 x 7 cells
    explanation = explain(tiny_classifier(), image, "Cubism", depth=9)
    assert explanation.to_dict()["depths"][0]["peak"] == [280, 100]
    assert explanation.heatmap(9)[100, 280] > 0.9


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        ({"movement": "Dada"}, "unknown movement 'Dada'; this model knows Cubism"),
        ({"movement": "Realism", "rather_than": "Realism"}, "explains nothing"),
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
def test_a_target_that_cannot_be_explained_is_refused(
    painting: Image.Image, arguments: dict[str, object], fault: str
) -> None:
    with pytest.raises(UsageError, match=fault):
        explain(tiny_classifier(), painting, **arguments)  # type: ignore[arg-type]


@pytest.mark.parametrize("method", WITHOUT_ATTENTION)
def test_every_method_gives_heatmaps_of_the_images_size(painting: Image.Image, method: str) -> None:
    explanation = explain(tiny_classifier(), painting, method=method, options=FEW)
    assert list(explanation.maps) == (list(range(1, 10)) if METHODS[method].reads == "layers" else [0])
    for depth in explanation.maps:
        heatmap = explanation.heatmap(depth)
        assert heatmap.shape == (300, 420)
        assert 0 <= heatmap.min() and heatmap.max() <= 1


@pytest.mark.parametrize("method", WITHOUT_ATTENTION)
def test_a_constant_image_gives_no_nan(method: str) -> None:
    explanation = explain(tiny_classifier(), Image.new("RGB", (64, 64)), method=method, options=FEW)
    assert all(np.isfinite(explanation.heatmap(depth)).all() for depth in explanation.maps)


@pytest.mark.parametrize("method", [name for name in WITHOUT_ATTENTION if METHODS[name].reads == "layers"])
def test_a_network_that_answers_the_same_to_everything_gives_a_heatmap_of_zeros(
    painting: Image.Image, method: str
) -> None:
    explanation = explain(tiny_classifier(TinyEngine(gain=0)), painting, method=method, options=FEW)
    assert not any(explanation.heatmap(depth).any() for depth in explanation.maps)


def test_what_speaks_for_and_against_is_told_apart(painting: Image.Image) -> None:
    classifier = tiny_classifier()
    plain = explain(classifier, painting, "Impressionism", depth=4)
    signed = explain(classifier, painting, "Impressionism", depth=4, against=True)
    grid = signed.maps[4].grid
    assert np.abs(grid).max() == 1
    assert np.allclose(normalise(np.maximum(grid, 0)), plain.maps[4].grid, atol=1e-4)


def test_depth_auto_is_the_most_faithful_one(painting: Image.Image) -> None:
    explanation = explain(tiny_classifier(), painting, depth="auto")
    assert list(explanation.gains) == list(range(1, 10))
    assert explanation.chosen_depth == max(explanation.gains, key=lambda depth: explanation.gains[depth].gain)
    assert list(explanation.maps) == [explanation.chosen_depth]
    assert explanation.to_dict()["chosen_depth"] == explanation.chosen_depth


def test_results_of_the_tests_are_part_of_an_explanation(painting: Image.Image) -> None:
    explanation = explain(tiny_classifier(), painting, depth=9, options=ExplainOptions(faithfulness=True))
    entry = explanation.to_dict()["depths"][0]
    assert entry["faithfulness"].keys() == {"deletion", "insertion", "gain", "gain_over_pixels"}
    assert -1 <= entry["shuffled_correlation"] <= 1
    assert isinstance(entry["passes"], bool)


def test_the_regions_of_a_large_image_are_explained(painting: Image.Image) -> None:
    options = ExplainOptions(regions=True)
    explanation = explain(tiny_classifier(), painting, depth=4, options=options)
    assert len(explanation.maps[4].regions) == 5
    assert explanation.heatmap(4).shape == (300, 420)
    small = painting.resize((80, 50))  # under two views on its shorter side
    assert not explain(tiny_classifier(), small, depth=4, options=options).maps[4].regions


@pytest.mark.parametrize("method", ["integrated", "smoothgrad"])
def test_a_model_of_before_says_which_output_it_lacks(painting: Image.Image, method: str) -> None:
    classifier = tiny_classifier(TinyEngine(outputs=frozenset(output_names()) - {"gradient_views"}))
    with pytest.raises(ModelError, match=r"'gradient_views'.*occlusion, rise"):
        explain(classifier, painting, method=method)


@pytest.mark.parametrize("method", ["occlusion", "rise", "scorecam", "eigencam"])
def test_methods_of_forward_passes_need_no_gradients(painting: Image.Image, method: str) -> None:
    classifier = tiny_classifier(TinyEngine(outputs=WITHOUT_GRADIENTS))
    assert explain(classifier, painting, method=method, options=FEW).maps
    with pytest.raises(ModelError, match="gradcam needs the output 'gradient_1'"):
        explain(classifier, painting)


def test_a_model_without_explained_layers_says_so(painting: Image.Image) -> None:
    config = dataclasses.replace(tiny_classifier().config, layers=())
    with pytest.raises(ModelError, match="no explained layers"):
        explain(Classifier(config, TinyEngine()), painting)


def test_an_image_with_margins_is_explained_as_its_painting_alone() -> None:
    inside, classifier = textured(120, 90), tiny_classifier(trim=True)
    alone, whole = (explain(classifier, image, depth=9) for image in (inside, framed(inside, 25, 20, 15, 20)))
    assert whole.prediction.scores == alone.prediction.scores
    assert whole.prediction.views[0].box.as_tuple() == (25, 20, 145, 110)
    assert np.array_equal(whole.heatmap(9)[20:110, 25:145], alone.heatmap(9))
    assert np.isclose(whole.heatmap(9).sum(), alone.heatmap(9).sum())
    x, y = alone.to_dict()["depths"][0]["peak"]
    assert whole.to_dict()["depths"][0]["peak"] == [x + 25, y + 20]


def test_margins_are_kept_on_request() -> None:
    image, kept = framed(textured(120, 90), 25, 20, 15, 20), ExplainOptions(trim=False)
    assert explain(tiny_classifier(trim=True), image, depth=9).placement.has_margins
    assert not explain(tiny_classifier(trim=True), image, depth=9, options=kept).placement.has_margins
