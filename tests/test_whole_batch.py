"""The head's dropout and batch normalisation; what they do over several processes is tested with the loop."""

from __future__ import annotations

import torch
from torch import nn

from artnet.training.whole_batch import WholeBatchDropout, WholeBatchNorm


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
