"""A collection becomes one table, whatever stops it on the way."""

from __future__ import annotations

import os
import random
import re
import signal
import sqlite3
import struct
import subprocess
import sys
import time
from contextlib import closing, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from artnet.batch.job import BatchJob, Progress, Summary, job_journal, run_job, write_results
from artnet.batch.journal import journal_path
from artnet.batch.predict import ModelSpec, PredictOptions, predict_items
from artnet.batch.table import Row
from artnet.model.classifier import Classifier
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
    slow,
)

ARTNET = [sys.executable, "-m", "artnet"]
NO_ROWS_BYTES = 60_000  # more than a journal without rows, less than one with twenty
posix = pytest.mark.skipif(os.name != "posix", reason="needs kill -9 and signals, as Linux and macOS have")


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """Three good images and a broken one."""
    folder = tmp_path / "images"
    folder.mkdir()
    for index in range(3):
        Image.new("RGB", (40, 30), (80 * index, 90, 20)).save(folder / f"{index}.png")
    (folder / "1a.png").write_bytes(b"no image")
    return folder


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four hundred pictures, of thirty kinds, one of them broken."""
    folder = tmp_path_factory.mktemp("many") / "pictures"
    folder.mkdir()
    for index in range(30):
        coarse = np.random.default_rng(index).integers(0, 255, (6, 8, 3), dtype=np.uint8)
        Image.fromarray(coarse).resize((64, 48), Image.Resampling.BICUBIC).save(folder / f"{index:03d}.png")
    (folder / "029.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    for index in range(30, 400):
        os.link(folder / f"{index % 30:03d}.png", folder / f"{index:03d}.png")
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


def rows_kept(out: Path) -> list[Row]:
    """Read the rows of a journal that a command has left."""
    with closing(sqlite3.connect(journal_path(out))) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute("SELECT * FROM results ORDER BY rowid")]


def journal_bytes(out: Path) -> int:
    """Return how much a running command has written to its journal."""
    files = (journal_path(out), journal_path(out).with_name(f"{out.name}.journal-wal"))
    return sum(file.stat().st_size for file in files if file.exists())


def wait_for_rows(process: subprocess.Popen[str], out: Path, more_than: int) -> None:
    """Wait until the journal has grown, which it does with each row."""
    deadline = time.monotonic() + 60
    while process.poll() is None and journal_bytes(out) <= more_than and time.monotonic() < deadline:
        time.sleep(0.005)


def command(many: Path, out: Path, *more: str) -> subprocess.Popen[str]:
    """Start the real command."""
    options = ["--out", str(out), "--precision", "f32", *more]
    return subprocess.Popen([*ARTNET, "classify", str(many), *options], stderr=subprocess.PIPE, text=True)


@posix
@pytest.mark.slow
def test_ten_kills_at_random_moments_lose_no_row_and_resume_to_the_same_bytes(many: Path, tmp_path: Path) -> None:
    rng, out = random.Random(7), tmp_path / "t.csv"
    kept = 0
    for kill in range(10):
        before = journal_bytes(out)
        with command(many, out, *(["--resume"] if kill else [])) as process:
            wait_for_rows(process, out, more_than=max(before, NO_ROWS_BYTES))
            time.sleep(rng.uniform(0, 0.3))
            process.kill()
            process.communicate()
        rows = rows_kept(out)
        assert [Path(row["source"]).name for row in rows] == [f"{index:03d}.png" for index in range(len(rows))]
        assert len(rows) >= kept
        kept = len(rows)
    assert kept > 0
    for option, path in (("--resume", out), ("--overwrite", tmp_path / "straight.csv")):
        with command(many, path, option) as process:
            process.communicate()
        assert process.returncode == 1
    assert out.read_bytes() == (tmp_path / "straight.csv").read_bytes()
    assert len(read_back(out)) == 400


@posix
def test_an_interrupt_says_how_to_resume_and_keeps_what_was_classified(many: Path, tmp_path: Path) -> None:
    out = tmp_path / "t.jsonl"
    with command(many, out) as process:
        wait_for_rows(process, out, more_than=NO_ROWS_BYTES)
        process.send_signal(signal.SIGINT)
        messages = process.communicate()[1]
    kept = len(rows_kept(out))
    assert process.returncode == 130
    assert kept > 0
    assert f"{kept} rows are kept; continue by the same command with --resume" in messages
    assert messages.endswith("artnet: interrupted\n")


@posix
def test_a_terminal_shows_how_many_are_done_how_fast_and_how_many_failed(many: Path, tmp_path: Path) -> None:
    import fcntl
    import termios

    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 120, 0, 0))
    options = ["--out", str(tmp_path / "t.csv"), "--precision", "f32"]
    sources = map(str, sorted(many.iterdir())[:100])
    with subprocess.Popen([*ARTNET, "classify", *sources, *options], stderr=theirs) as process:
        os.close(theirs)
        shown = b""
        with suppress(OSError):  # which is how a terminal ends
            while part := os.read(ours, 65536):
                shown += part
        process.wait()
    os.close(ours)
    assert re.search(rb"[1-9]\d*/100.*\d\.\d/s, \d+ failed, time left.*\d:\d\d:\d\d", shown)


@posix
def test_an_interrupt_waits_for_no_slow_server(tmp_path: Path) -> None:
    with serving() as site:
        listed = tmp_path / "list.txt"
        listed.write_text("\n".join(site.put(f"/{index}.jpg", slow) for index in range(20)))
        with command(listed, tmp_path / "t.csv", "--allow-private", "--timeout", "300") as process:
            while process.poll() is None and not site.requests:
                time.sleep(0.005)
            process.send_signal(signal.SIGINT)
            said = process.communicate(timeout=20)[1]
    assert process.returncode == 130
    assert "Traceback" not in said


@posix
def test_a_full_disk_is_said_and_what_was_written_goes_on(many: Path, tmp_path: Path) -> None:
    if not Path("/bin/bash").exists():
        pytest.skip("needs a shell that can limit the size of files")
    out = tmp_path / "t.parquet"
    limited = f"ulimit -f 24; exec {' '.join(ARTNET)} classify {many} --out {out} --precision f32"
    done = subprocess.run(["/bin/bash", "-c", limited], capture_output=True, text=True, check=False)
    assert done.returncode == 7, done.stderr
    assert "cannot be written" in done.stderr
    assert "make room and continue with --resume" in done.stderr
    assert "Traceback" not in done.stderr
    with command(many, out, "--resume") as process:
        process.communicate()
    assert len(read_back(out)) == 400
