"""The `similar` command."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from artnet.cli.console import print_line
from artnet.cli.options import (
    Json,
    Model,
    Precision,
    Runtime,
)


def similar(
    image: Annotated[Path, typer.Argument(metavar="IMAGE", help="One picture.")],
    folder: Annotated[Path, typer.Option("--index", metavar="FOLDER", help="What artnet index made.")],
    count: Annotated[int, typer.Option("--count", min=1, max=1000, help="How many to find.")] = 10,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE.png", help="Draw them on a sheet, PNG or SVG.")
    ] = None,
    as_json: Json = False,
    model: Model = None,
    runtime: Runtime = "openvino",
    precision: Precision = "auto",
) -> int:
    """Find the paintings of an index that are nearest to a picture."""
    from artnet.batch.index import Index
    from artnet.batch.job import model_fingerprint
    from artnet.model.classifier import Classifier
    from artnet.model.config import read_model
    from artnet.render.contact_sheet import tile_sheet
    from artnet.render.writers import SHEET_FORMATS, check_output_path, write_sheet

    if out is not None:
        check_output_path(out, image, SHEET_FORMATS)
    found = Index(folder, model_fingerprint(*read_model(model)))
    classifier = Classifier.load(model, runtime, precision)
    opened = classifier.open(image)  # as the index was made
    near = found.nearest(classifier.embed(opened), count)
    if out is not None:
        tiles = [
            (f"{each.similarity:.2f} {each.movement}: {each.label or each.source}", each.thumbnail) for each in near
        ]
        title = f"{len(near)} of {found.count} paintings, the nearest to {image.name}"
        note = "similarity: the cosine between embeddings"
        write_sheet(out, tile_sheet(title, note, [("query", opened.image), *tiles]))
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
