"""A painting is judged by a head that has seen neither it nor its artist nor its copies."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from artnet.data.duplicates import fingerprint
from artnet.errors import DataError
from artnet.evaluation.labels.audit import out_of_fold_scores, painting_groups

MOVEMENTS = ("Cubism", "Realism")
RNG = np.random.default_rng(0)
LABELS = np.arange(40) % 2
EMBEDDINGS = np.stack([4.0 * LABELS, np.ones(40)], axis=1) + RNG.normal(0, 1, (40, 2))


def test_no_painting_is_scored_by_a_head_that_saw_its_label() -> None:
    groups = list(range(40))
    scores = out_of_fold_scores(EMBEDDINGS, LABELS, groups, MOVEMENTS)
    wrong = LABELS.copy()
    wrong[7] = 1 - wrong[7]
    again = out_of_fold_scores(EMBEDDINGS, wrong, groups, MOVEMENTS)
    assert np.array_equal(scores[7], again[7])
    assert not np.array_equal(scores[8], again[8])


def test_the_others_of_an_artist_are_held_out_with_a_painting() -> None:
    groups = [index // 4 for index in range(40)]
    wrong = LABELS.copy()
    wrong[4] = 1 - wrong[4]
    scores, again = (out_of_fold_scores(EMBEDDINGS, each, groups, MOVEMENTS) for each in (LABELS, wrong))
    assert np.array_equal(scores[4:8], again[4:8])


def test_a_movement_by_one_artist_cannot_be_judged() -> None:
    groups = ["courbet" if label else index for index, label in enumerate(LABELS)]
    with pytest.raises(DataError, match="all paintings of Realism are of one artist"):
        out_of_fold_scores(EMBEDDINGS, LABELS, groups, MOVEMENTS)


def test_a_group_is_an_artist_in_any_spelling_and_what_shows_the_same() -> None:
    images = [Image.fromarray(RNG.integers(0, 255, (40, 40), np.uint8)) for _ in range(5)]
    prints = [fingerprint(image) for image in (*images, images[4].resize((60, 60)))]
    found = painting_groups(["Claude Monet", None, "Monet, Claude", "Juan Gris", None, None], prints)
    assert found == [0, 1, 0, 3, 4, 4]
