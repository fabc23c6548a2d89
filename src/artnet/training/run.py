"""A run folder: the settings, history, states and weights of one training, in JSON, CSV and safetensors.

Knows nothing about how training is done. Every file is written beside its name and renamed, so that a kill leaves
the previous one whole.
"""

from __future__ import annotations

import csv
import dataclasses
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from artnet.dataset import DatasetInfo
from artnet.errors import OutputError, TrainingError
from artnet.training.recipe import Recipe
from artnet.views import Fit

FORMAT = "artnet-run/1"
Tensors = dict[str, torch.Tensor]


@dataclass(frozen=True)
class RunSettings:
    """Everything that decides a training's result; kept as run.json."""

    backbone: str
    weights: str
    recipe_name: str
    recipe: Recipe
    seed: int = 0
    data: str = ""
    movements: tuple[str, ...] = ()
    taxonomy: str = ""
    size_px: int = 0
    fit: Fit = "letterbox"
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    train_sha256: str = ""
    format: str = FORMAT

    def described(self, info: DatasetInfo, mean: tuple[float, ...], std: tuple[float, ...]) -> RunSettings:
        """Add what the dataset and the starting weights decide."""
        return dataclasses.replace(
            self,
            data=info.name,
            movements=info.movements,
            taxonomy=info.taxonomy,
            size_px=info.size_px,
            fit=info.fit,
            mean=mean,
            std=std,
            train_sha256=info.train_sha256,
        )


@dataclass(frozen=True)
class Run:
    """An open run folder."""

    folder: Path
    settings: RunSettings

    def write_tensors(self, name: str, tensors: Tensors, numbers: dict[str, Any] | None = None) -> None:
        """Write NAME.safetensors; `numbers` go into its header, so that both change in one rename."""
        whole = {key: tensor.detach().cpu().contiguous().clone() for key, tensor in tensors.items()}
        path = self.folder / f"{name}.safetensors"
        partial = path.with_suffix(".partial")
        try:
            save_file(whole, partial, metadata={"numbers": json.dumps(numbers or {})})
            partial.replace(path)
        except (OSError, SafetensorError) as error:
            raise OutputError(f"{path}: cannot be written ({error})") from error

    def read_tensors(self, name: str) -> Tensors:
        """Read NAME.safetensors. Errors: `TrainingError` where the run has none or it is damaged."""
        return self._read(name)[0]

    def write_state(self, tensors: Tensors, numbers: dict[str, Any]) -> None:
        """Write the state from which the training can go on."""
        self.write_tensors("last", tensors, numbers)

    def read_state(self) -> tuple[Tensors, dict[str, Any]] | None:
        """Read the last state; None where no epoch has ended yet."""
        return self._read("last") if (self.folder / "last.safetensors").exists() else None

    def write_history(self, row: Any) -> None:
        """Put one epoch's scores into history.csv, in place of any line from that epoch on."""
        path = self.folder / "history.csv"
        fields = asdict(row)
        rows = [line for line in read_history(self.folder) if int(line["epoch"]) < fields["epoch"]]
        partial = path.with_suffix(".partial")
        with partial.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, fieldnames=list(fields))
            writer.writeheader()
            writer.writerows([*rows, fields])
        partial.replace(path)

    def _read(self, name: str) -> tuple[Tensors, dict[str, Any]]:
        path = self.folder / f"{name}.safetensors"
        try:
            with safe_open(path, framework="pt") as file:
                numbers = json.loads((file.metadata() or {}).get("numbers", "{}"))
                return {key: file.get_tensor(key) for key in file.keys()}, numbers  # noqa: SIM118
        except FileNotFoundError:
            raise TrainingError(f"{path}: the run holds no {name} yet; train it to its end first") from None
        except (OSError, SafetensorError, ValueError) as error:
            raise TrainingError(f"{path}: cannot be read ({error}); train again") from error


def create_run(folder: Path, settings: RunSettings) -> Run:
    """Begin a run in a new folder."""
    if (folder / "run.json").exists():
        raise OutputError(f"{folder}: holds a run already; go on with --resume or choose another folder")
    if folder.exists() and any(folder.iterdir()):
        raise OutputError(f"{folder}: is not empty; choose another folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "run.json").write_text(json.dumps(asdict(settings), indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written ({error.strerror})") from error
    return Run(folder, settings)


def open_run(folder: Path, settings: RunSettings | None = None) -> Run:
    """Open a run, refusing one whose settings differ from those given."""
    path = folder / "run.json"
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
        if fields.get("format") != FORMAT:
            raise TrainingError(f"{path}: format {fields.get('format')!r}, this version reads {FORMAT}")
        tuples = {key: tuple(value) for key, value in fields.items() if isinstance(value, list)}
        kept = RunSettings(**{**fields, **tuples, "recipe": Recipe(**fields["recipe"])})
    except FileNotFoundError:
        raise TrainingError(f"{folder}: holds no run (no run.json)") from None
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise TrainingError(f"{path}: cannot be read ({error})") from error
    if settings is not None and settings != kept:
        changed = [
            f"{field.name} was {getattr(kept, field.name)!r} and is now {getattr(settings, field.name)!r}"
            for field in dataclasses.fields(settings)
            if getattr(kept, field.name) != getattr(settings, field.name)
        ]
        raise TrainingError(f"{folder}: cannot go on with other settings: {'; '.join(changed)}")
    return Run(folder, kept)


def read_history(folder: Path) -> list[dict[str, str]]:
    """Read history.csv as dictionaries; empty where there is none."""
    path = folder / "history.csv"
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
