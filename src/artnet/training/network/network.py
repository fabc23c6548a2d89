"""The network that is trained: a timm backbone without its classifier, and ArtNet's head."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import timm
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from artnet.errors import TrainingError, UsageError, reason
from artnet.training.network.pooling import pool, to_grid
from artnet.training.network.weights import describe_mismatch, read_weights
from artnet.training.recipe import Pooling

BatchNorm = nn.modules.batchnorm._BatchNorm
_PROBE_PX = 96  # of backbones that take views of any size


@dataclass(frozen=True)
class Backbone:
    """What timm's registry does not hold about a backbone and its starting weights."""

    options: Mapping[str, Any] = field(default_factory=dict)
    without_activation: tuple[str, ...] = ()
    mean: tuple[float, float, float] | None = None
    std: tuple[float, float, float] | None = None
    layers: tuple[str, ...] = ()


# Weights that Google published for its Edge TPU and Coral boards: TensorFlow's "same" padding, inputs in -1..1.
_GOOGLE: dict[str, Any] = {
    "options": {"pad_type": "same"},
    "mean": (0.5, 0.5, 0.5),
    "std": (0.5, 0.5, 0.5),
}

BACKBONES: Mapping[str, Backbone] = {
    "mobilenet_edgetpu_100": Backbone(**_GOOGLE, without_activation=("blocks.0.0.bn1.act",)),
    "mobilenetv2_100": Backbone(**_GOOGLE),
    # The nine layers of the 2020 project; Keras calls them conv2_block2_2_conv ... conv5_block16_2_conv.
    "densenet121": Backbone(
        layers=tuple(
            f"trunk.features.denseblock{block}.denselayer{layer}.conv2"
            for block, layer in ((1, 2), (1, 6), (2, 8), (2, 12), (3, 16), (3, 20), (3, 24), (4, 10), (4, 16))
        )
    ),
}


class Logits(NamedTuple):
    """Outputs of the two heads; a tuple and no dataclass, since DDP finds tensors only in tuples."""

    movements: Tensor  # (N, C)
    styles: Tensor | None  # (N, K) where there is a second head


@dataclass(frozen=True)
class NetworkOptions:
    """What a network has besides its backbone, its starting weights and the movements.

    Attributes:
        styles: number of fine styles, 0 for no second head
        size_px: side of the views; 0: any, or that of the starting weights where the backbone takes one size only
        pooling: how the embedding is made of the backbone's last outputs
        last_block: the last block that is kept, as timm numbers them from 0; -1 keeps all
        drop_path: rate of stochastic depth in the deepest block
    """

    styles: int = 0
    size_px: int = 0
    pooling: Pooling = "own"
    last_block: int = -1
    drop_path: float = 0.0


_DEFAULTS = NetworkOptions()


class PaintingNetwork(nn.Module):
    """A backbone and its pooling, then dropout 0.5, batch normalisation and a dense layer.

    With `styles` above 0 there is a second dense layer on the same embedding, for fine styles.
    """

    def __init__(
        self, trunk: nn.Module, embedding: int, classes: int, styles: int = 0, pooling: Pooling = "own"
    ) -> None:
        super().__init__()
        for module in trunk.modules():
            for flag in ("inplace", "fused_attn"):  # what is overwritten or fused can be neither traced nor explained
                if getattr(module, flag, False):
                    setattr(module, flag, False)
        self.trunk = trunk
        self.pooling = pooling
        self.features = nn.Identity()  # gives the backbone's output, the deepest explained layer, a name
        self.dropout = nn.Dropout(0.5)
        self.norm = nn.BatchNorm1d(embedding)
        self.dense = nn.Linear(embedding, classes)
        self.styles = nn.Linear(embedding, styles) if styles else None

    def embed(self, views: Tensor) -> Tensor:  # (N, 3, S, S) -> (N, E)
        """Return the backbone's last outputs, pooled."""
        trunk: Any = self.trunk
        return pool(self.features(trunk.forward_features(views)), self.trunk, self.pooling)

    def classify(self, embedding: Tensor) -> Logits:  # (N, E)
        """Return the logits of embeddings."""
        features = self.norm(self.dropout(embedding))
        return Logits(self.dense(features), None if self.styles is None else self.styles(features))

    def forward(self, views: Tensor) -> Logits:
        """Return the logits of views (N, 3, S, S)."""
        return self.classify(self.embed(views))

    def correct_prior(self, frequencies: NDArray[np.float64]) -> None:
        """Correct the movements' logits as if the network had been trained on all movements equally often.

        Menon et al., "Long-tail learning via logit adjustment", 2021, https://arxiv.org/abs/2007.07314, section 4.1.

        Args:
            frequencies: the share of each movement (C,) in what it was trained on, above 0
        """
        with torch.no_grad():
            self.dense.bias.sub_(torch.from_numpy(np.log(frequencies * len(frequencies))))


