"""Batches mixed by twos: mixup and cutmix."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from artnet.training.batches.mixup import cutmix, mix_batch, mixup


class Fixed(np.random.Generator):
    """A generator whose next draws are known."""

    def __init__(self, share: float, place: int = 0) -> None:
        super().__init__(np.random.PCG64(0))
        self._share, self._place = share, place

    def beta(self, *alphas: float) -> float:  # type: ignore[override]
        return self._share

    def random(self, *size: int) -> float:  # type: ignore[override]
        return self._share

    def integers(self, *limits: int) -> int:  # type: ignore[override]
        return self._place


def views_of(*values: float) -> torch.Tensor:
    return torch.tensor(values).view(-1, 1, 1, 1).expand(-1, 3, 8, 8)


def test_mixup_lays_neighbours_over_one_another() -> None:
    views, target = mixup(views_of(0, 10, 20), torch.eye(3), 0.2, Fixed(0.75))
    assert views[:, 0, 0, 0].tolist() == [2.5, 7.5, 20]  # the third has no partner
    assert target.tolist() == [[0.75, 0.25, 0], [0.25, 0.75, 0], [0, 0, 1]]


def test_cutmix_puts_a_quarter_of_the_neighbour_in_the_middle() -> None:
    # Three quarters are kept: the side is 8 * sqrt(1/4) = 4, from 4 - 2 to 4 + 2 in both directions.
    views, target = cutmix(views_of(0, 10), torch.eye(2), Fixed(0.75, place=4))
    assert (views[0, 0] == 10).nonzero().tolist() == [[row, column] for row in range(2, 6) for column in range(2, 6)]
    assert target.tolist() == [[0.75, 0.25], [0.25, 0.75]]


def test_a_rectangle_over_the_edge_is_cut_off_and_weighs_less() -> None:
    views, target = cutmix(views_of(0, 10), torch.eye(2), Fixed(0.75, place=0))
    assert (views[0, 0] == 10).sum() == 4  # 2 x 2 of 8 x 8 are left
    assert target[0].tolist() == [1 - 4 / 64, 4 / 64]


@given(st.integers(0, 2**32), st.integers(1, 7), st.floats(0, 1))
def test_targets_stay_shares(seed: int, count: int, cutmix_share: float) -> None:
    target = torch.eye(5)[torch.arange(count) % 5]
    views, mixed = mix_batch(torch.rand(count, 3, 8, 8), target, 0.2, cutmix_share, np.random.default_rng(seed))
    assert views.shape == (count, 3, 8, 8)
    assert torch.allclose(mixed.sum(1), torch.ones(count))
    assert mixed.min() >= 0


@given(st.integers(0, 2**32), st.booleans())
def test_the_halves_of_a_batch_are_mixed_like_the_whole(seed: int, cut: bool) -> None:
    views, target = torch.rand(8, 3, 8, 8), torch.eye(8)
    whole, _ = mix_batch(views, target, 0.2, float(cut), np.random.default_rng(seed))
    parts = [mix_batch(views[rows], target[rows], 0.2, float(cut), np.random.default_rng(seed))[0] for rows in
             (slice(0, 4), slice(4, 8))]  # fmt: skip
    assert torch.equal(whole, torch.cat(parts))


def test_nothing_is_mixed_where_nothing_is_asked_for() -> None:
    views = views_of(1, 2)
    assert mix_batch(views, torch.eye(2), 0, 0, np.random.default_rng(0))[0] is views
