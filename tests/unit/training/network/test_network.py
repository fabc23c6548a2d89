"""The network: what is loaded, how it is cut and pooled, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from artnet.errors import TrainingError, UsageError
from artnet.training.network.layers import explained_layers
from artnet.training.network.network import NetworkOptions, build_network, normalisation
from artnet.training.recipe import Pooling

TINY = "test_efficientnet"
TINY_VIT = "test_vit"  # six blocks of 64 channels, patches of 16 px, made by timm's authors for tests


def test_the_head_is_pooling_dropout_normalisation_and_a_dense_layer() -> None:
    network = build_network(TINY, 5, "none").eval()
    maps = network.trunk.forward_features(torch.ones(2, 3, 64, 64))
    logits = network(torch.ones(2, 3, 64, 64)).movements
    assert logits.shape == (2, 5)
    assert torch.allclose(logits, network.dense(network.norm(maps.mean((2, 3)))))
    assert network.dropout.p == 0.5


def test_a_movement_that_was_drawn_half_as_often_gains_a_factor_of_two() -> None:
    network, views = build_network(TINY, 3, "none").eval(), torch.ones(1, 3, 64, 64)
    with torch.no_grad():
        before = network(views).movements[0]
        network.correct_prior(np.array([0.4, 0.2, 0.4]))
        change = network(views).movements[0] - before
    assert (change[1] - change[0]).exp().item() == pytest.approx(2, rel=1e-5)
    assert (change[2] - change[0]).item() == pytest.approx(0, abs=1e-5)


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


@pytest.mark.parametrize(
    ("backbone", "hint"),
    [
        ("densenet120", r"'densenet120'; did you mean densenet\d+ or densenet\d+"),
        ("dinov2", r"did you mean \w+dinov2 or \w+dinov2"),
        ("resnt18.a1_in1k", "'resnt18'; did you mean resnet18 or"),
        ("resnet18.imagenet", r"no weights 'imagenet' of resnet18; use .*resnet18\.a1_in1k"),
        ("hf-hub:timm/resnet18", r"timm\.list_models\(\) lists"),
        ("zzz", r"'zzz'; timm\.list_models\(\) lists those that it knows$"),
    ],
)
def test_an_unknown_backbone_is_refused_with_names_like_it_if_there_are_any(backbone: str, hint: str) -> None:
    with pytest.raises(UsageError, match=hint):
        build_network(backbone, 5, "none")


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forbid every connection and every look-up of a name."""

    def refuse(*arguments: object, **options: object) -> None:
        raise RuntimeError(f"an address was contacted: {arguments}")

    monkeypatch.setattr("socket.getaddrinfo", refuse)
    monkeypatch.setattr("socket.socket.connect", refuse)


@pytest.mark.usefixtures("no_network")
@pytest.mark.parametrize("backbone", [TINY, f"{TINY}.r160_in1k"])
def test_nothing_is_fetched_unless_it_is_asked_for(backbone: str, tmp_path: Path) -> None:
    untrained = build_network(backbone, 5, "none")
    save_file(untrained.trunk.state_dict(), tmp_path / "weights.safetensors")
    loaded = build_network(backbone, 5, str(tmp_path / "weights.safetensors")).trunk
    assert all(torch.equal(tensor, loaded.state_dict()[name]) for name, tensor in untrained.trunk.state_dict().items())
    with pytest.raises(TrainingError, match="could not be fetched"):  # so they are seen
        build_network(backbone, 5, "pretrained")


def test_a_tag_changes_neither_layers_nor_the_way_of_its_weights() -> None:
    tagged, plain = "densenet121.ra_in1k", "densenet121"
    named = [explained_layers(build_network(name, 5, "none"), name, 64) for name in (tagged, plain)]
    assert named[0] == named[1]
    assert normalisation(build_network("mobilenetv2_100.ra_in1k", 5, "none"), "mobilenetv2_100.ra_in1k")[0][0] == 0.485


def test_the_head_fits_a_backbone_whose_own_head_is_wider() -> None:
    assert build_network("mobilenetv3_small_100", 5, "none").eval()(torch.zeros(1, 3, 64, 64)).movements.shape == (1, 5)


