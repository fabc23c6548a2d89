"""The views of a split vote as they do for users."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from artnet.evaluation.predictions import score_split
from fixtures.evaluation import CONFIG, four_paintings


def test_a_vote_weighs_the_views_and_ignores_those_without_weight() -> None:
    one = four_paintings().predictions
    logits = np.concatenate([one.logits, np.zeros_like(one.logits)], axis=1)
    two = dataclasses.replace(one, views=("whole", "centre"), logits=logits)
    assert two.voted({"whole": 1}, 1.0) == pytest.approx(one.voted({"whole": 1}, 1.0))
    both = two.voted({"whole": 1, "centre": 1}, 1.0)
    assert both == pytest.approx((one.voted({"whole": 1}, 1.0) + 0.2) / 2)


def test_paintings_of_a_high_ood_score_are_called_unfamiliar() -> None:
    assert CONFIG.ood is not None
    limit = CONFIG.ood.threshold
    predictions = dataclasses.replace(
        four_paintings().predictions, ood_score=np.array([limit + 1, limit - 1, limit - 1, limit + 1])
    )
    sure = "confident" if CONFIG.calibration.unsure_below <= 0.6 else "unsure"
    assert score_split(CONFIG, predictions).decisions == ("unfamiliar", sure, sure, "unfamiliar")


def test_a_collection_is_the_first_part_of_a_source() -> None:
    assert four_paintings().predictions.collections == ("a", "a", "b", "b")
