"""The training loop: a prepared dataset and a recipe in, a run folder out.

Knows nothing about model folders or ONNX; `export` makes those from a run.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

import numpy as np
import torch
import torch.nn.functional as F
from lightning_fabric import Fabric
from torch import Tensor

from artnet.dataset import read_columns, read_info
from artnet.errors import TrainingError, UsageError
from artnet.metrics import accuracy, balanced_accuracy
from artnet.training.loader import (
    Batch,
    Epoch,
    StoredViews,
    load_six_views,
    load_whole_views,
    plain_batches,
    training_batches,
)
from artnet.training.mix import mix
from artnet.training.network import (
    PaintingNetwork,
    build_network,
    explained_layers,
    normalisation,
)
from artnet.training.recipe import Recipe
from artnet.training.run import Run, RunSettings, create_run, open_run
from artnet.training.schedule import average_decay, follow, set_rates
from artnet.training.trainable import choose_trained, parameter_groups, train_mode

SAMPLE_PAINTINGS = 8  # kept in the run, so that export can check its graph on real pictures


@dataclass(frozen=True)
class FitOptions:
    """Where and how to run; nothing here changes what a recipe means."""

    device: str = "auto"
    workers: int = 1
    resume: bool = False


@dataclass(frozen=True)
class Step:
    """What the loop reports after each batch."""

    epoch: int
    batch: int
    batches: int
    loss: float
    pictures_per_s: float

    @property
    def line(self) -> str:
        """Put the step in a few words; the number of the epoch comes last."""
        return f"loss {self.loss:.3f}, {self.pictures_per_s:.0f} pictures/s, epoch {self.epoch}"


@dataclass(frozen=True)
class EpochScores:
    """One line of history.csv."""

    epoch: int
    train_loss: float
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


@dataclass
class _State:
    """What an epoch changes."""

    network: PaintingNetwork
    average: PaintingNetwork
    optimizer: torch.optim.Optimizer
    epoch: int = 0
    steps: int = 0
    best: float = -1.0


@dataclass(frozen=True)
class Watch:
    """Whom the loop tells what it does."""

    on_step: Callable[[Step], None] = lambda step: None
    on_epoch: Callable[[EpochScores], None] = lambda scores: None


@dataclass(frozen=True)
class _Loop:
    """What stays the same while a training runs."""

    fabric: Fabric
    settings: RunSettings
    options: FitOptions
    watch: Watch


def fit(
    data: Path, out: Path, settings: RunSettings, options: FitOptions = FitOptions(), watch: Watch = Watch()
) -> Run:
    """Train as the recipe says and return the finished run.

    After each epoch the run folder holds a whole state, and `options.resume` goes on from it as if nothing had
    happened. Errors: `TrainingError` for a run of other settings, for a loss that is no number and for weights
    that do not fit, `UsageError` for a device that is not there or a backbone that cannot be explained.
    """
    info = read_info(data)
    train, val = load_whole_views(data, "train"), load_whole_views(data, "val")
    fabric = _open_fabric(options.device)
    with _seeded(settings.seed):
        network = build_network(settings.backbone, len(info.movements), settings.weights)
    mean, std = normalisation(network, settings.backbone)
    explained_layers(network, settings.backbone, info.size_px)  # refuses now what export could not explain
    settings = settings.described(info, mean, std)
    run = open_run(out, settings) if options.resume else create_run(out, settings)
    loop = _Loop(fabric, settings, options, watch)
    state = _begin(fabric, network, settings.recipe)
    _load_last(run, state)
    while state.epoch < settings.recipe.epochs:
        started = time.monotonic()
        loss = _train_epoch(loop, state, train)
        logits = _predict(loop, state.average, val)
        state.epoch += 1
        scores = _score(state.epoch, loss, logits, val.movements, time.monotonic() - started)
        _keep(run, state, scores)
        watch.on_epoch(scores)
    _conclude(loop, run, state.average, data)
    return run


def _open_fabric(device: str) -> Fabric:
    try:
        return Fabric(accelerator=device, devices=1, precision=_precision(device))
    except (RuntimeError, ValueError) as error:
        raise UsageError(f"cannot train on device {device!r} here ({error}); use auto or cpu") from error


def _predict(loop: _Loop, network: PaintingNetwork, views: StoredViews) -> np.ndarray:
    """Run the network over stored views; (N, C) float32 logits."""
    network.eval()
    parts = []
    with torch.inference_mode(), loop.fabric.autocast():
        for pixels, _ in plain_batches(views, 64, loop.options.workers):
            parts.append(network(_normalised(loop.fabric.to_device(pixels), loop.settings)).float().cpu().numpy())
    return np.concatenate(parts)


def _begin(fabric: Fabric, network: PaintingNetwork, recipe: Recipe) -> _State:
    choose_trained(network, recipe.trained)
    network = network.to(memory_format=torch.channels_last)
    average = copy.deepcopy(network).requires_grad_(False)
    rates = recipe.rates
    optimizer = torch.optim.AdamW(parameter_groups(network, rates), eps=rates.epsilon)
    wrapped, optimizer = fabric.setup(network, optimizer)
    return _State(cast(PaintingNetwork, wrapped), cast(PaintingNetwork, fabric.to_device(average)), optimizer)


def _train_epoch(loop: _Loop, state: _State, views: StoredViews) -> float:
    """Run one epoch and return its mean loss."""
    settings, recipe = loop.settings, loop.settings.recipe
    batches = len(views.encoded) // recipe.batch
    if batches == 0:
        raise TrainingError(
            f"the train split holds {len(views.encoded)} paintings, less than a batch of {recipe.batch}"
        )
    size_px = _crop_px(settings.size_px, recipe.changes.crop_share)
    rng = np.random.default_rng((settings.seed, state.epoch, 2**31 + 1))
    losses = []
    train_mode(state.network, recipe.trained)
    started = time.monotonic()
    with _seeded(int(rng.integers(2**62))):
        epoch = Epoch(settings.seed, state.epoch, size_px)
        for index, batch in enumerate(training_batches(views, recipe, epoch, loop.options.workers)):
            set_rates(state.optimizer, recipe.rates, state.epoch * batches + index, recipe.epochs, batches)
            pixels, movements = loop.fabric.to_device(batch)
            loss = _step(loop, state, (_normalised(pixels, settings), movements), rng)
            if not math.isfinite(loss):
                raise TrainingError(
                    f"the loss became {loss} in epoch {state.epoch + 1}, batch {index + 1}; the last good state is "
                    "kept in the run folder; lower the recipe's rates and start again"
                )
            losses.append(loss)
            rate = (index + 1) * recipe.batch / (time.monotonic() - started)
            loop.watch.on_step(Step(state.epoch + 1, index + 1, batches, loss, rate))
    return float(np.mean(losses))


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Seed torch's global generator for what draws from it (first weights, dropout) and give it back as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


def _step(loop: _Loop, state: _State, batch: Batch, rng: np.random.Generator) -> float:
    """Take one optimizer step and return its loss."""
    (views, movements), recipe = batch, loop.settings.recipe
    target = F.one_hot(movements, state.network.dense.out_features).float()
    views, target = mix(views, target, recipe.changes.mixup, recipe.changes.cutmix, rng)
    loss = F.cross_entropy(state.network(views), target, label_smoothing=recipe.label_smoothing)
    state.optimizer.zero_grad()
    loop.fabric.backward(loss)
    if recipe.rates.clip_norm > 0:
        loop.fabric.clip_gradients(state.network, state.optimizer, max_norm=recipe.rates.clip_norm)
    state.optimizer.step()
    state.steps += 1
    follow(state.average, state.network, average_decay(state.steps, recipe.average_decay))
    return float(loss.detach())


def _normalised(pixels: Tensor, settings: RunSettings) -> Tensor:  # (N, 3, S, S) uint8 -> float32
    mean = torch.tensor(settings.mean, device=pixels.device).view(1, 3, 1, 1)
    std = torch.tensor(settings.std, device=pixels.device).view(1, 3, 1, 1)
    return ((pixels.float() / 255 - mean) / std).contiguous(memory_format=torch.channels_last)


def _crop_px(size_px: int, share: float) -> int:
    """Round the training size to a multiple of 32, the stride of nearly every backbone."""
    return max(32, round(size_px * share / 32) * 32)


def _score(epoch: int, loss: float, logits: np.ndarray, y_true: np.ndarray, seconds: float) -> EpochScores:
    y_pred = logits.argmax(1)
    val_loss = float(F.cross_entropy(torch.from_numpy(logits), torch.from_numpy(y_true)))
    return EpochScores(
        epoch=epoch,
        train_loss=loss,
        val_loss=val_loss,
        val_accuracy=accuracy(y_true, y_pred),
        val_balanced_accuracy=balanced_accuracy(y_true, y_pred, logits.shape[1]),
        seconds=seconds,
    )


def _keep(run: Run, state: _State, scores: EpochScores) -> None:
    """Write the epoch's state, and the averaged weights where they are the best so far."""
    if scores.val_balanced_accuracy > state.best:
        state.best = scores.val_balanced_accuracy
        run.write_tensors("best", state.average.state_dict())
    run.write_history(scores)
    run.write_state(_tensors(state), {"epoch": state.epoch, "steps": state.steps, "best": state.best})


