"""The `index` command."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from artnet.cli.console import batch_progress, hidden_note, print_message, print_summary
from artnet.cli.options import (
    AllowPrivate,
    Executor,
    IiifPx,
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


def index(
    sources: Annotated[list[str], typer.Argument(metavar="SOURCE...", help="Collections, as for artnet classify.")],
    out: Annotated[Path, typer.Option("--out", metavar="FOLDER", help="Index to build.")],
    no_trim: NoTrim = False,
    executor: Executor = "local",
    resume: Resume = False,
    overwrite: Overwrite = False,
    allow_private: AllowPrivate = False,
    timeout_s: Timeout = 30.0,
    max_mb: MaxMb = 64,
    iiif_px: IiifPx = None,
    zip_encoding: ZipEncoding = "cp437",
    model: Model = None,
    runtime: Runtime = "openvino",
    precision: Precision = "auto",
) -> int:
    """Index a collection, so that similar paintings can be found in it."""
    from artnet.batch.index import check_index_path, check_installed, write_index
    from artnet.batch.job import BatchJob, iiif_side_px, job_journal, model_fingerprint, run_job
    from artnet.batch.predict import ModelSpec, PredictOptions
    from artnet.model.config import read_model

    existing = existing_output(resume, overwrite)
    check_installed()
    check_index_path(out, existing)
    folder, config = read_model(model)
    job = BatchJob(
        sources,
        # The embedding is that of the whole view.
        PredictOptions(
            "voting" if "whole" in config.voting_views else "all", embedding=True, thumbnail=True, trim=not no_trim
        ),
        source_rules(allow_private, timeout_s, max_mb, iiif_px or iiif_side_px(sources, model), zip_encoding),
        ModelSpec(model, runtime, precision),
        executor,
    )
    with job_journal(job, out, existing) as journal:
        with batch_progress(journal) as on_progress:
            summary = run_job(job, journal, on_progress, count_total=sys.stderr.isatty())
        print_summary(summary)
        count = write_index(out, journal.rows(), journal.schema, model_fingerprint(folder, config, not no_trim))
        journal.delete()
    print_message(f"{count} paintings in {out}, {summary.failed} images failed{hidden_note(summary.hidden)}")
    return 1 if summary.failed else 0
