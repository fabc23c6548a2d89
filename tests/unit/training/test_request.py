"""What a user asks of a training: the settings of a new run, and what a resumed one refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from artnet.errors import TrainingError
from artnet.training.request import RunRequest
from artnet.training.run import Run

BEGUN = RunRequest("finetune", "resnet18.a1_in1k", "pretrained", 7, ("rates.trunk=2e-4",), (Path("teacher"),), 3)
RUN = Run(Path("run"), BEGUN.new_settings())


def test_what_is_not_named_is_the_recipes_or_usual() -> None:
    settings = RunRequest(recipe="finetune-vit").new_settings()
    assert (settings.backbone, settings.weights, settings.seed) == ("vit_small_patch14_dinov2", "pretrained", 0)
    assert RunRequest().new_settings().backbone == "densenet121"


@pytest.mark.parametrize("request_", [RunRequest(), BEGUN, RunRequest(overrides=("epochs=7",))])
def test_a_run_is_resumed_without_options_or_with_its_own(request_: RunRequest) -> None:
    request_.check_resumable(RUN)


@pytest.mark.parametrize(
    ("request_", "told"),
    [
        (RunRequest(recipe="probe"), "--recipe finetune, and --recipe probe was"),
        (RunRequest(backbone="resnet18"), "--backbone resnet18.a1_in1k, and --backbone resnet18 was"),
        (RunRequest(weights="none"), "--weights pretrained, and --weights none was"),
        (RunRequest(epochs=8), "--epochs 7, and --epochs 8 was"),
        (RunRequest(teachers=(Path("a"), Path("b"))), "--teacher teacher, and --teacher a b was"),
        (RunRequest(seed=4), "--seed 3, and --seed 4 was"),
        (
            RunRequest(overrides=("rates.trunk=1e-4",)),
            "--set rates.trunk 0.0002, and --set rates.trunk 0.0001 was",
        ),
    ],
)
def test_another_option_is_refused_with_both_values(request_: RunRequest, told: str) -> None:
    with pytest.raises(TrainingError) as caught:
        request_.check_resumable(RUN)
    assert str(caught.value).startswith(f"run: was begun with {told} given; leave it out to resume, or train in")
