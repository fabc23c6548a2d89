"""A training run from a prepared dataset and a recipe: everything around the training loop."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from lightning_fabric import Fabric

from artnet.data.dataset import DatasetInfo, read_columns, read_info
from artnet.errors import DataError, UsageError
from artnet.taxonomy import common_styles
from artnet.training.batches.views import StoredViews, load_views
from artnet.training.devices import (
    FitOptions,
    deterministic_convolutions,
    launch,
    open_fabric,
    seeded,
    stop_requests,
    worker_errors,
)
from artnet.training.distillation import check_teachers, mix_teacher_scores, write_teacher_scores
from artnet.training.linear_probe import initialise_head, train_head
from artnet.training.network.batchnorm import restore_statistics
from artnet.training.network.layers import explained_layers
from artnet.training.network.network import (
    PaintingNetwork,
    build_network,
    check_backbone,
    has_fixed_size,
    normalisation,
)
from artnet.training.recipe import Recipe
from artnet.training.run import Run, RunSettings, create_run, lock_run, open_run
from artnet.training.trainer import Callbacks, Session, batches_per_epoch, sample_inputs, train_network

SAMPLE_PAINTINGS = 8  # stored in the run, so that export can check its graph on real images
_DEFAULT_OPTIONS, _NO_CALLBACKS = FitOptions(), Callbacks()


@dataclass(frozen=True)
class _Job:
    """A training, besides its network and its settings."""

    out: Path
    options: FitOptions
    callbacks: Callbacks
    train: StoredViews
    val: StoredViews


def fit(
    data: Path,
    out: Path,
    settings: RunSettings,
    options: FitOptions = _DEFAULT_OPTIONS,
    callbacks: Callbacks = _NO_CALLBACKS,
) -> Run:
    """Train a network in a new run folder and return the finished run.

    The run folder receives a checkpoint after each epoch, every few minutes and on Ctrl-C. With several devices this
    starts the running script once for each of them.

    Args:
        data: a prepared dataset
        out: run folder to create
        settings: backbone, starting weights, recipe and seed; what the dataset decides is added here
        options: devices, workers and the like
        callbacks: receive progress and warnings

    Raises:
        DataError: for a movement that a split lacks
        TrainingError: for a loss that is not finite, or weights that do not fit
        UsageError: for a device that is not available, or a backbone that is unknown or cannot be explained
        OutputError: for a folder that is taken
        StoppedError: after Ctrl-C
        WorkerError: where a process that decodes views was killed
    """
    info = read_info(data)
    check_backbone(settings.backbone)
    _check_recipe(settings.recipe, info, callbacks)
    styles = _learnt_styles(settings, data)
    job = _job(data, out, replace(settings, styles=styles), options, callbacks)
    recipe = _fit_to_backbone(settings.recipe, settings.backbone, callbacks)
    settings = replace(settings, recipe=recipe, styles=styles).with_dataset(info, data)
    check_teachers(settings)
    network = _build(settings, settings.weights)
    explained_layers(network, settings.backbone, info.size_px)  # fails now for what export could not explain
    mean, std = normalisation(network, settings.backbone)
    settings = replace(settings, mean=mean, std=std)
    if recipe.method == "finetune":
        batches_per_epoch(job.train, settings)  # fails before the run is created
    return _run(job, network, settings, lambda: create_run(out, settings))


def resume(data: Path, out: Path, options: FitOptions = _DEFAULT_OPTIONS, callbacks: Callbacks = _NO_CALLBACKS) -> Run:
    """Go on with a run, with the settings that it was begun with, and return it finished.

    Starting weights are read or fetched only where the run was stopped before it had stored its own.

    Raises:
        TrainingError: where `out` holds no run
        DataError: for another dataset than the run's; otherwise as for `fit`
    """
    run = open_run(out)
    settings = run.settings
    if not settings.is_of(read_info(data)):
        raise DataError(
            f"{data}: is not the dataset that {out} was begun on (other movements, views or training paintings); name "
            f"that one, which lay in {settings.data_folder}"
        )
    job = _job(data, out, settings, options, callbacks)
    network = _build(settings, "none" if run.has_tensors("start") else settings.weights)
    return _run(job, network, settings, lambda: open_run(out))


def _job(data: Path, out: Path, settings: RunSettings, options: FitOptions, callbacks: Callbacks) -> _Job:
    """Load the views of a training."""
    recipe, info = settings.recipe, read_info(data)
    if recipe.method == "probe" and options.processes > 1:
        raise UsageError("the recipe probe trains in one process; leave out --devices and --num-nodes")
    train = load_views(data, "train", recipe.views, settings.styles)
    val = load_views(data, "val", styles=settings.styles)
    for split, views in (("train", train), ("val", val)):
        check_movements(views.movements, info.movements, data, split)
    return _Job(out, options, callbacks, train, val)


def _build(settings: RunSettings, weights: str) -> PaintingNetwork:
    with seeded(settings.seed):
        return build_network(settings.backbone, len(settings.movements), weights, settings.network)


def _run(job: _Job, network: PaintingNetwork, settings: RunSettings, open_folder: Callable[[], Run]) -> Run:
    """Train a network in the run folder that `open_folder` creates or opens."""
    options = job.options
    fabric = open_fabric(options, settings.recipe.batch)

    def prepare_start(run: Run) -> None:
        session, views = Session(fabric, run, settings, options, job.callbacks), job.train
        if settings.teachers:
            write_teacher_scores(session, job.train)
            views = mix_teacher_scores(run, job.train)
        if not (run.has_tensors("last") or run.has_tensors("start")):
            _write_start(session, network, views, job.val)

    opened = _open(job.out, fabric, open_folder, prepare_start)
    with worker_errors(), deterministic_convolutions(options.precision), opened as run:
        _train(Session(fabric, run, settings, options, job.callbacks), network, job.train, job.val)
        if fabric.is_global_zero:
            _write_sample(run, job.val)
    return run


def _train(session: Session, network: PaintingNetwork, train: StoredViews, val: StoredViews) -> None:
    """Train the head alone or the network, from the start of an opened run or from where it was stopped."""
    run, settings = session.run, session.settings
    if settings.teachers:
        train = mix_teacher_scores(run, train)
    if not run.has_tensors("last"):
        network.load_state_dict(run.read_tensors("start"))
    if settings.recipe.method == "probe":
        train_head(session, network, train, val)
        return
    with stop_requests() as stop:
        train_network(replace(session, stop_requested=stop), network, train, val)


def _learnt_styles(settings: RunSettings, data: Path) -> tuple[str, ...]:
    """Return the styles of the second head: those that were named or are common, none where they weigh nothing."""
    if not settings.recipe.styles_weight:
        return ()
    return settings.styles or common_styles(read_columns(data, "train", ["style"])["style"].to_pylist())


def check_movements(labels: np.ndarray, movements: Sequence[str], data: Path, split: str) -> None:
    """Raise `DataError` where a split has no painting of a movement."""
    counts = np.bincount(labels, minlength=len(movements))
    absent = [name for name, count in zip(movements, counts, strict=True) if count == 0]
    if absent:
        raise DataError(
            f"{data}: the {split} split holds no painting of {', '.join(absent)}; prepare the dataset with more of "
            "them, with another --seed or with other --ratios"
        )


def _check_recipe(recipe: Recipe, info: DatasetInfo, callbacks: Callbacks) -> None:
    """Warn where the recipe was made for other data."""
    size_px, fit = recipe.size_px or info.size_px, recipe.fit or info.fit
    if (size_px, fit) != (info.size_px, info.fit):
        callbacks.on_warning(
            f"this recipe was made for views of {size_px} px, {fit}; the data are {info.size_px} px, {info.fit}: its "
            "results will not be those of the original"
        )


def _fit_to_backbone(recipe: Recipe, backbone: str, callbacks: Callbacks) -> Recipe:
    """Return the recipe with training views as large as all others, where the backbone takes one size only."""
    augmentation = recipe.augmentation
    if augmentation.crop_share == 1 or not has_fixed_size(backbone):
        return recipe
    callbacks.on_warning(
        f"{backbone} takes views of one size only, so random crops are resized to it and augmentation.crop_share, "
        f"{augmentation.crop_share}, is not used"
    )
    return replace(recipe, augmentation=replace(augmentation, crop_share=1.0))


@contextmanager
def _open(
    out: Path, fabric: Fabric, open_folder: Callable[[], Run], prepare_start: Callable[[Run], None]
) -> Iterator[Run]:
    """Open the run folder; the first process creates it and prepares its start before the others join."""
    if not fabric.is_global_zero:
        launch(fabric)
        fabric.barrier()  # after it the run exists
        yield open_run(out)
        return
    run = open_folder()
    with lock_run(out):
        prepare_start(run)
        launch(fabric)
        fabric.barrier()
        yield run


def _write_start(session: Session, network: PaintingNetwork, train: StoredViews, val: StoredViews) -> None:
    """Write the weights with which all processes start: restored statistics, the best head, as the recipe says."""
    recipe = session.settings.recipe
    is_finetuned = recipe.method == "finetune"
    if is_finetuned and recipe.freezing.batch_norm == "restored":
        restore_statistics(network.trunk, sample_inputs(session.settings, train, session.options.workers))
    if is_finetuned and recipe.head_first:
        initialise_head(session, network, train, val)
    session.run.write_tensors("start", dict(network.state_dict()))


def _write_sample(run: Run, val: StoredViews) -> None:
    """Write some whole views, on which export checks its graph."""
    views = [np.asarray(val.decode(index)) for index in range(min(SAMPLE_PAINTINGS, len(val.encoded)))]
    run.write_tensors("sample", {"views": torch.from_numpy(np.stack(views)).permute(0, 3, 1, 2).contiguous()})
