"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from artnet.errors import UsageError

if TYPE_CHECKING:
    from artnet.batch.journal import Existing
    from artnet.sources.item import SourceRules

Model = Annotated[
    Path | None, typer.Option("--model", metavar="FOLDER", help="Model folder; by default the built-in model.")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON value on standard output and nothing else.")]
Runtime = Annotated[
    Literal["openvino", "onnxruntime"], typer.Option("--runtime", help="Library that computes the network.")
]
Precision = Annotated[
    Literal["auto", "f32"],
    typer.Option("--precision", help="auto: bf16 where the processor is faster in it; f32: the same bits everywhere."),
]
NoTrim = Annotated[bool, typer.Option("--no-trim", help="Keep uniform margins, such as a letterbox's bars.")]
Executor = Annotated[
    Literal["local", "ray"], typer.Option("--executor", help="local: this machine; ray: a Ray cluster.")
]

Resume = Annotated[bool, typer.Option("--resume", help="Continue an output that was begun and not finished.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace the output if it exists.")]
AllowPrivate = Annotated[
    bool, typer.Option("--allow-private", help="Also fetch from addresses that are not on the public internet.")
]
Timeout = Annotated[
    float, typer.Option("--timeout", metavar="SECONDS", min=0.1, help="Time limit of each fetch, redirects included.")
]
MaxMb = Annotated[int, typer.Option("--max-mb", min=1, max=4096, help="Largest image file, in megabytes.")]
IiifPx = Annotated[
    int | None,
    typer.Option(
        "--iiif-px", metavar="PIXELS", min=16, help="Shorter side to request from IIIF; by default what the views need."
    ),
]
ZipEncoding = Annotated[
    str,
    typer.Option(
        "--zip-encoding", metavar="NAME", help="Encoding of names in a zip that declare none and are not UTF-8."
    ),
]


def existing_output(resume: bool, overwrite: bool) -> Existing:
    """Return what these options say about an output that exists or was begun."""
    if resume and overwrite:
        raise UsageError("--resume keeps what is there and --overwrite starts again; use one of them")
    return "resume" if resume else "overwrite" if overwrite else "refuse"


def source_rules(
    allow_private: bool, timeout_s: float, max_mb: int, shorter_side_px: int, zip_encoding: str
) -> SourceRules:
    """Return the rules for reading sources that these options describe."""
    from artnet.imaging.decode import Limits
    from artnet.sources.item import SourceRules

    try:
        "a".encode(zip_encoding)
    except LookupError:
        names = "cp932, gb18030, cp866 or cp850"
        raise UsageError(f"--zip-encoding {zip_encoding!r} is not an encoding that Python knows; use {names}") from None
    return SourceRules(Limits(max_mb * 2**20), allow_private, timeout_s, shorter_side_px, zip_encoding)
