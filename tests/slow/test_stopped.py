"""Every command ends within three seconds of a signal, with one line and no worker left, and loses nothing.

`ARTNET_STOPS=20 pytest tests/slow/test_stopped.py --log-cli-level=INFO` stops each command at twenty random moments in
place of one, and tells how; without it, only `index` is resumed here, since `classify` and `prepare` are where they are
killed.
"""

from __future__ import annotations

import logging
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fixtures.training import BACKBONE

pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="asks Linux when signals are handled")

LIMIT_S = 3.0  # on a machine with nothing else to do
USUAL = "artnet: http"  # what the commands say unless they are stopped
STOPS = range(int(os.environ.get("ARTNET_STOPS", "1")))
RESUMED = ("classify", "index", "prepare") if "ARTNET_STOPS" in os.environ else ("index",)
COMMANDS = ("classify", "index", "prepare", "train", "evaluate", "export", "explain", "app", "site", "teach")


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A hundred images of each of five styles."""
    folder = tmp_path_factory.mktemp("stopped") / "images"
    for index, style in enumerate(("Cubism", "Impressionism", "Expressionism", "Realism", "Abstract Art")):
        (folder / style).mkdir(parents=True)
        for number in range(100):
            coarse = np.random.default_rng((index, number)).integers(0, 255, (6, 8, 3), dtype=np.uint8)
            image = Image.fromarray(coarse).resize((64, 48), Image.Resampling.BICUBIC)
            image.save(folder / style / f"{number:03d}.png")
    return folder


@pytest.fixture
def command(
    images: Path, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., list[str]]:
    """Return what follows `artnet`, for minutes of work unless it is to be `short`."""
    npm = tmp_path / "bin" / "npm"  # one that never gets an answer
    npm.parent.mkdir()
    npm.write_text("#!/bin/sh\nexec sleep 600\n")
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", f"{npm.parent}{os.pathsep}{os.environ['PATH']}")

    def arguments(name: str, out: Path, short: bool = False) -> list[str]:
        many = [str(images / "Cubism")] if short else [str(images)] * 20
        epochs = ["--epochs", "2" if short else "900", "--set", "batch=8", "--set", "head_first=false"]
        match name:
            case "classify":
                return [name, *many, "--out", f"{out}.csv", "--precision", "f32"]
            case "index":
                return [name, *many, "--out", str(out), "--precision", "f32"]
            case "prepare":
                return [name, str(images), str(out), "--size-px", "64" if short else "1024"]
            case "train":
                data = request.getfixturevalue("data")
                return [name, str(data), "--out", str(out), "--backbone", BACKBONE, "--weights", "none", *epochs]
            case "evaluate":
                data, model = request.getfixturevalue("data"), request.getfixturevalue("exported")
                return [name, str(data), "--model", str(model), "--faithfulness", "900", "--out", str(out)]
            case "export":
                return [name, str(request.getfixturevalue("trained").folder), "--out", str(out)]
            case "explain":
                return [name, str(images / "Cubism" / "000.png"), "--method", "rise", "--out", f"{out}.png"]
            case "app":
                return [name, "--port", "0", "--logs", "quiet"]
            case "teach":
                return [name, str(images), "--out", str(out)]
        return [name, str(out)]

    return arguments


@contextmanager
def started(arguments: list[str]) -> Iterator[subprocess.Popen[str]]:
    """Start a command as the leader of a group, which ends with the block."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(
        [sys.executable, "-m", "artnet", *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        start_new_session=True,
    ) as process:
        try:
            yield process
        finally:
            if is_running(process.pid):
                os.killpg(process.pid, signal.SIGKILL)


def is_running(group: int) -> bool:
    """Return whether any process of a group is left."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def handles_signals(process: subprocess.Popen[str]) -> bool:
    """Return whether a process has got so far that it handles SIGTERM; before, the signal just kills it."""
    caught = next(line for line in Path(f"/proc/{process.pid}/status").read_text().splitlines() if "SigCgt" in line)
    return bool(int(caught.split()[1], 16) >> (signal.SIGTERM - 1) & 1)


def slowdown() -> float:
    """Return how many times longer a second of processor time takes than on an idle machine."""
    wall, used = time.perf_counter(), time.process_time()
    while time.process_time() - used < 0.05:
        pass
    return max(1.0, (time.perf_counter() - wall) / 0.05)


def stop(process: subprocess.Popen[str], rng: random.Random, within_s: float) -> bool:
    """Stop a command at a random moment in a random way, and check how it ends; return whether it had not before."""
    before, delay_s = slowdown(), rng.uniform(0, within_s)
    number, count = rng.choice((signal.SIGINT, signal.SIGTERM)), rng.choice((1, 2, 10))
    send = rng.choice((os.kill, os.killpg))
    while not handles_signals(process):
        time.sleep(0.001)
    time.sleep(delay_s * before)
    if process.poll() == 0:
        return False  # the machine was busy for a moment alone
    told, begun = f"{count} {number.name} by {send.__name__} after {delay_s:.3f} s x {before:.1f}", time.monotonic()
    for _ in range(count):
        if process.poll() is None:
            send(process.pid, number)
            time.sleep(rng.uniform(0, 0.1))
    _, printed = process.communicate(timeout=60)
    took_s, factor = time.monotonic() - begun, max(before, slowdown())
    assert process.returncode == 128 + number, (told, process.returncode, printed)
    assert took_s <= LIMIT_S * factor, (told, took_s, factor, printed)
    *lines, last = printed.splitlines()
    assert re.match("artnet: .*(interrupted|terminated|stopped)", last), (told, printed)
    assert not [line for line in lines if not line.startswith(USUAL)], (told, printed)
    deadline = time.monotonic() + LIMIT_S * factor
    while is_running(process.pid):
        assert time.monotonic() < deadline, (told, "a worker is left")
        time.sleep(0.01)
    logging.getLogger(__name__).info("%s x %.1f: %.2f s, %s", told, factor, took_s, last)
    return True


@pytest.mark.parametrize("number", STOPS)
@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_that_is_stopped_ends_soon_and_says_so_in_one_line(
    name: str, number: int, command: Callable[..., list[str]], tmp_path: Path
) -> None:
    with started(command(name, tmp_path / "out")) as process:
        stop(process, random.Random(f"{name} {number}"), within_s=2.0)


def rows_of(output: Path) -> object:
    """Read what a command has made: a table, an index or a dataset."""
    if output.is_file():
        return output.read_bytes()
    if (output / "dataset.json").exists():
        return {path.name: path.read_bytes() for path in output.iterdir()}
    return pytest.importorskip("lancedb").connect(output).open_table("paintings").to_arrow().to_pylist()


@pytest.mark.parametrize("number", STOPS)
@pytest.mark.parametrize("name", RESUMED)
def test_what_a_stopped_command_has_finished_is_resumed_to_the_same_result(
    name: str, number: int, command: Callable[..., list[str]], tmp_path: Path
) -> None:
    outputs = [tmp_path / f"{when}{'.csv' if name == 'classify' else ''}" for when in ("straight", "stopped")]
    straight, stopped = (command(name, output.with_suffix(""), short=True) for output in outputs)
    with started(straight) as process:
        assert process.wait() == 0
    with started(stopped) as process:
        was_stopped = stop(process, random.Random(f"{name} {number} short"), within_s=1.0)
    if was_stopped:
        with started([*stopped, *([] if name == "prepare" else ["--resume"])]) as process:
            assert process.communicate()[1].count("Traceback") == process.returncode == 0
    assert rows_of(outputs[0]) == rows_of(outputs[1])
