"""What computes a model's graph: the protocol of the runtimes, and how one is opened.

Views run one at a time in a graph of fixed size. On two processors that is as fast as batches, needs less memory, and
gives the same bits whether a view comes alone or among thousands.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, Protocol

from artnet.errors import UsageError
from artnet.model.graph import Floats
from artnet.model.onnxruntime import OnnxRuntimeEngine
from artnet.model.openvino import OpenVinoEngine

Precision = Literal["auto", "f32"]
Runtime = Literal["openvino", "onnxruntime"]
RUNTIMES: tuple[Runtime, ...] = ("openvino", "onnxruntime")
PRECISIONS: tuple[Precision, ...] = ("auto", "f32")


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
        """Return the names of the graph's outputs; older model folders lack some of `graph.output_names`."""

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


def open_engine(
    graph: Path, runtime: str = "openvino", precision: str = "auto", concurrency: int = 1, processors: int | None = None
) -> Engine:
    """Open an ONNX graph with a runtime.

    Args:
        graph: the model.onnx of a model folder
        runtime: one of `RUNTIMES`
        precision: `auto` computes logits in bf16 where the processor is faster in it; gradients are always float32
        concurrency: how many callers share the processors at the same time; further ones wait
        processors: how many to use, by default all; ONNX Runtime heeds neither this nor `concurrency`
    """
    if precision not in PRECISIONS:
        raise UsageError(f"precision is {precision!r}; use one of {', '.join(PRECISIONS)}")
    if concurrency < 1:
        raise UsageError(f"concurrency is {concurrency}; use 1 or more")
    if runtime == "openvino":
        return OpenVinoEngine(graph, precision, concurrency=concurrency, processors=processors)
    if runtime == "onnxruntime":
        return OnnxRuntimeEngine(graph)
    raise UsageError(f"runtime is {runtime!r}; use one of {', '.join(RUNTIMES)}")
