"""The head's dropout and batch normalisation; what they do over several processes is tested with the loop."""

from __future__ import annotations

import pytest
import torch
from timm.layers import BatchNormAct2d
from torch import nn

from artnet.training import whole_batch
from artnet.training.network.whole_batch import WholeBatchDropout, WholeBatchNorm, WholeBatchNorm2d, normalise_together


def test_dropout_drops_half_and_doubles_the_rest() -> None:
    torch.manual_seed(0)
    dropped = WholeBatchDropout(0.5)(torch.ones(100, 100))
    assert set(dropped.unique().tolist()) == {0.0, 2.0}
    assert abs(float((dropped == 0).float().mean()) - 0.5) < 0.03


def test_outside_of_training_nothing_is_dropped() -> None:
    embedding = torch.randn(4, 8)
    assert WholeBatchDropout(0.5).eval()(embedding) is embedding


def test_in_one_process_the_normalisation_is_pytorchs_own() -> None:
    embedding, own, theirs = torch.randn(8, 4), WholeBatchNorm(4), nn.BatchNorm1d(4)
    assert torch.equal(own(embedding), theirs(embedding))
    assert torch.equal(own.state_dict()["running_var"], theirs.state_dict()["running_var"])


def test_a_trunks_normalisation_is_replaced_with_the_same_tensors_and_the_same_answer() -> None:
    trunk = nn.Sequential(nn.Conv2d(3, 4, 1), BatchNormAct2d(4), nn.BatchNorm2d(4)).train()
    maps, names = torch.randn(2, 3, 5, 5), list(trunk.state_dict())
    expected, tensors = trunk(maps), list(trunk.parameters())
    normalise_together(trunk)
    assert torch.equal(trunk(maps), expected)
    assert list(trunk.state_dict()) == names
    assert all(one is other for one, other in zip(trunk.parameters(), tensors, strict=True))


def test_the_whole_batch_is_normalised_as_pytorch_does_it(monkeypatch: pytest.MonkeyPatch) -> None:
    maps, theirs = torch.randn(4, 3, 5, 5), nn.BatchNorm2d(3)
    ours = WholeBatchNorm2d(nn.BatchNorm2d(3))
    monkeypatch.setattr(whole_batch, "processes", lambda: 2)
    monkeypatch.setattr(whole_batch, "_added", lambda part: 2 * part)  # the other process holds the same maps
    assert torch.allclose(ours(maps), theirs(torch.cat([maps, maps]))[:4], atol=1e-5)
    assert torch.allclose(ours.state_dict()["running_var"], theirs.state_dict()["running_var"])
