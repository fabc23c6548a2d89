"""A tiny dataset and a tiny finished run, made for real by the training half."""

from __future__ import annotations

from pathlib import Path

import torch

from artnet.layouts import read_catalog
from artnet.prepare import PrepareOptions, prepare
from artnet.taxonomy import load_taxonomy
from artnet.training.fit import fit
from artnet.training.machine import FitOptions
from artnet.training.recipe import Recipe, Trained
from artnet.training.run import Run, RunSettings
from collections_fixture import Work, draw_style_folders, paint

torch.set_num_threads(1)  # so small a network gains nothing from more, and on a busy machine waits for them

SIZE_PX = 64
BACKBONE = "test_efficientnet"  # a third of a million parameters, made by timm's authors for tests
RECIPE = Recipe(epochs=2, batch=8, trained=Trained(frozen_share=0.0))
ON_CPU = FitOptions(device="cpu", workers=0)


def tiny_dataset(folder: Path) -> Path:
    """Prepare 75 drawn paintings of all five movements."""
    folder.mkdir(exist_ok=True)
    styles = ("Cubism", "Impressionism", "Expressionism", "Realism", "Abstract Art")
    works = [Work(styles[index % 5], "", f"{index}", "", paint(index)) for index in range(75)]
    collection = draw_style_folders(folder / "collection", works)
    options = PrepareOptions(size_px=SIZE_PX, fit="stretch", seed=1, processes=1)
    prepare([read_catalog(collection)], folder / "data", load_taxonomy(), options)
    return folder / "data"


def settings(seed: int = 0, recipe: Recipe = RECIPE) -> RunSettings:
    """Describe a tiny training."""
    return RunSettings(BACKBONE, "none", "tiny", recipe, seed=seed)


def tiny_run(data: Path, folder: Path, seed: int = 0) -> Run:
    """Train for two epochs, a few seconds."""
    return fit(data, folder, settings(seed), ON_CPU)
