"""Measure explanations against classification and against pytorch-grad-cam, in one run, on the same network and view.

    python benchmarks/explain.py [--backbone mobilenet_edgetpu_100] [--size-px 224] [--rounds 15]

The network has random weights and is exported for the purpose, which takes a minute or two. Each round measures all
in turn, so that what else the machine does weighs on all alike; ratios are medians over the rounds, with what is
wanted behind them. pytorch-grad-cam is handed the movements alone, as the graph computes them. How far maps in bf16 are
from those in float32 is told on the example pictures, with the weights of the built-in model: random ones say little.
Needs `pip install 'artnet[train,dev]'`.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from startup import ARTNET, PICTURE, ROOT, run_apart

from artnet.attribution.cam import grad_cam
from artnet.imaging.decode import open_image
from artnet.imaging.views import WHOLE, extract_views
from artnet.model.config import GRAPH_FILE, read_model
from artnet.model.openvino import OpenVinoEngine
from artnet.model.preprocessing import network_input
from artnet.training.export.onnx_graph import random_views, write_graph
from artnet.training.network.network import MovementLogitsOnly, PaintingNetwork, build_network, explained_layers

NINE = [f"{kind}_{depth}" for depth in range(1, 10) for kind in ("activation", "gradient")]


class Bf16Engine(OpenVinoEngine):
    """The same engine with gradients in bf16, too, which ArtNet never does on its own."""

    def _compile(self, outputs: tuple[str, ...]) -> Any:
        import openvino as ov

        model = ov.Core().read_model(self._graph)
        names = ["views"] + (["target"] if len(outputs) > 1 else [])
        inputs = [model.input(name) for name in names]
        pruned = ov.Model([model.output(name) for name in outputs], [port.get_node() for port in inputs], "b").clone()
        shapes = [[1, *(side.get_length() for side in list(port.get_partial_shape())[1:])] for port in inputs]
        pruned.reshape(dict(zip(names, shapes, strict=True)))
        hints = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "bf16"}
        return ov.Core().compile_model(pruned, "CPU", hints)


def nine_maps(engine: OpenVinoEngine, view: np.ndarray, target: np.ndarray) -> list[np.ndarray]:
    """Compute Grad-CAM at nine depths."""
    found = engine.run(view, target, NINE)
    return [grad_cam(found[f"activation_{depth}"][0], found[f"gradient_{depth}"][0]) for depth in range(1, 10)]


def theirs(network: PaintingNetwork, layers: tuple[str, ...]) -> tuple[Callable[[np.ndarray], Any], ...]:
    """Give pytorch-grad-cam two ways: nine calls, one a layer, and one call for nine layers."""
    from pytorch_grad_cam import GradCAM
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

    modules = [network.get_submodule(name) for name in layers]
    asked, alone = [ClassifierOutputTarget(0)], MovementLogitsOnly(network)

    def apart(view: np.ndarray) -> Any:
        found = []
        for module in modules:
            with GradCAM(alone, [module]) as cam:
                found.append(cam(torch.from_numpy(view), asked))
        return found

    def together(view: np.ndarray) -> Any:
        with GradCAM(alone, modules) as cam:
            return cam(torch.from_numpy(view), asked)

    return apart, together


def timed(action: Callable[[], Any]) -> float:
    """Give an action's seconds."""
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def correlations(first: list[np.ndarray], second: list[np.ndarray]) -> list[float]:
    """Correlate two rows of maps."""
    return [float(np.corrcoef(one.ravel(), other.ravel())[0, 1]) for one, other in zip(first, second, strict=True)]


