"""Named training recipes, with the reason for each value, and overrides of single settings."""

from __future__ import annotations

import dataclasses
import math
import typing
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from artnet.errors import UsageError
from artnet.imaging.views import Fit

BatchNormMode = Literal["frozen", "affine", "train", "restored"]
Schedule = Literal["cosine", "halving"]
Method = Literal["finetune", "probe"]
TrainingViews = Literal["whole", "six"]
Pooling = Literal["own", "cls", "mean", "cls_mean"]


@dataclass(frozen=True)
class Rates:
    """Learning rates, their schedule, and the optimizer's other settings."""

    # The head is new and can take large steps; the trunk is pretrained and must not forget.
    head: float = 1e-3
    trunk: float = 1e-4
    # Each block's rate is that of the next deeper block times this: edges need less change than meanings.
    # Clark et al., "ELECTRA", 2020, section 3; Bao et al., "BEiT", 2022. 1 gives all blocks the same rate.
    layer_decay: float = 1.0
    weight_decay: float = 0.02  # of matrices and kernels; biases and normalisations are never decayed
    schedule: Schedule = "cosine"
    warmup_share: float = 0.05
    halve_every: int = 2  # epochs, in the schedule "halving"
    clip_norm: float = 0.0  # maximum norm of the gradient over all tensors together; 0 clips nothing
    epsilon: float = 1e-8


@dataclass(frozen=True)
class FreezingOptions:
    """Which of the trunk's tensors are frozen; the head is always trained."""

    # Edges and textures transfer as they are; frozen tensors cost no backward pass either.
    frozen_share: float = 0.7
    trained_modules: tuple[str, ...] = ()  # these modules of the trunk and no others, in place of the share
    # frozen: published statistics, scale and shift trained where their neighbours are. Small batches would disturb
    # the statistics, and folded weights have none. affine: scale and shift trained everywhere. train: statistics, too.
    # restored: statistics of the data are first put back into folded weights, which changes no output; then as train.
    batch_norm: BatchNormMode = "frozen"
    norm_momentum: float = 0.1  # of the statistics, where they are trained

    @property
    def trains_statistics(self) -> bool:
        """Whether the running statistics of batch normalisations follow the batches."""
        return self.batch_norm in ("train", "restored")


@dataclass(frozen=True)
class Augmentation:
    """Random augmentation of the training views."""

    enabled: bool = True  # of crops, mirroring, exposure and re-encoding; mixup and cutmix have their own switches
    # Training on somewhat smaller crops than are classified later costs less and scores more:
    # Touvron et al., "Fixing the train-test resolution discrepancy", 2019.
    crop_share: float = 0.86
    smallest_crop: float = 0.35  # share of the area; a third of a painting still shows its style
    reencode: bool = True  # or the network recognises collections by their resolution and artefacts
    mixup: float = 0.2  # alpha of the Beta distribution; 0 mixes nothing
    cutmix: float = 0.0  # share of the batches that are mixed by cutmix in place of mixup


@dataclass(frozen=True)
class Recipe:
    """Everything that decides how a network is trained, besides its starting weights and the data."""

    method: Method = "finetune"
    epochs: int = 4
    batch: int = 32  # over all devices together
    rates: Rates = field(default_factory=Rates)
    freezing: FreezingOptions = field(default_factory=FreezingOptions)
    augmentation: Augmentation = field(default_factory=Augmentation)
    label_smoothing: float = 0.1  # style labels are noisy
    balance: float = 0.5  # 0 samples all paintings alike, 1 all collections, and in each all its movements
    head_first: bool = False  # start from the best head for the frozen trunk
    # Of the styles' loss. Small, since the movement is what counts; 0 builds no second head.
    styles_weight: float = 0.2
    average_decay: float = 0.998  # moving average of the weights, over the last 500 steps or so; 0 keeps none
    # Share of the starting weights in those that are exported. What fine-tuning forgets of other images comes back, at
    # no cost: Wortsman et al., "Robust fine-tuning of zero-shot models", 2022, section 3. It works only between
    # weights of one architecture that start with a good head (`head_first`).
    start_share: float = 0.0
    # Whether the exported head is that of movements drawn equally often, in place of as often as they were.
    prior_correction: bool = False
    views: TrainingViews = "whole"
    # Share of the teachers' scores in the targets, where --teacher names any; the rest are the labels.
    teacher_share: float = 0.5
    # How the embedding is made of the backbone's last outputs: as timm does for this backbone; of a transformer the
    # class token, the mean of the patch tokens, or both.
    pooling: Pooling = "own"
    # The last block that is kept, as timm numbers them from 0; -1 keeps all. Later blocks of a transformer have
    # learnt what their pretraining was for; a painting's style is told best by the middle ones.
    last_block: int = -1
    drop_path: float = 0.0  # stochastic depth in the deepest block: Huang et al., 2016; earlier ones in proportion
    # What the recipe was made for; empty or 0: anything.
    backbone: str = ""
    size_px: int = 0
    fit: Fit | None = None


