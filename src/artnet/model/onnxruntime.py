"""The graph on ONNX Runtime, for machines that OpenVINO does not know; the same numbers in float32."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from artnet.errors import MissingExtraError, ModelError, reason
from artnet.extras import install_command
from artnet.model.engine import STYLES, Floats, required_feed, stack_outputs
from artnet.model.openvino import OpenVinoEngine


class OnnxRuntimeEngine:
    """ONNX Runtime on the processor; see `engine.Engine` for its methods."""

    def __init__(self, graph: Path) -> None:
        try:
            import onnxruntime
        except ImportError:
            raise MissingExtraError(
                f"ONNX Runtime is not installed; install it with: {install_command('onnxruntime')}"
            ) from None
        self._graph = graph
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # the classes it raises differ from release to release
            raise ModelError(f"{graph}: cannot be read as an ONNX graph ({reason(error)})") from error
        self._run_options = onnxruntime.RunOptions()
        self._run_options.only_execute_path_to_fetches = True  # leaves the backward pass out where it can
        self._inputs = {entry.name: tuple(entry.shape) for entry in self._session.get_inputs()}
        self._outputs = {entry.name: tuple(entry.shape) for entry in self._session.get_outputs()}

    @property
    def classes(self) -> int:
        """Return C, the number of logits."""
        return int(self._inputs["target"][1])

    @property
    def size_px(self) -> int:
        """Return S, the side of a view."""
        return int(self._inputs["views"][-1])

    @property
    def styles(self) -> int:
        """Return K, the number of fine styles; 0 without a head for them."""
        return int(self._outputs[STYLES][1]) if STYLES in self._outputs else 0

    @property
    def outputs(self) -> frozenset[str]:
        """Return the names of the graph's outputs."""
        return frozenset(self._outputs)

    def shuffled(self, seed: int) -> OpenVinoEngine:
        """Return the same graph with shuffled weights, on OpenVINO, which can change constants."""
        return OpenVinoEngine(self._graph, "f32", cached=False).shuffled(seed)

    def run(
        self, views: Floats, target: Floats | None, outputs: Sequence[str], mixture: Floats | None = None
    ) -> Mapping[str, Floats]:
        """Compute the named outputs, view by view."""
        missing = [name for name in outputs if name not in self._outputs]
        if missing:
            raise ModelError(f"{self._graph}: has no output {missing[0]!r}; export the model again")
        feed = required_feed(outputs, views, target, mixture)
        for name, shape in self._inputs.items():  # an input that is not used must be there all the same
            feed.setdefault(name, np.zeros((len(views), *shape[1:]), np.float32))
        rows = [
            self._run_one({name: values[index, None] for name, values in feed.items()}, outputs)
            for index in range(len(views))
        ]
        return stack_outputs(outputs, rows)

    def _run_one(self, feed: Mapping[str, Floats], outputs: Sequence[str]) -> Sequence[Any]:
        result: Sequence[Any] = self._session.run(list(outputs), feed, self._run_options)
        return result
