"""Compile a model's graph and run it: OpenVINO, or ONNX Runtime with the same numbers.

Knows nothing about pictures or movements: arrays in, arrays out.

Views are run one at a time in a graph of fixed size. On two processors that is as fast as batches, needs less
memory, and gives the same bits whether a view comes alone or among thousands.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from artnet.errors import MissingExtraError, ModelError, UsageError, reason
from artnet.hardware import has_fast_bf16
from artnet.model.config import DEPTHS
from artnet.model.openvino import cache_folder, open_core
from artnet.model.shuffle import shuffle_weights

Floats = NDArray[np.float32]
Precision = Literal["auto", "f32"]
Runtime = Literal["openvino", "onnxruntime"]
RUNTIMES: tuple[Runtime, ...] = ("openvino", "onnxruntime")
PRECISIONS: tuple[Precision, ...] = ("auto", "f32")
INPUTS = ("views", "target", "mixture")
VIEWS_GRADIENT = "gradient_views"
CHANNELS_GRADIENT = "gradient_channels"
STYLES = "styles"


class Engine(Protocol):
    """Run the graph's wanted outputs on views (N, 3, S, S), targets (N, C) and mixtures (N, M), float32, normalised."""

    @property
    def classes(self) -> int:
        """Give C, the number of logits."""

    @property
    def size_px(self) -> int:
        """Give S, the side of a view."""

    @property
    def styles(self) -> int:
        """Give K, the number of fine styles; 0 without a head for them."""

    @property
    def outputs(self) -> frozenset[str]:
        """Name the outputs that the graph has; older model folders lack some of `output_names`."""

    def shuffled(self, seed: int) -> Engine:
        """Give the same graph with the numbers inside each of its weights in another order."""

    def run(
        self, views: Floats, target: Floats | None, outputs: Sequence[str], mixture: Floats | None = None
    ) -> dict[str, Floats]:
        """Compute the named outputs; each keeps N as its first dimension.

        Gradients need a target, `gradient_channels` needs a mixture instead.
        """


def output_names(styles: bool = False) -> list[str]:
    """Name the graph's outputs in order, with or without those of a second head for styles."""
    pairs = [f"{kind}_{depth}" for depth in range(1, DEPTHS + 1) for kind in ("activation", "gradient")]
    return ["logits", "embedding", *pairs, VIEWS_GRADIENT, CHANNELS_GRADIENT, *([STYLES] if styles else [])]


def inputs_of(outputs: Iterable[str]) -> list[str]:
    """Name the inputs that the named outputs depend on."""
    gradients = [name for name in outputs if name.startswith("gradient")]
    needed = {"views": True, "target": any(name != CHANNELS_GRADIENT for name in gradients)}
    return [name for name in INPUTS if needed.get(name, CHANNELS_GRADIENT in gradients)]


def open_engine(
    graph: Path, name: str = "openvino", precision: str = "auto", at_once: int = 1, processors: int | None = None
) -> Engine:
    """Open a graph with the named engine.

    `auto` precision classifies in bf16 where the processor is faster in it; gradients are always float32.
    `at_once` is how many callers share the processor's cores at the same time; others wait for one of them.
    `processors` is how many it may use; without it all of them. ONNX Runtime heeds neither.
    """
    if precision not in PRECISIONS:
        raise UsageError(f"unknown precision {precision!r}; use one of {', '.join(PRECISIONS)}")
    if at_once < 1:
        raise UsageError(f"at_once is {at_once}; at least one caller must be served at a time")
    if name == "openvino":
        return OpenVinoEngine(graph, precision, True, at_once, processors)
    if name == "onnxruntime":
        return OnnxRuntimeEngine(graph)
    raise UsageError(f"unknown engine {name!r}; use one of {', '.join(RUNTIMES)}")


