"""Attribution by the gradient to the pixels: integrated gradients and SmoothGrad."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
GradientFunction = Callable[[Floats], Floats]  # views (N, 3, S, S) to gradients of the same shape


def integrated_gradients(gradient: GradientFunction, view: Floats, steps: int) -> Floats:
    """Integrate the gradient along the straight path from the mean colour, which is 0, to the view.

    Sundararajan et al., "Axiomatic attribution for deep networks", 2017, equation 1, as a sum over the middles of
    `steps` equal parts. The attributions add up to what the logit gains on the path (completeness), as far as the
    steps are fine enough.

    Args:
        gradient: of the logit to the views
        view: normalised, (3, S, S)
        steps: gradients computed

    Returns:
        (3, S, S), signed

    Examples:
        >>> view = np.array([1, 2, -3], np.float32).reshape(3, 1, 1)
        >>> integrated_gradients(lambda x: 2 * x, view, 4).ravel()  # of the sum of squares
        array([1., 4., 9.], dtype=float32)
    """
    total = np.zeros(view.shape, np.float64)
    for step in range(steps):
        total += gradient(((step + 0.5) / steps * view)[None].astype(np.float32))[0]
    return (view * total / steps).astype(np.float32)


def smooth_grad(
    gradient: GradientFunction, view: Floats, samples: int, rng: np.random.Generator, noise: float = 0.15
) -> Floats:
    """Average the gradients at noisy copies of the view.

    Smilkov et al., "SmoothGrad: removing noise by adding noise", 2017, section 3.

    Args:
        gradient: of the logit to the views
        view: normalised, (3, S, S)
        samples: noisy copies
        rng: source of the noise
        noise: standard deviation as a share of the view's range of values; the paper advises 0.1 to 0.2

    Returns:
        (3, S, S), signed
    """
    deviation = np.float32(noise * (view.max() - view.min()))
    total = np.zeros(view.shape, np.float64)
    for _ in range(samples):
        total += gradient((view + deviation * rng.standard_normal(view.shape, np.float32))[None])[0]
    return (total / samples).astype(np.float32)
