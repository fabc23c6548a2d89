"""Build the network that is trained: any timm backbone without its classifier, and ArtNet's head.

Knows nothing about data, losses or export.
"""

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

from artnet.errors import TrainingError, UsageError
from artnet.model.config import DEPTHS

BatchNorm = nn.modules.batchnorm._BatchNorm
_PROBE_PX = 96
_CONVOLUTIONAL = "choose a convolutional one, such as densenet121, resnet50 or mobilenetv2_100"


@dataclass(frozen=True)
class Backbone:
    """What timm's registry does not say about a backbone and its starting weights."""

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
    """What the two heads answer: movements (N, C), and styles (N, K) where there is a head for them.

    A tuple and no dataclass, since DDP looks for tensors in tuples only.
    """

    movements: Tensor
    styles: Tensor | None


class PaintingNetwork(nn.Module):
    """A backbone, then global average pooling, dropout 0.5, batch normalisation and a dense layer.

    With `styles` above 0 a second dense layer stands beside the first, for fine styles.
    """

    def __init__(self, trunk: nn.Module, features: int, classes: int, styles: int = 0) -> None:
        super().__init__()
        self.trunk = trunk
        self.dropout = nn.Dropout(0.5)
        self.norm = nn.BatchNorm1d(features)
        self.dense = nn.Linear(features, classes)
        self.styles = nn.Linear(features, styles) if styles else None

    def embed(self, views: Tensor) -> Tensor:  # (N, 3, S, S) -> (N, E)
        """Average the last feature map over the picture."""
        maps: Tensor = self.trunk(views)  # (N, E, h, w)
        return maps.mean((2, 3))

    def classify(self, embedding: Tensor) -> Logits:  # (N, E)
        """Turn embeddings into logits."""
        seen = self.norm(self.dropout(embedding))
        return Logits(self.dense(seen), None if self.styles is None else self.styles(seen))

    def forward(self, views: Tensor) -> Logits:
        """Turn views (N, 3, S, S) into logits."""
        return self.classify(self.embed(views))


class MovementLogitsOnly(nn.Module):
    """A network as other libraries want it, such as pytorch-grad-cam and Captum: views in, one tensor of logits out."""

    def __init__(self, network: PaintingNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, views: Tensor) -> Tensor:
        """Turn views (N, 3, S, S) into the movements' logits (N, C)."""
        logits: Logits = self.network(views)
        return logits.movements


def norms(trunk: nn.Module) -> list[BatchNorm]:
    """List a trunk's batch normalisations."""
    return [module for module in trunk.modules() if isinstance(module, BatchNorm)]


def build_network(backbone: str, classes: int, weights: str, styles: int = 0) -> PaintingNetwork:
    """Build a network, with a second head where there are `styles`.

    `weights` is a safetensors file in timm's names, "pretrained" or "none".
    Errors: `UsageError` for a backbone timm does not know, `TrainingError` for weights that are not to be had or
    belong to another network.
    """
    spec = BACKBONES.get(backbone, Backbone())
    trunk = _create(backbone, spec, pretrained=weights == "pretrained")
    for name in spec.without_activation:
        trunk.set_submodule(name, nn.Identity())
    if weights not in ("pretrained", "none"):
        load_trunk(trunk, Path(weights))
    for module in trunk.modules():
        if getattr(module, "inplace", False):
            setattr(module, "inplace", False)  # noqa: B010  (a changed activation can be neither explained nor traced)
    return PaintingNetwork(trunk, _features(trunk, backbone), classes, styles)


def _features(trunk: nn.Module, backbone: str) -> int:
    """Count the channels of the last map by looking at one: timm's `num_features` may be those of its own head."""
    try:
        with torch.no_grad():
            maps = trunk.eval()(torch.zeros(1, 3, _PROBE_PX, _PROBE_PX))
    except Exception as error:  # networks of a fixed input size, each with its own complaint
        raise UsageError(f"backbone {backbone!r} takes no views of any size ({error}); {_CONVOLUTIONAL}") from error
    finally:
        trunk.train()
    if not isinstance(maps, Tensor) or maps.dim() != 4 or maps.shape[2] != maps.shape[3]:
        raise UsageError(f"backbone {backbone!r} does not end in a stack of maps; {_CONVOLUTIONAL}")
    return int(maps.shape[1])


