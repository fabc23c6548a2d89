"""The `export` command."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from artnet.cli.console import print_line, progress_bar
from artnet.training.requirements import import_torch


def export(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A finished run folder.")],
    out: Annotated[Path, typer.Option("--out", metavar="FOLDER", help="Model folder to write.")],
    facts: Annotated[
        Path | None,
        typer.Option("--facts", metavar="FILE.toml", help="Licence, limitations and the like for the model card."),
    ] = None,
    data: Annotated[
        Path | None, typer.Option("--data", metavar="DATA", help="The run's dataset, if it has been moved.")
    ] = None,
    outliers: Annotated[
        list[str] | None,
        typer.Option(
            "--outliers",
            metavar="FOLDER",
            help="Images that are no modern paintings, to be called unfamiliar; may be repeated.",
        ),
    ] = None,
    weight_format: Annotated[
        Literal["f32", "f16", "int8"],
        typer.Option("--weight-format", help="How weights are stored; f16 halves and int8 quarters the model."),
    ] = "f32",
    gallery: Annotated[
        Path | None,
        typer.Option(
            "--gallery", metavar="DATA", help="Also store the patches that activate channels most; parts of paintings."
        ),
    ] = None,
) -> int:
    """Export a finished run as a model folder."""
    import_torch()
    from artnet.attribution.exemplars import GALLERY_FILE
    from artnet.evaluation.exemplars import write_gallery
    from artnet.model.classifier import Classifier
    from artnet.training.export.export import ExportOptions, read_facts
    from artnet.training.export.export import export as export_run
    from artnet.training.run import open_run

    options = ExportOptions({} if facts is None else read_facts(facts), data, tuple(outliers or ()), weight_format)
    with progress_bar("calibrating") as advance:
        result = export_run(open_run(run), out, options, advance)
    agreement, weight_error = result.agreement, result.weight_error
    print_line(
        f"{out}: agrees with autograd on {agreement.images} images; relative L2 distance of logits and "
        f"activations {agreement.forward:.1e}, of gradients {agreement.gradient:.1e}"
    )
    if weight_error is not None:
        print_line(
            f"weights as {weight_format}: scores change by {weight_error.score:.4f} at most, heatmaps correlate at "
            f"{weight_error.correlation:.3f} or more with those of float32"
        )
    if gallery is not None:
        with progress_bar("collecting patches") as advance:
            patches = write_gallery(Classifier.load(out), out, gallery, advance)
        print_line(f"{patches} patches in {out / GALLERY_FILE}; they are parts of the dataset's images")
    return 0
