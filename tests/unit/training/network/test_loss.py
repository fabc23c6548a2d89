"""The losses of the two heads, and the second head in a training."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from artnet.training.network.loss import make_targets, styles_loss, total_loss
from artnet.training.network.network import Logits, NetworkOptions, build_network
from artnet.training.recipe import Recipe
from fixtures.training import BACKBONE


def test_a_target_holds_both_truths_and_whether_the_style_is_known() -> None:
    network = build_network(BACKBONE, 3, "none", NetworkOptions(styles=2))
    found = make_targets(torch.tensor([[0, 0, 1.0], [1.0, 0, 0]]), torch.tensor([1, -1]), network)
    assert found.tolist() == [[0, 0, 1, 0, 1, 1], [1, 0, 0, 0, 0, 0]]


def test_the_styles_loss_is_that_worked_by_hand() -> None:
    logits = torch.tensor([[math.log(3), 0.0], [5.0, 5.0]])  # scores 3/4 and 1/2; the second has no known style
    found = styles_loss(logits, torch.tensor([[1.0, 0.0], [0.0, 0.0]]), torch.tensor([[1.0], [0.0]]))
    assert float(found) == pytest.approx((math.log(4 / 3) + math.log(2)) / 4)


@given(st.lists(st.floats(-20, 20), min_size=4, max_size=4), st.lists(st.floats(0, 1), min_size=4, max_size=4))
def test_where_all_styles_are_known_it_is_the_binary_cross_entropy(logits: list[float], truth: list[float]) -> None:
    given_logits, styles = torch.tensor([logits]), torch.tensor([truth])
    expected = F.binary_cross_entropy_with_logits(given_logits, styles)
    assert float(styles_loss(given_logits, styles, torch.ones(1, 1))) == pytest.approx(float(expected), abs=1e-5)


def test_no_gradient_flows_from_a_painting_without_a_style() -> None:
    logits = torch.randn(2, 3, requires_grad=True)
    network = build_network(BACKBONE, 2, "none", NetworkOptions(styles=3))
    target = make_targets(torch.eye(2), torch.tensor([2, -1]), network)
    total_loss(Logits(torch.zeros(2, 2), logits), target, Recipe()).backward()  # type: ignore[no-untyped-call]
    assert logits.grad is not None
    assert bool((logits.grad[0] != 0).all())
    assert not logits.grad[1].any()


def test_a_mixed_view_loses_as_its_parts_by_their_shares() -> None:
    logits, known = torch.randn(1, 3), torch.tensor([[1.0], [0.0]])
    styles = torch.tensor([[0.0, 1.0, 0.0], [0.0, 0.0, 0.0]])
    mixed = styles_loss(logits, 0.7 * styles[:1] + 0.3 * styles[1:], 0.7 * known[:1] + 0.3 * known[1:])
    torch.testing.assert_close(mixed, 0.7 * styles_loss(logits, styles[:1], known[:1]))


def test_the_parts_of_a_batch_lose_together_what_the_whole_loses() -> None:
    logits, styles, known = torch.randn(4, 3), torch.eye(4, 3), torch.tensor([[1.0], [1.0], [0.0], [1.0]])
    parts = [styles_loss(logits[rows], styles[rows] * known[rows], known[rows]) for rows in (slice(2), slice(2, 4))]
    torch.testing.assert_close(torch.stack(parts).mean(), styles_loss(logits, styles * known, known))


def test_only_the_weighted_styles_loss_is_added() -> None:
    logits = Logits(torch.randn(4, 2), torch.randn(4, 3))
    network = build_network(BACKBONE, 2, "none", NetworkOptions(styles=3))
    target = make_targets(torch.eye(2).repeat(2, 1), torch.tensor([0, 1, 2, -1]), network)
    alone = total_loss(Logits(logits.movements, None), target, Recipe())
    added = total_loss(logits, target, Recipe(styles_weight=0.5)) - alone
    assert logits.styles is not None
    torch.testing.assert_close(added, 0.5 * styles_loss(logits.styles, target[:, 2:-1], target[:, -1:]))
