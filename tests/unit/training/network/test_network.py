"""The network: what is loaded, what is frozen, which layers are explained."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from artnet.errors import TrainingError, UsageError
from artnet.training.network.network import (
    build_network,
    explained_layers,
    normalisation,
)

TINY = "test_efficientnet"


def test_the_head_is_pooling_dropout_normalisation_and_a_dense_layer() -> None:
    network = build_network(TINY, 5, "none").eval()
    maps = network.trunk(torch.ones(2, 3, 64, 64))
    logits = network(torch.ones(2, 3, 64, 64)).movements
    assert logits.shape == (2, 5)
    assert torch.allclose(logits, network.dense(network.norm(maps.mean((2, 3)))))
    assert network.dropout.p == 0.5


def test_weights_come_from_a_file_without_its_classifier(tmp_path: Path) -> None:
    source = build_network(TINY, 5, "none").trunk
    state = {name: tensor.clone() for name, tensor in source.state_dict().items()}
    save_file({**state, "classifier.weight": torch.ones(1000, 8)}, tmp_path / "weights.safetensors")
    loaded = build_network(TINY, 3, str(tmp_path / "weights.safetensors")).trunk
    assert all(torch.equal(tensor, state[name]) for name, tensor in loaded.state_dict().items())


def test_half_precision_weights_become_float32(tmp_path: Path) -> None:
    state = build_network(TINY, 5, "none").trunk.state_dict()
    half = {name: tensor.half() if tensor.is_floating_point() else tensor for name, tensor in state.items()}
    save_file(half, tmp_path / "half.safetensors")
    network = build_network(TINY, 5, str(tmp_path / "half.safetensors"))
    assert {tensor.dtype for tensor in network.parameters()} == {torch.float32}


def test_weights_of_another_network_are_listed_in_one_error(tmp_path: Path) -> None:
    state = build_network(TINY, 5, "none").trunk.state_dict()
    name = next(iter(state))
    changed = {key: tensor.clone() for key, tensor in state.items() if key != name}
    save_file({**changed, "surprise": torch.ones(1)}, tmp_path / "other.safetensors")
    with pytest.raises(TrainingError, match=rf"1 missing \({name}\); 1 unexpected \(surprise\); 0 of another"):
        build_network(TINY, 5, str(tmp_path / "other.safetensors"))


@pytest.mark.parametrize(("content", "fault"), [(None, "no such weights file"), (b"pickle", "as safetensors")])
def test_a_weights_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | None, fault: str) -> None:
    path = tmp_path / "weights.safetensors"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(TrainingError, match=fault):
        build_network(TINY, 5, str(path))


def test_published_weights_that_cannot_be_fetched_are_named_with_their_address(monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(*names: object, **options: object) -> None:
        raise OSError("no route to host")

    monkeypatch.setattr("timm.create_model", offline)
    with pytest.raises(TrainingError, match=r"fetch https://huggingface\.co/timm/densenet121.*--weights FILE"):
        build_network("densenet121", 5, "pretrained")


def test_an_unknown_backbone_is_refused_with_close_names() -> None:
    with pytest.raises(UsageError, match="densenet121"):
        build_network("densenet120", 5, "none")


@pytest.mark.parametrize("backbone", ["vit_tiny_patch16_224", "swin_tiny_patch4_window7_224"])
def test_a_backbone_without_maps_is_refused(backbone: str) -> None:
    with pytest.raises(UsageError, match="choose a convolutional one"):
        build_network(backbone, 5, "none")


def test_the_head_fits_a_backbone_whose_own_head_is_wider() -> None:
    assert build_network("mobilenetv3_small_100", 5, "none").eval()(torch.zeros(1, 3, 64, 64)).movements.shape == (1, 5)


def test_nothing_works_in_place() -> None:
    network = build_network("densenet121", 5, "none")
    assert not [module for module in network.modules() if getattr(module, "inplace", False)]


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


@pytest.mark.parametrize("backbone", ["resnet18", "mobilenet_edgetpu_100", TINY])
def test_any_other_backbone_has_nine_different_layers_and_the_last_is_its_output(backbone: str) -> None:
    layers = explained_layers(build_network(backbone, 5, "none"), backbone, 64)
    assert len(set(layers)) == 9
    assert layers[8] == "trunk"


def test_the_normalisation_is_that_of_the_starting_weights() -> None:
    google = build_network("mobilenet_edgetpu_100", 5, "none")
    assert normalisation(google, "mobilenet_edgetpu_100") == ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
    assert normalisation(build_network("resnet18", 5, "none"), "resnet18")[0] == (0.485, 0.456, 0.406)
