"""The real command, killed or out of room at any moment, goes on to the same bytes; by halves there is no dataset."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from artnet.data.prepare import PrepareOptions, prepare
from artnet.data.readers.detect import read_catalog
from artnet.errors import OutputError
from artnet.taxonomy import load_taxonomy
from fixtures.collections import Work, draw_style_folders

ARTNET = [sys.executable, "-m", "artnet"]
STYLES = ("Cubism", "Impressionism", "Expressionism", "Realism", "Abstract Art")
pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs process groups and kill -9, as Linux and macOS have")


@pytest.fixture(scope="module")
def collection(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A hundred and sixty images: five chunks."""
    works = [Work(STYLES[number % 5], "", "", "", forms(number)) for number in range(160)]
    return draw_style_folders(tmp_path_factory.mktemp("stopped") / "collection", works)


def forms(seed: int) -> bytes:
    """Paint forms unlike those of any other seed, so that no pair needs a closer look."""
    coarse = np.random.default_rng(seed).integers(0, 255, (8, 8, 3), dtype=np.uint8)
    buffer = BytesIO()
    Image.fromarray(coarse).resize((160, 120), Image.Resampling.BICUBIC).save(buffer, "JPEG")
    return buffer.getvalue()


@pytest.fixture(scope="module")
def straight(collection: Path) -> dict[str, bytes]:
    """What the command makes of it when nothing stops it."""
    out = collection.with_name("straight")
    run(collection, out)
    return bytes_of(out)


@contextmanager
def started(collection: Path, out: Path, *before: str) -> Iterator[subprocess.Popen[str]]:
    """Start the command in a process group of its own, so that it can be killed with its workers."""
    command = [*before, *ARTNET, "prepare", str(collection), str(out), "--size-px", "64"]
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, start_new_session=True
    ) as process:
        yield process


def run(collection: Path, out: Path) -> None:
    """Run the command to its end."""
    with started(collection, out) as process:
        message = process.communicate()[1]
    assert process.returncode == 0, message


def kill_when(process: subprocess.Popen[str], reached: Callable[[], bool], victim: Callable[[int, int], None]) -> None:
    """Wait for a moment of the command's work and kill it there, with -9."""
    deadline = time.monotonic() + 60
    while not reached():
        assert process.poll() is None, f"ended before it could be killed: {process.communicate()[1]}"
        assert time.monotonic() < deadline
        time.sleep(0.001)
    victim(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL, process.returncode


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.mark.slow
def test_a_command_killed_at_three_moments_goes_on_to_the_same_bytes(
    collection: Path, straight: dict[str, bytes], tmp_path: Path
) -> None:
    out, partial = tmp_path / "out", tmp_path / "out.partial"
    moments: list[Callable[[], bool]] = [
        lambda: (partial / "chunks").exists(),
        lambda: len(list((partial / "chunks").glob("[0-9]*.parquet"))) >= 2,
        lambda: len(list((partial / "chunks").glob("[0-9]*.parquet"))) == 5,  # all: shards are next
    ]
    for reached in moments:
        with started(collection, out) as process:
            kill_when(process, reached, os.killpg)
        assert not out.exists()
    run(collection, out)
    assert bytes_of(out) == straight
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_workers_end_when_their_command_is_killed_alone(collection: Path, tmp_path: Path) -> None:
    with started(collection, tmp_path / "out") as process:
        kill_when(process, lambda: any((tmp_path / "out.partial" / "chunks").glob("[0-9]*.parquet")), os.kill)
    deadline = time.monotonic() + 30
    with pytest.raises(ProcessLookupError):  # raised once nobody of the group is left
        while time.monotonic() < deadline:
            os.killpg(process.pid, 0)
            time.sleep(0.01)


def test_a_command_that_may_write_no_more_says_so_and_goes_on_afterwards(
    collection: Path, straight: dict[str, bytes], tmp_path: Path
) -> None:
    with started(collection, tmp_path / "out", "sh", "-c", 'ulimit -f 8; exec "$@"', "sh") as process:
        message = process.communicate()[1]
    assert process.returncode == 7, message
    assert message.startswith(f"artnet: {tmp_path / 'out'}: cannot be written (")
    assert message.endswith("what is done is kept, the same command continues\n")
    assert message.count("\n") == 1
    assert not (tmp_path / "out").exists()
    run(collection, tmp_path / "out")
    assert bytes_of(tmp_path / "out") == straight


def full_disk(*_: object, **__: object) -> None:
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize(
    "writer",
    [
        "artnet.data.view_chunks.pq.write_table",  # a chunk
        "artnet.data.dataset.pq.ParquetWriter.write_table",  # a shard
        "artnet.data.dataset.pq.ParquetWriter.close",  # its end
        "csv.writer",  # the rejected records
        "artnet.data.prepare.write_info",
        "pathlib.Path.mkdir",  # the folder
    ],
)
def test_a_disk_that_is_full_at_any_step_leaves_no_dataset_and_loses_nothing(
    writer: str, collection: Path, straight: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalogs, options = [read_catalog(collection)], PrepareOptions(size_px=64, processes=1)
    with monkeypatch.context() as full:
        full.setattr(writer, full_disk)
        with pytest.raises(OutputError, match=r"out: cannot be written \(No space left on device\)"):
            prepare(catalogs, tmp_path / "out", load_taxonomy(), options)
    assert not (tmp_path / "out").exists()
    prepare(catalogs, tmp_path / "out", load_taxonomy(), options)
    assert bytes_of(tmp_path / "out") == straight
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
