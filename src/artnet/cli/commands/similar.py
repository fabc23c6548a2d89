"""The `similar` command."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from artnet.cli.console import print_line
from artnet.cli.options import Json, Model, NoTrim, Precision, Runtime


def similar(
    image: Annotated[Path, typer.Argument(metavar="IMAGE", help="One image.")],
    folder: Annotated[Path, typer.Option("--index", metavar="FOLDER", help="Index built by artnet index.")],
    count: Annotated[int, typer.Option("--count", min=1, max=1000, help="Number of paintings to find.")] = 10,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE.png", help="Also draw them on a sheet, PNG or SVG.")
    ] = None,
    as_json: Json = False,
    no_trim: NoTrim = False,
    model: Model = None,
    runtime: Runtime = "openvino",
    precision: Precision = "auto",
) -> int:
    """Find the paintings of an index that are nearest to an image."""
    from artnet.batch.index import Index
    from artnet.batch.job import model_fingerprint
    from artnet.model.classifier import Classifier
    from artnet.model.config import read_model
    from artnet.render.contact_sheet import tile_sheet
    from artnet.render.writers import SHEET_FORMATS, check_output_path, write_sheet

    if out is not None:
        check_output_path(out, image, SHEET_FORMATS)
    index = Index(folder, model_fingerprint(*read_model(model), not no_trim))
    classifier = Classifier.load(model, runtime, precision)
    opened = classifier.open(image, trim=not no_trim)  # decoded as it was for the index
    neighbours = index.nearest(classifier.embed(opened), count)
    if out is not None:
        title = f"{len(neighbours)} of {index.count} paintings, the nearest to {image.name}"
        tiles = [
            (
                f"{neighbour.similarity:.2f} {neighbour.movement}: {neighbour.label or neighbour.source}",
                neighbour.thumbnail,
            )
            for neighbour in neighbours
        ]
        note = "similarity: the cosine between embeddings"
        write_sheet(out, tile_sheet(title, note, [("query", opened.image), *tiles]))
    if as_json:
        description = {
            "source": str(image),
            "index": str(folder),
            "paintings": index.count,
            "sheet": str(out) if out else None,
            "nearest": [painting.to_dict() for painting in neighbours],
        }
        print_line(json.dumps(description, ensure_ascii=False))
        return 0
    for painting in neighbours:
        prediction = f"{painting.movement} {painting.confidence:.0%} ({painting.decision})"
        print_line(f"{painting.similarity:.3f}  {painting.source}: {prediction}")
    if out is not None:
        print_line(f"sheet: {out}")
    return 0
