"""The scores of each epoch, as a table, a plot and TensorBoard events."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from torch.utils.tensorboard.writer import SummaryWriter

from artnet.errors import output_errors
from artnet.metrics.calibration import negative_log_likelihood
from artnet.metrics.classification import accuracy, balanced_accuracy, softmax
from artnet.training.run import Run


@dataclass(frozen=True)
class EpochScores:
    """One row of history.csv; training scores are those of augmented and mixed views, while the weights changed."""

    epoch: int
    train_loss: float
    train_accuracy: float
    val_loss: float
    val_accuracy: float
    val_balanced_accuracy: float
    seconds: float

    def __str__(self) -> str:
        return (
            f"epoch {self.epoch}: loss {self.train_loss:.3f}, validation loss {self.val_loss:.3f}, accuracy "
            f"{self.val_accuracy:.3f}, balanced {self.val_balanced_accuracy:.3f}, {self.seconds:.0f} s"
        )


@dataclass(frozen=True)
class TrainScores:
    """Mean loss and accuracy over an epoch's batches, and its duration."""

    loss: float
    accuracy: float
    seconds: float


def score_epoch(epoch: int, train: TrainScores, logits: np.ndarray, y_true: np.ndarray) -> EpochScores:
    """Return an epoch's scores from its training scores and its validation logits (N, C)."""
    y_pred = logits.argmax(1)
    return EpochScores(
        epoch=epoch,
        train_loss=train.loss,
        train_accuracy=train.accuracy,
        val_loss=negative_log_likelihood(y_true, softmax(logits)),
        val_accuracy=accuracy(y_true, y_pred),
        val_balanced_accuracy=balanced_accuracy(y_true, y_pred, logits.shape[1]),
        seconds=round(train.seconds, 1),
    )


def write_history(run: Run, scores: Sequence[EpochScores]) -> None:
    """Update history.csv, history.png and the TensorBoard events, replacing all epochs from the first of `scores` on.

    Raises:
        OutputError: where one of them cannot be written
    """
    rows = [row for row in read_history(run.folder) if row.epoch < scores[0].epoch] + list(scores)
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, fieldnames=[field.name for field in fields(EpochScores)])
    writer.writeheader()
    writer.writerows(asdict(row) for row in rows)
    run.write_text("history.csv", text.getvalue())
    plot_history(rows, run.folder / "history.png")
    write_events(run.folder / "tensorboard", scores)


def read_history(folder: Path) -> list[EpochScores]:
    """Read history.csv; empty where there is none."""
    path = folder / "history.csv"
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return [
            EpochScores(int(row.pop("epoch")), **{name: float(value) for name, value in row.items()})
            for row in csv.DictReader(file)
        ]


def plot_history(rows: Sequence[EpochScores], path: Path) -> None:
    """Plot training and validation accuracy, and beside them the losses, over the epochs."""
    figure = Figure(figsize=(10, 4))
    # A layout engine would draw twice, after each epoch.
    figure.subplots_adjust(left=0.06, right=0.98, bottom=0.13, top=0.91, wspace=0.18)
    epochs = [row.epoch for row in rows]
    for index, name in enumerate(("accuracy", "loss"), start=1):
        axes = figure.add_subplot(1, 2, index)
        for split, label in (("train", "training"), ("val", "validation")):
            axes.plot(epochs, [getattr(row, f"{split}_{name}") for row in rows], marker="o", label=label)
        axes.set(title=name, xlabel="epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(alpha=0.3)
        axes.legend()
    with output_errors(path):
        figure.savefig(path, dpi=120)


def write_events(folder: Path, rows: Sequence[EpochScores]) -> None:
    """Append epochs to the TensorBoard events, in place of those from the first of `rows` on."""
    with output_errors(folder), SummaryWriter(str(folder), purge_step=rows[0].epoch) as writer:
        for row in rows:
            for name, value in asdict(row).items():
                split, _, score = name.partition("_")
                if score:
                    writer.add_scalar(f"{score}/{split}", value, row.epoch)
