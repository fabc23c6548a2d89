"""A run folder: the settings, states and weights of one training, in JSON and safetensors.

Knows nothing about how training is done. Every file is written beside its name and renamed, so that a kill leaves
the previous one whole.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock, Timeout
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from artnet.data.dataset import DatasetInfo
from artnet.errors import OutputError, TrainingError
from artnet.imaging.views import Fit
from artnet.model.config import Preprocessing
from artnet.training.recipe import Recipe, recipe_from

FORMAT = "artnet-run/2"
LOCK_FILE = "lock"
TensorDict = dict[str, torch.Tensor]


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
    styles: tuple[str, ...] = ()  # of the second head
    size_px: int = 0
    fit: Fit = "letterbox"
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    train_sha256: str = ""
    data_folder: str = ""  # where the dataset lay; the one field that may change when a run goes on
    format: str = FORMAT

    def described(
        self, info: DatasetInfo, mean: tuple[float, ...], std: tuple[float, ...], folder: Path = Path()
    ) -> RunSettings:
        """Add what the dataset in `folder` and the starting weights decide."""
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
            data_folder=str(folder.resolve()),
        )

    @property
    def preprocessing(self) -> Preprocessing:
        """Say how a view becomes the network's input."""
        mean, std = self.mean, self.std
        return Preprocessing(self.size_px, self.fit, (mean[0], mean[1], mean[2]), (std[0], std[1], std[2]))

    def differences(self, kept: RunSettings) -> list[str]:
        """Say which settings differ from those that a run was begun with."""
        names = [field.name for field in dataclasses.fields(self) if field.name != "data_folder"]
        return [
            f"{name} was {getattr(kept, name)!r} and is now {getattr(self, name)!r}"
            for name in names
            if getattr(kept, name) != getattr(self, name)
        ]


@dataclass(frozen=True)
class Run:
    """An open run folder."""

    folder: Path
    settings: RunSettings

    def write_tensors(self, name: str, tensors: TensorDict, numbers: dict[str, Any] | None = None) -> None:
        """Write NAME.safetensors; `numbers` go into its header, so that both change in one rename.

        Errors: `OutputError` where the disk is full or gone; the file of before stays as it was.
        """
        whole = {key: tensor.detach().cpu().contiguous().clone() for key, tensor in tensors.items()}
        path = self.folder / f"{name}.safetensors"
        partial = path.with_suffix(".partial")
        try:
            save_file(whole, partial, metadata={"numbers": json.dumps(numbers or {})})
            partial.replace(path)
        except (OSError, SafetensorError) as error:
            partial.unlink(missing_ok=True)
            kept = "; the one before is kept: make room and go on with --resume" if path.exists() else ""
            raise OutputError(f"{path}: cannot be written ({error}){kept}") from error

    def write_text(self, name: str, text: str) -> None:
        """Write a file of text beside the tensors. Errors: `OutputError`."""
        path = self.folder / name
        partial = path.with_name(f"{name}.partial")
        try:
            partial.write_text(text, encoding="utf-8", newline="")
            partial.replace(path)
        except OSError as error:
            raise OutputError(f"{path}: cannot be written ({error.strerror})") from error

    def read_tensors(self, name: str) -> TensorDict:
        """Read NAME.safetensors. Errors: `TrainingError` where the run has none or it is damaged."""
        return self._read(name)[0]

    def read_result(self) -> TensorDict:
        """Read what the training found best, drawn towards its start by the recipe's share. Errors: `TrainingError`."""
        best, share = self.read_tensors("best"), self.settings.recipe.start_share
        if share == 0:
            return best
        start = self.read_tensors("start")
        return {
            name: torch.lerp(tensor, start[name], share) if tensor.is_floating_point() else tensor
            for name, tensor in best.items()
        }

    def has_tensors(self, name: str) -> bool:
        """Say whether NAME.safetensors is there."""
        return (self.folder / f"{name}.safetensors").exists()

    def write_state(self, tensors: TensorDict, numbers: dict[str, Any]) -> None:
        """Write the state from which the training can go on; state.json says for people where that is."""
        self.write_tensors("last", tensors, numbers)
        self.write_text("state.json", json.dumps(numbers, indent=2) + "\n")

    def read_state(self) -> tuple[TensorDict, dict[str, Any]] | None:
        """Read the last state; None where none was written yet."""
        return self._read("last") if self.has_tensors("last") else None

    def _read(self, name: str) -> tuple[TensorDict, dict[str, Any]]:
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


def open_run(folder: Path) -> Run:
    """Open a run. Errors: `TrainingError` where there is none, or one of another version."""
    path = folder / "run.json"
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
        if fields.get("format") != FORMAT:
            raise TrainingError(f"{path}: format {fields.get('format')!r}, this version reads {FORMAT}")
        tuples = {key: tuple(value) for key, value in fields.items() if isinstance(value, list)}
        kept = RunSettings(**{**fields, **tuples, "recipe": recipe_from(fields["recipe"])})
    except FileNotFoundError:
        raise TrainingError(f"{folder}: holds no run (no run.json)") from None
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise TrainingError(f"{path}: cannot be read ({error})") from error
    return Run(folder, kept)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep a run for this process alone. Errors: `OutputError` where another process trains in it.

    The lock ends with the process, however it ends.
    """
    lock = FileLock(folder / LOCK_FILE, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise OutputError(
            f"{folder}: another process trains in it; wait for its end or choose another folder"
        ) from None
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written ({error.strerror})") from error
    try:
        yield
    finally:
        lock.release()
