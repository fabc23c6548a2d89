"""What a training changes, as named tensors and plain numbers, and its way to the run folder and back.

Knows nothing about data or devices. Everything that the next step depends on is here or follows from seed, epoch and
batch, so that a training goes on bit by bit as if it had never stopped.
"""

from __future__ import annotations

import copy
import dataclasses
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from torch import Tensor

from artnet.errors import TrainingError
from artnet.training.network.freezing import choose_trained, parameter_groups
from artnet.training.network.network import PaintingNetwork, describe_misfit
from artnet.training.recipe import Recipe
from artnet.training.run import Run, RunSettings


@dataclass(frozen=True)
class Position:
    """Where a training stands: epochs ended, batches of the next one done, and the sums of its scores so far."""

    epoch: int = 0
    batch: int = 0
    steps: int = 0
    best: float = -1.0  # balanced accuracy on val
    loss_sum: float = 0.0
    hits: float = 0.0
    seconds: float = 0.0


@dataclass
class State:
    """The network, the moving average of its weights (itself, where none is kept), the optimizer, the position."""

    network: PaintingNetwork
    average: PaintingNetwork
    optimizer: torch.optim.Optimizer
    position: Position = field(default_factory=Position)

    def advance(self, **changes: Any) -> None:
        """Move the position."""
        self.position = dataclasses.replace(self.position, **changes)


def begin(network: PaintingNetwork, recipe: Recipe) -> State:
    """Make the state before the first step; what the recipe freezes is frozen."""
    choose_trained(network, recipe.trained)
    average = copy.deepcopy(network).requires_grad_(False) if recipe.average_decay > 0 else network
    rates = recipe.rates
    groups = parameter_groups(network, rates)
    # One kernel in place of one a tensor; Adam where nothing decays.
    optimizer = torch.optim.AdamW(groups, eps=rates.epsilon, fused=True)
    return State(network, average, optimizer)


def save_state(run: Run, state: State) -> None:
    """Write the state. Errors: `TrainingError` where a weight is no number; the state of before is kept then."""
    broken = [name for name, tensor in state.network.state_dict().items() if not bool(torch.isfinite(tensor).all())]
    if broken:
        raise TrainingError(
            f"after epoch {state.position.epoch}, batch {state.position.batch}: {broken[0]} and "
            f"{len(broken) - 1} other tensors are no numbers any more; the last good state is kept in {run.folder}; "
            "lower the recipe's rates and start again"
        )
    run.write_state(_tensors(state), asdict(state.position))


def resume_state(run: Run, state: State, settings: RunSettings) -> None:
    """Take up a run's last state, if it has one.

    Errors: one `TrainingError` that lists the settings that changed and the tensors that do not fit.
    """
    kept = run.read_state()
    faults = settings.differences(run.settings)
    if kept is not None:
        misfit = describe_misfit(state.network.state_dict(), _part(kept[0], "network."))
        faults += [f"the tensors of last.safetensors are those of another network: {misfit}"] if misfit else []
    if faults:
        raise TrainingError(f"{run.folder}: cannot go on with other settings: {'; '.join(faults)}")
    if kept is None:
        return
    tensors, numbers = kept
    state.network.load_state_dict(_part(tensors, "network."))
    if state.average is not state.network:
        state.average.load_state_dict(_part(tensors, "average."))
    _load_moments(state.optimizer, _part(tensors, "optimizer."))
    state.position = Position(**numbers)


def _tensors(state: State) -> dict[str, Tensor]:
    """Flatten network, average and optimizer into named tensors, so that no pickle is needed."""
    tensors = {f"network.{name}": tensor for name, tensor in state.network.state_dict().items()}
    if state.average is not state.network:
        tensors |= {f"average.{name}": tensor for name, tensor in state.average.state_dict().items()}
    for index, values in state.optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{index}.{name}": torch.as_tensor(value) for name, value in values.items()}
    return tensors


def _load_moments(optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    """Give the optimizer its moments, each laid out in memory as its parameter, or sums would round differently."""
    parameters = [tensor for group in optimizer.param_groups for tensor in group["params"]]
    moments: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        index, _, what = name.partition(".")
        parameter = parameters[int(index)]
        same = tensor.shape == parameter.shape and what != "step"
        moments.setdefault(int(index), {})[what] = torch.empty_like(parameter).copy_(tensor) if same else tensor
    optimizer.load_state_dict({**optimizer.state_dict(), "state": moments})


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name[len(prefix) :]: tensor for name, tensor in tensors.items() if name.startswith(prefix)}
