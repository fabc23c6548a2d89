"""Training, resuming and exporting a network with a second head for styles."""

from __future__ import annotations

import dataclasses
import signal
from pathlib import Path

import numpy as np
import pytest
import torch

from artnet.errors import StoppedError
from artnet.model.classifier import open_engine
from artnet.model.config import GRAPH_FILE
from artnet.model.engine import STYLES
from artnet.training.export.onnx_graph import random_views, relative_distance
from artnet.training.fit import fit
from artnet.training.network.network import NetworkOptions, build_network
from artnet.training.recipe import RECIPES
from artnet.training.run import Run
from artnet.training.trainer import Callbacks, StepReport
from fixtures.training import BACKBONE, ON_CPU, RECIPE, TINY_STYLES, settings


def test_a_training_learns_styles_where_there_are_enough_paintings(styled: Run, trained: Run) -> None:
    assert len(styled.settings.styles) == 5
    assert trained.settings.styles == ()
    assert "styles.weight" in styled.read_tensors("best")
    assert "styles.weight" not in trained.read_tensors("best")


def test_a_second_head_goes_on_to_the_same_bits(styled: Run, data: Path, tmp_path: Path) -> None:
    def stop_in_the_second_epoch(step: StepReport) -> None:
        if step.epoch == 2 and step.batch == 2:
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(StoppedError):
        fit(data, tmp_path / "run", settings(styles=TINY_STYLES), ON_CPU, Callbacks(on_step=stop_in_the_second_epoch))
    resumed = fit(data, tmp_path / "run", settings(styles=TINY_STYLES), dataclasses.replace(ON_CPU, resume=True))
    expected = styled.read_tensors("last")
    assert all(torch.equal(tensor, expected[name]) for name, tensor in resumed.read_tensors("last").items())


def test_a_weight_of_zero_builds_no_second_head(data: Path, tmp_path: Path) -> None:
    recipe = dataclasses.replace(RECIPE, epochs=1, styles_weight=0.0)
    assert "styles.weight" not in fit(
        data, tmp_path / "run", settings(recipe=recipe, styles=TINY_STYLES), ON_CPU
    ).read_tensors("best")
    assert RECIPES["artnet-2020"].styles_weight == 0


def test_a_probe_trains_both_heads(data: Path, tmp_path: Path) -> None:
    recipe = dataclasses.replace(RECIPES["probe"], epochs=3, batch=16)
    best = fit(data, tmp_path / "run", settings(recipe=recipe, styles=TINY_STYLES), ON_CPU).read_tensors("best")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        start = build_network(BACKBONE, 5, "none", NetworkOptions(styles=5)).state_dict()
    changed = {name.split(".")[0] for name, tensor in best.items() if not torch.equal(tensor, start[name])}
    assert changed == {"norm", "dense", "styles"}


@pytest.mark.parametrize("engine", ["openvino", "onnxruntime"])
def test_the_graph_gives_the_styles_of_the_network(styled: Run, styled_model: Path, engine: str) -> None:
    network = build_network(BACKBONE, 5, "none", NetworkOptions(styles=5))
    network.load_state_dict(styled.read_tensors("best"))
    views = random_views(styled.settings.size_px, 3)
    with torch.inference_mode():
        expected = network.eval()(torch.from_numpy(views)).styles
    opened = open_engine(styled_model / GRAPH_FILE, engine, "f32")
    found = opened.run(views, None, [STYLES])[STYLES]
    assert opened.styles == 5
    assert relative_distance(found, np.asarray(expected)) < 1e-4
