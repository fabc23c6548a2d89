"""Keep what each epoch scored: a table, a picture and TensorBoard's events.

Knows nothing about networks.
"""

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

from artnet.errors import OutputError
from artnet.metrics.calibration import negative_log_likelihood
from artnet.metrics.classification import accuracy, balanced_accuracy
from artnet.training.run import Run


@dataclass(frozen=True)
class EpochScores:
    """One line of history.csv. Training scores are those of changed and mixed views, while the network learnt."""

    epoch: int
    train_loss: float
    train_accuracy: float
    val_loss: float
    val_accuracy: float
    val_balanced_accuracy: float
    seconds: float

    @property
    def line(self) -> str:
        """Put the epoch in one line."""
        return (
            f"epoch {self.epoch}: loss {self.train_loss:.3f}, validation loss {self.val_loss:.3f}, accuracy "
            f"{self.val_accuracy:.3f}, balanced {self.val_balanced_accuracy:.3f}, {self.seconds:.0f} s"
        )


@dataclass(frozen=True)
class TrainScores:
    """What an epoch's batches gave: mean loss, accuracy, and the seconds they took."""

    loss: float
    accuracy: float
    seconds: float


def score_epoch(epoch: int, train: TrainScores, logits: np.ndarray, y_true: np.ndarray) -> EpochScores:
    """Put an epoch's training and its validation logits (N, C) together."""
    y_pred = logits.argmax(1)
    shifted = logits - logits.max(1, keepdims=True)
    scores = np.exp(shifted) / np.exp(shifted).sum(1, keepdims=True)
    return EpochScores(
        epoch=epoch,
        train_loss=train.loss,
        train_accuracy=train.accuracy,
        val_loss=negative_log_likelihood(y_true, scores),
        val_accuracy=accuracy(y_true, y_pred),
        val_balanced_accuracy=balanced_accuracy(y_true, y_pred, logits.shape[1]),
        seconds=round(train.seconds, 1),
    )


def write_history(run: Run, scores: Sequence[EpochScores]) -> None:
    """Put epochs into history.csv, in place of all from the first of them on; draw history.png and add events."""
    rows = [row for row in read_history(run.folder) if row.epoch < scores[0].epoch] + list(scores)
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, fieldnames=[field.name for field in fields(EpochScores)])
    writer.writeheader()
    writer.writerows(asdict(row) for row in rows)
    run.write_text("history.csv", text.getvalue())
    draw_history(rows, run.folder / "history.png")
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


def draw_history(rows: Sequence[EpochScores], path: Path) -> None:
    """Draw accuracy and loss over the epochs, side by side, of training and validation. Errors: `OutputError`."""
    figure = Figure(figsize=(10, 4), layout="constrained")
    epochs = [row.epoch for row in rows]
    for place, name in enumerate(("accuracy", "loss"), start=1):
        axes = figure.add_subplot(1, 2, place)
        for split, label in (("train", "training"), ("val", "validation")):
            axes.plot(epochs, [getattr(row, f"{split}_{name}") for row in rows], marker="o", label=label)
        axes.set(title=name, xlabel="epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(alpha=0.3)
        axes.legend()
    try:
        figure.savefig(path, dpi=120)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror})") from error


def write_events(folder: Path, rows: Sequence[EpochScores]) -> None:
    """Add epochs to the events that TensorBoard shows. Errors: `OutputError`."""
    try:
        with SummaryWriter(str(folder), purge_step=rows[0].epoch) as writer:
            for row in rows:
                for name, value in asdict(row).items():
                    split, _, what = name.partition("_")
                    if what:
                        writer.add_scalar(f"{what}/{split}", value, row.epoch)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written ({error.strerror})") from error
