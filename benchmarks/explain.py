"""Measure explanations against classification and against pytorch-grad-cam, in one run, on the same network and view.

    python benchmarks/explain.py [--backbone mobilenet_edgetpu_100] [--size-px 224] [--rounds 15]

The network has random weights and is exported for the purpose, which takes a minute or two. Each round measures all
in turn, so that other load on the machine weighs on all alike; ratios are medians over the rounds, printed with their
limits. pytorch-grad-cam gets the logits of the movements alone, as the graph computes them. Maps in bf16 and in float32
are compared on the example images, with the weights of the built-in model, since random ones say little.
Needs `pip install '.[train,dev]'`.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
import torch
from startup import ARTNET, PICTURE, ROOT, run_apart

from artnet.attribution.cam import grad_cam
from artnet.imaging.decode import open_image
from artnet.imaging.views import WHOLE, extract_views
from artnet.model.config import DEPTHS, GRAPH_FILE, read_model
from artnet.model.openvino import OpenVinoEngine
from artnet.model.preprocessing import network_input
from artnet.training.export.onnx_graph import random_views, write_graph
from artnet.training.network.layers import explained_layers
from artnet.training.network.network import MovementLogitsOnly, PaintingNetwork, build_network

DEPTH_RANGE = range(1, DEPTHS + 1)
OUTPUTS = [f"{kind}_{depth}" for depth in DEPTH_RANGE for kind in ("activation", "gradient")]


class Bf16Engine:
    """The graph with its gradients in bf16, too, which ArtNet itself never computes."""

    def __init__(self, graph: Path) -> None:
        self._model = ov.Core().read_model(graph)
        self._compiled: dict[tuple[str, ...], Any] = {}

    def run(self, views: np.ndarray, target: np.ndarray | None, outputs: Sequence[str]) -> dict[str, np.ndarray]:
        """Compute the named outputs of one view."""
        feed = {"views": views} if target is None else {"views": views, "target": target}
        key = tuple(outputs)
        if key not in self._compiled:
            ports, nodes = [self._model.output(name) for name in key], [self._model.input(name) for name in feed]
            pruned = ov.Model(ports, [port.get_node() for port in nodes], "bf16").clone()
            pruned.reshape({name: values.shape for name, values in feed.items()})
            hints = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "bf16"}
            self._compiled[key] = ov.Core().compile_model(pruned, "CPU", hints)
        return dict(zip(key, self._compiled[key](feed).values(), strict=True))


AnyEngine = OpenVinoEngine | Bf16Engine


def nine_maps(engine: AnyEngine, view: np.ndarray, target: np.ndarray) -> list[np.ndarray]:
    """Compute Grad-CAM at nine depths."""
    outputs = engine.run(view, target, OUTPUTS)
    return [grad_cam(outputs[f"activation_{depth}"][0], outputs[f"gradient_{depth}"][0]) for depth in DEPTH_RANGE]


def reference_calls(network: PaintingNetwork, layers: tuple[str, ...]) -> tuple[Callable[[np.ndarray], Any], ...]:
    """Return two ways to call pytorch-grad-cam: nine times, for a layer each, and once for nine layers."""
    from pytorch_grad_cam import GradCAM
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    modules = [network.get_submodule(name) for name in layers]
    targets, logits_only = [ClassifierOutputTarget(0)], MovementLogitsOnly(network)

    def nine_calls(view: np.ndarray) -> Any:
        for module in modules:
            with GradCAM(logits_only, [module]) as cam:
                cam(torch.from_numpy(view), targets)

    def one_call(view: np.ndarray) -> Any:
        with GradCAM(logits_only, modules) as cam:
            cam(torch.from_numpy(view), targets)

    return nine_calls, one_call


def timed(action: Callable[[], Any]) -> float:
    """Return how long an action takes, in seconds."""
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def correlations(first: list[np.ndarray], second: list[np.ndarray]) -> list[float]:
    """Return the correlations of two lists of maps, one by one."""
    return [float(np.corrcoef(one.ravel(), other.ravel())[0, 1]) for one, other in zip(first, second, strict=True)]


def bf16_correlations() -> list[float]:
    """Return how maps in bf16 and in float32 correlate, by depth, on the example images and the built-in model."""
    folder, config = read_model()
    f32, bf16 = OpenVinoEngine(folder / GRAPH_FILE, "f32", cached=False), Bf16Engine(folder / GRAPH_FILE)
    rows = []
    for path in sorted((ROOT / "examples").glob("*.jpg")):
        preprocessing = config.preprocessing
        whole = extract_views(open_image(path), preprocessing.size_px, preprocessing.fit, (WHOLE,))
        view = network_input(whole, preprocessing)
        logits = f32.run(view, None, ["logits"])["logits"]
        target = np.eye(logits.shape[1], dtype=np.float32)[[int(logits[0].argmax())]]
        rows.append(correlations(nine_maps(f32, view, target), nine_maps(bf16, view, target)))
    return [float(value) for value in np.nanmean(rows, axis=0)]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backbone", default="mobilenet_edgetpu_100")
    parser.add_argument("--size-px", type=int, default=224)
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.manual_seed(0)
    network = build_network(options.backbone, 5, "none").eval()
    layers = explained_layers(network, options.backbone, options.size_px)
    view, target = random_views(options.size_px, 1), np.eye(5, dtype=np.float32)[:1]
    with tempfile.TemporaryDirectory() as scratch:
        graph = Path(scratch) / "model.onnx"
        write_graph(network.requires_grad_(False), layers, options.size_px, graph)
        network.requires_grad_(True)
        f32, bf16 = OpenVinoEngine(graph, "f32", cached=False), Bf16Engine(graph)
        nine_calls, one_call = reference_calls(network, layers)
        actions: dict[str, Callable[[], Any]] = {
            "classify, f32": lambda: f32.run(view, None, ["logits"]),
            "nine maps, f32": lambda: nine_maps(f32, view, target),
            "classify, bf16": lambda: bf16.run(view, None, ["logits"]),
            "nine maps, bf16": lambda: nine_maps(bf16, view, target),
            "pytorch-grad-cam, nine calls": lambda: nine_calls(view),
            "pytorch-grad-cam, one call": lambda: one_call(view),
        }
        print(f"{options.backbone}, {options.size_px} px, {options.rounds} rounds")
        measure(actions, options.rounds)
    print("maps in bf16 and f32 correlate, depth 1 to 9: " + " ".join(f"{value:.3f}" for value in bf16_correlations()))
    measure_command()


def measure(actions: dict[str, Callable[[], Any]], rounds: int) -> None:
    """Time all actions in turn and print medians and ratios."""
    for action in actions.values():
        action()
    times: dict[str, list[float]] = {name: [] for name in actions}
    for _ in range(rounds):
        for name, action in actions.items():
            times[name].append(timed(action))
    for name, seconds in times.items():
        print(f"{name:32} {statistics.median(seconds) * 1000:8.1f} ms")
    for first, second, required in (
        ("nine maps, f32", "classify, f32", "at most 3"),
        ("nine maps, bf16", "classify, bf16", "at most 3"),
        ("nine maps, bf16", "nine maps, f32", "no limit"),
        ("pytorch-grad-cam, nine calls", "nine maps, f32", "at least 8"),
        ("pytorch-grad-cam, one call", "nine maps, f32", "no limit: it gives one map, the mean of nine"),
    ):
        ratio = statistics.median(one / other for one, other in zip(times[first], times[second], strict=True))
        print(f"{first} / {second}: {ratio:.2f} ({required})")


def measure_command() -> None:
    """Time `artnet explain`, with all that it draws and without."""
    command = [str(ARTNET), "explain", str(PICTURE), "--out", f"{tempfile.gettempdir()}/artnet-benchmark.png"]
    run_apart(command)
    costs = [run_apart(command) for _ in range(5)]
    wall, memory = statistics.median(cost.wall_s for cost in costs), max(cost.memory_mb for cost in costs)
    print(f"artnet explain one.jpg, sheet and nine overlays: {wall:.2f} s (at most 2.5), {memory:.0f} MB (under 1000)")
    costs = [run_apart([*command[:3], "--json"]) for _ in range(5)]
    print(f"artnet explain one.jpg --json: {statistics.median(cost.wall_s for cost in costs):.2f} s")


if __name__ == "__main__":
    main()
