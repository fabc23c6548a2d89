"""What validation decides: votes, temperature, thresholds, and what is familiar."""

from __future__ import annotations

import numpy as np
import pytest

from artnet.evaluation.calibration import fit_calibration, movement_weights
from artnet.metrics.conformal import prediction_sets
from artnet.model.prediction import vote
from artnet.training.export.calibrate import (
    choose_view_weights,
    fit_style_thresholds,
    natural_paintings,
    ood_threshold,
)


def test_regions_vote_only_where_they_help() -> None:
    rng = np.random.default_rng(0)
    y_true = rng.integers(0, 5, 200)
    good, noise = np.eye(5)[y_true] * 3, rng.normal(size=(200, 5))
    whole_knows = np.stack([good, *[noise] * 5], axis=1)
    regions_know = np.stack([noise, *[good] * 5], axis=1)
    assert choose_view_weights(whole_knows, y_true)["centre"] == 0
    assert choose_view_weights(regions_know, y_true)["whole"] == 0.25
    assert sum(choose_view_weights(regions_know, y_true).values()) == pytest.approx(1)


def test_the_threshold_says_what_it_leaves() -> None:
    rng = np.random.default_rng(0)
    y_true = np.arange(600) % 3
    logits = (np.eye(3)[y_true] * 1.2 + rng.normal(size=(600, 3)))[:, None]
    found = fit_calibration(logits, [1.0], y_true, np.ones(600, bool))
    scores = vote(logits, [1.0], found.temperature)
    answered = scores.max(1) >= found.unsure_below
    assert found.coverage == pytest.approx(answered.mean(), abs=1e-4)
    assert found.accuracy == pytest.approx((scores.argmax(1) == y_true)[answered].mean(), abs=1e-4)
    assert found.target_accuracy == 0.9
    assert 0.9 < found.accuracy < 0.95
    assert 0 < found.coverage < 1


def test_an_accuracy_out_of_reach_is_said_to_be_missed() -> None:
    scores = np.random.default_rng(0).normal(size=(600, 1, 3))
    found = fit_calibration(scores, [1.0], np.arange(600) % 3, np.ones(600, bool))
    assert found.accuracy is not None
    assert found.target_accuracy is not None
    assert found.accuracy < found.target_accuracy


def test_a_style_has_a_threshold_only_where_four_of_five_are_right() -> None:
    y_true = np.repeat([0, 1, -1], [40, 40, 20])
    sharp = np.where(y_true == 0, 0.7, 0.2)
    found = fit_style_thresholds(np.stack([sharp, np.full(100, 0.5)], axis=1), y_true, ("Cubism", "Dada"))
    assert found == {"Cubism": 0.7}


def test_every_large_collection_keeps_its_share_of_familiar_paintings() -> None:
    sharp, soft, few = np.arange(200.0), np.arange(200.0) / 2, np.full(20, 1000.0)
    names = ["sharp"] * 200 + ["soft"] * 200 + ["few"] * 20
    threshold = ood_threshold(np.concatenate([sharp, soft, few]), names, share=0.9)
    assert threshold == pytest.approx(np.quantile(sharp, 0.9))  # the highest of the collections, not the mixture's
    assert (few > threshold).all()  # too few to raise it


def test_nine_of_ten_sets_of_the_natural_paintings_hold_the_truth() -> None:
    rng = np.random.default_rng(1)
    y_true, natural = np.tile(np.arange(4), 500), np.arange(2000) % 3 > 0
    strength = np.where(natural, 1.0, 6.0)[:, None]  # what was stretched is easier, and must not make sets smaller
    logits = np.eye(4)[y_true] * strength + rng.normal(size=(2000, 4))
    found = fit_calibration(logits[:1000, None], [1.0], y_true[:1000], natural[:1000])
    assert found.set_threshold is not None
    sets = prediction_sets(vote(logits[:, None], [1.0], found.temperature), found.set_threshold)
    held = sets[np.arange(2000), y_true]
    assert held[1000:][natural[1000:]].mean() == pytest.approx(0.9, abs=0.03)


def test_too_few_paintings_to_tell_make_sets_of_all_movements() -> None:
    found = fit_calibration(np.eye(2)[:, None] * 3, [1.0], np.arange(2), np.ones(2, bool))
    assert found.set_threshold == 1


def test_a_collection_of_one_shape_is_not_natural() -> None:
    widths, heights = np.full(400, 224), np.full(400, 224)
    widths[:200] = 300 + np.arange(200)
    names = ["kept"] * 200 + ["stretched"] * 200
    assert natural_paintings(widths, heights, names).tolist() == [True] * 200 + [False] * 200
    assert natural_paintings(widths[150:], heights[150:], names[150:]).all()  # too few kept theirs


def test_movements_count_alike_but_not_those_of_a_few_paintings() -> None:
    weights = movement_weights(np.repeat([0, 1, 2], [100, 50, 1]))
    assert [weights[:100].sum(), weights[100:150].sum(), weights[150]] == pytest.approx([1, 1, 1 / 20])
