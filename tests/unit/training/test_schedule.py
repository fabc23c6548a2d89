"""How rates rise and fall, and how the averaged weights update_average."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from artnet.training.recipe import Rates
from artnet.training.schedule import average_decay, cosine_factor, halving_factor, set_rates, update_average


def test_the_rate_rises_straight_and_falls_as_a_cosine() -> None:
    # 100 steps, a tenth of warm-up: half of the peak half-way down, at step 10 + 45.
    shares = [cosine_factor(step, 100, 0.1) for step in range(100)]
    assert shares[10] == 1
    assert shares[55] == pytest.approx(0.5)
    assert shares[:11] == sorted(shares[:11])
    assert shares[10:] == sorted(shares[10:], reverse=True)
    assert min(shares) > 0


def test_a_halved_rate_stays_for_two_epochs() -> None:
    assert [halving_factor(epoch, 2) for epoch in range(6)] == [1, 1, 0.5, 0.5, 0.25, 0.25]


def test_every_group_gets_its_share_of_its_own_peak() -> None:
    tensors = [nn.Parameter(torch.zeros(1)) for _ in range(2)]
    optimizer = torch.optim.SGD([{"params": [tensors[0]], "peak": 1.0}, {"params": [tensors[1]], "peak": 0.1}], lr=9)
    set_rates(optimizer, Rates(schedule="halving", halve_every=1), step=25, epochs=5, steps_per_epoch=10)
    assert [group["lr"] for group in optimizer.param_groups] == [0.25, 0.025]


def test_the_average_forgets_its_start() -> None:
    weight_of_start = np.prod([average_decay(step, 0.998) for step in range(1, 250)])
    assert weight_of_start < 1e-8
    assert average_decay(10**6, 0.998) == 0.998


def test_the_average_moves_a_tenth_of_the_way() -> None:
    average, network = nn.Linear(1, 1), nn.Linear(1, 1)
    nn.init.constant_(average.weight, 1.0)
    nn.init.constant_(network.weight, 2.0)
    update_average(average, network, 0.9)
    assert average.weight.item() == pytest.approx(1.1)
