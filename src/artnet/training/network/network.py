"""The network that is trained: any convolutional timm backbone without its classifier, and ArtNet's head."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import timm
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from artnet.errors import TrainingError, UsageError, reason
from artnet.model.config import DEPTHS

BatchNorm = nn.modules.batchnorm._BatchNorm
_PROBE_PX = 96
_CONVOLUTIONAL = "choose a convolutional one, such as densenet121, resnet50 or mobilenetv2_100"


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


class PaintingNetwork(nn.Module):
    """A backbone, then global average pooling, dropout 0.5, batch normalisation and a dense layer.

    With `styles` above 0 there is a second dense layer on the same features, for fine styles.
    """

    def __init__(self, trunk: nn.Module, features: int, classes: int, styles: int = 0) -> None:
        super().__init__()
        self.trunk = trunk
        self.dropout = nn.Dropout(0.5)
        self.norm = nn.BatchNorm1d(features)
        self.dense = nn.Linear(features, classes)
        self.styles = nn.Linear(features, styles) if styles else None

    def embed(self, views: Tensor) -> Tensor:  # (N, 3, S, S) -> (N, E)
        """Return the last feature maps, averaged over their positions."""
        maps: Tensor = self.trunk(views)  # (N, E, h, w)
        return maps.mean((2, 3))

    def classify(self, embedding: Tensor) -> Logits:  # (N, E)
        """Return the logits of embeddings."""
        features = self.norm(self.dropout(embedding))
        return Logits(self.dense(features), None if self.styles is None else self.styles(features))

    def forward(self, views: Tensor) -> Logits:
        """Return the logits of views (N, 3, S, S)."""
        return self.classify(self.embed(views))


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


def build_network(backbone: str, classes: int, weights: str, styles: int = 0) -> PaintingNetwork:
    """Return a network with its starting weights.

    Args:
        backbone: a model name of timm's
        classes: number of movements
        weights: "pretrained", "none" or the path of a safetensors file in timm's names
        styles: number of fine styles, 0 for no second head

    Raises:
        UsageError: for a backbone that timm does not know or that is not convolutional
        TrainingError: for weights that cannot be fetched or read, or belong to another network
    """
    spec = BACKBONES.get(backbone, Backbone())
    trunk = _create(backbone, spec, pretrained=weights == "pretrained")
    for name in spec.without_activation:
        trunk.set_submodule(name, nn.Identity())
    if weights not in ("pretrained", "none"):
        load_trunk(trunk, Path(weights))
    for module in trunk.modules():
        if getattr(module, "inplace", False):
            setattr(module, "inplace", False)  # noqa: B010  (an overwritten activation can be neither explained nor traced)
    return PaintingNetwork(trunk, _features(trunk, backbone), classes, styles)


def _features(trunk: nn.Module, backbone: str) -> int:
    """Return the channels of an actual last map: timm's `num_features` may be those of its own head."""
    try:
        with torch.no_grad():
            maps = trunk.eval()(torch.zeros(1, 3, _PROBE_PX, _PROBE_PX))
    except Exception as error:  # networks of a fixed input size, each with its own complaint
        raise UsageError(
            f"backbone {backbone!r} does not accept views of any size ({reason(error)}); {_CONVOLUTIONAL}"
        ) from error
    finally:
        trunk.train()
    if not isinstance(maps, Tensor) or maps.dim() != 4 or maps.shape[2] != maps.shape[3]:
        raise UsageError(f"backbone {backbone!r} does not end in feature maps; {_CONVOLUTIONAL}")
    return int(maps.shape[1])


def load_trunk(trunk: nn.Module, path: Path) -> None:
    """Load a safetensors state dict in timm's names into a backbone, without its classifier.

    Raises:
        TrainingError: for a file that is missing, unreadable or of another network
    """
    try:
        state = load_file(path)
    except FileNotFoundError:
        raise TrainingError(f"{path}: no such weights file; use a safetensors file, pretrained or none") from None
    except (OSError, SafetensorError) as error:
        raise TrainingError(f"{path}: cannot be read as safetensors ({reason(error)})") from error
    expected = trunk.state_dict()
    loaded = {name: tensor for name, tensor in state.items() if name in expected or not _is_classifier(name)}
    mismatch = describe_mismatch(expected, loaded)
    if mismatch:
        raise TrainingError(f"{path}: these weights belong to another network: {mismatch}")
    trunk.load_state_dict({name: tensor.to(expected[name].dtype) for name, tensor in loaded.items()})


