"""A model folder: its files, and config.json as an object."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from artnet.errors import ModelError, reason
from artnet.imaging.views import FITS, VIEWS, WHOLE, Fit

FORMAT = "artnet-model/1"
CONFIG_FILE = "config.json"
GRAPH_FILE = "model.onnx"
CARD_FILE = "README.md"
OOD_FILE = "ood.npz"
PROPERTIES_FILE = "properties.json"
OOD_METHODS = ("mahalanobis", "mahalanobis+outliers")  # without and with outliers that it was fitted to tell
DEPTHS = 9
GROUPS = ("shallow", "middle", "deep")  # three depths each, as the three buttons of the 2020 project


@dataclass(frozen=True)
class Preprocessing:
    """How an image becomes the network's input: fitted to `size_px`, scaled to 0..1, then (x - mean) / std.

    With `trim` its uniform margins are left out first; models of older versions have none of it.
    """

    size_px: int
    fit: Fit
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    trim: bool = False


@dataclass(frozen=True)
class Layer:
    """One explained layer: its depth, 1 (shallow) to 9 (deep), its name in the network, its channels and grid."""

    depth: int
    name: str
    channels: int
    grid: tuple[int, int]

    @property
    def group(self) -> str:
        """Return the name of the group of three depths that it belongs to; `pixels` for depth 0."""
        return GROUPS[(self.depth - 1) * len(GROUPS) // DEPTHS] if self.depth else "pixels"


@dataclass(frozen=True)
class Calibration:
    """How logits become scores and a decision.

    Attributes:
        temperature: scores are softmax(logits / temperature)
        unsure_below: confidence under which a prediction is unsure
        coverage: share of the validation paintings at or above it; None in older models
        accuracy: share of those that are correct; None in older models
        target_accuracy: what that was to be at least; None in older models
        set_threshold: a set holds the highest movements, until their scores add up to more; None in older models
        set_coverage: share of paintings whose set is to hold the true movement; None in older models
    """

    temperature: float
    unsure_below: float
    coverage: float | None = None
    accuracy: float | None = None
    target_accuracy: float | None = None
    set_threshold: float | None = None
    set_coverage: float | None = None


@dataclass(frozen=True)
class OodSettings:
    """Out-of-distribution detection.

    Attributes:
        method: of the OOD score
        threshold: OOD score above which an image is unfamiliar
        quantile: least share of each collection's validation paintings at or under the threshold
        sha256: of ood.npz
        outliers: names of the kinds of images that it was fitted to tell from paintings
    """

    method: str
    threshold: float
    quantile: float
    sha256: str
    outliers: tuple[str, ...] = ()


@dataclass(frozen=True)
class SelfCheck:
    """What a runtime must compute: the logits, in float32, of the test views of `self_check.check_views`."""

    logits: tuple[tuple[float, ...], ...]  # (V, C)


@dataclass(frozen=True)
class ModelConfig:
    """Everything beside the weights that changes a prediction, as config.json holds it."""

    name: str
    movements: tuple[str, ...]
    taxonomy: str
    backbone: str
    preprocessing: Preprocessing
    view_weights: Mapping[str, float]
    layers: tuple[Layer, ...]
    calibration: Calibration
    graph_sha256: str
    ood: OodSettings | None = None
    styles: tuple[str, ...] = ()  # of the second head; none in models without it
    properties_sha256: str = ""  # of properties.json; empty in models without it
    self_check: SelfCheck | None = None  # missing in older models
    style_thresholds: Mapping[str, float] | None = None  # from which a style is likely; a style without is never
    scores: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    format: str = FORMAT

    @property
    def voting_views(self) -> tuple[str, ...]:
        """Return the names of the views whose vote has weight, in the order of `VIEWS`."""
        return tuple(name for name in VIEWS if self.view_weights.get(name, 0) > 0)


def default_model() -> Path:
    """Return the folder of the model inside the package."""
    return Path(str(resources.files("artnet") / "models" / "default"))


def read_model(folder: Path | None = None) -> tuple[Path, ModelConfig]:
    """Read a model folder, by default the one inside the package, and check its files against config.json.

    Returns:
        the folder and its settings

    Raises:
        ModelError: for a file that is missing, altered or contradicts itself
    """
    folder = default_model() if folder is None else folder
    if not folder.is_dir():
        raise ModelError(f"{folder}: no such model folder; make one with artnet export, or leave --model out")
    config = read_config(folder)
    graph = folder / GRAPH_FILE
    _check_file(graph, config.graph_sha256)
    if config.ood is not None:
        _check_file(folder / OOD_FILE, config.ood.sha256)
    if config.properties_sha256:
        _check_file(folder / PROPERTIES_FILE, config.properties_sha256)
    return folder, config


def _check_file(path: Path, sha256: str) -> None:
    if not path.is_file():
        raise ModelError(f"{path}: is missing; copy the model folder again, whole")
    if sha256_of(path) != sha256:
        raise ModelError(f"{path}: is not the file that {CONFIG_FILE} describes (its sha256 differs); copy it again")


def read_config(folder: Path) -> ModelConfig:
    """Read config.json without checking the other files; raise `ModelError` where it contradicts itself."""
    path = folder / CONFIG_FILE
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ModelError(f"{path}: is missing, so this is not a model folder; make one with artnet export") from None
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: cannot be read as JSON ({reason(error)}); copy it again") from error
    if isinstance(fields, dict) and "familiarity" in fields:
        raise ModelError(
            f"{path}: is of an older ArtNet, with `familiarity` in place of `ood`; export its run again with "
            "artnet export RUN --out FOLDER"
        )
    if not isinstance(fields, dict) or fields.get("format") != FORMAT:
        raise ModelError(f"{path}: is not in the format {FORMAT} that this version reads")
    try:
        config = _config(fields)
        contradictions = _contradictions(config)
    except (TypeError, KeyError, ValueError, AttributeError) as error:
        raise ModelError(
            f"{path}: a setting is missing or of the wrong kind ({reason(error)}); copy it again"
        ) from error
    if contradictions:
        raise ModelError(f"{path}: {contradictions[0]}; copy or export the model again")
    return config


def write_config(folder: Path, config: ModelConfig) -> None:
    """Write config.json."""
    text = json.dumps(asdict(config), indent=2, ensure_ascii=False) + "\n"
    (folder / CONFIG_FILE).write_text(text, encoding="utf-8")


def sha256_of(path: Path) -> str:
    """Return a file's sha256 in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _config(fields: dict[str, Any]) -> ModelConfig:
    preprocessing = dict(fields["preprocessing"])
    mean, std = (_three(preprocessing[key]) for key in ("mean", "std"))
    layers = (Layer(**{**layer, "grid": tuple(layer["grid"])}) for layer in fields["layers"])
    return ModelConfig(
        **{
            **fields,
            "movements": tuple(str(name) for name in fields["movements"]),
            "styles": tuple(str(name) for name in fields.get("styles", [])),
            "preprocessing": Preprocessing(**{**preprocessing, "mean": mean, "std": std}),
            "style_thresholds": _numbers(fields.get("style_thresholds")),
            "view_weights": {name: float(weight) for name, weight in fields["view_weights"].items()},
            "layers": tuple(layers),
            "calibration": _calibration(dict(fields["calibration"])),
            "ood": _ood(fields.get("ood")),
            "self_check": _self_check(fields.get("self_check")),
        }
    )


