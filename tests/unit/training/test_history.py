"""What is kept of each epoch: a table, a plot, TensorBoard's events."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from artnet.errors import OutputError
from artnet.training.history import EpochScores, TrainScores, plot_history, read_history, score_epoch, write_history
from artnet.training.recipe import Recipe
from artnet.training.run import Run, RunSettings


def scores(epoch: int, accuracy: float) -> EpochScores:
    return EpochScores(epoch, 1.0, accuracy, 1.1, accuracy, accuracy, 2.0)


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path, RunSettings("test", "none", "tiny", Recipe()))


def test_an_epoch_is_scored_by_hand() -> None:
    # Two paintings: 3/4 for the truth, then 1/4; the loss is the mean of log(4/3) and log(4).
    logits = np.log(np.array([[0.75, 0.25], [0.75, 0.25]], np.float32))
    found = score_epoch(3, TrainScores(1.5, 0.4, 7.0), logits, np.array([0, 1]))
    assert (found.epoch, found.train_loss, found.train_accuracy, found.seconds) == (3, 1.5, 0.4, 7.0)
    assert found.val_loss == pytest.approx((np.log(4 / 3) + np.log(4)) / 2)
    assert (found.val_accuracy, found.val_balanced_accuracy) == (0.5, 0.5)


def test_an_epoch_that_is_run_again_takes_its_old_place(run: Run) -> None:
    for row in (scores(1, 0.1), scores(2, 0.2), scores(2, 0.3)):
        write_history(run, [row])
    assert [(row.epoch, row.val_accuracy) for row in read_history(run.folder)] == [(1, 0.1), (2, 0.3)]


def test_tensorboard_shows_the_epochs_that_count(run: Run) -> None:
    for row in (scores(1, 0.25), scores(2, 0.5), scores(2, 0.75)):
        write_history(run, [row])
    events = EventAccumulator(str(run.folder / "tensorboard"))
    events.Reload()
    assert [(event.step, event.value) for event in events.Scalars("accuracy/val")] == [(1, 0.25), (2, 0.75)]
    assert "loss/train" in events.Tags()["scalars"]


def test_accuracy_and_loss_are_drawn(tmp_path: Path) -> None:
    plot_history([scores(1, 0.2), scores(2, 0.6)], tmp_path / "history.png")
    with Image.open(tmp_path / "history.png") as image:
        colours = np.unique(np.asarray(image.convert("RGB")).reshape(-1, 3), axis=0)
    assert image.size == (1200, 480)
    assert len(colours) > 50  # two curves, their labels, a grid


def test_an_image_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"history\.png: cannot be written"):
        plot_history([scores(1, 0.2)], tmp_path / "missing" / "history.png")
