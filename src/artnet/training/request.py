"""What a user asks of a training: the settings of a new run, or those that a resumed run must have been begun with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce
from pathlib import Path
from typing import Any

from artnet.errors import TrainingError
from artnet.training.network.network import has_fixed_size
from artnet.training.recipe import find_recipe, override
from artnet.training.run import Run, RunSettings


@dataclass(frozen=True)
class RunRequest:
    """The options that decide a training's result, None or empty where a user named none."""

    recipe: str | None = None
    backbone: str | None = None
    weights: str | None = None
    epochs: int | None = None
    overrides: Sequence[str] = ()
    teachers: Sequence[Path] = ()
    seed: int | None = None

    def new_settings(self) -> RunSettings:
        """Return the settings of a new run, without what its dataset decides.

        Raises:
            UsageError: for an unknown recipe or setting
        """
        name = self.recipe or "finetune"
        recipe = override(find_recipe(name), self.overrides)
        if self.epochs is not None:
            recipe = replace(recipe, epochs=self.epochs)
        backbone = self.backbone or recipe.backbone or "densenet121"
        teachers = tuple(map(str, self.teachers))
        return RunSettings(backbone, self.weights or "pretrained", name, recipe, self.seed or 0, teachers=teachers)

    def check_resumable(self, run: Run) -> None:
        """Raise `TrainingError` for the first option that is not what the run was begun with."""
        saved = run.settings
        options = [
            ("--recipe", saved.recipe_name, self.recipe),
            ("--backbone", saved.backbone, self.backbone),
            ("--weights", saved.weights, self.weights),
            ("--epochs", saved.recipe.epochs, self.epochs),
            ("--teacher", " ".join(saved.teachers) or "none", " ".join(map(str, self.teachers)) or None),
            ("--seed", saved.seed, self.seed),
            *(self._override(saved, setting) for setting in self.overrides),
        ]
        for option, before, now in options:
            if now is not None and not _same(before, now):
                raise TrainingError(
                    f"{run.folder}: was begun with {option} {before}, and {option} {now} was given; leave it out to "
                    "resume, or train in another folder"
                )

    def _override(self, saved: RunSettings, setting: str) -> tuple[str, Any, Any]:
        name = setting.partition("=")[0]
        before, now = (_setting(recipe, name) for recipe in (saved.recipe, override(saved.recipe, [setting])))
        is_unused = name == "augmentation.crop_share" and has_fixed_size(saved.backbone)
        return f"--set {name}", before, None if is_unused else now


def _setting(recipe: Any, name: str) -> Any:
    return reduce(getattr, name.split("."), recipe)


def _same(before: Any, now: Any) -> bool:
    """Return whether two values are equal, or the same file written in two ways."""
    return before == now or (isinstance(before, str) and Path(before).resolve() == Path(now).resolve())
