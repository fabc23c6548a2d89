"""Training with the scores of other models in the targets."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import numpy as np
import pytest

from artnet import Classifier
from artnet.errors import UsageError
from artnet.imaging.views import WHOLE, square_view
from artnet.model.config import default_model
from artnet.training.batches.views import load_views
from artnet.training.distillation import mix_teacher_scores
from artnet.training.fit import fit, resume
from artnet.training.recipe import find_recipe
from artnet.training.run import Run, RunSettings
from fixtures.training import ON_CPU, settings

PROBE = dataclasses.replace(find_recipe("probe"), epochs=1, batch=16, teacher_share=0.25)


def taught_by(*folders: Path) -> RunSettings:
    return dataclasses.replace(settings(recipe=PROBE), teachers=tuple(map(str, folders)))


@pytest.fixture(scope="module")
def taught(data: Path, exported: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("taught")
    teacher = shutil.copytree(exported, folder / "teacher")
    run = fit(data, folder / "run", taught_by(teacher, exported), ON_CPU)
    shutil.rmtree(teacher)
    return run


def test_a_quarter_of_the_targets_are_the_teachers_scores(taught: Run, data: Path, exported: Path) -> None:
    views, teacher = load_views(data, "train"), Classifier.load(exported)
    shares = mix_teacher_scores(taught, views).shares
    outputs = teacher.infer([square_view(WHOLE, views.decode(0))])
    scores = np.exp(outputs.logits[0] / teacher.config.calibration.temperature)
    expected = 0.75 * np.eye(5)[views.movements[0]] + 0.25 * scores / scores.sum()
    assert shares[0] == pytest.approx(expected, abs=0.02)  # the runtime may compute in bf16
    assert shares.sum(axis=1) == pytest.approx(np.ones(len(shares)), abs=1e-5)


def test_a_resumed_training_needs_no_teacher(taught: Run, data: Path) -> None:
    again = resume(data, taught.folder, ON_CPU)
    assert again.settings.teachers == taught.settings.teachers


def test_a_teacher_of_other_views_is_refused(data: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"views of 224 px, stretch, but the dataset has .* 64 px"):
        fit(data, tmp_path / "run", taught_by(default_model()), ON_CPU)
