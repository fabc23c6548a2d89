"""Named training settings, each with its reasons.

Knows nothing about networks or data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from artnet.errors import UsageError


@dataclass(frozen=True)
class Recipe:
    """Everything that decides how a network is trained, besides its backbone and the data."""

    epochs: int = 4
    batch: int = 32
    # The head is new and can take large steps; the backbone knows pictures already and must not forget them.
    head_rate: float = 1e-3
    trunk_rate: float = 1e-4
    weight_decay: float = 0.02
    warmup_share: float = 0.05
    # Edges and textures transfer as they are; what is frozen costs no backward pass either.
    frozen_share: float = 0.7
    label_smoothing: float = 0.1  # style labels are noisy
    mixup: float = 0.2
    balance: float = 0.5  # 0 draws paintings as they come, 1 every movement equally often
    average_decay: float = 0.998  # moving average of the weights, over the last 500 steps or so
    # Training on somewhat smaller crops than the answer is given on costs less and scores more:
    # Touvron et al., "Fixing the train-test resolution discrepancy", 2019.
    crop_share: float = 0.86
    smallest_crop: float = 0.35  # share of the area; a third of a painting still shows its hand
    reencode: bool = True


RECIPES: Mapping[str, Recipe] = {
    "finetune": Recipe(),
    # Only the head learns: minutes, and a baseline that every other recipe has to beat.
    "head": Recipe(epochs=5, frozen_share=1.0, mixup=0.0),
}


def find_recipe(name: str) -> Recipe:
    """Find a recipe by its name. Errors: `UsageError` naming those there are."""
    try:
        return RECIPES[name]
    except KeyError:
        raise UsageError(f"unknown recipe {name!r}; use one of {', '.join(RECIPES)}") from None
