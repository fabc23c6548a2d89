"""Training a tiny vision transformer for real: truncated, half frozen, stopped and resumed."""

from __future__ import annotations

import dataclasses
import signal
from pathlib import Path

import pytest
import torch

from artnet.errors import StoppedError
from artnet.training.fit import fit, resume
from artnet.training.recipe import Augmentation, find_recipe
from artnet.training.run import RunSettings
from artnet.training.trainer import Callbacks, StepReport
from fixtures.training import ON_CPU

RECIPE = dataclasses.replace(find_recipe("finetune-vit"), epochs=2, batch=8, last_block=4, head_first=False)
SETTINGS = RunSettings("test_vit", "none", "tiny", RECIPE)


def test_a_transformer_trains_its_later_blocks_and_goes_on_to_the_same_bits(data: Path, tmp_path: Path) -> None:
    def stop(step: StepReport) -> None:
        if (step.epoch, step.batch) == (2, 1):
            signal.raise_signal(signal.SIGINT)

    whole = fit(data, tmp_path / "whole", SETTINGS, ON_CPU)
    with pytest.raises(StoppedError):
        fit(data, tmp_path / "run", SETTINGS, ON_CPU, Callbacks(on_step=stop))
    resumed = resume(data, tmp_path / "run", ON_CPU)
    start, last = whole.read_tensors("start"), whole.read_tensors("best")
    moved = {name.split(".")[2] for name in last if ".blocks." in name and not torch.equal(last[name], start[name])}
    assert moved == {"2", "3", "4"}
    assert all(torch.equal(tensor, last[name]) for name, tensor in resumed.read_tensors("best").items())


def test_crops_are_resized_where_the_backbone_takes_one_size_only(data: Path, tmp_path: Path) -> None:
    warnings: list[str] = []
    recipe = dataclasses.replace(RECIPE, epochs=1, augmentation=Augmentation(crop_share=0.5))
    run = fit(
        data,
        tmp_path / "run",
        dataclasses.replace(SETTINGS, recipe=recipe),
        ON_CPU,
        Callbacks(on_warning=warnings.append),
    )
    assert run.settings.recipe.augmentation.crop_share == 1
    assert any("takes views of one size only" in warning for warning in warnings)
