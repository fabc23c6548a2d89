"""Occlusion, RISE and Score-CAM on scores whose cause is known."""

from __future__ import annotations

import numpy as np
import pytest

from artnet.attribution.perturbation import occlusion, rise, score_cam

VIEW = np.ones((3, 28, 28), np.float32)


def upper_left(views: np.ndarray) -> np.ndarray:
    """A score that is the mean of the upper left quarter."""
    return views[:, :, :14, :14].mean((1, 2, 3))


def test_occlusion_worked_by_hand() -> None:
    # Squares of 4 x 4 at 7 x 7 positions do not overlap; each takes 16 of the 196 pixels that count.
    grid = occlusion(upper_left, VIEW, steps=7)
    assert grid[0, 0] == pytest.approx(16 / 196)
    assert grid[3, 3] == pytest.approx(4 / 196)  # this square lies on the corner of the quarter
    assert np.abs(grid[4:]).max() == 0


class FixedMasks:
    """A random generator that is none: the first mask keeps the left half, the second the right; no shift."""

    def __init__(self) -> None:
        self.kept = iter([range(4), range(4, 8)])

    def random(self, shape: tuple[int, int]) -> np.ndarray:
        cells = np.ones(shape)
        cells[:, list(next(self.kept))] = 0  # under one half is kept
        return cells

    def integers(self, *_: int) -> tuple[int, int]:
        return 0, 0


def test_rise_worked_by_hand() -> None:
    # Cells are 4 px wide, so the halves meet at 16 px, over 4 px: the first mask keeps the whole quarter of 14 px,
    # score 1, the second nothing of it, score 0. S = (1 m1 + 0 m2) / (m1 + m2), less the mean score of 1/2; the masks
    # add up to 1 everywhere, so the map is m1 - 1/2: 1/2 on the left, -1/2 on the right, and even where they meet.
    grid = rise(upper_left, VIEW, 2, FixedMasks(), batch=1)  # type: ignore[arg-type]
    assert grid[:, :26] == pytest.approx(0.5)
    assert grid[:, -18:] == pytest.approx(-0.5)
    assert grid[:, 31] == pytest.approx(-grid[:, 32])


def test_rise_finds_what_counts_from_many_masks() -> None:
    grid = rise(upper_left, VIEW, 400, np.random.default_rng(0))
    assert grid.shape == (56, 56)
    assert grid[14, 14] > 0.02  # within the quarter
    assert np.abs(grid[40:, 40:]).mean() < 0.01  # far from it


def test_rise_of_a_score_that_nothing_changes_is_zero() -> None:
    grid = rise(lambda views: np.full(len(views), 0.3), VIEW, 20, np.random.default_rng(0))
    assert np.abs(grid).max() < 1e-6


def test_rise_is_the_same_for_the_same_seed() -> None:
    one, other, third = (rise(upper_left, VIEW, 9, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert one.tolist() == other.tolist() != third.tolist()


def test_score_cam_worked_by_hand() -> None:
    # Channel 1 shows the upper left quarter, channel 2 the lower right. Scores are 1 and 0 (the enlarged masks are
    # softer than that, hence the nearest sizes), weights e / (e + 1) and 1 / (e + 1).
    activation = np.array([[[1, 0], [0, 0]], [[0, 0], [0, 1]]], np.float32)
    grid = score_cam(lambda views: (views.mean((1, 2, 3)) > 0) * upper_left(views).round(), VIEW, activation, 2)
    assert grid == pytest.approx(np.array([[np.e, 0], [0, 1]]) / (np.e + 1), rel=1e-5)


def test_channels_that_are_constant_mask_nothing() -> None:
    assert score_cam(upper_left, VIEW, np.ones((2, 3, 3), np.float32), 2).max() == 0