class MovementLogitsOnly(nn.Module):
    """Adapt a network to libraries that expect one tensor of logits, such as pytorch-grad-cam and Captum."""

    def __init__(self, network: PaintingNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, views: Tensor) -> Tensor:
        """Return the movements' logits (N, C) of views (N, 3, S, S)."""
        logits: Logits = self.network(views)
        return logits.movements


def batch_norms(trunk: nn.Module) -> list[BatchNorm]:
    """Return a trunk's batch normalisations."""
    return [module for module in trunk.modules() if isinstance(module, BatchNorm)]


def build_network(backbone: str, classes: int, weights: str, options: NetworkOptions = _DEFAULTS) -> PaintingNetwork:
    """Return a network with its starting weights.

    Args:
        backbone: a model name of timm's
        classes: number of movements
        weights: "pretrained", "none" or the path of a safetensors file in the names that timm knows for this model
        options: second head, size of the views, pooling, blocks

    Raises:
        UsageError: for a backbone that timm does not know, or that cannot be built or pooled as the options say
        TrainingError: for weights that cannot be fetched or read, or belong to another network
    """
    check_backbone(backbone)
    trunk = _create_trunk(backbone, weights, options)
    for name in BACKBONES.get(backbone, Backbone()).without_activation:
        trunk.set_submodule(name, nn.Identity())
    if options.last_block != -1:
        _prune_blocks(trunk, backbone, options.last_block)
    embedding = _embedding_size(trunk, backbone, options)
    return PaintingNetwork(trunk, embedding, classes, options.styles, options.pooling)


def check_backbone(backbone: str) -> None:
    """Raise `UsageError` for a name, or a tag behind its dot, that timm does not know; nothing is fetched."""
    architecture, _, tag = backbone.partition(".")
    if not timm.is_model(architecture):
        close = _close_names(architecture)
        hint = f"did you mean {' or '.join(close)}?" if close else "timm.list_models() lists those that it knows"
        raise UsageError(f"timm knows no backbone {architecture!r}; {hint}")
    tagged = timm.list_models(f"{architecture}.*", pretrained=True)
    if tag and backbone not in tagged:
        known = f"use {' or '.join(tagged)}" if tagged else f"use {architecture}"
        raise UsageError(f"timm knows no weights {tag!r} of {architecture}; {known}")


def _close_names(name: str) -> list[str]:
    """Return up to three of timm's models that contain this name or are spelt like it, the most alike first."""
    models = timm.list_models()
    longer = sorted((model for model in models if len(name) >= 4 and name in model), key=len)
    return longer[:3] or difflib.get_close_matches(name, models, cutoff=0.8)


def has_fixed_size(backbone: str) -> bool:
    """Return whether a backbone takes views of one size only, which is chosen when it is built."""
    published = timm.get_pretrained_cfg(backbone)
    return published is not None and published.fixed_input_size


def normalisation(network: PaintingNetwork, backbone: str) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return the mean and standard deviation, in 0..1, by which the starting weights expect their input normalised."""
    spec = BACKBONES.get(backbone, Backbone())
    published: Any = getattr(network.trunk, "pretrained_cfg", {})
    mean = spec.mean or tuple(published.get("mean", (0.485, 0.456, 0.406)))
    std = spec.std or tuple(published.get("std", (0.229, 0.224, 0.225)))
    return mean, std


def _create_trunk(backbone: str, weights: str, options: NetworkOptions) -> nn.Module:
    """Create timm's model, with its weights and without its classifier."""
    if weights == "none":
        return _create(backbone, options)
    if weights != "pretrained":
        return _load(backbone, Path(weights), options)
    try:
        return _create(backbone, options, pretrained=True)
    except UsageError:
        raise
    except Exception as error:
        raise TrainingError(
            f"the published weights of {backbone} could not be fetched ({reason(error)}); on a machine with internet "
            f"fetch {_weights_url(backbone)} and name that file with --weights FILE, or start with --weights none"
        ) from error


