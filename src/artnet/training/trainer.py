"""The training loop: epochs of steps, a validation after each, and a state in the run folder from which to go on.

Knows nothing about where data and networks come from, or what is made of the run.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, cast

import numpy as np
import torch
from lightning_fabric import Fabric
from timm.layers.norm_act import convert_sync_batchnorm
from torch import Tensor

from artnet.errors import StoppedError, TrainingError
from artnet.training.checkpoint import State, begin, resume_state, save_state
from artnet.training.data import Batch, Epoch, Part, StoredViews, plain_batches, training_batches
from artnet.training.devices import FitOptions, seeded
from artnet.training.history import EpochScores, TrainScores, score_epoch, write_history
from artnet.training.mixup import mix_batch
from artnet.training.network.freezing import train_mode
from artnet.training.network.loss import loss_of, targets
from artnet.training.network.network import PaintingNetwork
from artnet.training.recipe import Recipe
from artnet.training.run import Run, RunSettings
from artnet.training.schedule import average_decay, follow, set_rates


@dataclass(frozen=True)
class Step:
    """What the loop reports after each batch; loss and accuracy are means over the epoch so far."""

    epoch: int
    batch: int
    batches: int
    loss: float
    accuracy: float
    pictures_per_s: float
    epochs: int

    @property
    def done(self) -> int:
        """Count the batches done since the training began."""
        return (self.epoch - 1) * self.batches + self.batch

    @property
    def total(self) -> int:
        """Count the batches of the whole training."""
        return self.epochs * self.batches

    @property
    def line(self) -> str:
        """Put the step in a few words."""
        return (
            f"loss {self.loss:.3f}, accuracy {self.accuracy:.2f}, {self.pictures_per_s:.0f} pictures/s, "
            f"epoch {self.epoch} of {self.epochs}"
        )


@dataclass(frozen=True)
class Watch:
    """Whom a training tells what it does."""

    on_step: Callable[[Step], None] = lambda step: None
    on_epoch: Callable[[EpochScores], None] = lambda scores: None
    on_embedded: Callable[[int, int], None] = lambda done, total: None
    on_note: Callable[[str], None] = lambda note: None


@dataclass(frozen=True)
class Session:
    """What stays the same while a training runs."""

    fabric: Fabric
    run: Run
    settings: RunSettings
    options: FitOptions
    watch: Watch
    stop_asked: Callable[[], bool] = lambda: False


@dataclass(frozen=True)
class Learner:
    """A state, and its network and optimizer as Fabric runs them."""

    state: State
    forward: Any
    optimizer: Any


@dataclass(frozen=True)
class StepScores:
    """What one step gave, over the processes together."""

    loss: float
    accuracy: float
    stop: bool


def train_network(session: Session, network: PaintingNetwork, train: StoredViews, val: StoredViews) -> None:
    """Train as the recipe says, from the run's last state where it has one.

    Errors: `StoppedError` after Ctrl-C, `TrainingError` for a loss that is no number or a state of another
    network, `OutputError` where the disk is full.
    """
    recipe, learner = session.settings.recipe, begin_learning(session, network)
    state = learner.state
    while state.position.epoch < recipe.epochs:
        _train_epoch(session, learner, train)
        started = time.monotonic()
        logits = predict(session, state.average, val)
        position, batches = state.position, batches_per_epoch(train, session.settings)
        seconds = position.seconds + time.monotonic() - started
        scores = TrainScores(position.loss_sum / batches, position.hits / batches, seconds)
        _end_epoch(session, state, score_epoch(position.epoch + 1, scores, logits, val.movements))


def batches_per_epoch(views: StoredViews, settings: RunSettings) -> int:
    """Count an epoch's full batches. Errors: `TrainingError` where there is none."""
    count = len(views.encoded) // settings.recipe.batch
    if count == 0:
        raise TrainingError(
            f"the train split holds {len(views.encoded)} views, less than a batch of {settings.recipe.batch}; "
            "prepare more paintings or train with --set batch=N"
        )
    return count


