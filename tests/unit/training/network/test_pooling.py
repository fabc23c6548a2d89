"""Outputs of any layout as grids, and the poolings."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch

from artnet.training.network.network import NetworkOptions, build_network
from artnet.training.network.pooling import pool, to_grid


def _trunk(**attributes: Any) -> Any:
    return SimpleNamespace(**attributes)


def test_tokens_are_folded_row_by_row_without_their_prefix() -> None:
    tokens = torch.tensor([[[9.0], [1.0], [2.0], [3.0], [4.0]]])  # a class token and 2 x 2 patches
    assert to_grid(tokens, _trunk(num_prefix_tokens=1)).tolist() == [[[[1.0, 2.0], [3.0, 4.0]]]]


def test_the_patch_embedding_has_no_prefix_yet() -> None:
    tokens = torch.arange(9.0).view(1, 9, 1)  # without the patches' number this could be 5 and 2 x 2
    trunk = _trunk(num_prefix_tokens=5, patch_embed=_trunk(num_patches=9))
    assert to_grid(tokens, trunk).shape == (1, 1, 3, 3)


def test_channels_come_first_whatever_the_layout() -> None:
    maps = torch.randn(2, 3, 4, 4)
    assert torch.equal(to_grid(maps, _trunk()), maps)
    assert torch.equal(to_grid(maps.permute(0, 2, 3, 1), _trunk(output_fmt="NHWC")), maps)


@pytest.mark.parametrize("shape", [(1, 3), (1, 6, 3)])
def test_what_is_no_grid_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="is no grid"):
        to_grid(torch.zeros(shape), _trunk(num_prefix_tokens=1))


def test_the_class_token_and_the_mean_of_the_patches_stand_side_by_side() -> None:
    tokens = torch.tensor([[[9.0], [1.0], [2.0], [3.0], [4.0]]])
    found = {name: pool(tokens, _trunk(num_prefix_tokens=1), name) for name in ("cls", "mean", "cls_mean")}  # type: ignore[arg-type]
    assert {name: embedding.tolist() for name, embedding in found.items()} == {
        "cls": [[9.0]],
        "mean": [[2.5]],
        "cls_mean": [[9.0, 2.5]],
    }


def test_the_own_pooling_is_timms() -> None:
    network = build_network("test_vit", 5, "none", NetworkOptions(size_px=32)).eval()
    views = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    assert torch.equal(network.embed(views), network.trunk(views))
