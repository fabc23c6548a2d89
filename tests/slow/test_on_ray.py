"""A cluster gives the same results in the same order, whatever dies."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from artnet.batch.job import BatchJob, Predictor, Progress, job_journal, run_job, write_results
from artnet.batch.predict import ModelSpec, PredictOptions, predict_items
from artnet.batch.ray_executor import absolute_item, first_blocks, predict_on_ray
from artnet.errors import MissingExtraError, WorkerError
from artnet.extras import install_command
from artnet.model.classifier import Classifier
from artnet.sources.find import find_items
from artnet.sources.item import SourceItem
from artnet.sources.stores import WebFile

# Ray warns of its own settings when it copies them.
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
MODEL = ModelSpec(precision="f32")
needs_ray = pytest.mark.skipif(
    __import__("importlib.util").util.find_spec("ray") is None, reason="needs pip install '.[ray]'"
)


# A machine that is gone is called dead after a second, by five connections refused, and not after fifteen; one that is
# busy has as long as ever to answer.
SOON_DEAD = {"health_check_initial_delay_ms": 0, "health_check_period_ms": 200, "health_check_failure_threshold": 5}


@pytest.fixture
def images(tmp_path: Path) -> str:
    """A folder of ninety images, one of them broken."""
    for index in range(90):
        coarse = np.random.default_rng(index).integers(0, 255, (8, 8, 3), dtype=np.uint8)
        Image.fromarray(coarse).resize((120, 90), Image.Resampling.BICUBIC).save(tmp_path / f"{index:03d}.jpg")
    (tmp_path / "040.jpg").write_bytes(b"no image")
    return str(tmp_path)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Two machines of one processor each, on this one; the last test that asks for them leaves one."""
    import ray
    from ray.cluster_utils import Cluster

    head = {"num_cpus": 1, "include_dashboard": False, "include_log_monitor": False, "_system_config": SOON_DEAD}
    found = Cluster(initialize_head=True, head_node_args=head)
    found.add_node(num_cpus=1)
    ray.init(address=found.address, log_to_driver=False, logging_level="ERROR")
    yield found
    ray.shutdown()
    found.shutdown()


def table_of(job: BatchJob, predictor: Predictor, out: Path, on_progress: Callable[[Progress], None]) -> bytes:
    """Fill a table by a predictor and return its bytes."""
    with job_journal(job, out) as journal:
        run_job(job, journal, on_progress, predictor=predictor)
        write_results(journal)
    return out.read_bytes()


@needs_ray
def test_a_cluster_that_is_not_there_is_reported_at_once(images: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    monkeypatch.setenv("RAY_ADDRESS", f"127.0.0.1:{port}")
    with pytest.raises(WorkerError, match=f"no Ray cluster answers at RAY_ADDRESS=127.0.0.1:{port}"):
        list(predict_on_ray(find_items([images]), MODEL, PredictOptions()))


def test_a_slice_ends_with_its_bytes_or_its_time_and_holds_at_least_one_block() -> None:
    blocks = [pa.table({"item": [b"x" * 100]})] * 9
    assert len(list(first_blocks(iter(blocks), 3 * blocks[0].nbytes, 60))) == 3
    assert len(list(first_blocks(iter(blocks), 10**9, 60))) == 9
    assert len(list(first_blocks(iter(blocks), 10**9, 0))) == 1
    assert list(first_blocks(iter([]), 10**9, 0)) == []


def test_locations_on_a_disk_are_sent_out_by_their_absolute_path(images: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(images)
    with zipfile.ZipFile("a.zip", "w") as archive:
        archive.write("001.jpg")
    file, zipped = map(absolute_item, find_items(["000.jpg", "a.zip"]))
    web = SourceItem("a", WebFile("https://example.org/a.jpg"))
    monkeypatch.chdir("/")
    assert (file.name, zipped.name) == ("000.jpg", "a.zip/001.jpg")
    assert file.read() == Path(images, "000.jpg").read_bytes()
    assert zipped.read() == Path(images, "001.jpg").read_bytes()
    assert absolute_item(web) == web


def test_without_ray_it_is_said_what_to_install(images: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtraError, match=re.escape(install_command("ray"))):
        list(predict_on_ray(find_items([images]), MODEL, PredictOptions()))


@needs_ray
@pytest.mark.slow
def test_the_command_goes_to_the_cluster_that_ray_address_names(
    images: str, cluster: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    out = tmp_path_factory.mktemp("tables") / "t.csv"
    command = [sys.executable, "-m", "artnet", "classify", f"{images}/00*.jpg", "--executor", "ray"]
    environment = {**os.environ, "RAY_ADDRESS": cluster.address}
    with subprocess.Popen([*command, "--out", str(out)], env=environment) as process:
        busy = 0.0
        while process.poll() is None:  # its workers take processors of this cluster, and of no other
            busy = max(busy, 2 - __import__("ray").available_resources().get("CPU", 0))
            time.sleep(0.05)
    assert process.returncode == 0
    assert out.read_text().count("\n") == 1 + 10
    assert busy >= 1


@needs_ray
@pytest.mark.slow
def test_a_cluster_of_which_one_machine_dies_fills_the_table_that_is_filled_here(
    classifier: Classifier,
    images: str,
    cluster: Any,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("tables")
    victim = next(node for node in cluster.list_all_nodes() if not node.head)

    def kill(progress: Progress) -> None:
        if progress.done == 40:
            cluster.remove_node(victim, allow_graceful=False)

    options = PredictOptions(embedding=True)
    job = BatchJob([images] * 2, options, model=MODEL)
    local = partial(predict_items, classifier, options=options)
    on_ray = partial(predict_on_ray, model=MODEL, options=options, block_items=12)  # much is left when it dies
    here = table_of(job, local, folder / "here.csv", lambda *_: None)
    there = table_of(job, on_ray, folder / "there.csv", kill)
    deadline = time.monotonic() + 30  # after which Ray calls a machine dead
    while sum(node["Alive"] for node in __import__("ray").nodes()) > 1 and time.monotonic() < deadline:
        time.sleep(0.1)
    assert [node["Alive"] for node in __import__("ray").nodes()].count(True) == 1
    assert here.count(b"\n") == 1 + 2 * 90
    assert there == here
