"""Read and check a model folder: config.json, model.onnx and the model card.

Knows nothing about running the graph; nothing in a model folder is ever executed but the graph.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

from artnet.errors import ModelError
from artnet.imaging.views import FITS, VIEWS, WHOLE, Fit
from artnet.model.ood import METHOD

FORMAT = "artnet-model/1"
CONFIG_FILE = "config.json"
GRAPH_FILE = "model.onnx"
CARD_FILE = "README.md"
OOD_FILE = "ood.npz"
DEPTHS = 9
GROUPS = ("shallow", "middle", "deep")  # three depths each, as the three buttons of the 2020 project


@dataclass(frozen=True)
class Preprocessing:
    """How a view becomes the network's input: fitted to `size_px`, scaled to 0..1, then (x - mean) / std."""

    size_px: int
    fit: Fit
    mean: tuple[float, float, float]
    std: tuple[float, float, float]


@dataclass(frozen=True)
class Layer:
    """One explained layer: its depth, 1 (shallow) to 9 (deep), its name in the network, its channels and grid."""

    depth: int
    name: str
    channels: int
    grid: tuple[int, int]

    @property
    def group(self) -> str:
        """Name the group of three depths that it belongs to."""
        return GROUPS[(self.depth - 1) * len(GROUPS) // DEPTHS] if self.depth else "pixels"


@dataclass(frozen=True)
class Calibration:
    """How logits become scores and a decision.

    Scores are softmax(logits / temperature). Under the confidence `unsure_below` the answer is unsure. Of validation,
    the share `coverage` lies above it, and `accuracy` of those are right (None in models that do not say).
    """

    temperature: float
    unsure_below: float
    coverage: float | None = None
    accuracy: float | None = None


@dataclass(frozen=True)
class OodSettings:
    """Out-of-distribution detection: the `threshold` of the OOD score above which an image is unfamiliar, and its file.

    `quantile` is the share of each collection's validation paintings that stay at or under the threshold at least.
    """

    method: str
    threshold: float
    quantile: float
    sha256: str


@dataclass(frozen=True)
class ModelConfig:
    """Everything beside the weights that changes an answer; config.json as an object."""

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
    scores: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    format: str = FORMAT

    @property
    def voting_views(self) -> tuple[str, ...]:
        """Name the views whose vote counts, in the order in which views are cut."""
        return tuple(name for name in VIEWS if self.view_weights.get(name, 0) > 0)


def default_model() -> Path:
    """Give the folder of the model that lies inside the package."""
    return Path(str(resources.files("artnet") / "models" / "default"))


def read_model(folder: Path | None = None) -> tuple[Path, ModelConfig]:
    """Read a model folder, the embedded one where none is named, and check its files against config.json.

    Errors: `ModelError` for a missing, altered or contradictory file.
    """
    folder = default_model() if folder is None else folder
    if not folder.is_dir():
        raise ModelError(f"{folder}: no such model folder; make one with artnet export or leave --model out")
    config = read_config(folder)
    graph = folder / GRAPH_FILE
    _check_file(graph, config.graph_sha256)
    if config.ood is not None:
        _check_file(folder / OOD_FILE, config.ood.sha256)
    return folder, config


def _check_file(path: Path, sha256: str) -> None:
    if not path.is_file():
        raise ModelError(f"{path}: is missing; copy the model folder again, whole")
    if sha256_of(path) != sha256:
        raise ModelError(f"{path}: is not the file that {CONFIG_FILE} describes (its sha256 differs); copy it again")


def read_config(folder: Path) -> ModelConfig:
    """Read config.json without looking at the graph."""
    path = folder / CONFIG_FILE
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ModelError(f"{path}: is missing, so this is not a model folder; make one with artnet export") from None
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: cannot be read as JSON ({error}); copy it again") from error
    if isinstance(fields, dict) and "familiarity" in fields:
        raise ModelError(
            f"{path}: was written by an older ArtNet, which called `ood` `familiarity`; export its run again with "
            "artnet export RUN --out FOLDER"
        )
    if not isinstance(fields, dict) or fields.get("format") != FORMAT:
        raise ModelError(f"{path}: is not in the format {FORMAT} that this version reads")
    try:
        config = _config(fields)
        faults = _faults(config)
    except (TypeError, KeyError, ValueError, AttributeError) as error:
        raise ModelError(f"{path}: a setting is missing or of the wrong kind ({error}); copy it again") from error
    if faults:
        raise ModelError(f"{path}: {faults[0]}; copy or export the model again")
    return config


def write_config(folder: Path, config: ModelConfig) -> None:
    """Write config.json."""
    text = json.dumps(asdict(config), indent=2, ensure_ascii=False) + "\n"
    (folder / CONFIG_FILE).write_text(text, encoding="utf-8")


def sha256_of(path: Path) -> str:
    """Give a file's sha256 in hexadecimal."""
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
            "view_weights": {name: float(weight) for name, weight in fields["view_weights"].items()},
            "layers": tuple(layers),
            "calibration": _calibration(dict(fields["calibration"])),
            "ood": _ood(fields.get("ood")),
        }
    )


def _calibration(fields: dict[str, Any]) -> Calibration:
    numbers = {name: float(value) for name, value in fields.items() if value is not None}
    return Calibration(**{**fields, **numbers})


def _ood(fields: dict[str, Any] | None) -> OodSettings | None:
    if fields is None:
        return None
    numbers = {name: float(fields[name]) for name in ("threshold", "quantile")}
    return OodSettings(**{**fields, **numbers})


def _three(values: Any) -> tuple[float, float, float]:
    red, green, blue = (float(value) for value in values)
    return (red, green, blue)


def _faults(config: ModelConfig) -> list[str]:
    """List what contradicts itself in the settings, before it gives a wrong answer. NaN passes no test here."""
    seen, weights = config.preprocessing, list(config.view_weights.values())
    depths = [layer.depth for layer in config.layers]
    known = config.ood
    sound = {
        "movements must be at least two different names": 2 <= len(set(config.movements)) == len(config.movements),
        "styles must be different names": len(set(config.styles)) == len(config.styles),
        f"fit must be one of {', '.join(FITS)}": seen.fit in FITS,
        "size_px must be a whole number of at least 1": isinstance(seen.size_px, int) and seen.size_px >= 1,
        "mean must be numbers": all(map(math.isfinite, seen.mean)),
        "std must be above 0": all(0 < value < math.inf for value in seen.std),
        f"view_weights must name some of {', '.join(VIEWS)}": set(config.view_weights) <= set(VIEWS),
        "view_weights must be at least 0 and one of them more": all(0 <= weight < math.inf for weight in weights)
        and any(weights),
        "layers must have the depths 1 to 9": depths in ([], list(range(1, DEPTHS + 1))),
        "temperature must be above 0": 0 < config.calibration.temperature < math.inf,
        "unsure_below must be 0 to 1": 0 <= config.calibration.unsure_below <= 1,
        f"the method of ood must be {METHOD}": known is None or known.method == METHOD,
        "the threshold of ood must be above 0": known is None or 0 < known.threshold < math.inf,
        "ood needs a vote of the whole": known is None or WHOLE in config.voting_views,
        "scores and training must be objects": isinstance(config.scores, dict) and isinstance(config.training, dict),
    }
    return [fault for fault, holds in sound.items() if not holds]
