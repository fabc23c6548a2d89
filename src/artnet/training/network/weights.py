"""Starting weights from safetensors files, those with int8 matrices included."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from artnet.errors import TrainingError, reason

_SCALE = ".scale"


def read_weights(path: Path) -> dict[str, Tensor]:
    """Read a safetensors state dict, dequantised and in float32.

    Raises:
        TrainingError: for a file that is missing or unreadable, or an int8 matrix without its scales
    """
    try:
        stored = load_file(path)
    except FileNotFoundError:
        raise TrainingError(f"{path}: no such weights file; use a safetensors file, pretrained or none") from None
    except (OSError, SafetensorError) as error:
        raise TrainingError(f"{path}: cannot be read as safetensors ({reason(error)})") from error
    state = {}
    for name, tensor in stored.items():
        if name.endswith(_SCALE) and name.removesuffix(_SCALE) in stored:
            continue
        if tensor.dtype == torch.int8:
            state[name] = dequantise(tensor, _scales(stored, name, path))
        else:
            state[name] = tensor.float() if tensor.is_floating_point() else tensor
    return state


def dequantise(values: Tensor, scales: Tensor) -> Tensor:
    """Return the float32 tensor of int8 values (O, ...) with one scale (O,) an output channel.

    >>> dequantise(torch.tensor([[2, -4], [1, 3]], dtype=torch.int8), torch.tensor([0.5, 2.0]))
    tensor([[ 1., -2.],
            [ 2.,  6.]])
    """
    return values.float() * scales.float().view(-1, *[1] * (values.dim() - 1))


def describe_mismatch(expected: Mapping[str, Tensor], loaded: Mapping[str, Tensor]) -> str:
    """Return, in words, which tensors are missing, unexpected and of another shape; empty where all fit."""
    reshaped = [name for name in expected if name in loaded and loaded[name].shape != expected[name].shape]
    missing = [name for name in expected if name not in loaded]
    unexpected = [name for name in loaded if name not in expected]
    if not (reshaped or missing or unexpected):
        return ""
    lists = ((missing, "missing"), (unexpected, "unexpected"), (reshaped, "of another shape"))
    return "; ".join(_listed(names, fault) for names, fault in lists)


def _scales(stored: Mapping[str, Tensor], name: str, path: Path) -> Tensor:
    scales = stored.get(name + _SCALE)
    if scales is None or scales.shape != stored[name].shape[:1]:
        raise TrainingError(
            f"{path}: {name} is int8 and has no {name}{_SCALE} with a scale for each of its {len(stored[name])} output "
            "channels; use float weights"
        )
    return scales


def _listed(names: list[str], fault: str) -> str:
    listed = ", ".join(names[:5]) + (" ..." if len(names) > 5 else "")
    return f"{len(names)} {fault}" + (f" ({listed})" if names else "")
