"""The graph on OpenVINO: its one core and cache, compiled graphs, shuffled weights."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
from platformdirs import user_cache_path

from artnet.errors import ModelError, reason
from artnet.hardware import has_fast_bf16
from artnet.model.engine import STYLES, Floats, required_feed, required_inputs, stack_outputs

_core_lock = threading.Lock()


class OpenVinoEngine:
    """OpenVINO on the processor; each set of outputs is pruned, compiled once and cached on disk.

    See `engine.Engine` for its methods, `classifier.open_engine` for its arguments. One caller at a time has all cores,
    which gives the soonest result. Several at once share them out, which costs a view 0 to 17 % less processor time
    (two cores, MobileNet-EdgeTPU, four measurements): threads on one view wait for each other.
    """

    def __init__(
        self,
        graph: Path,
        precision: str = "auto",
        cached: bool = True,
        concurrency: int = 1,
        processors: int | None = None,
    ) -> None:
        self._graph = graph
        self._precision = precision
        self._cache = cache_folder() if cached else None
        self._concurrency, self._processors = concurrency, processors
        self._callers = threading.BoundedSemaphore(concurrency)
        self._compiled: dict[tuple[str, ...], Any] = {}
        self._idle: dict[tuple[str, ...], list[Any]] = {}
        self._lock = threading.Lock()
        self._model: Any = None

    @property
    def classes(self) -> int:
        """Return C, the number of logits."""
        return _shape(self._port("input", "target"))[0]

    @property
    def size_px(self) -> int:
        """Return S, the side of a view."""
        return _shape(self._port("input", "views"))[-1]

    @property
    def styles(self) -> int:
        """Return K, the number of fine styles; 0 without a head for them."""
        return _shape(self._port("output", STYLES))[0] if STYLES in self.outputs else 0

    @property
    def outputs(self) -> frozenset[str]:
        """Return the names of the graph's outputs."""
        return frozenset(name for port in self._read().outputs for name in port.get_names())

    def shuffled(self, seed: int) -> OpenVinoEngine:
        """Return the same graph with shuffled weights."""
        other = OpenVinoEngine(self._graph, "f32", cached=False)
        shuffle_weights(other._read(), seed)
        return other

    def run(
        self, views: Floats, target: Floats | None, outputs: Sequence[str], mixture: Floats | None = None
    ) -> Mapping[str, Floats]:
        """Compute the named outputs, view by view."""
        with self._callers, self._request(tuple(outputs)) as request:
            feed = required_feed(outputs, views, target, mixture)
            rows = [
                _infer(request, {name: values[index] for name, values in feed.items()}, outputs)
                for index in range(len(views))
            ]
        return stack_outputs(outputs, rows)

    @contextmanager
    def _request(self, outputs: tuple[str, ...]) -> Iterator[Any]:
        """Lend a request object, which serves one thread; there are never more than callers at once."""
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
        """Prune the graph to the requested outputs and compile it for one view at a time."""
        core = open_core()
        import openvino as ov

        output_ports = [self._port("output", name) for name in outputs]
        inputs = {name: self._port("input", name) for name in required_inputs(outputs)}
        pruned = ov.Model(output_ports, [port.get_node() for port in inputs.values()], "artnet").clone()
        separate_square_weights(pruned)  # before `reshape`, which makes transposes part of the products
        pruned.reshape({name: [1, *_shape(port)] for name, port in inputs.items()})
        exact = self._precision == "f32" or len(inputs) > 1 or not has_fast_bf16()
        config = compile_config(exact, self._concurrency, self._processors, self._cache)
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


def compile_config(exact: bool, concurrency: int, processors: int | None, cache: Path | None) -> dict[str, Any]:
    """Return OpenVINO's settings for one compiled graph; `exact` computes in float32 throughout."""
    config: dict[str, Any] = {"PERFORMANCE_HINT": "LATENCY"}
    if concurrency > 1:
        config = {"PERFORMANCE_HINT": "THROUGHPUT", "NUM_STREAMS": str(concurrency)}
    if processors is not None:
        config["INFERENCE_NUM_THREADS"] = processors
        config["ENABLE_CPU_PINNING"] = False  # or all processes of a machine take its first cores
    if exact:
        config["INFERENCE_PRECISION_HINT"] = "f32"
    if cache is not None:  # OpenVINO's own key knows the graph, not these
        sharing = f"-{concurrency}-{processors or 'all'}" if concurrency > 1 or processors else ""
        config["CACHE_DIR"] = str(cache / (("f32" if exact else "auto") + sharing))
    return config


