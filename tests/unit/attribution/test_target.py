"""Targets as weights of logits, in words, and as scores."""

from __future__ import annotations

import numpy as np
import pytest

from artnet.attribution.target import Target, target_score
from artnet.errors import UsageError

MOVEMENTS = ("Cubism", "Realism", "Abstract")


def test_a_target_is_weights_of_logits() -> None:
    assert Target("Realism").logit_weights(MOVEMENTS).tolist() == [[0, 1, 0]]
    assert Target("Realism", "Cubism").logit_weights(MOVEMENTS).tolist() == [[-1, 1, 0]]


def test_a_target_is_described_in_words() -> None:
    assert Target("Realism", "Cubism").description == "why Realism rather than Cubism"
    assert Target("Realism", against=True).description == "what speaks for and against Realism"


def test_a_rather_than_a_is_refused() -> None:
    with pytest.raises(UsageError, match="explains nothing"):
        Target("Realism", "Realism").logit_weights(MOVEMENTS)


def test_the_score_of_one_movement_is_its_softmax() -> None:
    # exp(0), exp(log 2), exp(0): 2 of 4.
    logits = np.array([[0, np.log(2), 0]])
    assert target_score(logits, Target("Realism").logit_weights(MOVEMENTS))[0] == pytest.approx(0.5)


def test_the_scores_of_a_pair_add_up_to_1() -> None:
    logits = np.array([[0, np.log(3), 9]])
    pairs = (Target("Cubism", "Realism"), Target("Realism", "Cubism"))
    scores = [target_score(logits, target.logit_weights(MOVEMENTS))[0] for target in pairs]
    assert scores == pytest.approx([0.25, 0.75])
