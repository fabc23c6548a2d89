"""The `prepare` command."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal

import typer

from artnet.cli.console import print_audit, print_message, progress_bar
from artnet.cli.options import AllowPrivate, IiifPx, MaxMb, NoTrim, Timeout, ZipEncoding, source_rules
from artnet.errors import StoppedError, UsageError

Without = Annotated[
    list[str] | None, typer.Option("--without", metavar="MOVEMENT", help="Leave a movement out; may be repeated.")
]
Layout = Annotated[
    str | None,
    typer.Option(
        "--catalog", help="Layout: painter-by-numbers, wikiart, huggingface, folders, csv or iiif; by default detected."
    ),
]
Exclude = Annotated[
    Path | None,
    typer.Option("--exclude", metavar="FILE", help="Leave out the paintings of a table, such as suspects.csv."),
]


def prepare(
    paths: Annotated[list[str], typer.Argument(metavar="SOURCE... OUT", help="Collections, then the folder to write.")],
    split_by: Annotated[str, typer.Option("--split-by", help="artist or painting.")] = "artist",
    ratios: Annotated[str, typer.Option("--ratios", help="Shares of train, val and test.")] = "70:15:15",
    seed: Annotated[int, typer.Option("--seed", help="Seed of the split.")] = 0,
    size_px: Annotated[int, typer.Option("--size-px", min=16, max=2048, help="Side of a view, in pixels.")] = 256,
    fit: Annotated[
        Literal["letterbox", "stretch"], typer.Option("--fit", help="How the whole painting fills its view.")
    ] = "letterbox",
    no_trim: NoTrim = False,
    taxonomy: Annotated[
        str, typer.Option("--taxonomy", help="artnet-2026, artnet-2020 or a TOML file.")
    ] = "artnet-2026",
    without: Without = None,
    catalog: Layout = None,
    allow_private: AllowPrivate = False,
    timeout_s: Timeout = 30.0,
    max_mb: MaxMb = 64,
    iiif_px: IiifPx = None,
    zip_encoding: ZipEncoding = "cp437",
    exclude: Exclude = None,
) -> int:
    """Prepare a dataset from collections, with no leakage between its splits."""
    from artnet.data.exclusions import NO_EXCLUSIONS, read_exclusions
    from artnet.data.prepare import PrepareOptions, check_out
    from artnet.data.prepare import prepare as prepare_dataset
    from artnet.data.readers.detect import read_catalog
    from artnet.data.split import parse_ratios
    from artnet.sources.item import needed_side
    from artnet.sources.stores import is_remote
    from artnet.taxonomy import load_taxonomy, without_movements

    if len(paths) < 2:
        raise UsageError("prepare needs at least one SOURCE, then OUT, the folder to write")
    rules = source_rules(allow_private, timeout_s, max_mb, iiif_px or needed_side(size_px), zip_encoding)
    options = PrepareOptions(
        size_px=size_px,
        fit=fit,
        trim=not no_trim,
        split_by=split_by,
        ratios=parse_ratios(ratios),
        seed=seed,
        rules=rules,
        exclusions=NO_EXCLUSIONS if exclude is None else read_exclusions(exclude),
    )
    if is_remote(paths[-1]):
        raise UsageError(
            f"OUT is {paths[-1]!r}; a dataset is written to a local folder, so name one and copy it afterwards"
        )
    out = Path(paths[-1])
    check_out(out, paths[:-1])
    chosen = without_movements(load_taxonomy(taxonomy), without or [])
    catalogs = [read_catalog(path, catalog, rules) for path in paths[:-1]]
    with _resumable(out), progress_bar("extracting views") as advance:
        summary = prepare_dataset(catalogs, out, chosen, options, advance)
    print_audit(summary, out)
    if hidden := sum(catalog.hidden_count for catalog in catalogs):
        print_message(f"{hidden} hidden or system files passed over")
    return 0


@contextmanager
def _resumable(out: Path) -> Iterator[None]:
    """Turn an interrupt in the block into `StoppedError`, with how to resume."""
    try:
        yield
    except KeyboardInterrupt:
        raise StoppedError(f"{out}: stopped; what is done is kept, the same command continues") from None
