"""Make a run of a prepared dataset and a recipe: everything around the loop.

Knows nothing about model folders or ONNX; `export` makes those from a run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from lightning_fabric import Fabric

from artnet.data.dataset import DatasetInfo, read_columns, read_info
from artnet.errors import DataError, UsageError
from artnet.taxonomy import common_styles
from artnet.training.data import StoredViews, load_views, load_whole_views
from artnet.training.devices import (
    FitOptions,
    exact_convolutions,
    explained_workers,
    launch,
    open_fabric,
    seeded,
    stop_requests,
)
from artnet.training.linear_probe import start_head, train_head
from artnet.training.network.batchnorm import restore_statistics
from artnet.training.network.network import PaintingNetwork, build_network, explained_layers, normalisation
from artnet.training.recipe import Recipe
from artnet.training.run import Run, RunSettings, create_run, locked, open_run
from artnet.training.trainer import Session, Watch, batches_per_epoch, first_views, train_network

SAMPLE_PAINTINGS = 8  # kept in the run, so that export can check its graph on real pictures
_ALONE, _UNWATCHED = FitOptions(), Watch()


def fit(data: Path, out: Path, settings: RunSettings, options: FitOptions = _ALONE, watch: Watch = _UNWATCHED) -> Run:
    """Train as the recipe says and return the finished run.

    The run folder holds a whole state after each epoch, every few minutes and after Ctrl-C, and `options.resume`
    goes on from it as if nothing had happened. With several devices this starts the running script once for each.
    Errors: `DataError` for a movement that a split lacks, `TrainingError` for a run of other settings, for a loss
    that is no number and for weights that do not fit, `UsageError` for a device that is not there or a backbone
    that cannot be explained, `OutputError` for a folder that is taken, `StoppedError` after Ctrl-C, `WorkerError`
    where a process that decodes was ended.
    """
    info, recipe = read_info(data), settings.recipe
    _check_recipe(recipe, info, options, watch)
    styles: tuple[str, ...] = ()
    if recipe.styles_weight:
        styles = settings.styles or common_styles(read_columns(data, "train", ["style"])["style"].to_pylist())
    train, val = load_views(data, "train", recipe.views, styles), load_whole_views(data, "val", styles)
    for split, views in (("train", train), ("val", val)):
        check_movements(views.movements, info.movements, data, split)
    with seeded(settings.seed):
        network = build_network(settings.backbone, len(info.movements), settings.weights, len(styles))
    explained_layers(network, settings.backbone, info.size_px)  # refuses now what export could not explain
    settings = replace(settings, styles=styles).described(info, *normalisation(network, settings.backbone), data)
    if recipe.method == "finetune":
        batches_per_epoch(train, settings)  # refuses now what would be refused after the run is begun
    fabric = open_fabric(options, recipe.batch)

    def begin(run: Run) -> None:
        if recipe.method == "finetune" and not (run.has_tensors("last") or run.has_tensors("start")):
            _find_start(Session(fabric, run, settings, options, watch), network, train, val)

    opened = _opened(out, settings, options, fabric, begin)
    with explained_workers(), exact_convolutions(options.precision), stop_requests() as stop_asked, opened as run:
        session = Session(fabric, run, settings, options, watch, stop_asked)
        if recipe.method == "probe":
            train_head(session, network, train, val)
        else:
            if not run.has_tensors("last"):
                network.load_state_dict(run.read_tensors("start"))
            train_network(session, network, train, val)
        if fabric.is_global_zero:
            _keep_sample(run, val)
    return run


def check_movements(counted: np.ndarray, movements: Sequence[str], data: Path, split: str) -> None:
    """Refuse a split that lacks a movement. Errors: `DataError` naming movements and split."""
    counts = np.bincount(counted, minlength=len(movements))
    absent = [name for name, count in zip(movements, counts, strict=True) if count == 0]
    if absent:
        raise DataError(
            f"{data}: the {split} split holds no painting of {', '.join(absent)}; prepare the dataset with more of "
            "them, with another --seed or with other --ratios"
        )


def _check_recipe(recipe: Recipe, info: DatasetInfo, options: FitOptions, watch: Watch) -> None:
    """Refuse what the recipe cannot do, and say where the data are not those that it was made for."""
    if recipe.method == "probe" and options.processes > 1:
        raise UsageError("the recipe probe trains in one process; leave --devices and --num-nodes away")
    wanted = (recipe.size_px or info.size_px, recipe.fit or info.fit)
    if wanted != (info.size_px, info.fit):
        watch.on_note(
            f"this recipe was made for views of {wanted[0]} px, {wanted[1]}; the data are {info.size_px} px, "
            f"{info.fit}: its results will not be those of the original"
        )


@contextmanager
def _opened(
    out: Path, settings: RunSettings, options: FitOptions, fabric: Fabric, begin: Callable[[Run], None]
) -> Iterator[Run]:
    """Open the run folder, in the first process for all of them; `begin` is done by it before the others join."""
    if not fabric.is_global_zero:
        launch(fabric)
        fabric.barrier()  # the run is there before its process joins
        yield open_run(out)
        return
    run = open_run(out) if options.resume else create_run(out, settings)
    with locked(out):
        begin(run)
        launch(fabric)
        fabric.barrier()
        yield run


def _find_start(session: Session, network: PaintingNetwork, train: StoredViews, val: StoredViews) -> None:
    """Bring a network to the state in which its training begins, and keep that in the run, for all processes."""
    recipe = session.settings.recipe
    if recipe.trained.batch_norm == "restored":
        restore_statistics(network.trunk, first_views(session.settings, train, session.options.workers))
    if recipe.head_first:
        start_head(session, network, train, val)
    session.run.write_tensors("start", dict(network.state_dict()))


def _keep_sample(run: Run, val: StoredViews) -> None:
    """Keep some real whole views, on which export checks its graph."""
    views = [np.asarray(val.decode(index)) for index in range(min(SAMPLE_PAINTINGS, len(val.encoded)))]
    run.write_tensors("sample", {"views": torch.from_numpy(np.stack(views)).permute(0, 3, 1, 2).contiguous()})
