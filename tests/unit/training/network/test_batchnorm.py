"""Folded batch normalisations get the statistics of the data back, and no answer changes."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from artnet.training.network.batchnorm import restore_statistics
from artnet.training.network.network import build_network


def test_statistics_are_those_of_the_data_and_the_scale_makes_up_for_them() -> None:
    norm = nn.BatchNorm2d(1, eps=0.0)
    values = torch.tensor([1.0, 3.0, 5.0, 7.0]).view(2, 1, 1, 2)
    restore_statistics(nn.Sequential(norm), [values])
    assert norm.running_mean is not None and norm.running_var is not None
    assert norm.running_mean.item() == 4.0
    assert norm.running_var.item() == 5.0  # (9 + 1 + 1 + 9) / 4
    assert norm.weight.item() == pytest.approx(5.0**0.5)
    assert norm.bias.item() == pytest.approx(4.0)  # an identity again: sqrt(5) (x - 4) / sqrt(5) + 4


def test_a_network_answers_as_before() -> None:
    torch.manual_seed(0)
    trunk = build_network("mobilenetv2_050", 5, "none").trunk.eval()
    views = [torch.randn(4, 3, 64, 64) for _ in range(3)]
    with torch.no_grad():
        before = trunk(views[0])
        restore_statistics(trunk, views)
        assert torch.allclose(trunk(views[0]), before, atol=1e-4 * float(before.abs().max()))


def test_afterwards_a_batch_is_normalised_by_itself_to_nearly_the_same() -> None:
    torch.manual_seed(0)
    trunk = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
    views = torch.randn(32, 3, 16, 16) * 5 + 2
    before = trunk.eval()(views)
    restore_statistics(trunk, [views])
    assert torch.allclose(trunk.train()(views), before, atol=1e-3)


def test_the_hooks_are_taken_away_again() -> None:
    norm = nn.BatchNorm2d(1)
    restore_statistics(nn.Sequential(norm), [torch.randn(2, 1, 2, 2)])
    assert not norm._forward_pre_hooks
