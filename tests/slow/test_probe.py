"""Training the head on embeddings that OpenVINO computes once."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from artnet.errors import TrainingError, UsageError
from artnet.model.openvino import OpenVinoEngine
from artnet.training.batches.views import load_views
from artnet.training.export.onnx_graph import write_trunk
from artnet.training.fit import fit, resume
from artnet.training.history import read_history
from artnet.training.linear_probe import infer_views
from artnet.training.recipe import Rates, find_recipe
from artnet.training.run import Run
from artnet.training.trainer import Callbacks, normalise
from fixtures.training import ON_CPU, settings, tiny_network

PROBE = dataclasses.replace(find_recipe("probe"), epochs=5, batch=16)


@pytest.fixture(scope="module")
def probed(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return fit(data, tmp_path_factory.mktemp("probe") / "run", settings(recipe=PROBE), ON_CPU)


def test_the_embeddings_are_those_of_the_network(probed: Run, data: Path, tmp_path: Path) -> None:
    network = tiny_network()
    views = load_views(data, "val")
    few = dataclasses.replace(views, encoded=views.encoded[:3])
    write_trunk(network, probed.settings.size_px, tmp_path / "trunk.onnx")
    engine = OpenVinoEngine(tmp_path / "trunk.onnx", "f32", cached=False)
    found = np.concatenate(list(infer_views(engine, few, probed.settings.preprocessing)))
    pixels = torch.from_numpy(np.stack([np.asarray(few.decode(index)).transpose(2, 0, 1) for index in range(3)]))
    with torch.inference_mode():
        expected = network.eval().embed(normalise(pixels, probed.settings)).numpy()
    assert np.abs(found - expected).max() <= 1e-4 * np.abs(expected).max()


def test_only_the_heads_are_trained(probed: Run) -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(probed.settings.seed)
        start = tiny_network().state_dict()
    best = probed.read_tensors("best")
    changed = {name.split(".")[0] for name, tensor in best.items() if not torch.equal(tensor, start[name])}
    assert changed == {"norm", "dense", "styles"}


def test_the_run_keeps_what_any_run_keeps(probed: Run) -> None:
    assert {path.name for path in probed.folder.iterdir()} == {
        *("run.json", "history.csv", "history.png", "tensorboard", "lock"),
        *("start.safetensors", "best.safetensors", "embeddings.safetensors", "sample.safetensors"),
    }
    assert [row.epoch for row in read_history(probed.folder)] == [1, 2, 3, 4, 5]


def test_the_best_head_is_kept_and_not_the_last(probed: Run, data: Path) -> None:
    kept, network = probed.read_tensors("embeddings"), tiny_network().eval()
    network.load_state_dict(probed.read_tensors("best"))
    hits = network.classify(kept["val"]).movements.argmax(1).numpy() == load_views(data, "val").movements
    best = max(read_history(probed.folder), key=lambda row: row.val_balanced_accuracy)
    assert hits.mean() == pytest.approx(best.val_accuracy)


def test_embeddings_are_computed_once(probed: Run, data: Path) -> None:
    def refuse(done: int, total: int) -> None:
        raise AssertionError("embedded again")

    before = probed.read_tensors("best")
    resume(data, probed.folder, ON_CPU, Callbacks(on_embedded=refuse))
    assert all(torch.equal(tensor, before[name]) for name, tensor in probed.read_tensors("best").items())


def test_a_loss_that_is_no_number_is_said(data: Path, tmp_path: Path) -> None:
    recipe = dataclasses.replace(PROBE, rates=Rates(head=float("nan")))
    with pytest.raises(TrainingError, match="loss became nan in epoch 1"):
        fit(data, tmp_path / "run", settings(recipe=recipe), ON_CPU)


def test_several_devices_are_refused(data: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="in one process"):
        fit(data, tmp_path / "run", settings(recipe=PROBE), dataclasses.replace(ON_CPU, devices=2))
