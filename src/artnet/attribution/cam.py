"""Turn a layer's activation and its gradient into a map of evidence: Grad-CAM and its kin.

Knows nothing about networks or pictures: two arrays (K, h, w) give one map (h, w), at least 0 and not yet scaled.
The gradient is that of the *logit* that is asked about, or of a difference of logits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Cam = Callable[[Floats, Floats], Floats]

_TINY = 1e-6  # keeps a quotient finite where a channel is silent


def grad_cam(activation: Floats, gradient: Floats) -> Floats:
    """Weigh each channel by its gradient's mean.

    Selvaraju et al., "Grad-CAM: visual explanations from deep networks via gradient-based localization", 2017,
    equations 1 and 2: alpha_k is the mean over the grid of dy/dA_k, the map is ReLU(sum_k alpha_k A_k).
    """
    return _weighted(gradient.mean((1, 2)), activation)


def grad_cam_plus_plus(activation: Floats, gradient: Floats) -> Floats:
    """Weigh each channel by its positive gradients, the rarer the more.

    Chattopadhay et al., "Grad-CAM++: generalized gradient-based visual explanations", 2018, equations 5 and 19 for
    y = exp(logit): alpha = g^2 / (2 g^2 + g^3 sum(A_k)), w_k = sum(alpha ReLU(g)). Of all CAMs here it alone changes
    with the size of the logits, because g^2 is set against g^3.
    """
    squared = gradient**2
    below = 2 * squared + activation.sum((1, 2), keepdims=True) * gradient**3 + _TINY
    alpha = np.where(gradient != 0, squared / np.where(below != 0, below, 1), 0)
    return _weighted((np.maximum(gradient, 0) * alpha).sum((1, 2)), activation)


def xgrad_cam(activation: Floats, gradient: Floats) -> Floats:
    """Weigh each channel by its gradients, averaged where the channel is active.

    Fu et al., "Axiom-based Grad-CAM: towards accurate visualization and explanation of CNNs", 2020, equation 8:
    w_k = sum(g A_k) / sum(A_k).
    """
    total = activation.sum((1, 2))
    return _weighted((gradient * activation).sum((1, 2)) / np.where(np.abs(total) > _TINY, total, np.inf), activation)


def hires_cam(activation: Floats, gradient: Floats) -> Floats:
    """Multiply activation and gradient place by place.

    Draelos and Carin, "Use HiResCAM instead of Grad-CAM for faithful explanations of convolutional neural networks",
    2020, equation 4: ReLU(sum_k g A_k). Where a linear head follows, the map adds up to the logit without its bias.
    """
    return _positive((gradient * activation).sum(0))


def layer_cam(activation: Floats, gradient: Floats) -> Floats:
    """Multiply activation and positive gradient place by place.

    Jiang et al., "LayerCAM: exploring hierarchical class activation maps for localization", 2021, equations 6 to 8:
    ReLU(sum_k ReLU(g) A_k).
    """
    return _positive((np.maximum(gradient, 0) * activation).sum(0))


def eigen_cam(activation: Floats, gradient: Floats) -> Floats:
    """Project the activation on its first principal component; the gradient is not looked at.

    Muhammad and Yeasin, "Eigen-CAM: class activation map using principal components", 2020, equation 4, with the
    places' mean taken away first. A component has no sign: the one that agrees with the mean activation is shown.
    """
    channels, rows, columns = activation.shape
    places = activation.reshape(channels, -1).T.astype(np.float64)  # (hw, K)
    centred = places - places.mean(0)
    # The smaller of the two Gram matrices has the same first component and is much faster than a whole SVD.
    if len(centred) <= channels:
        values, vectors = np.linalg.eigh(centred @ centred.T)
        projection = vectors[:, -1] * np.sqrt(max(values[-1], 0))
    else:
        projection = centred @ np.linalg.eigh(centred.T @ centred)[1][:, -1]
    sign = -1 if projection @ (places.mean(1) - places.mean()) < 0 else 1
    return _positive(sign * projection.reshape(rows, columns))


CAMS: Mapping[str, Cam] = {
    "gradcam": grad_cam,
    "gradcam++": grad_cam_plus_plus,
    "xgradcam": xgrad_cam,
    "hirescam": hires_cam,
    "layercam": layer_cam,
    "eigencam": eigen_cam,
}


def _weighted(weights: Floats, activation: Floats) -> Floats:
    return _positive(np.einsum("k,khw->hw", weights, activation))


def _positive(values: NDArray[np.floating]) -> Floats:
    result: Floats = np.maximum(values, 0).astype(np.float32)
    return result