class OpenVinoEngine:
    """OpenVINO on the processor; each set of outputs is pruned, compiled once and cached on disk.

    One caller at a time has all cores, which answers soonest. Several at once share them out, which costs a view 0 to
    17 % less processor time (two cores, MobileNet-EdgeTPU, four measurements): threads on one view wait for each other.
    """

    def __init__(
        self,
        graph: Path,
        precision: str = "auto",
        cached: bool = True,
        at_once: int = 1,
        processors: int | None = None,
    ) -> None:
        self._graph = graph
        self._precision = precision
        self._cache = cache_folder() if cached else None
        self._at_once, self._processors = at_once, processors
        self._places = threading.BoundedSemaphore(at_once)
        self._compiled: dict[tuple[str, ...], Any] = {}
        self._idle: dict[tuple[str, ...], list[Any]] = {}
        self._lock = threading.Lock()
        self._model: Any = None

    @property
    def classes(self) -> int:
        """Give C, the number of logits."""
        return _tail(self._port("input", "target"))[0]

    @property
    def size_px(self) -> int:
        """Give S, the side of a view."""
        return _tail(self._port("input", "views"))[-1]

    @property
    def styles(self) -> int:
        """Give K, the number of fine styles; 0 without a head for them."""
        return _tail(self._port("output", STYLES))[0] if STYLES in self.outputs else 0

    @property
    def outputs(self) -> frozenset[str]:
        """Name the outputs that the graph has."""
        return frozenset(name for port in self._read().outputs for name in port.get_names())

    def shuffled(self, seed: int) -> OpenVinoEngine:
        """Give the same graph with shuffled weights."""
        other = OpenVinoEngine(self._graph, "f32", cached=False)
        shuffle_weights(other._read(), seed)
        return other

    def run(
        self, views: Floats, target: Floats | None, outputs: Sequence[str], mixture: Floats | None = None
    ) -> dict[str, Floats]:
        """Compute the named outputs, view by view."""
        with self._places, self._borrowed(tuple(outputs)) as request:
            given = _feed(views, target, mixture, inputs_of(outputs))
            parts = [
                _infer(request, {name: values[index] for name, values in given.items()}, outputs)
                for index in range(len(views))
            ]
        return {name: np.concatenate(column) for name, column in zip(outputs, zip(*parts, strict=True), strict=True)}

    @contextmanager
    def _borrowed(self, outputs: tuple[str, ...]) -> Iterator[Any]:
        """Lend a request object, which is not for several threads; there are never more than callers at once."""
        with self._lock:
            if outputs not in self._compiled:
                self._compiled[outputs] = self._compile(outputs)
            idle = self._idle.setdefault(outputs, [])
            request = idle.pop() if idle else self._compiled[outputs].create_infer_request()
        try:
            yield request
        finally:
            with self._lock:
                idle.append(request)

    def _compile(self, outputs: tuple[str, ...]) -> Any:
        """Prune the graph to the wanted outputs and compile it for one view at a time."""
        core = open_core()
        import openvino as ov

        chosen = [self._port("output", name) for name in outputs]
        inputs = {name: self._port("input", name) for name in inputs_of(outputs)}
        pruned = ov.Model(chosen, [port.get_node() for port in inputs.values()], "artnet").clone()
        pruned.reshape({name: [1, *_tail(port)] for name, port in inputs.items()})
        exact = self._precision == "f32" or len(inputs) > 1 or not has_fast_bf16()
        config: dict[str, Any] = {"PERFORMANCE_HINT": "LATENCY"}
        if self._at_once > 1:
            config = {"PERFORMANCE_HINT": "THROUGHPUT", "NUM_STREAMS": str(self._at_once)}
        if self._processors is not None:
            config["INFERENCE_NUM_THREADS"] = self._processors
            config["ENABLE_CPU_PINNING"] = False  # or all processes of a machine take its first cores
        if exact:
            config["INFERENCE_PRECISION_HINT"] = "f32"
        if self._cache is not None:  # OpenVINO's own key knows the graph, not these
            sharing = f"-{self._at_once}-{self._processors or 'all'}" if self._at_once > 1 or self._processors else ""
            config["CACHE_DIR"] = str(self._cache / (("f32" if exact else "auto") + sharing))
        return core.compile_model(pruned, "CPU", config)

    def _port(self, kind: Literal["input", "output"], name: str) -> Any:
        model = self._read()
        try:
            return getattr(model, kind)(name)
        except RuntimeError:
            raise ModelError(f"{self._graph}: has no {kind} {name!r}; export the model again") from None

    def _read(self) -> Any:
        if self._model is None:
            try:
                self._model = open_core().read_model(self._graph)
            except RuntimeError as error:
                raise ModelError(f"{self._graph}: cannot be read as an ONNX graph ({reason(error)})") from error
        return self._model


