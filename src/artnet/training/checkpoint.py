"""What a resumed training restores: network, averaged weights, optimizer and position, as named tensors and numbers.

All else that the next step depends on follows from seed, epoch and batch, so a resumed training computes the same bits
as one that was never stopped.
"""

from __future__ import annotations

import copy
import dataclasses
import json
from dataclasses import asdict, dataclass, field
from typing import Any

import torch

from artnet.errors import TrainingError
from artnet.training.network.freezing import freeze, parameter_groups
from artnet.training.network.network import PaintingNetwork
from artnet.training.network.weights import describe_mismatch
from artnet.training.recipe import Recipe
from artnet.training.run import Run, TensorDict

CHECKPOINT = "last"  # last.safetensors


@dataclass(frozen=True)
class Position:
    """How far a training is: finished epochs, batches of the current one, and the sums of its scores so far."""

    epoch: int = 0
    batch: int = 0
    steps: int = 0
    best: float = -1.0  # balanced accuracy on val
    loss_sum: float = 0.0
    hits: float = 0.0
    seconds: float = 0.0


@dataclass
class TrainingState:
    """Everything that a training changes; without weight averaging `average` is `network` itself."""

    network: PaintingNetwork
    average: PaintingNetwork
    optimizer: torch.optim.Optimizer
    position: Position = field(default_factory=Position)

    def advance(self, **changes: Any) -> None:
        """Update fields of the position."""
        self.position = dataclasses.replace(self.position, **changes)


def initial_state(network: PaintingNetwork, recipe: Recipe) -> TrainingState:
    """Return the state before the first step, with the tensors frozen that the recipe freezes."""
    freeze(network, recipe.freezing)
    average = copy.deepcopy(network).requires_grad_(False) if recipe.average_decay > 0 else network
    groups = parameter_groups(network, recipe.rates)
    # Fused: one kernel in place of one per tensor. Without weight decay this is Adam.
    optimizer = torch.optim.AdamW(groups, eps=recipe.rates.epsilon, fused=True)
    return TrainingState(network, average, optimizer)


def save_checkpoint(run: Run, state: TrainingState) -> None:
    """Write last.safetensors and, for people to read, state.json.

    Raises:
        TrainingError: where a weight is not finite; the previous checkpoint is kept
        OutputError: where the disk is full or gone; the previous checkpoint is kept
    """
    broken = [name for name, tensor in state.network.state_dict().items() if not bool(torch.isfinite(tensor).all())]
    if broken:
        raise TrainingError(
            f"after epoch {state.position.epoch}, batch {state.position.batch}: {broken[0]} and {len(broken) - 1} "
            f"other tensors are not finite; the last good checkpoint is kept in {run.folder}; lower the recipe's rates "
            "and start again"
        )
    position = asdict(state.position)
    run.write_tensors(CHECKPOINT, _tensors(state), position)
    run.write_text("state.json", json.dumps(position, indent=2) + "\n")


def restore_checkpoint(run: Run, state: TrainingState) -> None:
    """Restore a run's last checkpoint into `state`, if the run has one.

    Raises:
        TrainingError: where its tensors do not fit
    """
    if not run.has_tensors(CHECKPOINT):
        return
    tensors, position = run.read_with_metadata(CHECKPOINT)
    if mismatch := describe_mismatch(state.network.state_dict(), _with_prefix(tensors, "network.")):
        raise TrainingError(
            f"{run.folder}: last.safetensors holds the tensors of another network than run.json describes: {mismatch}; "
            "train again in another folder"
        )
    state.network.load_state_dict(_with_prefix(tensors, "network."))
    if state.average is not state.network:
        state.average.load_state_dict(_with_prefix(tensors, "average."))
    _restore_optimizer(state.optimizer, _with_prefix(tensors, "optimizer."))
    state.position = Position(**position)


def _tensors(state: TrainingState) -> TensorDict:
    """Flatten network, average and optimizer into named tensors, so that no pickle is needed."""
    tensors = {f"network.{name}": tensor for name, tensor in state.network.state_dict().items()}
    if state.average is not state.network:
        tensors |= {f"average.{name}": tensor for name, tensor in state.average.state_dict().items()}
    for index, moments in state.optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{index}.{name}": torch.as_tensor(value) for name, value in moments.items()}
    return tensors


def _restore_optimizer(optimizer: torch.optim.Optimizer, tensors: TensorDict) -> None:
    """Load the moments, each in the memory layout of its parameter; in another, sums would round differently."""
    parameters = [tensor for group in optimizer.param_groups for tensor in group["params"]]
    moments: dict[int, TensorDict] = {}
    for key, tensor in tensors.items():
        index, _, name = key.partition(".")
        parameter = parameters[int(index)]
        is_moment = tensor.shape == parameter.shape and name != "step"
        moments.setdefault(int(index), {})[name] = torch.empty_like(parameter).copy_(tensor) if is_moment else tensor
    optimizer.load_state_dict({**optimizer.state_dict(), "state": moments})


def _with_prefix(tensors: TensorDict, prefix: str) -> TensorDict:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
