"""Starting weights from files: int8 matrices, and files that cannot be used."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from artnet.errors import TrainingError
from artnet.training.network.weights import dequantise, read_weights


def test_an_int8_tensor_is_multiplied_by_the_scale_of_its_output_channel(tmp_path: Path) -> None:
    kernel = torch.tensor([[[[2]], [[-4]]], [[[1]], [[3]]]], dtype=torch.int8)  # (2, 2, 1, 1)
    save_file({"stem": kernel, "stem.scale": torch.tensor([0.5, 2.0])}, tmp_path / "int8.safetensors")
    found = read_weights(tmp_path / "int8.safetensors")
    assert list(found) == ["stem"]
    assert found["stem"].flatten().tolist() == [1.0, -2.0, 2.0, 6.0]


def test_what_is_rounded_to_int8_differs_by_half_a_step_at_most() -> None:
    weight = torch.randn(8, 5, generator=torch.Generator().manual_seed(0))
    scales = weight.abs().amax(1) / 127
    found = dequantise((weight / scales[:, None]).round().to(torch.int8), scales)
    assert bool(((found - weight).abs() <= scales[:, None] * 0.5001).all())


def test_a_scale_that_belongs_to_no_tensor_is_a_weight_like_any_other(tmp_path: Path) -> None:
    save_file({"gate.scale": torch.ones(1)}, tmp_path / "weights.safetensors")
    assert list(read_weights(tmp_path / "weights.safetensors")) == ["gate.scale"]


@pytest.mark.parametrize("scales", [{}, {"stem.scale": torch.ones(3)}])
def test_an_int8_tensor_without_its_scales_is_refused(tmp_path: Path, scales: dict[str, torch.Tensor]) -> None:
    save_file({"stem": torch.ones(2, 4, dtype=torch.int8), **scales}, tmp_path / "int8.safetensors")
    with pytest.raises(TrainingError, match=r"stem is int8 and has no stem\.scale .* its 2 output channels"):
        read_weights(tmp_path / "int8.safetensors")
