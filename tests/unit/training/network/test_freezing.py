"""What learns, and how fast."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from artnet.errors import UsageError
from artnet.training.network.freezing import freeze, parameter_groups, set_train_mode
from artnet.training.network.network import NetworkOptions, PaintingNetwork, build_network
from artnet.training.recipe import RECIPES, FreezingOptions, Rates

TINY = "test_efficientnet"


@pytest.fixture
def network() -> PaintingNetwork:
    return build_network(TINY, 5, "none")


@pytest.mark.parametrize(("share", "trained"), [(0.0, 1.0), (0.5, 0.5), (1.0, 0.0)])
def test_the_first_share_of_the_backbone_is_frozen(network: PaintingNetwork, share: float, trained: float) -> None:
    freeze(network, FreezingOptions(frozen_share=share))
    flags = [tensor.requires_grad for tensor in network.trunk.parameters()]
    assert flags == sorted(flags)
    assert sum(flags) / len(flags) == pytest.approx(trained, abs=0.02)
    assert all(tensor.requires_grad for tensor in network.dense.parameters())


def test_only_the_named_modules_learn(network: PaintingNetwork) -> None:
    freeze(network, FreezingOptions(trained_modules=("conv_stem",)))
    assert [name for name, tensor in network.trunk.named_parameters() if tensor.requires_grad] == ["conv_stem.weight"]


def test_a_module_that_is_not_there_is_refused(network: PaintingNetwork) -> None:
    with pytest.raises(UsageError, match=r"has no features\.conv9"):
        freeze(network, FreezingOptions(trained_modules=("features.conv9",)))


@pytest.mark.parametrize(("batch_norm", "learning"), [("frozen", 0), ("affine", 24), ("train", 24)])
def test_scale_and_shift_learn_where_the_recipe_says(network: PaintingNetwork, batch_norm: str, learning: int) -> None:
    freeze(network, FreezingOptions(frozen_share=1.0, batch_norm=batch_norm))  # type: ignore[arg-type]
    norms = [module for module in network.trunk.modules() if isinstance(module, nn.BatchNorm2d)]
    learns = sum(tensor.requires_grad for module in norms for tensor in module.parameters())
    assert learns == sum(tensor.requires_grad for tensor in network.trunk.parameters())
    assert (learns > 0) == (learning > 0)
    assert learns in (0, 2 * len(norms))


@pytest.mark.parametrize(("batch_norm", "moves"), [("frozen", False), ("affine", False), ("train", True)])
def test_statistics_move_only_where_they_are_trained(network: PaintingNetwork, batch_norm: str, moves: bool) -> None:
    before = {name: tensor.clone() for name, tensor in network.trunk.named_buffers()}
    set_train_mode(network, FreezingOptions(batch_norm=batch_norm))  # type: ignore[arg-type]
    network(torch.randn(4, 3, 64, 64))
    assert network.dropout.training
    same = [torch.equal(tensor, before[name]) for name, tensor in network.trunk.named_buffers()]
    assert all(same) != moves


def test_the_recipe_of_2020_trains_three_convolutions_the_normalisations_and_the_head() -> None:
    network = build_network("densenet121", 5, "none")
    trained = RECIPES["artnet-2020"].freezing
    freeze(network, trained)
    convolutions = {f"trunk.features.denseblock4.{name}.weight" for name in (
        "denselayer15.conv2", "denselayer16.conv1", "denselayer16.conv2")}  # fmt: skip
    norms = [name for name, module in network.named_modules() if isinstance(module, nn.modules.batchnorm._BatchNorm)]
    expected = convolutions | {f"{name}.{part}" for name in norms for part in ("weight", "bias")}
    expected |= {"dense.weight", "dense.bias"}
    assert {name for name, tensor in network.named_parameters() if tensor.requires_grad} == expected
    assert len(norms) == 121 + 1  # those of DenseNet-121 and the head's
    set_train_mode(network, trained)
    assert all(module.training for module in network.modules())
    assert {network.get_submodule(name).momentum for name in norms[:-1]} == {0.01}


def test_the_recipe_of_2020_keeps_its_steps_to_the_letter() -> None:
    recipe = RECIPES["artnet-2020"]
    groups = parameter_groups(build_network("densenet121", 5, "none"), recipe.rates)
    assert {(group["peak"], group["weight_decay"]) for group in groups} == {(1e-4, 0.0)}
    assert (recipe.epochs, recipe.batch, recipe.views, recipe.size_px, recipe.fit) == (15, 32, "six", 256, "letterbox")
    assert (recipe.rates.epsilon, recipe.rates.schedule, recipe.rates.halve_every) == (1e-7, "halving", 2)
    assert (recipe.label_smoothing, recipe.balance, recipe.augmentation.mixup, recipe.augmentation.enabled) == (
        0,
        0,
        0,
        False,
    )


def test_each_block_learns_at_half_the_rate_of_the_next(network: PaintingNetwork) -> None:
    freeze(network, FreezingOptions(frozen_share=0))
    groups = parameter_groups(network, Rates(head=1.0, trunk=0.5, layer_decay=0.5))
    rate = {id(tensor): group["peak"] for group in groups for tensor in group["params"]}
    assert rate[id(network.dense.weight)] == 1.0
    assert rate[id(network.trunk.get_parameter("conv_head.weight"))] == 0.5  # the last of six blocks
    assert rate[id(network.trunk.get_parameter("blocks.3.0.conv_pw.weight"))] == 0.25
    assert rate[id(network.trunk.get_parameter("conv_stem.weight"))] == 0.5 * 0.5**5


def test_biases_and_normalisations_do_not_decay(network: PaintingNetwork) -> None:
    freeze(network, FreezingOptions(frozen_share=0))
    groups = parameter_groups(network, Rates(weight_decay=0.1))
    assert all((group["weight_decay"] == 0.1) == (tensor.ndim > 1) for group in groups for tensor in group["params"])
    assert sum(len(group["params"]) for group in groups) == len(list(network.parameters()))


@pytest.fixture
def transformer() -> PaintingNetwork:
    return build_network("test_vit", 5, "none", NetworkOptions(size_px=32, pooling="cls_mean"))


def test_the_blocks_of_a_transformer_learn_the_slower_the_earlier_they_are(transformer: PaintingNetwork) -> None:
    freeze(transformer, FreezingOptions(frozen_share=0))
    groups = parameter_groups(transformer, Rates(trunk=1.0, layer_decay=0.5))
    rate = {id(tensor): group["peak"] for group in groups for tensor in group["params"]}
    names = ["pos_embed", *(f"blocks.{block}.attn.qkv.weight" for block in range(6))]
    rates = [rate[id(transformer.trunk.get_parameter(name))] for name in names]
    assert rates == [rates[-1] * 0.5**depth for depth in range(6, -1, -1)]


def test_a_position_embedding_does_not_decay(transformer: PaintingNetwork) -> None:
    freeze(transformer, FreezingOptions(frozen_share=0))
    groups = parameter_groups(transformer, Rates(weight_decay=0.1))
    decay = {id(tensor): group["weight_decay"] for group in groups for tensor in group["params"]}
    assert decay[id(transformer.trunk.get_parameter("pos_embed"))] == 0
    assert decay[id(transformer.trunk.get_parameter("blocks.0.attn.qkv.weight"))] == 0.1


def test_the_backward_pass_ends_where_the_frozen_blocks_do(transformer: PaintingNetwork) -> None:
    freeze(transformer, FreezingOptions(frozen_share=0.5))
    set_train_mode(transformer, FreezingOptions())
    outputs: list[torch.Tensor] = []
    for block in transformer.trunk.blocks:  # type: ignore[union-attr]
        block.register_forward_hook(lambda module, args, output: outputs.append(output))
    transformer(torch.randn(2, 3, 32, 32))
    assert [output.requires_grad for output in outputs] == [False, False, True, True, True, True]


def test_what_is_frozen_is_not_in_the_optimizer(network: PaintingNetwork) -> None:
    freeze(network, FreezingOptions(frozen_share=1.0))
    assert sum(len(group["params"]) for group in parameter_groups(network, Rates())) == 4
