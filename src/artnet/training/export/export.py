"""Turn a finished run into a model folder, with everything in it that validation decides.

Knows nothing about training; the graph itself is written by `graph`.
"""

from __future__ import annotations

import shutil
import tempfile
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from PIL import Image

from artnet.data.dataset import read_info
from artnet.errors import DataError, OutputError, UsageError
from artnet.imaging.views import WHOLE, square_view
from artnet.model.card import write_card
from artnet.model.config import (
    GRAPH_FILE,
    OOD_FILE,
    Layer,
    ModelConfig,
    sha256_of,
    write_config,
)
from artnet.model.ood import write_ood_detector
from artnet.model.openvino import OpenVinoEngine
from artnet.model.preprocessing import network_input
from artnet.training.export.calibrate import Calibrated, Network, Progress, calibrate
from artnet.training.export.onnx_graph import Agreement, activation_shapes, check_graph, random_views, write_graph
from artnet.training.network.network import PaintingNetwork, build_network, explained_layers
from artnet.training.run import Run, RunSettings


def export(
    run: Run,
    out: Path,
    facts: Mapping[str, Any] | None = None,
    data: Path | None = None,
    progress: Progress = lambda done, total: None,
) -> Agreement:
    """Write `run` as a model folder and say how well its graph agrees with autograd.

    `facts` are added to what the card says of the making (licences, limits ...); `data` is the run's dataset where it
    no longer lies in the folder that the run remembers. Errors: `OutputError` where `out` exists, `ExportError` where
    the graph does not agree, `DataError` where the dataset is gone or another.
    """
    if out.exists():
        raise OutputError(f"{out}: exists already; choose another folder or remove it first")
    settings = run.settings
    data = find_dataset(settings, data)
    network = build_network(settings.backbone, len(settings.movements), "none", len(settings.styles))
    network.load_state_dict(run.read_result())
    network.eval().requires_grad_(False)
    sample = run.read_tensors("sample")["views"].numpy()  # (N, 3, S, S) uint8
    stored = [square_view(WHOLE, Image.fromarray(pixels)) for pixels in sample.transpose(0, 2, 3, 1)]
    names = explained_layers(network, settings.backbone, settings.size_px)
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}-") as scratch:
        folder = Path(scratch) / "model"
        folder.mkdir()
        write_graph(network, names, settings.size_px, folder / GRAPH_FILE)
        views = [random_views(settings.size_px), network_input(stored, settings.preprocessing)]
        agreement = check_graph(network, names, folder / GRAPH_FILE, views)
        opened = Network(OpenVinoEngine(folder / GRAPH_FILE, cached=False), settings.preprocessing)
        decided = calibrate(opened, data, progress)
        write_ood_detector(folder / OOD_FILE, decided.fitted)
        config = _describe(settings, _layers(network, names, settings.size_px), decided, folder)
        config = replace(config, training={**config.training, **(facts or {})})
        write_config(folder, config)
        write_card(folder, config)
        shutil.move(folder, out)
    return agreement


def find_dataset(settings: RunSettings, named: Path | None) -> Path:
    """Find the dataset that a run was trained on. Errors: `DataError` where it is gone or is another."""
    folder = named or Path(settings.data_folder)
    if named is None and not (settings.data_folder and folder.is_dir()):
        raise DataError(
            f"{settings.data_folder or settings.data}: the run's dataset is no longer there, and export decides on its "
            "validation split; say where it lies now with --data FOLDER"
        )
    info = read_info(folder)
    alike = (info.movements, info.size_px, info.fit) == (settings.movements, settings.size_px, settings.fit)
    known = settings.train_sha256 and info.train_sha256
    if not alike or (known and info.train_sha256 != settings.train_sha256):
        raise DataError(
            f"{folder}: is not the dataset that the run was trained on (other movements, views or training paintings); "
            "name that one with --data FOLDER"
        )
    return folder


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


def _describe(settings: RunSettings, layers: tuple[Layer, ...], decided: Calibrated, folder: Path) -> ModelConfig:
    """Put together config.json: what training fixed, what validation decides, and the files' digests."""
    return ModelConfig(
        name=f"artnet-{settings.backbone.replace('_', '-')}",
        movements=settings.movements,
        taxonomy=settings.taxonomy,
        backbone=settings.backbone,
        preprocessing=settings.preprocessing,
        view_weights=decided.view_weights,
        layers=layers,
        calibration=decided.calibration,
        graph_sha256=sha256_of(folder / GRAPH_FILE),
        styles=settings.styles,
        ood=replace(decided.ood, sha256=sha256_of(folder / OOD_FILE)),
        training={
            "data": settings.data,
            "recipe": settings.recipe_name,
            "starting_weights": Path(settings.weights).name,
            "seed": settings.seed,
            # Which paintings it has seen, so that an evaluation can warn of them; older datasets do not say.
            **({"train_sha256": settings.train_sha256} if settings.train_sha256 else {}),
        },
    )


def _layers(network: PaintingNetwork, names: Sequence[str], size_px: int) -> tuple[Layer, ...]:
    shapes = activation_shapes(network, names, size_px)
    return tuple(
        Layer(depth, name, channels, (rows, columns))
        for depth, (name, (channels, rows, columns)) in enumerate(zip(names, shapes, strict=True), start=1)
    )
