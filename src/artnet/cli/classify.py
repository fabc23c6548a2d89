"""The `classify` command."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from artnet.cli.console import Tally, batch_progress, print_answer, print_json, print_message, progress_bar
from artnet.cli.options import (
    AllowPrivate,
    Executor,
    IiifPx,
    Json,
    MaxMb,
    Model,
    Precision,
    Runtime,
    Timeout,
    source_rules,
)
from artnet.errors import ImageError, OutputError, SourceError, UsageError

if TYPE_CHECKING:
    from artnet.batch.job import BatchJob
    from artnet.batch.journal import ResumableTable
    from artnet.batch.predict import Result
    from artnet.batch.summary import Summary


def classify(
    sources: Annotated[
        list[str], typer.Argument(metavar="SOURCE...", help="Pictures, folders, patterns, archives ...")
    ],
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write a table: .csv, .jsonl or .parquet.")
    ] = None,
    as_json: Json = False,
    views: Annotated[
        Literal["voting", "all"], typer.Option("--views", help="voting, or all six with what each would have answered.")
    ] = "voting",
    all_views: Annotated[bool, typer.Option("--all-views", help="The same as --views all.")] = False,
    embeddings: Annotated[bool, typer.Option("--embeddings", help="Also give the whole view's embedding.")] = False,
    overlays: Annotated[
        Path | None, typer.Option("--explain", metavar="FOLDER", help="Also draw the evidence over each picture.")
    ] = None,
    executor: Executor = "local",
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the table where it was stopped.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the table that is there.")] = False,
    fail_fast: Annotated[bool, typer.Option("--fail-fast", help="Stop at the first picture that fails.")] = False,
    allow_private: AllowPrivate = False,
    timeout_s: Timeout = 30.0,
    max_mb: MaxMb = 64,
    iiif_px: IiifPx = None,
    model: Model = None,
    runtime: Runtime = "openvino",
    precision: Precision = "auto",
) -> int:
    """Say which movement each painting belongs to."""
    from artnet.batch.job import BatchJob
    from artnet.batch.journal import check_table_path, is_whole
    from artnet.batch.predict import ModelSpec, PredictOptions

    if out is None and (resume or overwrite):
        raise UsageError("--resume and --overwrite are about a table; name it with --out FILE")
    if out is not None and as_json:
        raise UsageError("--out writes a table and --json prints; give one of them")
    if out is not None:
        check_table_path(out, resume, overwrite)
        if resume and is_whole(out):
            print_message(f"{out} is whole already, nothing to do; --overwrite makes it anew")
            return 0
    wanted = PredictOptions("all" if all_views else views, embeddings, _made(overlays))
    needed = iiif_px or needed_px(sources, model, wanted.views == "all" or wanted.overlay_folder is not None)
    asked = BatchJob(
        sources,
        rules=source_rules(allow_private, timeout_s, max_mb, needed),
        loading=ModelSpec(model, runtime, precision),
        wanted=wanted,
        on_ray=executor == "ray",
    )
    if out is None:
        return _print_answers(asked, as_json, fail_fast)
    return _write_table(asked, out, resume, overwrite, fail_fast)


def needed_px(sources: list[str], model: Path | None, regions: bool) -> int:
    """Say which shorter side the views need; the model is looked at only where a source could be IIIF."""
    from artnet.model.config import read_model
    from artnet.sources.find import holds_many
    from artnet.sources.item import DEFAULT_RULES, needed_side

    if not any(holds_many(source) for source in sources):
        return DEFAULT_RULES.shorter_side_px
    config = read_model(model)[1]
    return needed_side(config.preprocessing.size_px, regions or len(config.voting_views) > 1)


def _print_answers(asked: BatchJob, as_json: bool, fail_fast: bool) -> int:
    from artnet.batch.job import open_executor, until_failure

    answers = open_executor(asked)(asked.pictures)
    tally = Tally()
    with progress_bar("classifying", shown=not sys.stdout.isatty()) as advance:
        counted = tally.count(until_failure(answers) if fail_fast else answers, advance)
        if as_json:
            print_json(counted, asked.single)
        else:
            for answer in counted:
                print_answer(answer)
    if not asked.single:
        print_message(f"{tally.total} pictures, {tally.failed} failed")
    return 1 if tally.failed else 0


def _write_table(asked: BatchJob, out: Path, resume: bool, overwrite: bool, fail_fast: bool) -> int:
    summary = fill(asked, out, resume, overwrite, fail_fast)
    for line in summary.lines:
        print_message(line)
    print_message(f"{summary.total} pictures, {summary.failed} failed; written to {out}")
    return 1 if summary.failed else 0


def fill(asked: BatchJob, out: Path, resume: bool, overwrite: bool, fail_fast: bool = False) -> Summary:
    """Fill a table while a bar shows how far it is; failures, and how a stopped table goes on, are said."""
    from artnet.batch.job import open_executor, resume_settings, row_schema_of, run_job, until_failure
    from artnet.batch.journal import resumable_table
    from artnet.model.config import read_model

    folder, config = read_model(asked.loading.folder)
    executor = open_executor(asked)
    settings = resume_settings(folder, config, asked)
    known = _Counted(asked)
    shape = row_schema_of(config, asked.wanted)
    with resumable_table(out, shape, settings, resume, overwrite) as table, batch_progress() as bar, known.counting():

        def seen(answer: Result | None, summary: Summary) -> None:
            if answer is not None and answer.error is not None:
                print_message(f"artnet: {answer.error}")
            bar(summary.total, summary.failed, known.total)

        try:
            return run_job(
                table, asked.pictures, lambda rest: until_failure(executor(rest)) if fail_fast else executor(rest), seen
            )
        except (KeyboardInterrupt, SourceError, ImageError):
            _say_kept(table)
            raise


def _say_kept(table: ResumableTable) -> None:
    """Say how a table that was stopped goes on; whatever stopped it says itself what it was."""
    table.close()
    print_message(f"{table.rows} rows are kept in {table.folder}; the same command with --resume goes on from there")


def _made(folder: Path | None) -> Path | None:
    """Make the folder for overlays."""
    if folder is not None:
        try:
            folder.mkdir(exist_ok=True)
        except OSError as error:
            raise OutputError(f"{folder}: cannot be made ({error.strerror or error}); name another folder") from error
    return folder


class _Counted:
    """How many pictures there are, found out beside the work where names cost next to nothing: on disks."""

    def __init__(self, asked: BatchJob) -> None:
        self.total: int | None = None
        self._asked = asked
        self._stopped = False

    @contextmanager
    def counting(self) -> Iterator[None]:
        """Count while the block runs, where somebody looks."""
        from artnet.imaging.decode import SUFFIXES

        near = all(
            _is_folder(each) or (_is_file(each) and Path(each).suffix.lower() in SUFFIXES)
            for each in self._asked.sources
        )
        if near and sys.stderr.isatty():
            threading.Thread(target=self._count, daemon=True).start()
        yield
        self._stopped = True

    def _count(self) -> None:
        count = 0
        for _ in self._asked.pictures:
            count += 1
            if self._stopped:
                return
        self.total = count


# os.path answers False for a name that no file can have; pathlib raises.
_is_folder, _is_file = os.path.isdir, os.path.isfile
