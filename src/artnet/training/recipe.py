"""Named training settings, each with its reasons.

Knows nothing about networks or data.
"""

from __future__ import annotations

import dataclasses
import math
import typing
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from artnet.errors import UsageError
from artnet.imaging.views import Fit

BatchNorm = Literal["frozen", "affine", "train", "restored"]
Schedule = Literal["cosine", "halving"]
Method = Literal["finetune", "probe"]
TrainedViews = Literal["whole", "six"]


@dataclass(frozen=True)
class Rates:
    """How large the optimizer's steps are, and how they change over a training."""

    # The head is new and can take large steps; the trunk knows pictures already and must not forget them.
    head: float = 1e-3
    trunk: float = 1e-4
    # Each block's rate is that of the block behind it times this: edges need less change than meanings.
    # Clark et al., "ELECTRA", 2020, section 3; Bao et al., "BEiT", 2022. 1 gives every block the same.
    layer_decay: float = 1.0
    weight_decay: float = 0.02  # of matrices and kernels; biases and normalisations are never decayed
    course: Schedule = "cosine"
    warmup_share: float = 0.05
    halved_every: int = 2  # epochs, in the course "halving"
    clip_norm: float = 0.0  # the longest gradient over all tensors together; 0 clips nothing
    epsilon: float = 1e-8


@dataclass(frozen=True)
class FreezingOptions:
    """Which of the trunk's tensors learn; the head always does."""

    # Edges and textures transfer as they are; what is frozen costs no backward pass either.
    frozen_share: float = 0.7
    only: tuple[str, ...] = ()  # these modules of the trunk and no others, in place of the share
    # frozen: statistics as published, scale and shift learn where their neighbours learn. Small batches would shake
    # statistics, and folded weights have none. affine: scale and shift learn everywhere. train: statistics, too.
    # restored: folded weights first get the statistics of the data back, which changes no answer; then as train.
    batch_norm: BatchNorm = "frozen"
    norm_momentum: float = 0.1  # of the statistics, where they are trained

    @property
    def statistics(self) -> bool:
        """Say whether the statistics of batch normalisations follow the batches."""
        return self.batch_norm in ("train", "restored")


@dataclass(frozen=True)
class Augmentation:
    """How training views are changed at random."""

    augment: bool = True
    # Training on somewhat smaller crops than the answer is given on costs less and scores more:
    # Touvron et al., "Fixing the train-test resolution discrepancy", 2019.
    crop_share: float = 0.86
    smallest_crop: float = 0.35  # share of the area; a third of a painting still shows its hand
    reencode: bool = True  # or the collections are known by their resolution and their artefacts
    mixup: float = 0.2  # alpha of the Beta distribution; 0 mixes nothing
    cutmix: float = 0.0  # share of the batches that are mixed by cutmix in place of mixup


@dataclass(frozen=True)
class Recipe:
    """Everything that decides how a network is trained, besides its starting weights and the data."""

    method: Method = "finetune"
    epochs: int = 4
    batch: int = 32  # over all devices together
    rates: Rates = field(default_factory=Rates)
    trained: FreezingOptions = field(default_factory=FreezingOptions)
    changes: Augmentation = field(default_factory=Augmentation)
    label_smoothing: float = 0.1  # style labels are noisy
    balance: float = 0.5  # 0 draws paintings as they come, 1 every collection, and in it every movement, equally often
    head_first: bool = False  # begin with the best head for the trunk as it is
    # Of the second head's loss. Small, since a movement is what is asked for; 0 builds no second head.
    styles_weight: float = 0.2
    average_decay: float = 0.998  # moving average of the weights, over the last 500 steps or so; 0 keeps none
    # Share of the weights before the first step in those that are exported. What fine-tuning forgets of other pictures
    # comes back, at no cost: Wortsman et al., "Robust fine-tuning of zero-shot models", 2022, section 3. Only between
    # weights that begin with a good head, and the same architecture, is the way straight enough.
    start_share: float = 0.0
    views: TrainedViews = "whole"  # what counts as a training picture
    # What the recipe was made for; empty or 0: anything.
    backbone: str = ""
    size_px: int = 0
    fit: Fit | None = None


_AT_LEAST_ONE = ("epochs", "batch", "halved_every")
_SHARES = ("layer_decay", "norm_momentum", "smallest_crop", "cutmix", "label_smoothing", "balance", "average_decay")

