"""The export of a finished run as a model folder."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from PIL import Image

from artnet.atomic import check_absent, new_folder
from artnet.data.dataset import read_info
from artnet.errors import DataError, UsageError, reason
from artnet.evaluation.property_ranges import measure_property_ranges
from artnet.imaging.views import WHOLE, square_view
from artnet.model.card import write_card
from artnet.model.config import GRAPH_FILE, OOD_FILE, PROPERTIES_FILE, Layer, ModelConfig, sha256_of, write_config
from artnet.model.ood import write_ood_detector
from artnet.model.openvino import OpenVinoEngine
from artnet.model.preprocessing import network_input
from artnet.model.property_ranges import write_property_ranges
from artnet.model.self_check import measure_self_check
from artnet.training.batches.views import movement_frequencies
from artnet.training.export.calibrate import ExportedNetwork, FittedSettings, Progress, calibrate
from artnet.training.export.onnx_graph import (
    Agreement,
    Floats,
    activation_shapes,
    check_graph,
    random_views,
    write_graph,
)
from artnet.training.export.weight_format import WeightError, WeightFormat, check_weights, convert_weights
from artnet.training.network.layers import explained_layers
from artnet.training.network.network import PaintingNetwork, build_network
from artnet.training.run import Run, RunSettings


@dataclass(frozen=True)
class ExportOptions:
    """How a run is exported.

    Attributes:
        facts: added to the `training` record of config.json and so to the model card (licences, limits ...)
        data: the run's dataset, where it is no longer in the folder that the run remembers
        outliers: folders of images that are no modern paintings, for the OOD detector to tell from them
        weight_format: in which the graph's matrices and kernels are stored
    """

    facts: Mapping[str, Any] = field(default_factory=dict)
    data: Path | None = None
    outliers: tuple[str, ...] = ()
    weight_format: WeightFormat = "f32"


@dataclass(frozen=True)
class ExportResult:
    """How well the written graph agrees with autograd and, in another weight format, with itself in float32."""

    agreement: Agreement
    weight_error: WeightError | None


_DEFAULTS = ExportOptions()


def export(
    run: Run, out: Path, options: ExportOptions = _DEFAULTS, progress: Progress = lambda done, total: None
) -> ExportResult:
    """Write a run as a model folder and return how well its graph agrees with autograd.

    Args:
        run: a finished run
        out: folder to create
        options: the dataset's folder, the format of the weights, and what else to use
        progress: called with the number of paintings done and their total while validation runs

    Raises:
        OutputError: where `out` exists or cannot be written
        UsageError: where a folder of outliers holds no image that can be read
        ExportError: where the graph does not agree with autograd, or the weight format changes it too much
        DataError: where the dataset is gone or another
    """
    check_absent(out)
    settings = run.settings
    data = find_dataset(settings, options.data)
    network = build_network(settings.backbone, len(settings.movements), "none", settings.network)
    network.load_state_dict(run.read_final_weights())
    if settings.recipe.prior_correction:
        network.correct_prior(movement_frequencies(data, settings.recipe.balance))
    network.eval().requires_grad_(False)
    sample = run.read_tensors("sample")["views"].numpy()  # (N, 3, S, S) uint8
    stored = [square_view(WHOLE, Image.fromarray(pixels)) for pixels in sample.transpose(0, 2, 3, 1)]
    names = explained_layers(network, settings.backbone, settings.size_px)
    with new_folder(out) as folder:
        write_graph(network, names, settings.size_px, folder / GRAPH_FILE)
        views = [random_views(settings.size_px), network_input(stored, settings.preprocessing)]
        agreement = check_graph(network, names, folder / GRAPH_FILE, views)
        weight_error = _convert(folder / GRAPH_FILE, options.weight_format, views[-1])
        engine = OpenVinoEngine(folder / GRAPH_FILE, cached=False)
        exported = ExportedNetwork(engine, settings.preprocessing, settings.styles)
        fitted = calibrate(exported, data, options.outliers, progress)
        write_ood_detector(folder / OOD_FILE, fitted.detector)
        write_property_ranges(folder / PROPERTIES_FILE, measure_property_ranges(data))
        config = _config(settings, _layers(network, names, settings.size_px), fitted, folder)
        exact = OpenVinoEngine(folder / GRAPH_FILE, "f32", cached=False)
        self_check = measure_self_check(exact, settings.preprocessing)
        config = replace(config, self_check=self_check, training={**config.training, **options.facts})
        write_config(folder, config)
        write_card(folder, config)
    return ExportResult(agreement, weight_error)


def find_dataset(settings: RunSettings, data: Path | None) -> Path:
    """Return the folder of the dataset that a run was trained on, which `data` names if it has been moved.

    Raises:
        DataError: where it is gone, or `data` is another dataset
    """
    folder = data or Path(settings.data_folder)
    if data is None and not (settings.data_folder and folder.is_dir()):
        raise DataError(
            f"{settings.data_folder or settings.data}: the run's dataset is no longer there, and export needs its "
            "validation split; name its new location with --data FOLDER"
        )
    if not settings.is_of(read_info(folder)):
        raise DataError(
            f"{folder}: is not the dataset that the run was trained on (other movements, views or training paintings); "
            "name the right one with --data FOLDER"
        )
    return folder


def read_facts(path: Path) -> dict[str, Any]:
    """Read facts for the model card from a TOML file: strings, and under `limits` perhaps a list of strings.

    Raises:
        UsageError: for a file that is missing, is not TOML or holds anything else
    """
    try:
        facts = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: cannot be read as TOML ({reason(error)})") from error
    for name, value in facts.items():
        texts = value if name == "limits" and isinstance(value, list) else [value]
        if not all(isinstance(text, str) for text in texts):
            raise UsageError(f"{path}: {name} must be a string, or for limits a list of strings")
    return facts


def _convert(path: Path, weight_format: WeightFormat, views: Floats) -> WeightError | None:
    """Convert the weights of a graph and return what that changes on real views."""
    if weight_format == "f32":
        return None
    exact = path.with_suffix(".f32.onnx")
    path.rename(exact)
    convert_weights(exact, path, weight_format)
    before, after = (OpenVinoEngine(each, "f32", cached=False) for each in (exact, path))
    error = check_weights(before, after, views)
    exact.unlink()
    return error


def _config(settings: RunSettings, layers: tuple[Layer, ...], fitted: FittedSettings, folder: Path) -> ModelConfig:
    return ModelConfig(
        name=f"artnet-{settings.backbone.replace('_', '-')}",
        movements=settings.movements,
        taxonomy=settings.taxonomy,
        backbone=settings.backbone,
        preprocessing=settings.preprocessing,
        view_weights=fitted.view_weights,
        layers=layers,
        calibration=fitted.calibration,
        graph_sha256=sha256_of(folder / GRAPH_FILE),
        styles=settings.styles,
        style_thresholds=fitted.style_thresholds,
        ood=replace(fitted.ood, sha256=sha256_of(folder / OOD_FILE)),
        properties_sha256=sha256_of(folder / PROPERTIES_FILE),
        training={
            "data": settings.data,
            "recipe": settings.recipe_name,
            "starting_weights": Path(settings.weights).name,
            "seed": settings.seed,
            # Identifies the training paintings, so that an evaluation can warn of them; older datasets lack it.
            **({"train_sha256": settings.train_sha256} if settings.train_sha256 else {}),
        },
    )


def _layers(network: PaintingNetwork, names: Sequence[str], size_px: int) -> tuple[Layer, ...]:
    shapes = activation_shapes(network, names, size_px)
    return tuple(
        Layer(depth, name, channels, (rows, columns))
        for depth, (name, (channels, rows, columns)) in enumerate(zip(names, shapes, strict=True), start=1)
    )
