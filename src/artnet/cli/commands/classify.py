"""The `classify` command."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from artnet.cli.console import (
    ResultCounter,
    batch_progress,
    hidden_note,
    prediction_line,
    print_json,
    print_line,
    print_message,
    print_summary,
    progress_bar,
)
from artnet.cli.options import (
    AllowPrivate,
    Executor,
    IiifPx,
    Json,
    MaxMb,
    Model,
    NoTrim,
    Overwrite,
    Precision,
    Resume,
    Runtime,
    Timeout,
    ZipEncoding,
    existing_output,
    source_rules,
)
from artnet.errors import UsageError, output_errors

if TYPE_CHECKING:
    from artnet.batch.job import BatchJob
    from artnet.batch.journal import Existing


def classify(
    sources: Annotated[list[str], typer.Argument(metavar="SOURCE...", help="Images, folders, patterns, archives ...")],
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write a table: .csv, .jsonl or .parquet.")
    ] = None,
    as_json: Json = False,
    views: Annotated[
        Literal["voting", "all"], typer.Option("--views", help="voting, or all six with the scores of each.")
    ] = "voting",
    all_views: Annotated[bool, typer.Option("--all-views", help="The same as --views all.")] = False,
    embeddings: Annotated[bool, typer.Option("--embeddings", help="Also output the embedding of each image.")] = False,
    overlays: Annotated[
        Path | None, typer.Option("--explain", metavar="FOLDER", help="Also draw a heatmap over each image.")
    ] = None,
    no_trim: NoTrim = False,
    executor: Executor = "local",
    resume: Resume = False,
    overwrite: Overwrite = False,
    fail_fast: Annotated[bool, typer.Option("--fail-fast", help="Stop at the first image that fails.")] = False,
    allow_private: AllowPrivate = False,
    timeout_s: Timeout = 30.0,
    max_mb: MaxMb = 64,
    iiif_px: IiifPx = None,
    zip_encoding: ZipEncoding = "cp437",
    model: Model = None,
    runtime: Runtime = "openvino",
    precision: Precision = "auto",
) -> int:
    """Classify paintings by movement."""
    from artnet.batch.job import BatchJob, check_table_path, iiif_side_px
    from artnet.batch.journal import is_complete
    from artnet.batch.predict import ModelSpec, PredictOptions

    existing = existing_output(resume, overwrite)
    if out is None and existing != "refuse":
        raise UsageError("--resume and --overwrite are about a table; name it with --out FILE")
    if out is not None and as_json:
        raise UsageError("--out writes a table and --json prints; use one of them")
    if out is not None:
        check_table_path(out, existing)
        if existing == "resume" and is_complete(out):
            print_message(f"{out} is complete already, nothing to do; --overwrite writes it again")
            return 0
    options = PredictOptions("all" if all_views else views, embeddings, _create_folder(overlays), trim=not no_trim)
    side_px = iiif_px or iiif_side_px(sources, model, options)
    job = BatchJob(
        sources,
        options,
        source_rules(allow_private, timeout_s, max_mb, side_px, zip_encoding),
        ModelSpec(model, runtime, precision),
        executor,
        fail_fast,
    )
    return _print_results(job, as_json) if out is None else _write_table(job, out, existing)


def _create_folder(folder: Path | None) -> Path | None:
    if folder is not None:
        with output_errors(folder, "name another folder"):
            folder.mkdir(exist_ok=True)
    return folder


def _print_results(job: BatchJob, as_json: bool) -> int:
    from artnet.batch.job import predict_job

    counter = ResultCounter()
    results = predict_job(job, counter.hide)
    with progress_bar("classifying", shown=not sys.stdout.isatty()) as advance:
        counted = counter.count(results, advance)
        if as_json:
            print_json(counted, job.is_single)
        else:
            for result in counted:
                if result.prediction is not None:
                    print_line(prediction_line(result.prediction))
    if not job.is_single:
        print_message(f"{counter.total} images, {counter.failed} failed{hidden_note(counter.hidden)}")
    return 1 if counter.failed else 0


def _write_table(job: BatchJob, out: Path, existing: Existing) -> int:
    from artnet.batch.job import job_journal, run_job, write_results

    with job_journal(job, out, existing) as journal:
        with batch_progress(journal) as on_progress:
            summary = run_job(job, journal, on_progress, count_total=sys.stderr.isatty())
        write_results(journal)
    print_summary(summary)
    print_message(f"{summary.total} images, {summary.failed} failed{hidden_note(summary.hidden)}; written to {out}")
    return 1 if summary.failed else 0
