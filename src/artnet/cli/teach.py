"""The `teach` command."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from artnet.cli.console import print_message, print_taught, progress_bar
from artnet.cli.options import AllowPrivate, MaxMb, Timeout, ZipEncoding, source_rules


def teach(
    source: Annotated[
        str,
        typer.Argument(metavar="SOURCE", help="Folders named by class, or a table with the columns path and class."),
    ],
    out: Annotated[Path, typer.Option("--out", metavar="MODEL", help="Model folder to write.")],
    base: Annotated[
        Path | None,
        typer.Option("--from", metavar="MODEL", help="Model whose embeddings are used; by default the built-in one."),
    ] = None,
    allow_private: AllowPrivate = False,
    timeout_s: Timeout = 30.0,
    max_mb: MaxMb = 64,
    zip_encoding: ZipEncoding = "cp437",
) -> int:
    """Make a model with classes of your own from labelled images."""
    from artnet.data.prepare import check_out
    from artnet.data.readers.detect import read_catalog
    from artnet.hardware import processor_count
    from artnet.model.classifier import Classifier
    from artnet.sources.item import needed_side
    from artnet.teaching.graph import check_installed
    from artnet.teaching.images import read_labelled_images
    from artnet.teaching.teach import check_teachable
    from artnet.teaching.teach import teach as teach_classes

    check_installed()
    check_out(out, [source])
    classifier = Classifier.load(base, concurrency=processor_count())
    check_teachable(classifier)
    side_px = needed_side(classifier.config.preprocessing.size_px, regions=False)
    rules = source_rules(allow_private, timeout_s, max_mb, side_px, zip_encoding)
    catalog = read_catalog(source, rules=rules)
    with progress_bar("embedding") as advance:
        images = read_labelled_images(catalog, classifier, rules, advance)
    for each in images.unused:
        print_message(f"artnet: {each.message}")
    for note in images.notes:
        print_message(f"artnet: {note}")
    taught = teach_classes(classifier, images, out)
    print_taught(taught, len(images.unused), out)
    return 1 if images.unused else 0
