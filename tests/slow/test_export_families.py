"""The graph of a tiny residual network against autograd, on both runtimes; test_more_data has a transformer's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from artnet.model.config import GRAPH_FILE
from artnet.model.onnxruntime import OnnxRuntimeEngine
from artnet.model.openvino import OpenVinoEngine
from artnet.training.export.onnx_graph import (
    channel_counts,
    forward_and_backward,
    graph_outputs,
    random_mixture,
    random_views,
    relative_distance,
    write_graph,
)
from artnet.training.export.weight_format import check_weights, convert_weights
from artnet.training.network.layers import explained_layers
from fixtures.families import FAMILIES, tiny_network


# An export takes half a minute; the grids of all families are compared without one, in
# tests/unit/training/network/test_families.py.
def test_both_runtimes_compute_what_autograd_computes(tmp_path: Path) -> None:
    family = FAMILIES["resnet"]
    network, size_px = tiny_network(family), family.size_px
    layers, path = explained_layers(network, family.backbone, size_px), tmp_path / GRAPH_FILE
    write_graph(network, layers, size_px, path)
    views, target = random_views(size_px), np.eye(5, dtype=np.float32)[:2]
    mixture = random_mixture(sum(channel_counts(network, layers, size_px)), 2)
    expected = forward_and_backward(network, layers, size_px)(*map(torch.from_numpy, (views, target, mixture)))
    names = graph_outputs(network, size_px)
    for engine in (OpenVinoEngine(path, "f32", cached=False), OnnxRuntimeEngine(path)):
        found = engine.run(views, target, names, mixture)
        for name, tensor in zip(names, expected, strict=True):
            assert relative_distance(found[name], tensor.numpy()) < 1e-3, f"{name} on {type(engine).__name__}"
    convert_weights(path, tmp_path / "int8.onnx", "int8")
    exact, small = (OpenVinoEngine(each, "f32", cached=False) for each in (path, tmp_path / "int8.onnx"))
    check_weights(exact, small, views)
