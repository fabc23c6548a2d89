"""The `teach` command."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from artnet.cli.console import print_corrected, print_message, print_taught, progress_bar
from artnet.cli.options import AllowPrivate, MaxMb, Timeout, ZipEncoding, source_rules
from artnet.errors import UsageError

if TYPE_CHECKING:
    from artnet.model.classifier import Classifier
    from artnet.sources.item import SourceRules

Corrections = Annotated[
    Path | None,
    typer.Option("--corrections", metavar="FILE", help="Draw the model towards corrections of its predictions."),
]


def teach(
    out: Annotated[Path, typer.Option("--out", metavar="MODEL", help="Model folder to write.")],
    source: Annotated[
        str | None,
        typer.Argument(metavar="[SOURCE]", help="Folders named by class, or a table with the columns path and class."),
    ] = None,
    base: Annotated[
        Path | None,
        typer.Option("--from", metavar="MODEL", help="Model whose embeddings are used; by default the built-in one."),
    ] = None,
    corrections: Corrections = None,
    pictures: Annotated[
        str | None, typer.Option("--pictures", metavar="FOLDER", help="Where the corrected images are.")
    ] = None,
    allow_private: AllowPrivate = False,
    timeout_s: Timeout = 30.0,
    max_mb: MaxMb = 64,
    zip_encoding: ZipEncoding = "cp437",
) -> int:
    """Make a model with classes of your own from labelled images, or correct one."""
    # Read when NumPy is imported. Products with so few columns keep one thread busy; two waited for each other and took
    # six times the processor time for the same head.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from artnet.data.prepare import check_out
    from artnet.hardware import processor_count
    from artnet.model.classifier import Classifier
    from artnet.sources.item import needed_side
    from artnet.teaching.graph import check_installed
    from artnet.teaching.teach import check_teachable

    images = source or pictures
    if images is None or (corrections is None) == (source is None):
        raise UsageError("teach needs either SOURCE, or --corrections FILE and --pictures FOLDER")
    check_installed()
    check_out(out, [images])
    classifier = Classifier.load(base, concurrency=processor_count())
    check_teachable(classifier)
    side_px = needed_side(classifier.config.preprocessing.size_px, regions=False)
    rules = source_rules(allow_private, timeout_s, max_mb, side_px, zip_encoding)
    if corrections is None:
        return _teach_classes(classifier, images, out, rules)
    return _correct(classifier, corrections, images, out, rules)


def _teach_classes(classifier: Classifier, source: str, out: Path, rules: SourceRules) -> int:
    from artnet.data.readers.detect import read_catalog
    from artnet.teaching.images import read_labelled_images
    from artnet.teaching.teach import teach as teach_classes

    catalog = read_catalog(source, rules=rules)
    with progress_bar("embedding") as advance:
        images = read_labelled_images(catalog, classifier, rules, advance)
    for message in (*(each.message for each in images.unused), *images.notes):
        print_message(f"artnet: {message}")
    taught = teach_classes(classifier, images, out)
    print_taught(taught, len(images.unused), out)
    return 1 if images.unused else 0


def _correct(classifier: Classifier, corrections: Path, pictures: str, out: Path, rules: SourceRules) -> int:
    from artnet.teaching.corrections import correct

    corrected = correct(classifier, corrections, pictures, out, rules)
    for each in corrected.unused:
        print_message(f"artnet: {each.message}")
    print_corrected(corrected, out)
    return 1 if corrected.unused else 0