_AT_LEAST_ONE = ("epochs", "batch", "halve_every")
_SHARES = (
    *("layer_decay", "norm_momentum", "smallest_crop", "cutmix", "label_smoothing", "balance", "average_decay"),
    "drop_path",
)

RECIPES: Mapping[str, Recipe] = {
    # The best balanced accuracy on validation paintings of natural aspect, which resemble new ones most: six points
    # above the best head on the frozen trunk; docs/model.md lists what else was tried. All layers are trained, the
    # early ones at lower rates. Small crops cost a third and score no less. Starting from the best head keeps the
    # first steps from undoing what the trunk knows, and allows interpolating back to it (`start_share`). Collections
    # are sampled evenly, or the network learns to recognise the collection in place of the movement.
    "finetune": Recipe(
        epochs=10,
        rates=Rates(head=5e-4, trunk=3e-4, layer_decay=0.9),
        freezing=FreezingOptions(frozen_share=0.0, batch_norm="restored"),
        augmentation=Augmentation(crop_share=0.72, cutmix=0.3),
        balance=1.0,
        head_first=True,
        start_share=0.25,
        prior_correction=True,
    ),
    # For vision transformers, whose early blocks transfer as they are: the frozen ones need no backward pass either.
    # The later a block, the more it has learnt what its pretraining was for: on paintings of other sources a linear
    # head on DINOv2's block 7 scores 0.709, on its last block 0.619. Transformers need lower rates than convolutions,
    # and gradients that are clipped.
    "finetune-vit": Recipe(
        epochs=6,
        batch=32,
        rates=Rates(head=5e-4, trunk=5e-5, layer_decay=0.8, weight_decay=0.05, clip_norm=1.0),
        freezing=FreezingOptions(frozen_share=0.5),
        augmentation=Augmentation(crop_share=1.0, cutmix=0.3),
        balance=1.0,
        head_first=True,
        start_share=0.25,
        prior_correction=True,
        pooling="cls_mean",
        last_block=7,
        drop_path=0.1,
        backbone="vit_small_patch14_dinov2",
    ),
    # A linear probe measures a trunk, or a dataset, in minutes: only the head, on embeddings that are computed once.
    # An epoch takes a fraction of a second, so there are many; the best by validation is kept.
    "probe": Recipe(
        method="probe",
        epochs=60,
        batch=256,
        rates=Rates(head=2e-3, weight_decay=0.05),
        freezing=FreezingOptions(frozen_share=1.0),
        augmentation=Augmentation(enabled=False, crop_share=1.0, mixup=0.0),
        average_decay=0.0,
    ),
    # The project of 2020 to the letter, as a baseline. Its three convolutions are Keras' conv5_block15_2_conv,
    # conv5_block16_1_conv and conv5_block16_2_conv. Keras' batch normalisation keeps 0.99 of its statistics, its Adam
    # has an epsilon of 1e-7; no weight decay, label smoothing, mixup, balancing or weight averaging.
    "artnet-2020": Recipe(
        epochs=15,
        batch=32,
        rates=Rates(head=1e-4, trunk=1e-4, weight_decay=0.0, schedule="halving", halve_every=2, epsilon=1e-7),
        freezing=FreezingOptions(
            trained_modules=(
                "features.denseblock4.denselayer15.conv2",
                "features.denseblock4.denselayer16.conv1",
                "features.denseblock4.denselayer16.conv2",
            ),
            batch_norm="train",
            norm_momentum=0.01,
        ),
        augmentation=Augmentation(enabled=False, crop_share=1.0, reencode=False, mixup=0.0),
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
    """Return the recipe of that name, or raise `UsageError`."""
    try:
        return RECIPES[name]
    except KeyError:
        raise UsageError(f"unknown recipe {name!r}; use one of {', '.join(RECIPES)}") from None


def override(recipe: Recipe, settings: Iterable[str]) -> Recipe:
    """Return a recipe with some settings replaced.

    Args:
        recipe: the recipe to start from
        settings: each NAME=VALUE, such as `rates.trunk=2e-4`

    Raises:
        UsageError: for an unknown setting, or a value of the wrong kind or out of range
    """
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals:
            raise UsageError(f"{setting!r} sets nothing; write NAME=VALUE, for instance rates.trunk=2e-4")
        recipe = _replaced(recipe, name.split("."), text, name)
    return recipe


def recipe_from_dict(fields: Mapping[str, Any]) -> Recipe:
    """Return the recipe that `dataclasses.asdict` turned into `fields`, perhaps by way of JSON."""
    freezing = {**fields["freezing"], "trained_modules": tuple(fields["freezing"]["trained_modules"])}
    groups = {
        "rates": Rates(**fields["rates"]),
        "freezing": FreezingOptions(**freezing),
        "augmentation": Augmentation(**fields["augmentation"]),
    }
    return Recipe(**{**fields, **groups})


def setting_names(group: type = Recipe, prefix: str = "") -> list[str]:
    """Return the name of every setting of a recipe, such as `rates.trunk`."""
    names = []
    for name, kind in typing.get_type_hints(group).items():
        is_group = dataclasses.is_dataclass(kind)
        names += setting_names(typing.cast(type, kind), f"{prefix}{name}.") if is_group else [prefix + name]
    return names


def _replaced(group: Any, path: list[str], text: str, setting: str) -> Any:
    kinds = typing.get_type_hints(type(group))
    name, rest = path[0], path[1:]
    if name not in kinds or bool(rest) != dataclasses.is_dataclass(kinds[name]):
        raise UsageError(f"no setting {setting!r}; use one of {', '.join(setting_names())}")
    value = _replaced(getattr(group, name), rest, text, setting) if rest else _parse(text, kinds[name], setting)
    return dataclasses.replace(group, **{name: value})


def _parse(text: str, kind: Any, setting: str) -> Any:
    if type(None) in typing.get_args(kind):
        kind = next(each for each in typing.get_args(kind) if each is not type(None))
    choices = typing.get_args(kind)
    if typing.get_origin(kind) is tuple:
        return tuple(text.split(",")) if text else ()
    if kind is str or text in choices:
        return text
    if choices:
        raise UsageError(f"{setting} is {text!r}; use one of {', '.join(choices)}")
    try:
        value = {"true": True, "false": False}[text] if kind is bool else kind(text)
    except (KeyError, ValueError):
        allowed = {bool: "true or false", int: "a whole number", float: "a number"}[kind]
        raise UsageError(f"{setting} is {text!r}; use {allowed}") from None
    _check_range(setting, value)
    return value


def _check_range(setting: str, value: float) -> None:
    name = setting.split(".")[-1]
    low = 1 if name in _AT_LEAST_ONE else -1 if name == "last_block" else 0
    high = 1 if name in _SHARES or name.endswith("_share") else math.inf
    if not low <= value <= high or value == math.inf:
        raise UsageError(f"{setting} is {value}; use a number from {low}" + (f" to {high}" if high == 1 else ""))
