"""The graph that contains its own backward pass, and the model folder around it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from PIL import Image

from artnet.attribution.explain import explain
from artnet.data.dataset import read_info
from artnet.errors import DataError, ExportError, OutputError
from artnet.evaluation.evaluate import evaluate
from artnet.model.classifier import Classifier, open_engine
from artnet.model.config import GRAPH_FILE, OOD_FILE, PROPERTIES_FILE, read_config, read_model, sha256_of
from artnet.model.engine import CHANNELS_GRADIENT, VIEWS_GRADIENT, output_names
from artnet.model.openvino import OpenVinoEngine
from artnet.model.self_check import measure_self_check
from artnet.training.export.calibrate import ExportedNetwork, calibrate
from artnet.training.export.export import export, find_dataset
from artnet.training.export.onnx_graph import (
    check_graph,
    forward_and_backward,
    random_mixture,
    random_views,
    relative_distance,
)
from artnet.training.export.synthetic import draw_outliers
from artnet.training.network.layers import explained_layers
from artnet.training.run import Run
from fixtures.training import tiny_network


def test_an_exported_run_classifies_explains_and_is_evaluated(
    exported: Path, data: Path, painting: Image.Image
) -> None:
    classifier = Classifier.load(exported)
    found = explain(classifier, painting)
    assert found.prediction.movement in classifier.config.movements
    assert [layer.depth for layer in classifier.config.layers] == list(range(1, 10))
    for layer in classifier.config.layers:
        assert found.maps[layer.depth].grid.shape == layer.grid
    assert evaluate(classifier, data, "test").report.meta.paintings > 0


@pytest.mark.parametrize("engine", ["openvino", "onnxruntime"])
def test_the_graph_computes_what_autograd_computes(exported: Path, trained: Run, engine: str) -> None:
    network = tiny_network()
    network.load_state_dict(trained.read_tensors("best"))
    network.eval().requires_grad_(False)
    views = random_views(trained.settings.size_px, 3)
    target = np.array([[1, 0, 0, 0, 0], [0, 1, -1, 0, 0], [0.2, 0.2, 0.2, 0.2, 0.2]], np.float32)
    layers = [layer.name for layer in read_model(exported)[1].layers]
    mixture = random_mixture(sum(layer.channels for layer in read_model(exported)[1].layers), 3)
    given = [torch.from_numpy(values) for values in (views, target, mixture)]
    expected = forward_and_backward(network, layers, views.shape[-1])(*given)
    opened, names = open_engine(exported / GRAPH_FILE, engine, "f32"), output_names(styles=True)
    assert opened.styles == 5
    found = opened.run(views, target, names, mixture)
    for name, tensor in zip(names, expected, strict=True):
        limit = 1e-2 if name.startswith("gradient") else 1e-4
        assert relative_distance(found[name], tensor.numpy()) < limit, name


def test_the_gradient_to_the_views_is_how_the_logits_change(exported: Path) -> None:
    """Numerically, by central differences along a random direction."""
    engine = open_engine(exported / GRAPH_FILE, "openvino", "f32")
    views, target = random_views(engine.size_px, 1) * 0.5, np.eye(5, dtype=np.float32)[[2]]
    step = random_views(engine.size_px, 2)[1:] * 1e-3
    gradient = engine.run(views, target, [VIEWS_GRADIENT])[VIEWS_GRADIENT]
    after, before = (engine.run(place, None, ["logits"])["logits"][0, 2] for place in (views + step, views - step))
    assert (after - before) / 2 == pytest.approx(float((gradient * step).sum()), rel=0.05)


def test_a_mixture_climbs_towards_its_channel(exported: Path) -> None:
    classifier = Classifier.load(exported, precision="f32")
    views = random_views(classifier.config.preprocessing.size_px, 1)
    mixture = np.zeros((1, sum(layer.channels for layer in classifier.config.layers)), np.float32)
    mixture[0, classifier.config.layers[0].channels + 3] = 1  # channel 3 of depth 2
    uphill = classifier.engine.run(views, None, [CHANNELS_GRADIENT], mixture)[CHANNELS_GRADIENT]
    before, after = (
        classifier.engine.run(place, None, ["activation_2"])["activation_2"][0, 3].mean()
        for place in (views, views + 0.1 * uphill / np.abs(uphill).mean())
    )
    assert after > before


def test_a_calibration_is_what_the_model_folder_holds(exported: Path, data: Path) -> None:
    config = read_config(exported)
    network = ExportedNetwork(OpenVinoEngine(exported / GRAPH_FILE, cached=False), config.preprocessing)
    told: list[tuple[int, int]] = []
    found = calibrate(network, data, (), lambda done, total: told.append((done, total)))
    assert found.calibration == config.calibration
    assert config.ood is not None
    assert found.ood.threshold == config.ood.threshold
    assert found.view_weights == config.view_weights
    assert told[-1][0] == told[-1][1]


def test_the_logits_of_the_self_check_are_those_of_the_graph(exported: Path) -> None:
    classifier = Classifier.load(exported, precision="f32")
    measured = measure_self_check(classifier.engine, classifier.config.preprocessing)
    assert classifier.config.self_check is not None
    np.testing.assert_allclose(measured.logits, classifier.config.self_check.logits, atol=0.001)


def test_a_model_knows_what_it_may_be_and_what_is_no_painting(exported: Path) -> None:
    classifier = Classifier.load(exported)
    calibration, ood = classifier.config.calibration, classifier.config.ood
    assert (calibration.set_coverage, calibration.target_accuracy) == (0.9, 0.9)
    assert ood is not None
    assert ood.method == "mahalanobis+outliers"
    assert "drawn text" in ood.outliers
    assert classifier.classify(Image.new("RGB", (90, 60), "white")).decision == "unfamiliar"
    assert classifier.classify(next(draw_outliers("noise", 1))).set


def test_no_weight_is_written_twice(exported: Path) -> None:
    tensors = [onnx.numpy_helper.to_array(each) for each in onnx.load(exported / GRAPH_FILE).graph.initializer]
    large = [tensor.tobytes() for tensor in tensors if tensor.size > 2000]
    assert len(large) > 10
    assert len(large) == len(set(large))


def test_a_graph_of_other_weights_is_refused(exported: Path, trained: Run) -> None:
    settings = trained.settings
    other = tiny_network().eval().requires_grad_(False)
    layers = explained_layers(other, settings.backbone, settings.size_px)
    with pytest.raises(ExportError, match="does not compute what its network computes: logits"):
        check_graph(other, layers, exported / GRAPH_FILE, [random_views(settings.size_px)])


def test_the_model_folder_names_the_paintings_it_was_trained_on(exported: Path, data: Path) -> None:
    assert read_config(exported).training["train_sha256"] == read_info(data).train_sha256 != ""


def test_an_existing_folder_is_left_alone(trained: Run, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="exists already"):
        export(trained, tmp_path)


def test_a_run_remembers_where_its_dataset_lay(trained: Run, data: Path) -> None:
    assert find_dataset(trained.settings, None) == data.resolve()


def test_a_dataset_that_has_been_moved_can_be_named(trained: Run, data: Path, tmp_path: Path) -> None:
    moved = replace(trained.settings, data_folder=str(tmp_path / "gone"))
    with pytest.raises(DataError, match=r"gone: the run's dataset is no longer there.*--data FOLDER"):
        find_dataset(moved, None)
    assert find_dataset(moved, data) == data


@pytest.mark.parametrize("other", [{"train_sha256": "f" * 64}, {"size_px": 96}, {"movements": ("a", "b")}])
def test_another_dataset_is_refused(trained: Run, data: Path, other: dict[str, object]) -> None:
    with pytest.raises(DataError, match="is not the dataset that the run was trained on"):
        find_dataset(replace(trained.settings, **other), data)  # type: ignore[arg-type]


def test_the_model_folder_knows_strangers(exported: Path) -> None:
    config = read_model(exported)[1]
    assert config.ood is not None
    assert config.ood.sha256 == sha256_of(exported / OOD_FILE)
    assert config.properties_sha256 == sha256_of(exported / PROPERTIES_FILE)
    assert (exported / OOD_FILE).stat().st_size < 3 * 2**20
    assert "is called unfamiliar" in (exported / "README.md").read_text()
