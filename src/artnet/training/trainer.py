"""The training loop: epochs of optimizer steps, a validation after each, and checkpoints."""

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
from artnet.training.batches.mixup import mix_batch
from artnet.training.batches.views import Batch, Epoch, Shard, StoredViews, plain_batches, training_batches
from artnet.training.checkpoint import TrainingState, initial_state, restore_checkpoint, save_checkpoint
from artnet.training.devices import FitOptions, seeded
from artnet.training.history import EpochScores, TrainScores, score_epoch, write_history
from artnet.training.network.freezing import set_train_mode
from artnet.training.network.loss import make_targets, total_loss
from artnet.training.network.network import PaintingNetwork
from artnet.training.run import Run, RunSettings
from artnet.training.schedule import average_decay, set_rates, update_average


@dataclass(frozen=True)
class StepReport:
    """Progress after a batch; loss and accuracy are means over the epoch so far."""

    epoch: int  # from 1
    batch: int  # from 1
    batches: int
    loss: float
    accuracy: float
    images_per_s: float
    epochs: int

    @property
    def done(self) -> int:
        """Number of batches since the training began."""
        return (self.epoch - 1) * self.batches + self.batch

    @property
    def total(self) -> int:
        """Number of batches of the whole training."""
        return self.epochs * self.batches

    def __str__(self) -> str:
        return (
            f"loss {self.loss:.3f}, accuracy {self.accuracy:.2f}, {self.images_per_s:.0f} images/s, "
            f"epoch {self.epoch} of {self.epochs}"
        )


@dataclass(frozen=True)
class Callbacks:
    """Functions that are called as a training proceeds."""

    on_step: Callable[[StepReport], None] = lambda step: None
    on_epoch: Callable[[EpochScores], None] = lambda scores: None
    on_embedded: Callable[[int, int], None] = lambda done, total: None
    on_warning: Callable[[str], None] = lambda message: None


@dataclass(frozen=True)
class Session:
    """What stays the same while a training runs."""

    fabric: Fabric
    run: Run
    settings: RunSettings
    options: FitOptions
    callbacks: Callbacks
    stop_requested: Callable[[], bool] = lambda: False


@dataclass(frozen=True)
class Learner:
    """A training state, with its network and optimizer as Fabric wraps them."""

    state: TrainingState
    forward: Any
    optimizer: Any


@dataclass(frozen=True)
class StepScores:
    """A step's scores, averaged over the processes."""

    loss: float
    accuracy: float
    stop: bool


def train_network(session: Session, network: PaintingNetwork, train: StoredViews, val: StoredViews) -> None:
    """Train as the recipe says, from the run's last checkpoint if there is one.

    Raises:
        StoppedError: after Ctrl-C
        TrainingError: for a loss that is not finite or a checkpoint of another network
        OutputError: where the disk is full
    """
    recipe, learner = session.settings.recipe, make_learner(session, network)
    state = learner.state
    while state.position.epoch < recipe.epochs:
        _train_epoch(session, learner, train)
        started = time.monotonic()
        position, batches = state.position, batches_per_epoch(train, session.settings)
        try:
            logits = predict(session, state.average, val)
        except KeyboardInterrupt:  # the epoch's batches are done, and validated when the training is resumed
            raise _stopped(session, state, batches) from None
        seconds = position.seconds + time.monotonic() - started
        scores = TrainScores(position.loss_sum / batches, position.hits / batches, seconds)
        _end_epoch(session, state, score_epoch(position.epoch + 1, scores, logits, val.movements))


def batches_per_epoch(views: StoredViews, settings: RunSettings) -> int:
    """Return the number of full batches of an epoch, or raise `TrainingError` where there is none."""
    count = len(views.encoded) // settings.recipe.batch
    if count == 0:
        raise TrainingError(
            f"the train split holds {len(views.encoded)} views, less than a batch of {settings.recipe.batch}; "
            "prepare more paintings or train with --set batch=N"
        )
    return count


