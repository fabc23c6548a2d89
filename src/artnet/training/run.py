"""A run folder: the settings, checkpoints and weights of one training, as JSON and safetensors.

Every file is written atomically, so a killed process leaves the previous version intact.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from filelock import FileLock, Timeout
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from artnet.atomic import atomic_write
from artnet.data.dataset import DatasetInfo
from artnet.errors import OutputError, TrainingError, output_errors, reason
from artnet.imaging.views import Fit
from artnet.model.config import Preprocessing
from artnet.training.network.network import NetworkOptions
from artnet.training.recipe import Recipe, recipe_from_dict

FORMAT = "artnet-run/3"
LOCK_FILE = "lock"
TensorDict = dict[str, torch.Tensor]


@dataclass(frozen=True)
class RunSettings:
    """Everything that decides a training's result; stored as run.json."""

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
    trim: bool = False
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    train_sha256: str = ""
    teachers: tuple[str, ...] = ()  # model folders whose scores are part of the targets
    data_folder: str = ""  # may have been moved when a run is resumed
    format: str = FORMAT

    def with_dataset(self, info: DatasetInfo, folder: Path) -> RunSettings:
        """Return the settings completed by the dataset in `folder`."""
        return dataclasses.replace(
            self,
            data=info.name,
            movements=info.movements,
            taxonomy=info.taxonomy,
            size_px=info.size_px,
            fit=info.fit,
            trim=info.trim,
            train_sha256=info.train_sha256,
            data_folder=str(folder.resolve()),
        )

    def is_of(self, info: DatasetInfo) -> bool:
        """Return whether a dataset is the one that the run was begun on, wherever it lies now."""
        views = (self.movements, self.size_px, self.fit, self.trim)
        comparable = self.train_sha256 and info.train_sha256
        same_paintings = not comparable or self.train_sha256 == info.train_sha256
        return same_paintings and (info.movements, info.size_px, info.fit, info.trim) == views

    @property
    def preprocessing(self) -> Preprocessing:
        """How a view becomes the network's input."""
        mean, std = self.mean, self.std
        return Preprocessing(self.size_px, self.fit, (mean[0], mean[1], mean[2]), (std[0], std[1], std[2]), self.trim)

    @property
    def network(self) -> NetworkOptions:
        """How the network is built, besides its backbone, its starting weights and the movements."""
        recipe = self.recipe
        return NetworkOptions(len(self.styles), self.size_px, recipe.pooling, recipe.last_block, recipe.drop_path)


@dataclass(frozen=True)
class Run:
    """An open run folder."""

    folder: Path
    settings: RunSettings

    def write_tensors(self, name: str, tensors: TensorDict, metadata: Mapping[str, Any] | None = None) -> None:
        """Write NAME.safetensors.

        Args:
            name: file name without its suffix
            tensors: from any device
            metadata: JSON values for the file's header, so that one rename replaces both

        Raises:
            OutputError: where the disk is full or gone; the previous file is kept
        """
        copies = {key: tensor.detach().cpu().contiguous().clone() for key, tensor in tensors.items()}
        path = self.folder / f"{name}.safetensors"
        hint = "make room or choose another folder"
        if path.exists():
            hint = "the previous one is kept: make room and continue with --resume"
        try:
            with output_errors(path, hint), atomic_write(path) as partial:
                save_file(copies, partial, metadata={"numbers": json.dumps(metadata or {})})
        except SafetensorError as error:
            raise OutputError(f"{path}: cannot be written ({reason(error)}); {hint}") from error

    def read_tensors(self, name: str) -> TensorDict:
        """Read NAME.safetensors.

        Raises:
            TrainingError: where the run has no such file, or a damaged one
        """
        return self.read_with_metadata(name)[0]

    def read_with_metadata(self, name: str) -> tuple[TensorDict, dict[str, Any]]:
        """Read NAME.safetensors with the metadata that `write_tensors` was given."""
        path = self.folder / f"{name}.safetensors"
        try:
            with safe_open(path, framework="pt") as file:
                metadata = json.loads((file.metadata() or {}).get("numbers", "{}"))
                return {key: file.get_tensor(key) for key in file.keys()}, metadata  # noqa: SIM118
        except FileNotFoundError:
            raise TrainingError(f"{path}: does not exist yet; finish the training first") from None
        except (OSError, SafetensorError, ValueError) as error:
            raise TrainingError(f"{path}: cannot be read ({reason(error)}); train again") from error

    def has_tensors(self, name: str) -> bool:
        """Return whether NAME.safetensors exists."""
        return (self.folder / f"{name}.safetensors").exists()

    def read_final_weights(self) -> TensorDict:
        """Return the best weights, interpolated with the starting weights by the recipe's `start_share`."""
        best, share = self.read_tensors("best"), self.settings.recipe.start_share
        if share == 0:
            return best
        start = self.read_tensors("start")
        return {
            name: torch.lerp(tensor, start[name], share) if tensor.is_floating_point() else tensor
            for name, tensor in best.items()
        }

    def write_text(self, name: str, text: str) -> None:
        """Write a text file, or raise `OutputError`."""
        path = self.folder / name
        with output_errors(path), atomic_write(path) as partial:
            partial.write_text(text, encoding="utf-8", newline="")


def create_run(folder: Path, settings: RunSettings) -> Run:
    """Create a run in a new or empty folder, or raise `OutputError`."""
    if (folder / "run.json").exists():
        raise OutputError(f"{folder}: holds a run already; continue it with --resume or choose another folder")
    if folder.exists() and any(folder.iterdir()):
        raise OutputError(f"{folder}: is not empty; choose another folder")
    with output_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    run = Run(folder, settings)
    run.write_text("run.json", json.dumps(asdict(settings), indent=2) + "\n")
    return run


def open_run(folder: Path) -> Run:
    """Open a run folder.

    Raises:
        TrainingError: where `folder` holds no run, a damaged one or one of another format
    """
    path = folder / "run.json"
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
        if fields.get("format") != FORMAT:
            raise TrainingError(
                f"{path}: has the format {fields.get('format')!r}, this version reads {FORMAT!r}; train again, or "
                "export it with the version that trained it"
            )
        tuples = {key: tuple(value) for key, value in fields.items() if isinstance(value, list)}
        settings = RunSettings(**{**fields, **tuples, "recipe": recipe_from_dict(fields["recipe"])})
    except FileNotFoundError:
        raise TrainingError(f"{folder}: holds no run (no run.json)") from None
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise TrainingError(f"{path}: cannot be read ({reason(error)})") from error
    return Run(folder, settings)


@contextmanager
def lock_run(folder: Path) -> Iterator[None]:
    """Lock a run for this process; the lock ends with the process, however that ends.

    Raises:
        OutputError: where another process holds the lock
    """
    lock = FileLock(folder / LOCK_FILE, timeout=0)
    with output_errors(folder):
        try:
            lock.acquire()
        except Timeout:  # an OSError, too
            raise OutputError(
                f"{folder}: another process trains in it; wait until it ends or choose another folder"
            ) from None
    try:
        yield
    finally:
        lock.release()