def load_trunk(trunk: nn.Module, path: Path) -> None:
    """Load a safetensors state dict in timm's names into a backbone; its classifier, if any, is left aside."""
    try:
        state = load_file(path)
    except FileNotFoundError:
        raise TrainingError(f"{path}: no such weights file; give a safetensors file, pretrained or none") from None
    except (OSError, SafetensorError) as error:
        raise TrainingError(f"{path}: cannot be read as safetensors ({error})") from error
    wanted = trunk.state_dict()
    given = {name: tensor for name, tensor in state.items() if name in wanted or not _is_classifier(name)}
    misfit = describe_misfit(wanted, given)
    if misfit:
        raise TrainingError(f"{path}: these weights belong to another network: {misfit}")
    trunk.load_state_dict({name: tensor.to(wanted[name].dtype) for name, tensor in given.items()})


def describe_misfit(wanted: Mapping[str, Tensor], given: Mapping[str, Tensor]) -> str:
    """Say which tensors are missing, unexpected and of another shape; empty where all fit."""
    wrong = [name for name in wanted if name in given and given[name].shape != wanted[name].shape]
    missing = [name for name in wanted if name not in given]
    unexpected = [name for name in given if name not in wanted]
    if not (wrong or missing or unexpected):
        return ""
    lists = ((missing, "missing"), (unexpected, "unexpected"), (wrong, "of another shape"))
    return "; ".join(_some(names, what) for names, what in lists)


def normalisation(network: PaintingNetwork, backbone: str) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Give the mean and standard deviation, in 0..1, that the starting weights expect of their input."""
    spec = BACKBONES.get(backbone, Backbone())
    published: Any = getattr(network.trunk, "pretrained_cfg", {})
    mean = spec.mean or tuple(published.get("mean", (0.485, 0.456, 0.406)))
    std = spec.std or tuple(published.get("std", (0.229, 0.224, 0.225)))
    return mean, std


def explained_layers(network: PaintingNetwork, backbone: str, size_px: int) -> tuple[str, ...]:
    """Name nine modules of the network, shallow to deep, whose maps are explained.

    DenseNet-121 has the 2020 project's nine. Any other backbone has eight of its blocks, chosen evenly in the
    order in which they run, and the backbone's own output as the deepest.
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
    """List the blocks whose output is a stack of maps larger than a pixel, in the order in which they finish."""
    finished: list[str] = []

    def note(name: str) -> Any:
        def hook(module: nn.Module, args: Any, output: Any) -> None:
            if isinstance(output, Tensor) and output.dim() == 4 and output.shape[-1] > 1:
                finished.append(name)

        return hook

    handles = [block.register_forward_hook(note(name)) for name, block in _blocks(network)]
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
    found = []
    for name, module in network.named_modules():
        if not isinstance(module, containers):
            continue
        for child_name, child in module.named_children():
            holds = any(isinstance(part, nn.Conv2d) for part in child.modules())
            if holds and not isinstance(child, (*containers, nn.Conv2d)):
                found.append((f"{name}.{child_name}", child))
    if len(found) < DEPTHS - 1:
        found = [(name, part) for name, part in network.named_modules() if isinstance(part, nn.Conv2d)]
    yield from found


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
            f"the published weights of {backbone} could not be fetched ({error}); on a machine with internet fetch "
            f"{_address(backbone)} and name that file with --weights FILE, or start with --weights none"
        ) from error


def _address(backbone: str) -> str:
    """Say where timm's weights of a backbone lie."""
    published: Any = timm.get_pretrained_cfg(backbone)
    repository = getattr(published, "hf_hub_id", None)
    if not repository or repository.endswith("/"):
        return "its weights as a safetensors file"
    return f"https://huggingface.co/{repository}/resolve/main/model.safetensors"


def _is_classifier(name: str) -> bool:
    return name.split(".")[0] in ("classifier", "fc", "head")


def _some(names: list[str], what: str) -> str:
    shown = ", ".join(names[:5]) + (" ..." if len(names) > 5 else "")
    return f"{len(names)} {what}" + (f" ({shown})" if names else "")
