"""Worker processes give the results of this process, in order, whatever becomes of one of them."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from artnet.batch.local_executor import LocalLimits, LocalPredictor
from artnet.batch.predict import ModelSpec, PredictOptions, Result, predict_items
from artnet.errors import OutputError, WorkerError
from artnet.model.classifier import Classifier
from artnet.sources.find import find_items
from artnet.sources.item import DEFAULT_RULES, InMemory, SourceItem
from fixtures.workers import Deadly, Endless, Reader

MODEL = ModelSpec(precision="f32")


def predictor(processes: int = 1, options: PredictOptions | None = None) -> LocalPredictor:
    limits = LocalLimits(processes=processes, in_process=1, block_items=3)
    return LocalPredictor(MODEL, options or PredictOptions(), DEFAULT_RULES, limits)


def in_workers(predict: LocalPredictor, items: Iterable[SourceItem]) -> Iterator[Result]:
    """Yield the results of items that come once workers are at work."""
    at_work = False

    def all_items() -> Iterator[SourceItem]:
        ends = time.monotonic() + 120
        while not at_work and time.monotonic() < ends:
            yield SourceItem("early", Reader())
            time.sleep(0.01)
        yield from items

    for result in predict(all_items()):
        if result.source == "early":
            at_work |= str(result.error) == "read by a worker"
        else:
            yield result


@pytest.fixture
def images(tmp_path: Path, painting: Image.Image) -> Path:
    """A folder of seven images, the third broken and the fifth without its end marker."""
    folder = tmp_path / "images"
    folder.mkdir()
    for index in range(7):
        painting.rotate(40 * index).save(folder / f"{index}.jpg")
    (folder / "2.jpg").write_bytes(b"no image")
    (folder / "4.jpg").write_bytes((folder / "4.jpg").read_bytes()[:-2])
    return folder


def test_workers_give_the_results_of_this_process_with_all_that_belongs_to_them(
    classifier: Classifier, images: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folders = [tmp_path / "here", tmp_path / "there"]
    for folder in folders:
        folder.mkdir()
    options = [PredictOptions("all", embedding=True, overlay_folder=folder, thumbnail=True) for folder in folders]
    carried = SourceItem("carried", InMemory((images / "0.jpg").read_bytes()), label="f. 1", id="17")
    items = [*find_items([str(images), "gone.jpg"]), carried]
    here = list(predict_items(classifier, items, options[0]))
    warned = [record.getMessage() for record in caplog.records]
    caplog.clear()
    there = list(in_workers(predictor(1, options[1]), items))
    assert [replace(result, error=None) for result in there] == [replace(result, error=None) for result in here]
    assert [str(result.error) for result in there] == [str(result.error) for result in here]
    assert all(np.array_equal(one.embedding, other.embedding) for one, other in zip(here, there, strict=True))
    for path in folders[0].iterdir():
        assert (folders[1] / path.name).read_bytes() == path.read_bytes()
    assert any("lacks its last bytes" in message for message in warned)
    assert [record.getMessage() for record in caplog.records] == warned


def test_a_small_job_starts_no_process() -> None:
    (result,) = predictor()([SourceItem("one", Reader())])
    assert str(result.error) == "read here"


def test_what_lies_on_servers_is_read_here_by_one_process_for_all() -> None:
    items = [SourceItem(str(index), Reader("https://a.example/" if index % 2 else "")) for index in range(20)]
    results = list(in_workers(predictor(), items))
    assert [result.source for result in results] == [item.name for item in items]
    assert [str(result.error) for result in results] == ["read by a worker", "read here"] * 10


def test_what_a_killed_worker_was_at_is_done_by_another(tmp_path: Path) -> None:
    items = [SourceItem(str(index), Deadly(str(tmp_path), 1)) for index in range(9)]
    results = list(in_workers(predictor(2), items))
    assert [result.source for result in results] == [item.name for item in items]
    assert {str(result.error) for result in results} == {"read by a worker"}


def test_a_job_whose_workers_are_all_killed_ends_and_says_how_to_continue(tmp_path: Path) -> None:
    items = [SourceItem(str(index), Deadly(str(tmp_path), 9)) for index in range(9)]
    with pytest.raises(WorkerError, match=r"perhaps because memory ran out.*--resume continues"):
        list(in_workers(predictor(), items))
    assert multiprocessing.active_children() == []


def test_a_caller_who_stops_waits_for_no_worker() -> None:
    results = in_workers(predictor(), [*[SourceItem("a", Reader())] * 3, *[SourceItem("b", Endless())] * 6])
    assert next(results).source == "a"
    results.close()
    assert multiprocessing.active_children() == []


def test_an_overlay_that_a_worker_cannot_write_stops_the_work(images: Path, tmp_path: Path) -> None:
    options = PredictOptions(overlay_folder=tmp_path / "nowhere")
    with pytest.raises(OutputError, match="cannot be written"):
        list(in_workers(predictor(options=options), find_items([str(images)])))
