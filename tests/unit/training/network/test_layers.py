"""Which nine layers are explained."""

from __future__ import annotations

import re

import pytest
import torch

from artnet.errors import UsageError
from artnet.training.network.layers import explained_layers
from artnet.training.network.network import NetworkOptions, build_network

TINY_VIT = "test_vit"  # six blocks


def test_densenet_has_the_nine_layers_of_2020() -> None:
    network = build_network("densenet121", 5, "none")
    layers = explained_layers(network, "densenet121", 64)
    # Keras counts stages from conv2, timm dense blocks from 1.
    keras = "conv2_block2 conv2_block6 conv3_block8 conv3_block12 conv4_block16 conv4_block20 conv4_block24 "
    keras += "conv5_block10 conv5_block16"
    places = [re.fullmatch(r"conv(\d)_block(\d+)", name).groups() for name in keras.split()]  # type: ignore[union-attr]
    assert layers == tuple(
        f"trunk.features.denseblock{int(stage) - 1}.denselayer{block}.conv2" for stage, block in places
    )
    assert all(isinstance(network.get_submodule(name), torch.nn.Conv2d) for name in layers)


@pytest.mark.parametrize("backbone", ["resnet18", "mobilenet_edgetpu_100", "test_efficientnet"])
def test_any_other_backbone_has_nine_different_layers_and_the_last_is_its_output(backbone: str) -> None:
    layers = explained_layers(build_network(backbone, 5, "none"), backbone, 64)
    assert len(set(layers)) == 9
    assert layers[8] == "features"


def test_of_a_transformer_of_few_blocks_their_middles_are_explained_too() -> None:
    network = build_network(TINY_VIT, 5, "none", NetworkOptions(size_px=32, pooling="mean"))
    layers = explained_layers(network, TINY_VIT, 32)
    assert layers[0] == "trunk.patch_embed"
    assert layers[-1] == "features"
    assert any(name.endswith(".norm2") for name in layers)


def test_a_class_token_alone_does_not_depend_on_the_last_blocks_patches() -> None:
    network = build_network(TINY_VIT, 5, "none", NetworkOptions(size_px=32, pooling="cls"))
    layers = explained_layers(network, TINY_VIT, 32)
    assert layers[-1] == "trunk.blocks.4"
    assert not {"features", "trunk.blocks.5", "trunk.blocks.5.norm2"} & set(layers)


def test_too_few_layers_are_refused() -> None:
    network = build_network(TINY_VIT, 5, "none", NetworkOptions(size_px=32, pooling="mean", last_block=1))
    with pytest.raises(UsageError, match="has only 6 layers to explain, 9 are needed"):
        explained_layers(network, TINY_VIT, 32)
