"""The prepare command: parse, call one function, print.

Knows nothing itself; every import that costs time stands inside the command.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from artnet.cli.console import progress
from artnet.cli.options import AllowPrivate, IiifPx, MaxMb, Timeout, source_rules
from artnet.errors import UsageError


def prepare(
    paths: Annotated[list[str], typer.Argument(metavar="SOURCE... OUT", help="Collections, then the new folder.")],
    split_by: Annotated[str, typer.Option("--split-by", help="artist or painting.")] = "artist",
    ratios: Annotated[str, typer.Option("--ratios", help="Shares of train, val and test.")] = "70:15:15",
    seed: Annotated[int, typer.Option("--seed", help="Another seed gives another split.")] = 0,
    size_px: Annotated[int, typer.Option("--size-px", min=16, max=2048, help="Side of a view.")] = 256,
    fit: Annotated[
        str, typer.Option("--fit", help="letterbox or stretch: how the whole fills its view.")
    ] = "letterbox",
    taxonomy: Annotated[
        str, typer.Option("--taxonomy", help="artnet-2026, artnet-2020 or your own TOML file.")
    ] = "artnet-2026",
    without: Annotated[
        list[str] | None, typer.Option("--without", metavar="MOVEMENT", help="Leave a movement out; may be repeated.")
    ] = None,
    catalog: Annotated[
        str | None,
        typer.Option("--catalog", help="painter-by-numbers, wikiart, huggingface, folders, csv or iiif."),
    ] = None,
    allow_private: AllowPrivate = False,
    timeout_s: Timeout = 30.0,
    max_mb: MaxMb = 64,
    iiif_px: IiifPx = None,
) -> int:
    """Turn collections into a dataset with nothing leaking between its splits."""
    from artnet.cli.console import print_audit
    from artnet.data.prepare import PrepareOptions, check_out
    from artnet.data.prepare import prepare as prepare_dataset
    from artnet.data.readers.detect import read_catalog
    from artnet.data.split import parse_ratios
    from artnet.imaging.views import checked_fit
    from artnet.sources.item import needed_side
    from artnet.sources.stores import is_remote
    from artnet.taxonomy import load_taxonomy
    from artnet.taxonomy import without as leave_out

    if len(paths) < 2:
        raise UsageError("prepare needs at least one SOURCE and then OUT, the folder to make")
    rules = source_rules(allow_private, timeout_s, max_mb, iiif_px or needed_side(size_px))
    options = PrepareOptions(
        size_px=size_px, fit=checked_fit(fit), split_by=split_by, ratios=parse_ratios(ratios), seed=seed, rules=rules
    )
    if is_remote(paths[-1]):
        raise UsageError(
            f"OUT is {paths[-1]!r}; a dataset is written to a folder of this machine, copy it there afterwards"
        )
    out = Path(paths[-1])
    check_out(out, paths[:-1])
    kept = leave_out(load_taxonomy(taxonomy), without or [])
    catalogs = [read_catalog(path, catalog, rules) for path in paths[:-1]]
    with progress("cutting views") as advance:
        summary = prepare_dataset(catalogs, out, kept, options, advance)
    print_audit(summary, out)
    return 0
