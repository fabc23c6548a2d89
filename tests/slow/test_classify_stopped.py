"""Whatever stops `artnet classify` loses no finished row, and the command says how to resume."""

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
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from artnet.batch.journal import journal_path
from artnet.batch.table import Row
from fixtures.tables import read_back
from fixtures.web import (
    serving,
    slow,
)

ARTNET = [sys.executable, "-m", "artnet"]
NO_ROWS_BYTES = 60_000  # more than a journal without rows, less than one with twenty
posix = pytest.mark.skipif(os.name != "posix", reason="needs kill -9 and signals, as Linux and macOS have")


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three hundred images, of thirty kinds, one of them broken."""
    folder = tmp_path_factory.mktemp("many") / "images"
    folder.mkdir()
    for index in range(30):
        coarse = np.random.default_rng(index).integers(0, 255, (6, 8, 3), dtype=np.uint8)
        Image.fromarray(coarse).resize((64, 48), Image.Resampling.BICUBIC).save(folder / f"{index:03d}.png")
    (folder / "029.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    for index in range(30, 300):
        os.link(folder / f"{index % 30:03d}.png", folder / f"{index:03d}.png")
    return folder


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
def test_kills_at_random_moments_lose_no_row_and_resume_to_the_same_bytes(many: Path, tmp_path: Path) -> None:
    rng, out = random.Random(7), tmp_path / "t.csv"
    kept = 0
    for kill in range(4):
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
    assert len(read_back(out)) == 300


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
    told = f"artnet: stopped; {kept} rows are kept; continue by the same command with --resume"
    assert messages.splitlines()[-1] == told


def processes(*options: str) -> list[int]:
    """Return the processes that `ps` selects and that are no zombies."""
    listed = subprocess.run(["ps", "-o", "pid=,stat=", *options], capture_output=True, text=True, check=False).stdout
    return [int(pid) for pid, state in map(str.split, listed.splitlines()) if not state.startswith("Z")]


@pytest.mark.skipif(sys.platform != "linux", reason="needs ps --ppid")
def test_the_workers_of_a_large_job_end_when_it_is_killed_alone(many: Path, tmp_path: Path) -> None:
    options = [*[str(many)] * 9, "--out", str(tmp_path / "t.csv")]
    with subprocess.Popen([*ARTNET, "classify", *options], stderr=subprocess.PIPE, text=True) as process:
        while process.poll() is None and len(workers := processes("--ppid", str(process.pid))) < 2:
            time.sleep(0.05)
        time.sleep(random.Random(9).uniform(0, 3))
        process.kill()
        killed = time.monotonic()
        messages = process.communicate(timeout=60)[1]
    assert "Traceback" not in messages
    while alive := processes("-p", ",".join(map(str, workers))):
        assert time.monotonic() - killed < 20, alive
        time.sleep(0.05)


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
            output = process.communicate(timeout=20)[1]
    assert process.returncode == 130
    assert "Traceback" not in output


@posix
def test_a_full_disk_is_reported_and_what_was_written_is_resumed(many: Path, tmp_path: Path) -> None:
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
    assert len(read_back(out)) == 300
