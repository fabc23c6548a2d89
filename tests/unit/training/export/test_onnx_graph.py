"""The backward passes that ONNX has no operator for."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from artnet.errors import ExportError
from artnet.training.export.onnx_graph import avg_pool2d_backward, convolution_backward, relative_distance


@pytest.mark.parametrize(
    ("stride", "padding", "groups", "size"), [(1, 1, 1, 8), (2, 1, 1, 9), (2, 0, 4, 8), (2, 1, 4, 7), (3, 2, 2, 11)]
)
def test_the_gradient_of_a_convolution_is_autograds(stride: int, padding: int, groups: int, size: int) -> None:
    torch.manual_seed(0)
    weight = torch.randn(8, 4 // groups, 3, 3)
    inputs = torch.randn(2, 4, size, size, requires_grad=True)
    output = nn.functional.conv2d(inputs, weight, stride=stride, padding=padding, groups=groups)
    gradient = torch.randn_like(output)
    (expected,) = torch.autograd.grad(output, inputs, gradient)
    found, _, _ = convolution_backward(
        *(gradient, inputs, weight, None, [stride] * 2, [padding] * 2, [1, 1], False, [0, 0], groups, [True])
    )
    assert found is not None
    assert torch.allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize(
    ("kernel", "stride", "size", "ceil_mode"),
    [(2, 2, 8, False), (2, 2, 9, False), (3, 1, 7, False), (3, 2, 8, False), (2, 2, 8, True), (3, 2, 9, True)],
)
def test_the_gradient_of_average_pooling_is_autograds(kernel: int, stride: int, size: int, ceil_mode: bool) -> None:
    torch.manual_seed(0)
    inputs = torch.randn(2, 3, size, size, requires_grad=True)
    output = nn.functional.avg_pool2d(inputs, kernel, stride, ceil_mode=ceil_mode)
    gradient = torch.randn_like(output)
    (expected,) = torch.autograd.grad(output, inputs, gradient)
    found = avg_pool2d_backward(gradient, inputs, [kernel] * 2, [stride] * 2, [0, 0], ceil_mode, True, None)
    assert torch.allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize(("padding", "ceil_mode"), [(0, True), (1, False)])
def test_average_pooling_with_windows_partly_outside_is_refused(padding: int, ceil_mode: bool) -> None:
    inputs = torch.ones(1, 1, 9, 9)
    output = nn.functional.avg_pool2d(inputs, 2, 2, padding, ceil_mode, count_include_pad=False)
    with pytest.raises(ExportError, match="with views of another size they may fit"):
        avg_pool2d_backward(output, inputs, [2, 2], [2, 2], [padding] * 2, ceil_mode, False, None)


def test_a_relative_distance_worked_by_hand() -> None:
    assert relative_distance(np.array([3.0, 5.0]), np.array([3.0, 4.0])) == pytest.approx(0.2)
    assert relative_distance(np.zeros(2), np.zeros(2)) == 0
