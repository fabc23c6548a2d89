"""CAM methods: an activation (K, h, w) and its gradient (K, h, w) give a heatmap (h, w), at least 0, not normalised.

The gradient is that of the target *logit*, or of a difference of logits, never of a softmax score.
To add a method, write its function and add a line to `CAMS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
CamFunction = Callable[[Floats, Floats], Floats]

_EPSILON = 1e-6  # keeps a quotient finite where a channel is silent


@dataclass(frozen=True)
class Cam:
    """A CAM method as users know it; without its gradient a map is the same for every target."""

    label: str
    compute: CamFunction
    uses_gradient: bool = True


def grad_cam(activation: Floats, gradient: Floats) -> Floats:
    """Weight each channel by the mean of its gradient.

    Selvaraju et al., "Grad-CAM: visual explanations from deep networks via gradient-based localization", 2017,
    equations 1 and 2: alpha_k is the mean over the grid of dy/dA_k, the map is ReLU(sum_k alpha_k A_k).

    Examples:
        >>> activation = np.array([[[1, 2]], [[3, 1]]], np.float32)  # two channels of 1 x 2 cells
        >>> gradient = np.array([[[1, 3]], [[-2, 0]]], np.float32)  # means 2 and -1
        >>> grad_cam(activation, gradient)
        array([[0., 3.]], dtype=float32)
    """
    return _weighted_sum(gradient.mean((1, 2)), activation)


def grad_cam_plus_plus(activation: Floats, gradient: Floats) -> Floats:
    """Weight each channel by its positive gradients, the rarer the more.

    Chattopadhay et al., "Grad-CAM++: generalized gradient-based visual explanations", 2018, equations 5 and 19 for
    y = exp(logit): alpha = g^2 / (2 g^2 + g^3 sum(A_k)), w_k = sum(alpha ReLU(g)). Of all CAMs here it alone changes
    with the size of the logits, because g^2 is set against g^3.
    """
    squared = gradient**2
    denominator = 2 * squared + activation.sum((1, 2), keepdims=True) * gradient**3 + _EPSILON
    alpha = np.where(gradient != 0, squared / np.where(denominator != 0, denominator, 1), 0)
    return _weighted_sum((np.maximum(gradient, 0) * alpha).sum((1, 2)), activation)


def xgrad_cam(activation: Floats, gradient: Floats) -> Floats:
    """Weight each channel by its gradients, averaged where the channel is active.

    Fu et al., "Axiom-based Grad-CAM: towards accurate visualization and explanation of CNNs", 2020, equation 8:
    w_k = sum(g A_k) / sum(A_k).
    """
    total = activation.sum((1, 2))
    weights = (gradient * activation).sum((1, 2)) / np.where(np.abs(total) > _EPSILON, total, np.inf)
    return _weighted_sum(weights, activation)


def hires_cam(activation: Floats, gradient: Floats) -> Floats:
    """Multiply activation and gradient cell by cell.

    Draelos and Carin, "Use HiResCAM instead of Grad-CAM for faithful explanations of convolutional neural networks",
    2020, equation 4: ReLU(sum_k g A_k). Where a linear head follows, the map adds up to the logit without its bias.
    """
    return _relu((gradient * activation).sum(0))


def layer_cam(activation: Floats, gradient: Floats) -> Floats:
    """Multiply activation and positive gradient cell by cell.

    Jiang et al., "LayerCAM: exploring hierarchical class activation maps for localization", 2021, equations 6 to 8:
    ReLU(sum_k ReLU(g) A_k).
    """
    return _relu((np.maximum(gradient, 0) * activation).sum(0))


def eigen_cam(activation: Floats, gradient: Floats) -> Floats:
    """Project the activation on its first principal component; the gradient is ignored.

    Muhammad and Yeasin, "Eigen-CAM: class activation map using principal components", 2020, equation 4, with the
    mean over the cells subtracted first. A component has no sign: the one that agrees with the mean activation is
    returned.
    """
    channels, rows, columns = activation.shape
    cells = activation.reshape(channels, -1).T.astype(np.float64)  # (hw, K)
    centred = cells - cells.mean(0)
    # The smaller of the two Gram matrices has the same first component and is much faster than a whole SVD.
    if len(centred) <= channels:
        values, vectors = np.linalg.eigh(centred @ centred.T)
        projection = vectors[:, -1] * np.sqrt(max(values[-1], 0))
    else:
        projection = centred @ np.linalg.eigh(centred.T @ centred)[1][:, -1]
    sign = -1 if projection @ (cells.mean(1) - cells.mean()) < 0 else 1
    return _relu(sign * projection.reshape(rows, columns))


CAMS: Mapping[str, Cam] = {
    "gradcam": Cam("Grad-CAM", grad_cam),
    "gradcam++": Cam("Grad-CAM++", grad_cam_plus_plus),
    "xgradcam": Cam("XGrad-CAM", xgrad_cam),
    "hirescam": Cam("HiResCAM", hires_cam),
    "layercam": Cam("LayerCAM", layer_cam),
    "eigencam": Cam("Eigen-CAM", eigen_cam, uses_gradient=False),
}


def _weighted_sum(weights: Floats, activation: Floats) -> Floats:
    return _relu(np.einsum("k,khw->hw", weights, activation))


def _relu(values: NDArray[np.floating]) -> Floats:
    result: Floats = np.maximum(values, 0).astype(np.float32)
    return result
