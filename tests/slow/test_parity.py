"""The same maps as the libraries of the field, on the same weights."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from artnet.attribution.methods import AttributionOptions, TargetScorer, attribute
from artnet.model.classifier import Classifier
from artnet.training.export.onnx_graph import random_views
from artnet.training.network.network import MovementLogitsOnly, build_network
from artnet.training.run import Run

NEEDED = "needs pip install '.[dev]', which brings grad-cam and captum"
THEIRS = {
    "gradcam": "GradCAM",
    "gradcam++": "GradCAMPlusPlus",
    "xgradcam": "XGradCAM",
    "hirescam": "HiResCAM",
    "layercam": "LayerCAM",
    "eigencam": "EigenCAM",
}
MOVEMENT = 2


@pytest.fixture
def library(request: pytest.FixtureRequest) -> Iterator[Any]:
    """A library of the field, with its own warnings left aside."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield pytest.importorskip(request.param, reason=NEEDED, exc_type=ImportError)


@pytest.fixture(scope="module")
def network(trained: Run) -> MovementLogitsOnly:
    """The tiny network as PyTorch runs it; its activations are not in place, which would break hooks silently."""
    built = build_network(trained.settings.backbone, 5, "none", trained.settings.network)
    built.load_state_dict(trained.read_tensors("best"))
    return MovementLogitsOnly(built).eval()


def correlation(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Return the correlation of two maps; two empty ones agree."""
    if not ours.any() and not theirs.any():
        return 1.0
    return float(np.corrcoef(ours.ravel(), theirs.ravel())[0, 1])


def our_maps(classifier: Classifier, view: np.ndarray, method: str) -> dict[int, np.ndarray]:
    scorer = TargetScorer(classifier.engine, np.eye(5, dtype=np.float32)[[MOVEMENT]])
    return attribute(scorer, view, AttributionOptions(method, classifier.config.layers))


@pytest.mark.parametrize("library", ["pytorch_grad_cam"], indirect=True)
@pytest.mark.parametrize("method", THEIRS)
def test_a_cam_is_that_of_pytorch_grad_cam(
    library: Any, method: str, exported: Path, network: MovementLogitsOnly
) -> None:
    classifier = Classifier.load(exported, precision="f32")
    views = random_views(classifier.engine.size_px, 1)
    ours = our_maps(classifier, views[0], method)
    for layer in classifier.config.layers:
        module = network.network.get_submodule(layer.name)
        with getattr(library, THEIRS[method])(network, [module]) as cam:
            output = cam.activations_and_grads(torch.from_numpy(views).requires_grad_(True))
            output[0, MOVEMENT].backward()
            hooked = (getattr(cam.activations_and_grads, name)[0].numpy() for name in ("activations", "gradients"))
            raw = cam.get_cam_image(views, module, None, *hooked, False)[0]
        both = [correlation(ours[layer.depth], np.maximum(sign * raw, 0)) for sign in (1, -1)]
        agreement = max(both) if method == "eigencam" else both[0]  # a principal component has no sign
        assert agreement >= 0.999, f"depth {layer.depth}: {agreement}"


@pytest.mark.parametrize("library", ["captum.attr"], indirect=True)
def test_integrated_gradients_are_those_of_captum(library: Any, exported: Path, network: MovementLogitsOnly) -> None:
    from artnet.attribution.gradients import integrated_gradients

    classifier = Classifier.load(exported, precision="f32")
    views = random_views(classifier.engine.size_px, 1)
    scorer = TargetScorer(classifier.engine, np.eye(5, dtype=np.float32)[[MOVEMENT]])
    ours = integrated_gradients(scorer.gradient, views[0], 40)
    theirs = library.IntegratedGradients(network).attribute(
        torch.from_numpy(views), target=MOVEMENT, n_steps=40, method="riemann_middle"
    )
    assert correlation(ours, theirs[0].detach().numpy()) >= 0.999