class OnnxRuntimeEngine:
    """ONNX Runtime on the processor, for machines that OpenVINO does not know; the same numbers in float32."""

    def __init__(self, graph: Path) -> None:
        try:
            import onnxruntime
        except ImportError:
            raise MissingExtraError(
                "ONNX Runtime is not installed; install it with: pip install 'artnet[onnxruntime]'"
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

    @property
    def classes(self) -> int:
        """Give C, the number of logits."""
        return int(self._shape("target")[1])

    @property
    def size_px(self) -> int:
        """Give S, the side of a view."""
        return int(self._shape("views")[-1])

    @property
    def styles(self) -> int:
        """Give K, the number of fine styles; 0 without a head for them."""
        return next((int(entry.shape[1]) for entry in self._session.get_outputs() if entry.name == STYLES), 0)

    @property
    def outputs(self) -> frozenset[str]:
        """Name the outputs that the graph has."""
        return frozenset(entry.name for entry in self._session.get_outputs())

    def shuffled(self, seed: int) -> OpenVinoEngine:
        """Give the same graph with shuffled weights, on OpenVINO, which can change constants."""
        return OpenVinoEngine(self._graph, "f32", cached=False).shuffled(seed)

    def run(
        self, views: Floats, target: Floats | None, outputs: Sequence[str], mixture: Floats | None = None
    ) -> dict[str, Floats]:
        """Compute the named outputs, view by view."""
        missing = [name for name in outputs if name not in self.outputs]
        if missing:
            raise ModelError(f"{self._graph}: has no output {missing[0]!r}; export the model again")
        given = _feed(views, target, mixture, inputs_of(outputs))
        for entry in self._session.get_inputs():  # what is not used must be there all the same
            given.setdefault(entry.name, np.zeros((len(views), *entry.shape[1:]), np.float32))
        parts = [
            self._session.run(
                list(outputs), {name: values[index : index + 1] for name, values in given.items()}, self._run_options
            )
            for index in range(len(views))
        ]
        return {name: np.concatenate(column) for name, column in zip(outputs, zip(*parts, strict=True), strict=True)}

    def _shape(self, name: str) -> Sequence[Any]:
        return next(entry.shape for entry in self._session.get_inputs() if entry.name == name)


def _infer(request: Any, given: Mapping[str, Floats], outputs: Sequence[str]) -> list[Floats]:
    """Run one view, copied into and out of the engine's own memory.

    The request's `infer` does the same and takes two or three tenths of a millisecond longer, 2 to 3 % of a view.
    """
    for name, values in given.items():
        request.get_tensor(name).data[0] = values
    request.start_async()
    request.wait()
    return [request.get_tensor(name).data.copy() for name in outputs]


def _tail(port: Any) -> list[int]:
    return [dimension.get_length() for dimension in list(port.get_partial_shape())[1:]]


def _feed(views: Floats, target: Floats | None, mixture: Floats | None, needed: Sequence[str]) -> dict[str, Floats]:
    """Put together the inputs that are needed. Errors: `UsageError` where one was not given."""
    given = {"views": views, "target": target, "mixture": mixture}
    feed = {}
    for name in needed:
        values = given[name]
        if values is None:
            raise UsageError(f"gradients were asked for without a {name}; give one row of weights for each view")
        feed[name] = values
    return feed