def describe_mismatch(expected: Mapping[str, Tensor], loaded: Mapping[str, Tensor]) -> str:
    """Return, in words, which tensors are missing, unexpected and of another shape; empty where all fit."""
    reshaped = [name for name in expected if name in loaded and loaded[name].shape != expected[name].shape]
    missing = [name for name in expected if name not in loaded]
    unexpected = [name for name in loaded if name not in expected]
    if not (reshaped or missing or unexpected):
        return ""
    lists = ((missing, "missing"), (unexpected, "unexpected"), (reshaped, "of another shape"))
    return "; ".join(_listed(names, fault) for names, fault in lists)


def normalisation(network: PaintingNetwork, backbone: str) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return the mean and standard deviation, in 0..1, by which the starting weights expect their input normalised."""
    spec = BACKBONES.get(backbone, Backbone())
    published: Any = getattr(network.trunk, "pretrained_cfg", {})
    mean = spec.mean or tuple(published.get("mean", (0.485, 0.456, 0.406)))
    std = spec.std or tuple(published.get("std", (0.229, 0.224, 0.225)))
    return mean, std


def explained_layers(network: PaintingNetwork, backbone: str, size_px: int) -> tuple[str, ...]:
    """Return the names of the nine modules whose activations are explained, shallow to deep.

    For DenseNet-121 these are the 2020 project's. For any other backbone they are eight of its blocks, evenly spaced
    in the order in which they run, and the backbone's output.

    Raises:
        UsageError: for a backbone of fewer than eight blocks
    """
    spec = BACKBONES.get(backbone, Backbone())
    if spec.layers:
        return spec.layers
    blocks = _blocks_in_order(network, size_px)
    if len(blocks) < DEPTHS - 1:
        raise UsageError(f"backbone {backbone!r} has only {len(blocks)} blocks to explain; at least 8 are needed")
    last = len(blocks) - 1
    chosen = [blocks[round(index * last / (DEPTHS - 2))] for index in range(DEPTHS - 1)]
    return (*chosen, "trunk")


def _blocks_in_order(network: PaintingNetwork, size_px: int) -> list[str]:
    """Return the blocks whose output is feature maps larger than a pixel, in the order in which they finish."""
    finished: list[str] = []

    def record(name: str) -> Any:
        def hook(module: nn.Module, args: Any, output: Any) -> None:
            if isinstance(output, Tensor) and output.dim() == 4 and output.shape[-1] > 1:
                finished.append(name)

        return hook

    handles = [block.register_forward_hook(record(name)) for name, block in _blocks(network)]
    was_training = network.training
    try:
        network.eval()
        with torch.no_grad():
            network(torch.zeros(1, 3, size_px, size_px))
    finally:
        network.train(was_training)
        for handle in handles:
            handle.remove()
    return finished


def _blocks(network: PaintingNetwork) -> Iterator[tuple[str, nn.Module]]:
    """Yield the children of containers that hold a convolution and are no containers themselves.

    Where a backbone is a plain sequence of layers, its convolutions themselves are the blocks.
    """
    containers = (nn.Sequential, nn.ModuleList, nn.ModuleDict)
    blocks = []
    for name, module in network.named_modules():
        if not isinstance(module, containers):
            continue
        for child_name, child in module.named_children():
            convolutional = any(isinstance(layer, nn.Conv2d) for layer in child.modules())
            if convolutional and not isinstance(child, (*containers, nn.Conv2d)):
                blocks.append((f"{name}.{child_name}", child))
    if len(blocks) < DEPTHS - 1:
        blocks = [(name, layer) for name, layer in network.named_modules() if isinstance(layer, nn.Conv2d)]
    yield from blocks


def _create(backbone: str, spec: Backbone, pretrained: bool) -> nn.Module:
    if backbone not in timm.list_models():
        close = timm.list_models(f"*{backbone[:8]}*")[:5]
        raise UsageError(f"timm knows no backbone {backbone!r}; did you mean one of {', '.join(close) or 'none'}?")
    try:
        trunk: nn.Module = timm.create_model(
            backbone, pretrained=pretrained, num_classes=0, global_pool="", **spec.options
        )
        return trunk
    except Exception as error:
        if not pretrained:
            raise
        raise TrainingError(
            f"the published weights of {backbone} could not be fetched ({reason(error)}); on a machine with internet "
            f"fetch {_weights_url(backbone)} and name that file with --weights FILE, or start with --weights none"
        ) from error


def _weights_url(backbone: str) -> str:
    published: Any = timm.get_pretrained_cfg(backbone)
    repository = getattr(published, "hf_hub_id", None)
    if not repository or repository.endswith("/"):
        return "its weights as a safetensors file"
    return f"https://huggingface.co/{repository}/resolve/main/model.safetensors"


def _is_classifier(name: str) -> bool:
    return name.split(".")[0] in ("classifier", "fc", "head")


def _listed(names: list[str], fault: str) -> str:
    listed = ", ".join(names[:5]) + (" ..." if len(names) > 5 else "")
    return f"{len(names)} {fault}" + (f" ({listed})" if names else "")
