"""The losses of the two heads, and the second head in a training."""

from __future__ import annotations

import dataclasses
import math
import signal
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from artnet.errors import StoppedError
from artnet.model.classifier import open_engine
from artnet.model.config import GRAPH_FILE
from artnet.model.engine import STYLES
from artnet.training.export.onnx_graph import random_views, relative_distance
from artnet.training.fit import fit
from artnet.training.network.loss import loss_of, styles_loss, targets
from artnet.training.network.network import Logits, build_network
from artnet.training.recipe import RECIPES, Recipe, recipe_from
from artnet.training.run import Run
from artnet.training.trainer import Step, Watch
from fixtures.training import BACKBONE, ON_CPU, RECIPE, TINY_STYLES, settings


def test_a_target_holds_both_truths_and_whether_the_style_is_known() -> None:
    network = build_network(BACKBONE, 3, "none", styles=2)
    found = targets(torch.tensor([2, 0]), torch.tensor([1, -1]), network)
    assert found.tolist() == [[0, 0, 1, 0, 1, 1], [1, 0, 0, 0, 0, 0]]


def test_the_styles_loss_is_that_worked_by_hand() -> None:
    logits = torch.tensor([[math.log(3), 0.0], [5.0, 5.0]])  # scores 3/4 and 1/2; the second has no known style
    found = styles_loss(logits, torch.tensor([[1.0, 0.0], [0.0, 0.0]]), torch.tensor([[1.0], [0.0]]))
    assert float(found) == pytest.approx((math.log(4 / 3) + math.log(2)) / 4)


@given(st.lists(st.floats(-20, 20), min_size=4, max_size=4), st.lists(st.floats(0, 1), min_size=4, max_size=4))
def test_where_all_styles_are_known_it_is_the_binary_cross_entropy(logits: list[float], truth: list[float]) -> None:
    given_logits, styles = torch.tensor([logits]), torch.tensor([truth])
    expected = F.binary_cross_entropy_with_logits(given_logits, styles)
    assert float(styles_loss(given_logits, styles, torch.ones(1, 1))) == pytest.approx(float(expected), abs=1e-5)


def test_no_gradient_flows_from_a_painting_without_a_style() -> None:
    logits = torch.randn(2, 3, requires_grad=True)
    network = build_network(BACKBONE, 2, "none", styles=3)
    target = targets(torch.tensor([0, 1]), torch.tensor([2, -1]), network)
    loss_of(Logits(torch.zeros(2, 2), logits), target, Recipe()).backward()  # type: ignore[no-untyped-call]
    assert logits.grad is not None
    assert bool((logits.grad[0] != 0).all())
    assert not logits.grad[1].any()


def test_a_mixed_view_loses_as_its_parts_by_their_shares() -> None:
    logits, known = torch.randn(1, 3), torch.tensor([[1.0], [0.0]])
    styles = torch.tensor([[0.0, 1.0, 0.0], [0.0, 0.0, 0.0]])
    mixed = styles_loss(logits, 0.7 * styles[:1] + 0.3 * styles[1:], 0.7 * known[:1] + 0.3 * known[1:])
    torch.testing.assert_close(mixed, 0.7 * styles_loss(logits, styles[:1], known[:1]))


def test_the_parts_of_a_batch_lose_together_what_the_whole_loses() -> None:
    logits, styles, known = torch.randn(4, 3), torch.eye(4, 3), torch.tensor([[1.0], [1.0], [0.0], [1.0]])
    parts = [styles_loss(logits[rows], styles[rows] * known[rows], known[rows]) for rows in (slice(2), slice(2, 4))]
    torch.testing.assert_close(torch.stack(parts).mean(), styles_loss(logits, styles * known, known))


def test_only_the_weighted_styles_loss_is_added() -> None:
    logits = Logits(torch.randn(4, 2), torch.randn(4, 3))
    target = targets(torch.tensor([0, 1, 0, 1]), torch.tensor([0, 1, 2, -1]), build_network(BACKBONE, 2, "none", 3))
    alone = loss_of(Logits(logits.movements, None), target, Recipe())
    added = loss_of(logits, target, Recipe(styles_weight=0.5)) - alone
    assert logits.styles is not None
    torch.testing.assert_close(added, 0.5 * styles_loss(logits.styles, target[:, 2:-1], target[:, -1:]))


def test_a_training_learns_styles_where_there_are_enough_paintings(styled: Run, trained: Run) -> None:
    assert len(styled.settings.styles) == 5
    assert trained.settings.styles == ()
    assert "styles.weight" in styled.read_tensors("best")
    assert "styles.weight" not in trained.read_tensors("best")


def test_a_second_head_goes_on_to_the_same_bits(styled: Run, data: Path, tmp_path: Path) -> None:
    def stop_in_the_second_epoch(step: Step) -> None:
        if step.epoch == 2 and step.batch == 2:
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(StoppedError):
        fit(data, tmp_path / "run", settings(styles=TINY_STYLES), ON_CPU, Watch(on_step=stop_in_the_second_epoch))
    resumed = fit(data, tmp_path / "run", settings(styles=TINY_STYLES), dataclasses.replace(ON_CPU, resume=True))
    expected = styled.read_tensors("last")
    assert all(torch.equal(tensor, expected[name]) for name, tensor in resumed.read_tensors("last").items())


def test_a_weight_of_zero_builds_no_second_head(data: Path, tmp_path: Path) -> None:
    recipe = dataclasses.replace(RECIPE, epochs=1, styles_weight=0.0)
    assert "styles.weight" not in fit(
        data, tmp_path / "run", settings(recipe=recipe, styles=TINY_STYLES), ON_CPU
    ).read_tensors("best")
    assert RECIPES["artnet-2020"].styles_weight == 0


def test_runs_from_before_the_second_head_have_none() -> None:
    fields = dataclasses.asdict(Recipe())
    del fields["styles_weight"]
    assert recipe_from(fields) == Recipe(styles_weight=0.0)


def test_a_probe_trains_both_heads(data: Path, tmp_path: Path) -> None:
    recipe = dataclasses.replace(RECIPES["probe"], epochs=3, batch=16)
    best = fit(data, tmp_path / "run", settings(recipe=recipe, styles=TINY_STYLES), ON_CPU).read_tensors("best")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        start = build_network(BACKBONE, 5, "none", styles=5).state_dict()
    changed = {name.split(".")[0] for name, tensor in best.items() if not torch.equal(tensor, start[name])}
    assert changed == {"norm", "dense", "styles"}


@pytest.mark.parametrize("engine", ["openvino", "onnxruntime"])
def test_the_graph_gives_the_styles_of_the_network(styled: Run, styled_model: Path, engine: str) -> None:
    network = build_network(BACKBONE, 5, "none", styles=5)
    network.load_state_dict(styled.read_tensors("best"))
    views = random_views(styled.settings.size_px, 3)
    with torch.inference_mode():
        expected = network.eval()(torch.from_numpy(views)).styles
    opened = open_engine(styled_model / GRAPH_FILE, engine, "f32")
    found = opened.run(views, None, [STYLES])[STYLES]
    assert opened.styles == 5
    assert relative_distance(found, np.asarray(expected)) < 1e-4
