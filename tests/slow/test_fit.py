"""Training for real on a tiny dataset: it learns, it can be stopped and taken up, it refuses what cannot work."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from artnet.data.dataset import INFO_FILE
from artnet.errors import ArtNetError, DataError, OutputError, StoppedError, TrainingError, UsageError
from artnet.training.batches.views import (
    Epoch,
    load_views,
    training_batches,
)
from artnet.training.checkpoint import initial_state, restore_checkpoint, save_checkpoint
from artnet.training.fit import fit, resume
from artnet.training.history import read_history
from artnet.training.recipe import RECIPES, Augmentation, Rates
from artnet.training.run import Run, open_run
from artnet.training.trainer import Callbacks, StepReport
from fixtures.training import ON_CPU, RECIPE, SIZE_PX, settings, tiny_network, tiny_run


def test_a_run_keeps_history_weights_and_what_export_needs(trained: Run) -> None:
    history = read_history(trained.folder)
    assert [row.epoch for row in history] == [1, 2]
    assert {path.name for path in trained.folder.iterdir()} == {
        *("run.json", "state.json", "history.csv", "history.png", "tensorboard", "lock"),
        *("best.safetensors", "last.safetensors", "sample.safetensors", "start.safetensors"),
    }
    assert trained.read_tensors("sample")["views"].shape == (8, 3, SIZE_PX, SIZE_PX)


def test_training_again_gives_the_same_bits(trained: Run, data: Path, tmp_path: Path) -> None:
    again = tiny_run(data, tmp_path / "again").read_tensors("last")
    assert all(torch.equal(tensor, again[name]) for name, tensor in trained.read_tensors("last").items())


def test_a_stopped_training_goes_on_to_the_same_bits(trained: Run, data: Path, tmp_path: Path) -> None:
    def stop_in_the_second_epoch(step: StepReport) -> None:
        if step.epoch == 2 and step.batch == 2:
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(StoppedError, match=r"epoch 2, batch 3 .*--resume"):
        fit(data, tmp_path / "run", settings(), ON_CPU, Callbacks(on_step=stop_in_the_second_epoch))
    resumed = resume(data, tmp_path / "run", ON_CPU)
    expected = trained.read_tensors("last")
    assert all(torch.equal(tensor, expected[name]) for name, tensor in resumed.read_tensors("last").items())


def test_training_takes_nothing_from_the_global_generator(data: Path, tmp_path: Path) -> None:
    before = torch.get_rng_state()
    tiny_run(data, tmp_path / "run", seed=3)
    assert torch.equal(before, torch.get_rng_state())


def test_a_tiny_network_learns_what_it_is_shown(data: Path, tmp_path: Path) -> None:
    augmentation = Augmentation(enabled=False, mixup=0)
    rates = Rates(head=1e-2, trunk=1e-3)
    recipe = dataclasses.replace(RECIPE, epochs=5, label_smoothing=0, augmentation=augmentation, rates=rates)
    losses: list[float] = []
    watch = Callbacks(on_epoch=lambda row: losses.append(row.train_loss))
    fit(data, tmp_path / "run", settings(recipe=recipe), ON_CPU, watch)
    assert losses[-1] < losses[0] - 0.2


def test_a_loss_that_is_no_number_stops_and_says_where(data: Path, tmp_path: Path) -> None:
    recipe = dataclasses.replace(RECIPE, rates=Rates(head=float("nan")))
    with pytest.raises(TrainingError, match=r"loss became nan in epoch 1, batch 2"):
        fit(data, tmp_path / "run", settings(recipe=recipe), ON_CPU)


def test_a_weight_that_is_no_number_is_never_kept(trained: Run, data: Path, tmp_path: Path) -> None:
    run = Run(tmp_path, trained.settings)
    state = initial_state(tiny_network(), RECIPE)
    save_checkpoint(run, state)
    with torch.no_grad():
        state.network.dense.weight[0, 0] = torch.inf
    before = run.read_tensors("last")
    with pytest.raises(TrainingError, match=r"dense\.weight and 0 other tensors are not finite"):
        save_checkpoint(run, state)
    assert all(torch.equal(tensor, before[name]) for name, tensor in run.read_tensors("last").items())


def test_a_batch_that_no_two_processes_can_share_is_refused(data: Path, tmp_path: Path) -> None:
    recipe = dataclasses.replace(RECIPE, batch=6)
    with pytest.raises(UsageError, match="a multiple of 4"):
        fit(data, tmp_path / "run", settings(recipe=recipe), dataclasses.replace(ON_CPU, devices=2))


def test_too_few_paintings_for_a_batch_are_refused_before_a_run_is_begun(data: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="less than a batch of 500"):
        fit(data, tmp_path / "run", settings(recipe=dataclasses.replace(RECIPE, batch=500)), ON_CPU)
    assert not (tmp_path / "run").exists()


def test_data_that_a_recipe_was_not_made_for_are_said(data: Path, tmp_path: Path) -> None:
    recipe, notes = dataclasses.replace(RECIPE, epochs=1, size_px=256, fit="letterbox"), []
    fit(data, tmp_path / "run", settings(recipe=recipe), ON_CPU, Callbacks(on_warning=notes.append))
    assert "made for views of 256 px, letterbox; the data are 64 px, stretch" in notes[0]


def test_all_six_views_can_be_trained_on(data: Path) -> None:
    whole, six = load_views(data, "train", "whole"), load_views(data, "train", "six")
    assert len(six.encoded) == 6 * len(whole.encoded)


def test_a_run_remembers_where_its_data_lay(trained: Run, data: Path) -> None:
    assert trained.settings.data_folder == str(data.resolve())


def test_a_checkpoint_of_another_network_lists_its_tensors(trained: Run) -> None:
    state = initial_state(tiny_network(movements=4), RECIPE)
    with pytest.raises(TrainingError, match=r"2 of another shape \(dense\.weight, dense\.bias\)"):
        restore_checkpoint(trained, state)


def test_a_run_is_resumed_on_its_own_dataset_only(trained: Run, data: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(data, other)
    info = json.loads((other / INFO_FILE).read_text())
    (other / INFO_FILE).write_text(json.dumps({**info, "train_sha256": "ab"}))
    with pytest.raises(DataError, match=rf"other: is not the dataset .* which lay in {re.escape(str(data))}"):
        resume(other, trained.folder, ON_CPU)


def test_clipped_gradients_keep_their_direction_and_shorten_the_step(data: Path, tmp_path: Path) -> None:
    moved = []
    for clip_norm in (0.0, 1e-9):  # far below Adam's epsilon, so that the step shrinks with the gradient
        rates = Rates(clip_norm=clip_norm, weight_decay=0, epsilon=1e-3)
        recipe = dataclasses.replace(RECIPE, epochs=1, batch=48, rates=rates)
        run = fit(data, tmp_path / f"{clip_norm}", settings(recipe=recipe), ON_CPU)
        moved.append(float(run.read_tensors("last")["network.norm.bias"].abs().max()))  # it starts at 0
    assert moved[1] < 1e-6 < moved[0]


def test_a_run_folder_that_is_taken_is_refused(trained: Run, data: Path, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="--resume"):
        fit(data, trained.folder, settings(), ON_CPU)
    (tmp_path / "note.txt").write_text("mine")
    with pytest.raises(OutputError, match="not empty"):
        fit(data, tmp_path, settings(), ON_CPU)


def test_a_device_that_is_not_there_is_refused(data: Path, tmp_path: Path) -> None:
    if torch.backends.mps.is_available():
        pytest.skip("needs a machine without Apple's MPS")
    with pytest.raises(UsageError, match="use auto or cpu"):
        fit(data, tmp_path / "run", settings(), dataclasses.replace(ON_CPU, device="mps"))
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("damage", [None, b"cut short"])
def test_a_run_without_its_weights_is_refused(trained: Run, tmp_path: Path, damage: bytes | None) -> None:
    (tmp_path / "run.json").write_bytes((trained.folder / "run.json").read_bytes())
    if damage is not None:
        (tmp_path / "best.safetensors").write_bytes(damage)
    with pytest.raises(ArtNetError, match=r"best\.safetensors"):
        open_run(tmp_path).read_tensors("best")


def test_a_head_put_first_is_the_one_that_probe_finds(data: Path, tmp_path: Path) -> None:
    still = dataclasses.replace(RECIPE, epochs=1, head_first=True, rates=Rates(head=0.0, trunk=0.0))
    first = fit(data, tmp_path / "first", settings(recipe=still), ON_CPU)
    same = {"balance": still.balance, "label_smoothing": still.label_smoothing}
    found = fit(data, tmp_path / "probe", settings(recipe=dataclasses.replace(RECIPES["probe"], **same)), ON_CPU)
    torch.testing.assert_close(*(run.read_tensors("best")["dense.weight"] for run in (first, found)))


def test_epochs_differ_and_repeat(data: Path) -> None:
    views = load_views(data, "train")
    first, again, other = (
        next(training_batches(views, RECIPE, Epoch(0, epoch, 64), workers=0))[0] for epoch in (0, 0, 1)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_workers_change_nothing(data: Path) -> None:
    """In a process of its own: workers are forked, and a process full of native libraries is no good to fork."""
    script = (
        "import sys, torch\nfrom pathlib import Path\nfrom artnet.training.recipe import Recipe\n"
        "from artnet.training.batches.views import Epoch, load_views, training_batches\n"
        "views = load_views(Path(sys.argv[1]), 'train')\n"
        "recipe, epoch = Recipe(batch=8), Epoch(0, 0, 64)\n"
        "one, two = ([x for x, *_ in training_batches(views, recipe, epoch, workers=w)] for w in (0, 1))\n"
        "assert len(one) == len(two) > 0 and all(torch.equal(a, b) for a, b in zip(one, two))\n"
    )
    command = [sys.executable, "-c", script, str(data)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


HARM = """
import multiprocessing, sys, traceback
from pathlib import Path
from artnet.training.batches.views import Epoch, load_views, training_batches
from artnet.training.devices import worker_errors
from artnet.training.recipe import Recipe

def break_an_image(views, batches):
    views.encoded[5] = b"no image"

def kill_the_workers(views, batches):
    next(batches)
    for child in multiprocessing.active_children():
        child.kill()

for harm in (break_an_image, kill_the_workers):
    views = load_views(Path(sys.argv[1]), "train")
    batches = training_batches(views, Recipe(batch=1, balance=0.0), Epoch(0, 0, 64), workers=2)
    try:
        with worker_errors():
            harm(views, batches)
            list(batches)
        print(harm.__name__, "is not noticed")
    except Exception:
        traceback.print_exc()
"""


def test_what_befalls_a_worker_ends_the_training(data: Path) -> None:
    """It ends by itself: the other workers heed no signal. A batch is of one, so that there are batches to come."""
    command = [sys.executable, "-c", HARM, str(data)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert "UnidentifiedImageError" in done.stderr
    assert "WorkerError" in done.stderr


def test_the_first_of_six_views_is_the_whole(data: Path) -> None:
    six, whole = load_views(data, "val", "six"), load_views(data, "val")
    assert six.encoded[::6] == whole.encoded
    assert six.movements[::6].tolist() == whole.movements.tolist()
