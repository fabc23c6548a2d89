"""The `train` command."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from artnet.cli.console import Advance, print_line, print_message, progress_bar
from artnet.cli.signals import STOP
from artnet.training.requirements import import_torch

if TYPE_CHECKING:
    from artnet.training.trainer import Callbacks

# How launchers number the processes that train together.
_RANK_VARIABLES = ("RANK", "LOCAL_RANK", "NODE_RANK", "SLURM_PROCID")


def train(
    data: Annotated[Path, typer.Argument(metavar="DATA", help="A prepared dataset.")],
    out: Annotated[Path, typer.Option("--out", metavar="RUN", help="Run folder to write.")],
    recipe: Annotated[
        str | None, typer.Option("--recipe", help="Named settings, see docs/train.md; by default finetune.")
    ] = None,
    backbone: Annotated[
        str | None, typer.Option("--backbone", help="A timm model name; by default the recipe's, or densenet121.")
    ] = None,
    weights: Annotated[
        str | None,
        typer.Option(
            "--weights", metavar="FILE|pretrained|none", help="Initial weights of the backbone; by default pretrained."
        ),
    ] = None,
    epochs: Annotated[int | None, typer.Option("--epochs", min=1, help="Override the recipe's epochs.")] = None,
    overrides: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="Override a setting of the recipe.")
    ] = None,
    teachers: Annotated[
        list[Path] | None,
        typer.Option("--teacher", metavar="MODEL", help="A model folder to learn from as well; may be repeated."),
    ] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", min=0, max=2**31, help="Seed of every random choice; by default 0.")
    ] = None,
    device: Annotated[Literal["auto", "cpu", "cuda", "mps"], typer.Option("--device", help="Where to train.")] = "auto",
    devices: Annotated[int, typer.Option("--devices", min=1, help="Number of devices to train on (DDP).")] = 1,
    num_nodes: Annotated[int, typer.Option("--num-nodes", min=1, help="Number of machines to train on.")] = 1,
    checkpoint_every: Annotated[
        float, typer.Option("--checkpoint-every", metavar="MINUTES", min=0, help="Interval between checkpoints.")
    ] = 5.0,
    workers: Annotated[int, typer.Option("--workers", min=0, help="Processes that decode views.")] = 1,
    resume: Annotated[
        bool, typer.Option("--resume", help="Resume the run in RUN, with the settings that it was begun with.")
    ] = False,
    precision: Annotated[
        Literal["auto", "f32"], typer.Option("--precision", help="auto: bf16 where the device supports it; or f32.")
    ] = "auto",
) -> int:
    """Train a network on a prepared dataset."""
    is_first = _lead_or_follow()
    import_torch()
    from artnet.training import fit
    from artnet.training.devices import FitOptions
    from artnet.training.request import RunRequest
    from artnet.training.run import open_run

    request = RunRequest(recipe, backbone, weights, epochs, overrides or (), teachers or (), seed)
    options = FitOptions(device, devices, num_nodes, workers, 60 * checkpoint_every, precision)
    if resume:
        request.check_resumable(open_run(out))
    with progress_bar("training", shown=is_first) as advance:
        callbacks = _callbacks(advance, is_first)
        if resume:
            fit.resume(data, out, options, callbacks)
        else:
            fit.fit(data, out, request.new_settings(), options, callbacks)
    if is_first:
        print_line(f"training finished; export a model folder with: artnet export {out} --out FOLDER")
    return 0


def _lead_or_follow() -> bool:
    """Return whether this is the first of a training's processes; another leaves it to the first to report a stop."""
    is_first = not any(os.environ.get(variable, "0") != "0" for variable in _RANK_VARIABLES)
    if not is_first:
        STOP.follow()
    return is_first


def _callbacks(advance: Advance, is_first: bool) -> Callbacks:
    """Show a training's progress, and let only the first of several processes print."""
    from artnet.training.trainer import Callbacks

    return Callbacks(
        on_step=lambda step: advance(step.done, step.total, str(step)),
        on_epoch=lambda scores: print_line(str(scores)) if is_first else None,
        on_embedded=lambda done, total: advance(done, total, "embedding"),
        on_warning=lambda message: print_message(f"artnet: warning: {message}") if is_first else None,
    )
