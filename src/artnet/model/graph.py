"""Inputs and outputs of model.onnx: their names and what depends on what."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from artnet.errors import UsageError
from artnet.model.config import DEPTHS

Floats = NDArray[np.float32]
INPUTS = ("views", "target", "mixture")
VIEWS_GRADIENT = "gradient_views"
CHANNELS_GRADIENT = "gradient_channels"
STYLES = "styles"


def output_names(styles: bool = False) -> list[str]:
    """Return the names of the graph's outputs in order, with or without those of a second head for styles."""
    pairs = [f"{kind}_{depth}" for depth in range(1, DEPTHS + 1) for kind in ("activation", "gradient")]
    return ["logits", "embedding", *pairs, VIEWS_GRADIENT, CHANNELS_GRADIENT, *([STYLES] if styles else [])]


def required_inputs(outputs: Iterable[str]) -> list[str]:
    """Return the names of the inputs that the named outputs depend on, in the graph's order.

    >>> required_inputs(["logits", "gradient_9"])
    ['views', 'target']
    """
    gradients = [name for name in outputs if name.startswith("gradient")]
    required = {
        "views": True,
        "target": any(name != CHANNELS_GRADIENT for name in gradients),
        "mixture": CHANNELS_GRADIENT in gradients,
    }
    return [name for name in INPUTS if required[name]]


def required_feed(
    outputs: Iterable[str], views: Floats, target: Floats | None, mixture: Floats | None
) -> dict[str, Floats]:
    """Return those of the three inputs that `outputs` depend on; raise `UsageError` where one of them is None."""
    values = {"views": views, "target": target, "mixture": mixture}
    feed = {}
    for name in required_inputs(outputs):
        value = values[name]
        if value is None:
            raise UsageError(f"gradients need a {name}; pass one row of weights for each view")
        feed[name] = value
    return feed


def stack_outputs(names: Sequence[str], rows: Sequence[Sequence[Floats]]) -> Mapping[str, Floats]:
    """Return the outputs of single views, one row a view, as one array (N, ...) for each name."""
    return {name: np.concatenate(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)}