def predict(session: Session, network: PaintingNetwork, views: StoredViews) -> np.ndarray:
    """Run the network over stored views, each process over its share; (N, C) float32 logits of the movements."""
    fabric, count = session.fabric, len(views.encoded)
    rows = range(fabric.global_rank * count // fabric.world_size, (fabric.global_rank + 1) * count // fabric.world_size)
    logits = torch.zeros(count, network.dense.out_features)
    network.eval()
    done = rows.start
    with torch.inference_mode(), fabric.autocast():
        for batch in plain_batches(views, 64, session.options.workers, rows):
            part = network(normalised(fabric.to_device(batch.pixels), session.settings)).movements.float().cpu()
            logits[done : done + len(part)] = part
            done += len(part)
    if fabric.world_size > 1:
        logits = cast(Tensor, fabric.all_reduce(fabric.to_device(logits), reduce_op="sum")).cpu()
    return np.asarray(logits.numpy())


def normalised(pixels: Tensor, settings: RunSettings) -> Tensor:
    """Turn (B, 3, S, S) uint8 into what the starting weights expect."""
    mean = torch.tensor(settings.mean, device=pixels.device).view(1, 3, 1, 1)
    std = torch.tensor(settings.std, device=pixels.device).view(1, 3, 1, 1)
    return ((pixels.float() / 255 - mean) / std).contiguous(memory_format=torch.channels_last)


def first_views(settings: RunSettings, views: StoredViews, workers: int, batches: int = 16) -> Iterator[Tensor]:
    """Yield batches of views, changed and normalised as in training, of an epoch that no training draws."""
    epoch = Epoch(settings.seed, settings.recipe.epochs, _crop_px(settings.size_px, settings.recipe.changes.crop_share))
    for batch in islice(training_batches(views, settings.recipe, epoch, workers), batches):
        yield normalised(batch.pixels, settings)


def begin_learning(session: Session, network: PaintingNetwork) -> Learner:
    """Make a training ready for its next step: from the run's last state where it has one."""
    if session.fabric.world_size > 1 and session.fabric.device.type == "cuda":
        # timm's own, since PyTorch's loses the activation that timm keeps in the same module.
        network = convert_sync_batchnorm(network)  # type: ignore[no-untyped-call]
    state = begin(network.to(memory_format=torch.channels_last), session.settings.recipe)
    forward, optimizer = session.fabric.setup(network, state.optimizer)
    session.fabric.to_device(state.average)
    resume_state(session.run, state, session.settings)
    return Learner(state, forward, optimizer)


def _train_epoch(session: Session, learner: Learner, views: StoredViews) -> None:
    """Run an epoch, or what is left of it."""
    fabric, state, settings = session.fabric, learner.state, session.settings
    recipe, batches = settings.recipe, batches_per_epoch(views, settings)
    epoch = Epoch(settings.seed, state.position.epoch, _crop_px(settings.size_px, recipe.changes.crop_share))
    part = Part(state.position.batch, fabric.global_rank, fabric.world_size)
    train_mode(state.network, recipe.trained)
    saved = now = time.monotonic()
    for batch in training_batches(views, recipe, epoch, session.options.workers, part):
        position = state.position
        set_rates(state.optimizer, recipe.rates, epoch.number * batches + position.batch, recipe.epochs, batches)
        done = take_step(session, learner, batch)
        before, now = now, time.monotonic()
        state.advance(
            batch=position.batch + 1,
            steps=position.steps + 1,
            loss_sum=position.loss_sum + done.loss,
            hits=position.hits + done.accuracy,
            seconds=position.seconds + now - before,
        )
        session.watch.on_step(_report(state, batches, recipe))
        if done.stop or now - saved >= session.options.checkpoint_every_s:
            saved = now
            _save(session, state)
        if done.stop:
            raise StoppedError(
                f"{session.run.folder}: stopped after epoch {epoch.number + 1}, batch {position.batch + 1} of "
                f"{batches}; nothing is lost, go on with the same command and --resume"
            )


def take_step(session: Session, learner: Learner, batch: Batch) -> StepScores:
    """Take one optimizer step; all that is random in it follows from seed, epoch and batch."""
    state, settings, fabric = learner.state, session.settings, session.fabric
    recipe, position = settings.recipe, state.position
    rng = np.random.default_rng((settings.seed, position.epoch, position.batch, 2**31 + 1))
    pixels, movements, styles = fabric.to_device(batch)
    target = targets(movements, styles, state.network)
    views, target = mix_batch(normalised(pixels, settings), target, recipe.changes.mixup, recipe.changes.cutmix, rng)
    with seeded(int(rng.integers(2**62)) + fabric.global_rank):  # each process drops others
        logits = learner.forward(views)
    loss = loss_of(logits, target, recipe)
    accuracy = target.gather(1, logits.movements.argmax(1, keepdim=True)).mean()  # a mixed view is hit in parts
    scores = _together(session, loss, accuracy)
    if not math.isfinite(scores.loss):
        raise TrainingError(
            f"the loss became {scores.loss} in epoch {position.epoch + 1}, batch {position.batch + 1}; the last good "
            "state is kept in the run folder; lower the recipe's rates and start again"
        )
    learner.optimizer.zero_grad()
    fabric.backward(loss)
    if recipe.rates.clip_norm > 0:
        fabric.clip_gradients(learner.forward, learner.optimizer, max_norm=recipe.rates.clip_norm)
    learner.optimizer.step()
    if state.average is not state.network:
        follow(state.average, state.network, average_decay(position.steps + 1, recipe.average_decay))
    return scores


def _together(session: Session, loss: Tensor, accuracy: Tensor) -> StepScores:
    """Average a step's scores over the processes; where one was asked to stop, all do."""
    numbers = torch.stack([loss.detach(), accuracy, loss.new_tensor(float(session.stop_asked()))]).double()
    if session.fabric.world_size > 1:
        numbers = cast(Tensor, session.fabric.all_reduce(numbers, reduce_op="mean"))
    mean_loss, mean_accuracy, stop = numbers.tolist()
    return StepScores(mean_loss, mean_accuracy, stop > 0)


def _end_epoch(session: Session, state: State, scores: EpochScores) -> None:
    """Keep the epoch's scores, the averaged weights where they are the best so far, and the state."""
    better = scores.val_balanced_accuracy > state.position.best
    best = max(scores.val_balanced_accuracy, state.position.best)
    state.advance(epoch=scores.epoch, batch=0, best=best, loss_sum=0.0, hits=0.0, seconds=0.0)
    if session.fabric.is_global_zero:
        if better:
            session.run.write_tensors("best", dict(state.average.state_dict()))
        write_history(session.run, [scores])
    _save(session, state)
    session.watch.on_epoch(scores)


def _save(session: Session, state: State) -> None:
    """Write the state, once for all processes."""
    if session.fabric.is_global_zero:
        save_state(session.run, state)


def _report(state: State, batches: int, recipe: Recipe) -> Step:
    position = state.position
    return Step(
        epoch=position.epoch + 1,
        batch=position.batch,
        batches=batches,
        loss=position.loss_sum / position.batch,
        accuracy=position.hits / position.batch,
        pictures_per_s=position.batch * recipe.batch / max(position.seconds, 1e-9),
        epochs=recipe.epochs,
    )


def _crop_px(size_px: int, share: float) -> int:
    """Round the training size to a multiple of 32, the stride of nearly every backbone."""
    return max(32, round(size_px * share / 32) * 32)
