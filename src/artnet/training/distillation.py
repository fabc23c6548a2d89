"""Distillation: the scores of trained models as part of the targets of a new one.

Hinton et al., "Distilling the knowledge in a neural network", 2015, https://arxiv.org/abs/1503.02531.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from artnet.errors import UsageError
from artnet.hardware import processor_count
from artnet.metrics.classification import softmax
from artnet.model.classifier import Classifier
from artnet.model.config import read_model
from artnet.training.batches.views import StoredViews
from artnet.training.linear_probe import infer_views
from artnet.training.run import Run, RunSettings
from artnet.training.trainer import Session

TEACHER = "teacher"  # teacher.safetensors


def write_teacher_scores(session: Session, views: StoredViews) -> None:
    """Compute the mean of the teachers' calibrated scores of each whole view, unless the run has them.

    They are kept in the run, so a resumed training needs no teacher.
    """
    if session.run.has_tensors(TEACHER):
        return
    folders, done, means = session.settings.teachers, 0, []
    for folder in folders:
        teacher = Classifier.load(folder, concurrency=processor_count())
        rows = []
        for logits in infer_views(teacher.engine, views, teacher.config.preprocessing, "logits"):
            rows.append(softmax(logits, teacher.config.calibration.temperature))
            done += len(logits)
            session.callbacks.on_embedded(done, len(folders) * len(views.encoded))
        means.append(np.concatenate(rows))
    session.run.write_tensors(TEACHER, {"scores": torch.from_numpy(np.mean(means, axis=0, dtype=np.float32))})


def mix_teacher_scores(run: Run, views: StoredViews) -> StoredViews:
    """Return the training views with the teachers' scores in their shares: Hinton et al., 2015, section 2.

    Calibrated scores take the place of that paper's raised temperature.
    """
    scores = run.read_tensors(TEACHER)["scores"].numpy()
    share = run.settings.recipe.teacher_share
    return replace(views, shares=((1 - share) * views.shares + share * scores).astype(np.float32))


def check_teachers(settings: RunSettings) -> None:
    """Raise `UsageError` for a teacher that does not predict these movements from these views."""
    for folder in settings.teachers:
        _, config = read_model(Path(folder))
        ours = (settings.movements, settings.size_px, settings.fit)
        if (config.movements, config.preprocessing.size_px, config.preprocessing.fit) != ours:
            raise UsageError(
                f"{folder}: predicts {', '.join(config.movements)} from views of {config.preprocessing.size_px} px, "
                f"{config.preprocessing.fit}, but the dataset has {', '.join(settings.movements)} and views of "
                f"{settings.size_px} px, {settings.fit}; name a model that was trained on views like these"
            )
