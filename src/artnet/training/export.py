"""Turn a finished run into a model folder, with everything in it that validation decides.

Knows nothing about training; the graph itself is written by `graph`.
"""

from __future__ import annotations

import math
import shutil
import tempfile
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from artnet.card import write_card
from artnet.classify import vote
from artnet.errors import OutputError, UsageError
from artnet.metrics import confidence_for_accuracy, fit_temperature, negative_log_likelihood
from artnet.model import (
    GRAPH_FILE,
    Calibration,
    Layer,
    ModelConfig,
    Preprocessing,
    sha256_of,
    write_config,
)
from artnet.training.graph import Agreement, check_graph, forward_and_backward, random_views, write_graph
from artnet.training.network import PaintingNetwork, build_network, explained_layers
from artnet.training.run import Run, RunSettings
from artnet.views import REGIONS, VIEWS, WHOLE

WANTED_ACCURACY = 0.8  # of the answers that are not called unsure
ENOUGH_PAINTINGS = 200  # to choose the weights of the views' votes on


def export(run: Run, out: Path, facts: Mapping[str, Any] | None = None) -> Agreement:
    """Write `run` as a model folder and say how well its graph agrees with autograd.

    `facts` are added to what the card says of the making (licences, limits ...). Errors: `OutputError` where `out`
    exists, `ExportError` where the graph does not agree.
    """
    if out.exists():
        raise OutputError(f"{out}: exists already; choose another folder or remove it first")
    settings = run.settings
    network = build_network(settings.backbone, len(settings.movements), "none")
    network.load_state_dict(run.read_tensors("best"))
    network.eval().requires_grad_(False)
    validation = run.read_tensors("validation")
    names = explained_layers(network, settings.backbone, settings.size_px)
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}-") as scratch:
        folder = Path(scratch) / "model"
        folder.mkdir()
        write_graph(network, names, settings.size_px, folder / GRAPH_FILE)
        views = [random_views(settings.size_px), _normalised(validation["sample"].numpy(), settings)]
        agreement = check_graph(network, names, folder / GRAPH_FILE, views)
        config = _describe(network, names, settings, validation, sha256_of(folder / GRAPH_FILE))
        config = replace(config, training={**config.training, **(facts or {})})
        write_config(folder, config)
        write_card(folder, config)
        shutil.move(folder, out)
    return agreement


def read_facts(path: Path) -> dict[str, Any]:
    """Read a TOML file of facts for the model card: texts, and under `limits` a list of texts.

    Errors: `UsageError` for a file that is missing, is no TOML or holds anything else.
    """
    try:
        facts = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: cannot be read as TOML ({error})") from error
    for name, value in facts.items():
        texts = value if name == "limits" and isinstance(value, list) else [value]
        if not all(isinstance(text, str) for text in texts):
            raise UsageError(f"{path}: {name} must be a text, or for limits a list of texts")
    return facts


def choose_view_weights(
    logits: np.ndarray, y_true: np.ndarray, shorter_sides: np.ndarray, size_px: int
) -> dict[str, float]:
    """Choose on validation how much the whole and the five regions weigh in the vote.

    `logits` (N, 6, C). Only paintings of at least twice a view's size can tell, since in smaller ones the regions are
    nearly the whole again; with fewer than 200 of them the whole votes alone. Tried: regions that together weigh a
    quarter, half or three quarters. They cost five more views, so they must earn a hundredth of a nat of likelihood.
    """
    large = shorter_sides >= 2 * size_px
    if large.sum() < ENOUGH_PAINTINGS:
        return _weights(0.0)
    logits, y_true = logits[large], y_true[large]
    losses = {}
    for share in (0.0, 0.25, 0.5, 0.75):
        weights = [_weights(share)[name] for name in VIEWS]
        losses[share] = min(
            negative_log_likelihood(y_true, vote(logits, weights, temperature))
            for temperature in np.geomspace(0.5, 3, 13)
        )
    best = min(losses, key=lambda share: losses[share])
    return _weights(best if losses[best] < losses[0.0] - 0.01 else 0.0)


def _weights(regions_share: float) -> dict[str, float]:
    return {WHOLE: 1 - regions_share, **{name: regions_share / len(REGIONS) for name in REGIONS}}


def _describe(
    network: PaintingNetwork,
    names: Sequence[str],
    settings: RunSettings,
    validation: dict[str, Tensor],
    graph_sha256: str,
) -> ModelConfig:
    """Put together config.json: what training fixed, and what validation decides."""
    logits, y_true = validation["logits"].numpy(), validation["movements"].numpy()
    weights = choose_view_weights(logits, y_true, validation["shorter_sides"].numpy(), settings.size_px)
    shares = [weights[name] for name in VIEWS]
    temperature = fit_temperature(lambda t: negative_log_likelihood(y_true, vote(logits, shares, t)))
    threshold = confidence_for_accuracy(y_true, vote(logits, shares, temperature), WANTED_ACCURACY)
    mean, std = settings.mean, settings.std
    return ModelConfig(
        name=f"artnet-{settings.backbone.replace('_', '-')}",
        movements=settings.movements,
        taxonomy=settings.taxonomy,
        backbone=settings.backbone,
        preprocessing=Preprocessing(
            settings.size_px, settings.fit, (mean[0], mean[1], mean[2]), (std[0], std[1], std[2])
        ),
        view_weights=weights,
        layers=_layers(network, names, settings.size_px),
        calibration=Calibration(round(temperature, 4), math.floor(threshold * 1e4) / 1e4),
        graph_sha256=graph_sha256,
        training={
            "data": settings.data,
            "recipe": settings.recipe_name,
            "starting_weights": Path(settings.weights).name,
            "seed": settings.seed,
            # Which paintings it has seen, so that an evaluation can refuse them; older datasets do not say.
            **({"train_sha256": settings.train_sha256} if settings.train_sha256 else {}),
        },
    )


def _layers(network: PaintingNetwork, names: Sequence[str], size_px: int) -> tuple[Layer, ...]:
    outputs = forward_and_backward(network, names)(
        torch.zeros(1, 3, size_px, size_px), torch.ones(1, network.dense.out_features)
    )
    maps = outputs[2::2]
    return tuple(
        Layer(depth, name, int(tensor.shape[1]), (int(tensor.shape[2]), int(tensor.shape[3])))
        for depth, (name, tensor) in enumerate(zip(names, maps, strict=True), start=1)
    )


def _normalised(pixels: np.ndarray, settings: RunSettings) -> np.ndarray:
    """Scale stored views (N, 3, S, S) uint8 as the network wants them."""
    mean, std = (np.asarray(values, np.float32).reshape(3, 1, 1) for values in (settings.mean, settings.std))
    result: np.ndarray = ((pixels.astype(np.float32) / 255 - mean) / std).astype(np.float32)
    return result