def _tensors(state: _State) -> dict[str, Tensor]:
    """Flatten network, average and optimizer into named tensors, so that no pickle is needed."""
    tensors = {f"network.{name}": tensor for name, tensor in state.network.state_dict().items()}
    tensors |= {f"average.{name}": tensor for name, tensor in state.average.state_dict().items()}
    for index, values in state.optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{index}.{name}": torch.as_tensor(value) for name, value in values.items()}
    return tensors


def _load_last(run: Run, state: _State) -> None:
    """Take up the run's last state, if it has one."""
    last = run.read_state()
    if last is None:
        return
    tensors, numbers = last
    state.network.load_state_dict(_part(tensors, "network."))
    state.average.load_state_dict(_part(tensors, "average."))
    moments: dict[int, dict[str, Tensor]] = {}
    for name, tensor in _part(tensors, "optimizer.").items():
        index, field = name.split(".", 1)
        moments.setdefault(int(index), {})[field] = tensor
    whole = state.optimizer.state_dict()
    state.optimizer.load_state_dict({**whole, "state": moments})
    state.epoch, state.steps, state.best = int(numbers["epoch"]), int(numbers["steps"]), float(numbers["best"])


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name[len(prefix) :]: tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def _conclude(loop: _Loop, run: Run, network: PaintingNetwork, data: Path) -> None:
    """Keep what export needs besides the weights: logits of all six views on val, and some real views."""
    network.load_state_dict(run.read_tensors("best"))
    six = load_six_views(data, "val")
    logits = _predict(loop, network, six)
    sample = np.stack(
        [np.asarray(six.decode(6 * index)) for index in range(min(SAMPLE_PAINTINGS, len(six.encoded) // 6))]
    )
    run.write_tensors(
        "validation",
        {
            "logits": torch.from_numpy(logits.reshape(-1, 6, logits.shape[1])),
            "movements": torch.from_numpy(six.movements[::6].copy()),
            "shorter_sides": torch.from_numpy(_shorter_sides(data)),
            "sample": torch.from_numpy(sample).permute(0, 3, 1, 2).contiguous(),
        },
    )


def _shorter_sides(data: Path) -> np.ndarray:
    """Give each validation painting's shorter side in pixels: in a small picture the regions are the whole again."""
    table = read_columns(data, "val", ["width", "height"])
    sides = np.stack([table["width"].to_numpy(), table["height"].to_numpy()]).astype(np.int64)
    result: np.ndarray = sides.min(0)
    return result


def _precision(device: str) -> Literal["32-true", "bf16-mixed"]:
    """Choose bf16 where the processor computes in it, float32 elsewhere."""
    if device in ("auto", "cuda", "gpu") and torch.cuda.is_available():
        return "bf16-mixed" if torch.cuda.is_bf16_supported() else "32-true"
    has_bf16 = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    return "bf16-mixed" if has_bf16 else "32-true"