def _numbers(fields: dict[str, Any] | None) -> dict[str, float] | None:
    return None if fields is None else {str(name): float(value) for name, value in fields.items()}


def _calibration(fields: dict[str, Any]) -> Calibration:
    numbers = {name: float(value) for name, value in fields.items() if value is not None}
    return Calibration(**{**fields, **numbers})


def _ood(fields: dict[str, Any] | None) -> OodSettings | None:
    if fields is None:
        return None
    numbers = {name: float(fields[name]) for name in ("threshold", "quantile")}
    return OodSettings(**{**fields, **numbers, "outliers": tuple(str(name) for name in fields.get("outliers", []))})


def _self_check(fields: dict[str, Any] | None) -> SelfCheck | None:
    if fields is None:
        return None
    return SelfCheck(tuple(tuple(float(logit) for logit in row) for row in fields["logits"]))


def _three(values: Any) -> tuple[float, float, float]:
    red, green, blue = (float(value) for value in values)
    return (red, green, blue)


def _contradictions(config: ModelConfig) -> list[str]:
    """Return what is wrong with the settings, before it leads to a wrong prediction; NaN passes no condition here."""
    preprocessing, weights = config.preprocessing, list(config.view_weights.values())
    depths = [layer.depth for layer in config.layers]
    ood = config.ood
    conditions = {
        "movements must be at least two different names": 2 <= len(set(config.movements)) == len(config.movements),
        "styles must be different names": len(set(config.styles)) == len(config.styles),
        "style_thresholds must be 0 to 1, of some of the styles": all(
            name in config.styles and 0 <= value <= 1 for name, value in (config.style_thresholds or {}).items()
        ),
        f"fit must be one of {', '.join(FITS)}": preprocessing.fit in FITS,
        "size_px must be a whole number of at least 1": isinstance(preprocessing.size_px, int)
        and preprocessing.size_px >= 1,
        "trim must be true or false": isinstance(preprocessing.trim, bool),
        "mean must be numbers": all(map(math.isfinite, preprocessing.mean)),
        "std must be above 0": all(0 < value < math.inf for value in preprocessing.std),
        f"view_weights must name some of {', '.join(VIEWS)}": set(config.view_weights) <= set(VIEWS),
        "view_weights must be at least 0 and one of them more": all(0 <= weight < math.inf for weight in weights)
        and any(weights),
        "layers must have the depths 1 to 9": depths in ([], list(range(1, DEPTHS + 1))),
        "temperature must be above 0": 0 < config.calibration.temperature < math.inf,
        "unsure_below must be 0 to 1": 0 <= config.calibration.unsure_below <= 1,
        "set_threshold must be 0 to 1": config.calibration.set_threshold is None
        or 0 <= config.calibration.set_threshold <= 1,
        f"the method of ood must be one of {', '.join(OOD_METHODS)}": ood is None or ood.method in OOD_METHODS,
        "the threshold of ood must be above 0": ood is None or 0 < ood.threshold < math.inf,
        "ood needs a vote of the whole": ood is None or WHOLE in config.voting_views,
        "properties_sha256 must be a string": isinstance(config.properties_sha256, str),
        "self_check must hold a finite logit for each movement": config.self_check is None
        or all(len(row) == len(config.movements) and all(map(math.isfinite, row)) for row in config.self_check.logits),
        "scores and training must be objects": isinstance(config.scores, dict) and isinstance(config.training, dict),
    }
    return [message for message, holds in conditions.items() if not holds]
