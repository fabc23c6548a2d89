"""A killed or interrupted training goes on, and two processes train together: real processes, real signals."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from artnet.cli.main import app
from artnet.cli.signals import GRACE_S
from artnet.errors import OutputError, TrainingError
from artnet.training.run import lock_run, open_run
from fixtures.training import BACKBONE

TRAIN = [
    *("train", "--backbone", BACKBONE, "--weights", "none", "--epochs", "3", "--set", "batch=8"),
    *("--set", "freezing.batch_norm=frozen", "--set", "head_first=false", "--set", "start_share=0"),
    *("--device", "cpu", "--workers", "0", "--precision", "f32"),
    *("--checkpoint-every", "0"),
]


def train(data: Path, out: Path, *options: str) -> int:
    """Run the command in this process."""
    return int(app([*TRAIN, str(data), "--out", str(out), *options], standalone_mode=False) or 0)


@contextmanager
def training(data: Path, out: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    """Run the command in a process of its own, and end it whatever happens."""
    command = [sys.executable, "-m", "artnet", *TRAIN, str(data), "--out", str(out), *options]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    pipe = subprocess.PIPE
    with subprocess.Popen(  # a group of its own, which a test can stop as a whole
        command, stdout=pipe, stderr=pipe, text=True, env=environment, start_new_session=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_for_batch(run: Path, process: subprocess.Popen[str], steps: int) -> None:
    """Wait until the run holds a state after so many steps."""
    state = run / "state.json"
    while not (state.exists() and json.loads(state.read_text())["steps"] >= steps):
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.01)


@pytest.fixture(scope="module")
def uninterrupted(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A training that ran from its beginning to its end."""
    run = tmp_path_factory.mktemp("uninterrupted") / "run"
    train(data, run)
    return run


def largest_difference(one: Path, other: Path, name: str) -> float:
    """Return the largest difference of any number in two runs' tensors."""
    first, second = load_file(one / f"{name}.safetensors"), load_file(other / f"{name}.safetensors")
    assert first.keys() == second.keys()
    return max(float((first[key].double() - second[key].double()).abs().max()) for key in first)


@pytest.mark.skipif(sys.platform == "win32", reason="needs a system that can kill with SIGKILL")
def test_a_killed_training_goes_on_to_the_same_bits(uninterrupted: Path, data: Path, tmp_path: Path) -> None:
    with training(data, tmp_path / "run") as process:
        wait_for_batch(tmp_path / "run", process, steps=8)
        process.send_signal(signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
    assert json.loads((tmp_path / "run" / "state.json").read_text())["epoch"] < 3
    assert train(data, tmp_path / "run", "--resume") == 0
    assert all(largest_difference(uninterrupted, tmp_path / "run", name) == 0 for name in ("last", "best"))


@pytest.mark.skipif(sys.platform == "win32", reason="needs a system that interrupts with SIGINT")
def test_ctrl_c_keeps_a_state_says_how_to_go_on_and_loses_nothing(
    uninterrupted: Path, data: Path, tmp_path: Path
) -> None:
    with training(data, tmp_path / "run", "--checkpoint-every", "60") as process:
        while not (tmp_path / "run" / "history.csv").exists():  # the first epoch has ended
            assert process.poll() is None, process.communicate()[1]
            time.sleep(0.01)
        begun_s = time.monotonic()
        process.send_signal(signal.SIGINT)
        output = process.communicate()[1]
    assert process.returncode == 130, output
    assert "continue with the same command and --resume" in output or time.monotonic() - begun_s > GRACE_S, output
    assert "Traceback" not in output
    assert train(data, tmp_path / "run", "--resume") == 0
    assert all(largest_difference(uninterrupted, tmp_path / "run", name) == 0 for name in ("last", "best"))


@pytest.mark.skipif(sys.platform == "win32", reason="needs a system with groups of processes")
def test_a_stopped_service_ends_its_step_though_its_workers_are_told_to_stop_too(data: Path, tmp_path: Path) -> None:
    with training(data, tmp_path / "run", "--workers", "1", "--checkpoint-every", "60", "--epochs", "60") as process:
        while not (tmp_path / "run" / "history.csv").exists():
            assert process.poll() is None, process.communicate()[1]
            time.sleep(0.01)
        begun_s = time.monotonic()
        os.killpg(process.pid, signal.SIGTERM)
        output = process.communicate()[1]
    assert process.returncode == 143, output
    assert "continue with the same command and --resume" in output or time.monotonic() - begun_s > GRACE_S, output
    assert "Traceback" not in output


def test_two_processes_share_a_start_and_a_run(data: Path, tmp_path: Path) -> None:
    options = ("--set", "freezing.batch_norm=restored", "--set", "batch=24", "--epochs", "1")
    train(data, tmp_path / "one", *options)
    with training(data, tmp_path / "two", "--devices", "2", *options) as process:
        output = process.communicate(timeout=120)[1]
    assert process.returncode == 0, output
    assert largest_difference(tmp_path / "one", tmp_path / "two", "start") == 0
    assert (tmp_path / "two" / "history.csv").read_text().count("\n") == 2


def test_an_option_that_a_run_was_not_begun_with_is_refused_in_one_sentence(uninterrupted: Path, data: Path) -> None:
    with pytest.raises(TrainingError) as caught:
        train(data, uninterrupted, "--resume", "--seed", "9")
    assert str(caught.value) == (
        f"{uninterrupted}: was begun with --seed 0, and --seed 9 was given; leave it out to resume, or train in "
        "another folder"
    )


def test_a_run_in_use_is_refused(uninterrupted: Path, data: Path) -> None:
    before = (uninterrupted / "last.safetensors").stat().st_mtime_ns
    with lock_run(uninterrupted), pytest.raises(OutputError, match="another process trains in it"):
        train(data, uninterrupted, "--resume")
    assert (uninterrupted / "last.safetensors").stat().st_mtime_ns == before


def test_a_run_needs_no_option_but_resume_and_a_finished_one_is_left_as_it_is(
    uninterrupted: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("socket.socket.connect", None)  # which nothing may call
    before = load_file(uninterrupted / "last.safetensors")
    assert app(["train", str(data), "--out", str(uninterrupted), "--resume"], standalone_mode=False) == 0
    assert all(
        torch.equal(tensor, before[name]) for name, tensor in load_file(uninterrupted / "last.safetensors").items()
    )


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on the size of files")
def test_a_full_disk_keeps_the_state_of_before(uninterrupted: Path, tmp_path: Path) -> None:
    shutil.copy(uninterrupted / "run.json", tmp_path)
    run = open_run(tmp_path)
    run.write_tensors("last", {"a": torch.zeros(10)}, {"steps": 1})
    with files_of_at_most(10_000), pytest.raises(OutputError) as caught:
        run.write_tensors("last", {"a": torch.ones(10_000)}, {"steps": 2})
    assert "the previous one is kept: make room and continue with --resume" in str(caught.value)
    assert caught.value.exit_code == 7
    tensors, metadata = run.read_with_metadata("last")
    assert metadata == {"steps": 1}
    assert torch.equal(tensors["a"], torch.zeros(10))
    assert {path.name for path in tmp_path.iterdir()} == {"last.safetensors", "run.json"}


@contextmanager
def files_of_at_most(size_bytes: int) -> Iterator[None]:
    """Let this process write no file further than that until the end of the block."""
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