def separate_square_weights(model: Any) -> None:
    """Copy each transposed square weight of an OpenVINO model into memory of its own, in place.

    A backward pass multiplies by the transpose of what the forward pass multiplies by. OpenVINO 2026.4.1 keeps prepared
    weights by their address and shape, which are the same where a weight is square, so that both passes would multiply
    by the same one (seen with ViT-S/14: gradients before the last block were wrong by their own size).
    """
    import openvino.opset13 as opset

    for node in [node for node in model.get_ops() if node.get_type_name() == "Transpose"]:
        shape = list(node.get_output_shape(0)) if node.get_output_partial_shape(0).is_static else []
        weight = _constant_value(node.input_value(0)) if len(shape) == 2 and shape[0] == shape[1] else None
        if weight is not None:
            transposed = opset.constant(np.ascontiguousarray(weight.T))
            for use in node.output(0).get_target_inputs():
                use.replace_source_output(transposed.output(0))


def _constant_value(output: Any) -> Floats | None:
    """Return the value of a weight, perhaps stored as float16 or int8 with scales; None for what is no constant."""
    node = output.get_node()
    kind = node.get_type_name()
    if kind == "Constant":
        return np.array(node.data)
    if kind in ("Convert", "Reshape"):
        value = _constant_value(node.input_value(0))
        return None if value is None else value.astype(np.float32).reshape(list(output.get_shape()))
    if kind == "Multiply":
        value, scale = (_constant_value(port) for port in node.input_values())
        return None if value is None or scale is None else value * scale
    return None


def shuffle_weights(model: Any, seed: int) -> None:
    """Permute the numbers of every convolution and dense weight of an OpenVINO model, in place.

    A dense weight stands in the graph twice, once transposed: its longer axis is permuted, by its length alone.
    """
    import openvino.opset13 as opset

    for node in [node for node in model.get_ops() if node.get_type_name() == "Constant"]:
        shape = list(node.get_output_shape(0))
        if len(shape) not in (2, 4) or sum(side > 1 for side in shape) < 2:
            continue  # biases, means, shapes
        values = np.array(node.data, np.float32)
        if len(shape) == 4:
            values = np.random.default_rng((seed, values.size)).permutation(values.ravel()).reshape(shape)
        else:
            axis = int(np.argmax(shape))
            order = np.random.default_rng((seed, shape[axis])).permutation(shape[axis])
            values = np.take(values, order, axis)
        permuted = opset.constant(np.ascontiguousarray(values))
        for use in node.output(0).get_target_inputs():
            use.replace_source_output(permuted.output(0))


def open_core() -> Any:
    """Return the process's one OpenVINO core: with the last one go its libraries, whose fork handlers stay behind."""
    with _core_lock:
        return _only_core()


@cache
def _only_core() -> Any:
    """Create the core and a tensor that becomes an array.

    The first such tensor sets up how OpenVINO speaks with NumPy; where two threads have their first at the same moment,
    each waits for what the other holds, for ever (seen with 2026.4.1).
    """
    with _without_telemetry():
        import openvino as ov
    core = ov.Core()
    np.asarray(ov.Tensor(np.zeros(1, np.float32)).data)
    return core


@contextmanager
def _without_telemetry() -> Iterator[None]:
    """Keep OpenVINO from reporting to its makers, from a forked process, that it was imported."""
    name = "openvino_telemetry"
    before = {name: sys.modules[name]} if name in sys.modules else {}
    sys.modules[name] = None  # type: ignore[assignment]  # it takes a stand-in then, which does nothing
    try:
        yield
    finally:
        del sys.modules[name]
        sys.modules.update(before)


def cache_folder() -> Path | None:
    """Return the folder of compiled graphs in the user's cache directory, made if need be.

    None where it cannot be made or written: graphs are then compiled anew each time.
    """
    folder = user_cache_path("artnet", appauthor=False) / "openvino"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return folder if os.access(folder, os.W_OK) else None


def _infer(request: Any, feed: Mapping[str, Floats], outputs: Sequence[str]) -> list[Floats]:
    """Run one view, copied into and out of OpenVINO's own memory.

    The request's `infer` does the same and takes two or three tenths of a millisecond longer, 2 to 3 % of a view.
    """
    for name, values in feed.items():
        request.get_tensor(name).data[0] = values
    request.start_async()
    request.wait()
    return [request.get_tensor(name).data.copy() for name in outputs]


def _shape(port: Any) -> list[int]:
    """Return the lengths of all dimensions but the first, that of views."""
    return [dimension.get_length() for dimension in list(port.get_partial_shape())[1:]]
