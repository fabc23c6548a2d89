"""Which views an epoch holds, and how often."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from artnet.training.batches.views import StoredViews, sample_epoch, sampling_probabilities


def drawable(movements: Sequence[int], collections: Sequence[int] | None = None) -> StoredViews:
    """Make views of which only movement and collection matter."""
    none, shares = np.full(len(movements), -1), np.eye(max(movements) + 1, dtype=np.float32)[list(movements)]
    return StoredViews([], np.array(movements), np.array(collections or [0] * len(movements)), none, shares)


def probabilities(views: StoredViews, balance: float) -> np.ndarray:
    return sampling_probabilities(views.movements, views.collections, balance)


def test_an_epoch_without_balance_holds_every_painting_once() -> None:
    assert sorted(sample_epoch(drawable([0] * 30 + [1] * 10), 0, seed=1, epoch=0)) == list(range(40))


def test_full_balance_draws_the_movements_alike() -> None:
    views = drawable([0] * 3000 + [1] * 400)
    drawn = views.movements[sample_epoch(views, 1, seed=1, epoch=0)]
    assert np.mean(drawn == 1) == pytest.approx(0.5, abs=0.05)


def test_full_balance_draws_collections_alike_and_in_each_the_movements_it_holds() -> None:
    views = drawable([0, 0, 0, 1, 1, 2], [0, 0, 0, 0, 1, 1])
    assert probabilities(views, 1) == pytest.approx([1 / 12, 1 / 12, 1 / 12, 1 / 4, 1 / 4, 1 / 4])


def test_a_single_painting_of_a_movement_is_not_drawn_for_half_of_an_epoch() -> None:
    views = drawable([0] * 9 + [1])  # the one counts as 5 / 10 at most, beside 9 / 18 of the others: not capped
    assert probabilities(views, 1)[-1] == pytest.approx(1 / 2)
    views = drawable([0] * 19 + [1])  # 5 / 20, beside 1 / 2
    assert probabilities(views, 1)[-1] == pytest.approx(1 / 3)


def test_half_balance_draws_by_the_roots_of_the_counts() -> None:
    views = drawable([0, 0, 0, 0, 1], [0, 0, 0, 0, 1])  # 4 ** -0.5 * 4 = 2 for all four together, against 1
    assert probabilities(views, 0.5) == pytest.approx([1 / 6] * 4 + [1 / 3])
