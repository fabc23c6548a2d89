"""A collection becomes one table, whatever stops it on the way."""

from __future__ import annotations

import os
import random
import re
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from artnet.batch.job import BatchJob, open_executor, resume_settings, row_schema_of, run_job, until_failure
from artnet.batch.journal import resumable_table
from artnet.batch.predict import ModelSpec, PredictOptions, Result, predict_items
from artnet.batch.summary import Summary
from artnet.errors import CorruptImageError, UsageError
from artnet.model.classifier import Classifier
from artnet.model.config import read_model
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
posix = pytest.mark.skipif(os.name != "posix", reason="needs kill -9 and signals, as Linux and macOS have")


def nobody(answer: Result | None, summary: Summary) -> None:
    """See nothing."""


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Three good pictures and a broken one."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    for index in range(3):
        Image.new("RGB", (40, 30), (80 * index, 90, 20)).save(folder / f"{index}.png")
    (folder / "1a.png").write_bytes(b"no picture")
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


def fill(
    classifier: Classifier, asked: BatchJob, out: Path, *, resume: bool = False, most: int | None = None
) -> Summary:
    """Fill a table, stopping by an error after `most` new answers."""

    def executor(rest: Iterable[SourceItem]) -> Iterator[Result]:
        for count, answer in enumerate(predict_items(classifier, rest, asked.wanted, rules=asked.rules)):
            if count == most:
                raise KeyboardInterrupt
            yield answer

    folder, config = read_model()
    settings = resume_settings(folder, config, replace(asked, loading=ModelSpec(precision="f32")))
    with resumable_table(out, row_schema_of(config, asked.wanted), settings, resume) as table:
        return run_job(table, asked.pictures, executor, nobody)


