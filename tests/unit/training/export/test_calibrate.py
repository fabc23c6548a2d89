"""What validation decides: votes, temperature, thresholds, and what is familiar."""

from __future__ import annotations

import numpy as np
import pytest

from artnet.model.prediction import vote
from artnet.training.export.calibrate import (
    choose_view_weights,
    fit_calibration,
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
    y_true = rng.integers(0, 3, 500)
    logits = (np.eye(3)[y_true] * 1.2 + rng.normal(size=(500, 3)))[:, None]
    found = fit_calibration(logits, [1.0], y_true)
    scores = vote(logits, [1.0], found.temperature)
    answered = scores.max(1) >= found.unsure_below
    assert found.coverage == pytest.approx(answered.mean(), abs=1e-4)
    assert found.accuracy == pytest.approx((scores.argmax(1) == y_true)[answered].mean(), abs=1e-4)
    assert 0.79 < found.accuracy < 0.83
    assert 0 < found.coverage < 1


def test_every_large_collection_keeps_its_share_of_familiar_paintings() -> None:
    sharp, soft, few = np.arange(200.0), np.arange(200.0) / 2, np.full(20, 1000.0)
    names = ["sharp"] * 200 + ["soft"] * 200 + ["few"] * 20
    threshold = ood_threshold(np.concatenate([sharp, soft, few]), names, share=0.9)
    assert threshold == pytest.approx(np.quantile(sharp, 0.9))  # the highest of the collections, not the mixture's
    assert (few > threshold).all()  # too few to raise it
