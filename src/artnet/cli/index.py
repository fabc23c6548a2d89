"""The `index` command."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from artnet.cli.classify import fill, needed_px
from artnet.cli.console import print_message
from artnet.cli.options import (
    AllowPrivate,
    Executor,
    IiifPx,
    MaxMb,
    Model,
    Precision,
    Runtime,
    Timeout,
    source_rules,
)


def index(
    sources: Annotated[list[str], typer.Argument(metavar="COLLECTION...", help="As artnet classify takes them.")],
    out: Annotated[Path, typer.Option("--out", metavar="FOLDER", help="The index to make.")],
    executor: Executor = "local",
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the index where it was stopped.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the index that is there.")] = False,
    allow_private: AllowPrivate = False,
    timeout_s: Timeout = 30.0,
    max_mb: MaxMb = 64,
    iiif_px: IiifPx = None,
    model: Model = None,
    runtime: Runtime = "openvino",
    precision: Precision = "auto",
) -> int:
    """Keep a collection's embeddings, scores and names, so that similar paintings are found."""
    from artnet.batch.index import check_installed, check_out, rows_path, write_index
    from artnet.batch.job import BatchJob, model_fingerprint
    from artnet.batch.journal import is_whole
    from artnet.batch.predict import ModelSpec, PredictOptions
    from artnet.model.config import read_model

    check_installed()
    check_out(out, resume, overwrite)
    folder, config = read_model(model)
    side_px = iiif_px or needed_px(sources, model, False)
    asked = BatchJob(
        sources,
        source_rules(allow_private, timeout_s, max_mb, side_px),
        ModelSpec(model, runtime, precision),
        PredictOptions("voting" if "whole" in config.voting_views else "all", embedding=True, thumbnail=True),
        executor == "ray",
    )
    rows, failed = rows_path(out), 0
    if not (resume and is_whole(rows)):
        summary = fill(asked, rows, resume, overwrite or out.exists())
        failed = summary.failed
        for line in summary.lines:
            print_message(line)
    count = write_index(rows, out, {"model": model_fingerprint(folder, config), "movements": config.movements})
    rows.unlink()
    print_message(f"{count} paintings in {out}, {failed} pictures failed")
    return 1 if failed else 0
