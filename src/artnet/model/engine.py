"""What runs a model's graph: the protocol of the runtimes, and the graph's inputs and outputs by name.

Views run one at a time in a graph of fixed size. On two processors that is as fast as batches, needs less memory, and
gives the same bits whether a view comes alone or among thousands.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from artnet.errors import UsageError
from artnet.model.config import DEPTHS

Floats = NDArray[np.float32]
INPUTS = ("views", "target", "mixture")
VIEWS_GRADIENT = "gradient_views"
CHANNELS_GRADIENT = "gradient_channels"
STYLES = "styles"
ATTENTION_MAPS = ("rollout", "legrad")  # of networks with attention among all tokens
DIFFERENTIATED = ("gradient", *ATTENTION_MAPS)  # how the names begin of outputs that need a target or a mixture


class Engine(Protocol):
    """A graph that can be run, from any number of threads."""

    @property
    def classes(self) -> int:
        """Return C, the number of logits."""

    @property
    def size_px(self) -> int:
        """Return S, the side of a view."""

    @property
    def styles(self) -> int:
        """Return K, the number of fine styles; 0 without a head for them."""

    @property
    def outputs(self) -> frozenset[str]:
        """Return the names of the graph's outputs; older model folders lack some of `output_names`."""

    def shuffled(self, seed: int) -> Engine:
        """Return an engine of the same graph with the numbers inside each of its weights in another order."""

    def run(
        self, views: Floats, target: Floats | None, outputs: Sequence[str], mixture: Floats | None = None
    ) -> Mapping[str, Floats]:
        """Compute only the named outputs.

        Args:
            views: (N, 3, S, S) float32, normalised as the model's preprocessing says
            target: (N, C) float32, weights of the logits whose sum the gradients are of; None where none is needed
            outputs: some of `outputs`
            mixture: (N, M) float32, weights of all layers' channels, one after the other, for `gradient_channels`

        Returns:
            each output by name, float32, with N as its first dimension

        Raises:
            ModelError: for an output that the graph does not have
            UsageError: for gradients without the target or mixture that they need
        """


def output_names(styles: bool = False, attention: bool = False) -> list[str]:
    """Return the names of the graph's outputs in order, perhaps with those of a second head or of attention."""
    pairs = [f"{kind}_{depth}" for depth in range(1, DEPTHS + 1) for kind in ("activation", "gradient")]
    maps = [f"{kind}_{depth}" for depth in range(1, DEPTHS + 1) for kind in ATTENTION_MAPS] if attention else []
    return ["logits", "embedding", *pairs, VIEWS_GRADIENT, CHANNELS_GRADIENT, *([STYLES] if styles else []), *maps]


def required_inputs(outputs: Iterable[str]) -> list[str]:
    """Return the names of the inputs that the named outputs depend on, in the graph's order.

    >>> required_inputs(["logits", "gradient_9"])
    ['views', 'target']
    """
    gradients = [name for name in outputs if name.startswith(DIFFERENTIATED)]
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
