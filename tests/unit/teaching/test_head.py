"""The head's penalty and accuracy come from images whose group it had not seen."""

from __future__ import annotations

import numpy as np

from artnet.data.split import group_folds
from artnet.teaching.head import cross_validate, measure

RNG = np.random.default_rng(0)
LABELS = np.repeat(np.arange(3), 20)


def test_classes_that_lie_apart_are_found_out_of_fold() -> None:
    features = (RNG.normal(0, 3, (3, 10))[LABELS] + RNG.normal(size=(60, 10))).astype(np.float32)
    scores = measure(cross_validate(features, LABELS, 3, group_folds(range(60), 5)), LABELS, 3)
    assert scores.accuracy.value > 0.9
    assert 0.7 < scores.accuracy.low < scores.accuracy.value
    assert scores.counts == (20, 20, 20)


def test_noise_that_tells_groups_apart_is_not_learnt_as_the_class() -> None:
    # Every group has a place of its own and one label, by chance: within groups all is known, across them nothing.
    groups = np.repeat(np.arange(12), 5)
    labels = RNG.permutation(np.arange(12) % 2)[groups]
    features = (RNG.normal(0, 5, (12, 30))[groups] + RNG.normal(size=(60, 30))).astype(np.float32)
    apart = measure(cross_validate(features, labels, 2, group_folds(range(60), 5)), labels, 2)
    together = measure(cross_validate(features, labels, 2, group_folds(groups.tolist(), 5)), labels, 2)
    assert apart.accuracy.value > 0.95
    assert together.accuracy.value < 0.8


def test_a_class_of_one_image_is_learnt_and_not_measured() -> None:
    labels = np.append(LABELS, 3)
    features = np.eye(4)[labels].astype(np.float32) * 5 + RNG.normal(size=(61, 4)).astype(np.float32) * 0.1
    validated = cross_validate(features, labels, 4, group_folds(range(61), 5))
    scores = measure(validated, labels, 4)
    assert not scores.recalls[3].known
    assert scores.accuracy.value == 1
    assert (features[-1] @ validated.head.weight + validated.head.bias).argmax() == 3


def test_more_noise_needs_a_higher_penalty() -> None:
    clean, noise = np.eye(3)[LABELS].astype(np.float32), RNG.normal(size=(60, 3)).astype(np.float32)
    folds = group_folds(range(60), 5)
    sure = cross_validate(clean + 0.01 * noise, LABELS, 3, folds)
    unsure = cross_validate(clean + 2 * noise, LABELS, 3, folds)
    assert sure.penalty < unsure.penalty
    assert sure.logits.shape == (60, 3)