def test_nothing_works_in_place() -> None:
    network = build_network("densenet121", 5, "none")
    assert not [module for module in network.modules() if getattr(module, "inplace", False)]


def test_the_normalisation_is_that_of_the_starting_weights() -> None:
    google = build_network("mobilenet_edgetpu_100", 5, "none")
    assert normalisation(google, "mobilenet_edgetpu_100") == ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
    assert normalisation(build_network("resnet18", 5, "none"), "resnet18")[0] == (0.485, 0.456, 0.406)


@pytest.mark.parametrize(("pooling", "width"), [("own", 64), ("cls", 64), ("mean", 64), ("cls_mean", 128)])
def test_the_pooling_is_what_the_options_say(pooling: Pooling, width: int) -> None:
    network = build_network(TINY_VIT, 5, "none", NetworkOptions(size_px=32, pooling=pooling)).eval()
    assert network.dense.in_features == width
    assert network(torch.zeros(2, 3, 32, 32)).movements.shape == (2, 5)


def test_later_blocks_are_gone_and_the_last_normalisation_is_not() -> None:
    whole = build_network(TINY_VIT, 5, "none", NetworkOptions(size_px=32)).eval().trunk
    kept = build_network(TINY_VIT, 5, "none", NetworkOptions(size_px=32, last_block=1)).eval().trunk
    shared = {name: tensor for name, tensor in whole.state_dict().items() if name in kept.state_dict()}
    kept.load_state_dict(shared)  # all of it: nothing is missing
    assert {name.split(".")[1] for name, _ in kept.named_parameters() if name.startswith("blocks.")} == {"0", "1"}
    views = torch.randn(1, 3, 32, 32)
    (expected,) = whole.forward_intermediates(views, [1], norm=True, output_fmt="NLC", intermediates_only=True)
    torch.testing.assert_close(kept.forward_features(views)[:, kept.num_prefix_tokens :], expected)


def test_weights_of_another_size_are_resampled_by_timm(tmp_path: Path) -> None:
    large = build_network(TINY_VIT, 5, "none", NetworkOptions(size_px=64)).trunk.state_dict()
    save_file(large, tmp_path / "large.safetensors")
    small = build_network(TINY_VIT, 5, str(tmp_path / "large.safetensors"), NetworkOptions(size_px=32)).trunk
    assert small.pos_embed.shape[1] < large["pos_embed"].shape[1]
    assert torch.equal(small.blocks[0].mlp.fc1.weight, large["blocks.0.mlp.fc1.weight"])
    assert "state_dict" not in small.pretrained_cfg


def test_int8_weights_are_loaded_dequantised(tmp_path: Path) -> None:
    state = build_network(TINY_VIT, 5, "none", NetworkOptions(size_px=32)).trunk.state_dict()
    name = "blocks.0.attn.qkv.weight"
    state[name] = torch.full_like(state[name], 3).to(torch.int8)
    save_file({**state, f"{name}.scale": torch.full((len(state[name]),), 0.5)}, tmp_path / "int8.safetensors")
    found = build_network(TINY_VIT, 5, str(tmp_path / "int8.safetensors"), NetworkOptions(size_px=32))
    assert set(found.trunk.get_parameter(name).flatten().tolist()) == {1.5}


@pytest.mark.parametrize(
    ("backbone", "options", "fault"),
    [
        (TINY_VIT, NetworkOptions(size_px=40), r"patches of 16 px.*--size-px 32 or 48"),
        (TINY_VIT, NetworkOptions(size_px=32, last_block=6), "cannot be cut after block 6"),
        (TINY, NetworkOptions(pooling="cls"), "has no class token to pool; use --set pooling=own or mean"),
        ("densenet121", NetworkOptions(last_block=9), "cannot be cut after block 9"),
    ],
)
def test_what_a_backbone_cannot_do_is_refused_in_a_sentence(backbone: str, options: NetworkOptions, fault: str) -> None:
    with pytest.raises(UsageError, match=fault):
        build_network(backbone, 5, "none", options)


def test_attention_is_not_fused_where_it_is_explained() -> None:
    network = build_network(TINY_VIT, 5, "none", NetworkOptions(size_px=32))
    assert not [module for module in network.modules() if getattr(module, "fused_attn", False)]