def _load(backbone: str, path: Path, options: NetworkOptions) -> nn.Module:
    """Create timm's model with the weights of a file, converted and resampled as timm does with published ones."""
    state = {name: tensor for name, tensor in read_weights(path).items() if not _is_classifier(name, backbone)}
    overlay = {"state_dict": dict(state), "num_classes": 0, "custom_load": False}
    try:
        trunk = _create(backbone, options, pretrained=True, pretrained_cfg_overlay=overlay)
    except UsageError:
        raise
    except Exception as error:  # of load_state_dict, or of timm's converters for each family
        mismatch = describe_mismatch(_create(backbone, options).state_dict(), state) or reason(error)
        raise TrainingError(f"{path}: these weights belong to another network: {mismatch}") from error
    published: Any = trunk.pretrained_cfg
    del published["state_dict"]  # or every copy of the network would copy them
    return trunk


def _create(backbone: str, options: NetworkOptions, **loading: Any) -> nn.Module:
    """Create timm's model of that name without its classifier.

    Raises:
        UsageError: for options that this model does not take
    """
    building: dict[str, Any] = dict(BACKBONES.get(backbone, Backbone()).options)
    if options.size_px and has_fixed_size(backbone):
        building["img_size"] = options.size_px
    if options.drop_path:
        building["drop_path_rate"] = options.drop_path
    try:
        trunk: nn.Module = timm.create_model(backbone, num_classes=0, **building, **loading)
    except (TypeError, AssertionError) as error:
        options_used = ", ".join(f"{name}={value}" for name, value in building.items()) or "timm's own settings"
        raise UsageError(
            f"backbone {backbone!r} cannot be built with {options_used} ({reason(error)}); choose another backbone, "
            "--size-px when preparing or --set drop_path=0"
        ) from error
    return trunk


def _prune_blocks(trunk: nn.Module, backbone: str, last_block: int) -> None:
    """Remove all blocks after one; the final normalisation and pooling stay where timm can keep them."""
    timms: Any = trunk
    try:
        timms.prune_intermediate_layers([last_block], prune_norm=False, prune_head=False)
    except (AttributeError, AssertionError) as error:
        raise UsageError(
            f"backbone {backbone!r} cannot be cut after block {last_block} ({reason(error)}); use another "
            "--set last_block=N, or -1 for all"
        ) from error


def _embedding_size(trunk: nn.Module, backbone: str, options: NetworkOptions) -> int:
    """Return E of an actual embedding: timm's `num_features` may be those of its own head.

    Raises:
        UsageError: for a size, a pooling or a layout that does not fit the backbone
    """
    _check_pooling(trunk, backbone, options)
    size_px = options.size_px or (_own_size(backbone) if has_fixed_size(backbone) else _PROBE_PX)
    _check_size(trunk, backbone, size_px)
    try:
        with torch.no_grad():
            features: Any = trunk.eval().forward_features(torch.zeros(1, 3, size_px, size_px))  # type: ignore[operator]
            to_grid(features, trunk)
            return int(pool(features, trunk, options.pooling).shape[1])
    except Exception as error:  # each family of networks has its own complaints
        raise UsageError(
            f"backbone {backbone!r} does not turn views of {size_px} px into a grid of features ({reason(error)}); "
            "choose another backbone or another --size-px when preparing"
        ) from error
    finally:
        trunk.train()


def _check_pooling(trunk: nn.Module, backbone: str, options: NetworkOptions) -> None:
    if options.pooling in ("cls", "cls_mean") and getattr(trunk, "cls_token", None) is None:
        raise UsageError(f"backbone {backbone!r} has no class token to pool; use --set pooling=own or mean")


def _check_size(trunk: nn.Module, backbone: str, size_px: int) -> None:
    """Raise `UsageError` where patches would leave a rest of the view."""
    patch: Any = getattr(getattr(trunk, "patch_embed", None), "patch_size", 1)
    side = int(patch[0] if isinstance(patch, tuple) else patch)
    if has_fixed_size(backbone) and size_px % side:
        lower = size_px // side * side
        raise UsageError(
            f"backbone {backbone!r} cuts views into patches of {side} px, which do not divide {size_px} px; prepare "
            f"the dataset with --size-px {lower or side} or {lower + side}"
        )


def _own_size(backbone: str) -> int:
    published: Any = timm.get_pretrained_cfg(backbone)
    return int(published.input_size[-1])


def _weights_url(backbone: str) -> str:
    published: Any = timm.get_pretrained_cfg(backbone)
    repository = getattr(published, "hf_hub_id", None)
    if not repository or repository.endswith("/"):
        return "its weights as a safetensors file"
    return f"https://huggingface.co/{repository}/resolve/main/model.safetensors"


def _is_classifier(name: str, backbone: str) -> bool:
    published: Any = timm.get_pretrained_cfg(backbone)
    classifiers = getattr(published, "classifier", None) or ("classifier", "fc", "head")
    return name.rpartition(".")[0] in ((classifiers,) if isinstance(classifiers, str) else classifiers)
