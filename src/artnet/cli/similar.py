"""The index and similar commands: parse, call one function, print.

Knows nothing itself; every import that costs time stands inside the function that needs it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from artnet.cli.classify import fill, needed_px
from artnet.cli.console import print_line, say
from artnet.cli.options import (
    AllowPrivate,
    ExecutorChoice,
    IiifPx,
    Json,
    MaxMb,
    Model,
    Precision,
    PrecisionChoice,
    Runtime,
    RuntimeChoice,
    Timeout,
    source_rules,
)


def index(
    sources: Annotated[list[str], typer.Argument(metavar="COLLECTION...", help="As artnet classify takes them.")],
    out: Annotated[Path, typer.Option("--out", metavar="FOLDER", help="The index to make.")],
    executor: Annotated[
        ExecutorChoice, typer.Option("--executor", help="local, or ray: on a cluster.")
    ] = ExecutorChoice.local,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the index where it was stopped.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the index that is there.")] = False,
    allow_private: AllowPrivate = False,
    timeout_s: Timeout = 30.0,
    max_mb: MaxMb = 64,
    iiif_px: IiifPx = None,
    model: Model = None,
    runtime: Runtime = RuntimeChoice.openvino,
    precision: Precision = PrecisionChoice.auto,
) -> int:
    """Keep a collection's embeddings, scores and names, so that similar paintings are found."""
    from artnet.batch.index import check_installed, check_out, rows_path, write_index
    from artnet.batch.job import BatchJob, model_fingerprint
    from artnet.batch.journal import is_whole
    from artnet.batch.predict import ModelOptions, ResultOptions
    from artnet.model.config import read_model

    check_installed()
    check_out(out, resume, overwrite)
    folder, config = read_model(model)
    side_px = iiif_px or needed_px(sources, model, False)
    asked = BatchJob(
        sources,
        source_rules(allow_private, timeout_s, max_mb, side_px),
        ModelOptions(model, runtime.value, precision.value),
        ResultOptions("voting" if "whole" in config.voting_views else "all", embedding=True, thumbnail=True),
        executor is ExecutorChoice.ray,
    )
    rows, failed = rows_path(out), 0
    if not (resume and is_whole(rows)):
        summary = fill(asked, rows, resume, overwrite or out.exists())
        failed = summary.failed
        for line in summary.lines:
            say(line)
    count = write_index(rows, out, {"model": model_fingerprint(folder, config), "movements": config.movements})
    rows.unlink()
    say(f"{count} paintings in {out}, {failed} pictures failed")
    return 1 if failed else 0


def similar(
    image: Annotated[Path, typer.Argument(metavar="IMAGE", help="One picture.")],
    folder: Annotated[Path, typer.Option("--index", metavar="FOLDER", help="What artnet index made.")],
    count: Annotated[int, typer.Option("--count", min=1, max=1000, help="How many to find.")] = 10,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE.png", help="Draw them on a sheet, PNG or SVG.")
    ] = None,
    as_json: Json = False,
    model: Model = None,
    runtime: Runtime = RuntimeChoice.openvino,
    precision: Precision = PrecisionChoice.auto,
) -> int:
    """Find the paintings of an index that are nearest to a picture."""
    from artnet.batch.index import Index
    from artnet.batch.job import model_fingerprint
    from artnet.imaging.decode import read_file
    from artnet.model.classifier import Classifier
    from artnet.model.config import read_model
    from artnet.render.contact_sheet import tiles_sheet
    from artnet.render.writers import check_sheet_path, write_sheet

    if out is not None:
        check_sheet_path(out, image)
    found = Index(folder, model_fingerprint(*read_model(model)))
    classifier = Classifier.load(model, runtime, precision)
    picture = classifier.open(read_file(image)).image  # as the index was made
    near = found.nearest(classifier.embed(picture), count)
    if out is not None:
        tiles = [
            (f"{each.similarity:.2f} {each.movement}: {each.label or each.source}", each.thumbnail) for each in near
        ]
        title = f"{len(near)} of {found.count} paintings, the nearest to {image.name}"
        write_sheet(out, tiles_sheet(title, "similarity: the cosine between embeddings", [("asked", picture), *tiles]))
    if as_json:
        answer = {
            "source": str(image),
            "index": str(folder),
            "paintings": found.count,
            "sheet": str(out) if out else None,
        }
        print_line(json.dumps({**answer, "nearest": [each.to_dict() for each in near]}, ensure_ascii=False))
        return 0
    for each in near:
        print_line(f"{each.similarity:.3f}  {each.source}: {each.movement} {each.confidence:.0%} ({each.decision})")
    if out is not None:
        print_line(f"sheet: {out}")
    return 0
