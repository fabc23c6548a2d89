"""A collection becomes one table, whatever stops it on the way."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from artnet.batch.job import BatchJob, Progress, Summary, job_journal, run_job, write_results
from artnet.batch.predict import ModelSpec, PipelineLimits, PredictOptions, predict_items
from artnet.imaging.decode import open_image
from artnet.model.classifier import Classifier
from artnet.sources.find import find_items
from artnet.sources.item import SourceItem, SourceRules
from fixtures.tables import read_back
from fixtures.web import (
    HERE,
    ImageService,
    body_3,
    collection_3,
    manifest_2,
    manifest_3,
    reference_3,
    resource_2,
    serving,
)


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """Three good images and a broken one."""
    folder = tmp_path / "images"
    folder.mkdir()
    for index in range(3):
        Image.new("RGB", (40, 30), (80 * index, 90, 20)).save(folder / f"{index}.png")
    (folder / "1a.png").write_bytes(b"no image")
    return folder


def fill(classifier: Classifier, job: BatchJob, out: Path, stop_after: int | None = None) -> Summary:
    """Fill a table, resuming it where it was begun, and stop after some rows."""

    def on_progress(progress: Progress) -> None:
        if progress.done == stop_after:
            raise KeyboardInterrupt

    predictor = partial(predict_items, classifier, options=job.options, rules=job.rules)
    with job_journal(replace(job, model=ModelSpec(precision="f32")), out, "resume") as journal:
        summary = run_job(job, journal, on_progress, predictor=predictor)
        write_results(journal)
    return summary


def test_a_resumed_collection_computes_nothing_twice(
    classifier: Classifier, images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = BatchJob([str(images)])
    fill(classifier, job, tmp_path / "straight.csv")
    with pytest.raises(KeyboardInterrupt):
        fill(classifier, job, tmp_path / "t.csv", stop_after=2)
    read: list[str] = []
    original = SourceItem.read

    def counted(item: SourceItem, rules: SourceRules) -> bytes:
        read.append(Path(item.name).name)
        return original(item, rules)

    monkeypatch.setattr(SourceItem, "read", counted)
    summary = fill(classifier, job, tmp_path / "t.csv")
    assert sorted(read) == ["1a.png", "2.png"]
    assert (summary.total, summary.failed) == (4, 1)
    assert (tmp_path / "t.csv").read_bytes() == (tmp_path / "straight.csv").read_bytes()


def test_a_iiif_collection_of_both_versions_becomes_a_table_with_labels_and_ids(
    classifier: Classifier, tmp_path: Path
) -> None:
    with serving() as site:
        for version in (2, 3):
            service = ImageService(version).put(site, f"/image/{version}")
            make, body = (manifest_2, resource_2) if version == 2 else (manifest_3, body_3)
            site.put(f"/{version}", make(f"{site.url}/{version}", [body(service)]))
        parts = [reference_3(f"{site.url}/{name}") for name in ("2", "gone", "3")]
        job = BatchJob([site.put("/all", collection_3(f"{site.url}/all", parts))], rules=HERE)
        fill(classifier, job, tmp_path / "t.csv")
        old, gone, new = read_back(tmp_path / "t.csv")
        assert (old["label"], old["id"]) == ("p. 1", f"{site.url}/2/canvas/1")
        assert (new["label"], new["id"]) == ("f. 1", f"{site.url}/3/canvas/1")
        assert (gone["source"], gone["error_kind"]) == (f"{site.url}/gone", "address")
        assert {"/image/2/full/1366,/0/default.jpg", "/image/3/full/1366,/0/default.jpg"} <= set(site.requests)


def test_views_embeddings_and_overlays_are_resumed(classifier: Classifier, images: Path, tmp_path: Path) -> None:
    (tmp_path / "why").mkdir()
    job = BatchJob([str(images)], PredictOptions("all", True, tmp_path / "why"))
    fill(classifier, job, tmp_path / "straight.parquet")
    with pytest.raises(KeyboardInterrupt):
        fill(classifier, job, tmp_path / "t.parquet", stop_after=1)
    fill(classifier, job, tmp_path / "t.parquet")
    rows = read_back(tmp_path / "t.parquet")
    assert rows == read_back(tmp_path / "straight.parquet")
    assert [len(row["views"] or []) for row in rows] == [6, 6, 0, 6]
    assert all((tmp_path / "why" / row["overlay"]).is_file() for row in rows if row["overlay"])


def test_every_thread_of_a_shared_model_gives_the_bits_of_one_alone(
    classifier: Classifier, painting: Image.Image, tmp_path: Path
) -> None:
    for index in range(12):
        painting.rotate(30 * index).save(tmp_path / f"{index:02d}.png")
    shared = ModelSpec(precision="f32").load(concurrency=2)
    options, limits = PredictOptions(embedding=True), PipelineLimits(workers=5)
    together = predict_items(shared, find_items([str(tmp_path)]), options, limits=limits)
    for result in together:
        assert result.prediction == classifier.classify(result.source)
        views = classifier.open(open_image(result.source)).views
        assert np.array_equal(result.embedding, classifier.infer(views, embed=True).embedding)
