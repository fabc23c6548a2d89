"""A job counts what it did, tells whether it can be resumed, and writes one table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from artnet.batch.job import (
    BatchJob,
    Progress,
    Summary,
    check_table_path,
    iiif_side_px,
    model_fingerprint,
    open_predictor,
    resume_settings,
    run_job,
    write_results,
)
from artnet.batch.journal import Journal, journal_path, open_journal
from artnet.batch.predict import ModelSpec, PredictOptions, Result
from artnet.batch.table import TableSchema
from artnet.errors import CorruptImageError, OutputError, UsageError
from artnet.model.classifier import Classifier
from artnet.model.config import read_model
from artnet.sources.item import SourceItem
from fixtures.tables import MOVEMENTS, read_back, right, wrong

SCHEMA = TableSchema(MOVEMENTS)


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """A folder of four files with the names of images, of which the second is broken."""
    folder = tmp_path / "images"
    folder.mkdir()
    for name in ("0.png", "1-broken.png", "2.png", "3.png"):
        (folder / name).write_bytes(b"not read")
    return folder


def predictor(items: Iterable[SourceItem]) -> Iterator[Result]:
    """Predict by the name alone."""
    for item in items:
        yield wrong(item.name) if "broken" in item.name else right(item.name)


def names(journal: Journal) -> list[str]:
    return [Path(row["source"]).name for row in journal.rows()]


def run(images: Path, out: Path, stop_after: int | None = None) -> list[Progress]:
    """Run the job, resuming it where it was begun, and stop after some items."""
    seen: list[Progress] = []

    def on_progress(progress: Progress) -> None:
        seen.append(progress)
        if progress.done == stop_after:
            raise KeyboardInterrupt

    with open_journal(out, SCHEMA, {}, "resume") as journal:
        run_job(BatchJob([str(images)]), journal, on_progress, predictor=predictor)
        write_results(journal)
    return seen


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
@pytest.mark.parametrize("stop_after", [1, 2, 4])
def test_a_stopped_job_is_resumed_to_the_same_bytes(images: Path, suffix: str, stop_after: int, tmp_path: Path) -> None:
    out, straight = tmp_path / f"t{suffix}", tmp_path / f"straight{suffix}"
    run(images, straight)
    with pytest.raises(KeyboardInterrupt):
        run(images, out, stop_after)
    assert not out.exists()
    assert len(run(images, out)) == 1 + 4 - stop_after
    assert out.read_bytes() == straight.read_bytes()
    assert not journal_path(out).exists()


def test_progress_starts_with_what_is_there_and_brings_each_error(images: Path, tmp_path: Path) -> None:
    first, *others = run(images, tmp_path / "t.csv")
    assert first == Progress(0, 0)
    assert [(progress.done, progress.failed, progress.error is None) for progress in others] == [
        (1, 0, True),
        (2, 1, False),
        (3, 1, True),
        (4, 1, True),
    ]


def test_the_total_is_counted_where_that_is_wanted(images: Path, tmp_path: Path) -> None:
    totals: list[int | None] = []

    def slowly(items: Iterable[SourceItem]) -> Iterator[Result]:
        import time

        for result in predictor(items):
            time.sleep(0.05)
            yield result

    with open_journal(tmp_path / "t.csv", SCHEMA, {}) as journal:
        job = BatchJob([str(images)])
        run_job(job, journal, lambda progress: totals.append(progress.total), count_total=True, predictor=slowly)
    assert totals[-1] == 4


def test_a_job_that_shall_fail_fast_raises_the_first_error_and_keeps_the_rows_before(
    images: Path, tmp_path: Path
) -> None:
    job = BatchJob([str(images)], fail_fast=True)
    with (
        pytest.raises(CorruptImageError, match="broken"),
        open_journal(tmp_path / "t.csv", SCHEMA, {}) as journal,
    ):
        run_job(job, journal, predictor=predictor)
    with open_journal(tmp_path / "t.csv", SCHEMA, {}, "resume") as journal:
        assert names(journal) == ["0.png"]


def test_other_items_are_no_way_to_resume(images: Path, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(images, tmp_path / "t.csv", stop_after=2)
    (images / "0.png").unlink()
    with pytest.raises(UsageError, match=r"row 1 is of .*0\.png, but the sources now have .*1-broken\.png"):
        run(images, tmp_path / "t.csv")


def test_an_existing_table_stays_until_the_new_one_is_complete(images: Path, tmp_path: Path) -> None:
    out = tmp_path / "t.csv"
    out.write_text("mine")
    with open_journal(out, SCHEMA, {}, "overwrite") as journal:
        run_job(BatchJob([str(images)]), journal, predictor=predictor)
        assert out.read_text() == "mine"
        write_results(journal)
    assert len(read_back(out)) == 4


def test_a_table_that_cannot_be_written_keeps_its_journal(images: Path, tmp_path: Path) -> None:
    out = tmp_path / "t.csv"
    with open_journal(out, SCHEMA, {}) as journal:
        run_job(BatchJob([str(images)]), journal, predictor=predictor)
        out.mkdir()
        with pytest.raises(OutputError, match=r"cannot be written .*kept in .*--resume"):
            write_results(journal)
    out.rmdir()
    with open_journal(out, SCHEMA, {}, "resume") as journal:
        assert journal.row_count == 4


def test_an_empty_collection_is_an_empty_table(tmp_path: Path) -> None:
    with open_journal(tmp_path / "t.csv", SCHEMA, {}) as journal:
        write_results(journal)
    assert read_back(tmp_path / "t.csv") == []
    assert [path.name for path in tmp_path.iterdir()] == ["t.csv"]


def test_what_is_there_is_refused_before_anything_is_done(tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("mine")
    with pytest.raises(OutputError, match=r"exists already.*--overwrite"):
        check_table_path(tmp_path / "mine.csv")
    journal_path(tmp_path / "t.csv").write_text("begun")
    with pytest.raises(OutputError, match=r"was begun and not finished.*--resume"):
        check_table_path(tmp_path / "t.csv")
    with pytest.raises(OutputError, match="its folder does not exist"):
        check_table_path(tmp_path / "nowhere" / "t.csv")


def test_movements_decisions_and_failures_are_counted() -> None:
    summary = Summary()
    for movement, decision in (("Realism", "unsure"), ("Realism", "confident"), ("Cubism", "confident")):
        summary.count({"movement": movement, "decision": decision, "error_kind": None})
    summary.count({"movement": None, "decision": None, "error_kind": "corrupt"})
    assert (summary.total, summary.failed) == (4, 1)
    assert summary.movements == {"Realism": 2, "Cubism": 1}
    assert summary.decisions == {"confident": 2, "unsure": 1}
    assert summary.failures == {"corrupt": 1}


def test_the_settings_that_determine_the_rows_are_told_apart() -> None:
    folder, config = read_model()
    first = BatchJob(["a"], model=ModelSpec(precision="f32"))
    settings = resume_settings(folder, config, first)
    assert settings == resume_settings(folder, config, replace(first, sources=["b"], executor="ray"))
    others = (PredictOptions("all"), PredictOptions(embedding=True), PredictOptions(trim=False))
    for other in (*others, PredictOptions(overlay_folder=Path("why"))):
        assert resume_settings(folder, config, replace(first, options=other)) != settings
    assert resume_settings(folder, config, replace(first, model=ModelSpec(runtime="onnxruntime"))) != settings


def test_embeddings_with_margins_are_another_models_as_far_as_an_index_can_tell() -> None:
    folder, config = read_model()
    assert model_fingerprint(folder, config, trim=False) == f"{model_fingerprint(folder, config)} with --no-trim"


def test_one_image_has_all_processors_and_many_share_them(images: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    monkeypatch.setattr(Classifier, "load", lambda *arguments: seen.append(arguments[3]))
    monkeypatch.setattr("artnet.hardware.processor_count", lambda: 7)
    open_predictor(BatchJob([str(images / "0.png")]))
    open_predictor(BatchJob([str(images)]))
    assert seen == [1, 8]


def test_iiif_services_are_asked_for_the_pixels_that_the_views_need(images: Path) -> None:
    assert iiif_side_px([str(images / "0.png")], Path("no model is read for a file")) == 1024
    whole, regions = iiif_side_px([str(images)], None), iiif_side_px([str(images)], None, PredictOptions("all"))
    assert regions / whole == pytest.approx(4 / 3)