def told_in_bf16() -> list[float]:
    """Correlate maps in bf16 with those in float32, by depth, on the example pictures and the built-in model."""
    folder, config = read_model()
    exact, rough = OpenVinoEngine(folder / GRAPH_FILE, "f32", cached=False), Bf16Engine(folder / GRAPH_FILE)
    found = []
    for picture in sorted((ROOT / "examples").glob("*.jpg")):
        seen = config.preprocessing
        view = network_input(extract_views(open_image(picture), seen.size_px, seen.fit, (WHOLE,)), seen)
        logits = exact.run(view, None, ["logits"])["logits"]
        target = np.eye(logits.shape[1], dtype=np.float32)[[int(logits[0].argmax())]]
        found.append(correlations(nine_maps(exact, view, target), nine_maps(rough, view, target)))
    return [float(value) for value in np.nanmean(found, axis=0)]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backbone", default="mobilenet_edgetpu_100")
    parser.add_argument("--size-px", type=int, default=224)
    parser.add_argument("--rounds", type=int, default=15)
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.manual_seed(0)
    network = build_network(given.backbone, 5, "none").eval()
    layers = explained_layers(network, given.backbone, given.size_px)
    view, target = random_views(given.size_px, 1), np.eye(5, dtype=np.float32)[:1]
    with tempfile.TemporaryDirectory() as scratch:
        graph = Path(scratch) / "model.onnx"
        write_graph(network.requires_grad_(False), layers, given.size_px, graph)
        network.requires_grad_(True)
        measure(
            OpenVinoEngine(graph, "f32", cached=False), Bf16Engine(graph), theirs(network, layers), given, view, target
        )


def measure(
    exact: OpenVinoEngine, rough: OpenVinoEngine, libraries: Any, given: Any, view: np.ndarray, target: np.ndarray
) -> None:
    """Time everything in turn."""
    apart, together = libraries
    actions: dict[str, Callable[[], Any]] = {
        "classify, f32": lambda: exact.run(view, None, ["logits"]),
        "nine maps, f32": lambda: nine_maps(exact, view, target),
        "classify, bf16": lambda: rough.run(view, None, ["logits"]),
        "nine maps, bf16": lambda: nine_maps(rough, view, target),
        "pytorch-grad-cam, nine calls": lambda: apart(view),
        "pytorch-grad-cam, one call": lambda: together(view),
    }
    for action in actions.values():
        action()
    times = {name: [] for name in actions}
    for _ in range(given.rounds):
        for name, action in actions.items():
            times[name].append(timed(action))
    print(f"{given.backbone}, {given.size_px} px, {given.rounds} rounds")
    for name, seconds in times.items():
        print(f"{name:32} {statistics.median(seconds) * 1000:8.1f} ms")
    for first, second, wanted in (
        ("nine maps, f32", "classify, f32", "at most 3"),
        ("nine maps, bf16", "classify, bf16", "at most 3"),
        ("nine maps, bf16", "nine maps, f32", "no limit"),
        ("pytorch-grad-cam, nine calls", "nine maps, f32", "at least 8"),
        ("pytorch-grad-cam, one call", "nine maps, f32", "no limit: it gives one map, the mean of nine"),
    ):
        ratio = statistics.median(one / other for one, other in zip(times[first], times[second], strict=True))
        print(f"{first} / {second}: {ratio:.2f} ({wanted})")
    print("maps in bf16 and f32 correlate, depth 1 to 9: " + " ".join(f"{value:.3f}" for value in told_in_bf16()))
    from_a_shell()


def from_a_shell() -> None:
    """Time the command, with everything that it draws and without."""
    command = [str(ARTNET), "explain", str(PICTURE), "--out", f"{tempfile.gettempdir()}/artnet-benchmark.png"]
    run_apart(command)
    costs = [run_apart(command) for _ in range(5)]
    wall, memory = statistics.median(cost.wall_s for cost in costs), max(cost.memory_mb for cost in costs)
    print(f"artnet explain one.jpg, sheet and nine overlays: {wall:.2f} s (at most 2.5), {memory:.0f} MB (under 1000)")
    costs = [run_apart([*command[:3], "--json"]) for _ in range(5)]
    print(f"artnet explain one.jpg --json: {statistics.median(cost.wall_s for cost in costs):.2f} s")


if __name__ == "__main__":
    main()