RECIPES: Mapping[str, Recipe] = {
    # What gave the best balanced accuracy on validation paintings of natural aspect, which resemble new ones most: six
    # points more than the best head on the trunk as it was; docs/model.md has what else was tried. Everything learns,
    # gently at the edges' end. Small crops cost a third and score no less. The head's best start keeps the first
    # steps from undoing what the trunk knows, and makes the way back to it straight (`start_share`). Collections are
    # drawn evenly, or what tells the collection tells the movement.
    "finetune": Recipe(
        epochs=10,
        rates=Rates(head=5e-4, trunk=3e-4, layer_decay=0.9),
        trained=FreezingOptions(frozen_share=0.0, batch_norm="restored"),
        changes=Augmentation(crop_share=0.72, cutmix=0.3),
        balance=1.0,
        head_first=True,
        start_share=0.25,
    ),
    # To measure a trunk, or a dataset, in minutes: the head alone on embeddings that are computed once. A pass takes
    # a fraction of a second, so there are many; the best by validation is kept.
    "probe": Recipe(
        method="probe",
        epochs=60,
        batch=256,
        rates=Rates(head=2e-3, weight_decay=0.05),
        trained=FreezingOptions(frozen_share=1.0),
        changes=Augmentation(augment=False, crop_share=1.0, mixup=0.0),
        average_decay=0.0,
    ),
    # The project of 2020 to the letter, as a baseline. Its three convolutions are Keras' conv5_block15_2_conv,
    # conv5_block16_1_conv and conv5_block16_2_conv. Keras' batch normalisation keeps 0.99 of its statistics, its Adam
    # adds 1e-7, and nothing decays, smooths, mixes, balances or averages.
    "artnet-2020": Recipe(
        epochs=15,
        batch=32,
        rates=Rates(head=1e-4, trunk=1e-4, weight_decay=0.0, course="halving", halved_every=2, epsilon=1e-7),
        trained=FreezingOptions(
            only=(
                "features.denseblock4.denselayer15.conv2",
                "features.denseblock4.denselayer16.conv1",
                "features.denseblock4.denselayer16.conv2",
            ),
            batch_norm="train",
            norm_momentum=0.01,
        ),
        changes=Augmentation(augment=False, crop_share=1.0, reencode=False, mixup=0.0),
        label_smoothing=0.0,
        balance=0.0,
        styles_weight=0.0,
        average_decay=0.0,
        views="six",
        backbone="densenet121",
        size_px=256,
        fit="letterbox",
    ),
}


def find_recipe(name: str) -> Recipe:
    """Find a recipe by its name. Errors: `UsageError` naming those there are."""
    try:
        return RECIPES[name]
    except KeyError:
        raise UsageError(f"unknown recipe {name!r}; use one of {', '.join(RECIPES)}") from None


def adjusted(recipe: Recipe, settings: Iterable[str]) -> Recipe:
    """Replace some of a recipe's values, each given as NAME=VALUE, such as `rates.trunk=2e-4`.

    Errors: `UsageError` naming the settings there are, or the kind of value that one takes.
    """
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals:
            raise UsageError(f"{setting!r} sets nothing; write NAME=VALUE, for instance rates.trunk=2e-4")
        recipe = _replaced(recipe, name.split("."), text, name)
    return recipe


def recipe_from(fields: Mapping[str, Any]) -> Recipe:
    """Make a recipe of what `dataclasses.asdict` made of one, by this version or an older one.

    Errors: `TypeError` for fields of other versions.
    """
    trained = {**fields["trained"], "only": tuple(fields["trained"]["only"])}
    groups = {
        "rates": Rates(**fields["rates"]),
        "trained": FreezingOptions(**trained),
        "changes": Augmentation(**fields["changes"]),
    }
    return Recipe(**{"styles_weight": 0.0, **fields, **groups})


def _replaced(group: Any, path: list[str], text: str, whole: str) -> Any:
    kinds = typing.get_type_hints(type(group))
    first, rest = path[0], path[1:]
    if first not in kinds or bool(rest) != dataclasses.is_dataclass(kinds[first]):
        raise UsageError(f"no setting {whole!r}; use one of {', '.join(setting_names())}")
    inside = getattr(group, first)
    value = _replaced(inside, rest, text, whole) if rest else _value(text, kinds[first], whole)
    return dataclasses.replace(group, **{first: value})


def setting_names(group: type = Recipe, prefix: str = "") -> list[str]:
    """Name every setting of a recipe, with its group before it."""
    names = []
    for name, kind in typing.get_type_hints(group).items():
        inside = dataclasses.is_dataclass(kind)
        names += setting_names(typing.cast(type, kind), f"{prefix}{name}.") if inside else [prefix + name]
    return names


def _value(text: str, kind: Any, name: str) -> Any:
    """Read a value of the kind that the setting has."""
    if type(None) in typing.get_args(kind):
        kind = next(part for part in typing.get_args(kind) if part is not type(None))
    choices = typing.get_args(kind)
    if typing.get_origin(kind) is tuple:
        return tuple(text.split(",")) if text else ()
    if kind is str or text in choices:
        return text
    if choices:
        raise UsageError(f"{name} is {text!r}; use one of {', '.join(choices)}")
    try:
        value = {"true": True, "false": False}[text] if kind is bool else kind(text)
    except (KeyError, ValueError):
        wanted = {bool: "true or false", int: "a whole number", float: "a number"}[kind]
        raise UsageError(f"{name} is {text!r}; use {wanted}") from None
    _check_range(name, value)
    return value


def _check_range(name: str, value: float) -> None:
    last = name.split(".")[-1]
    low = 1 if last in _AT_LEAST_ONE else 0
    high = 1 if last in _SHARES or last.endswith("_share") else math.inf
    if not low <= value <= high or value == math.inf:
        raise UsageError(f"{name} is {value}; use a number from {low}" + (f" to {high}" if high == 1 else ""))