def test_a_stopped_collection_goes_on_and_computes_nothing_twice(
    classifier: Classifier, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = BatchJob([str(pictures)])
    fill(classifier, asked, tmp_path / "straight.csv")
    with pytest.raises(KeyboardInterrupt):
        fill(classifier, asked, tmp_path / "t.csv", most=2)
    read: list[str] = []
    straight = SourceItem.read

    def counted(found: SourceItem, rules: SourceRules) -> bytes:
        read.append(Path(found.name).name)
        return straight(found, rules)

    monkeypatch.setattr(SourceItem, "read", counted)
    summary = fill(classifier, asked, tmp_path / "t.csv", resume=True)
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
        asked = BatchJob([site.put("/all", collection_3(f"{site.url}/all", parts))], rules=HERE)
        fill(classifier, asked, tmp_path / "t.csv")
        old, gone, new = read_back(tmp_path / "t.csv")
        assert (old["label"], old["id"]) == ("p. 1", f"{site.url}/2/canvas/1")
        assert (new["label"], new["id"]) == ("f. 1", f"{site.url}/3/canvas/1")
        assert (gone["source"], gone["error_kind"]) == (f"{site.url}/gone", "address")
        assert {"/image/2/full/1366,/0/default.jpg", "/image/3/full/1366,/0/default.jpg"} <= set(site.requests)


def test_other_pictures_are_no_way_to_go_on(classifier: Classifier, pictures: Path, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        fill(classifier, BatchJob([str(pictures)]), tmp_path / "t.csv", most=2)
    (pictures / "0.png").unlink()
    with pytest.raises(UsageError, match=r"row 1 is of .*0\.png, but the sources now have .*1\.png"):
        fill(classifier, BatchJob([str(pictures)]), tmp_path / "t.csv", resume=True)


def test_views_embeddings_and_overlays_go_on_as_well(classifier: Classifier, pictures: Path, tmp_path: Path) -> None:
    (tmp_path / "why").mkdir()
    asked = BatchJob([str(pictures)], wanted=PredictOptions("all", True, tmp_path / "why"))
    fill(classifier, asked, tmp_path / "straight.parquet")
    with pytest.raises(KeyboardInterrupt):
        fill(classifier, asked, tmp_path / "t.parquet", most=1)
    fill(classifier, asked, tmp_path / "t.parquet", resume=True)
    rows = read_back(tmp_path / "t.parquet")
    assert rows == read_back(tmp_path / "straight.parquet")
    assert [len(row["views"] or []) for row in rows] == [6, 6, 0, 6]
    assert all((tmp_path / "why" / row["overlay"]).is_file() for row in rows if row["overlay"])


def test_the_settings_that_decide_the_rows_are_told_apart() -> None:
    folder, config = read_model()
    first = BatchJob(["a"], loading=ModelSpec(precision="f32"))
    settings = resume_settings(folder, config, first)
    assert settings == resume_settings(folder, config, replace(first, sources=["b"], on_ray=True))
    for other in (PredictOptions("all"), PredictOptions(embedding=True), PredictOptions(overlay_folder=Path("why"))):
        assert resume_settings(folder, config, replace(first, wanted=other)) != settings
    assert resume_settings(folder, config, replace(first, loading=ModelSpec(runtime="onnxruntime"))) != settings


def test_failing_fast_is_the_first_failure() -> None:
    answers = [Result("a"), Result("b", error=CorruptImageError("b: torn")), Result("c")]
    passed = until_failure(answers)
    assert next(passed).source == "a"
    with pytest.raises(CorruptImageError, match="b: torn"):
        next(passed)


def test_one_picture_has_all_processors_and_many_share_them(pictures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    monkeypatch.setattr(Classifier, "load", lambda *given: seen.append(given[3]))
    monkeypatch.setattr("artnet.hardware.processor_count", lambda: 7)
    open_executor(BatchJob([str(pictures / "0.png")]))
    open_executor(BatchJob([str(pictures)]))
    assert seen == [1, 8]


def command(many: Path, out: Path, *more: str) -> subprocess.Popen[str]:
    """Start the real command."""
    options = ["--out", str(out), "--precision", "f32", *more]
    return subprocess.Popen([*ARTNET, "classify", str(many), *options], stderr=subprocess.PIPE, text=True)


@posix
@pytest.mark.slow
def test_ten_kills_at_random_moments_leave_a_table_that_goes_on_to_the_same_rows(many: Path, tmp_path: Path) -> None:
    chance, out = random.Random(7), tmp_path / "t.csv"
    folder = tmp_path / "t.csv.parts"
    for kill in range(10):
        before = len(list(folder.glob("[0-9]*"))) if kill else 0
        with command(many, out, *(["--resume"] if kill else [])) as process:
            deadline = time.monotonic() + 30
            while len(list(folder.glob("[0-9]*"))) < before + kill % 2 and time.monotonic() < deadline:
                time.sleep(0.002)
            time.sleep(chance.uniform(0.2, 0.9) if not kill % 2 else chance.uniform(0, 0.3))
            process.kill()
            process.communicate()
        rows = [row for part in sorted(folder.glob("[0-9]*")) for row in read_back(part)]
        assert [Path(row["source"]).name for row in rows] == [f"{index:03d}.png" for index in range(len(rows))]
    for more, path in (("--resume", out), ("--overwrite", tmp_path / "straight.csv")):
        with command(many, path, more) as process:
            process.communicate()
        assert process.returncode == 1
    assert out.read_bytes() == (tmp_path / "straight.csv").read_bytes()
    assert len(read_back(out)) == 400


@posix
def test_an_interrupt_says_how_to_go_on_and_keeps_what_was_answered(many: Path, tmp_path: Path) -> None:
    folder = tmp_path / "t.jsonl.parts"
    with command(many, tmp_path / "t.jsonl") as process:
        while process.poll() is None and not list(folder.glob("[0-9]*")):
            time.sleep(0.005)
        process.send_signal(signal.SIGINT)
        said = process.communicate()[1]
    kept = sum(len(read_back(part)) for part in folder.glob("[0-9]*"))
    assert process.returncode == 130
    assert f"{kept} rows are kept in {folder}; the same command with --resume goes on from there" in said
    assert said.endswith("artnet: interrupted\n")
    assert kept > 0


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
    limited = f"ulimit -f 6; exec {' '.join(ARTNET)} classify {many} --out {out} --precision f32"
    done = subprocess.run(["/bin/bash", "-c", limited], capture_output=True, text=True, check=False)
    assert done.returncode == 7, done.stderr
    assert "cannot be written" in done.stderr
    assert "make room and go on with --resume" in done.stderr
    assert "Traceback" not in done.stderr
    with command(many, out, "--resume") as process:
        process.communicate()
    assert len(read_back(out)) == 400