def predict(session: Session, network: PaintingNetwork, views: StoredViews) -> np.ndarray:
    """Return the movements' logits (N, C) float32 of all views; each process computes a share of them.

    Raises:
        KeyboardInterrupt: where a stop is requested and no other process waits for this one's share
    """
    fabric, count = session.fabric, len(views.encoded)
    rows = range(fabric.global_rank * count // fabric.world_size, (fabric.global_rank + 1) * count // fabric.world_size)
    logits = torch.zeros(count, network.dense.out_features)
    network.eval()
    done = rows.start
    with torch.inference_mode(), fabric.autocast():
        for batch in plain_batches(views, 64, session.options.workers, rows):
            if fabric.world_size == 1 and session.stop_requested():
                raise KeyboardInterrupt
            pixels = normalise(fabric.to_device(batch.pixels), session.settings)
            logits[done : done + len(pixels)] = network(pixels).movements.float().cpu()
            done += len(pixels)
    if fabric.world_size > 1:
        logits = cast(Tensor, fabric.all_reduce(fabric.to_device(logits), reduce_op="sum")).cpu()
    return np.asarray(logits.numpy())


def normalise(pixels: Tensor, settings: RunSettings) -> Tensor:
    """Return (B, 3, S, S) uint8 as the float32 input that the starting weights expect."""
    mean = torch.tensor(settings.mean, device=pixels.device).view(1, 3, 1, 1)
    std = torch.tensor(settings.std, device=pixels.device).view(1, 3, 1, 1)
    return ((pixels.float() / 255 - mean) / std).contiguous(memory_format=torch.channels_last)


def sample_inputs(settings: RunSettings, views: StoredViews, workers: int, batches: int = 16) -> Iterator[Tensor]:
    """Yield some batches of network inputs, augmented as in training, of an epoch that no training uses."""
    epoch = Epoch(settings.seed, settings.recipe.epochs, training_size_px(settings))
    for batch in islice(training_batches(views, settings.recipe, epoch, workers), batches):
        yield normalise(batch.pixels, settings)


def training_size_px(settings: RunSettings) -> int:
    """Return the side of the training views: a multiple of 32, the stride of nearly every backbone."""
    return max(32, round(settings.size_px * settings.recipe.augmentation.crop_share / 32) * 32)


def make_learner(session: Session, network: PaintingNetwork) -> Learner:
    """Return a learner that is ready for its next step, restored from the run's last checkpoint if there is one."""
    if session.fabric.world_size > 1 and session.fabric.device.type == "cuda":
        # timm's, since PyTorch's would drop the activations that timm keeps in the same modules.
        network = convert_sync_batchnorm(network)  # type: ignore[no-untyped-call]
    state = initial_state(network.to(memory_format=torch.channels_last), session.settings.recipe)
    forward, optimizer = session.fabric.setup(network, state.optimizer)
    session.fabric.to_device(state.average)
    restore_checkpoint(session.run, state)
    return Learner(state, forward, optimizer)


def _train_epoch(session: Session, learner: Learner, views: StoredViews) -> None:
    """Run an epoch, or what is left of it."""
    fabric, state, settings = session.fabric, learner.state, session.settings
    recipe, batches = settings.recipe, batches_per_epoch(views, settings)
    epoch = Epoch(settings.seed, state.position.epoch, training_size_px(settings))
    shard = Shard(state.position.batch, fabric.global_rank, fabric.world_size)
    set_train_mode(state.network, recipe.freezing)
    saved = now = time.monotonic()
    for batch in training_batches(views, recipe, epoch, session.options.workers, shard):
        position = state.position
        set_rates(state.optimizer, recipe.rates, epoch.number * batches + position.batch, recipe.epochs, batches)
        scores = take_step(session, learner, batch)
        before, now = now, time.monotonic()
        state.advance(
            batch=position.batch + 1,
            steps=position.steps + 1,
            loss_sum=position.loss_sum + scores.loss,
            hits=position.hits + scores.accuracy,
            seconds=position.seconds + now - before,
        )
        session.callbacks.on_step(_report(session, state, batches))
        if scores.stop:
            raise _stopped(session, state, batches)
        if now - saved >= session.options.checkpoint_every_s:
            saved = now
            _save(session, state)


def take_step(session: Session, learner: Learner, batch: Batch) -> StepScores:
    """Take one optimizer step; its randomness follows from seed, epoch and batch."""
    state, settings, fabric = learner.state, session.settings, session.fabric
    recipe, position = settings.recipe, state.position
    rng = np.random.default_rng((settings.seed, position.epoch, position.batch, 2**31 + 1))
    pixels, movements, styles = fabric.to_device(batch)
    target = make_targets(movements, styles, state.network)
    mixing = recipe.augmentation
    views, target = mix_batch(normalise(pixels, settings), target, mixing.mixup, mixing.cutmix, rng)
    with seeded(int(rng.integers(2**62)) + fabric.global_rank):  # each process has its own dropout
        logits = learner.forward(views)
    loss = total_loss(logits, target, recipe)
    accuracy = target.gather(1, logits.movements.argmax(1, keepdim=True)).mean()  # a mixed view counts by its shares
    scores = _reduce(session, loss, accuracy)
    if not math.isfinite(scores.loss):
        raise TrainingError(
            f"the loss became {scores.loss} in epoch {position.epoch + 1}, batch {position.batch + 1}; the last good "
            "checkpoint is kept in the run folder; lower the recipe's rates and start again"
        )
    learner.optimizer.zero_grad()
    fabric.backward(loss)
    if recipe.rates.clip_norm > 0:
        fabric.clip_gradients(learner.forward, learner.optimizer, max_norm=recipe.rates.clip_norm)
    learner.optimizer.step()
    if state.average is not state.network:
        update_average(state.average, state.network, average_decay(position.steps + 1, recipe.average_decay))
    return scores


def _reduce(session: Session, loss: Tensor, accuracy: Tensor) -> StepScores:
    """Average a step's scores over the processes; where one received a signal, all stop."""
    numbers = torch.stack([loss.detach(), accuracy, loss.new_tensor(float(session.stop_requested()))]).double()
    if session.fabric.world_size > 1:
        numbers = cast(Tensor, session.fabric.all_reduce(numbers, reduce_op="mean"))
    mean_loss, mean_accuracy, stop = numbers.tolist()
    return StepScores(mean_loss, mean_accuracy, stop > 0)


def _end_epoch(session: Session, state: TrainingState, scores: EpochScores) -> None:
    """Write the epoch's scores, the averaged weights if they are the best so far, and a checkpoint."""
    is_best = scores.val_balanced_accuracy > state.position.best
    best = max(scores.val_balanced_accuracy, state.position.best)
    state.advance(epoch=scores.epoch, batch=0, best=best, loss_sum=0.0, hits=0.0, seconds=0.0)
    if session.fabric.is_global_zero:
        if is_best:
            session.run.write_tensors("best", dict(state.average.state_dict()))
        write_history(session.run, [scores])
    _save(session, state)
    session.callbacks.on_epoch(scores)


def _stopped(session: Session, state: TrainingState, batches: int) -> StoppedError:
    """Write a checkpoint and return the error that says from where the training will go on."""
    _save(session, state)
    return StoppedError(
        f"{session.run.folder}: stopped after epoch {state.position.epoch + 1}, batch {state.position.batch} of "
        f"{batches}; nothing is lost, continue with the same command and --resume"
    )


def _save(session: Session, state: TrainingState) -> None:
    """Write a checkpoint, once for all processes."""
    if session.fabric.is_global_zero:
        save_checkpoint(session.run, state)


def _report(session: Session, state: TrainingState, batches: int) -> StepReport:
    position, recipe = state.position, session.settings.recipe
    return StepReport(
        epoch=position.epoch + 1,
        batch=position.batch,
        batches=batches,
        loss=position.loss_sum / position.batch,
        accuracy=position.hits / position.batch,
        images_per_s=position.batch * recipe.batch / max(position.seconds, 1e-9),
        epochs=recipe.epochs,
    )
