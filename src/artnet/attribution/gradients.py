"""Find evidence in the gradient to the pixels: integrated gradients and SmoothGrad.

Knows nothing about networks: views (N, 3, S, S) go into a function, their gradients of the same shape come out.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Gradient = Callable[[Floats], Floats]


def integrated_gradients(gradient: Gradient, view: Floats, steps: int) -> Floats:
    """Add up the gradients on the way from the mean colour to the view; (3, S, S), signed.

    Sundararajan et al., "Axiomatic attribution for deep networks", 2017, equation 1, as a sum over the middles of
    `steps` equal parts. The attributions add up to what the logit gains on the way (completeness), as far as the
    steps are fine enough. The way begins at 0, the mean colour of the normalised input.
    """
    total = np.zeros(view.shape, np.float64)
    for step in range(steps):
        total += gradient(((step + 0.5) / steps * view)[None].astype(np.float32))[0]
    result: Floats = (view * total / steps).astype(np.float32)
    return result


def smooth_grad(
    gradient: Gradient, view: Floats, samples: int, rng: np.random.Generator, noise: float = 0.15
) -> Floats:
    """Average the gradients at noisy copies of the view; (3, S, S), signed.

    Smilkov et al., "SmoothGrad: removing noise by adding noise", 2017, section 3: Gaussian noise whose deviation is
    `noise` of the view's range of values; 10 to 20 per cent is the paper's advice.
    """
    deviation = np.float32(noise * (view.max() - view.min()))
    total = np.zeros(view.shape, np.float64)
    for _ in range(samples):
        total += gradient((view + deviation * rng.standard_normal(view.shape, np.float32))[None])[0]
    result: Floats = (total / samples).astype(np.float32)
    return result
